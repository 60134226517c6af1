// The percentile curve of pooled trials: hand-computed values, and how far they are said to be resolved.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result/curve.h"

// n events at 1, 2, ... n us, and n_above without an answer; the seconds' maxima are the n_seconds largest values, evenly spread.
static struct sp_result *trial_of(int64_t n, int64_t n_above, int n_seconds) {
  struct sp_result *r = sp_result_new();
  struct sp_histogram h;
  sp_histogram_init(&h);
  for (int64_t i = 1; i <= n; i++) sp_histogram_record(&h, i * 1000);
  r->response.present = true;
  r->response.count = n + n_above;
  r->response.hdr = sp_histogram_encode(&h);
  for (int i = 0; i < n_seconds; i++) {
    struct sp_second second = {.second = i, .max_ns = (n - i) * 1000};
    sp_result_second(r, &second, NULL);
  }
  sp_histogram_done(&h);
  return r;
}

static void add(struct sp_curve *curve, struct sp_result *r) {
  struct sp_error error;
  assert_int_equal(sp_curve_add(curve, r, &error), SP_OK);
  sp_result_free(r);
}

static void assert_about_us(int64_t ns, double us) {
  assert_true(fabs((double)ns / 1000 - us) <= us / 1000 + 1);
}

static void test_pooled_values(void **state) {
  (void)state;
  struct sp_curve curve;
  sp_curve_init(&curve);
  add(&curve, trial_of(1000, 0, 10));
  add(&curve, trial_of(3000, 0, 10));
  assert_int_equal(curve.n_trials, 2);
  assert_true(fabs(sp_curve_resolved_q(&curve) - (1 - 20.0 / 4000)) < 1e-12);
  // Half of 4,000: the 1,000 up to 1,000 us twice.
  assert_about_us(sp_curve_at(&curve, 0.5).ns, 1000);
  assert_about_us(sp_curve_at(&curve, 0.75).ns, 2000);
  assert_int_equal(sp_curve_at(&curve, 0.75).state, SP_PERCENTILE_RESOLVED);
  assert_int_equal(sp_curve_at(&curve, 0.995).state, SP_PERCENTILE_RESOLVED);
  assert_int_equal(sp_curve_at(&curve, 0.996).state, SP_PERCENTILE_UNRESOLVED);
  sp_curve_done(&curve);
}

static void test_no_answer_ranks_above(void **state) {
  (void)state;
  struct sp_curve curve;
  sp_curve_init(&curve);
  add(&curve, trial_of(900, 100, 10));
  assert_about_us(sp_curve_at(&curve, 0.5).ns, 500);
  assert_true(sp_curve_at(&curve, 0.9).ns > 0);
  assert_int_equal(sp_curve_at(&curve, 0.91).ns, -1);
  assert_int_equal(sp_curve_at(&curve, 0.91).state, SP_PERCENTILE_NO_ANSWER);
  sp_curve_done(&curve);
}

static void test_few_seconds_are_episodic(void **state) {
  (void)state;
  struct sp_curve curve;
  sp_curve_init(&curve);
  struct sp_result *r = trial_of(10000, 0, 10);
  for (size_t i = 4; i < r->n_timeline; i++)
    r->timeline[i].figures.max_ns = 5000 * 1000; // but four seconds are quiet
  add(&curve, r);
  assert_int_equal(sp_curve_at(&curve, 0.4).state, SP_PERCENTILE_RESOLVED);
  assert_int_equal(sp_curve_at(&curve, 0.9).state, SP_PERCENTILE_EPISODIC);
  add(&curve, trial_of(10000, 0, 10)); // more seconds that reach it
  assert_int_equal(sp_curve_at(&curve, 0.9).state, SP_PERCENTILE_RESOLVED);
  sp_curve_done(&curve);
}

static void test_points_thin_out(void **state) {
  (void)state;
  struct sp_curve curve;
  struct sp_curve_point points[161];
  sp_curve_init(&curve);
  assert_int_equal(sp_curve_points(&curve, points, 161), 0);
  add(&curve, trial_of(1, 0, 1)); // one value: its two ends say it all
  assert_int_equal(sp_curve_points(&curve, points, 161), 2);
  add(&curve, trial_of(5000, 0, 10));
  size_t n = sp_curve_points(&curve, points, 161);
  assert_true(n > 40 && n <= 161);
  assert_true(points[0].q == 0 && fabs(points[n - 1].q - 0.9999) < 1e-12);
  for (size_t i = 1; i < n; i++)
    assert_true(points[i].q > points[i - 1].q && points[i].ns >= points[i - 1].ns);
  sp_curve_done(&curve);
}

static void test_what_cannot_be_pooled(void **state) {
  (void)state;
  struct sp_curve curve;
  struct sp_error error;
  sp_curve_init(&curve);
  add(&curve, trial_of(100, 0, 1));
  struct sp_result *r = trial_of(100, 0, 1);
  r->service = r->response;
  r->response = (struct sp_latency){0};
  assert_int_equal(sp_curve_add(&curve, r, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "closed loops apart"));
  r->response = r->service;
  r->service = (struct sp_latency){0};
  r->response.hdr[20] = '!';
  assert_int_equal(sp_curve_add(&curve, r, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, r->run_id));
  assert_int_equal(curve.n_trials, 1);
  assert_int_equal(curve.histogram.n, 100);
  sp_result_free(r);
  sp_curve_done(&curve);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pooled_values),
      cmocka_unit_test(test_no_answer_ranks_above),
      cmocka_unit_test(test_few_seconds_are_episodic),
      cmocka_unit_test(test_points_thin_out),
      cmocka_unit_test(test_what_cannot_be_pooled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
