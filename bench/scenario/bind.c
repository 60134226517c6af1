// The one walker over the tables: reads each kind of value where its key says it lies.
#include "scenario/bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"

#define SECRET_BYTES_MAX 65536

struct target { // the field that is filled
  const struct sp_key *key;
  void *field;
  const struct sp_place *place;
};

static enum sp_err bind_table(const struct sp_table *table, const struct sp_node *node, void *fields,
                              const struct sp_place *place, struct sp_error *error);

// --- Scalars ---

static enum sp_err read_bool(const char *text, bool *value, struct sp_error *error) {
  if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is not true or false", text);
  *value = text[0] == 't';
  return SP_OK;
}

static enum sp_err read_choice(const struct sp_key *key, const char *text, int *value,
                               struct sp_error *error) {
  char suggestion[256];
  int i = sp_words_index(key->choices, text);
  if (i < 0)
    return sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is unknown; %s", text,
                   sp_words_suggest(key->choices, text, suggestion, sizeof suggestion));
  *value = i;
  return SP_OK;
}

static char *join_path(const char *folder, const char *path) {
  return folder[0] == '\0' || path[0] == '/' ? sp_copy_text(path) : sp_format("%s/%s", folder, path);
}

// "@FILE": its bytes without the line end; "$NAME": the environment. Never quotes the value.
static enum sp_err read_secret(const char *text, const char *folder, char **value, struct sp_error *error) {
  if (text[0] == '$' && text[1]) {
    const char *found = getenv(text + 1);
    if (!found) return sp_fail(error, SP_ERR_USAGE, "the environment has no %.60s; export it", text + 1);
    if (!*found)
      return sp_fail(error, SP_ERR_USAGE, "%.60s in the environment is empty; export the secret", text + 1);
    *value = sp_copy_text(found);
    return SP_OK;
  }
  if (text[0] != '@' || !text[1])
    return sp_fail(error, SP_ERR_USAGE, "a secret is never written here; write \"@FILE\" or \"$NAME\"");
  char *path = join_path(folder, text + 1);
  FILE *file = fopen(path, "re");
  enum sp_err err = SP_OK;
  if (file) {
    *value = sp_alloc(SECRET_BYTES_MAX);
    (*value)[fread(*value, 1, SECRET_BYTES_MAX - 1, file)] = '\0';
    (*value)[strcspn(*value, "\r\n")] = '\0';
    fclose(file);
    // An empty token would let everybody in.
    if (!**value)
      err =
          sp_fail(error, SP_ERR_ENVIRONMENT, "the secret's file %.200s has nothing in its first line", path);
  } else {
    err =
        sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read the secret's file %.200s: %s", path, strerror(errno));
  }
  free(path);
  return err;
}

static enum sp_err read_text(const struct sp_key *key, const char *text, const char *folder, char **value,
                             struct sp_error *error) {
  if (key->kind == SP_KIND_SECRET) return read_secret(text, folder, value, error);
  if (key->kind == SP_KIND_PATH && text[0] == '\0') return sp_fail(error, SP_ERR_USAGE, "\"\" is not a path");
  *value = key->kind == SP_KIND_PATH ? join_path(folder, text) : sp_copy_text(text);
  return SP_OK;
}

static enum sp_err read_duration(const struct sp_key *key, const char *text, int64_t *ns,
                                 struct sp_error *error) {
  bool may_be_none = key->standard && strcmp(key->standard, "none") == 0;
  if (!may_be_none || strcmp(text, "none") != 0) return sp_units_parse_duration(text, ns, error);
  *ns = -1;
  return SP_OK;
}

