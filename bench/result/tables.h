// Shorthand for tables of fields (fields.h); for the files that hold such tables.
#ifndef SP_RESULT_TABLES_H
#define SP_RESULT_TABLES_H

#include "result/custom.h"

#define AT(type, member) offsetof(struct type, member)
#define FIELD(key, KIND, type, member)                                                                       \
  { .name = key, .kind = SP_FIELD_##KIND, .offset = AT(type, member) }
#define NEEDED(key, KIND, type, member)                                                                      \
  { .name = key, .kind = SP_FIELD_##KIND, .offset = AT(type, member), .is_required = true }
#define SCHEMA(text)                                                                                         \
  { .name = "schema", .kind = SP_FIELD_CONSTANT, .is_required = true, .constant = text }
#define CUSTOM(key, codec, type, member)                                                                     \
  {                                                                                                          \
    .name = key, .kind = SP_FIELD_CUSTOM, .offset = AT(type, member), .write = sp_custom_write_##codec,      \
    .read = sp_custom_read_##codec                                                                           \
  }
#define NEEDED_CUSTOM(key, codec, type, member)                                                              \
  {                                                                                                          \
    .name = key, .kind = SP_FIELD_CUSTOM, .offset = AT(type, member), .is_required = true,                   \
    .write = sp_custom_write_##codec, .read = sp_custom_read_##codec                                         \
  }

// Of structs that stand in results and comparisons.
extern const struct sp_field sp_bound_fields[];   // struct sp_bound
extern const struct sp_field sp_example_fields[]; // struct sp_prediction_example

#endif
