// What the sides of a comparison do not share is said, with what each has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "decide/agreement.h"
#include "decide/fairness.h"

#define SETTINGS_MOST 8

// The fraud case with settings; its sides are embedded and rpc.
static struct sp_scenario *loaded(const char *const *settings) {
  struct sp_setting all[SETTINGS_MOST];
  char *keys[SETTINGS_MOST], *path = sp_format("%s/fixtures/fraud", getenv("SOURCE_DIR"));
  struct sp_scenario *scenario;
  struct sp_error error = {0};
  size_t n = 0;
  for (; settings[n]; n++) {
    const char *equals = strchr(settings[n], '=');
    keys[n] = sp_format("%.*s", (int)(equals - settings[n]), settings[n]);
    all[n] = (struct sp_setting){keys[n], equals + 1, "--set"};
  }
  if (sp_scenario_load(path, NULL, 0, all, n, &scenario, &error)) fail_msg("%s", error.text);
  for (size_t i = 0; i < n; i++) free(keys[i]);
  free(path);
  return scenario;
}

// All remarks, one after the other.
static char *remarks(const char *const *settings, const bool *is_other_model) {
  struct sp_scenario *scenario = loaded(settings);
  struct sp_comparison *c = sp_comparison_new();
  const struct sp_side *sides[] = {sp_scenario_side(scenario, "embedded"), sp_scenario_side(scenario, "rpc")};
  char *all = sp_copy_text("");
  sp_fairness_remark(scenario, sides, 2, is_other_model, c);
  for (size_t i = 0; i < c->n_remarks; i++) {
    char *longer = sp_format("%s%s\n", all, c->remarks[i]);
    free(all);
    all = longer;
  }
  sp_comparison_free(c);
  sp_scenario_free(scenario);
  return all;
}

static void expect(const char *const *settings, const bool *is_other_model, const char *wanted) {
  char *all = remarks(settings, is_other_model);
  assert_string_equal(all, wanted);
  free(all);
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static void equal_sides_need_no_remark(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  expect(none, NULL, "");
  expect(SET("stream.broker=h:1"), NULL, "");
  expect(SET("stream.broker=h:1", "sides.rpc.broker=h:1"), NULL, "");
}

static void budgets_are_told(void **state) {
  (void)state;
  expect(SET("sides.rpc.threads=2"), NULL, "threads differ: embedded 1, rpc 2; the ratios are of that too\n");
}

static void transports_and_brokers_are_told(void **state) {
  (void)state;
  expect(SET("sides.rpc.transport=kafka"), NULL,
         "transports differ: embedded direct, rpc kafka; the ratios are of that too\n");
  expect(SET("sides.embedded.broker=h:1", "sides.rpc.broker=h:2"), NULL,
         "brokers differ: embedded h:1, rpc h:2; the ratios are of that too\n");
}

static void models_are_told(void **state) {
  (void)state;
  static const bool is_other[] = {false, true};
  char *model = sp_format("sides.rpc.model=%s/fixtures/tweet/models/tweet", getenv("SOURCE_DIR"));
  expect(SET(model), is_other,
         "models differ: embedded fraud 1, rpc tweet 1; each one's predictions are checked against its own "
         "expectations, and not compared across sides\n");
  expect(SET(model), NULL,
         "models differ: embedded fraud 1, rpc tweet 1; each one's predictions are checked against its own "
         "expectations\n");
  free(model);
}

// The same folder is one model, whatever file of it is loaded; another one is, where the bytes are the same.
static void copies_are_one_model(void **state) {
  (void)state;
  char *model = sp_format("sides.rpc.model=%s/fixtures/tweet/models/tweet", getenv("SOURCE_DIR"));
  struct sp_scenario *scenario = loaded(SET(model));
  const struct sp_side *embedded = sp_scenario_side(scenario, "embedded"),
                       *rpc = sp_scenario_side(scenario, "rpc");
  struct sp_result *a = sp_result_new(), *b = sp_result_new();
  sp_facts_text(&a->model, "digest", "xxh128:onnx");
  sp_facts_text(&b->model, "digest", "xxh128:saved_model");
  assert_true(sp_is_one_model(scenario, rpc, a, rpc, b));
  assert_false(sp_is_one_model(scenario, embedded, a, rpc, b));
  assert_false(sp_is_one_model(scenario, embedded, NULL, rpc, b));
  sp_facts_text(&b->model, "digest", "xxh128:onnx");
  assert_true(sp_is_one_model(scenario, embedded, a, rpc, b));
  sp_result_free(a);
  sp_result_free(b);
  sp_scenario_free(scenario);
  free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_sides_need_no_remark),
      cmocka_unit_test(budgets_are_told),
      cmocka_unit_test(transports_and_brokers_are_told),
      cmocka_unit_test(models_are_told),
      cmocka_unit_test(copies_are_one_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
