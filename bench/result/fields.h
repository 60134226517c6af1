// C structs as JSON objects, both ways, from one table of fields.
#ifndef SP_RESULT_FIELDS_H
#define SP_RESULT_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum sp_field_kind {
  SP_FIELD_TEXT,   // char *, NULL: null; owned by the struct
  SP_FIELD_CHARS,  // char[item_bytes], cut to fit
  SP_FIELD_COUNT,  // int64_t or uint64_t
  SP_FIELD_SIZE,   // size_t: not negative
  SP_FIELD_INT,    // int
  SP_FIELD_NS,     // int64_t, -1: null
  SP_FIELD_REAL,   // double, not finite: null
  SP_FIELD_FLAG,   // bool
  SP_FIELD_OBJECT, // a nested object whose fields lie in the same struct (offset is added)
  SP_FIELD_LIST, // an array of item_bytes structs with `fields`: at a pointer, or in place where `most` is given
  SP_FIELD_TEXTS,    // char **
  SP_FIELD_CUSTOM,   // its own functions
  SP_FIELD_CONSTANT, // no member: the text `constant`, as of a schema; with another it is no such file
};

struct sp_field_place { // where a reader is, for messages
  const char *file;
  const char *path; // "response_ns."
  struct sp_error *error;
};

struct sp_field { // name NULL ends a table
  const char *name;
  enum sp_field_kind kind;
  size_t offset;
  bool is_required; // reading fails where it is missing; others keep what the struct held
  const struct sp_field *fields;
  size_t item_bytes, n_offset, most;
  const char *constant;
  json_t *(*write)(const void *at);
  enum sp_err (*read)(void *at, const json_t *value, const struct sp_field_place *place);
};

json_t *sp_fields_write(const struct sp_field *fields, const void *base);
// SP_ERR_ENVIRONMENT naming file and field: required and missing, or of another type. `base` stays free-able.
enum sp_err sp_fields_read(const struct sp_field *fields, void *base, const json_t *object,
                           const struct sp_field_place *place);
enum sp_err sp_fields_fail(const struct sp_field_place *place, const char *name, const char *needed);

// Text as JSON: bytes that are not UTF-8 become '?', NULL becomes null.
json_t *sp_fields_text(const char *text);
json_t *sp_fields_real(double real);
// The text of `json`, which it takes, as jansson's flags say, and a line end; free with free().
char *sp_fields_print(json_t *json, size_t flags);

#endif
