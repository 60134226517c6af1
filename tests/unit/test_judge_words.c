// What a comparison says beside its figures: the sentence, bounds, predictions, invalid trials, where the time goes, exit codes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/trials.h"

static const char *const names[] = {"a", "b"};
static const struct sp_judge_plan plan = {.side_names = names, .n_sides = 2, .alpha = 0.01, .delta = 0.05};

static void assert_near(double value, double truth, double most) {
  if (!(fabs(value - truth) <= most)) fail_msg("%.17g is not %.17g", value, truth);
}

static void assert_says(const char *text, const char *part) {
  if (!text || !strstr(text, part)) fail_msg("\"%s\" does not say \"%s\"", text ? text : "(nothing)", part);
}

// Side b takes these times as much as a.
static void add_pairs(struct sp_trials *trials, double p50, double p99, double cpu, size_t n_pairs) {
  for (size_t p = 0; p < n_pairs; p++) {
    double own = 1 + 0.001 * (double)(p % 3);
    struct sp_trials_side a = {"a", 400000, 2000000, 24, 0, 0, 0};
    struct sp_trials_side b = {"b", 400000 * p50 * own, 2000000 * p99 * own, 24 * cpu * own, 0, 0, 0};
    sp_trials_add(trials, &a, 0, p);
    sp_trials_add(trials, &b, 1, p);
  }
}

static struct sp_comparison *judge(const struct sp_trials *trials) {
  struct sp_comparison *c = sp_comparison_new();
  sp_judge(&plan, trials->items, trials->n, c);
  return c;
}

static bool has_line(char *const *lines, size_t n, const char *part) {
  for (size_t i = 0; i < n; i++) {
    if (strstr(lines[i], part)) return true;
  }
  return false;
}

