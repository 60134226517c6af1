// Where a series of runs changed its level: E-divisive with means (D. S. Matteson and N. A. James, A nonparametric approach for multiple
// change point analysis of multivariate data, Journal of the American Statistical Association 109, 2014, 334-345), significance by
// permutation with a fixed seed: the same series gives the same points. Pure; any thread.
#ifndef SP_STATS_CHANGES_H
#define SP_STATS_CHANGES_H

#include <stddef.h>
#include <stdint.h>

struct sp_change {
  size_t first_i;       // of the new level
  double before, after; // medians of the two segments beside it
  double p;             // permutation p-value
};

// Writes at most max_changes points in order of first_i; returns how many. values: n finite ones in order of time (take logarithms
// first where ratios matter). Segments hold at least 3 values. alpha: the p-value up to which a point counts, as 0.05.
size_t sp_changes_find(const double *values, size_t n, double alpha, uint64_t seed, struct sp_change *changes,
                       size_t max_changes);
// Band within which a value is noise: median -+ 3 x 1.4826 x median absolute deviation of values[from..n). NAN below 3.
void sp_changes_band(const double *values, size_t from, size_t n, double *low, double *high);

#endif
