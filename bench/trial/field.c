// By codec's own scanners, which read events the same way.
#include "trial/field.h"

#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "codec/scratch.h"

struct sp_field {
  bool is_column;
  size_t column;
  struct sp_json_pointer pointer;
  struct sp_scratch *scratch;
};

static enum sp_err find_column(const char *name, const struct sp_texts *header, const char *key,
                               size_t *column, struct sp_error *error) {
  for (*column = 0; *column < header->n; ++*column) {
    if (strcmp(header->items[*column], name) == 0) return SP_OK;
  }
  return sp_fail(error, SP_ERR_USAGE, "%s: \"%.60s\" is no column of input.header", key, name);
}

enum sp_err sp_field_new(const char *name, const struct sp_texts *header, const char *key,
                         struct sp_field **field, struct sp_error *error) {
  struct sp_field *f = sp_alloc(sizeof *f);
  enum sp_err err = SP_OK;
  f->scratch = sp_scratch_new();
  f->is_column = header || (*name && strspn(name, "0123456789") == strlen(name));
  if (header)
    err = find_column(name, header, key, &f->column, error);
  else if (f->is_column)
    f->column = strtoul(name, NULL, 10);
  else
    err = sp_json_pointer_init(&f->pointer, name, key, error);
  if (err) {
    sp_field_free(f);
    return err;
  }
  *field = f;
  return SP_OK;
}

void sp_field_free(struct sp_field *f) {
  if (!f) return;
  sp_json_pointer_done(&f->pointer);
  sp_scratch_free(f->scratch);
  free(f);
}

static bool take_column(struct sp_field *f, struct sp_bytes value, struct sp_bytes *taken) {
  const uint8_t *at = value.data, *end = value.data + value.n;
  enum sp_csv_field state = SP_CSV_FIELD;
  for (size_t i = 0; i <= f->column; i++) {
    if (state != SP_CSV_FIELD) return false; // the record has ended
    state = sp_csv_next(&at, end, f->scratch, taken);
  }
  return state != SP_CSV_FIELD_BROKEN;
}

static bool take_member(struct sp_field *f, struct sp_bytes value, struct sp_bytes *taken) {
  struct sp_json found;
  if (sp_json_find(value, &f->pointer, 1, &found) || !found.at) return false;
  *taken = sp_bytes_of(found.at, (size_t)(found.end - found.at));
  return true;
}

bool sp_field_take_raw(struct sp_field *f, struct sp_bytes value, struct sp_bytes *taken) {
  if (!value.data) return false;
  return f->is_column ? take_column(f, value, taken) : take_member(f, value, taken);
}

bool sp_field_take(struct sp_field *f, struct sp_bytes value, struct sp_bytes *taken) {
  if (!sp_field_take_raw(f, value, taken)) return false;
  if (f->is_column) return true;
  struct sp_json found = {taken->data, taken->data + taken->n};
  if (!sp_json_is_string(found)) return !sp_bytes_equal(*taken, sp_bytes_of_text("null"));
  uint8_t *text = sp_scratch_bytes(f->scratch, taken->n);
  *taken = sp_bytes_of(text, sp_json_text(found, text, taken->n));
  return true;
}
