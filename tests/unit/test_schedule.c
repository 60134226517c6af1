// Schedules against closed forms: every instant exactly where arithmetic puts it, counts, warm-up, limit,
// refusals.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/schedule.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)
__extension__ typedef unsigned __int128 u128;

static struct sp_load_conf conf_of(int arrival, uint64_t per_s, int64_t warmup_ns, int64_t duration_ns) {
  return (struct sp_load_conf){.arrival = arrival,
                               .rate = {per_s, (uint64_t)S},
                               .steps = 5,
                               .burst_every_ns = S,
                               .burst_length_ns = 100 * MS,
                               .concurrency = 64,
                               .warmup_ns = warmup_ns,
                               .duration_ns = duration_ns,
                               .seed = 1};
}

static struct sp_schedule *plan(const struct sp_load_conf *conf, const struct sp_recording *recording) {
  struct sp_schedule *schedule = NULL;
  struct sp_error error = {0};
  if (sp_schedule_new(conf, recording, &schedule, &error) != SP_OK) fail_msg("%s", error.text);
  assert_true(schedule->n_warmup <= schedule->n_events);
  for (size_t k = 0; schedule->intended_ns && k < schedule->n_events; k++) {
    assert_true(schedule->intended_ns[k] < schedule->t1_ns);
    assert_true(k == 0 || schedule->intended_ns[k] >= schedule->intended_ns[k - 1]);
    assert_true((k < schedule->n_warmup) == (schedule->intended_ns[k] < schedule->t0_ns));
  }
  return schedule;
}

static uint64_t floor_root(u128 x) {
  uint64_t root = (uint64_t)sqrtl((long double)x);
  while ((u128)root * root > x) root--;
  while ((u128)(root + 1) * (root + 1) <= x) root++;
  return root;
}

static size_t count_between(const struct sp_schedule *schedule, int64_t from_ns, int64_t to_ns) {
  size_t n = 0;
  for (size_t k = 0; k < schedule->n_events; k++)
    n += schedule->intended_ns[k] >= from_ns && schedule->intended_ns[k] < to_ns;
  return n;
}

static void test_constant_is_exact_without_drift(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_CONSTANT, 999983, 2 * S, 8 * S);
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 9999830);
  assert_int_equal(schedule->n_warmup, 1999966);
  for (uint64_t k = 0; k < schedule->n_events; k++)
    assert_true(schedule->intended_ns[k] == (int64_t)((u128)k * (u128)S / 999983));
  sp_schedule_free(schedule);
}

static void test_constant_takes_any_rational_rate(void **state) {
  (void)state;
  static const struct sp_rate rates[] = {
      {7, 13}, {1, 3600 * (uint64_t)S}, {10, 100000000000}, {12345, 67890}};
  for (size_t i = 0; i < 4; i++) {
    struct sp_load_conf conf =
        conf_of(SP_ARRIVAL_CONSTANT, 1, 0, (int64_t)(rates[i].per_ns * 1000 / rates[i].n));
    conf.rate = rates[i];
    struct sp_schedule *schedule = plan(&conf, NULL);
    assert_int_equal(schedule->n_warmup, 0);
    assert_true(schedule->n_events >= 999 && schedule->n_events <= 1000);
    for (uint64_t k = 0; k < schedule->n_events; k++)
      assert_int_equal(schedule->intended_ns[k], (int64_t)((u128)k * rates[i].per_ns / rates[i].n));
    sp_schedule_free(schedule);
  }
}

// N(t) = 1000 t + 500 t² after one second at 1000/s, so event 1000 + j is at sqrt(1 + j / 500) - 1 s.
static void test_rising_ramp_is_exact(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_RAMP, 1000, S, 2 * S);
  conf.rate_to = (struct sp_rate){3000, (uint64_t)S};
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_warmup, 1000);
  assert_int_equal(schedule->n_events, 5000);
  for (uint64_t j = 0; j < 1000; j++) assert_int_equal(schedule->intended_ns[j], (int64_t)j * MS);
  for (uint64_t j = 0; j < 4000; j++) {
    u128 square = (u128)S * (u128)S + (u128)j * 2000000000000000;
    assert_int_equal(schedule->intended_ns[1000 + j], (int64_t)floor_root(square));
  }
  sp_schedule_free(schedule);
}

// N(t) = 3000 t - 500 t²: event j is at 3 - sqrt(9 - j / 500) s.
static void test_falling_ramp_is_exact(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_RAMP, 3000, 0, 2 * S);
  conf.rate_to = (struct sp_rate){60000, 60 * (uint64_t)S}; // 1000/s, written per minute
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 4000);
  for (uint64_t j = 0; j < 4000; j++) {
    u128 square = (u128)9 * (u128)S * (u128)S - (u128)j * 2000000000000000;
    uint64_t root = floor_root(square);
    int64_t rounded_up = (int64_t)((u128)root * root == square ? root : root + 1);
    assert_int_equal(schedule->intended_ns[j], 3 * S - rounded_up);
  }
  sp_schedule_free(schedule);
}

