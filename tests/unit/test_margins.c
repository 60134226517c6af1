// The gate's decision by hand-made values, and how often it is right over hundreds of simulated gates.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "decide/calibration.h"
#include "decide/margins.h"

static void assert_says(const char *text, const char *part) {
  if (!text || !strstr(text, part)) fail_msg("\"%s\" does not say \"%s\"", text ? text : "(nothing)", part);
}

static void done(struct sp_gate_figures *gate) {
  for (size_t i = 0; i < gate->n_metrics; i++) free(gate->metrics[i].why);
  free(gate->metrics);
  *gate = (struct sp_gate_figures){0};
}

// n values around log(times), `spread` wide, symmetric.
static void fill(double *values, size_t n, double times, double spread) {
  for (size_t i = 0; i < n; i++)
    values[i] = log(times) + spread * (n > 1 ? (double)i / (double)(n - 1) - 0.5 : 0);
}

static struct sp_gate_input input_of(const double *worse, size_t n) {
  return (struct sp_gate_input){
      .metric = sp_metric_find("cpu_per_event"), .margin = 0.05, .worse = worse, .n = n};
}

static void test_pass_fail_and_neither(void **state) {
  (void)state;
  double values[12], fresh[12];
  struct sp_gate_figures gate = {0};
  struct sp_gate_input input = input_of(values, 12);
  fill(values, 12, 1.02, 0.02);
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_PASS);
  assert_null(gate.metrics[0].why);
  fill(values, 12, 0.5, 0.02); // better is no failure
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_PASS);
  fill(values, 12, 1.06, 0.06);
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  assert_false(sp_gate_wants_fresh(&gate));
  assert_true(gate.metrics[0].pairs_needed >= 14);
  assert_says(gate.metrics[0].why, "with the margin 5 % inside");
  fill(values, 12, 1.12, 0.02);
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  assert_true(sp_gate_wants_fresh(&gate));
  assert_says(gate.metrics[0].why, "12 fresh pairs must confirm");
  fill(fresh, 12, 1.12, 0.02);
  input.fresh = fresh;
  input.n_fresh = 12;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  assert_int_equal(gate.n_fresh, 12);
  assert_says(gate.metrics[0].why, "confirmed by 12 fresh pairs");
  done(&gate);
}

static void test_a_failure_that_fresh_pairs_do_not_confirm(void **state) {
  (void)state;
  double values[12], fresh[12];
  struct sp_gate_figures gate = {0};
  fill(values, 12, 1.12, 0.02);
  fill(fresh, 12, 1.04, 0.02);
  struct sp_gate_input input = input_of(values, 12);
  input.fresh = fresh;
  input.n_fresh = 12;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  assert_false(sp_gate_wants_fresh(&gate));
  assert_says(gate.metrics[0].why, "do not confirm");
  fill(fresh, 12, 1.12, 0.02); // convincing, but too few
  input.n_fresh = 11;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  done(&gate);
}

// More of them are wanted until 12 have one; those after the twelfth are not asked.
static void test_fresh_pairs_without_a_value_are_replaced(void **state) {
  (void)state;
  double values[12], fresh[18];
  struct sp_gate_figures gate = {0};
  fill(values, 12, 1.12, 0.02);
  fill(fresh, 18, 1.12, 0.02);
  struct sp_gate_input input = input_of(values, 12);
  input.fresh = fresh;
  fresh[0] = fresh[5] = NAN;
  for (input.n_fresh = 12; input.n_fresh < 14; input.n_fresh++) {
    sp_gate_decide(&input, 1, 0.01, &gate);
    assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
    assert_true(sp_gate_wants_fresh(&gate));
    assert_says(gate.metrics[0].why, "too few of");
  }
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  assert_int_equal(gate.n_fresh, 14);
  assert_says(gate.metrics[0].why, "confirmed by 12 fresh pairs");
  fill(fresh + 14, 4, 0.5, 0.02);
  input.n_fresh = 18;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  fresh[1] = NAN; // one of 12 may be missing
  fresh[0] = fresh[5] = log(1.12);
  input.n_fresh = 12;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  assert_says(gate.metrics[0].why, "confirmed by 11 fresh pairs");
  done(&gate);
}