static enum sp_err read_scalar(const struct sp_key *key, const char *text, const char *folder, void *field,
                               struct sp_error *error) {
  switch (key->kind) {
  case SP_KIND_TEXT:
  case SP_KIND_RAW:
  case SP_KIND_PATH:
  case SP_KIND_SECRET: return read_text(key, text, folder, field, error);
  case SP_KIND_BOOL: return read_bool(text, field, error);
  case SP_KIND_COUNT: return sp_units_parse_count(text, field, error);
  case SP_KIND_REAL: return sp_units_parse_real(text, field, error);
  case SP_KIND_DURATION: return read_duration(key, text, field, error);
  case SP_KIND_RATE: return sp_units_parse_rate(text, field, error);
  case SP_KIND_SIZE: return sp_units_parse_size(text, field, error);
  case SP_KIND_SHARE: return sp_units_parse_share(text, field, error);
  case SP_KIND_CHOICE: return read_choice(key, text, field, error);
  default: sp_panic(__FILE__, __LINE__, "a scalar kind");
  }
}

static enum sp_err bind_scalar(const struct target *target, const struct sp_node *node,
                               struct sp_error *error) {
  if (node->kind != SP_NODE_SCALAR) {
    return sp_node_fail(node, target->place, error, "a %s stands where one value is wanted",
                        node->kind == SP_NODE_MAPPING ? "mapping" : "list");
  }
  if (sp_node_is_empty(node) && node->line)
    return sp_node_fail(node, target->place, error, "has no value; write one, or leave the key out");
  struct sp_error what;
  enum sp_err err = read_scalar(target->key, node->text, node->origin->folder, target->field, &what);
  if (!err) return SP_OK;
  sp_node_fail(node, target->place, error, "%s", what.text);
  if (error) error->code = err;
  return err;
}

// --- Lists ---

static enum sp_err want_sequence(const struct sp_node *node, const struct sp_place *place,
                                 struct sp_error *error) {
  if (node->kind == SP_NODE_SEQUENCE) return SP_OK;
  return sp_node_fail(node, place, error, "is a list; write [%.40s]", node->text ? node->text : "...");
}

static enum sp_err bind_texts(const struct target *target, const struct sp_node *node,
                              struct sp_error *error) {
  struct sp_texts *texts = target->field;
  enum sp_err err = want_sequence(node, target->place, error);
  if (err) return err;
  texts->items = sp_alloc(node->n_entries * sizeof *texts->items);
  for (; texts->n < node->n_entries; texts->n++) {
    const struct sp_node *item = node->entries[texts->n].value;
    const struct sp_place place = {target->place, NULL, texts->n};
    if (item->kind != SP_NODE_SCALAR) return sp_node_fail(item, &place, error, "is not a word; quote it");
    texts->items[texts->n] = sp_copy_text(item->text);
  }
  return SP_OK;
}

static enum sp_err bind_counts(const struct target *target, const struct sp_node *node,
                               struct sp_error *error) {
  struct sp_counts *counts = target->field;
  enum sp_err err = want_sequence(node, target->place, error);
  if (err) return err;
  counts->items = sp_alloc(node->n_entries * sizeof *counts->items);
  for (; counts->n < node->n_entries; counts->n++) {
    const struct sp_node *item = node->entries[counts->n].value;
    const struct sp_place place = {target->place, NULL, counts->n};
    struct sp_error what;
    uint64_t count;
    if (item->kind != SP_NODE_SCALAR) return sp_node_fail(item, &place, error, "is not a number");
    if (sp_units_parse_count(item->text, &count, &what))
      return sp_node_fail(item, &place, error, "%s", what.text);
    if (count > INT64_MAX) return sp_node_fail(item, &place, error, "\"%.40s\" is too large", item->text);
    counts->items[counts->n] = (int64_t)count;
  }
  return SP_OK;
}

static enum sp_err bind_list(const struct target *target, const struct sp_node *node,
                             struct sp_error *error) {
  const struct sp_table *table = target->key->table;
  struct sp_list *list = target->field;
  enum sp_err err = want_sequence(node, target->place, error);
  if (err) return err;
  list->items = sp_alloc(node->n_entries * table->struct_bytes);
  for (size_t i = 0; i < node->n_entries && !err; i++) {
    const struct sp_place place = {target->place, NULL, i};
    if (sp_node_is_empty(node->entries[i].value) || sp_node_is_null(node->entries[i].value))
      return sp_node_fail(node->entries[i].value, &place, error, "is empty; remove it");
    list->n++; // also when it fails: what it holds must be freed
    err = bind_table(table, node->entries[i].value, (char *)list->items + i * table->struct_bytes, &place,
                     error);
  }
  return err;
}

