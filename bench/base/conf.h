// Declared configuration: each folder lists its keys once, in its conf.h / conf.c; the scenario reader, the command line,
// the JSON Schema, --help and the reference page are all made from these tables.
#ifndef SP_BASE_CONF_H
#define SP_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Events per time, exact: n events every per_ns nanoseconds ("2000/s" = 2000 per 1e9; "0.5/s" = 5 per 1e10).
struct sp_rate {
  uint64_t n;
  uint64_t per_ns;
};
struct sp_texts {
  char **items;
  size_t n;
};
struct sp_counts {
  int64_t *items;
  size_t n;
};
struct sp_property {
  char *name;
  char *value;
};
struct sp_properties {
  struct sp_property *items;
  size_t n;
};
struct sp_list {
  void *items; // n structs of key->item_bytes each
  size_t n;
};

enum sp_kind {  // C type at the key's offset
  SP_KIND_TEXT, // char *; NULL if absent
  SP_KIND_PATH, // char *; made absolute or relative to the working directory from the declaring file's folder
  SP_KIND_SECRET,     // char *; only "@FILE" or "$NAME"; printed as ***
  SP_KIND_BOOL,       // bool
  SP_KIND_COUNT,      // uint64_t
  SP_KIND_REAL,       // double
  SP_KIND_DURATION,   // int64_t ns; a unit is required; where the default is "none", that word too: -1
  SP_KIND_RATE,       // struct sp_rate; "/s" (or /min, /h) is required
  SP_KIND_SIZE,       // uint64_t bytes; B KiB MiB GiB
  SP_KIND_SHARE,      // double 0..1; "0.1%" or "0.001"
  SP_KIND_CHOICE,     // int: index into choices
  SP_KIND_TEXTS,      // struct sp_texts
  SP_KIND_COUNTS,     // struct sp_counts
  SP_KIND_PROPERTIES, // struct sp_properties: free names
  SP_KIND_TABLE,      // a struct of its own at the offset, a mapping in YAML
  SP_KIND_INLINE,     // the same, but its keys stand in the enclosing mapping
  SP_KIND_LIST,       // struct sp_list of mappings
  SP_KIND_NAMED, // struct sp_list; a mapping in YAML: name -> mapping; the item's first member is char *name
  SP_KIND_RAW,   // char *: the scalar as written (a number or a word; the folder reads it itself)
};

struct sp_key;
struct sp_table {
  const char *title;         // "load", for the reference page
  const struct sp_key *keys; // ends with a key whose name is NULL
  size_t struct_bytes;
  const char
      *shorthand; // the key that a bare scalar sets where a mapping of this table is expected; NULL: none
};
struct sp_key {
  const char *name; // as in YAML; NULL ends the table
  enum sp_kind kind;
  size_t offset;
  const char *standard;         // the default, written as a user would; NULL: none (zero)
  const char *choices;          // SP_KIND_CHOICE: "constant poisson trace"
  const struct sp_table *table; // TABLE, INLINE, LIST, NAMED: what the mapping may hold
  const char *flag;             // "--rate", NULL: only --set and YAML
  const char *help;             // one line, no full stop
};

#endif
