// One field of an event or of an answer, as --match-input and --match-output name it: what both have in common.
#ifndef SP_TRIAL_FIELD_H
#define SP_TRIAL_FIELD_H

#include "base/bytes.h"
#include "base/conf.h"
#include "base/err.h"

struct sp_field;
// With a header, `name` is one of its columns; without one, a number of a CSV column from 0, and otherwise a JSON pointer. `key`
// is the scenario's key that it stands in. SP_ERR_USAGE: none of these.
enum sp_err sp_field_new(const char *name, const struct sp_texts *header, const char *key,
                         struct sp_field **field, struct sp_error *error);
void sp_field_free(struct sp_field *field); // NULL is allowed
// What stands there: of a CSV column its text, of a JSON string its text, of any other JSON value the bytes as they are written
// (1 and 1.0 differ). False: it is not there, is null, or the value is no CSV record or no JSON. *taken is valid until the next
// call, as long as `value` is. One thread at a time; allocates only while its longest text grows.
bool sp_field_take(struct sp_field *field, struct sp_bytes value, struct sp_bytes *taken);
// The same, but a JSON value as it is written, with the quotes of a string, and null too.
bool sp_field_take_raw(struct sp_field *field, struct sp_bytes value, struct sp_bytes *taken);

#endif
