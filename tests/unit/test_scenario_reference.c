// The checked-in schema is the one that the tables make, and every default in the tables is valid. Of the reference page,
// which holds the verbs' options too: tests/cli/reference.sh.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "scenario/bind.h"
#include "scenario/reference.h"
#include "scenario/scenario.h"
#include "scenario/setting.h"

static void compare(const char *name, const char *made, const char *command) {
  char *path = sp_format("%s/%s", getenv("SOURCE_DIR"), name);
  FILE *file = fopen(path, "r");
  if (!file) fail_msg("%s is missing; make it with %s > %s", name, command, name);
  size_t n_made = strlen(made);
  char *kept = sp_alloc(n_made + 2);
  size_t n_kept = fread(kept, 1, n_made + 1, file);
  fclose(file);
  if (n_kept != n_made || memcmp(kept, made, n_made) != 0) {
    fail_msg("%s is not what the tables of keys make; make it again with: build/servepath reference %s > %s",
             name, command, name);
  }
  free(kept);
  free(path);
}

static void the_schema_is_up_to_date(void **state) {
  (void)state;
  char *schema = sp_reference_schema();
  compare("proto/scenario.schema.json", schema, "--schema");
  free(schema);
}

static void check_key(void *context, const struct sp_key *key, const char *path) {
  (void)context;
  if (!key->help || !key->help[0] || key->help[strlen(key->help) - 1] == '.')
    fail_msg("%s: its help is one line without full stop", path);
  if (key->flag && strncmp(key->flag, "--", 2) != 0) fail_msg("%s: flag %s", path, key->flag);
}

static void every_key_says_what_it_is_for(void **state) {
  (void)state;
  sp_keys_each(&sp_scenario_table, check_key, NULL);
}

// sp_bind asserts that it can read every default; lists and names have items of their own.
static void check_defaults(const struct sp_table *table) {
  void *fields = sp_alloc(table->struct_bytes);
  struct sp_error error;
  if (sp_bind(table, NULL, fields, &error)) fail_msg("%s: %s", table->title, error.text);
  sp_bind_free(table, fields);
  free(fields);
  for (const struct sp_key *key = table->keys; key->name; key++) {
    if (key->table) check_defaults(key->table);
  }
}

static void every_default_can_be_read(void **state) {
  (void)state;
  check_defaults(&sp_scenario_table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_schema_is_up_to_date),
      cmocka_unit_test(every_key_says_what_it_is_for),
      cmocka_unit_test(every_default_can_be_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
