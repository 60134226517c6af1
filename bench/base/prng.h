// The project's own random numbers: the same seed gives the same numbers on every machine and C library.
// xoshiro256++ 1.0 by David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/xoshiro256plusplus.c,
// public domain, CC0), seeded by splitmix64 as its authors advise. The logarithm is ours, since libm's
// differs in its last bit between versions.
#ifndef SP_BASE_PRNG_H
#define SP_BASE_PRNG_H

#include <stdint.h>

// Owned by one thread.
struct sp_prng {
  uint64_t state[4];
  double spare_normal; // the second of each pair that the polar method makes
  int has_spare;
};

// What the numbers are for: the same seed gives unrelated numbers to each.
enum sp_prng_use {
  SP_PRNG_SCHEDULE = 1,
  SP_PRNG_STUB,
  SP_PRNG_FAULT,
  SP_PRNG_DECIDE,
  SP_PRNG_TEST,
  SP_PRNG_DATA
};

void sp_prng_init(struct sp_prng *prng, uint64_t seed, enum sp_prng_use use);

static inline uint64_t sp_prng_next(struct sp_prng *prng) {
  uint64_t *s = prng->state;
  uint64_t sum = s[0] + s[3];
  uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = (s[3] << 45) | (s[3] >> 19);
  return result;
}

// Uniform in (0, 1], a multiple of 2^-53.
static inline double sp_prng_uniform(struct sp_prng *prng) {
  return (double)((sp_prng_next(prng) >> 11) + 1) * 0x1p-53;
}

// Uniform in 0..n-1 without bias (Lemire 2019); n > 0.
uint64_t sp_prng_below(struct sp_prng *prng, uint64_t n);
// Exponential with mean 1, by inversion: -ln(uniform).
double sp_prng_exponential(struct sp_prng *prng);
// Normal with mean 0 and variance 1 (Marsaglia's polar method).
double sp_prng_normal(struct sp_prng *prng);
// Natural logarithm of a positive, normal x within 2 units of the last place, the same bits on every IEEE 754
// machine.
double sp_log_portable(double x);

#endif