// Pairs that one metric needs are no second chance for another.
static void test_each_metric_is_asked_once(void **state) {
  (void)state;
  double values[12], of_p50[18], of_cpu[18];
  struct sp_gate_figures gate = {0};
  fill(values, 12, 1.12, 0.02);
  fill(of_p50, 18, 1.12, 0.02);
  fill(of_cpu, 12, 1.02, 0.02); // says no, with one value missing
  fill(of_cpu + 12, 6, 2, 0.02);
  of_p50[0] = of_p50[1] = of_cpu[3] = NAN;
  struct sp_gate_input inputs[2] = {input_of(values, 12), input_of(values, 12)};
  inputs[0].metric = sp_metric_find("response_p50");
  inputs[0].fresh = of_p50;
  inputs[1].fresh = of_cpu;
  for (size_t n = 12; n <= 18; n++) {
    inputs[0].n_fresh = inputs[1].n_fresh = n;
    sp_gate_decide(inputs, 2, 0.01, &gate);
    assert_int_equal(gate.metrics[1].verdict, SP_GATE_INCONCLUSIVE);
    assert_says(gate.metrics[1].why, "which 11 fresh pairs do not confirm");
    assert_int_equal(gate.metrics[0].verdict, n < 14 ? SP_GATE_INCONCLUSIVE : SP_GATE_FAIL);
    assert_true(sp_gate_wants_fresh(&gate) == (n < 14));
  }
  fill(of_cpu, 12, 1.12, 0.02); // and what it has confirmed stays confirmed
  of_cpu[3] = of_cpu[12] = of_cpu[13] = NAN;
  inputs[0].n_fresh = inputs[1].n_fresh = 13;
  sp_gate_decide(inputs, 2, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  inputs[0].n_fresh = inputs[1].n_fresh = 7; // broken off
  sp_gate_decide(inputs, 2, 0.01, &gate);
  assert_says(gate.metrics[1].why, "must confirm; 7 were measured");
  done(&gate);
}

static void test_no_answer_fails_and_silence_does_not_pass(void **state) {
  (void)state;
  double values[12], none[12];
  struct sp_gate_figures gate = {0};
  struct sp_gate_input input = input_of(values, 12);
  for (size_t i = 0; i < 12; i++) values[i] = INFINITY, none[i] = NAN;
  input.fresh = values;
  input.n_fresh = 12;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_FAIL);
  input.worse = none;
  input.n_fresh = 0;
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  assert_says(gate.metrics[0].why, "too few pairs");
  fill(values, 12, 1, 0.001);
  input.worse = values;
  input.n = 6; // no interval at 99 %
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  input.n = 12;
  input.why_not = "driver-limited in 5 of 12 trials";
  sp_gate_decide(&input, 1, 0.01, &gate);
  assert_int_equal(gate.verdict, SP_GATE_INCONCLUSIVE);
  assert_string_equal(gate.metrics[0].why, "driver-limited in 5 of 12 trials");
  done(&gate);
}

// Three metrics: one whose p alone would do, but not three-fold; two that are worse let it in.
static void test_lower_bounds_step_down(void **state) {
  (void)state;
  double a[12], b[12], c[12];
  struct sp_gate_figures gate = {0};
  fill(a, 12, 1.0, 0.02);
  fill(b, 12, 1.0, 0.02);
  fill(c, 12, 1.2, 0.02);
  c[0] = log(1.04); // an outer value below the margin: p = 0.0063 by the sign test's next step
  struct sp_gate_input inputs[] = {input_of(a, 12), input_of(b, 12), input_of(c, 12)};
  sp_gate_decide(inputs, 3, 0.01, &gate);
  assert_int_equal(gate.metrics[2].verdict, SP_GATE_INCONCLUSIVE);
  double alone = gate.metrics[2].lower;
  assert_true(alone < 1.05);
  fill(a, 12, 1.3, 0.02);
  fill(b, 12, 1.3, 0.02);
  sp_gate_decide(inputs, 3, 0.01, &gate);
  assert_true(gate.metrics[2].lower > 1.05 && gate.metrics[2].lower > alone);
  inputs[0].is_guard = inputs[1].is_guard = true; // a guard takes no part
  fill(a, 12, 1.0, 0.02);
  fill(b, 12, 1.0, 0.02);
  sp_gate_decide(inputs, 3, 0.01, &gate);
  assert_true(gate.metrics[2].lower > 1.05);
  done(&gate);
}

