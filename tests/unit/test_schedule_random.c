// Schedules by chance and by recording: poisson against the theory of its process, trace against the recorded
// gaps.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/schedule.h"

#define S      INT64_C(1000000000)
#define N_GAPS 1000000

static struct sp_schedule *plan(const struct sp_load_conf *conf, const struct sp_recording *recording) {
  struct sp_schedule *schedule = NULL;
  struct sp_error error = {0};
  if (sp_schedule_new(conf, recording, &schedule, &error) != SP_OK) fail_msg("%s", error.text);
  return schedule;
}

static struct sp_schedule *plan_poisson(uint64_t seed) {
  struct sp_load_conf conf = {.arrival = SP_ARRIVAL_POISSON,
                              .rate = {1000, (uint64_t)S},
                              .duration_ns = 2000 * S,
                              .seed = seed,
                              .limit = N_GAPS};
  return plan(&conf, NULL);
}

static int compare_gaps(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Gaps in units of their mean, sorted if asked.
static double *gaps_of(const struct sp_schedule *schedule) {
  double *gaps = malloc(N_GAPS * sizeof *gaps);
  assert_non_null(gaps);
  for (size_t k = 0; k < N_GAPS; k++)
    gaps[k] = (double)(schedule->intended_ns[k] - (k ? schedule->intended_ns[k - 1] : 0)) / 1e6;
  return gaps;
}

static void test_poisson_gaps_are_exponential(void **state) {
  (void)state;
  struct sp_schedule *schedule = plan_poisson(1);
  assert_int_equal(schedule->n_events, N_GAPS);
  double *gaps = gaps_of(schedule);
  double sum = 0, sum2 = 0, lagged = 0;
  for (size_t k = 0; k < N_GAPS; k++) {
    sum += gaps[k];
    sum2 += gaps[k] * gaps[k];
    if (k) lagged += (gaps[k] - 1) * (gaps[k - 1] - 1);
  }
  double mean = sum / N_GAPS, variance = sum2 / N_GAPS - mean * mean;
  assert_true(fabs(mean - 1) < 4 / sqrt(N_GAPS));           // standard deviation of a gap: 1
  assert_true(fabs(variance - 1) < 4 * sqrt(8.0 / N_GAPS)); // of its square around the mean: sqrt(8)
  assert_true(fabs(lagged / N_GAPS) < 4 / sqrt(N_GAPS));    // gaps do not depend on each other
  qsort(gaps, N_GAPS, sizeof *gaps, compare_gaps);
  double distance = 0;
  for (size_t k = 0; k < N_GAPS; k++) {
    double truth = -expm1(-gaps[k]);
    distance = fmax(distance, fmax(truth - (double)k / N_GAPS, (double)(k + 1) / N_GAPS - truth));
  }
  assert_true(distance * sqrt(N_GAPS) < 1.95); // Kolmogorov-Smirnov, 0.1 %
  free(gaps);
  sp_schedule_free(schedule);
}

static void test_poisson_counts_are_poisson(void **state) {
  (void)state;
  struct sp_schedule *schedule = plan_poisson(2);
  enum { SLICES = 9000 }; // of 0.1 s, mean 100
  double *counts = calloc(SLICES, sizeof *counts), chi2 = 0;
  assert_non_null(counts);
  for (size_t k = 0; k < schedule->n_events; k++) {
    int64_t slice = schedule->intended_ns[k] / (S / 10);
    if (slice < SLICES) counts[slice]++;
  }
  for (size_t i = 0; i < SLICES; i++) chi2 += (counts[i] - 100) * (counts[i] - 100) / 100;
  assert_true(fabs(chi2 / SLICES - 1) < 4 * sqrt(2.0 / SLICES)); // variance = mean
  free(counts);
  sp_schedule_free(schedule);
}

static void test_a_seed_is_a_schedule(void **state) {
  (void)state;
  struct sp_schedule *a = plan_poisson(1), *again = plan_poisson(1), *b = plan_poisson(2);
  assert_memory_equal(a->intended_ns, again->intended_ns, N_GAPS * sizeof *a->intended_ns);
  size_t n_equal = 0;
  for (size_t k = 1; k < N_GAPS; k++)
    n_equal += a->intended_ns[k] - a->intended_ns[k - 1] == b->intended_ns[k] - b->intended_ns[k - 1];
  assert_true(n_equal < 20);
  // Pinned: another machine, compiler or libm must give these too.
  assert_int_equal(a->intended_ns[0], INT64_C(593721));
  assert_int_equal(a->intended_ns[N_GAPS - 1], INT64_C(1000447030018));
  sp_schedule_free(a);
  sp_schedule_free(again);
  sp_schedule_free(b);
}

static void test_poisson_warmup_is_the_same_process(void **state) {
  (void)state;
  struct sp_load_conf conf = {
      .arrival = SP_ARRIVAL_POISSON, .rate = {1000, (uint64_t)S}, .duration_ns = 10 * S, .seed = 9};
  struct sp_schedule *without = plan(&conf, NULL);
  conf.warmup_ns = 3 * S;
  conf.duration_ns = 7 * S;
  struct sp_schedule *with = plan(&conf, NULL);
  assert_int_equal(with->n_events, without->n_events);
  assert_memory_equal(with->intended_ns, without->intended_ns, with->n_events * sizeof *with->intended_ns);
  assert_true(with->intended_ns[with->n_warmup] >= 3 * S && with->intended_ns[with->n_warmup - 1] < 3 * S);
  sp_schedule_free(without);
  sp_schedule_free(with);
}

// --- trace ---

static char recording_name[] = "till";
static struct sp_event till_events[] = {
    {.offset_ns = 5}, {.offset_ns = 10}, {.offset_ns = 40}, {.offset_ns = 40}, {.offset_ns = 106}};
static struct sp_recording till(void) {
  return (struct sp_recording){
      .header = {.name = recording_name, .times_are_real = true}, .n_events = 5, .events = till_events};
}

// Each instant is the recorded offset, repetition q shifted by q × (span + mean gap) = q × 101 × 5 / 4 ns,
// all ÷ speed.
static void check_trace(double speed, int64_t mul, int64_t div) {
  struct sp_recording recording = till();
  struct sp_load_conf conf = {.arrival = SP_ARRIVAL_TRACE, .speed = speed, .duration_ns = 1000000};
  struct sp_schedule *schedule = plan(&conf, &recording);
  for (size_t k = 0; k < schedule->n_events; k++) {
    int64_t offset = (int64_t)till_events[k % 5].offset_ns - 5;
    int64_t quarters = 4 * offset + (int64_t)(k / 5) * 505;
    assert_int_equal(schedule->intended_ns[k], quarters * mul / (4 * div));
  }
  double expected = 1e6 / 25.25 * speed;
  assert_true(fabs((double)schedule->n_events - expected) < 6);
  sp_schedule_free(schedule);
}

static void test_trace_has_the_recorded_gaps(void **state) {
  (void)state;
  check_trace(1, 1, 1);
  check_trace(10, 1, 10);
  check_trace(0.1, 10, 1);
  check_trace(1.5, 2, 3);
  check_trace(0.333333333, 1000000000, 333333333);
}

static void test_trace_scaled_to_a_rate(void **state) {
  (void)state;
  struct sp_recording recording = till();
  struct sp_load_conf conf = {
      .arrival = SP_ARRIVAL_TRACE, .rate = {3000, (uint64_t)S}, .warmup_ns = S, .duration_ns = 9 * S};
  struct sp_schedule *schedule = plan(&conf, &recording);
  assert_int_equal(schedule->n_events, 30000);
  assert_int_equal(schedule->n_warmup, 3000);
  for (size_t k = 0; k < schedule->n_events; k += 5) // a repetition begins every 5 / 3000 s, for ever
    assert_int_equal(schedule->intended_ns[k], (int64_t)k * S / 3000);
  // 35 ns of 101 with a mean gap of 25.25 becoming 1/3000 s
  assert_int_equal(schedule->intended_ns[2], (int64_t)(35 * 4 * (double)S / 3000 / 101));
  sp_schedule_free(schedule);
}

static void refuse(const struct sp_load_conf *conf, const struct sp_recording *recording, const char *key,
                   const char *remedy) {
  struct sp_schedule *schedule = NULL;
  struct sp_error error = {0};
  assert_int_equal(sp_schedule_new(conf, recording, &schedule, &error), SP_ERR_USAGE);
  if (!strstr(error.text, key) || !strstr(error.text, remedy)) fail_msg("%s", error.text);
}

static void test_trace_refusals(void **state) {
  (void)state;
  struct sp_recording recording = till();
  struct sp_load_conf conf = {
      .arrival = SP_ARRIVAL_TRACE, .speed = -1, .duration_ns = S, .rate = {1, (uint64_t)S}};
  refuse(&conf, &recording, "load.speed: -1", "0 to scale");
  conf.speed = NAN;
  refuse(&conf, &recording, "load.speed: nan", "0 to scale");
  conf.speed = 1;
  recording.n_events = 1;
  refuse(&conf, &recording, "one time", "poisson");
  recording.n_events = 5;
  recording.header.times_are_real = false;
  refuse(&conf, &recording, "\"till\" says that its times are not", "poisson or constant");
  recording.header.times_are_real = true;
  conf.speed = 0;
  conf.rate.n = 0;
  refuse(&conf, &recording, "load.rate: zero", "1000/s");
  conf.speed = 1;
  conf.duration_ns = 86400 * S;
  refuse(&conf, &recording, "more than 1e9", "limit");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_poisson_gaps_are_exponential),
      cmocka_unit_test(test_poisson_counts_are_poisson),
      cmocka_unit_test(test_a_seed_is_a_schedule),
      cmocka_unit_test(test_poisson_warmup_is_the_same_process),
      cmocka_unit_test(test_trace_has_the_recorded_gaps),
      cmocka_unit_test(test_trace_scaled_to_a_rate),
      cmocka_unit_test(test_trace_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
