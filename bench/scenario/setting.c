// Follows a dotted key through tables and tree together, and puts the value where it ends.
#include "scenario/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "scenario/bind.h"
#include "scenario/yaml.h"

struct setter {
  const struct sp_origin *origin;
  const struct sp_setting *setting;
  struct sp_error *error;
};

static enum sp_err set_in_table(const struct setter *setter, const struct sp_table *table,
                                struct sp_node *mapping, const char *path);

static enum sp_err fail(const struct setter *setter, const char *what) {
  const struct sp_node here = {.origin = setter->origin};
  const struct sp_place place = {NULL, setter->setting->key, 0};
  return sp_node_fail(&here, &place, setter->error, "%s", what);
}

static bool is_collection(enum sp_kind kind) {
  return kind == SP_KIND_TEXTS || kind == SP_KIND_COUNTS || kind == SP_KIND_PROPERTIES ||
         kind == SP_KIND_TABLE || kind == SP_KIND_LIST || kind == SP_KIND_NAMED;
}

// The setting's value as a tree of its own.
static enum sp_err value_node(const struct setter *setter, bool as_yaml, struct sp_node **node) {
  const char *text = setter->setting->value;
  if (as_yaml && (text[0] == '[' || text[0] == '{')) {
    enum sp_err err = sp_yaml_parse(setter->origin, sp_bytes_of_text(text), node, setter->error);
    return err ? fail(setter, "is not YAML that can be read; write [a, b] or {key: value}") : SP_OK;
  }
  *node = sp_node_new(SP_NODE_SCALAR, setter->origin, 0, 0);
  (*node)->text = sp_copy_text(text);
  (*node)->is_plain = true;
  return SP_OK;
}

static void forget_lines(struct sp_node *node) { // those of a flag's text mean nothing to its reader
  node->line = node->column = 0;
  for (size_t i = 0; i < node->n_entries; i++) {
    node->entries[i].line = node->entries[i].column = 0;
    forget_lines(node->entries[i].value);
  }
}

// Puts the value under `name`: over what is there, or as a new entry.
static enum sp_err put(const struct setter *setter, struct sp_node *mapping, const char *name, bool as_yaml) {
  struct sp_node *value;
  enum sp_err err = value_node(setter, as_yaml, &value);
  if (err) return err;
  forget_lines(value);
  struct sp_node *over = sp_node_new(SP_NODE_MAPPING, setter->origin, 0, 0);
  sp_node_append(over, (struct sp_entry){sp_copy_text(name), setter->origin, 0, 0, value});
  struct sp_node *merged = sp_node_merge(mapping, over);
  SP_ASSERT(merged == mapping);
  return SP_OK;
}

// The mapping under `name`, made where nothing, null or a shorthand stands. NULL: a list or a word stands there.
static struct sp_node *mapping_under(const struct setter *setter, struct sp_node *mapping, const char *name,
                                     const char *shorthand) {
  struct sp_entry *entry = sp_node_find(mapping, name);
  if (!entry) {
    sp_node_append(mapping, (struct sp_entry){sp_copy_text(name), setter->origin, 0, 0,
                                              sp_node_new(SP_NODE_MAPPING, setter->origin, 0, 0)});
    return mapping->entries[mapping->n_entries - 1].value;
  }
  struct sp_node *value = entry->value;
  if (value->kind == SP_NODE_MAPPING) return value;
  bool is_nothing = sp_node_is_null(value) || sp_node_is_empty(value);
  if (!is_nothing && (!shorthand || value->kind != SP_NODE_SCALAR)) return NULL;
  entry->value = sp_node_new(SP_NODE_MAPPING, value->origin, value->line, value->column);
  if (is_nothing)
    sp_node_free(value);
  else
    sp_node_append(entry->value, (struct sp_entry){sp_copy_text(shorthand), value->origin, value->line,
                                                   value->column, value});
  return entry->value;
}

static enum sp_err set_in_item(const struct setter *setter, const struct sp_table *table,
                               struct sp_node *items, const char *name, const char *rest) {
  SP_ASSERT(table);
  struct sp_node *item = mapping_under(setter, items, name, table->shorthand);
  return item ? set_in_table(setter, table, item, rest) : fail(setter, "is no mapping in the scenario");
}

static enum sp_err fail_no_item(const struct setter *setter, const struct sp_node *items, const char *name) {
  char what[512], suggestion[256];
  const char *names[64];
  size_t n = 0;
  for (; n < items->n_entries && n < 64; n++) names[n] = items->entries[n].name;
  snprintf(what, sizeof what, "the scenario has no %.64s; %s", name,
           n ? sp_names_suggest(name, names, n, suggestion, sizeof suggestion) : "it has none at all");
  return fail(setter, what);
}

// NAME.rest, *.rest, or NAME alone.
static enum sp_err set_in_named(const struct setter *setter, const struct sp_table *table,
                                struct sp_node *items, const char *path) {
  char name[64];
  size_t n = strcspn(path, ".");
  if (n >= sizeof name) return fail(setter, "the name is too long");
  snprintf(name, sizeof name, "%.*s", (int)n, path);
  if (path[n] == '\0') return put(setter, items, name, true);
  enum sp_err err = SP_OK;
  if (strcmp(name, "*") == 0) {
    for (size_t i = 0; i < items->n_entries && !err; i++) {
      if (!sp_node_is_null(items->entries[i].value))
        err = set_in_item(setter, table, items, items->entries[i].name, path + n + 1);
    }
    return err;
  }
  if (!sp_node_find(items, name)) return fail_no_item(setter, items, name);
  return set_in_item(setter, table, items, name, path + n + 1);
}