// --- Mappings ---

static enum sp_err want_mapping(const struct sp_node *node, const struct sp_place *place,
                                struct sp_error *error) {
  if (node->kind == SP_NODE_MAPPING) return SP_OK;
  return sp_node_fail(node, place, error, "is a mapping; write {key: value, ...}");
}

static enum sp_err bind_property(const struct sp_entry *entry, const struct sp_place *place,
                                 struct sp_property *property, struct sp_error *error) {
  const struct sp_node *node = entry->value;
  struct sp_error what;
  if (node->kind != SP_NODE_SCALAR) return sp_node_fail(node, place, error, "is not a word or number");
  property->name = sp_copy_text(entry->name);
  if (!sp_property_is_secret(entry->name)) {
    property->value = sp_copy_text(node->text);
    return SP_OK;
  }
  enum sp_err err = read_secret(node->text, node->origin->folder, &property->value, &what);
  if (err) sp_node_fail(node, place, error, "%s", what.text);
  if (err && error) error->code = err;
  return err;
}

static enum sp_err bind_properties(const struct target *target, const struct sp_node *node,
                                   struct sp_error *error) {
  struct sp_properties *properties = target->field;
  enum sp_err err = want_mapping(node, target->place, error);
  if (err) return err;
  properties->items = sp_alloc(node->n_entries * sizeof *properties->items);
  for (size_t i = 0; i < node->n_entries && !err; i++) {
    const struct sp_place place = {target->place, node->entries[i].name, 0};
    if (sp_node_is_null(node->entries[i].value)) continue;
    err = bind_property(&node->entries[i], &place, &properties->items[properties->n++], error);
  }
  return err;
}

static enum sp_err bind_named(const struct target *target, const struct sp_node *node,
                              struct sp_error *error) {
  const struct sp_table *table = target->key->table;
  struct sp_list *list = target->field;
  enum sp_err err = want_mapping(node, target->place, error);
  if (err) return err;
  list->items = sp_alloc(node->n_entries * table->struct_bytes);
  for (size_t i = 0; i < node->n_entries && !err; i++) {
    const struct sp_entry *entry = &node->entries[i];
    const struct sp_place place = {target->place, entry->name, 0};
    void *item = (char *)list->items + list->n * table->struct_bytes;
    if (sp_node_is_null(entry->value)) continue; // an overlay takes it away
    if (!sp_name_is_plain(entry->name))
      return sp_entry_fail(entry, &place, error, "a name is letters, digits, - and _, at most 63");
    list->n++;
    err = bind_table(table, entry->value, item, &place, error);
    if (!err) *(char **)item = sp_copy_text(entry->name);
  }
  return err;
}

// --- Tables ---

static enum sp_err bind_value(const struct target *target, const struct sp_node *node,
                              struct sp_error *error) {
  switch (target->key->kind) {
  case SP_KIND_TEXTS: return bind_texts(target, node, error);
  case SP_KIND_COUNTS: return bind_counts(target, node, error);
  case SP_KIND_LIST: return bind_list(target, node, error);
  case SP_KIND_NAMED: return bind_named(target, node, error);
  case SP_KIND_PROPERTIES: return sp_node_is_empty(node) ? SP_OK : bind_properties(target, node, error);
  case SP_KIND_TABLE: return bind_table(target->key->table, node, target->field, target->place, error);
  default: return bind_scalar(target, node, error);
  }
}

static enum sp_err bind_absent(const struct target *target, struct sp_error *error) {
  const struct sp_key *key = target->key;
  if (key->kind == SP_KIND_TABLE) return bind_table(key->table, NULL, target->field, target->place, error);
  if (key->kind == SP_KIND_SHARE && !key->standard) *(double *)target->field = -1;
  if (!key->standard) return SP_OK;
  enum sp_err err = read_scalar(key, key->standard, "", target->field, error);
  SP_ASSERT(!err); // the table's own default
  return err;
}

