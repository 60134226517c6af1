// The percentile curve of one side: the response histograms of its trials added up, with what is known about how far it can
// be trusted. One thread.
#ifndef SP_RESULT_CURVE_H
#define SP_RESULT_CURVE_H

#include "meter/histogram.h"
#include "result/result.h"

struct sp_curve {
  struct sp_histogram histogram;
  int64_t n_above; // events without an answer: they rank above every recorded one
  size_t n_trials;
  bool is_service;        // the loop is closed: service times, for there are no response times
  int64_t *second_max_ns; // of every second of every trial's timeline, falling
  size_t n_seconds;
};

void sp_curve_init(struct sp_curve *curve); // 264 KiB
void sp_curve_done(struct sp_curve *curve);
// Adds a trial: about 0.1 ms. SP_ERR_ENVIRONMENT naming the run: its histogram is damaged, or it has response times where the
// trials before have only service times. A trial with neither adds nothing.
enum sp_err sp_curve_add(struct sp_curve *curve, const struct sp_result *result, struct sp_error *error);

struct sp_curve_point {
  double q;
  int64_t ns;                     // -1: no answer, or nothing recorded
  enum sp_percentile_state state; // by DESIGN §3.4 over all trials: 20 exceedances, in 5 different seconds
};
// The value at 0 <= q < 1. Where a trial has no timeline, or its times are service times, seconds are not judged.
struct sp_curve_point sp_curve_at(const struct sp_curve *curve, double q);
// The highest q that is resolved by the number of events: 1 - 20 / n; 0 where there are fewer than 20.
double sp_curve_resolved_q(const struct sp_curve *curve);
// At most max points for an axis of log10(1 / (1 - q)) from q = 0 to 0.9999; where neighbours have the same value
// and state only the first and the last. Returns how many; 0 where nothing was added.
size_t sp_curve_points(const struct sp_curve *curve, struct sp_curve_point *points, size_t max);

#endif
