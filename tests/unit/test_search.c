// The search's steps on a probe that is told what to answer, and its honesty on noise: where the truth is known, the bracket
// holds it. What a trial is worth, on results made by hand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "decide/search_probe.h"

// --- Steps ---

struct system {
  double truth_per_s;                   // passes up to here
  double driver_per_s;                  // above, trials are invalid; 0: never
  double false_fails, invalids, pauses; // shares of trials; a pause is two failures in a row
  bool is_paused;
  struct sp_prng prng;
  double deny_per_s; // trials at this rate fail from when it is confirmed; 0: none
  struct sp_search *search;
  uint64_t last_seed;
  int n_left; // trials until an error; negative: none
};

static bool chance(struct system *system, double share) {
  return share > 0 && (double)sp_prng_below(&system->prng, 1000000) < share * 1e6;
}

static bool is_disturbed(struct system *system) {
  if (system->is_paused) {
    system->is_paused = false;
    return true;
  }
  system->is_paused = chance(system, system->pauses);
  return system->is_paused || chance(system, system->false_fails);
}

static enum sp_err answer(void *context, double rate_per_s, uint64_t seed, struct sp_probe_outcome *outcome,
                          struct sp_error *error) {
  struct system *system = context;
  if (system->n_left-- == 0) return sp_fail(error, SP_ERR_ENVIRONMENT, "the server is gone");
  assert_int_equal(seed, system->last_seed + 1); // no seed twice
  system->last_seed = seed;
  const struct sp_search_rate *rate = &system->search->rates[system->search->n_rates - 1];
  assert_true(rate->per_s == rate_per_s);
  bool is_denied = rate->phase >= SP_SEARCH_CONFIRMING && rate_per_s == system->deny_per_s;
  bool is_high = rate_per_s > system->truth_per_s;
  if ((system->driver_per_s > 0 && rate_per_s > system->driver_per_s) || chance(system, system->invalids))
    *outcome = (struct sp_probe_outcome){SP_PROBE_INVALID, "late"};
  else if (is_high || is_denied || is_disturbed(system))
    *outcome = (struct sp_probe_outcome){SP_PROBE_FAILED, "p99 12.1ms > 10ms"};
  else
    *outcome = (struct sp_probe_outcome){SP_PROBE_PASSED, "p99 9ms <= 10ms"};
  return SP_OK;
}

static enum sp_err search(struct system *system, double from_per_s, double most_per_s,
                          struct sp_search *found) {
  struct sp_search_plan plan = {.from_per_s = from_per_s,
                                .least_per_s = 20,
                                .most_per_s = most_per_s,
                                .precision = 0.05,
                                .first_seed = 1,
                                .most_trials = 100,
                                .probe = answer,
                                .context = system};
  struct sp_error error;
  *found = (struct sp_search){0};
  system->search = found;
  if (!system->n_left) system->n_left = -1;
  return sp_search_run(&plan, found, &error);
}

static void assert_text(const struct sp_search *found, const char *wanted) {
  char text[SP_SEARCH_TEXT_BYTES];
  assert_string_equal(sp_search_text(found, text, sizeof text), wanted);
}

static void test_bracket(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 4850};
  struct sp_search found;
  assert_int_equal(search(&system, 500, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_BRACKET);
  assert_true(found.low_per_s <= 4850 && found.high_per_s > 4850);
  assert_true(found.high_per_s <= found.low_per_s * 1.05);
  // 500, 1000, 2000, 4000 pass by a trial each; what fails takes two; the last questions are put to both ends again.
  assert_true(found.rates[3].per_s == 4000 && found.rates[3].n_passed == 1);
  assert_true(found.rates[4].per_s == 8000 && found.rates[4].n_failed == 2);
  const struct sp_search_rate *last = &found.rates[found.n_rates - 2];
  assert_int_equal(last->phase, SP_SEARCH_CONFIRMING);
  assert_true(last->per_s == found.low_per_s);
  assert_int_equal(last[1].phase, SP_SEARCH_RECHECKING);
  assert_true(last[1].per_s == found.high_per_s && last[1].n_failed == 1);
  assert_text(&found, "4,757/s (next 4,968/s failed: p99 12.1ms > 10ms)");
  sp_search_done(&found);
}

