// Values in order and how far they spread, for the other files of this folder. Pure; any thread.
#ifndef SP_STATS_ORDER_H
#define SP_STATS_ORDER_H

#include <stddef.h>

// An ascending copy, infinities at its ends; n > 0; a NAN among them is a broken invariant. Free with free().
double *sp_order(const double *values, size_t n);
// Median of n > 0 ascending values. NAN where the middle two are -INFINITY and +INFINITY.
double sp_order_median(const double *ordered, size_t n);

#endif
