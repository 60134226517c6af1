// What the stub server is told: delays have the distribution that was named, failures come as often as was said, and the
// timer calls in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/delay.h"
#include "server/fail.h"
#include "server/timer.h"
#include "server/which.h"

#define N_DRAWS 100000

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static struct sp_delay *delay_of(const char *text) {
  struct sp_delay *delay;
  struct sp_error error;
  if (sp_delay_new(text, 1, &delay, &error)) fail_msg("%s", error.text);
  return delay;
}

// Sorted draws of a delay; free().
static int64_t *draws_of(const char *text) {
  struct sp_delay *delay = delay_of(text);
  int64_t *draws = malloc(N_DRAWS * sizeof *draws);
  for (uint64_t k = 0; k < N_DRAWS; k++) {
    draws[k] = sp_delay_ns(delay, k, SP_NO_EVENT);
    assert_int_equal(draws[k], sp_delay_ns(delay, k, SP_NO_EVENT)); // of k alone
  }
  sp_delay_free(delay);
  qsort(draws, N_DRAWS, sizeof *draws, by_size);
  return draws;
}

static void is_quantile(const int64_t *draws, double q, double truth_ns) {
  double drawn = (double)draws[(size_t)(q * N_DRAWS)];
  // Four standard errors of a sample quantile stay below 3 % in every case here.
  if (fabs(drawn / truth_ns - 1) > 0.03) fail_msg("quantile %g is %g, not %g", q, drawn, truth_ns);
}

static void delays_have_their_distribution(void **state) {
  (void)state;
  int64_t *draws = draws_of("exp:2ms");
  for (int i = 50; i < 100; i += 5) is_quantile(draws, i / 100.0, -2e6 * log(1 - i / 100.0));
  free(draws);
  draws = draws_of("uniform:1ms..3ms");
  assert_true(draws[0] >= 1000000 && draws[N_DRAWS - 1] <= 3000000);
  for (int i = 5; i < 100; i += 5) is_quantile(draws, i / 100.0, 1e6 + 2e6 * i / 100.0);
  free(draws);
  draws = draws_of("lognormal:median=1ms,p99=10ms");
  is_quantile(draws, 0.5, 1e6);
  is_quantile(draws, 0.99, 10e6);
  is_quantile(draws, 0.8413447, 1e6 * exp(log(10) / 2.3263478740408408)); // one sigma
  free(draws);
  draws = draws_of("5ms");
  assert_true(draws[0] == 5000000 && draws[N_DRAWS - 1] == 5000000);
  free(draws);
}

static void delays_of_a_file_come_in_turn(void **state) {
  (void)state;
  char path[] = "/tmp/servepath-delays-XXXXXX", text[64];
  int fd = mkstemp(path);
  assert_true(fd >= 0 && write(fd, "1ms\n250us\n2s\n", 13) == 13);
  close(fd);
  snprintf(text, sizeof text, "serial:file:%s", path);
  struct sp_delay *delay = delay_of(text);
  assert_true(sp_delay_is_serial(delay));
  assert_int_equal(sp_delay_ns(delay, 0, SP_NO_EVENT), 1000000);
  assert_int_equal(sp_delay_ns(delay, 1, SP_NO_EVENT), 250000);
  assert_int_equal(sp_delay_ns(delay, 5, SP_NO_EVENT), 2000000000);
  sp_delay_free(delay);
  unlink(path);
}

static void refused_delay(const char *text, enum sp_err code, const char *said) {
  struct sp_delay *delay;
  struct sp_error error;
  assert_int_equal(sp_delay_new(text, 1, &delay, &error), code);
  if (!strstr(error.text, said)) fail_msg("%s: \"%s\" does not say \"%s\"", text, error.text, said);
}

static void delays_that_make_no_sense_are_refused(void **state) {
  (void)state;
  refused_delay("5", SP_ERR_USAGE, "no unit");
  refused_delay("normal:5ms", SP_ERR_USAGE, "exp:2ms");
  refused_delay("uniform:3ms..1ms", SP_ERR_USAGE, "before it begins");
  refused_delay("uniform:3ms", SP_ERR_USAGE, "1ms..3ms");
  refused_delay("uniform:3..4ms", SP_ERR_USAGE, "no unit");
  refused_delay("lognormal:1ms", SP_ERR_USAGE, "median=");
  refused_delay("lognormal:median=2ms,p99=1ms", SP_ERR_USAGE, "p99");
  refused_delay("lognormal:median=0ms,p99=1ms", SP_ERR_USAGE, "median");
  refused_delay("file:/nonexistent", SP_ERR_ENVIRONMENT, "/nonexistent");
  refused_delay("file:/dev/null", SP_ERR_USAGE, "no delay");
  refused_delay("serial:", SP_ERR_USAGE, "delay");
  refused_delay("at_event=17", SP_ERR_USAGE, "at_event=17:50ms");
  refused_delay("at_event=17:5", SP_ERR_USAGE, "no unit");
  refused_delay("1ms;at_event=17:serial:5ms", SP_ERR_USAGE, "serial: stands before");
  refused_delay("at_event=x:5ms", SP_ERR_USAGE, "at_event=x");
}

