// Walks a JSON document or a CSV record once and writes it anew with fields left out or replaced.
#include "import/redact.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/units.h"
#include "import/csv.h"
#include "import/json.h"

#define COLUMN_MAX UINT64_C(65536)

struct field {
  bool is_hashed;
  size_t column;           // CSV: from 1
  uint8_t *text;           // JSON: the pointer's tokens, one behind the other
  struct sp_bytes *tokens; // in `text`
  size_t n_tokens;
};

struct buffer {
  uint8_t *bytes;
  size_t n, room;
};

struct sp_redactor {
  struct field fields[SP_REDACTIONS_MAX];
  size_t n_fields;
  bool is_csv;
  const char *secret;
  struct buffer out, scratch;
  struct sp_bytes *columns; // of the record at hand
  size_t columns_room;
};

static void put(struct buffer *buffer, const void *bytes, size_t n) {
  if (buffer->n + n > buffer->room) {
    buffer->room = 2 * (buffer->n + n) + 256;
    buffer->bytes = sp_realloc(buffer->bytes, buffer->room);
  }
  if (n) memcpy(buffer->bytes + buffer->n, bytes, n);
  buffer->n += n;
}

// --- Reading the list ---

static void split_pointer(struct field *field, const char *pointer) {
  size_t n = strlen(pointer), n_text = 0;
  field->text = sp_alloc(n);
  field->tokens = sp_alloc(n * sizeof *field->tokens);
  for (const char *at = pointer; *at;) {
    size_t start = n_text;
    for (at++; *at && *at != '/'; at++) {
      if (*at == '~') at++;
      field->text[n_text++] = at[-1] == '~' ? (*at == '0' ? '~' : '/') : (uint8_t)*at;
    }
    field->tokens[field->n_tokens++] = sp_bytes_of(field->text + start, n_text - start);
  }
}

static enum sp_err add_field(struct sp_redactor *redactor, const struct sp_redaction *given,
                             struct sp_error *error) {
  struct field *field = &redactor->fields[redactor->n_fields];
  uint64_t column = 0;
  bool is_pointer = given->field[0] == '/' && sp_span_is_pointer(given->field);
  if (!is_pointer && (sp_units_parse_count(given->field, &column, NULL) || !column || column > COLUMN_MAX)) {
    return sp_fail(
        error, SP_ERR_USAGE,
        "field \"%.100s\" is neither a JSON pointer nor the number of a CSV column; write /user/id "
        "or 3",
        given->field);
  }
  if (redactor->n_fields && redactor->is_csv == is_pointer) {
    return sp_fail(error, SP_ERR_USAGE,
                   "field %.100s: values are either JSON or CSV; name pointers or columns, not both",
                   given->field);
  }
  redactor->is_csv = !is_pointer;
  redactor->n_fields++;
  *field = (struct field){.is_hashed = given->is_hashed, .column = (size_t)column};
  if (is_pointer) split_pointer(field, given->field);
  return SP_OK;
}

enum sp_err sp_redactor_new(const struct sp_redaction *list, size_t n, const char *secret,
                            struct sp_redactor **made, struct sp_error *error) {
  if (n > SP_REDACTIONS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "more than %d fields to drop or hash", SP_REDACTIONS_MAX);
  struct sp_redactor *redactor = sp_alloc(sizeof *redactor);
  redactor->secret = secret;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n && !err; i++) {
    err = add_field(redactor, &list[i], error);
    for (size_t j = 0; j < i && !err; j++) {
      if (strcmp(list[i].field, list[j].field) == 0)
        err = sp_fail(error, SP_ERR_USAGE, "field %.100s is given twice", list[i].field);
    }
  }
  if (err)
    sp_redactor_free(redactor);
  else
    *made = redactor;
  return err;
}

void sp_redactor_free(struct sp_redactor *redactor) {
  if (!redactor) return;
  for (size_t i = 0; i < redactor->n_fields; i++) {
    free(redactor->fields[i].text);
    free(redactor->fields[i].tokens);
  }
  free(redactor->out.bytes);
  free(redactor->scratch.bytes);
  free(redactor->columns);
  free(redactor);
}

// --- Pseudonyms ---

void sp_redactor_pseudonym(struct sp_redactor *redactor, struct sp_bytes bytes,
                           char text[SP_PSEUDONYM_TEXT_BYTES]) {
  char digest[SP_DIGEST_TEXT_BYTES];
  struct buffer *all = &redactor->scratch;
  all->n = 0;
  if (redactor->secret) put(all, redactor->secret, strlen(redactor->secret) + 1);
  put(all, bytes.data, bytes.n);
  sp_digest_bytes(sp_bytes_of(all->n ? all->bytes : (const uint8_t *)"", all->n), digest);
  memcpy(text, strchr(digest, ':') + 1, SP_PSEUDONYM_TEXT_BYTES);
}

// --- JSON ---

static bool is_token(struct sp_bytes token, struct sp_span name, bool is_object, size_t item_i) {
  uint8_t text[6 * SP_SPAN_POINTER_BYTES + 2];
  if (!is_object) {
    int n = snprintf((char *)text, sizeof text, "%zu", item_i);
    return sp_bytes_equal(sp_bytes_of(text, (size_t)n), token);
  }
  // An escape takes at most six bytes to say one.
  if (name.bytes.n - 2 > 6 * token.n) return false;
  return sp_bytes_equal(sp_bytes_of(text, sp_span_unescape(name, text)), token);
}

