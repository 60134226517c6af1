// Tree -> structs, by the tables of declared keys; and structs -> JSON, by the same tables.
#ifndef SP_SCENARIO_BIND_H
#define SP_SCENARIO_BIND_H

#include <jansson.h>

#include "base/conf.h"
#include "scenario/tree.h"

// Fills *fields (zeroed, table->struct_bytes) with what the mapping says, defaults where it says nothing; a share without
// default and without value is -1. `node` NULL: defaults alone. SP_ERR_USAGE at its place: unknown key (with the nearest
// one), a value that does not fit; SP_ERR_ENVIRONMENT: a secret's file cannot be read. Whatever it returns, free *fields
// with sp_bind_free.
enum sp_err sp_bind(const struct sp_table *table, const struct sp_node *node, void *fields,
                    struct sp_error *error);
// Frees what the fields hold, not the struct.
void sp_bind_free(const struct sp_table *table, void *fields);

// Every key with its value as a user would write it; absent ones null, secrets "***". A path is given relative to `folder`
// where it lies in there, and by its last part elsewhere: the same on every machine.
json_t *sp_bind_json(const struct sp_table *table, const void *fields, const char *folder);

// --- Looking keys up, for settings, schema and reference ---

struct sp_found_key {
  const struct sp_key *key; // NULL: not found
  size_t offset;            // from the table's struct, past INLINE tables
};
struct sp_found_key sp_key_find(const struct sp_table *table, const char *name);
// "did you mean rate?" over the table's keys, INLINE ones too; returns text.
char *sp_key_suggest(const struct sp_table *table, const char *name, char *text, size_t n_text);
// Names of kafka properties that hold secrets.
bool sp_property_is_secret(const char *name);
// Letters, digits, - and _, not empty, at most 63 bytes: names of sides.
bool sp_name_is_plain(const char *name);

#endif