static void failures_come_as_told(void **state) {
  (void)state;
  struct sp_fail_plan *plan;
  struct sp_error error;
  assert_int_equal(
      sp_fail_plan_new("INTERNAL:at=17,UNAVAILABLE:every=100,RESOURCE_EXHAUSTED:1%", 1, &plan, &error),
      SP_OK);
  size_t n_internal = 0, n_unavailable = 0, n_exhausted = 0;
  for (uint64_t k = 1; k <= N_DRAWS; k++) {
    int status = sp_fail_plan_status(plan, k, SP_NO_EVENT);
    n_internal += status == 13;
    n_unavailable += status == 14;
    n_exhausted += status == 8;
    if (k == 17) assert_int_equal(status, 13);
    if (k % 100 == 0) assert_int_equal(status, 14);
  }
  assert_int_equal(n_internal, 1);
  assert_int_equal(n_unavailable, N_DRAWS / 100);
  assert_in_range(n_exhausted, 850, 1150); // 990 expected, sigma 31
  sp_fail_plan_free(plan);
  assert_int_equal(sp_fail_plan_new("UNAVAILABLE:100%", 1, &plan, &error), SP_OK);
  for (uint64_t k = 1; k < 1000; k++) assert_int_equal(sp_fail_plan_status(plan, k, SP_NO_EVENT), 14);
  sp_fail_plan_free(plan);
}

static struct sp_fail_plan *plan_of(const char *text, size_t n_events) {
  struct sp_fail_plan *plan;
  struct sp_error error;
  if (sp_fail_plan_new(text, 1, &plan, &error)) fail_msg("%s", error.text);
  assert_true(sp_fail_plan_asks_events(plan));
  if (sp_fail_plan_bind(plan, n_events, &error)) fail_msg("%s", error.text);
  return plan;
}

static void failures_of_events_come_whenever_they_are_asked_for(void **state) {
  (void)state;
  struct sp_fail_plan *plan =
      plan_of("INTERNAL:at_event=17,90;UNAVAILABLE:every_event=100,ABORTED:at=5,6;ABORTED:0%", 1000);
  for (uint64_t k = 1; k <= 3000; k++) { // the recording three times
    size_t event = (k * 7) % 1000;
    int wanted = event == 17 || event == 90 ? 13 : event % 100 == 0 ? 14 : k == 5 || k == 6 ? 10 : 0;
    assert_int_equal(sp_fail_plan_status(plan, k, event), wanted);
  }
  assert_int_equal(sp_fail_plan_status(plan, 17, SP_NO_EVENT), 0); // a call is no event
  sp_fail_plan_free(plan);
  plan = plan_of("INTERNAL:at_event=17,90,once,UNAVAILABLE:every_event=10,once", 100);
  assert_int_equal(sp_fail_plan_status(plan, 1, 17), 13);
  assert_int_equal(sp_fail_plan_status(plan, 2, 17), 0); // the retry
  assert_int_equal(sp_fail_plan_status(plan, 3, 90), 13);
  assert_int_equal(sp_fail_plan_status(plan, 4, 90), 14); // by the second rule
  assert_int_equal(sp_fail_plan_status(plan, 5, 90), 0);
  assert_int_equal(sp_fail_plan_status(plan, 6, 0), 14);
  assert_int_equal(sp_fail_plan_status(plan, 7, 0), 0);
  sp_fail_plan_free(plan);
}