// INDEX.rest of a list that is there.
static enum sp_err set_in_list(const struct setter *setter, const struct sp_table *table,
                               struct sp_node *mapping, const char *name, const char *path) {
  const struct sp_entry *entry = sp_node_find(mapping, name);
  char *end;
  unsigned long i = strtoul(path, &end, 10);
  if (end == path || *end != '.')
    return fail(setter, "names a list; write its element's number, as in tensors.0.name");
  if (!entry || entry->value->kind != SP_NODE_SEQUENCE || i >= entry->value->n_entries)
    return fail(setter, "the list has no such element; the first is 0");
  struct sp_entry *item = &entry->value->entries[i];
  if (item->value->kind != SP_NODE_MAPPING) {
    if (!table->shorthand || item->value->kind != SP_NODE_SCALAR)
      return fail(setter, "is no mapping in the scenario");
    struct sp_node *mapped = sp_node_new(SP_NODE_MAPPING, item->origin, item->line, item->column);
    sp_node_append(mapped, (struct sp_entry){sp_copy_text(table->shorthand), item->origin, item->line,
                                             item->column, item->value});
    item->value = mapped;
  }
  return set_in_table(setter, table, item->value, end + 1);
}

struct search {
  const char *name;
  char path[128]; // of the first key of that name anywhere
};

static void search_visit(void *context, const struct sp_key *key, const char *path) {
  struct search *search = context;
  if (search->path[0] == '\0' && strcmp(key->name, search->name) == 0)
    snprintf(search->path, sizeof search->path, "%s", path);
}

// `rate` alone is meant as load.rate.
static enum sp_err fail_unknown(const struct setter *setter, const struct sp_table *table, const char *name) {
  char what[512], suggestion[256];
  struct search search = {.name = name};
  if (name == setter->setting->key) sp_keys_each(table, search_visit, &search);
  if (search.path[0])
    snprintf(what, sizeof what, "unknown key; did you mean %s?", search.path);
  else
    snprintf(what, sizeof what, "unknown key %.64s; %s", name,
             sp_key_suggest(table, name, suggestion, sizeof suggestion));
  return fail(setter, what);
}

static enum sp_err set_in_table(const struct setter *setter, const struct sp_table *table,
                                struct sp_node *mapping, const char *path) {
  char name[64];
  size_t n = strcspn(path, ".");
  snprintf(name, sizeof name, "%.*s", (int)n, path);
  const struct sp_key *key = n < sizeof name ? sp_key_find(table, name).key : NULL;
  if (!key) return fail_unknown(setter, table, path[n] ? name : path);
  if (path[n] == '\0') return put(setter, mapping, name, is_collection(key->kind));
  const char *rest = path + n + 1;
  if (key->kind == SP_KIND_LIST) return set_in_list(setter, key->table, mapping, name, rest);
  if (key->kind != SP_KIND_TABLE && key->kind != SP_KIND_NAMED && key->kind != SP_KIND_PROPERTIES)
    return fail(setter, "goes on after a key that holds one value");
  struct sp_node *inner = mapping_under(setter, mapping, name, key->table ? key->table->shorthand : NULL);
  if (!inner) return fail(setter, "is no mapping in the scenario");
  if (key->kind == SP_KIND_PROPERTIES) return put(setter, inner, rest, false);
  return key->kind == SP_KIND_NAMED ? set_in_named(setter, key->table, inner, rest)
                                    : set_in_table(setter, key->table, inner, rest);
}

enum sp_err sp_setting_apply(struct sp_node *root, const struct sp_table *table,
                             const struct sp_origin *origin, const struct sp_setting *setting,
                             struct sp_error *error) {
  const struct setter setter = {origin, setting, error};
  if (!sp_yaml_is_text(sp_bytes_of_text(setting->value)) || !sp_yaml_is_text(sp_bytes_of_text(setting->key)))
    return sp_fail(error, SP_ERR_USAGE, "%s: a key or value holds bytes that are no text", origin->name);
  return set_in_table(&setter, table, root, setting->key);
}

static void each(const struct sp_table *table, const char *prefix, sp_key_visit *visit, void *context) {
  SP_ASSERT(table);
  for (const struct sp_key *key = table->keys; key->name; key++) {
    char path[128];
    if (key->kind == SP_KIND_INLINE) {
      each(key->table, prefix, visit, context);
      continue;
    }
    snprintf(path, sizeof path, "%s%s", prefix, key->name);
    visit(context, key, path);
    if (key->kind != SP_KIND_TABLE && key->kind != SP_KIND_NAMED) continue;
    snprintf(path, sizeof path, "%s%s%s", prefix, key->name, key->kind == SP_KIND_NAMED ? ".*." : ".");
    each(key->table, path, visit, context);
  }
}

void sp_keys_each(const struct sp_table *table, sp_key_visit *visit, void *context) {
  each(table, "", visit, context);
}
