// Nodes, and messages that name their place.
#include "scenario/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sp_node *sp_node_new(enum sp_node_kind kind, const struct sp_origin *origin, unsigned line,
                            unsigned column) {
  struct sp_node *node = sp_alloc(sizeof *node);
  node->kind = kind;
  node->origin = origin;
  node->line = line;
  node->column = column;
  return node;
}

static void free_entry(struct sp_entry *entry) {
  free(entry->name);
  sp_node_free(entry->value);
}

void sp_node_free(struct sp_node *node) {
  if (!node) return;
  for (size_t i = 0; i < node->n_entries; i++) free_entry(&node->entries[i]);
  free(node->entries);
  free(node->text);
  free(node);
}

struct sp_node *sp_node_copy(const struct sp_node *node) {
  struct sp_node *copy = sp_node_new(node->kind, node->origin, node->line, node->column);
  copy->text = sp_copy_text(node->text);
  copy->is_plain = node->is_plain;
  for (size_t i = 0; i < node->n_entries; i++) {
    struct sp_entry entry = node->entries[i];
    entry.name = sp_copy_text(entry.name);
    entry.value = sp_node_copy(entry.value);
    sp_node_append(copy, entry);
  }
  return copy;
}

size_t sp_node_count(const struct sp_node *node) {
  size_t n = 1;
  for (size_t i = 0; i < node->n_entries; i++) n += sp_node_count(node->entries[i].value);
  return n;
}

void sp_node_append(struct sp_node *node, struct sp_entry entry) {
  if ((node->n_entries & (node->n_entries - 1)) == 0) { // full at every power of two
    size_t n = node->n_entries ? node->n_entries * 2 : 1;
    node->entries = sp_realloc(node->entries, n * sizeof *node->entries);
  }
  node->entries[node->n_entries++] = entry;
}

struct sp_entry *sp_node_find(const struct sp_node *node, const char *name) {
  if (!node || node->kind != SP_NODE_MAPPING) return NULL;
  for (size_t i = 0; i < node->n_entries; i++) {
    if (strcmp(node->entries[i].name, name) == 0) return &node->entries[i];
  }
  return NULL;
}

bool sp_node_is_null(const struct sp_node *node) {
  return node->kind == SP_NODE_SCALAR && node->is_plain &&
         (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0);
}

bool sp_node_is_empty(const struct sp_node *node) {
  return node->kind == SP_NODE_SCALAR && node->is_plain && node->text[0] == '\0';
}

struct sp_node *sp_node_merge(struct sp_node *base, struct sp_node *over) {
  if (!base) return over;
  if (base->kind != SP_NODE_MAPPING || over->kind != SP_NODE_MAPPING) {
    sp_node_free(base);
    return over;
  }
  for (size_t i = 0; i < over->n_entries; i++) {
    struct sp_entry entry = over->entries[i];
    struct sp_entry *old = sp_node_find(base, entry.name);
    if (old) {
      // The entry is replaced below, so what the merge freed is not met again.
      entry.value = sp_node_merge(old->value, entry.value); // NOLINT(clang-analyzer-unix.Malloc)
      free(old->name);
      *old = entry;
    } else {
      sp_node_append(base, entry);
    }
  }
  free(over->entries); // what they held lives in base now
  free(over);
  return base;
}

// "sides.rpc.threads"; "": the scenario itself. Returns text.
static char *place_text(const struct sp_place *place, char *text, size_t n) {
  SP_ASSERT(n > 0);
  text[0] = '\0';
  if (!place) return text;
  place_text(place->parent, text, n);
  size_t n_used = strlen(text);
  if (place->name)
    snprintf(text + n_used, n - n_used, "%s%.80s", n_used ? "." : "", place->name);
  else
    snprintf(text + n_used, n - n_used, ".%zu", place->i);
  return text;
}

static enum sp_err fail_at(const struct sp_origin *origin, unsigned line, unsigned column,
                           const struct sp_place *place, struct sp_error *error, const char *format,
                           va_list args) {
  char key[256], position[32] = "";
  struct sp_error what;
  place_text(place, key, sizeof key);
  sp_vfail(&what, SP_ERR_USAGE, format, args);
  if (line) snprintf(position, sizeof position, ":%u:%u", line, column);
  return sp_fail(error, SP_ERR_USAGE, "%s%s: %s%s%s", origin->name, position, key, key[0] ? ": " : "",
                 what.text);
}

enum sp_err sp_node_fail(const struct sp_node *node, const struct sp_place *place, struct sp_error *error,
                         const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_at(node->origin, node->line, node->column, place, error, format, args);
  va_end(args);
  return SP_ERR_USAGE;
}

enum sp_err sp_entry_fail(const struct sp_entry *entry, const struct sp_place *place, struct sp_error *error,
                          const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_at(entry->origin, entry->line, entry->column, place, error, format, args);
  va_end(args);
  return SP_ERR_USAGE;
}