// An hour from 0.37/s to 1999.83/s: the definition itself, N(t) <= k < N(t + 1).
static void test_long_ramp_keeps_its_definition(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_RAMP, 1, 0, 3600 * S);
  conf.rate = (struct sp_rate){37, 100 * (uint64_t)S};
  conf.rate_to = (struct sp_rate){199983, 100 * (uint64_t)S};
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 3600360);
  u128 length = 3600 * (u128)S, unit = 2 * length * 100 * (u128)S;
  for (uint64_t k = 0; k < schedule->n_events; k += 97) {
    u128 t = (u128)schedule->intended_ns[k];
    assert_true(74 * length * t + 199946 * t * t <= k * unit);
    t++;
    assert_true(74 * length * t + 199946 * t * t > k * unit);
  }
  sp_schedule_free(schedule);
}

// From 10000/s almost to nothing, where floating point alone is off by several ns at the end.
static void test_ramp_to_almost_nothing_keeps_its_definition(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_RAMP, 10000, 0, 100 * S);
  conf.rate_to = (struct sp_rate){1, 100000 * (uint64_t)S};
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 500001);
  u128 length = 100 * (u128)S, unit = 2 * length * 100000 * (u128)S, from = (u128)S, fall = from - 1;
  for (uint64_t k = 0; k < schedule->n_events; k += k < 490000 ? 97 : 1) {
    u128 t = (u128)schedule->intended_ns[k];
    assert_true(2 * length * from * t - fall * t * t <= k * unit);
    t++;
    assert_true(2 * length * from * t - fall * t * t > k * unit);
  }
  sp_schedule_free(schedule);
}

static void test_step_goes_through_its_levels(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_STEP, 1000, 2 * S, 10 * S);
  conf.rate_to = (struct sp_rate){5000, (uint64_t)S};
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_warmup, 2000);
  assert_int_equal(schedule->n_events, 2000 + 2 * (1000 + 2000 + 3000 + 4000 + 5000));
  for (int64_t level = 0; level < 5; level++) {
    int64_t from_ns = (2 + 2 * level) * S;
    assert_int_equal(count_between(schedule, from_ns, from_ns + 2 * S), 2000 * (level + 1));
  }
  assert_int_equal(schedule->intended_ns[32000 - 1], 12 * S - 200000);
  sp_schedule_free(schedule);
}

// Levels that no instant or rate fits evenly: no event is lost or doubled at a border.
static void test_uneven_steps_lose_no_event(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_STEP, 997, S + 1, 10 * S + 3);
  conf.rate_to = (struct sp_rate){3001, (uint64_t)S};
  conf.steps = 7;
  struct sp_schedule *schedule = plan(&conf, NULL);
  long double integral = 997.0L * ((long double)S + 1) / (long double)S;
  for (int64_t i = 0; i < 7; i++) {
    int64_t from_ns = (10 * S + 3) * i / 7, to_ns = (10 * S + 3) * (i + 1) / 7;
    long double level = 997 + (3001 - 997) * (long double)i / 6;
    integral += level * (long double)(to_ns - from_ns) / (long double)S;
    size_t n = count_between(schedule, 0, S + 1 + to_ns);
    assert_int_equal(n, (size_t)ceill(integral));
  }
  sp_schedule_free(schedule);
}

static void test_bursts_are_counted_from_t0(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_BURST, 100, 500 * MS, 5 * S);
  conf.rate_to = (struct sp_rate){1000, (uint64_t)S};
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_warmup, 50);
  assert_int_equal(schedule->n_events, 50 + 5 * (100 + 90));
  for (int64_t i = 0; i < 5; i++) {
    int64_t from_ns = 500 * MS + i * S;
    assert_int_equal(count_between(schedule, from_ns, from_ns + 100 * MS), 100);
    assert_int_equal(count_between(schedule, from_ns + 100 * MS, from_ns + S), 90);
  }
  sp_schedule_free(schedule);
}

static void test_burst_that_never_ends_is_its_rate(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_BURST, 100, 0, 2 * S);
  conf.rate_to = (struct sp_rate){1000, (uint64_t)S};
  conf.burst_length_ns = conf.burst_every_ns;
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 2000);
  for (int64_t k = 0; k < 2000; k++) assert_int_equal(schedule->intended_ns[k], k * MS);
  sp_schedule_free(schedule);
}

static void test_limit_ends_the_window_after_the_planned_gap(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_CONSTANT, 1000, S, 10 * S);
  conf.limit = 1500;
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 1500);
  assert_int_equal(schedule->n_warmup, 1000);
  assert_int_equal(schedule->t1_ns, 1500 * MS);
  sp_schedule_free(schedule);
  conf.limit = 11000; // just what the schedule holds
  schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 11000);
  assert_int_equal(schedule->t1_ns, 11 * S);
  sp_schedule_free(schedule);
}

