#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "stats/order.h"

#define MAX_PAIRS     9998
#define HOLE          0.5    // of the range
#define NORMAL_SPREAD 1.4826 // standard deviation over median absolute deviation, of normal values

// Chances of d = 1, 2, ... for a fixed n, without underflow at any n: 2 P(B < d).
struct tail {
  double n, d;
  double chance; // P(B = d - 1) = chance * 2^exponent
  int exponent;
  double below; // P(B < d)
};

static struct tail first_tail(size_t n) {
  return (struct tail){.n = (double)n, .d = 1, .chance = 1, .exponent = -(int)n, .below = ldexp(1, -(int)n)};
}

static struct tail next_tail(struct tail t) {
  int shift;
  t.chance = frexp(t.chance * (t.n - t.d + 1) / t.d, &shift);
  t.exponent += shift;
  t.below += ldexp(t.chance, t.exponent);
  t.d++;
  return t;
}

// Of the way from the outer to the inner order statistic: the nonlinear weight for a share of the way between their levels, and back.
static double weight_of_share(double n, double d, double share) {
  return (n - d) * share / (d + (n - 2 * d) * share);
}

static double share_of_weight(double n, double d, double weight) {
  return weight * d / (n - d - weight * (n - 2 * d));
}

// Whether a bound may lie between these two neighbours. Not beside an infinite value, and not in a hole that is wider than all the rest
// together: between two modes no value says anything about the way from one to the other (see interval.h).
static bool is_continuous(const double *x, size_t n, double outer, double inner) {
  if (!isfinite(outer) || !isfinite(inner)) return false;
  size_t first = 0, last = n - 1;
  while (isinf(x[first])) first++;
  while (isinf(x[last])) last--;
  return fabs(inner - outer) <= HOLE * (x[last] - x[first]);
}

static double between(const double *x, size_t n, double outer, double inner, double weight) {
  return outer == inner || !is_continuous(x, n, outer, inner) ? outer : (1 - weight) * outer + weight * inner;
}

struct sp_interval sp_interval_of_median(const double *values, size_t n, double alpha) {
  SP_ASSERT(alpha > 0 && alpha < 1);
  if (n == 0) return (struct sp_interval){NAN, NAN, NAN, 0, true};
  double *x = sp_order(values, n);
  struct sp_interval interval = {sp_order_median(x, n), x[0], x[n - 1], 1 - alpha, false};
  struct tail tail = first_tail(n), inner = next_tail(tail);
  if (2 * tail.below > alpha) {
    interval.level = 1 - 2 * tail.below;
    interval.is_short = true;
  } else {
    for (; 2 * inner.below <= alpha; inner = next_tail(inner)) tail = inner;
    size_t d = (size_t)tail.d;
    double share = (alpha / 2 - tail.below) / (inner.below - tail.below);
    double weight = weight_of_share(tail.n, tail.d, share);
    interval.low = between(x, n, x[d - 1], x[d], weight);
    interval.high = between(x, n, x[n - d], x[n - d - 1], weight);
  }
  free(x);
  return interval;
}

double sp_interval_lower(const double *values, size_t n, double alpha) {
  struct sp_interval interval = sp_interval_of_median(values, n, 2 * alpha);
  return interval.is_short ? -INFINITY : interval.low;
}

// The smallest alpha at which the lower bound of the ordered values is above `at`; 1: it never is. sign -1: of their mirror image, whose
// lower bound is the upper one.
static double p_of_lower(const double *x, size_t n, double at, int sign) {
  size_t n_held = 0; // values at or below
  while (n_held < n && (sign > 0 ? x[n_held] <= at : x[n - 1 - n_held] >= at)) n_held++;
  if (2 * n_held > n) return 1;
  struct tail tail = first_tail(n);
  if (n_held == 0) return 2 * tail.below;
  while (tail.d < (double)n_held) tail = next_tail(tail);
  double outer = sign > 0 ? x[n_held - 1] : x[n - n_held];
  double inner = sign > 0 ? x[n_held] : x[n - 1 - n_held];
  double share = 1; // held until the bound leaves the outer one, where nothing is interpolated
  if (is_continuous(x, n, outer, inner))
    share = share_of_weight(tail.n, tail.d, (at - outer) / (inner - outer));
  double p = 2 * (tail.below + share * (next_tail(tail).below - tail.below));
  return p < 1 ? p : 1;
}

