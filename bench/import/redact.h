// What must not be recorded: fields of a value dropped, or replaced by a pseudonym. Pure; one thread.
#ifndef SP_IMPORT_REDACT_H
#define SP_IMPORT_REDACT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#define SP_REDACTIONS_MAX       64
#define SP_PSEUDONYM_TEXT_BYTES 33 // 32 hexadecimal digits and NUL

struct sp_redaction {
  const char *field; // a JSON pointer, "/user/id", or the number of a CSV column from 1
  bool is_hashed;    // false: dropped
};
struct sp_redactor;

// Borrowed for the redactor's life. secret NULL: none. SP_ERR_USAGE naming the field: neither pointer nor number, both kinds
// in one list, given twice, too many.
enum sp_err sp_redactor_new(const struct sp_redaction *list, size_t n, const char *secret,
                            struct sp_redactor **redactor, struct sp_error *error);
void sp_redactor_free(struct sp_redactor *redactor); // NULL is allowed

// *redacted is `value` itself where nothing is to be done, otherwise valid until the next call. A field that a value lacks
// is nothing to do. False: the value is no JSON where pointers were given, so nothing can be promised about it.
//   JSON: a dropped member goes, a dropped element of an array becomes null; a hashed one becomes a string, null stays null.
//   Every member of that name is meant. Objects and arrays on the way lose their white space, all else stays as it was.
//   CSV: the column stays, empty or hashed, so that the others keep their places; an empty one stays empty.
bool sp_redactor_value(struct sp_redactor *redactor, struct sp_bytes value, struct sp_bytes *redacted);

// The pseudonym of bytes: XXH3 of 128 bits over the secret, a NUL and them (without a secret: them alone), as digits. Equal
// bytes have equal pseudonyms, so joins and keys go on working; it is not anonymous: who can guess a value can check the guess.
void sp_redactor_pseudonym(struct sp_redactor *redactor, struct sp_bytes bytes,
                           char text[SP_PSEUDONYM_TEXT_BYTES]);

#endif
