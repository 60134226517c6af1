// Intervals and p-values of a median: against hand-computed tails of the binomial, at every small size, with ties and infinities; each p-value
// against the intervals that it belongs to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "base/prng.h"
#include "stats/interval.h"

#define ABOUT(value, wanted, tolerance)                                                                      \
  do {                                                                                                       \
    double got_ = (value), wanted_ = (wanted);                                                               \
    if (!(fabs(got_ - wanted_) <= (tolerance))) fail_msg("%s is %.12g, not %.12g", #value, got_, wanted_);   \
  } while (0)
#define N_MAX 60

// 1, 2, ... n: the bounds show the order statistic and the weight. In no order.
static void count_up(double *values, size_t n) {
  for (size_t i = 0; i < n; i++) values[i] = (double)((i * 7) % n + 1); // 7 divides no n that is used
}

static void bounds_are_those_of_exact_fractions(void **state) {
  (void)state;
  // d and l of the header, computed in exact fractions. 12 at 0.01 by hand: tails 2, 26, 158 of 4096; I = (40.96 - 26) / 132 = 0.11333;
  // l = 10 I / (2 + 8 I) = 0.38991.
  static const struct {
    size_t n;
    double alpha, d, weight;
  } wanted[] = {
      {6, 0.05, 1, 0.35714285714285715},      {10, 0.05, 2, 0.65765765765765771},
      {12, 0.05, 3, 0.26311844077961019},     {12, 0.01, 2, 0.38990825688073394},
      {12, 0.01 / 3, 1, 0.91214421252371914}, {13, 0.2, 4, 0.78381365969206471},
      {18, 0.015, 4, 0.6218266366344547},     {20, 0.05, 6, 0.23523421588594703},
      {24, 0.025, 7, 0.12762282533586320},    {50, 0.05, 18, 0.67173751436215758},
  };
  double values[N_MAX];
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    size_t n = wanted[i].n;
    count_up(values, n);
    struct sp_interval interval = sp_interval_of_median(values, n, wanted[i].alpha);
    ABOUT(interval.estimate, ((double)n + 1) / 2, 0);
    ABOUT(interval.low, wanted[i].d + wanted[i].weight, 1e-12);
    ABOUT(interval.high, (double)n + 1 - wanted[i].d - wanted[i].weight, 1e-12);
    ABOUT(interval.level, 1 - wanted[i].alpha, 1e-15);
    assert_false(interval.is_short);
  }
}

static void what_is_too_few_says_what_it_reaches(void **state) {
  (void)state;
  static const double values[] = {3, 1, 2, 6, 4, 5};
  struct sp_interval none = sp_interval_of_median(values, 0, 0.05);
  assert_true(isnan(none.estimate) && isnan(none.low) && isnan(none.high) && none.is_short);
  ABOUT(none.level, 0, 0);
  ABOUT(sp_interval_p(values, 0, 1), 1, 0);
  for (size_t n = 1; n <= 5; n++) {
    struct sp_interval interval = sp_interval_of_median(values, n, 0.05);
    assert_true(interval.is_short);
    ABOUT(interval.level, 1 - pow(2, 1 - (double)n), 1e-15);
    ABOUT(interval.low, n == 1 ? 3 : 1, 0);
    ABOUT(interval.high, n <= 3 ? 3 : 6, 0);
    ABOUT(sp_interval_p(values, n, 0), pow(2, 1 - (double)n), 0); // never below alpha
    assert_true(sp_interval_lower(values, n, 0.025) < -DBL_MAX);
  }
  assert_false(sp_interval_of_median(values, 6, 0.05).is_short);
  ABOUT(sp_interval_p(values, 6, 0), 0.03125, 0);
  ABOUT(sp_interval_lower(values, 6, 0.025), sp_interval_of_median(values, 6, 0.05).low, 0);
}

