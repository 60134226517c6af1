// The figures that trials are compared by: found in a result, void where they mean nothing, written for people.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result/metric.h"

static struct sp_result *plain_result(void) {
  struct sp_result *r = sp_result_new();
  r->intended = 1000;
  r->outcomes[SP_OUTCOME_OK] = 980;
  r->outcomes[SP_OUTCOME_FILTERED] = 5;
  r->outcomes[SP_OUTCOME_MISMATCH] = 15;
  r->achieved_per_s = 2000;
  r->response = (struct sp_latency){.present = true, .count = 1000, .mean_ns = 50e3, .max_ns = 9e6};
  r->service = r->response;
  for (int i = 0; i < SP_PERCENTILES; i++) {
    r->response.percentile_ns[i] = 1000 * (i + 1);
    r->service.percentile_ns[i] = 100 * (i + 1);
  }
  r->stages[SP_STAGE_LATENESS].mean_ns = 100;
  sp_amounts_set(&r->cpu_us_per_event, "app", 25);
  sp_amounts_set(&r->cpu_us_per_event, "server", 52);
  sp_amounts_set(&r->cpu_us_per_event, "total", 77);
  sp_amounts_set(&r->rss_bytes, "app", 32 << 20);
  return r;
}

static void expect(const struct sp_result *r, const char *name, double value, enum sp_metric_state state) {
  enum sp_metric_state found;
  double got = sp_metric_value(sp_metric_find(name), r, &found);
  if (!(fabs(got - value) < 1e-9) && !(isnan(got) && isnan(value)) && !(isinf(got) && isinf(value)))
    fail_msg("%s is %g, not %g", name, got, value);
  if (found != state)
    fail_msg("%s is %s, not %s", name, sp_metric_state_name(found), sp_metric_state_name(state));
}

static void each_is_found(void **state) {
  (void)state;
  struct sp_result *r = plain_result();
  expect(r, "response_p50", 1000, SP_METRIC_OK);
  expect(r, "response_p90", 2000, SP_METRIC_OK);
  expect(r, "response_p95", 3000, SP_METRIC_OK);
  expect(r, "response_p99", 4000, SP_METRIC_OK);
  expect(r, "response_p99_9", 5000, SP_METRIC_OK);
  expect(r, "response_mean", 50e3, SP_METRIC_OK);
  expect(r, "service_p50", 100, SP_METRIC_OK);
  expect(r, "service_p99", 400, SP_METRIC_OK);
  expect(r, "cpu_per_event", 77, SP_METRIC_OK);
  expect(r, "cpu_app", 25, SP_METRIC_OK);
  expect(r, "cpu_server", 52, SP_METRIC_OK);
  expect(r, "cpu_broker", NAN, SP_METRIC_ABSENT);
  expect(r, "rss_app", 32 << 20, SP_METRIC_OK);
  expect(r, "rss_server", NAN, SP_METRIC_ABSENT);
  expect(r, "served", 0.985, SP_METRIC_OK);
  expect(r, "achieved", 2000, SP_METRIC_OK);
  sp_result_free(r);
}

static void what_says_nothing_says_so(void **state) {
  (void)state;
  struct sp_result *r = plain_result();
  r->response.state[SP_P99] = SP_PERCENTILE_EPISODIC;
  r->response.driver_limited[SP_P99] = r->response.driver_limited[SP_P95] = true;
  expect(r, "response_p99", 4000, SP_METRIC_EPISODIC);
  expect(r, "response_p95", 3000, SP_METRIC_DRIVER_LIMITED);
  r->response.state[SP_P99] = SP_PERCENTILE_UNRESOLVED;
  expect(r, "response_p99", NAN, SP_METRIC_UNRESOLVED);
  r->stages[SP_STAGE_LATENESS].mean_ns = 6000;
  expect(r, "response_mean", 50e3, SP_METRIC_DRIVER_LIMITED);
  r->outcomes[SP_OUTCOME_LOST] = 1;
  expect(r, "response_mean", INFINITY, SP_METRIC_NO_ANSWER);
  r->response.state[SP_P99] = SP_PERCENTILE_NO_ANSWER;
  r->response.percentile_ns[SP_P99] = -1;
  expect(r, "response_p99", INFINITY, SP_METRIC_NO_ANSWER);
  r->response.present = false;
  expect(r, "response_p50", NAN, SP_METRIC_ABSENT);
  expect(r, "response_mean", NAN, SP_METRIC_ABSENT);
  r->intended = 0;
  expect(r, "served", NAN, SP_METRIC_ABSENT);
  sp_result_free(r);
}

