// Hostile scenarios: any bytes load or are refused with one line, and nothing leaks. For libFuzzer
// (clang -fsanitize=fuzzer,address); tests/unit/test_scenario_hostile.c calls the same function on mutated fixtures.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "scenario/bind.h"
#include "scenario/scenario.h"
#include "scenario/setting.h"
#include "scenario/yaml.h"

static void check_message(const struct sp_error *error) {
  SP_ASSERT(error->text[0] && !strchr(error->text, '\n'));
  SP_ASSERT(error->code == SP_ERR_USAGE || error->code == SP_ERR_ENVIRONMENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n); // libFuzzer's own name

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  struct sp_origin origin = {"input", "."};
  struct sp_setting setting = {"sides.*.threads", "2", "--threads"};
  struct sp_scenario *scenario = sp_alloc(sizeof *scenario);
  struct sp_error error = {0};
  struct sp_node *root;
  enum sp_err err = sp_yaml_parse(&origin, sp_bytes_of(data, n), &root, &error);
  if (!err && root->kind == SP_NODE_MAPPING) {
    struct sp_error ignored = {0};
    (void)sp_setting_apply(root, &sp_scenario_table, &origin, &setting, &ignored);
    err = sp_bind(&sp_scenario_table, root, scenario, &error);
    if (!err) {
      json_t *json = sp_bind_json(&sp_scenario_table, scenario, ".");
      SP_ASSERT(json);
      json_decref(json);
    }
    sp_bind_free(&sp_scenario_table, scenario);
  }
  if (err) check_message(&error);
  sp_node_free(root);
  free(scenario);
  return 0;
}
