#include "stats/blocks.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "stats/order.h"

void sp_blocks_pick(struct sp_prng *prng, size_t n_pool, size_t block, size_t *picked, size_t n) {
  SP_ASSERT(block >= 1 && block <= n_pool);
  size_t start = 0;
  for (size_t i = 0; i < n; i++) {
    if (i % block == 0) start = (size_t)sp_prng_below(prng, n_pool - block + 1);
    picked[i] = start + i % block;
  }
}

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  size_t n_finite = 0, n_above = 0, n_below = 0;
  for (size_t i = 0; i < n; i++) {
    n_above += isinf(values[i]) && values[i] > 0;
    n_below += isinf(values[i]) && values[i] < 0;
    if (!isfinite(values[i])) continue;
    sum += values[i];
    n_finite++;
  }
  bool is_above = 10 * n_above > n, is_below = 10 * n_below > n;
  if (is_above || is_below) return is_above && is_below ? NAN : is_above ? INFINITY : -INFINITY;
  return 2 * n_finite >= n ? sum / (double)n_finite : NAN;
}

size_t sp_block_means(double *values, size_t n, size_t block) {
  if (block < 2) return n;
  for (size_t k = 0; k < n / block; k++) values[k] = mean_of(values + k * block, block);
  return n / block;
}

double sp_quantile(const double *values, size_t n, double q) {
  if (n == 0) return NAN;
  // 0.07 x 100 is 7.000000000000001 in binary, and the seventh is meant.
  double k = ceil(q * (double)n * (1 - 1e-14));
  size_t i = k < 1 ? 0 : k > (double)n ? n - 1 : (size_t)k - 1;
  double *ordered = sp_order(values, n);
  double value = ordered[i];
  free(ordered);
  return value;
}
