// Flags and --set, laid over the tree.
#ifndef SP_SCENARIO_SETTING_H
#define SP_SCENARIO_SETTING_H

#include "base/conf.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

// Lays one setting over the tree's root (a mapping). A key is dotted names (load.rate), `*` for every name of a mapping of
// names (sides.*.threads), a number for an element of a list (input.tensors.0.name), and for properties whatever follows
// (kafka.producer.linger.ms). A list or mapping is written as YAML flow text ([a, b], {a: 1}); naming an item of a mapping
// of names whole (sides.new={path: noop}) adds it where it is missing. SP_ERR_USAGE: no such key (with the nearest one),
// no such item. Values are checked later, with the file's. `origin` outlives the tree.
enum sp_err sp_setting_apply(struct sp_node *root, const struct sp_table *table,
                             const struct sp_origin *origin, const struct sp_setting *setting,
                             struct sp_error *error);

// Calls visit for every key of a table and its mappings, in order, with its dotted path: "load.rate", "sides.*.threads".
// What lies in lists is left out.
typedef void sp_key_visit(void *context, const struct sp_key *key, const char *path);
void sp_keys_each(const struct sp_table *table, sp_key_visit *visit, void *context);

#endif
