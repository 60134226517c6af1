// One event as one CSV record (RFC 4180) -> tensors. Missing: an empty field or NA.
#ifndef SP_CODEC_CSV_H
#define SP_CODEC_CSV_H

#include "codec/codec.h"
#include "codec/scratch.h"

// ---- fields of a record

enum sp_csv_field {
  SP_CSV_FIELD,      // a comma follows
  SP_CSV_FIELD_LAST, // the record ends here
  SP_CSV_FIELD_BROKEN,
};
// The field at *at < or = end. Its text comes without the quotes around it and with each doubled quote as one; it points into
// the event, or into scratch until the next call. A quote inside an unquoted field is a character like any other. *at moves to
// the next field, or behind the record's line end. Broken: an unclosed quote, or something between closing quote and comma.
enum sp_csv_field sp_csv_next(const uint8_t **at, const uint8_t *end, struct sp_scratch *scratch,
                              struct sp_bytes *field);

// ---- events

struct sp_csv;
enum sp_err sp_csv_new(const struct sp_input_conf *conf, const struct sp_tensor_spec *specs,
                       struct sp_csv **csv, struct sp_error *error);
void sp_csv_free(struct sp_csv *csv);
// rows[i]: where the row of tensor i begins. Line ends may follow the record; anything else after it is malformed.
enum sp_outcome sp_csv_decode(const struct sp_csv *csv, struct sp_scratch *scratch, struct sp_bytes value,
                              void *const *rows, struct sp_reason *reason);

#endif
