// Counting and ranking; the file formats are in encoder.c, hgrm.c and hlog.c.
#include "meter/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sp_histogram_init(struct sp_histogram *h) {
  size_t n_bytes = SP_HISTOGRAM_SLOTS * sizeof *h->counts;
  h->counts = aligned_alloc(64, n_bytes);
  SP_ASSERT(h->counts);
  memset(h->counts, 0, n_bytes); // touches every page, so that recording never faults
  h->n = 0;
  h->min_ns = INT64_MAX;
  h->max_ns = 0;
  h->sum_ns = 0;
  h->n_clamped = 0;
}

void sp_histogram_done(struct sp_histogram *h) {
  free(h->counts);
  h->counts = NULL;
}

void sp_histogram_reset(struct sp_histogram *h) {
  if (h->n) {
    size_t first = sp_histogram_slot_of(h->min_ns), last = sp_histogram_slot_of(h->max_ns);
    memset(h->counts + first, 0, (last - first + 1) * sizeof *h->counts);
  }
  h->n = 0;
  h->min_ns = INT64_MAX;
  h->max_ns = 0;
  h->sum_ns = 0;
  h->n_clamped = 0;
}

void sp_histogram_add(struct sp_histogram *into, const struct sp_histogram *from) {
  if (from->n == 0) return;
  size_t last = sp_histogram_slot_of(from->max_ns);
  for (size_t slot = sp_histogram_slot_of(from->min_ns); slot <= last; slot++)
    into->counts[slot] += from->counts[slot];
  into->n += from->n;
  if (from->min_ns < into->min_ns) into->min_ns = from->min_ns;
  if (from->max_ns > into->max_ns) into->max_ns = from->max_ns;
  into->sum_ns += from->sum_ns;
  into->n_clamped += from->n_clamped;
}

static uint32_t bucket_of_slot(size_t slot) {
  return slot < SP_HISTOGRAM_SUB_BUCKETS ? 0 : (uint32_t)(slot >> SP_HISTOGRAM_SUB_HALF_BITS) - 1;
}

int64_t sp_histogram_slot_lowest(size_t slot) {
  uint32_t bucket = bucket_of_slot(slot);
  return (int64_t)(slot - ((size_t)bucket << SP_HISTOGRAM_SUB_HALF_BITS)) << bucket;
}

int64_t sp_histogram_slot_highest(size_t slot) {
  return sp_histogram_slot_lowest(slot) + (INT64_C(1) << bucket_of_slot(slot)) - 1;
}

int64_t sp_histogram_slot_median(size_t slot) {
  return sp_histogram_slot_lowest(slot) + ((INT64_C(1) << bucket_of_slot(slot)) >> 1);
}

int64_t sp_histogram_clamp(struct sp_histogram *h, int64_t value_ns) {
  h->n_clamped++;
  return value_ns < 0 ? 0 : SP_HISTOGRAM_HIGHEST_NS;
}

int64_t sp_histogram_percentile(const struct sp_histogram *h, double q, int64_t n_above) {
  int64_t total = h->n + n_above;
  if (total == 0) return -1;
  int64_t rank = (int64_t)ceil(nextafter(q, -1) * (double)total);
  if (rank < 1) rank = 1;
  if (rank > h->n) return -1;
  int64_t seen = 0;
  for (size_t slot = sp_histogram_slot_of(h->min_ns); slot < SP_HISTOGRAM_SLOTS; slot++) {
    seen += h->counts[slot];
    if (seen >= rank) return sp_histogram_slot_highest(slot);
  }
  sp_panic(__FILE__, __LINE__, "counts sum to n");
}

double sp_histogram_mean(const struct sp_histogram *h) {
  return h->n ? h->sum_ns / (double)h->n : NAN;
}
