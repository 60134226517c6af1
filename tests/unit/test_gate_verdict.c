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

// n pairs, the candidate so many times as slow.
static void add_n_pairs_of(struct sp_trials *trials, size_t n, double times) {
  for (size_t p = 0; p < n; p++) {
    for (size_t s = 0; s < 2; s++) {
      double own = (s == SP_GATE_CANDIDATE ? times : 1) * (1 + 0.001 * (double)((p + s) % 3));
      struct sp_trials_side side = {sp_gate_sides[s], 400000 * own, 2000000 * own, 24 * own, 0, 0, 0};
      sp_trials_add(trials, &side, s, p);
    }
  }
}

static void add_pairs_of(struct sp_trials *trials, double times) {
  add_n_pairs_of(trials, 12, times);
}

// Two builds that are the same.
static void add_pairs(struct sp_trials *trials) {
  add_pairs_of(trials, 1);
}

// One that is twice as slow, and as many fresh pairs that confirm it.
static void add_slow_pairs(struct sp_trials *trials) {
  add_pairs_of(trials, 2);
  size_t n_first = trials->n;
  add_pairs_of(trials, 2);
  for (size_t i = n_first; i < trials->n; i++) trials->items[i].is_confirming = true;
}

// Of every trial of that side.
static void move_answers(struct sp_trials *trials, size_t side_i, enum sp_outcome to) {
  for (size_t i = 0; i < trials->n; i++) {
    if (trials->items[i].side_i != side_i) continue;
    struct sp_result *r = sp_trials_result(trials, i);
    r->outcomes[to] = r->outcomes[SP_OUTCOME_OK];
    r->outcomes[SP_OUTCOME_OK] = 0;
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

// Where two pairs make a mean, 12 pairs are 6 means, and confirm nothing.
static void test_means_are_confirmed_by_means(void **state) {
  (void)state;
  struct sp_gate_rules means = rules;
  means.mean_of = 2;
  for (size_t n_fresh = 12; n_fresh <= 24; n_fresh += 12) {
    struct sp_trials trials = {0};
    add_n_pairs_of(&trials, 24, 2);
    add_n_pairs_of(&trials, n_fresh, 2);
    for (size_t i = 48; i < trials.n; i++) trials.items[i].is_confirming = true;
    struct sp_comparison *c = sp_comparison_new();
    sp_gate_judge(&means, trials.items, trials.n, 0.01, c);
    const char *said =
        n_fresh == 24 ? "24 fresh pairs agree" : "which 24 fresh pairs must confirm; 12 were measured";
    assert_int_equal(c->gate.verdict, n_fresh == 24 ? SP_GATE_FAIL : SP_GATE_INCONCLUSIVE);
    assert_int_equal(sp_gate_wants_fresh(&c->gate), n_fresh < 24);
    assert_int_equal(c->gate.n_fresh, n_fresh);
    if (!strstr(c->verdict, said)) fail_msg("\"%s\" does not say \"%s\"", c->verdict, said);
    sp_comparison_free(c);
    sp_trials_done(&trials);
  }
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

static void test_what_withholds_a_pass_hides_no_fail(void **state) {
  (void)state;
  const enum sp_outcome doubtful[] = {SP_OUTCOME_UNCHECKED, SP_OUTCOME_FILTERED};
  const char *const said[] = {"100% of the candidate's answers were not checked",
                              "the candidate filters 100% of all events"};
  for (size_t i = 0; i < 2; i++) {
    struct sp_trials equal = {0}, slow = {0};
    add_pairs(&equal);
    move_answers(&equal, SP_GATE_CANDIDATE, doubtful[i]);
    expect(&equal, SP_GATE_INCONCLUSIVE, 4, said[i]);
    add_slow_pairs(&slow);
    move_answers(&slow, SP_GATE_CANDIDATE, doubtful[i]);
    expect(&slow, SP_GATE_FAIL, 1, "12 fresh pairs agree");
    sp_trials_done(&equal);
    sp_trials_done(&slow);
  }
}

static void test_a_stub_on_one_side_voids_every_metric(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_slow_pairs(&trials);
  for (size_t i = 0; i < trials.n; i += 2)
    sp_facts_text(&sp_trials_result(&trials, i)->server, "stub", "fixed");
  expect(&trials, SP_GATE_INCONCLUSIVE, 4, "the base answers from a stub server");
  struct sp_comparison *c = sp_comparison_new();
  sp_gate_judge(&rules, trials.items, trials.n, 0.01, c);
  assert_true(sp_gate_is_settled(c));
  for (size_t i = 0; i < c->gate.n_metrics; i++)
    assert_int_equal(c->gate.metrics[i].verdict, SP_GATE_INCONCLUSIVE);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

// Pairs that were measured again because the base alone had no p99 that a verdict may use.
static void test_a_selection_of_pairs_comes_to_no_verdict(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials);
  for (size_t p = 0; p < 5; p++) {
    struct sp_trials_side side = {sp_gate_sides[0], 400000, 2000000, 24, 0, 0, 0};
    expect(&trials, SP_GATE_PASS, 0, "");
    sp_trials_add(&trials, &side, SP_GATE_BASE, p)->response.driver_limited[SP_P99] = true;
    trials.items[trials.n - 1].is_set_aside = true;
  }
  expect(&trials, SP_GATE_INCONCLUSIVE, 4, "p99 had no usable figure in 5 trials of base alone");
  sp_trials_done(&trials);
}

// Half of its trials keep the bound, and half do not.
static void test_a_bound_fails_where_most_trials_miss_it(void **state) {
  (void)state;
  for (size_t n_missed = 6; n_missed <= 7; n_missed++) {
    struct sp_trials trials = {0};
    add_pairs(&trials);
    for (size_t p = 0; p < n_missed; p++) sp_trials_result(&trials, 2 * p + 1)->bounds[0].met = SP_MET_NO;
    if (n_missed == 6)
      expect(&trials, SP_GATE_PASS, 0, "");
    else
      expect(&trials, SP_GATE_FAIL, 1, "the candidate misses its bound p99");
    sp_trials_done(&trials);
  }
}

static void test_bounds_of_a_measurement_that_means_nothing(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials);
  for (size_t i = 1; i < trials.n; i += 2) sp_trials_result(&trials, i)->bounds[0].met = SP_MET_NO;
  for (size_t i = 0; i < 6; i++) sp_result_invalid(sp_trials_result(&trials, i), "late");
  expect(&trials, SP_GATE_INCONCLUSIVE, 2, "");
  sp_trials_done(&trials);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_means_are_confirmed_by_means),
      cmocka_unit_test(test_a_wrong_answer_fails_where_its_trial_does_not_count),
      cmocka_unit_test(test_a_wrong_answer_of_the_base_is_not_its_fault),
      cmocka_unit_test(test_what_withholds_a_pass_hides_no_fail),
      cmocka_unit_test(test_a_stub_on_one_side_voids_every_metric),
      cmocka_unit_test(test_a_selection_of_pairs_comes_to_no_verdict),
      cmocka_unit_test(test_a_bound_fails_where_most_trials_miss_it),
      cmocka_unit_test(test_bounds_of_a_measurement_that_means_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
