// The percentile table of HdrHistogram, as its Java reference prints it (AbstractHistogram.outputPercentileDistribution,
// PercentileIterator, version 2.1.11).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "meter/histogram.h"

#define TICKS_PER_HALF_DISTANCE 5
#define NS_PER_UNIT             1000.0

// `value` with so many decimals, padded to `width`. Java rounds the shortest decimal form that reads back as the double,
// half up; printf rounds the double's exact value. They differ on ties such as 0.9995117187505.
static void print_decimal(FILE *file, int width, int n_decimals, double value) {
  char shortest[400], text[400];
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(shortest, sizeof shortest, "%.*e", digits - 1, value);
    if (strtod(shortest, NULL) == value) break;
  }
  // One digit more than the shortest form has, if that is short of the place where the rounding happens.
  int exponent = atoi(strchr(shortest, 'e') + 1);
  int n_digits = (int)(strchr(shortest, 'e') - shortest) - (strchr(shortest, '.') ? 1 : 0);
  int n_shown = n_digits - 1 - exponent; // decimals of the shortest form
  snprintf(text, sizeof text, "%.*f", n_shown > n_decimals ? n_shown : n_decimals, value);
  if (n_shown > n_decimals) {
    char *cut = strchr(text, '.') + 1 + n_decimals;
    bool up = *cut >= '5';
    *cut = '\0';
    for (char *digit = cut - 1; up && digit >= text; digit--) {
      if (*digit == '.') continue;
      up = *digit == '9';
      *digit = up ? '0' : (char)(*digit + 1);
    }
    if (up) {
      memmove(text + 1, text, strlen(text) + 1);
      text[0] = '1';
    }
  }
  fprintf(file, "%*s", width, text);
}

static void print_row(FILE *file, size_t slot, double level, int64_t n_to_here) {
  print_decimal(file, 12, 3, (double)sp_histogram_slot_highest(slot) / NS_PER_UNIT);
  fputc(' ', file);
  print_decimal(file, 0, 12, level / 100.0);
  fprintf(file, " %10lld", (long long)n_to_here);
  if (level != 100.0) {
    fputc(' ', file);
    print_decimal(file, 14, 2, 1 / (1.0 - level / 100.0));
  }
  fputc('\n', file);
}

// The next level: steps that halve with each halving of the distance to 100.
static double next_level(double level) {
  int64_t halvings = (int64_t)(log(100.0 / (100.0 - level)) / log(2)) + 1;
  return level + 100.0 / (double)(TICKS_PER_HALF_DISTANCE * (int64_t)pow(2, (double)halvings));
}

static void print_rows(const struct sp_histogram *h, FILE *file) {
  double level = 0;
  int64_t n_to_here = 0;
  size_t slot = 0;
  for (; n_to_here < h->n; slot++) {
    if (h->counts[slot] == 0) continue;
    n_to_here += h->counts[slot];
    while (100.0 * (double)n_to_here / (double)h->n >= level) {
      print_row(file, slot, level, n_to_here);
      level = next_level(level);
      if (n_to_here == h->n) break;
    }
  }
  if (h->n) print_row(file, slot - 1, 100.0, n_to_here);
}

// From the slots' median values, as the reference computes both.
static void moments(const struct sp_histogram *h, double *mean, double *deviation) {
  double total = 0, squares = 0;
  *mean = *deviation = 0;
  if (h->n == 0) return;
  size_t first = sp_histogram_slot_of(h->min_ns), last = sp_histogram_slot_of(h->max_ns);
  for (size_t slot = first; slot <= last; slot++) {
    total += (double)sp_histogram_slot_median(slot) * (double)h->counts[slot];
  }
  *mean = total / (double)h->n;
  for (size_t slot = first; slot <= last; slot++) {
    double distance = (double)sp_histogram_slot_median(slot) - *mean;
    squares += distance * distance * (double)h->counts[slot];
  }
  *deviation = sqrt(squares / (double)h->n);
}

void sp_histogram_write_hgrm(const struct sp_histogram *h, FILE *file) {
  double mean, deviation;
  moments(h, &mean, &deviation);
  int64_t max_ns = h->n ? sp_histogram_slot_highest(sp_histogram_slot_of(h->max_ns)) : 0;
  fprintf(file, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  print_rows(h, file);
  fputs("#[Mean    = ", file);
  print_decimal(file, 12, 3, mean / NS_PER_UNIT);
  fputs(", StdDeviation   = ", file);
  print_decimal(file, 12, 3, deviation / NS_PER_UNIT);
  fputs("]\n#[Max     = ", file);
  print_decimal(file, 12, 3, (double)max_ns / NS_PER_UNIT);
  fprintf(file, ", Total count    = %12lld]\n", (long long)h->n);
  fprintf(file, "#[Buckets = %12d, SubBuckets     = %12d]\n", SP_HISTOGRAM_BUCKETS, SP_HISTOGRAM_SUB_BUCKETS);
}