static enum sp_err bind_keys(const struct sp_table *table, const struct sp_node *mapping, void *fields,
                             const struct sp_place *place, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (const struct sp_key *key = table->keys; key->name && !err; key++) {
    void *field = (char *)fields + key->offset;
    if (key->kind == SP_KIND_INLINE) {
      err = bind_keys(key->table, mapping, field, place, error);
      continue;
    }
    const struct sp_place own = {place, key->name, 0};
    const struct target target = {key, field, &own};
    const struct sp_entry *entry = sp_node_find(mapping, key->name);
    err = entry && !sp_node_is_null(entry->value) ? bind_value(&target, entry->value, error)
                                                  : bind_absent(&target, error);
  }
  return err;
}

static enum sp_err refuse_unknown(const struct sp_table *table, const struct sp_node *mapping,
                                  const struct sp_place *place, struct sp_error *error) {
  char suggestion[256];
  for (size_t i = 0; i < mapping->n_entries; i++) {
    const struct sp_entry *entry = &mapping->entries[i];
    if (sp_key_find(table, entry->name).key) continue;
    return sp_entry_fail(entry, place, error, "unknown key %.80s; %s", entry->name,
                         sp_key_suggest(table, entry->name, suggestion, sizeof suggestion));
  }
  return SP_OK;
}

static enum sp_err bind_table(const struct sp_table *table, const struct sp_node *node, void *fields,
                              const struct sp_place *place, struct sp_error *error) {
  struct sp_entry short_entry;
  struct sp_node short_mapping;
  if (node && (sp_node_is_empty(node) || sp_node_is_null(node))) node = NULL;
  if (node && table->shorthand && node->kind == SP_NODE_SCALAR) {
    short_entry = (struct sp_entry){(char *)table->shorthand, node->origin, node->line, node->column,
                                    (struct sp_node *)node};
    short_mapping = (struct sp_node){
        .kind = SP_NODE_MAPPING, .origin = node->origin, .entries = &short_entry, .n_entries = 1};
    node = &short_mapping;
  }
  if (node) {
    enum sp_err err = want_mapping(node, place, error);
    if (!err) err = refuse_unknown(table, node, place, error);
    if (err) return err;
  }
  return bind_keys(table, node, fields, place, error);
}

enum sp_err sp_bind(const struct sp_table *table, const struct sp_node *node, void *fields,
                    struct sp_error *error) {
  return bind_table(table, node, fields, NULL, error);
}

// --- The end ---

static void free_list(const struct sp_table *table, struct sp_list *list, bool is_named) {
  for (size_t i = 0; i < list->n; i++) {
    void *item = (char *)list->items + i * table->struct_bytes;
    if (is_named) free(*(char **)item);
    sp_bind_free(table, item);
  }
  free(list->items);
}

static void free_field(const struct sp_key *key, void *field) {
  switch (key->kind) {
  case SP_KIND_TEXT:
  case SP_KIND_PATH:
  case SP_KIND_SECRET:
  case SP_KIND_RAW: free(*(char **)field); break;
  case SP_KIND_TEXTS: {
    struct sp_texts *texts = field;
    for (size_t i = 0; i < texts->n; i++) free(texts->items[i]);
    free(texts->items);
    break;
  }
  case SP_KIND_COUNTS: free(((struct sp_counts *)field)->items); break;
  case SP_KIND_PROPERTIES: {
    struct sp_properties *properties = field;
    for (size_t i = 0; i < properties->n; i++) {
      free(properties->items[i].name);
      free(properties->items[i].value);
    }
    free(properties->items);
    break;
  }
  case SP_KIND_LIST:
  case SP_KIND_NAMED: free_list(key->table, field, key->kind == SP_KIND_NAMED); break;
  case SP_KIND_TABLE:
  case SP_KIND_INLINE: sp_bind_free(key->table, field); break;
  default: break;
  }
}

void sp_bind_free(const struct sp_table *table, void *fields) {
  for (const struct sp_key *key = table->keys; key->name; key++)
    free_field(key, (char *)fields + key->offset);
  memset(fields, 0, table->struct_bytes);
}
