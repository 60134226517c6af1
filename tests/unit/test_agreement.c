// Predictions across sides: what differs is counted and named without its value, and nothing is left on disk.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "decide/agreement.h"
#include "os/files.h"
#include "trial/answers.h"

#define EVENTS 10

static char folder[] = "/tmp/sp-agreement-XXXXXX";
static struct sp_side embedded = {.name = "embedded", .path = {"embedded"}},
                      rpc = {.name = "rpc", .path = {"rpc"}}, none = {.name = "noop", .path = {"noop"}};
static const struct sp_side *sides[] = {&embedded, &rpc, &none};

static struct sp_agreement_plan plan_of(size_t n_sides) {
  return (struct sp_agreement_plan){
      .sides = sides, .n_sides = n_sides, .dir = folder, .abs = 1e-5, .rel = 1e-4};
}

// Every event answered {0.25, i}, but event `other`, which is off by `by`.
static void answer(const struct sp_side *side, size_t n_values, size_t other, double by) {
  struct sp_answers answers;
  struct sp_error error;
  sp_answers_init(&answers, EVENTS, n_values);
  for (size_t i = 0; i < EVENTS; i++) {
    for (size_t k = 0; k < n_values; k++) answers.values[i * n_values + k] = k ? (double)i : 0.25;
    if (i == other) answers.values[i * n_values] += by;
    answers.answered[i] = 1;
  }
  char *path = sp_agreement_file(folder, side->name);
  assert_int_equal(sp_answers_write(&answers, path, &error), SP_OK);
  free(path);
  sp_answers_done(&answers);
}

static bool is_left(const struct sp_side *side) {
  char *path = sp_agreement_file(folder, side->name);
  bool left = access(path, F_OK) == 0;
  free(path);
  return left;
}

static void what_is_alike_is_counted(void **state) {
  const struct sp_agreement_plan plan = plan_of(2);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  for (int i = 0; i < 2; i++) { // two pairs
    answer(&embedded, 2, EVENTS, 0);
    answer(&rpc, 2, 3, 2e-6);
    sp_agreement_add(&plan, c);
  }
  assert_int_equal(c->predictions.compared, 2 * EVENTS);
  assert_int_equal(c->predictions.differing, 0);
  assert_float_equal(c->predictions.max_difference, 2e-6, 1e-9);
  assert_int_equal(c->predictions.n_examples, 0);
  assert_false(is_left(&embedded) || is_left(&rpc));
  sp_comparison_free(c);
}

static void one_that_differs_is_named_without_its_value(void **state) {
  const struct sp_agreement_plan plan = plan_of(2);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  answer(&embedded, 2, EVENTS, 0);
  answer(&rpc, 2, 7, 0.125);
  sp_agreement_add(&plan, c);
  assert_int_equal(c->predictions.differing, 1);
  assert_int_equal(c->predictions.n_examples, 1);
  assert_int_equal(c->predictions.examples[0].event, 7);
  assert_string_equal(c->predictions.examples[0].text, "rpc and embedded differ by 0.125");
  sp_comparison_free(c);
}

static void examples_have_an_end(void **state) {
  const struct sp_agreement_plan plan = plan_of(2);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  for (int i = 0; i < SP_RESULT_EXAMPLES + 3; i++) {
    answer(&embedded, 1, EVENTS, 0);
    answer(&rpc, 1, 0, 1);
    sp_agreement_add(&plan, c);
  }
  assert_int_equal(c->predictions.differing, SP_RESULT_EXAMPLES + 3);
  assert_int_equal(c->predictions.n_examples, SP_RESULT_EXAMPLES);
  sp_comparison_free(c);
}

static void what_is_no_prediction_is_not_compared(void **state) {
  const struct sp_agreement_plan plan = plan_of(3);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  answer(&embedded, 1, EVENTS, 0);
  answer(&rpc, 2, EVENTS, 0); // of another shape
  answer(&none, 1, 0, 1);     // noop
  sp_agreement_add(&plan, c);
  rpc.server.stub = SP_STUB_NONE + 1;
  answer(&embedded, 1, EVENTS, 0);
  answer(&rpc, 1, 0, 1); // of a stub
  sp_agreement_add(&plan, c);
  rpc.server.stub = SP_STUB_NONE;
  assert_int_equal(c->predictions.compared, 0);
  assert_true(isnan(c->predictions.max_difference));
  assert_false(is_left(&embedded) || is_left(&rpc) || is_left(&none));
  sp_comparison_free(c);
}

static void a_side_without_answers_is_left_out(void **state) {
  const struct sp_agreement_plan plan = plan_of(2);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  answer(&rpc, 1, EVENTS, 0);
  sp_agreement_add(&plan, c);
  assert_int_equal(c->predictions.compared, 0);
  assert_false(is_left(&rpc));
  sp_comparison_free(c);
}

static void answers_of_another_model_are_not_compared(void **state) {
  static const bool is_other[] = {false, true, false};
  struct sp_agreement_plan plan = plan_of(2);
  struct sp_comparison *c = sp_comparison_new();
  (void)state;
  plan.is_other_model = is_other;
  answer(&embedded, 1, EVENTS, 0);
  answer(&rpc, 1, 0, 1);
  sp_agreement_add(&plan, c);
  assert_int_equal(c->predictions.compared, 0);
  assert_int_equal(c->predictions.differing, 0);
  assert_false(is_left(&embedded) || is_left(&rpc));
  sp_comparison_free(c);
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_alike_is_counted),
      cmocka_unit_test(one_that_differs_is_named_without_its_value),
      cmocka_unit_test(examples_have_an_end),
      cmocka_unit_test(what_is_no_prediction_is_not_compared),
      cmocka_unit_test(a_side_without_answers_is_left_out),
      cmocka_unit_test(answers_of_another_model_are_not_compared),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