static void exact_p_values_at_the_order_statistics(void **state) {
  (void)state;
  double values[12];
  count_up(values, 12);
  ABOUT(sp_interval_p(values, 12, 0.5), 2.0 / 4096, 0);
  ABOUT(sp_interval_p(values, 12, 2), 26.0 / 4096, 1e-15);
  ABOUT(sp_interval_p(values, 12, 10), 158.0 / 4096, 1e-15);
  ABOUT(sp_interval_p(values, 12, 4), 598.0 / 4096, 1e-15); // tail of 1 + 12 + 66 + 220
  ABOUT(sp_interval_p(values, 12, 6.5), 1, 0);
}

static void ties_at_the_value_are_no_difference(void **state) {
  (void)state;
  double same[12] = {0}, half[12] = {0}, values[12] = {0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7};
  ABOUT(sp_interval_p(same, 12, 0), 1, 0);
  struct sp_interval interval = sp_interval_of_median(same, 12, 0.01);
  assert_true(interval.low == 0 && interval.high == 0 && interval.estimate == 0);
  for (size_t i = 6; i < 12; i++) half[i] = 1; // half of them lie on one side, none on the other
  ABOUT(sp_interval_p(half, 12, 0), 1, 0);
  // Five of twelve at the value, seven above: the tail of 1 + 12 + 66 + 220 + 495 values below.
  ABOUT(sp_interval_p(values, 12, 0), 2.0 * 794 / 4096, 1e-15);
}

static double draw(struct sp_prng *prng, int kind) {
  double normal = sp_prng_normal(prng);
  uint64_t below = sp_prng_below(prng, 12);
  if (kind == 1) return floor(normal); // ties
  if (kind == 2) return below == 0 ? INFINITY : below == 1 ? -INFINITY : normal;
  if (kind == 3) return normal + (below < 6 ? 20 : -20); // a hole
  return normal;
}

// least to most of one kind; returns how many.
static size_t draw_some(struct sp_prng *prng, size_t least, size_t most, int kind, double *values) {
  size_t n = least + (size_t)sp_prng_below(prng, most - least + 1);
  for (size_t i = 0; i < n; i++) values[i] = draw(prng, kind);
  return n;
}

// Where `at` lies outside the interval exactly if p is at most alpha: but for rounding, and for p and alpha the same.
static void agree(const double *values, size_t n, double at, double alpha) {
  struct sp_interval interval = sp_interval_of_median(values, n, alpha);
  double p = sp_interval_p(values, n, at);
  assert_true(p > 0 && p <= 1);
  bool is_outside = !interval.is_short && (at < interval.low || at > interval.high);
  if (fabs(p - alpha) > 1e-9 && is_outside != (p < alpha))
    fail_msg("n %zu, alpha %g, at %g, p %.12g, interval %g to %g", n, alpha, at, p, interval.low,
             interval.high);
}

static void p_belongs_to_the_interval(void **state) {
  (void)state;
  static const double alphas[] = {0.001, 0.01 / 3, 0.01, 0.015, 0.05, 0.3, 0.9};
  struct sp_prng prng;
  sp_prng_init(&prng, 6, SP_PRNG_TEST);
  double values[N_MAX];
  for (int round = 0; round < 400; round++) {
    size_t n = draw_some(&prng, 1, 26, round % 4, values);
    for (int k = 0; k < 5; k++) {
      double at = k == 4 && isfinite(values[0]) ? values[0] : draw(&prng, 0);
      for (size_t a = 0; a < sizeof alphas / sizeof alphas[0]; a++) {
        agree(values, n, at, alphas[a]);
        if (alphas[a] >= 0.5) continue;
        // Above `at` exactly where the test at twice the level rejects it from above.
        bool is_above = sp_median(values, n) > at && sp_interval_p(values, n, at) <= 2 * alphas[a];
        assert_true(is_above == (sp_interval_lower(values, n, alphas[a]) > at));
      }
    }
  }
}

static void bounds_move_one_way(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 7, SP_PRNG_TEST);
  double values[N_MAX];
  for (int round = 0; round < 40; round++) {
    size_t n = draw_some(&prng, 6, 25, round % 4, values);
    struct sp_interval last = sp_interval_of_median(values, n, 1e-12);
    for (int k = 1; k < 999; k += 3) {
      struct sp_interval interval = sp_interval_of_median(values, n, k / 1000.0);
      assert_true(interval.low >= last.low && interval.high <= last.high && interval.low <= interval.high);
      last = interval;
    }
    double p_last = 0;
    bool has_fallen = false; // p rises up to the median, and falls behind it
    for (int k = -80; k < 80; k++) {
      double p = sp_interval_p(values, n, k / 20.0);
      if (p < p_last - 1e-12)
        has_fallen = true;
      else
        assert_false(has_fallen && p > p_last + 1e-12);
      p_last = p;
    }
  }
}