static void test_closed_has_a_bound_and_no_instants(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_CLOSED, 1000, S, 2 * S);
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_null(schedule->intended_ns);
  assert_true(schedule->n_events >= 3 * 1000000);
  assert_int_equal(schedule->t0_ns, S);
  assert_int_equal(schedule->t1_ns, 3 * S);
  sp_schedule_free(schedule);
  conf.limit = 7;
  schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 7);
  sp_schedule_free(schedule);
}

static void refuse(const struct sp_load_conf *conf, const struct sp_recording *recording,
                   const char *const *parts) {
  struct sp_schedule *schedule = NULL;
  struct sp_error error = {0};
  assert_int_equal(sp_schedule_new(conf, recording, &schedule, &error), SP_ERR_USAGE);
  assert_null(schedule);
  for (; *parts; parts++)
    if (!strstr(error.text, *parts)) fail_msg("\"%s\" is missing in: %s", *parts, error.text);
}
#define REFUSE(conf, ...) refuse(&(conf), NULL, (const char *const[]){__VA_ARGS__, NULL})

static void test_refusals_name_key_value_and_remedy(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_POISSON, 0, 0, S);
  REFUSE(conf, "load.rate: zero", "1000/s");
  conf = conf_of(SP_ARRIVAL_CONSTANT, 1000, 0, 0);
  REFUSE(conf, "load.duration: 0 s", "10s");
  conf = conf_of(SP_ARRIVAL_CONSTANT, 1000, -1, S);
  REFUSE(conf, "load.warmup: -1e-09 s", "0s");
  conf = conf_of(SP_ARRIVAL_RAMP, 1000, 0, S);
  REFUSE(conf, "load.rate_to: not set", "arrival is ramp", "4000/s");
  conf = conf_of(SP_ARRIVAL_STEP, 1000, 0, S);
  conf.rate_to = conf.rate;
  conf.steps = 1;
  REFUSE(conf, "load.steps: 1 ", "2 to");
  conf = conf_of(SP_ARRIVAL_BURST, 1000, 0, S);
  conf.rate_to = conf.rate;
  conf.burst_length_ns = 2 * S;
  REFUSE(conf, "load.burst_length: 2000000000 ns", "burst_every");
  conf.burst_length_ns = 0;
  REFUSE(conf, "load.burst_length: 0 ns", "100ms");
  conf = conf_of(SP_ARRIVAL_CLOSED, 1000, 0, S);
  conf.concurrency = 0;
  REFUSE(conf, "load.concurrency: 0", "1 to");
  conf = conf_of(SP_ARRIVAL_RAMP, 1000, 0, S);
  conf.rate = (struct sp_rate){1, UINT64_C(0x7fffffffffffffe7)};
  conf.rate_to = (struct sp_rate){1, UINT64_C(0x7ffffffffffffe53)};
  REFUSE(conf, "load.rate_to", "too fine", "fewer digits");
}

static void test_empty_windows_and_huge_schedules_are_refused(void **state) {
  (void)state;
  struct sp_load_conf conf = conf_of(SP_ARRIVAL_CONSTANT, 1, 500 * MS, 400 * MS);
  REFUSE(conf, "load.duration", "0.4 s", "1 in the warm-up", "raise");
  conf = conf_of(SP_ARRIVAL_CONSTANT, 1000, S, S);
  conf.limit = 1000;
  REFUSE(conf, "load.limit: all 1000 events", "warm-up of 1 s", "raise limit");
  conf = conf_of(SP_ARRIVAL_POISSON, 1000000, 0, 2000 * S);
  REFUSE(conf, "load.duration: 2000 s", "1e9", "2e+09 events", "limit");
  conf.limit = 10; // a limit makes it small again
  struct sp_schedule *schedule = plan(&conf, NULL);
  assert_int_equal(schedule->n_events, 10);
  sp_schedule_free(schedule);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constant_is_exact_without_drift),
      cmocka_unit_test(test_constant_takes_any_rational_rate),
      cmocka_unit_test(test_rising_ramp_is_exact),
      cmocka_unit_test(test_falling_ramp_is_exact),
      cmocka_unit_test(test_long_ramp_keeps_its_definition),
      cmocka_unit_test(test_ramp_to_almost_nothing_keeps_its_definition),
      cmocka_unit_test(test_step_goes_through_its_levels),
      cmocka_unit_test(test_uneven_steps_lose_no_event),
      cmocka_unit_test(test_bursts_are_counted_from_t0),
      cmocka_unit_test(test_burst_that_never_ends_is_its_rate),
      cmocka_unit_test(test_limit_ends_the_window_after_the_planned_gap),
      cmocka_unit_test(test_closed_has_a_bound_and_no_instants),
      cmocka_unit_test(test_refusals_name_key_value_and_remedy),
      cmocka_unit_test(test_empty_windows_and_huge_schedules_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
