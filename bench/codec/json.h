// JSON (RFC 8259) without a tree: one pass checks the whole document and notes where the wanted values stand.
#ifndef SP_CODEC_JSON_H
#define SP_CODEC_JSON_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#define SP_JSON_DEPTH_MAX    128
#define SP_JSON_POINTERS_MAX 32

// A JSON pointer (RFC 6901), taken apart.
struct sp_json_pointer {
  size_t n_tokens;
  struct sp_json_token {
    struct sp_bytes name; // unescaped
    int64_t index;        // -1: no array index
  } * tokens;
  char *text; // what the names point into
};
// SP_ERR_USAGE where `text` is none; `key` is the scenario key it stands in. NULL and "": the whole document.
enum sp_err sp_json_pointer_init(struct sp_json_pointer *pointer, const char *text, const char *key,
                                 struct sp_error *error);
void sp_json_pointer_done(struct sp_json_pointer *pointer);

// The bytes of one value of a checked document, from its first character to behind its last.
struct sp_json {
  const uint8_t *at; // NULL: there is none
  const uint8_t *end;
};

// Checks that `document` is one JSON value in UTF-8, nested at most SP_JSON_DEPTH_MAX deep, and sets found[i] to the value at
// pointers[i]; of equal keys the last counts. Returns NULL, or what is wrong with it, in words without the event's bytes.
const char *sp_json_find(struct sp_bytes document, const struct sp_json_pointer *pointers, size_t n_pointers,
                         struct sp_json *found);

static inline bool sp_json_is_string(struct sp_json value) {
  return value.at && *value.at == '"';
}
// A checked string's code points into `out`, which has room for as many as the value has bytes; returns how many.
size_t sp_json_points(struct sp_json string, uint32_t *out);
// A checked string as UTF-8 into out[0..n); returns its length, or SIZE_MAX if it is longer.
size_t sp_json_text(struct sp_json string, uint8_t *out, size_t n);

#endif
