// Resampling that keeps what neighbours in time have in common: blocks of consecutive indices (moving block bootstrap: H. R. Kuensch,
// The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17, 1989, 1217-1241). Pure but for the generator.
#ifndef SP_STATS_BLOCKS_H
#define SP_STATS_BLOCKS_H

#include <stddef.h>

#include "base/prng.h"

// Fills picked[n] with indices below n_pool: runs of `block` consecutive ones from uniform starts, the last one cut. 1 <= block <= n_pool.
void sp_blocks_pick(struct sp_prng *prng, size_t n_pool, size_t block, size_t *picked, size_t n);
// The value that a share q of them does not exceed: the k-th smallest, k = ceil(q n). values not changed; NAN for n = 0.
double sp_quantile(const double *values, size_t n, double q);

#endif