static void delays_of_events_take_the_place_of_the_others(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_delay *delay = delay_of("serial:5ms;at_event=17,90:50ms;every_event=100,once:1s;at=3:2s");
  assert_true(sp_delay_is_serial(delay) && sp_delay_asks_events(delay));
  assert_int_equal(sp_delay_bind(delay, 1000, &error), SP_OK);
  assert_int_equal(sp_delay_ns(delay, 0, 17), 50 * SP_NS_PER_MS);
  assert_int_equal(sp_delay_ns(delay, 1, 17), 50 * SP_NS_PER_MS);
  assert_int_equal(sp_delay_ns(delay, 0, 300), SP_NS_PER_S);
  assert_int_equal(sp_delay_ns(delay, 0, 300), 5 * SP_NS_PER_MS);
  assert_int_equal(sp_delay_ns(delay, 2, 18), 2 * SP_NS_PER_S); // call 3
  assert_int_equal(sp_delay_ns(delay, 17, SP_NO_EVENT), 5 * SP_NS_PER_MS);
  sp_delay_free(delay);
  delay = delay_of("at_event=17:exp:1ms");
  assert_int_equal(sp_delay_bind(delay, 17, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "no event 17; it has 17"));
  assert_false(sp_delay_is_serial(delay));
  sp_delay_free(delay);
}

static void failures_that_make_no_sense_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"UNAVAILABLE",
                                      "OK:1%",
                                      "GONE:1%",
                                      "UNAVAILABLE:every=0",
                                      "UNAVAILABLE:200%",
                                      "",
                                      "UNAVAILABLE:1%,",
                                      "UNAVAILABLE:at=x",
                                      "UNAVAILABLE:at=0",
                                      "UNAVAILABLE:at=17,once",
                                      "UNAVAILABLE:at_event=",
                                      "UNAVAILABLE:at_event=once",
                                      "UNAVAILABLE:every_event=0",
                                      "UNAVAILABLE:every_event=1,2",
                                      "UNAVAILABLE:at_event=1;"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct sp_fail_plan *plan;
    struct sp_error error;
    if (sp_fail_plan_new(texts[i], 1, &plan, &error) != SP_ERR_USAGE) fail_msg("%s is accepted", texts[i]);
    assert_non_null(strstr(error.text, "fail: "));
  }
}

struct fired {
  int64_t last_due_ns;
  _Atomic int n;
  bool is_early, is_disordered;
};

static void fire(void *context, void *item) {
  struct fired *fired = context;
  int64_t due_ns = *(int64_t *)item;
  if (sp_now_ns() < due_ns) fired->is_early = true;
  if (due_ns < fired->last_due_ns) fired->is_disordered = true;
  fired->last_due_ns = due_ns;
  atomic_fetch_add(&fired->n, 1);
}

static void the_timer_calls_in_order_and_never_early(void **state) {
  (void)state;
  static int64_t due_ns[1000];
  struct fired fired = {0};
  struct sp_timer *timer;
  struct sp_error error;
  assert_int_equal(sp_timer_new(fire, &fired, &timer, &error), SP_OK);
  int64_t start_ns = sp_now_ns() + 50 * SP_NS_PER_MS; // all are added before the first is due
  for (int i = 0; i < 1000; i++) {
    due_ns[i] = start_ns + (int64_t)((unsigned)i * 7919U % 1000U) * 10 * SP_NS_PER_US;
    sp_timer_add(timer, due_ns[i], &due_ns[i]);
  }
  while (atomic_load(&fired.n) < 1000) sched_yield();
  sp_timer_free(timer);
  assert_false(fired.is_early);
  assert_false(fired.is_disordered);
}

static void a_hurried_timer_calls_at_once(void **state) {
  (void)state;
  int64_t due_ns = sp_now_ns() + 3600 * SP_NS_PER_S;
  struct fired fired = {0};
  struct sp_timer *timer;
  struct sp_error error;
  assert_int_equal(sp_timer_new(fire, &fired, &timer, &error), SP_OK);
  sp_timer_add(timer, due_ns, &due_ns);
  sp_timer_hurry(timer);
  while (atomic_load(&fired.n) < 1) sched_yield();
  sp_timer_add(timer, due_ns, &due_ns);
  sp_timer_free(timer); // calls what is left
  assert_int_equal(atomic_load(&fired.n), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delays_have_their_distribution),
      cmocka_unit_test(delays_of_a_file_come_in_turn),
      cmocka_unit_test(delays_that_make_no_sense_are_refused),
      cmocka_unit_test(failures_come_as_told),
      cmocka_unit_test(failures_of_events_come_whenever_they_are_asked_for),
      cmocka_unit_test(delays_of_events_take_the_place_of_the_others),
      cmocka_unit_test(failures_that_make_no_sense_are_refused),
      cmocka_unit_test(the_timer_calls_in_order_and_never_early),
      cmocka_unit_test(a_hurried_timer_calls_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