static void test_calibration(void **state) {
  (void)state;
  struct sp_prng prng;
  const struct sp_look first_look = {12, 0.01};
  double pool[60], doubled[60];
  sp_prng_init(&prng, 1, SP_PRNG_TEST);
  for (size_t i = 0; i < 60; i++) {
    pool[i] = 0.02 * sp_prng_normal(&prng);
    doubled[i] = 2 * pool[i];
  }
  pool[7] = NAN;
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  double margin = sp_gate_calibrate(pool, 60, &first_look, 1, &prng);
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  double twice = sp_gate_calibrate(doubled, 60, &first_look, 1, &prng);
  assert_true(margin > 0.015 && margin < 0.06);
  assert_true(twice > 1.6 * margin && twice < 2.6 * margin);
  for (size_t i = 0; i < 60; i++) pool[i] = 0;
  assert_true(sp_gate_calibrate(pool, 60, &first_look, 1, &prng) == 0.005);
  assert_true(isnan(sp_gate_calibrate(pool, 60, &(struct sp_look){6, 0.01}, 1, &prng)));
  for (size_t i = 0; i < 6; i++) pool[9 * i] = NAN;
  assert_true(sp_gate_calibrate(pool, 60, &first_look, 1, &prng) == 0.005);
  pool[59] = NAN; // more than a tenth
  assert_true(isnan(sp_gate_calibrate(pool, 60, &first_look, 1, &prng)));
  for (size_t i = 0; i < 60; i++) pool[i] = NAN;
  assert_true(isnan(sp_gate_calibrate(pool, 60, &first_look, 1, &prng)));
  // White noise: means of four are half as far apart.
  double white[240];
  for (size_t i = 0; i < 240; i++) white[i] = 0.06 * sp_prng_normal(&prng);
  double of_pairs = sp_gate_calibrate(white, 240, &SP_GATE_CALIBRATION_LOOK, 1, &prng),
         of_means = sp_gate_calibrate(white, 240, &SP_GATE_CALIBRATION_LOOK, 4, &prng);
  assert_true(of_means > 0.35 * of_pairs && of_means < 0.7 * of_pairs);
  white[0] = INFINITY, white[3] = -INFINITY; // no answer on either side: that mean has no value
  assert_true(sp_gate_calibrate(white, 240, &SP_GATE_CALIBRATION_LOOK, 4, &prng) < 0.7 * of_pairs);
  for (size_t i = 0; i < 240; i += 8) white[i] = NAN; // an eighth of the pairs, though each mean has some
  assert_true(isnan(sp_gate_calibrate(white, 240, &SP_GATE_CALIBRATION_LOOK, 4, &prng)));
  for (size_t i = 0; i < 60; i++) pool[i] = i % 2 ? 1 : -1; // e times as slow, or as fast
  assert_true(isnan(sp_gate_calibrate(pool, 60, &first_look, 1, &prng)));
}

// --- Simulated machines ---

#define N_POOL    60
#define N_GATES   200
#define N_METRICS 4

static const double noise[N_METRICS] = {0.04, 0.15, 0.02, 0}; // p50, p99, CPU; served: all are
static const char *const metrics[N_METRICS] = {"response_p50", "response_p99", "cpu_per_event", "served"};

struct machine { // drifts by a tenth over 160 trials, whatever runs on it
  struct sp_prng prng;
  size_t n_trials;
};

static double drift(struct machine *m) {
  return 0.1 * sin(2 * M_PI * (double)m->n_trials++ / 160);
}

// One pair, A B or B A in turn: log of how many times worse the candidate was.
static void run_pair(struct machine *m, size_t pair, double cpu_times, double *worse) {
  double first = drift(m), second = drift(m), candidate = pair % 2 ? first : second,
         base = pair % 2 ? second : first;
  for (size_t k = 0; k < N_METRICS; k++) {
    double shared = k == 3 ? 0 : candidate - base;
    worse[k] = shared + noise[k] * (sp_prng_normal(&m->prng) - sp_prng_normal(&m->prng));
  }
  worse[2] += log(cpu_times);
}

struct series {
  double of[N_METRICS][N_POOL];
};

static void run_pairs(struct machine *m, size_t from, size_t to, double cpu_times, struct series *series) {
  double worse[N_METRICS];
  for (size_t p = from; p < to; p++) {
    run_pair(m, p, cpu_times, worse);
    for (size_t k = 0; k < N_METRICS; k++) series->of[k][p] = worse[k];
  }
}

static void calibrate(struct machine *m, double *margins) {
  struct series pool;
  run_pairs(m, 0, N_POOL, 1, &pool);
  for (size_t k = 0; k < 3; k++)
    margins[k] = sp_gate_calibrate(pool.of[k], N_POOL, &SP_GATE_CALIBRATION_LOOK, 1, &m->prng);
  margins[3] = SP_GATE_SERVED_MARGIN;
}

