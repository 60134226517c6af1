#include "stats/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double *sp_order(const double *values, size_t n) {
  SP_ASSERT(n > 0);
  double *ordered = sp_alloc(n * sizeof *ordered);
  memcpy(ordered, values, n * sizeof *ordered);
  for (size_t i = 0; i < n; i++) SP_ASSERT(!isnan(ordered[i]));
  qsort(ordered, n, sizeof *ordered, by_value);
  return ordered;
}

double sp_order_median(const double *ordered, size_t n) {
  double low = ordered[(n - 1) / 2], high = ordered[n / 2];
  return low == high ? low : low / 2 + high / 2; // equal ones as they are: halving may round
}