static void times_over_the_mock_broker_are_void(void **state) {
  (void)state;
  struct sp_result *r = plain_result();
  sp_facts_text(&r->broker, "kind", "mock");
  for (size_t i = 0; i < sp_n_metrics; i++) {
    enum sp_metric_state found;
    double value = sp_metric_value(&sp_metrics[i], r, &found);
    assert_int_equal(found == SP_METRIC_VOID, sp_metrics[i].is_time);
    if (sp_metrics[i].is_time) assert_true(isnan(value));
  }
  expect(r, "cpu_per_event", 77, SP_METRIC_OK);
  sp_result_free(r);
}

static void names_are_told_apart(void **state) {
  (void)state;
  for (size_t i = 0; i < sp_n_metrics; i++) {
    assert_ptr_equal(sp_metric_find(sp_metrics[i].name), &sp_metrics[i]);
    assert_true(sp_metrics[i].is_time == (strcmp(sp_metrics[i].unit, "ns") == 0));
    assert_non_null(sp_metrics[i].better);
    assert_non_null(sp_metrics[i].worse);
  }
  assert_null(sp_metric_find("p50"));
  assert_string_equal(sp_metric_nearest("respnse_p99"), "response_p99");
  assert_null(sp_metric_nearest("zebra"));
}

static void texts_are_for_people(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double value;
    const char *text;
  } cases[] = {
      {"response_p50", 420e3, "420µs"},
      {"response_p99", INFINITY, "no answer"},
      {"response_p50", NAN, "-"},
      {"response_p50", -1, "-"},
      {"response_mean", 1e300, "no answer"},
      {"cpu_per_event", 24.04, "24µs"},
      {"cpu_per_event", 0.25, "250ns"},
      {"served", 0.9995, "99.95%"},
      {"served", 1, "100%"},
      {"achieved", 2000.4, "2,000/s"},
      {"rss_app", 32.5 * (1 << 20), "32.5MiB"},
  };
  char text[SP_METRIC_TEXT_BYTES];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_metric_text(sp_metric_find(cases[i].name), cases[i].value, text, sizeof text);
    assert_string_equal(text, cases[i].text);
  }
}

static void machine(struct sp_result *r, double memory_bytes, const char *kernel) {
  sp_facts_text(&r->machine, "cpu", "AMD EPYC");
  sp_facts_count(&r->machine, "cpus", 2);
  sp_facts_count(&r->machine, "memory_bytes", (int64_t)memory_bytes);
  sp_facts_text(&r->machine, "kernel", kernel);
}

static void a_machine_is_known_again(void **state) {
  (void)state;
  struct sp_result *a = plain_result(), *b = plain_result();
  assert_null(sp_machine_fingerprint(a));
  machine(a, 24.01 * 1073741824, "6.1");
  machine(b, 23.98 * 1073741824, "6.1"); // a reboot later
  sp_facts_real(&b->machine, "load_1min", 3);
  char *first = sp_machine_fingerprint(a), *second = sp_machine_fingerprint(b);
  assert_string_equal(first, second);
  assert_int_equal(strncmp(first, "xxh128:", 7), 0);
  machine(b, 24.01 * 1073741824, "6.2");
  char *other = sp_machine_fingerprint(b);
  assert_string_not_equal(first, other);
  sp_facts_text(&b->machine, "fingerprint", "xxh128:abc"); // what the result says itself goes before
  char *said = sp_machine_fingerprint(b);
  assert_string_equal(said, "xxh128:abc");
  free(first);
  free(second);
  free(other);
  free(said);
  sp_result_free(a);
  sp_result_free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_is_found),
      cmocka_unit_test(what_says_nothing_says_so),
      cmocka_unit_test(times_over_the_mock_broker_are_void),
      cmocka_unit_test(names_are_told_apart),
      cmocka_unit_test(texts_are_for_people),
      cmocka_unit_test(a_machine_is_known_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
