// What a sample of paired differences says about their median: an interval, a p-value, a difference that could have been seen.
// Pure functions; any thread. Values may be infinite (an answer that never came ranks above all), never NAN.
//
// The interval is the interpolated order-statistic one of Hettmansperger and Sheather (Confidence intervals based on
// interpolated order statistics, Statistics & Probability Letters 4, 1986, 75-79), by the formula of their section 2. Where the sample is so
// small that not even its whole range reaches the level, it is the whole range, with the level that this reaches.
#ifndef SP_STATS_INTERVAL_H
#define SP_STATS_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

struct sp_interval {
  double estimate, low, high; // the median and its bounds; NAN without values
  double level;               // 0.99; what is reached, where it is less than asked for; 0 without values
  bool is_short;              // the level asked for could not be reached
};

// Two-sided interval of the median at level 1 - alpha. values: n of them in any order, not changed. 0 < alpha < 1.
struct sp_interval sp_interval_of_median(const double *values, size_t n, double alpha);
// One-sided bounds at level 1 - alpha: the two-sided interval at 1 - 2 alpha.
double sp_interval_upper(const double *values, size_t n,
                         double alpha); // +INFINITY where n is too small for that level
double sp_interval_lower(const double *values, size_t n, double alpha); // -INFINITY
// The smallest alpha at which the two-sided interval does not hold `at`: the p-value that belongs to it. Down to the exact sign
// test's 2^(1-n) at the ends of the sample; 1 without values or where `at` is the median.
double sp_interval_p(const double *values, size_t n, double at);
// The same one-sided: against "the median is at most `at`".
double sp_interval_p_above(const double *values, size_t n, double at);

// Holm's step-down correction (A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6,
// 1979, 65-70): adjusted[i] belongs to p[i], is monotone and at most 1. adjusted may be p.
void sp_holm(const double *p, size_t n, double *adjusted);

// Median; NAN for n = 0. values not changed.
double sp_median(const double *values, size_t n);
// Half the width of the interval at level 1 - alpha that n_wanted values like these would have: what could just be told from
// nothing. By the spread of the sample (median absolute deviation from the median, 1.4826-fold, the normal median's variance pi/2);
// INFINITY below 3 finite values. For n_wanted = n it is never less than the half width of the interval itself.
double sp_detectable(const double *values, size_t n, double alpha, size_t n_wanted);
// The smallest number of pairs (a multiple of 2, at most 9998) at which the estimate of these would lie further from `at` than the half width;
// 0: not within 9998, or nothing to say.
size_t sp_pairs_needed(const double *values, size_t n, double alpha, double at);

#endif
