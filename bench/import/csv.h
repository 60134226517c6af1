// One CSV record: where it ends in a stream of bytes, and its fields. The dialect is RFC 4180 with the readings that
// Python's csv module has of what it leaves open: a quote opens a quoted field only at its start; after the closing quote
// further bytes are taken as they are; CR, LF and CR LF end a record outside quotes. Bytes need not be UTF-8. Pure.
#ifndef SP_IMPORT_CSV_H
#define SP_IMPORT_CSV_H

#include <stdbool.h>

#include "base/bytes.h"

enum sp_csv_state { SP_CSV_START, SP_CSV_IN_FIELD, SP_CSV_IN_QUOTES, SP_CSV_AFTER_QUOTE };

// Looks for the end of a record. *state is SP_CSV_START at a record's first byte and is kept between calls that go on where
// the last one stopped. The index of the line end (CR or LF), or n if it is not among these bytes.
size_t sp_csv_find_end(enum sp_csv_state *state, const uint8_t *bytes, size_t n);

// The fields of one record without its line end, as they stand in it, quotes included. Returns how many there are, and
// stores the first max. An empty record has one empty field.
size_t sp_csv_fields(struct sp_bytes record, struct sp_bytes *fields, size_t max);

// What a field says: without quotes, and doubled ones once. `out` has room for field.n bytes; returns the length.
size_t sp_csv_unquote(struct sp_bytes field, uint8_t *out);

#endif
