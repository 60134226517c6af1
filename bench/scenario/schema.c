// The tables as JSON Schema, so that editors complete and check scenarios. What a YAML reader may hand over for a plain
// word (PyYAML reads 1e-5 as text, 8 as a number) is accepted in both forms.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"
#include "scenario/reference.h"
#include "scenario/scenario.h"

static json_t *table_schema(const struct sp_table *table);
static json_t *key_schema(const struct sp_key *key);

static json_t *types(const char *first, const char *second) {
  return second ? json_pack("{s:[s,s,s]}", "type", first, second, "null")
                : json_pack("{s:[s,s]}", "type", first, "null");
}

static json_t *patterned(const char *type, const char *pattern) {
  json_t *schema = types("string", type);
  json_object_set_new(schema, "pattern", json_string(pattern));
  return schema;
}

static json_t *choice_schema(const char *choices) {
  json_t *words = json_array();
  for (size_t i = 0; i < sp_words_count(choices); i++) {
    char word[64];
    json_array_append_new(words, json_string(sp_words_nth(choices, i, word, sizeof word)));
  }
  json_array_append_new(words, json_null());
  return json_pack("{s:o}", "enum", words);
}

static json_t *word_schema(void) {
  return json_pack("{s:[s,s,s,s]}", "type", "string", "number", "boolean", "null");
}

static json_t *list_schema(json_t *items) {
  json_t *schema = types("array", NULL);
  json_object_set_new(schema, "items", items);
  return schema;
}

static json_t *map_schema(json_t *values) {
  json_t *schema = types("object", NULL);
  json_object_set_new(schema, "additionalProperties", values);
  return schema;
}

static json_t *bounded(json_t *schema, int max) {
  json_object_set_new(schema, "minimum", json_integer(0));
  if (max) json_object_set_new(schema, "maximum", json_integer(max));
  return schema;
}

static json_t *duration_schema(const struct sp_key *key) {
  bool may_be_none = key->standard && strcmp(key->standard, "none") == 0;
  return patterned(NULL, may_be_none ? "^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h)|none)$"
                                     : "^[0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h)$");
}

static json_t *kind_schema(const struct sp_key *key) {
  switch (key->kind) {
  case SP_KIND_TEXT:
  case SP_KIND_RAW:
  case SP_KIND_PATH: return word_schema();
  case SP_KIND_SECRET: return patterned(NULL, "^[@$].+$");
  case SP_KIND_BOOL: return types("boolean", NULL);
  case SP_KIND_COUNT: return bounded(patterned("integer", "^[0-9]+$"), 0);
  case SP_KIND_REAL: return patterned("number", "^[-+]?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?$");
  case SP_KIND_DURATION: return duration_schema(key);
  case SP_KIND_RATE: return patterned(NULL, "^[0-9]+(\\.[0-9]+)?/(s|min|h)$");
  case SP_KIND_SIZE: return patterned(NULL, "^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB)$");
  case SP_KIND_SHARE: return bounded(patterned("number", "^[0-9]+(\\.[0-9]+)?%?$"), 1);
  case SP_KIND_CHOICE: return choice_schema(key->choices);
  case SP_KIND_TEXTS: return list_schema(word_schema());
  case SP_KIND_COUNTS: return list_schema(bounded(types("integer", NULL), 0));
  case SP_KIND_PROPERTIES: return map_schema(word_schema());
  case SP_KIND_LIST: return list_schema(table_schema(key->table));
  case SP_KIND_NAMED: return map_schema(table_schema(key->table));
  case SP_KIND_TABLE:
  case SP_KIND_INLINE: return table_schema(key->table);
  }
  sp_panic(__FILE__, __LINE__, "a known kind");
}

static json_t *standard_json(const struct sp_key *key) {
  double real;
  uint64_t count;
  if (key->kind == SP_KIND_COUNT && !sp_units_parse_count(key->standard, &count, NULL))
    return json_integer((json_int_t)count);
  if (key->kind == SP_KIND_REAL && !sp_units_parse_real(key->standard, &real, NULL)) return json_real(real);
  return json_string(key->standard);
}

static json_t *key_schema(const struct sp_key *key) {
  json_t *schema = kind_schema(key);
  char *about = key->flag ? sp_format("%s (%s)", key->help, key->flag) : sp_copy_text(key->help);
  json_object_set_new(schema, "description", json_string(about));
  if (key->standard) json_object_set_new(schema, "default", standard_json(key));
  free(about);
  return schema;
}

static void add_properties(json_t *properties, const struct sp_table *table) {
  for (const struct sp_key *key = table->keys; key->name; key++) {
    if (key->kind == SP_KIND_INLINE)
      add_properties(properties, key->table);
    else
      json_object_set_new(properties, key->name, key_schema(key));
  }
}

static const struct sp_key *key_of(const struct sp_table *table, const char *name) {
  const struct sp_key *key = table->keys;
  while (strcmp(key->name, name) != 0) key++;
  return key;
}

// A mapping, or the one word that its shorthand takes.
static json_t *table_schema(const struct sp_table *table) {
  json_t *properties = json_object(), *schema = types("object", NULL);
  add_properties(properties, table);
  json_object_set_new(schema, "additionalProperties", json_false());
  json_object_set_new(schema, "properties", properties);
  if (!table->shorthand) return schema;
  return json_pack("{s:[o,o]}", "anyOf", kind_schema(key_of(table, table->shorthand)), schema);
}

char *sp_reference_schema(void) {
  json_t *schema = json_pack("{s:s,s:s,s:s,s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                             "$id", "servepath.scenario/1", "title", "A scenario of servepath", "description",
                             "Made by `servepath reference --schema`; do not edit");
  json_t *table = table_schema(&sp_scenario_table);
  json_object_set_new(table, "type", json_string("object"));
  json_object_update(schema, table);
  json_decref(table);
  json_object_set_new(json_object_get(json_object_get(schema, "properties"), "version"), "const",
                      json_integer(1));
  // What sp_check_scenario asks for; overlays hold only what they change.
  json_object_set_new(
      schema, "required",
      json_pack("[s,s,s,s,s,s]", "version", "recording", "model", "input", "output", "sides"));
  char *dump = json_dumps(schema, JSON_INDENT(2) | JSON_REAL_PRECISION(15)), *text = sp_format("%s\n", dump);
  json_decref(schema);
  free(dump);
  return text;
}