static void infinities_widen_and_never_become_nan(void **state) {
  (void)state;
  double values[12];
  count_up(values, 12);
  for (size_t i = 0; i < 12; i++)
    if (values[i] >= 11) values[i] = INFINITY; // the two greatest
  // At 0.01 the upper bound lies between x_11 and x_10: the outer, infinite one. The lower is as without them.
  struct sp_interval interval = sp_interval_of_median(values, 12, 0.01);
  assert_true(isinf(interval.high) && interval.high > 0);
  ABOUT(interval.low, 2.38990825688073394, 1e-12);
  ABOUT(interval.estimate, 6.5, 0);
  ABOUT(sp_interval_of_median(values, 12, 0.05).high, 9.73688155922039, 1e-10);
  ABOUT(sp_interval_p(values, 12, 10.5), 158.0 / 4096, 1e-15); // held until the bound is x_10
  for (size_t i = 0; i < 12; i++) values[i] = i % 2 ? INFINITY : -INFINITY;
  assert_true(isnan(sp_median(values, 12)));
  interval = sp_interval_of_median(values, 12, 0.05);
  assert_true(isinf(interval.low) && interval.low < 0 && isinf(interval.high) && interval.high > 0);
  ABOUT(sp_interval_p(values, 12, 0), 1, 0);
  for (size_t i = 0; i < 12; i++) values[i] = INFINITY; // one side never answered
  interval = sp_interval_of_median(values, 12, 0.01);
  assert_true(isinf(interval.low) && isinf(interval.high) && isinf(interval.estimate));
  ABOUT(sp_interval_p(values, 12, 0), 2.0 / 4096, 0);
  assert_true(isinf(sp_detectable(values, 12, 0.01, 12)));
  assert_int_equal(sp_pairs_needed(values, 12, 0.01, 0), 0);
}

static void nothing_is_interpolated_across_a_hole(void **state) {
  (void)state;
  // Ten in two heaps, two and eight: at 0.05 the formula's lower bound is 0.658 of the way from one to the other.
  static const double two_heaps[] = {0, 1, 101, 102, 103, 104, 105, 106, 107, 108};
  struct sp_interval interval = sp_interval_of_median(two_heaps, 10, 0.05);
  ABOUT(interval.low, 1, 0);
  ABOUT(interval.high, 107 - 0.6576576576576577, 1e-12);
  ABOUT(sp_interval_p(two_heaps, 10, 50), 112.0 / 1024, 1e-15);
  // An infinite value makes the hole no smaller.
  static const double wild[] = {0, 1, 101, 102, 103, 104, 105, 106, 107, INFINITY};
  ABOUT(sp_interval_of_median(wild, 10, 0.05).low, 1, 0);
}

static void many_values_do_not_underflow(void **state) {
  (void)state;
  enum { N = 20001 };
  double *values = malloc(N * sizeof *values);
  for (int i = 0; i < N; i++) values[i] = i - (N - 1) / 2.0;
  struct sp_interval interval = sp_interval_of_median(values, N, 0.05);
  ABOUT(interval.high, 1.959964 * sqrt(N) / 2, 1); // the binomial's normal limit
  ABOUT(interval.low, -interval.high, 1e-9);
  ABOUT(sp_interval_p(values, N, interval.high), 0.05, 1e-9);
  free(values);
}

