#include "stats/blocks.h"

#include <math.h>
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