static enum sp_gate_verdict run_gate(struct machine *m, const double *margins, double cpu_times) {
  struct sp_look looks[SP_LOOKS_MAX];
  struct series pairs, fresh;
  struct sp_gate_figures gate = {0};
  size_t n_looks = sp_judge_looks(24, 1, looks), n_done = 0, n_fresh = 0;
  for (size_t l = 0; l < n_looks; l++) {
    run_pairs(m, n_done, looks[l].n_pairs, cpu_times, &pairs);
    n_done = looks[l].n_pairs;
    for (int again = 0; again < 2; again++) {
      struct sp_gate_input inputs[N_METRICS];
      for (size_t k = 0; k < N_METRICS; k++)
        inputs[k] = (struct sp_gate_input){.metric = sp_metric_find(metrics[k]),
                                           .margin = margins[k],
                                           .is_guard = k == 3,
                                           .worse = pairs.of[k],
                                           .n = n_done,
                                           .fresh = fresh.of[k],
                                           .n_fresh = n_fresh};
      sp_gate_decide(inputs, N_METRICS, looks[l].alpha, &gate);
      if (!sp_gate_wants_fresh(&gate)) break;
      run_pairs(m, 0, n_fresh = SP_GATE_FRESH, cpu_times, &fresh);
    }
    if (gate.verdict != SP_GATE_INCONCLUSIVE || n_fresh) break; // fresh pairs have the last word
  }
  enum sp_gate_verdict verdict = gate.verdict;
  done(&gate);
  return verdict;
}

struct tally {
  int pass, fail;
};

// Calibrated once for every 20 gates, so that no lucky pool decides.
static struct tally simulate(double cpu_times, uint64_t seed) {
  struct machine machine = {.n_trials = 0};
  struct tally tally = {0, 0};
  double margins[N_METRICS];
  sp_prng_init(&machine.prng, seed, SP_PRNG_TEST);
  for (int i = 0; i < N_GATES; i++) {
    if (i % 20 == 0) calibrate(&machine, margins);
    enum sp_gate_verdict verdict = run_gate(&machine, margins, cpu_times);
    tally.pass += verdict == SP_GATE_PASS;
    tally.fail += verdict == SP_GATE_FAIL;
  }
  print_message("%d %% more CPU: %d of %d pass, %d fail\n", (int)lround(100 * (cpu_times - 1)), tally.pass,
                N_GATES, tally.fail);
  return tally;
}

static void test_nothing_changed_passes(void **state) {
  (void)state;
  struct tally tally = simulate(1, 11);
  assert_true(tally.fail <= N_GATES / 100);
  assert_true(100 * tally.pass >= 85 * N_GATES);
}

static void test_a_tenth_more_cpu_fails(void **state) {
  (void)state;
  struct tally tally = simulate(1.1, 12);
  assert_true(100 * tally.fail >= 95 * N_GATES);
  assert_int_equal(tally.pass, 0);
}

// For tests/peers/history_schema.py.
static int write_calibration(const char *dir) {
  struct sp_calibration made = {.mean_of = 6,
                                .at = sp_copy_text("2026-11-21T10:00:00.000Z"),
                                .case_name = sp_copy_text("fraud"),
                                .side = sp_copy_text("rpc"),
                                .fingerprint = sp_copy_text("xxh128:1"),
                                .load_digest = sp_copy_text("xxh128:2"),
                                .n_pairs = 60,
                                .n_blocks = 4,
                                .pause_s = 60};
  char *path = sp_format("%s/made/calibration.json", dir);
  sp_facts_real(&made.margins, "response_p50", 0.031);
  enum sp_err err = sp_calibration_write(&made, path, NULL);
  sp_calibration_done(&made);
  free(path);
  return err ? 3 : 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return write_calibration(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pass_fail_and_neither),
      cmocka_unit_test(test_a_failure_that_fresh_pairs_do_not_confirm),
      cmocka_unit_test(test_fresh_pairs_without_a_value_are_replaced),
      cmocka_unit_test(test_each_metric_is_asked_once),
      cmocka_unit_test(test_no_answer_fails_and_silence_does_not_pass),
      cmocka_unit_test(test_lower_bounds_step_down),
      cmocka_unit_test(test_calibration),
      cmocka_unit_test(test_nothing_changed_passes),
      cmocka_unit_test(test_a_tenth_more_cpu_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
