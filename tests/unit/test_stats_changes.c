// Change points: known shifts are found where they are, noise has none, and the unit of the values does not matter.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/prng.h"
#include "stats/changes.h"

#define N     60
#define ALPHA 0.05
#define SEED  1

// Noise of spread 1 around `shift` in [from, to), around 0 elsewhere.
static void fill(double *values, size_t n, uint64_t seed, size_t from, size_t to, double shift) {
  struct sp_prng prng;
  sp_prng_init(&prng, seed, SP_PRNG_TEST);
  for (size_t i = 0; i < n; i++) values[i] = sp_prng_normal(&prng) + (i >= from && i < to ? shift : 0);
}

static void one_shift_is_found(void **state) {
  (void)state;
  double values[N];
  struct sp_change changes[8];
  for (uint64_t seed = 0; seed < 10; seed++) {
    fill(values, N, seed, 35, N, 3);
    assert_true(sp_changes_find(values, N, 0.01, SEED, changes, 8) >= 1);
    assert_in_range(changes[0].first_i, 33, 37);
    assert_true(fabs(changes[0].before) < 0.8 && fabs(changes[0].after - 3) < 0.8);
    assert_true(changes[0].p <= 0.01 && changes[0].p >= 0.005);
  }
}

static void a_shift_and_its_undoing_are_two(void **state) {
  (void)state;
  double values[N];
  struct sp_change changes[8];
  for (uint64_t seed = 0; seed < 10; seed++) {
    fill(values, N, seed, 20, 40, -4);
    assert_int_equal(sp_changes_find(values, N, 0.01, SEED, changes, 8), 2);
    assert_in_range(changes[0].first_i, 19, 21);
    assert_in_range(changes[1].first_i, 39, 41);
    assert_true(fabs(changes[0].after + 4) < 0.8 && changes[0].after == changes[1].before);
    assert_int_equal(sp_changes_find(values, N, 0.01, SEED, changes, 1), 1);
  }
}

// Seen from its end, a series that goes up and down again and again is the same on both sides of each change.
static void ups_and_downs_are_all_found(void **state) {
  (void)state;
  double values[N];
  struct sp_change changes[8];
  for (uint64_t seed = 0; seed < 10; seed++) {
    fill(values, N, seed, 0, 0, 0);
    for (size_t i = 0; i < N; i++) values[i] += i / 12 % 2 ? 4 : 0;
    assert_int_equal(sp_changes_find(values, N, 0.01, SEED, changes, 8), 4);
    for (size_t k = 0; k < 4; k++) assert_in_range(changes[k].first_i, 12 * k + 11, 12 * k + 13);
  }
}

static void noise_has_hardly_any(void **state) {
  (void)state;
  double values[N];
  struct sp_change changes[8];
  size_t n_false = 0;
  for (uint64_t seed = 100; seed < 200; seed++) {
    fill(values, N, seed, 0, 0, 0);
    n_false += sp_changes_find(values, N, ALPHA, SEED, changes, 8) > 0;
  }
  assert_in_range(n_false, 1, 10); // five are meant; none at all would say that the test cannot see
}

static void scale_and_sign_do_not_matter(void **state) {
  (void)state;
  static const double scales[] = {1e-9, 1000.0 / 3, -1, -7e12};
  double values[N], scaled[N];
  struct sp_change changes[8], of_scaled[8];
  for (uint64_t seed = 0; seed < 12; seed++) {
    fill(values, N, seed, 25, 45, seed % 2 ? 1.5 : 0);
    size_t n = sp_changes_find(values, N, ALPHA, SEED, changes, 8);
    for (size_t s = 0; s < 4; s++) {
      for (size_t i = 0; i < N; i++) scaled[i] = values[i] * scales[s];
      assert_int_equal(sp_changes_find(scaled, N, ALPHA, SEED, of_scaled, 8), n);
      for (size_t i = 0; i < n; i++) {
        assert_int_equal(of_scaled[i].first_i, changes[i].first_i);
        assert_true(of_scaled[i].p == changes[i].p);
      }
    }
  }
}

static void one_wild_value_is_no_change(void **state) {
  (void)state;
  double values[N];
  struct sp_change changes[8];
  fill(values, N, 5, 30, 31, 1000);
  assert_int_equal(sp_changes_find(values, N, ALPHA, SEED, changes, 8), 0);
}

static void short_and_even_series_have_none(void **state) {
  (void)state;
  double values[N] = {1, 1, 1, 9, 9, 9};
  struct sp_change changes[8];
  for (size_t n = 0; n <= 6; n++) assert_int_equal(sp_changes_find(values, n, ALPHA, SEED, changes, 8), 0);
  for (size_t i = 0; i < N; i++) values[i] = 4;
  assert_int_equal(sp_changes_find(values, N, ALPHA, SEED, changes, 8), 0);
  for (size_t i = 30; i < N; i++) values[i] = 5; // no noise at all
  assert_int_equal(sp_changes_find(values, N, ALPHA, SEED, changes, 8), 1);
  assert_int_equal(changes[0].first_i, 30);
  assert_int_equal(sp_changes_find(values, N, ALPHA, SEED, NULL, 0), 0);
}

static void band_of_what_came_since(void **state) {
  (void)state;
  static const double values[] = {900, 800, 1, 2, 3, 4, 5};
  double low, high;
  sp_changes_band(values, 2, 7, &low, &high);
  assert_true(fabs(low - (3 - 3 * 1.4826)) < 1e-12 && fabs(high - (3 + 3 * 1.4826)) < 1e-12);
  sp_changes_band(values, 5, 7, &low, &high);
  assert_true(isnan(low) && isnan(high));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_shift_is_found),
      cmocka_unit_test(a_shift_and_its_undoing_are_two),
      cmocka_unit_test(ups_and_downs_are_all_found),
      cmocka_unit_test(noise_has_hardly_any),
      cmocka_unit_test(scale_and_sign_do_not_matter),
      cmocka_unit_test(one_wild_value_is_no_change),
      cmocka_unit_test(short_and_even_series_have_none),
      cmocka_unit_test(band_of_what_came_since),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
