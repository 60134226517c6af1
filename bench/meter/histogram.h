// HDR histogram: 3 significant digits, 1 ns to 1 h, single writer. Counts and values agree bit for bit with the
// HdrHistogram reference (lowest 1, highest 3,600,000,000,000, 3 digits); files in its V2 formats.
#ifndef SP_METER_HISTOGRAM_H
#define SP_METER_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct sp_histogram {
  int64_t *counts;      // sp_histogram_slots() of them
  int64_t n;            // recorded values
  int64_t min_ns, max_ns; // exact; min is INT64_MAX while empty
  int64_t n_clamped;    // values above 1 h or below 0, recorded at the edge and counted here
  double sum_ns;        // exact sum of what was recorded, for means
};

size_t sp_histogram_slots(void);
void sp_histogram_init(struct sp_histogram *h); // allocates and touches 264 KiB
void sp_histogram_done(struct sp_histogram *h);
void sp_histogram_reset(struct sp_histogram *h);
void sp_histogram_add(struct sp_histogram *into, const struct sp_histogram *from);

size_t sp_histogram_slot_of(int64_t value_ns);
int64_t sp_histogram_slot_lowest(size_t slot);  // lowest value that falls in the slot
int64_t sp_histogram_slot_highest(size_t slot); // highest equivalent value
// 3 ns; the writer thread only.
void sp_histogram_record(struct sp_histogram *h, int64_t value_ns);

// Highest equivalent value of the slot at rank ceil(q x total), total = n + n_above, where n_above events rank above every
// recorded one (events without an answer). Returns -1 when the rank falls among those, or total is 0.
int64_t sp_histogram_percentile(const struct sp_histogram *h, double q, int64_t n_above);
int64_t sp_histogram_count_above(const struct sp_histogram *h, int64_t value_ns); // recorded values in higher slots
double sp_histogram_mean(const struct sp_histogram *h);

// HdrHistogram V2 encoding, zlib-compressed, base64: allocated text; and back (V2 compressed, accepts -1 as one zero).
char *sp_histogram_encode(const struct sp_histogram *h);
enum sp_err sp_histogram_decode(const char *base64, struct sp_histogram *h, struct sp_error *error);
// The .hgrm percentile table of HdrHistogram's outputPercentileDistribution (ticks per half distance 5, unit ratio 1000:
// microseconds), byte for byte as the Java reference prints it.
void sp_histogram_write_hgrm(const struct sp_histogram *h, FILE *file);

// The V2 interval log (.hlog): header, then one line per interval and tag.
struct sp_hlog;
enum sp_err sp_hlog_open(const char *path, double start_unix_s, struct sp_hlog **log, struct sp_error *error);
void sp_hlog_write(struct sp_hlog *log, const char *tag, double start_s, double length_s, const struct sp_histogram *h);
enum sp_err sp_hlog_close(struct sp_hlog *log, struct sp_error *error); // reports a full disk
enum sp_err sp_hlog_read(const char *path, void (*interval)(void *context, const char *tag, double start_s, double length_s,
                         const struct sp_histogram *h), void *context, struct sp_error *error);

#endif