static void test_the_winner_is_named_with_what_it_wins(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 1.33, 1, 3.2, 12);
  for (size_t p = 0; p < 12; p++) // p99 goes both ways
    sp_trials_result(&trials, 2 * p + 1)->response.percentile_ns[SP_P99] = p % 2 ? 3000000 : 1500000;
  struct sp_comparison *c = judge(&trials);
  assert_string_equal(c->verdict,
                      "a faster at p50 (1.33 x), 3.2 x cheaper; p99 inconclusive; both meet p99 <= 10ms");
  assert_int_equal(c->exit_code, 0);
  assert_true(has_line(c->differences, c->n_differences, "path: embedded, rpc"));
  assert_int_equal(c->n_differences, 1);
  assert_string_equal(c->fingerprint, "xxh128:machine");
  assert_string_equal(sp_facts_text_of(&c->recording, "digest", ""), "xxh128:recording");
  sp_comparison_free(c);
  sp_trials_done(&trials);
  add_pairs(&trials, 0.5, 1, 2, 12);
  c = judge(&trials);
  assert_string_equal(
      c->verdict, "a 2 x cheaper; b faster at p50 (2 x); p99 no different within 5 %; both meet p99 <= 10ms");
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_where_the_time_goes(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 1, 1, 1, 12);
  for (size_t p = 0; p < 12;
       p++) { // 100 us more, of which predict explains 90: 70 in the server, 20 around it
    struct sp_result *r = sp_trials_result(&trials, 2 * p + 1), *a = sp_trials_result(&trials, 2 * p);
    for (int i = 0; i < SP_STAGE_COUNT; i++) r->stages[i] = a->stages[i];
    r->response.mean_ns = a->response.mean_ns + 100000;
    r->stages[SP_STAGE_PREDICT].mean_ns += 90000;
    r->stages[SP_STAGE_SERVER].mean_ns += 70000;
    r->stages[SP_STAGE_RPC_OTHER].mean_ns += 20000;
    r->stages[SP_STAGE_PREDICT].mean_above_p99_ns += 500000;
    a->stages[SP_STAGE_SERVER].present = a->stages[SP_STAGE_RPC_OTHER].present = false;
  }
  struct sp_comparison *c = judge(&trials);
  const struct sp_explained *e = &c->explained[0];
  assert_int_equal(c->n_explained, 1);
  assert_int_equal(e->side_i, 1);
  assert_near(e->side_total_ns - e->reference_total_ns, 100000, 1e-3);
  assert_near(e->side_ns[SP_STAGE_PREDICT] - e->reference_ns[SP_STAGE_PREDICT], 90000, 1e-3);
  assert_near(e->side_slow_ns[SP_STAGE_PREDICT] - e->reference_slow_ns[SP_STAGE_PREDICT], 500000, 1e-3);
  assert_near(e->residual_ns, 10000, 1e-3); // server and rpc_other lie inside predict: not counted twice
  assert_true(isnan(e->reference_ns[SP_STAGE_SERVER]) && isnan(e->side_ns[SP_STAGE_TRANSIT]));
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_a_missed_bound_fails(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 1, 6, 1, 12); // 12 ms
  struct sp_comparison *c = judge(&trials);
  assert_int_equal(c->exit_code, 1);
  assert_says(c->verdict, "b misses p99 <= 10ms, a meets it");
  assert_int_equal(c->sides[1].n_bounds_missed, 12);
  assert_int_equal(c->sides[1].bounds[0].met, SP_MET_NO);
  assert_near(c->sides[1].bounds[0].value, 12e6, 3e4);
  sp_comparison_free(c);
  for (size_t p = 1; p < 12; p++) { // one trial alone is not the side
    sp_trials_result(&trials, 2 * p + 1)->bounds[0].met = SP_MET_YES;
    sp_trials_result(&trials, 2 * p + 1)->bounds[0].value = 2e6;
  }
  c = judge(&trials);
  assert_int_equal(c->exit_code, 0);
  assert_int_equal(c->sides[1].bounds[0].met, SP_MET_YES);
  assert_true(has_line(c->remarks, c->n_remarks, "b missed a bound in 1 of 12 trials"));
  sp_comparison_free(c);
  for (size_t p = 0; p < 12; p++) { // no answer: no value, and missed
    sp_trials_result(&trials, 2 * p + 1)->bounds[0].met = SP_MET_NO;
    sp_trials_result(&trials, 2 * p + 1)->bounds[0].value = NAN;
  }
  c = judge(&trials);
  assert_int_equal(c->exit_code, 1);
  assert_true(isnan(c->sides[1].bounds[0].value));
  sp_comparison_free(c);
  for (size_t p = 0; p < 8; p++) sp_trials_result(&trials, 2 * p + 1)->bounds[0].met = SP_MET_UNKNOWN;
  c = judge(&trials);
  assert_int_equal(c->sides[1].bounds[0].met, SP_MET_UNKNOWN);
  assert_int_equal(c->exit_code, 0);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_a_wrong_answer_fails_whatever_else(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 0.5, 0.5, 0.5, 12);
  struct sp_result *r = sp_trials_result(&trials, 5);
  r->outcomes[SP_OUTCOME_OK]--;
  r->outcomes[SP_OUTCOME_MISMATCH]++;
  r->predictions.mismatched = 1;
  struct sp_comparison *c = judge(&trials);
  assert_int_equal(c->exit_code, 1);
  assert_says(c->verdict, "1 of 120,000 predictions of b are not what was expected; ");
  sp_comparison_free(c);
  sp_result_invalid(r, "late"); // and its trial need not count
  c = judge(&trials);
  assert_int_equal(c->exit_code, 1);
  assert_says(c->verdict, "predictions of b in trials that do not count are not what was expected: 1; ");
  assert_int_equal(c->sides[1].n_mismatched, 0);
  assert_int_equal(c->sides[1].n_mismatched_left_out, 1);
  // What was checked is that of whole pairs: the other trial of its pair is left out with it.
  assert_int_equal(c->sides[0].n_checked, 110000);
  assert_int_equal(c->sides[1].n_checked, 110000);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_answers_that_differ_between_sides_fail(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 1, 1, 1, 12);
  struct sp_comparison *c = sp_comparison_new();
  c->predictions.compared = 240000;
  c->predictions.differing = 3;
  sp_judge(&plan, trials.items, trials.n, c);
  assert_int_equal(c->exit_code, 1);
  assert_says(c->verdict, "3 of 240,000 predictions differ between the sides");
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_stubs_and_delays_are_named(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 1, 1, 1, 12);
  for (size_t p = 0; p < 12; p++) {
    struct sp_result *r = sp_trials_result(&trials, 2 * p + 1);
    free(r->predictions.source);
    r->predictions.source = sp_copy_text("stub");
    sp_facts_text(&r->server, "stub", "fixed");
    sp_facts_count(&r->server, "emulated_delay_ns", 200000);
    sp_facts_flag(&r->machine, "co_located", true);
  }
  struct sp_comparison *c = judge(&trials);
  assert_false(has_line(c->remarks, c->n_remarks, "wake_latency"));
  sp_comparison_free(c);
  for (size_t i = 0; i < trials.n; i++)
    sp_facts_count(&sp_trials_result(&trials, i)->load, "wake_latency_ns", 0);
  c = judge(&trials);
  assert_true(has_line(c->remarks, c->n_remarks,
                       "wake_latency was set: idle processors slept no deeper than to wake within 0 µs"));
  assert_string_equal(c->sides[1].label, "b, stub, delay 200us emulated");
  assert_string_equal(c->sides[0].label, "a");
  assert_true(c->sides[1].is_stub && !c->sides[0].is_stub && c->sides[1].is_co_located);
  assert_true(has_line(c->remarks, c->n_remarks, "b answers from a stub"));
  assert_true(has_line(c->remarks, c->n_remarks, "co-located"));
  assert_true(has_line(c->remarks, c->n_remarks, "b calls through a relay"));
  assert_false(has_line(c->remarks, c->n_remarks, "a calls through a relay"));
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_too_many_invalid_trials(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 2, 2, 2, 20);
  const size_t invalid[] = {1, 4, 9, 14}; // 4 of 40, of both sides: a tenth
  for (size_t i = 0; i < 4; i++) sp_result_invalid(sp_trials_result(&trials, invalid[i]), "late");
  struct sp_comparison *c = judge(&trials);
  assert_int_equal(c->n_pairs, 16);
  assert_int_equal(c->exit_code, 0);
  assert_true(has_line(c->remarks, c->n_remarks, "2 of 20 trials of a are invalid"));
  sp_comparison_free(c);
  sp_result_invalid(sp_trials_result(&trials, 19), "late");
  c = judge(&trials);
  assert_int_equal(c->exit_code, 2);
  assert_says(c->verdict, "no verdict: 5 of 40 trials are invalid, more than a tenth; see their reasons");
  for (size_t i = 0; i < c->n_metrics; i++)
    assert_true(c->metrics[i].verdict == SP_VERDICT_INCONCLUSIVE || !c->metrics[i].is_primary);
  sp_comparison_free(c);
  struct sp_check late = {.name = "late_share", .value = 0.4, .limit = 0.01, .remedy = "use a lower --rate"};
  struct sp_result *r = sp_trials_result(&trials, 9);
  struct sp_check *own = r->checks;
  size_t n_own = r->n_checks;
  r->checks = &late;
  r->n_checks = 1;
  c = judge(&trials);
  assert_says(c->verdict, "no verdict: 5 of 40 trials are invalid, more than a tenth; use a lower --rate");
  r->checks = own;
  r->n_checks = n_own;
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_nothing_valid_is_still_named(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 2, 2, 2, 1);
  for (size_t i = 0; i < 2; i++) sp_result_invalid(sp_trials_result(&trials, i), "late");
  struct sp_comparison *c = judge(&trials);
  assert_int_equal(c->n_pairs, 0);
  assert_string_equal(sp_facts_text_of(&c->scenario, "name", "-"), "made-up");
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_lopsided_invalid_trials(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add_pairs(&trials, 2, 2, 2, 60); // 5 of 120 are few, but all of b
  for (size_t i = 0; i < 5; i++) sp_result_invalid(sp_trials_result(&trials, 2 * i + 1), "late");
  struct sp_comparison *c = judge(&trials);
  assert_int_equal(c->exit_code, 2);
  assert_says(c->verdict, "no verdict: all 5 invalid trials are of b");
  sp_comparison_free(c);
  sp_result_invalid(sp_trials_result(&trials, 20), "late");
  c = judge(&trials);
  assert_int_equal(c->exit_code, 0);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

static void test_nothing_at_all(void **state) {
  (void)state;
  const struct sp_judge_trial nothing[] = {{.dir = "x", .side_i = 0, .failure = "the broker went away"},
                                           {.dir = "y", .side_i = 1, .failure = "the broker went away"}};
  struct sp_comparison *c = sp_comparison_new();
  sp_judge(&plan, nothing, 2, c);
  assert_int_equal(c->exit_code, 2);
  assert_int_equal(c->n_pairs, 0);
  assert_string_equal(c->trials[1].reason, "the broker went away");
  assert_false(sp_judge_has_concluded(c));
  sp_comparison_free(c);
  c = sp_comparison_new();
  sp_judge(&plan, NULL, 0, c);
  assert_int_equal(c->exit_code, 4);
  sp_comparison_free(c);
}

static void test_one_side_alone(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  const struct sp_trials_side slow = {"a", 400000, 12000000, 24, 0, 0, 0};
  struct sp_judge_plan alone = plan;
  alone.n_sides = 1;
  for (size_t p = 0; p < 12; p++) sp_trials_add(&trials, &slow, 0, p);
  struct sp_comparison *c = sp_comparison_new();
  sp_judge(&alone, trials.items, trials.n, c);
  assert_int_equal(c->n_metrics, 0);
  assert_int_equal(c->n_pairs, 12);
  assert_int_equal(c->exit_code, 1);
  sp_comparison_free(c);
  sp_trials_done(&trials);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_winner_is_named_with_what_it_wins),
      cmocka_unit_test(test_where_the_time_goes),
      cmocka_unit_test(test_a_missed_bound_fails),
      cmocka_unit_test(test_a_wrong_answer_fails_whatever_else),
      cmocka_unit_test(test_answers_that_differ_between_sides_fail),
      cmocka_unit_test(test_stubs_and_delays_are_named),
      cmocka_unit_test(test_too_many_invalid_trials),
      cmocka_unit_test(test_nothing_valid_is_still_named),
      cmocka_unit_test(test_lopsided_invalid_trials),
      cmocka_unit_test(test_nothing_at_all),
      cmocka_unit_test(test_one_side_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
