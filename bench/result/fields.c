// Walks a table of fields.
#include "result/fields.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

json_t *sp_fields_text(const char *text) {
  if (!text) return json_null();
  json_t *json = json_string(text);
  if (json) return json;
  char *clean = sp_copy_text(text);
  for (char *at = clean; *at; at++) {
    if ((unsigned char)*at >= 0x80) *at = '?';
  }
  json = json_string(clean);
  free(clean);
  return json;
}

json_t *sp_fields_real(double real) {
  return isfinite(real) ? json_real(real) : json_null();
}

char *sp_fields_print(json_t *json, size_t flags) {
  char *bare = json_dumps(json, flags);
  SP_ASSERT(bare != NULL);
  char *text = sp_format("%s\n", bare);
  free(bare);
  json_decref(json);
  return text;
}

static json_t *write_list(const struct sp_field *field, const void *base) {
  const void *at = (const char *)base + field->offset;
  size_t n = *(const size_t *)(const void *)((const char *)base + field->n_offset);
  json_t *list = json_array();
  if (field->kind == SP_FIELD_TEXTS) {
    char *const *texts = *(char *const *const *)at;
    for (size_t i = 0; i < n; i++) json_array_append_new(list, sp_fields_text(texts[i]));
    return list;
  }
  const char *items = field->most ? at : *(const char *const *)at;
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(list, sp_fields_write(field->fields, items + i * field->item_bytes));
  }
  return list;
}

static json_t *write_one(const struct sp_field *field, const void *base) {
  const void *at = (const char *)base + field->offset;
  switch (field->kind) {
  case SP_FIELD_TEXT: return sp_fields_text(*(char *const *)at);
  case SP_FIELD_CHARS: return sp_fields_text(at);
  case SP_FIELD_COUNT: return json_integer(*(const int64_t *)at);
  case SP_FIELD_SIZE: return json_integer((json_int_t) * (const size_t *)at);
  case SP_FIELD_INT: return json_integer(*(const int *)at);
  case SP_FIELD_NS: return *(const int64_t *)at == -1 ? json_null() : json_integer(*(const int64_t *)at);
  case SP_FIELD_REAL: return sp_fields_real(*(const double *)at);
  case SP_FIELD_FLAG: return json_boolean(*(const bool *)at);
  case SP_FIELD_OBJECT: return sp_fields_write(field->fields, at);
  case SP_FIELD_LIST:
  case SP_FIELD_TEXTS: return write_list(field, base);
  case SP_FIELD_CONSTANT: return json_string(field->constant);
  case SP_FIELD_CUSTOM: return field->write(at);
  }
  sp_panic(__FILE__, __LINE__, "every kind of field is written");
}

json_t *sp_fields_write(const struct sp_field *fields, const void *base) {
  json_t *object = json_object();
  for (; fields->name; fields++) {
    SP_ASSERT(json_object_set_new(object, fields->name, write_one(fields, base)) == 0);
  }
  return object;
}

enum sp_err sp_fields_fail(const struct sp_field_place *place, const char *name, const char *needed) {
  return sp_fail(place->error, SP_ERR_ENVIRONMENT,
                 "%s: %s%s: %s is needed; the file was damaged, or not written by servepath", place->file,
                 place->path, name, needed);
}

static enum sp_err read_texts(const struct sp_field *field, void *base, const json_t *value,
                              const struct sp_field_place *place) {
  char ***texts = (char ***)(void *)((char *)base + field->offset);
  size_t *n = (size_t *)(void *)((char *)base + field->n_offset);
  if (!json_is_array(value)) return sp_fields_fail(place, field->name, "a list");
  *texts = sp_realloc(*texts, (json_array_size(value) + 1) * sizeof **texts);
  for (size_t i = 0; i < json_array_size(value); i++) {
    const char *text = json_string_value(json_array_get(value, i));
    if (!text) return sp_fields_fail(place, field->name, "a list of texts");
    (*texts)[(*n)++] = sp_copy_text(text);
  }
  return SP_OK;
}

static enum sp_err read_list(const struct sp_field *field, void *base, const json_t *value,
                             const struct sp_field_place *place) {
  void *at = (char *)base + field->offset;
  size_t *n = (size_t *)(void *)((char *)base + field->n_offset);
  if (!json_is_array(value)) return sp_fields_fail(place, field->name, "a list");
  size_t n_items = json_array_size(value);
  if (field->most && n_items > field->most) n_items = field->most;
  if (!field->most) *(void **)at = sp_alloc((n_items + 1) * field->item_bytes);
  char *items = field->most ? at : *(char **)at;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n_items && !err; i++) {
    char path[200];
    snprintf(path, sizeof path, "%s%s[%zu].", place->path, field->name, i);
    *n = i + 1;
    err = sp_fields_read(field->fields, items + i * field->item_bytes, json_array_get(value, i),
                         &(struct sp_field_place){place->file, path, place->error});
  }
  return err;
}

