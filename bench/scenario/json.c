// The resolved scenario as JSON: every key, the same bytes on every machine.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "base/units.h"
#include "scenario/bind.h"

static json_t *text_json(const char *text) {
  if (!text) return json_null();
  json_t *json = json_string(text);
  SP_ASSERT(json); // the tree holds UTF-8 alone
  return json;
}

// Absolute, without "." and "..", by the names alone: links are not followed.
static char *normal_path(const char *path) {
  char *from = path[0] == '/' ? sp_copy_text(path) : NULL;
  if (!from) {
    char *cwd = getcwd(NULL, 0);
    from = sp_format("%s/%s", cwd ? cwd : "", path);
    free(cwd);
  }
  char *to = sp_alloc(strlen(from) + 2), *save = NULL;
  size_t n = 0;
  for (char *part = strtok_r(from, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
    if (strcmp(part, ".") == 0) continue;
    if (strcmp(part, "..") == 0) {
      while (n && to[--n] != '/') {
      }
      to[n] = '\0';
      continue;
    }
    n += (size_t)sprintf(to + n, "/%s", part);
  }
  free(from);
  return to;
}

static json_t *path_json(const char *path, const char *folder) {
  if (!path) return json_null();
  char *whole = normal_path(path), *top = normal_path(folder);
  size_t n_top = strlen(top);
  bool is_inside = strncmp(whole, top, n_top) == 0 && whole[n_top] == '/';
  const char *last = strrchr(whole, '/');
  json_t *json = text_json(is_inside ? whole + n_top + 1 : last ? last + 1 : whole);
  free(whole);
  free(top);
  return json;
}

// Elements that may be written as one word hold what differs from the defaults: {"column": "V1"}.
static void drop_defaults(const struct sp_table *table, json_t *item) {
  void *fields = sp_alloc(table->struct_bytes);
  enum sp_err err = sp_bind(table, NULL, fields, NULL);
  SP_ASSERT(!err);
  json_t *defaults = sp_bind_json(table, fields, "");
  const char *name;
  json_t *value;
  json_object_foreach(defaults, name, value) {
    if (json_equal(json_object_get(item, name), value)) json_object_del(item, name);
  }
  json_decref(defaults);
  sp_bind_free(table, fields);
  free(fields);
}

static json_t *list_json(const struct sp_key *key, const struct sp_list *list, const char *folder) {
  bool is_named = key->kind == SP_KIND_NAMED;
  json_t *json = is_named ? json_object() : json_array();
  for (size_t i = 0; i < list->n; i++) {
    const void *item = (const char *)list->items + i * key->table->struct_bytes;
    json_t *value = sp_bind_json(key->table, item, folder);
    if (key->table->shorthand) drop_defaults(key->table, value);
    if (is_named)
      json_object_set_new(json, *(char *const *)item, value);
    else
      json_array_append_new(json, value);
  }
  return json;
}

static json_t *texts_json(const struct sp_texts *texts) {
  json_t *json = json_array();
  for (size_t i = 0; i < texts->n; i++) json_array_append_new(json, text_json(texts->items[i]));
  return json;
}

static json_t *counts_json(const struct sp_counts *counts) {
  json_t *json = json_array();
  for (size_t i = 0; i < counts->n; i++) json_array_append_new(json, json_integer(counts->items[i]));
  return json;
}

static json_t *properties_json(const struct sp_properties *properties) {
  json_t *json = json_object();
  for (size_t i = 0; i < properties->n; i++) {
    const struct sp_property *property = &properties->items[i];
    json_object_set_new(json, property->name,
                        text_json(sp_property_is_secret(property->name) ? "***" : property->value));
  }
  return json;
}

// JSON's integers of jansson are signed: a larger count stands as text.
static json_t *count_json(uint64_t count) {
  char text[SP_UNITS_TEXT_BYTES];
  if (count <= INT64_MAX) return json_integer((json_int_t)count);
  snprintf(text, sizeof text, "%llu", (unsigned long long)count);
  return json_string(text);
}

// No value and no default (for these kinds zero says so), or "none".
static bool is_absent(const struct sp_key *key, const void *field) {
  switch (key->kind) {
  case SP_KIND_DURATION: return *(const int64_t *)field < (key->standard ? 0 : 1);
  case SP_KIND_RATE: return ((const struct sp_rate *)field)->per_ns == 0;
  case SP_KIND_SHARE: return *(const double *)field < 0;
  default: return false;
  }
}

static json_t *value_json(const struct sp_key *key, const void *field, const char *folder) {
  char text[128];
  if (is_absent(key, field)) return json_null();
  switch (key->kind) {
  case SP_KIND_TEXT:
  case SP_KIND_RAW: return text_json(*(char *const *)field);
  case SP_KIND_PATH: return path_json(*(char *const *)field, folder);
  case SP_KIND_SECRET: return *(char *const *)field ? json_string("***") : json_null();
  case SP_KIND_BOOL: return json_boolean(*(const bool *)field);
  case SP_KIND_COUNT: return count_json(*(const uint64_t *)field);
  case SP_KIND_REAL:
  case SP_KIND_SHARE: return json_real(*(const double *)field);
  case SP_KIND_DURATION:
    return json_string(sp_units_write_duration(*(const int64_t *)field, text, sizeof text));
  case SP_KIND_RATE: return json_string(sp_units_write_rate(field, text, sizeof text));
  case SP_KIND_SIZE: return json_string(sp_units_write_size(*(const uint64_t *)field, text, sizeof text));
  case SP_KIND_CHOICE:
    return json_string(sp_words_nth(key->choices, (size_t) * (const int *)field, text, sizeof text));
  case SP_KIND_TEXTS: return texts_json(field);
  case SP_KIND_COUNTS: return counts_json(field);
  case SP_KIND_PROPERTIES: return properties_json(field);
  case SP_KIND_LIST:
  case SP_KIND_NAMED: return list_json(key, field, folder);
  case SP_KIND_TABLE:
  case SP_KIND_INLINE: return sp_bind_json(key->table, field, folder);
  }
  sp_panic(__FILE__, __LINE__, "a known kind");
}

json_t *sp_bind_json(const struct sp_table *table, const void *fields, const char *folder) {
  json_t *json = json_object();
  for (const struct sp_key *key = table->keys; key->name; key++) {
    json_t *value = value_json(key, (const char *)fields + key->offset, folder);
    if (key->kind == SP_KIND_INLINE) {
      json_object_update_missing(json, value);
      json_decref(value);
    } else {
      json_object_set_new(json, key->name, value);
    }
  }
  return json;
}
