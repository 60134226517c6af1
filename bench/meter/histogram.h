// HDR histogram: 3 significant digits, 1 ns to 1 h, single writer. Counts and values agree bit for bit with the
// HdrHistogram reference (lowest 1, highest 3,600,000,000,000, 3 digits); files in its V2 formats.
// Source: G. Tene, HdrHistogram (public domain): values are kept in buckets that double in width, each of 2,048 linear
// sub-buckets of which the upper half is new, so that no value is off by more than 1 in 1,000.
#ifndef SP_METER_HISTOGRAM_H
#define SP_METER_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define SP_HISTOGRAM_HIGHEST_NS    INT64_C(3600000000000)
#define SP_HISTOGRAM_BUCKETS       32
#define SP_HISTOGRAM_SUB_BUCKETS   2048
#define SP_HISTOGRAM_SUB_HALF      1024
#define SP_HISTOGRAM_SUB_HALF_BITS 10
#define SP_HISTOGRAM_SLOTS         ((SP_HISTOGRAM_BUCKETS + 1) * SP_HISTOGRAM_SUB_HALF) // 33,792

struct sp_histogram {
  int64_t *counts;        // SP_HISTOGRAM_SLOTS of them
  int64_t n;              // recorded values
  int64_t min_ns, max_ns; // exact; min is INT64_MAX and max is 0 while empty
  double sum_ns;          // of what was recorded, for means; exact up to 2^53
  int64_t n_clamped;      // values above 1 h or below 0, recorded at the edge and counted here
};

void sp_histogram_init(struct sp_histogram *h); // allocates and touches 264 KiB
void sp_histogram_done(struct sp_histogram *h);
void sp_histogram_reset(struct sp_histogram *h); // costs what was used of it, not its size
void sp_histogram_add(struct sp_histogram *into, const struct sp_histogram *from);

// The slot of a value of 0 .. SP_HISTOGRAM_HIGHEST_NS.
static inline size_t sp_histogram_slot_of(int64_t value_ns) {
  uint64_t value = (uint64_t)value_ns;
  uint32_t bucket = 53 - (uint32_t)__builtin_clzll(value | (SP_HISTOGRAM_SUB_BUCKETS - 1));
  return ((size_t)bucket << SP_HISTOGRAM_SUB_HALF_BITS) + (size_t)(value >> bucket);
}
int64_t sp_histogram_slot_lowest(size_t slot);  // lowest value that falls in the slot
int64_t sp_histogram_slot_highest(size_t slot); // highest equivalent value
int64_t sp_histogram_slot_median(size_t slot);  // the value that stands for the slot in means

int64_t sp_histogram_clamp(struct sp_histogram *h, int64_t value_ns); // counts and returns the edge

// About 3 ns; the writer thread only.
static inline void sp_histogram_record(struct sp_histogram *h, int64_t value_ns) {
  if (__builtin_expect((uint64_t)value_ns > (uint64_t)SP_HISTOGRAM_HIGHEST_NS, 0)) {
    value_ns = sp_histogram_clamp(h, value_ns);
  }
  h->counts[sp_histogram_slot_of(value_ns)]++;
  h->n++;
  if (value_ns < h->min_ns) h->min_ns = value_ns;
  if (value_ns > h->max_ns) h->max_ns = value_ns;
  h->sum_ns += (double)value_ns;
}

// Highest equivalent value of the slot at rank ceil(q x total), at least rank 1, total = n + n_above, where n_above events
// rank above every recorded one (events without an answer). q is taken one unit in the last place lower, as the reference
// does, so that 0.07 x 100 is rank 7. Returns -1 when the rank falls among those, or total is 0.
int64_t sp_histogram_percentile(const struct sp_histogram *h, double q, int64_t n_above);
double sp_histogram_mean(const struct sp_histogram *h); // of the exact values; NAN while empty

// HdrHistogram V2 encoding, zlib-compressed, base64: allocated text; and back into an initialized histogram, whose former
// values are lost (accepts -1 as one zero, which some writers emit). After decoding, min, max and sum are those of the
// slots' lowest, highest and median values. SP_ERR_ENVIRONMENT: damaged, another format, or another range than ours.
char *sp_histogram_encode(const struct sp_histogram *h);
enum sp_err sp_histogram_decode(const char *base64, struct sp_histogram *h, struct sp_error *error);

// The same with memory that is kept, for a thread that encodes every second. Not thread-safe.
struct sp_hdr_encoder;
struct sp_hdr_encoder *sp_hdr_encoder_new(void);
void sp_hdr_encoder_free(struct sp_hdr_encoder *encoder); // NULL is allowed
const char *sp_hdr_encoder_text(struct sp_hdr_encoder *encoder,
                                const struct sp_histogram *h); // valid until the next call

// The .hgrm percentile table of HdrHistogram's outputPercentileDistribution (ticks per half distance 5, unit ratio 1000:
// microseconds), byte for byte as the Java reference prints it for the same counts.
void sp_histogram_write_hgrm(const struct sp_histogram *h, FILE *file);

// The V2 interval log (.hlog, format version 1.3): header, then one line per interval and tag. Flushed after each line, so
// that what a killed process leaves can be read. Seconds of an interval count from the start; "" is no tag.
struct sp_hlog;
enum sp_err sp_hlog_open(const char *path, double start_unix_s, struct sp_hlog **log, struct sp_error *error);
void sp_hlog_write(struct sp_hlog *log, const char *tag, double start_s, double length_s,
                   const struct sp_histogram *h);
enum sp_err sp_hlog_close(struct sp_hlog *log, struct sp_error *error); // frees it; reports a full disk
// Calls `interval` for each line; the histogram is valid during the call. SP_ERR_ENVIRONMENT naming file and line.
enum sp_err sp_hlog_read(const char *path,
                         void (*interval)(void *context, const char *tag, double start_s, double length_s,
                                          const struct sp_histogram *h),
                         void *context, struct sp_error *error);

#endif
