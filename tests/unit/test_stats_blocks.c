// Blocks of neighbours and quantiles by rank.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/prng.h"
#include "stats/blocks.h"

static void neighbours_stay_together(void **state) {
  (void)state;
  enum { POOL = 60, BLOCK = 7, N = 24, ROUNDS = 6000 };
  struct sp_prng prng;
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  size_t picked[N], n_starts[POOL] = {0};
  for (int round = 0; round < ROUNDS; round++) {
    sp_blocks_pick(&prng, POOL, BLOCK, picked, N);
    for (size_t i = 0; i < N; i++) {
      assert_true(picked[i] < POOL);
      if (i % BLOCK)
        assert_int_equal(picked[i], picked[i - 1] + 1);
      else
        n_starts[picked[i]]++;
    }
  }
  // Four blocks a round from 54 starts, each as likely: 444 of each, give or take 21.
  for (size_t i = 0; i < POOL; i++) {
    if (i > POOL - BLOCK)
      assert_int_equal(n_starts[i], 0);
    else
      assert_in_range(n_starts[i], 444 - 5 * 21, 444 + 5 * 21);
  }
}

static void whole_pool_and_single_ones(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 1, SP_PRNG_DECIDE);
  size_t picked[5] = {9, 9, 9, 9, 9};
  sp_blocks_pick(&prng, 3, 3, picked, 5);
  static const size_t wanted[] = {0, 1, 2, 0, 1};
  assert_memory_equal(picked, wanted, sizeof wanted);
  sp_blocks_pick(&prng, 1, 1, picked, 5);
  for (size_t i = 0; i < 5; i++) assert_int_equal(picked[i], 0);
  sp_blocks_pick(&prng, 1, 1, NULL, 0);
}

static void quantile_is_of_a_rank(void **state) {
  (void)state;
  double values[100];
  for (size_t i = 0; i < 100; i++) values[i] = (double)((i * 37) % 100 + 1);
  for (int k = 1; k <= 100; k++) assert_true(sp_quantile(values, 100, k / 100.0) == k);
  assert_true(sp_quantile(values, 100, 0.981) == 99);
  assert_true(sp_quantile(values, 100, 0) == 1 && sp_quantile(values, 100, 1) == 100);
  assert_true(sp_quantile(values, 1, 0.99) == values[0]);
  assert_true(isnan(sp_quantile(values, 0, 0.5)));
  values[0] = INFINITY;
  assert_true(isinf(sp_quantile(values, 100, 1)));
}

static void means_of_neighbours(void **state) {
  (void)state;
  double values[] = {1, 3, NAN, 5, NAN, NAN, INFINITY, 1, -INFINITY, -INFINITY, INFINITY, -INFINITY, 7};
  double same[] = {1, 2}, thirds[] = {NAN, 1, NAN, NAN, 1, 2}, many[40];
  assert_int_equal(sp_block_means(same, 2, 0), 2);
  assert_int_equal(sp_block_means(same, 2, 1), 2);
  assert_true(same[1] == 2);
  assert_int_equal(sp_block_means(values, 13, 2), 6);
  assert_true(values[0] == 2 && values[1] == 5 && isnan(values[2]));
  assert_true(isinf(values[3]) && values[3] > 0); // no answer ranks above everything
  assert_true(isinf(values[4]) && values[4] < 0);
  assert_true(isnan(values[5])); // on either side: nothing is told
  assert_int_equal(sp_block_means(thirds, 6, 3), 2);
  assert_true(isnan(thirds[0]) && thirds[1] == 1.5);
  assert_int_equal(sp_block_means(same, 2, 3), 0);
  for (int i = 0; i < 40; i++) many[i] = 4;
  many[0] = many[1] = many[20] = many[21] = many[39] = INFINITY; // a tenth, and more than that
  assert_int_equal(sp_block_means(many, 40, 20), 2);
  assert_true(many[0] == 4 && isinf(many[1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neighbours_stay_together),
      cmocka_unit_test(whole_pool_and_single_ones),
      cmocka_unit_test(quantile_is_of_a_rank),
      cmocka_unit_test(means_of_neighbours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