double sp_interval_p(const double *values, size_t n, double at) {
  if (n == 0) return 1;
  double *x = sp_order(values, n);
  double p_low = p_of_lower(x, n, at, 1), p_high = p_of_lower(x, n, at, -1);
  free(x);
  return p_low < p_high ? p_low : p_high;
}

struct ranked {
  double p;
  size_t i;
};

static int by_p(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  return (x->p > y->p) - (x->p < y->p);
}

void sp_holm(const double *p, size_t n, double *adjusted) {
  if (n == 0) return;
  struct ranked *ranked = sp_alloc(n * sizeof *ranked);
  for (size_t i = 0; i < n; i++) ranked[i] = (struct ranked){p[i], i};
  qsort(ranked, n, sizeof *ranked, by_p);
  double floor_p = 0;
  for (size_t k = 0; k < n; k++) {
    floor_p = fmin(1, fmax(floor_p, (double)(n - k) * ranked[k].p));
    adjusted[ranked[k].i] = floor_p;
  }
  free(ranked);
}

double sp_median(const double *values, size_t n) {
  if (n == 0) return NAN;
  double *x = sp_order(values, n);
  double median = sp_order_median(x, n);
  free(x);
  return median;
}

double sp_spread(const double *values, size_t n) {
  double median = sp_median(values, n);
  if (n == 0) return NAN;
  if (!isfinite(median)) return INFINITY;
  double *away = sp_alloc(n * sizeof *away);
  for (size_t i = 0; i < n; i++) away[i] = fabs(values[i] - median);
  double spread = NORMAL_SPREAD * sp_median(away, n);
  free(away);
  return spread;
}

// z with P(|Z| > z) = alpha, Z standard normal; by bisection, since erfc is exact and this is called once.
static double normal_bound(double alpha) {
  double low = 0, high = 40;
  for (int i = 0; i < 80; i++) {
    double z = (low + high) / 2;
    if (erfc(z * M_SQRT1_2) > alpha)
      low = z;
    else
      high = z;
  }
  return high;
}

// Half width x square root of the number of values; INFINITY where nothing can be said.
static double unit_half_width(const double *values, size_t n, double alpha) {
  size_t n_finite = 0;
  for (size_t i = 0; i < n; i++) n_finite += isfinite(values[i]) != 0;
  if (n_finite < 3) return INFINITY;
  struct sp_interval interval = sp_interval_of_median(values, n, alpha);
  double of_normal = normal_bound(alpha) * sp_spread(values, n) * sqrt(M_PI_2);
  double width = interval.high - interval.low;
  if (!isfinite(width)) return INFINITY; // also NAN: both bounds infinite alike
  return fmax(of_normal, width / 2 * sqrt((double)n));
}

static double half_width(double unit, double alpha, size_t n) {
  bool is_short = n == 0 || ldexp(1, 1 - (int)n) > alpha;
  return is_short ? INFINITY : unit / sqrt((double)n);
}

double sp_detectable(const double *values, size_t n, double alpha, size_t n_wanted) {
  return half_width(unit_half_width(values, n, alpha), alpha, n_wanted);
}

size_t sp_pairs_needed(const double *values, size_t n, double alpha, double at) {
  double away = fabs(sp_median(values, n) - at); // NAN, which is above nothing, without values
  double unit = unit_half_width(values, n, alpha);
  for (size_t n_pairs = 2; n_pairs <= MAX_PAIRS; n_pairs += 2)
    if (away > half_width(unit, alpha, n_pairs)) return n_pairs;
  return 0;
}
