// Random numbers: seeding, and the distributions drawn from them.
#include "base/prng.h"

#include <math.h>

#include "base/err.h"

__extension__ typedef unsigned __int128 u128;

// splitmix64 by Sebastiano Vigna (https://prng.di.unimi.it/splitmix64.c, public domain, CC0).
static uint64_t splitmix64(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void sp_prng_init(struct sp_prng *prng, uint64_t seed, enum sp_prng_use use) {
  uint64_t use_state = (uint64_t)use;
  uint64_t state = seed ^ splitmix64(&use_state);
  *prng = (struct sp_prng){0};
  for (int i = 0; i < 4; i++) prng->state[i] = splitmix64(&state);
}

uint64_t sp_prng_below(struct sp_prng *prng, uint64_t n) {
  SP_ASSERT(n > 0);
  u128 product = (u128)sp_prng_next(prng) * n;
  if ((uint64_t)product < n) {
    uint64_t biased = (0 - n) % n; // 2^64 mod n low products would come once too often
    while ((uint64_t)product < biased) product = (u128)sp_prng_next(prng) * n;
  }
  return (uint64_t)(product >> 64);
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh((m - 1) / (m + 1)) as a series, whose 11 terms
// leave less than 2^-53 there. Only +, -, *, / in a fixed order, which IEEE 754 defines to the bit; -std=c11
// forbids fused steps.
double sp_log_portable(double x) {
  SP_ASSERT(x > 0 && isnormal(x));
  static const double ln2_high = 0x1.62e42feep-1; // 32 bits, so that k * ln2_high is exact
  static const double ln2_low = 0x1.a39ef35793c76p-33;
  int k;
  double m = frexp(x, &k);
  if (m < 0x1.6a09e667f3bcdp-1) {
    m *= 2;
    k--;
  }
  double s = (m - 1) / (m + 1);
  double s2 = s * s;
  double series = 0;
  for (int term = 21; term >= 3; term -= 2) series = (series + 1.0 / term) * s2;
  return k * ln2_high + (2 * s + (2 * s * series + k * ln2_low));
}

double sp_prng_exponential(struct sp_prng *prng) {
  return -sp_log_portable(sp_prng_uniform(prng));
}

double sp_prng_normal(struct sp_prng *prng) {
  if (prng->has_spare) {
    prng->has_spare = 0;
    return prng->spare_normal;
  }
  double x, y, r2;
  do {
    x = 2 * sp_prng_uniform(prng) - 1;
    y = 2 * sp_prng_uniform(prng) - 1;
    r2 = x * x + y * y;
  } while (r2 >= 1 || r2 == 0);
  double scale = sqrt(-2 * sp_log_portable(r2) / r2);
  prng->spare_normal = y * scale;
  prng->has_spare = 1;
  return x * scale;
}