static void holm_steps_down(void **state) {
  (void)state;
  double p[] = {0.04, 0.001, 0.03, 0.9}, adjusted[4];
  sp_holm(p, 4, adjusted);
  ABOUT(adjusted[1], 0.004, 1e-15);
  ABOUT(adjusted[2], 0.09, 1e-15);
  ABOUT(adjusted[0], 0.09, 1e-15); // 2 x 0.04 = 0.08, not below the one before
  ABOUT(adjusted[3], 0.9, 1e-15);
  sp_holm(p, 4, p);
  assert_memory_equal(p, adjusted, sizeof p);
  double high[] = {0.6, 0.5};
  sp_holm(high, 2, high);
  ABOUT(high[0], 1, 0);
  ABOUT(high[1], 1, 0);
  sp_holm(NULL, 0, NULL);
}

static void medians_and_spreads(void **state) {
  (void)state;
  static const double values[] = {5, 1, 9, 2}, huge[] = {1.7e308, 1.6e308};
  ABOUT(sp_median(values, 4), 3.5, 0);
  ABOUT(sp_median(values, 3), 5, 0);
  ABOUT(sp_spread(values, 4), 1.4826 * 2, 1e-12); // 1.5, 2.5, 5.5, 1.5 away
  assert_true(isnan(sp_median(values, 0)) && isnan(sp_spread(values, 0)) && isfinite(sp_median(huge, 2)));
}

static void what_could_be_told_from_nothing(void **state) {
  (void)state;
  double values[24], copies[24];
  count_up(values, 24);
  // Half the interval: tails 190051, 536155 and alpha 419430 of 2^24, so l = 0.82685 and low 7.82685. Four times as many halve it.
  ABOUT(sp_detectable(values, 24, 0.05, 96), (12.5 - 7.82685) / 2, 1e-4);
  // Ten alike and seven on each side, 10 away: the spread 14.826 tells more than the interval. z 1.959964, sqrt(pi / 2) 1.2533141.
  for (size_t i = 0; i < 24; i++) copies[i] = i < 7 ? -10 : i < 17 ? 0 : 10;
  ABOUT(sp_detectable(copies, 24, 0.05, 96), 1.959964 * 14.826 * 1.2533141 / sqrt(96), 1e-5);
  for (size_t n = 6; n <= 24; n++) {
    struct sp_interval interval = sp_interval_of_median(values, n, 0.05);
    assert_true(sp_detectable(values, n, 0.05, n) >= (interval.high - interval.low) / 2 - 1e-12);
  }
  assert_true(isinf(sp_detectable(values, 24, 0.01, 7))); // 2^-6 is above 0.01
  assert_true(isinf(sp_detectable(values, 2, 0.05, 100)) && isinf(sp_detectable(values, 0, 0.05, 100)));
  for (size_t i = 0; i < 24; i++) copies[i] = 3;
  ABOUT(sp_detectable(copies, 24, 0.05, 24), 0, 0);
}

static void pairs_needed_are_the_fewest(void **state) {
  (void)state;
  double values[24];
  count_up(values, 24);
  for (int at = -3; at < 12; at++) {
    size_t n = sp_pairs_needed(values, 24, 0.01, at);
    double away = 12.5 - at;
    assert_true(n > 0 && n % 2 == 0);
    assert_true(away > sp_detectable(values, 24, 0.01, n));
    assert_false(away > sp_detectable(values, 24, 0.01, n - 2));
  }
  assert_int_equal(sp_pairs_needed(values, 24, 0.01, 12.5), 0);
  assert_int_equal(sp_pairs_needed(values, 24, 0.01, 12.4999), 0); // far more than 9998
  assert_int_equal(sp_pairs_needed(values, 0, 0.01, 1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bounds_are_those_of_exact_fractions),
      cmocka_unit_test(what_is_too_few_says_what_it_reaches),
      cmocka_unit_test(exact_p_values_at_the_order_statistics),
      cmocka_unit_test(ties_at_the_value_are_no_difference),
      cmocka_unit_test(p_belongs_to_the_interval),
      cmocka_unit_test(bounds_move_one_way),
      cmocka_unit_test(infinities_widen_and_never_become_nan),
      cmocka_unit_test(nothing_is_interpolated_across_a_hole),
      cmocka_unit_test(many_values_do_not_underflow),
      cmocka_unit_test(holm_steps_down),
      cmocka_unit_test(medians_and_spreads),
      cmocka_unit_test(what_could_be_told_from_nothing),
      cmocka_unit_test(pairs_needed_are_the_fewest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