static void put_hashed(struct sp_redactor *redactor, struct sp_span value) {
  if (value.kind == SP_SPAN_NULL) {
    put(&redactor->out, "null", 4);
    return;
  }
  char text[SP_PSEUDONYM_TEXT_BYTES];
  uint8_t *said = NULL;
  struct sp_bytes bytes = value.bytes;
  if (value.kind == SP_SPAN_STRING) {
    said = sp_alloc(bytes.n);
    bytes = sp_bytes_of(said, sp_span_unescape(value, said));
  }
  sp_redactor_pseudonym(redactor, bytes, text);
  free(said);
  put(&redactor->out, "\"", 1);
  put(&redactor->out, text, SP_PSEUDONYM_TEXT_BYTES - 1);
  put(&redactor->out, "\"", 1);
}

// What is to be done with one member: `ends` is the field that it is (dropping goes before hashing), `further` those
// that lie inside it.
static const struct field *match(const struct sp_redactor *redactor, uint64_t on_way, size_t depth,
                                 struct sp_span name, bool is_object, size_t item_i, uint64_t *further) {
  const struct field *ends = NULL;
  *further = 0;
  for (size_t i = 0; i < redactor->n_fields; i++) {
    const struct field *field = &redactor->fields[i];
    if (!(on_way >> i & 1) || !is_token(field->tokens[depth], name, is_object, item_i)) continue;
    if (field->n_tokens > depth + 1)
      *further |= UINT64_C(1) << i;
    else if (!ends || ends->is_hashed)
      ends = field;
  }
  return ends;
}

static void put_value(struct sp_redactor *redactor, struct sp_span value, uint64_t on_way, size_t depth) {
  struct buffer *out = &redactor->out;
  bool has_members = value.kind == SP_SPAN_OBJECT || value.kind == SP_SPAN_ARRAY;
  if (!on_way || !has_members) {
    put(out, value.bytes.data, value.bytes.n);
    return;
  }
  struct sp_span_walk walk = sp_span_walk_of(value);
  struct sp_span name = {0}, member;
  bool is_first = true;
  put(out, walk.is_object ? "{" : "[", 1);
  for (size_t i = 0; sp_span_walk_next(&walk, &name, &member); i++) {
    uint64_t further;
    const struct field *ends = match(redactor, on_way, depth, name, walk.is_object, i, &further);
    bool is_dropped = ends && !ends->is_hashed;
    if (is_dropped && walk.is_object) continue;
    if (!is_first) put(out, ",", 1);
    is_first = false;
    if (walk.is_object) {
      put(out, name.bytes.data, name.bytes.n);
      put(out, ":", 1);
    }
    if (is_dropped)
      put(out, "null", 4);
    else if (ends)
      put_hashed(redactor, member);
    else
      put_value(redactor, member, further, depth + 1);
  }
  put(out, walk.is_object ? "}" : "]", 1);
}

static bool redact_json(struct sp_redactor *redactor, struct sp_bytes value) {
  struct sp_span document;
  size_t error_at;
  if (!sp_span_read(value, &document, &error_at)) return false;
  uint64_t all = redactor->n_fields == 64 ? UINT64_MAX : (UINT64_C(1) << redactor->n_fields) - 1;
  put_value(redactor, document, all, 0);
  return true;
}

// --- CSV ---

static const struct field *column_field(const struct sp_redactor *redactor, size_t column) {
  for (size_t i = 0; i < redactor->n_fields; i++) {
    if (redactor->fields[i].column == column) return &redactor->fields[i];
  }
  return NULL;
}

static void redact_csv(struct sp_redactor *redactor, struct sp_bytes value) {
  size_t n = sp_csv_fields(value, redactor->columns, redactor->columns_room);
  if (n > redactor->columns_room) {
    redactor->columns_room = n;
    redactor->columns = sp_realloc(redactor->columns, n * sizeof *redactor->columns);
    sp_csv_fields(value, redactor->columns, n);
  }
  for (size_t i = 0; i < n; i++) {
    struct sp_bytes column = redactor->columns[i];
    const struct field *field = column_field(redactor, i + 1);
    if (i) put(&redactor->out, ",", 1);
    if (!field) {
      put(&redactor->out, column.data, column.n);
    } else if (field->is_hashed && column.n) {
      char text[SP_PSEUDONYM_TEXT_BYTES];
      uint8_t *said = sp_alloc(column.n);
      sp_redactor_pseudonym(redactor, sp_bytes_of(said, sp_csv_unquote(column, said)), text);
      free(said);
      put(&redactor->out, text, SP_PSEUDONYM_TEXT_BYTES - 1);
    }
  }
}

bool sp_redactor_value(struct sp_redactor *redactor, struct sp_bytes value, struct sp_bytes *redacted) {
  *redacted = value;
  if (redactor->n_fields == 0 || !value.data) return true;
  redactor->out.n = 0;
  if (redactor->is_csv)
    redact_csv(redactor, value);
  else if (!redact_json(redactor, value))
    return false;
  *redacted = sp_bytes_of(redactor->out.n ? redactor->out.bytes : (const uint8_t *)"", redactor->out.n);
  return true;
}
