// A scenario before its keys are known: scalars, sequences and mappings, each with the place it was written at. Overlays and
// settings are laid over it; bind.h turns it into structs. One thread; everything allocated belongs to the tree.
#ifndef SP_SCENARIO_TREE_H
#define SP_SCENARIO_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// Where nodes come from: a YAML file, or a flag. Outlives its nodes.
struct sp_origin {
  char *name;   // the file, or "--rate"
  char *folder; // what paths are relative to; "" for flags: the working directory
};

enum sp_node_kind { SP_NODE_SCALAR, SP_NODE_SEQUENCE, SP_NODE_MAPPING };

struct sp_node;
struct sp_entry { // of a mapping, or (name NULL) of a sequence
  char *name;
  const struct sp_origin *origin;
  unsigned line, column; // of the name
  struct sp_node *value;
};
struct sp_node {
  enum sp_node_kind kind;
  const struct sp_origin *origin;
  unsigned line, column; // from 1; 0 in a flag
  char *text;            // scalar: its value
  bool is_plain;         // scalar: written without quotes
  struct sp_entry *entries;
  size_t n_entries;
};

struct sp_node *sp_node_new(enum sp_node_kind kind, const struct sp_origin *origin, unsigned line,
                            unsigned column);
void sp_node_free(struct sp_node *node); // NULL is allowed
struct sp_node *sp_node_copy(const struct sp_node *node);
size_t sp_node_count(const struct sp_node *node); // itself and all below

// Takes name (NULL in a sequence) and value.
void sp_node_append(struct sp_node *node, struct sp_entry entry);
// NULL if `node` is NULL, no mapping, or has no such entry.
struct sp_entry *sp_node_find(const struct sp_node *node, const char *name);

// `null` or `~` without quotes: the key is as if not written. (An empty value is a mistake, unless a mapping is wanted.)
bool sp_node_is_null(const struct sp_node *node);
bool sp_node_is_empty(const struct sp_node *node);

// Lays `over` (taken) over `base` (taken): mappings merge entry by entry, everything else is replaced. Returns the result.
struct sp_node *sp_node_merge(struct sp_node *base, struct sp_node *over);

// The place in the scenario's language of what is looked at now, for messages: sides, rpc, threads -> "sides.rpc.threads".
// On the stack, innermost first.
struct sp_place {
  const struct sp_place *parent; // NULL: the scenario
  const char *name;              // NULL: element `i` of a list
  size_t i;
};

// SP_ERR_USAGE: `FILE:LINE:COLUMN: KEY: what` for a file, `--flag: KEY: what` for a setting. place NULL: no key.
enum sp_err sp_node_fail(const struct sp_node *node, const struct sp_place *place, struct sp_error *error,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
enum sp_err sp_entry_fail(const struct sp_entry *entry, const struct sp_place *place, struct sp_error *error,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
