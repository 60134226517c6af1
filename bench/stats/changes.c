#include "stats/changes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/prng.h"
#include "stats/interval.h"

#define MIN_SEGMENT    3
#define N_PERMUTATIONS 199 // the least p is 0.005
#define BAND_SPREADS   3

struct split {
  size_t first_i; // of the right part, from the segment's start
  double energy;  // 0: no split is possible
};

struct segment {
  size_t start, end;
  struct split best;
  double p; // of the change at its start
};

struct search {
  const double *values;
  double *permuted;
  double *sums; // two rows of n + 1
  struct sp_prng prng;
  struct segment *segments; // in order, the whole series
  size_t n_segments;
};

// Scaled energy distance between m values and k values from the sums of distances between them and within each.
static double energy(double m, double k, double across, double within_left, double within_right) {
  double distance = 2 * across / (m * k) - 2 * within_left / (m * (m - 1)) - 2 * within_right / (k * (k - 1));
  return m * k / (m + k) * distance;
}

// The best split of x[0..n) into [0, i) and [i, end), over all i and all end <= n, so that a shift that is undone later is seen too. Sums of
// distances: square[e] over all ordered pairs within [0, e); row[e] over pairs of [0, i) with [0, e), as i grows. O(n^2), memory O(n).
static struct split best_split(const double *x, size_t n, double *sums) {
  struct split best = {0, 0};
  double *square = sums, *row = sums + n + 1;
  memset(row, 0, (n + 1) * sizeof *row);
  square[0] = 0;
  for (size_t e = 0; e < n; e++) {
    double sum = 0;
    for (size_t j = 0; j < e; j++) sum += fabs(x[e] - x[j]);
    square[e + 1] = square[e] + 2 * sum;
  }
  for (size_t i = 1; i + MIN_SEGMENT <= n; i++) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
      sum += fabs(x[i - 1] - x[j]);
      row[j + 1] += sum;
    }
    if (i < MIN_SEGMENT) continue;
    for (size_t e = i + MIN_SEGMENT; e <= n; e++) {
      double right = square[e] - 2 * row[e] + square[i];
      double found = energy((double)i, (double)(e - i), row[e] - square[i], square[i] / 2, right / 2);
      if (found > best.energy) best = (struct split){i, found};
    }
  }
  return best;
}

static void shuffle(double *values, size_t n, struct sp_prng *prng) {
  for (size_t i = n; i > 1; i--) {
    size_t j = (size_t)sp_prng_below(prng, i);
    double swapped = values[i - 1];
    values[i - 1] = values[j];
    values[j] = swapped;
  }
}

// Whether some segment of a random order of the values within each splits as well as the best of the real ones.
static bool chance_does_as_well(struct search *search, double observed) {
  for (size_t s = 0; s < search->n_segments; s++) {
    const struct segment *segment = &search->segments[s];
    size_t n = segment->end - segment->start;
    memcpy(search->permuted, search->values + segment->start, n * sizeof *search->permuted);
    shuffle(search->permuted, n, &search->prng);
    // The same order with other roundings, as of a scaled series, is as good.
    if (best_split(search->permuted, n, search->sums).energy >= observed * (1 - 1e-9)) return true;
  }
  return false;
}

// The permutation p-value of that split; above alpha as soon as it is known to be.
static double p_of(struct search *search, double observed, double alpha) {
  size_t n_as_good = 1; // the real order
  for (int i = 0; i < N_PERMUTATIONS; i++) {
    n_as_good += chance_does_as_well(search, observed);
    if ((double)n_as_good > alpha * (N_PERMUTATIONS + 1)) return 1;
  }
  return (double)n_as_good / (N_PERMUTATIONS + 1);
}

static void find_best(struct search *search, struct segment *segment) {
  segment->best = best_split(search->values + segment->start, segment->end - segment->start, search->sums);
}

static void split_segment(struct search *search, size_t s, double p) {
  memmove(&search->segments[s + 1], &search->segments[s],
          (search->n_segments - s) * sizeof search->segments[0]);
  search->n_segments++;
  struct segment *left = &search->segments[s], *right = left + 1;
  left->end = right->start = left->start + left->best.first_i;
  right->p = p;
  find_best(search, left);
  find_best(search, right);
}

// Splits the segment that gains most by it, if chance would not.
static bool split_further(struct search *search, double alpha) {
  size_t best = 0;
  for (size_t s = 1; s < search->n_segments; s++)
    if (search->segments[s].best.energy > search->segments[best].best.energy) best = s;
  double observed = search->segments[best].best.energy;
  if (observed <= 0) return false;
  double p = p_of(search, observed, alpha);
  if (p > alpha) return false;
  split_segment(search, best, p);
  return true;
}

size_t sp_changes_find(const double *values, size_t n, double alpha, uint64_t seed, struct sp_change *changes,
                       size_t max_changes) {
  for (size_t i = 0; i < n; i++) SP_ASSERT(isfinite(values[i]));
  if (n < 2 * (size_t)MIN_SEGMENT) return 0;
  struct search search = {.values = values, .n_segments = 1};
  sp_prng_init(&search.prng, seed, SP_PRNG_DECIDE);
  search.permuted = sp_alloc(n * sizeof *search.permuted);
  search.sums = sp_alloc(2 * (n + 1) * sizeof *search.sums);
  search.segments = sp_alloc((n / MIN_SEGMENT + 1) * sizeof *search.segments);
  search.segments[0].end = n;
  find_best(&search, &search.segments[0]);
  while (search.n_segments <= max_changes && split_further(&search, alpha)) {
  }
  for (size_t s = 1; s < search.n_segments; s++) {
    const struct segment *left = &search.segments[s - 1], *right = left + 1;
    changes[s - 1] = (struct sp_change){
        .first_i = right->start,
        .before = sp_median(values + left->start, left->end - left->start),
        .after = sp_median(values + right->start, right->end - right->start),
        .p = right->p,
    };
  }
  size_t n_changes = search.n_segments - 1;
  free(search.permuted);
  free(search.sums);
  free(search.segments);
  return n_changes;
}

void sp_changes_band(const double *values, size_t from, size_t n, double *low, double *high) {
  *low = *high = NAN;
  if (from > n || n - from < MIN_SEGMENT) return;
  double median = sp_median(values + from, n - from);
  double reach = BAND_SPREADS * sp_spread(values + from, n - from);
  *low = median - reach;
  *high = median + reach;
}
