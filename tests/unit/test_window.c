// Whether a window is long enough, against DESIGN §3.4: 20 events above a percentile, in five different seconds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/units.h"
#include "decide/window.h"

static struct sp_scenario scenario_of(int arrival, uint64_t per_s, int64_t seconds) {
  struct sp_scenario scenario = {0};
  struct sp_error ignored;
  char rate[32];
  snprintf(rate, sizeof rate, "%u/s", (unsigned)per_s);
  assert_int_equal(sp_units_parse_rate(rate, &scenario.load.rate, &ignored), SP_OK);
  scenario.load.arrival = arrival;
  scenario.load.duration_ns = seconds * SP_NS_PER_S;
  return scenario;
}

static void assert_warns(int arrival, uint64_t per_s, int64_t seconds, const char *metric, const char *text) {
  const struct sp_scenario scenario = scenario_of(arrival, per_s, seconds);
  const struct sp_metric *family[] = {metric ? sp_metric_find(metric) : NULL};
  char *warning = sp_window_warning(&scenario, metric ? family : NULL, metric ? 1 : 0);
  if (text && warning)
    assert_string_equal(warning, text);
  else
    assert_true(!text == !warning);
  free(warning);
}

static void too_few_events_are_told_with_the_window_that_holds_enough(void **state) {
  (void)state;
  assert_warns(
      SP_ARRIVAL_POISSON, 200, 4, NULL,
      "--duration 4s at 200/s holds some 800 events, but a verdict on response_p99 takes 2,000 in at "
      "least 6 s; use --duration 11s");
  assert_warns(SP_ARRIVAL_POISSON, 200, 11, NULL, NULL);
  assert_warns(SP_ARRIVAL_CONSTANT, 1000, 10, NULL, NULL);
}

static void seconds_count_where_events_are_plenty(void **state) {
  (void)state;
  assert_warns(
      SP_ARRIVAL_POISSON, 5000, 4, "response_p50",
      "--duration 4s at 5000/s holds some 20,000 events, but a verdict on response_p50 takes 40 in at "
      "least 6 s; use --duration 6s");
  assert_warns(SP_ARRIVAL_POISSON, 5000, 6, "response_p50", NULL);
}

static void what_has_no_percentile_or_no_rate_needs_no_window(void **state) {
  (void)state;
  assert_warns(SP_ARRIVAL_POISSON, 200, 1, "cpu_per_event", NULL);
  assert_warns(SP_ARRIVAL_CLOSED, 200, 1, NULL, NULL);
  assert_warns(SP_ARRIVAL_RAMP, 200, 1, NULL, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(too_few_events_are_told_with_the_window_that_holds_enough),
      cmocka_unit_test(seconds_count_where_events_are_plenty),
      cmocka_unit_test(what_has_no_percentile_or_no_rate_needs_no_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
