// What fails a candidate whatever its figures are.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decide/gate_verdict.h"
#include "support/trials.h"

static const struct sp_gate_rules rules = {.margin = NAN};

// Two builds that are the same.
static void add_pairs(struct sp_trials *trials) {
  for (size_t p = 0; p < 12; p++) {
    for (size_t s = 0; s < 2; s++) {
      double own = 1 + 0.001 * (double)((p + s) % 3);
      struct sp_trials_side side = {sp_gate_sides[s], 400000 * own, 2000000 * own, 24 * own, 0, 0, 0};
      sp_trials_add(trials, &side, s, p);
    }
  }
}

static void expect(const struct sp_trials *trials, enum sp_gate_verdict verdict, int exit_code,
                   const char *said) {
  struct sp_comparison *c = sp_comparison_new();
  sp_gate_judge(&rules, trials->items, trials->n, 0.01, c);
  assert_int_equal(c->gate.verdict, verdict);
  assert_int_equal(c->exit_code, exit_code);
  if (!strstr(c->verdict, said)) fail_msg("\"%s\" does not say \"%s\"", c->verdict, said);
  sp_comparison_free(c);
}

static void test_a_wrong_answer_fails_where_its_trial_does_not_count(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials);
  expect(&trials, SP_GATE_PASS, 0, "");
  struct sp_result *r = sp_trials_result(&trials, 5);
  r->outcomes[SP_OUTCOME_OK]--;
  r->outcomes[SP_OUTCOME_MISMATCH]++;
  r->predictions.mismatched = 1;
  expect(&trials, SP_GATE_FAIL, 1, "1 of 120,000 predictions of the candidate are not what was expected");
  sp_result_invalid(r, "late");
  expect(&trials, SP_GATE_FAIL, 1,
         "predictions of the candidate in trials that do not count are not what was expected: 1");
  sp_trials_done(&trials);
}

static void test_a_wrong_answer_of_the_base_is_not_its_fault(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials);
  sp_trials_result(&trials, 4)->predictions.mismatched = 1;
  expect(&trials, SP_GATE_PASS, 0, "");
  sp_result_invalid(sp_trials_result(&trials, 4), "late");
  struct sp_comparison *c = sp_comparison_new();
  sp_gate_judge(&rules, trials.items, trials.n, 0.01, c);
  assert_int_not_equal(c->gate.verdict, SP_GATE_FAIL);
  assert_int_equal(c->sides[SP_GATE_BASE].n_mismatched_left_out, 1);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_wrong_answer_fails_where_its_trial_does_not_count),
      cmocka_unit_test(test_a_wrong_answer_of_the_base_is_not_its_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
