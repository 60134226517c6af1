// From the meter's totals to a result, and whether its books balance.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "result/result.h"

#define DRIVER_LIMITED_SHARE 0.1

static void fill_latency(struct sp_latency *latency, const struct sp_meter *meter, enum sp_series series) {
  const struct sp_histogram *h = sp_meter_series(meter, series);
  int64_t n_above = sp_meter_n_above(meter, series);
  free(latency->hdr);
  latency->present = true;
  latency->count = h->n + n_above;
  latency->mean_ns = sp_histogram_mean(h);
  latency->max_ns = h->n && n_above == 0 ? h->max_ns : -1;
  latency->hdr = sp_histogram_encode(h);
  for (int i = 0; i < SP_PERCENTILES; i++) {
    latency->percentile_ns[i] = sp_meter_percentile(meter, series, i, &latency->state[i]);
  }
}

// Of the lateness the value counts, whatever its state: few late events are enough to blur a percentile.
static void mark_driver_limited(struct sp_latency *latency, const struct sp_meter *meter) {
  const struct sp_histogram *lateness = sp_meter_series(meter, SP_SERIES_LATENESS);
  for (int i = 0; i < SP_PERCENTILES; i++) {
    int64_t value_ns = latency->percentile_ns[i];
    int64_t late_ns = sp_histogram_percentile(lateness, sp_percentile_q[i], 0);
    latency->driver_limited[i] = value_ns >= 0 && (double)late_ns > DRIVER_LIMITED_SHARE * (double)value_ns;
  }
}

static void fill_stage(struct sp_stage_figures *figures, const struct sp_meter *meter, enum sp_stage stage) {
  enum sp_percentile_state state;
  enum sp_series series = SP_SERIES_STAGES + (enum sp_series)stage;
  figures->present = sp_meter_series(meter, series)->n > 0;
  figures->mean_ns = sp_meter_stage_mean(meter, stage);
  figures->mean_above_p99_ns = sp_meter_stage_mean_above_p99(meter, stage);
  figures->p50_ns = sp_meter_percentile(meter, series, SP_P50, &state);
  figures->p99_ns = sp_meter_percentile(meter, series, SP_P99, &state);
}

static void fill_counts(struct sp_result *r, const struct sp_meter *meter) {
  size_t n;
  const struct sp_error_group *errors = sp_meter_errors(meter, &n);
  SP_ASSERT(n <= SP_RESULT_ERRORS);
  memcpy(r->errors, errors, n * sizeof *errors);
  r->n_errors = n;
  int64_t n_answered = 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    r->outcomes[i] = sp_meter_count(meter, (enum sp_outcome)i);
    if (i != SP_OUTCOME_NONE && !sp_outcome_is_no_answer((enum sp_outcome)i)) n_answered += r->outcomes[i];
  }
  for (int i = 0; i < SP_FLAG_COUNT; i++) r->flags[i] = sp_meter_flag_count(meter, (enum sp_flag)i);
  r->completion = r->intended > 0 ? (double)n_answered / (double)r->intended : NAN;
}

void sp_result_from_meter(struct sp_result *r, const struct sp_meter *meter) {
  fill_counts(r, meter);
  bool has_window = r->window_s > 0;
  r->offered_per_s = has_window && !r->closed_loop ? (double)r->intended / r->window_s : NAN;
  r->achieved_per_s = has_window ? (double)sp_meter_answered_in_window(meter) / r->window_s : NAN;
  if (!r->closed_loop) {
    fill_latency(&r->response, meter, SP_SERIES_RESPONSE);
    fill_latency(&r->response_ok, meter, SP_SERIES_RESPONSE_OK);
    fill_latency(&r->lateness, meter, SP_SERIES_LATENESS);
    mark_driver_limited(&r->response, meter);
    mark_driver_limited(&r->response_ok, meter);
  }
  fill_latency(&r->failure, meter, SP_SERIES_FAILURE);
  fill_latency(&r->service, meter, SP_SERIES_SERVICE);
  for (int i = 0; i < SP_STAGE_COUNT; i++) fill_stage(&r->stages[i], meter, (enum sp_stage)i);
  r->stages[SP_STAGE_LATENESS].present &= !r->closed_loop;
  r->residual_ns = sp_meter_residual_mean(meter);
}

enum sp_err sp_result_check_books(const struct sp_result *r, struct sp_error *error) {
  int64_t sum = 0;
  bool is_negative = r->intended < 0;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    sum += r->outcomes[i];
    is_negative |= r->outcomes[i] < 0;
  }
  if (is_negative || sum != r->intended || r->outcomes[SP_OUTCOME_NONE] != 0) {
    return sp_fail(error, SP_ERR_INTERNAL, "the outcomes sum to %lld of %lld events intended", (long long)sum,
                   (long long)r->intended);
  }
  if (r->response.present && r->response.count != r->intended) {
    return sp_fail(error, SP_ERR_INTERNAL, "the response histogram ranks %lld of %lld events intended",
                   (long long)r->response.count, (long long)r->intended);
  }
  int64_t n_ok = r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED];
  if (r->response_ok.present && r->response_ok.count != n_ok) {
    return sp_fail(error, SP_ERR_INTERNAL, "the histogram of ok answers holds %lld of %lld",
                   (long long)r->response_ok.count, (long long)n_ok);
  }
  return SP_OK;
}
