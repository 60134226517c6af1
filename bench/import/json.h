// JSON (RFC 8259) as spans of its own bytes, so that a value taken out of a document is exactly what stood there: numbers
// keep their digits, strings may hold bytes that are not UTF-8 (kcat writes them raw). Pure, allocates nothing.
#ifndef SP_IMPORT_JSON_H
#define SP_IMPORT_JSON_H

#include <stdbool.h>

#include "base/bytes.h"

#define SP_JSON_DEPTH_MAX     512
#define SP_JSON_POINTER_BYTES 512 // the longest pointer

enum sp_json_kind {
  SP_JSON_NULL,
  SP_JSON_BOOL,
  SP_JSON_NUMBER,
  SP_JSON_STRING,
  SP_JSON_ARRAY,
  SP_JSON_OBJECT
};
struct sp_json {
  enum sp_json_kind kind;
  struct sp_bytes bytes; // as it stands; a string with its quotes and escapes
};

// The one value of a document, white space around it left out. False: not JSON, and *error_at is the byte at which it
// stops being so.
bool sp_json_read(struct sp_bytes document, struct sp_json *value, size_t *error_at);

// The functions below take a value that sp_json_read (or they themselves) gave.

struct sp_json_walk { // the members of an array or object, in order
  const uint8_t *at, *end;
  bool is_object;
};
// Of any other value: no members.
struct sp_json_walk sp_json_walk_of(struct sp_json value);
// False after the last. `name` (NULL is allowed): of an object's member.
bool sp_json_walk_next(struct sp_json_walk *walk, struct sp_json *name, struct sp_json *member);

// RFC 6901, or "": the document itself.
bool sp_json_is_pointer(const char *text);
// Of members with the same name the last counts, as with most parsers. False: there is none.
bool sp_json_find(struct sp_json value, const char *pointer, struct sp_json *found);

// What a string says; `out` has room for string.bytes.n bytes; returns the length. Half a surrogate pair gives U+FFFD.
size_t sp_json_unescape(struct sp_json string, uint8_t *out);

#endif
