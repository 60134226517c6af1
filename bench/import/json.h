// JSON (RFC 8259) as spans of its own bytes, so that a value taken out of a document is exactly what stood there: numbers
// keep their digits, strings may hold bytes that are not UTF-8 (kcat writes them raw). Pure, allocates nothing.
#ifndef SP_IMPORT_JSON_H
#define SP_IMPORT_JSON_H

#include <stdbool.h>

#include "base/bytes.h"

#define SP_SPAN_DEPTH_MAX     512
#define SP_SPAN_POINTER_BYTES 512 // the longest pointer

enum sp_span_kind {
  SP_SPAN_NULL,
  SP_SPAN_BOOL,
  SP_SPAN_NUMBER,
  SP_SPAN_STRING,
  SP_SPAN_ARRAY,
  SP_SPAN_OBJECT
};
struct sp_span {
  enum sp_span_kind kind;
  struct sp_bytes bytes; // as it stands; a string with its quotes and escapes
};

// The one value of a document, white space around it left out. False: not JSON, and *error_at is the byte at which it
// stops being so.
bool sp_span_read(struct sp_bytes document, struct sp_span *value, size_t *error_at);

// The functions below take a value that sp_span_read (or they themselves) gave.

struct sp_span_walk { // the members of an array or object, in order
  const uint8_t *at, *end;
  bool is_object;
};
// Of any other value: no members.
struct sp_span_walk sp_span_walk_of(struct sp_span value);
// False after the last. `name` (NULL is allowed): of an object's member.
bool sp_span_walk_next(struct sp_span_walk *walk, struct sp_span *name, struct sp_span *member);

// RFC 6901, or "": the document itself.
bool sp_span_is_pointer(const char *text);
// Of members with the same name the last counts, as with most parsers. False: there is none.
bool sp_span_find(struct sp_span value, const char *pointer, struct sp_span *found);

// What a string says; `out` has room for string.bytes.n bytes; returns the length. Half a surrogate pair gives U+FFFD.
size_t sp_span_unescape(struct sp_span string, uint8_t *out);

#endif
