// Neighbours in time: their means, and resampling that keeps what they have in common: blocks of consecutive indices (moving block bootstrap: H. R. Kuensch,
// The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17, 1989, 1217-1241). Pure but for the generator.
#ifndef SP_STATS_BLOCKS_H
#define SP_STATS_BLOCKS_H

#include <stddef.h>

#include "base/prng.h"

// Fills picked[n] with indices below n_pool: runs of `block` consecutive ones from uniform starts, the last one cut. 1 <= block <= n_pool.
void sp_blocks_pick(struct sp_prng *prng, size_t n_pool, size_t block, size_t *picked, size_t n);
// Means of neighbours, in place: values[k] becomes the mean of values[k * block] and the next, NAN left out. NAN where more than half of them
// are; infinite where more than a tenth of them are (no answer ranks above everything), NAN where they are so in both directions. What does
// not fill a last block is dropped. block 0 and 1 change nothing. Returns how many there are. As far as noise is white, means of many short
// measurements tell smaller differences apart than few long ones in the same time (batch means, here over short runs instead of parts of one).
size_t sp_block_means(double *values, size_t n, size_t block);
// The value that a share q of them does not exceed: the k-th smallest, k = ceil(q n). values not changed; NAN for n = 0.
double sp_quantile(const double *values, size_t n, double q);

#endif