static enum sp_err read_object(const struct sp_field *field, void *at, const json_t *value,
                               const struct sp_field_place *place) {
  char path[200];
  snprintf(path, sizeof path, "%s%s.", place->path, field->name);
  return sp_fields_read(field->fields, at, value, &(struct sp_field_place){place->file, path, place->error});
}

static enum sp_err read_text(const struct sp_field *field, void *at, const json_t *value,
                             const struct sp_field_place *place) {
  const char *text = json_string_value(value);
  bool is_fixed = field->kind == SP_FIELD_CHARS;
  if (!text && (is_fixed || !json_is_null(value))) return sp_fields_fail(place, field->name, "a text");
  if (is_fixed) {
    snprintf(at, field->item_bytes, "%s", text);
  } else {
    free(*(char **)at);
    *(char **)at = sp_copy_text(text);
  }
  return SP_OK;
}

static enum sp_err read_integer(const struct sp_field *field, void *at, const json_t *value,
                                const struct sp_field_place *place) {
  bool is_ns = field->kind == SP_FIELD_NS;
  if (!json_is_integer(value) && !(is_ns && json_is_null(value))) {
    return sp_fields_fail(place, field->name, is_ns ? "a whole number or null" : "a whole number");
  }
  json_int_t number = json_is_null(value) ? -1 : json_integer_value(value);
  if (field->kind == SP_FIELD_INT) {
    if (number < INT32_MIN || number > INT32_MAX) return sp_fields_fail(place, field->name, "a small number");
    *(int *)at = (int)number;
  } else if (field->kind == SP_FIELD_SIZE) {
    if (number < 0) return sp_fields_fail(place, field->name, "a count");
    *(size_t *)at = (size_t)number;
  } else {
    *(int64_t *)at = number;
  }
  return SP_OK;
}

static enum sp_err read_constant(const struct sp_field *field, const json_t *value,
                                 const struct sp_field_place *place) {
  const char *text = json_string_value(value);
  if (text && strcmp(text, field->constant) == 0) return SP_OK;
  return sp_fail(place->error, SP_ERR_ENVIRONMENT,
                 "%s: %s%s \"%.40s\" is not %s; this is something else, or of another version", place->file,
                 place->path, field->name, text ? text : "", field->constant);
}

static enum sp_err read_one(const struct sp_field *field, void *base, const json_t *value,
                            const struct sp_field_place *place) {
  void *at = (char *)base + field->offset;
  switch (field->kind) {
  case SP_FIELD_TEXT:
  case SP_FIELD_CHARS: return read_text(field, at, value, place);
  case SP_FIELD_COUNT:
  case SP_FIELD_SIZE:
  case SP_FIELD_INT:
  case SP_FIELD_NS: return read_integer(field, at, value, place);
  case SP_FIELD_REAL:
    if (!json_is_number(value) && !json_is_null(value))
      return sp_fields_fail(place, field->name, "a number or null");
    *(double *)at = json_is_null(value) ? NAN : json_number_value(value);
    return SP_OK;
  case SP_FIELD_FLAG:
    if (!json_is_boolean(value)) return sp_fields_fail(place, field->name, "true or false");
    *(bool *)at = json_is_true(value);
    return SP_OK;
  case SP_FIELD_OBJECT: return read_object(field, at, value, place);
  case SP_FIELD_LIST: return read_list(field, base, value, place);
  case SP_FIELD_TEXTS: return read_texts(field, base, value, place);
  case SP_FIELD_CONSTANT: return read_constant(field, value, place);
  case SP_FIELD_CUSTOM: return field->read(at, value, place);
  }
  sp_panic(__FILE__, __LINE__, "every kind of field is read");
}

enum sp_err sp_fields_read(const struct sp_field *fields, void *base, const json_t *object,
                           const struct sp_field_place *place) {
  if (!json_is_object(object)) return sp_fields_fail(place, "", "an object");
  for (; fields->name; fields++) {
    const json_t *value = json_object_get(object, fields->name);
    if (!value && fields->is_required) return sp_fields_fail(place, fields->name, "a value");
    enum sp_err err = value ? read_one(fields, base, value, place) : SP_OK;
    if (err) return err;
  }
  return SP_OK;
}