static void test_comes_down_from_above(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 300};
  struct sp_search found;
  assert_int_equal(search(&system, 5000, 1e6, &found), SP_OK);
  assert_int_equal(found.rates[1].phase, SP_SEARCH_HALVING);
  assert_int_equal(found.verdict, SP_SEARCH_BRACKET);
  assert_true(found.low_per_s <= 300 && found.high_per_s > 300);
  sp_search_done(&found);
}

static void test_nothing_is_sustained(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 1};
  struct sp_search found;
  assert_int_equal(search(&system, 100, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_NONE);
  assert_text(&found, "none (20/s failed: p99 12.1ms > 10ms)");
  sp_search_done(&found);
}

static void test_limits(void **state) {
  (void)state;
  struct system driver = {.truth_per_s = 1e9, .driver_per_s = 7000},
                hopeless = {.truth_per_s = 1e9, .driver_per_s = 1}, capped = {.truth_per_s = 1e9};
  struct sp_search found;
  assert_int_equal(search(&driver, 500, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_DRIVER_LIMITED);
  assert_true(found.low_per_s <= 7000 && found.high_per_s > 7000);
  assert_text(&found, ">= 6,727/s, driver-limited (7,025/s: late)");
  sp_search_done(&found);
  assert_int_equal(search(&hopeless, 500, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_UNKNOWN);
  assert_int_equal(found.n_trials, 6); // 500/s and 250/s: it is not the rate
  sp_search_done(&found);
  assert_int_equal(search(&capped, 500, 3000, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_CAPPED);
  assert_text(&found, ">= 3,000/s (no rate above was tried)");
  sp_search_done(&found);
}

// A system below the driver's limit is found in spite of it.
static void test_invalid_above_and_failed_below(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 5000, .driver_per_s = 6000};
  struct sp_search found;
  assert_int_equal(search(&system, 500, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_BRACKET);
  assert_true(found.low_per_s <= 5000 && found.high_per_s > 5000);
  sp_search_done(&found);
}

static void test_steps_down(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 4850, .deny_per_s = 4757};
  struct sp_search found;
  assert_int_equal(search(&system, 500, 1e6, &found), SP_OK);
  assert_int_equal(found.verdict, SP_SEARCH_BRACKET);
  assert_int_equal(found.n_stepped_down, 1);
  assert_true(found.high_per_s == 4757 && found.low_per_s < 4757 && found.low_per_s > 4757 / 1.05);
  sp_search_done(&found);
}

static void test_an_error_ends_it(void **state) {
  (void)state;
  struct system system = {.truth_per_s = 4850, .n_left = 6};
  struct sp_search found;
  assert_int_equal(search(&system, 500, 1e6, &found), SP_ERR_ENVIRONMENT);
  assert_int_equal(found.verdict, SP_SEARCH_UNFINISHED);
  assert_int_equal(found.n_trials, 6);
  assert_text(&found, "unfinished after 6 trials: 4,000/s passed, 8,000/s did not");
  sp_search_done(&found);
}

// --- Noise ---

#define N_SEARCHES 2000

// Of many searches for a truth anywhere, the share whose bracket holds it.
static double share_held(struct system noise) {
  int n_held = 0;
  struct sp_prng truths;
  sp_prng_init(&truths, 99, SP_PRNG_TEST);
  for (int i = 0; i < N_SEARCHES; i++) {
    struct system system = noise;
    struct sp_search found;
    system.truth_per_s = 600 + (double)sp_prng_below(&truths, 20000);
    sp_prng_init(&system.prng, (uint64_t)i + 1, SP_PRNG_TEST);
    assert_int_equal(search(&system, 500, 1e6, &found), SP_OK);
    assert_true(found.n_trials <= 60);
    n_held += found.low_per_s <= system.truth_per_s && found.high_per_s > system.truth_per_s &&
              found.high_per_s <= found.low_per_s * 1.05;
    sp_search_done(&found);
  }
  return (double)n_held / N_SEARCHES;
}

static void test_noise(void **state) {
  (void)state;
  double fails = share_held((struct system){.false_fails = 0.05});
  double invalids = share_held((struct system){.false_fails = 0.05, .invalids = 0.05});
  double pauses = share_held((struct system){.pauses = 0.005, .false_fails = 0.04, .invalids = 0.05});
  print_message(
      "holds the truth: %.3f of searches with 5 %% false failures, %.3f with 5 %% invalid trials too, "
      "%.3f with pauses over two trials\n",
      fails, invalids, pauses);
  assert_true(fails >= 0.95 && invalids >= 0.95 && pauses >= 0.95);
}

// --- What a trial is worth ---

static const struct sp_side side = {.name = (char *)"rpc"};

static struct sp_result *good_result(void) {
  struct sp_result *r = sp_result_new();
  r->complete = true;
  r->intended = 20000;
  r->outcomes[SP_OUTCOME_OK] = 20000;
  r->window_s = 10;
  r->offered_per_s = 2000;
  r->backlog_at_t1 = 5;
  r->response.present = true;
  r->response.percentile_ns[SP_P99] = 8 * SP_NS_PER_MS;
  r->response.state[SP_P99] = SP_PERCENTILE_RESOLVED;
  return r;
}

static void assert_judged(struct sp_result *r, enum sp_probe_verdict verdict, const char *reason) {
  struct sp_search_slo slo;
  struct sp_probe_outcome outcome;
  sp_search_slo_of(&(struct sp_expect_conf){.not_ok = 0.001}, &side, &slo);
  sp_search_judge(&slo, r, &outcome);
  assert_string_equal(outcome.reason, reason);
  assert_int_equal(outcome.verdict, verdict);
  sp_result_free(r);
}

static void test_judging_the_system(void **state) {
  (void)state;
  assert_judged(good_result(), SP_PROBE_PASSED, "p99 8ms <= 10ms");
  struct sp_result *r = good_result();
  r->response.percentile_ns[SP_P99] = 12100000;
  assert_judged(r, SP_PROBE_FAILED, "p99 12.1ms > 10ms");
  r = good_result();
  r->response.state[SP_P99] = SP_PERCENTILE_NO_ANSWER;
  r->response.percentile_ns[SP_P99] = -1;
  assert_judged(r, SP_PROBE_FAILED, "p99 no answer > 10ms");
  r = good_result();
  r->outcomes[SP_OUTCOME_LOST] = 1;
  r->outcomes[SP_OUTCOME_OK]--;
  assert_judged(r, SP_PROBE_FAILED, "1 event lost");
  r = good_result();
  r->outcomes[SP_OUTCOME_DEADLINE] = 40;
  r->outcomes[SP_OUTCOME_OK] -= 40;
  assert_judged(r, SP_PROBE_FAILED, "not ok 0.2% > 0.1%");
  r = good_result();
  r->backlog_at_t1 = 21; // 2,000/s x 10ms is 20
  assert_judged(r, SP_PROBE_FAILED, "backlog 21 > 20 at the end");
  r = good_result();
  sp_result_check(r, "backlog_at_t0", 500, 20, false, "events waited when the window began: 500, limit 20",
                  NULL);
  r->backlog_at_t1 = 900;
  assert_judged(r, SP_PROBE_FAILED, "backlog 900 > 20 at the end");
}

static void test_judging_the_driver(void **state) {
  (void)state;
  struct sp_result *r = good_result();
  sp_result_check(r, "late_share", 0.02, 0.01, false, "late", NULL);
  r->response.percentile_ns[SP_P99] = 12100000;
  assert_judged(r, SP_PROBE_INVALID, "late");
  r = good_result();
  sp_result_check(r, "backlog_at_t0", 500, 20, false, "events waited when the window began: 500, limit 20",
                  NULL);
  sp_result_check(r, "steal_share", 0.1, 0.02, false, "stolen", NULL);
  r->backlog_at_t1 = 900;
  assert_judged(r, SP_PROBE_INVALID, "stolen");
  r = good_result();
  sp_result_check(r, "backlog_at_t0", 500, 20, false, "events waited when the window began: 500, limit 20",
                  NULL);
  assert_judged(r, SP_PROBE_INVALID, "warm-up had not settled; use a longer --warmup");
  r = good_result();
  r->response.percentile_ns[SP_P99] = 12100000;
  r->response.driver_limited[SP_P99] = true;
  assert_judged(r, SP_PROBE_INVALID, "p99 12.1ms > 10ms (driver-limited)");
  r = good_result();
  r->response.state[SP_P99] = SP_PERCENTILE_UNRESOLVED;
  r->response.percentile_ns[SP_P99] = -1;
  assert_judged(r, SP_PROBE_INVALID, "p99 unresolved: too few events");
  r = good_result();
  r->complete = false;
  r->incomplete = sp_copy_text("ended by signal 2");
  assert_judged(r, SP_PROBE_INVALID, "ended by signal 2");
  r = good_result();
  r->backlog_at_t1 = -1;
  assert_judged(r, SP_PROBE_INVALID, "the result does not say how many events waited at the end");
}

static void test_bounds(void **state) {
  (void)state;
  struct sp_search_slo slo;
  char text[160];
  sp_search_slo_of(&(struct sp_expect_conf){.not_ok = -1}, &side, &slo);
  assert_string_equal(sp_search_slo_text(&slo, text, sizeof text),
                      "p99 <= 10ms (standard), not ok <= 0.1% (standard)");
  sp_search_slo_of(&(struct sp_expect_conf){.p50_ns = 1000000, .p99_9_ns = 50000000, .not_ok = 0.001}, &side,
                   &slo);
  assert_string_equal(sp_search_slo_text(&slo, text, sizeof text),
                      "p50 <= 1ms, p99_9 <= 50ms, not ok <= 0.1%");
  assert_int_equal(slo.backlog_ns, 50000000);
  assert_int_equal(sp_search_slo_events(&slo), 26000);
  struct sp_side exact = {.app = {.delivery = SP_DELIVERY_EXACTLY_ONCE, .commit_interval_ns = 100000000}};
  sp_search_slo_of(&(struct sp_expect_conf){.p99_ns = 10000000, .not_ok = -1}, &exact, &slo);
  assert_int_equal(slo.backlog_ns, 210000000);
}

static void test_length_of_a_trial(void **state) {
  (void)state;
  struct sp_search_slo slo;
  struct sp_search_options standard = {0}, brief = {.probe_ns = 2 * SP_NS_PER_S},
                           thorough = {.probe_ns = 300 * SP_NS_PER_S};
  sp_search_slo_of(&(struct sp_expect_conf){.not_ok = -1}, &side, &slo);
  assert_int_equal(sp_search_duration_ns(&slo, &standard, 5000), 10 * SP_NS_PER_S);
  assert_int_equal(sp_search_duration_ns(&slo, &standard, 500), 40 * SP_NS_PER_S);
  assert_int_equal(sp_search_duration_ns(&slo, &standard, 50), SP_SEARCH_LONGEST_NS);
  assert_int_equal(sp_search_duration_ns(&slo, &brief, 5000), 2 * SP_NS_PER_S);
  assert_int_equal(sp_search_duration_ns(&slo, &brief, 500), 6 * SP_NS_PER_S); // p99 of fewer is not resolved
  assert_int_equal(sp_search_duration_ns(&slo, &thorough, 50), 300 * SP_NS_PER_S);
  // At 1.1 times what is sustainable 10 s end with a backlog of 1 s: they would pass.
  sp_search_slo_of(&(struct sp_expect_conf){.p99_ns = SP_NS_PER_S, .not_ok = -1}, &side, &slo);
  assert_int_equal(sp_search_duration_ns(&slo, &standard, 5000), 20 * SP_NS_PER_S);
  assert_int_equal(sp_search_duration_ns(&slo, &brief, 5000), 2 * SP_NS_PER_S);
  sp_search_slo_of(&(struct sp_expect_conf){.p99_ns = 30 * SP_NS_PER_S, .not_ok = -1}, &side, &slo);
  assert_int_equal(sp_search_duration_ns(&slo, &standard, 5000), SP_SEARCH_LONGEST_NS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bracket),
      cmocka_unit_test(test_comes_down_from_above),
      cmocka_unit_test(test_nothing_is_sustained),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_invalid_above_and_failed_below),
      cmocka_unit_test(test_steps_down),
      cmocka_unit_test(test_an_error_ends_it),
      cmocka_unit_test(test_noise),
      cmocka_unit_test(test_judging_the_system),
      cmocka_unit_test(test_judging_the_driver),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_length_of_a_trial),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
