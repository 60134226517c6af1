// What the totals of a meter say: percentiles with their states, means of stages, whether the books balance.
#include <math.h>

#include "meter/books.h"

const double sp_percentile_q[SP_PERCENTILES] = {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};
const char *const sp_percentile_name[SP_PERCENTILES] = {"p50", "p90", "p95", "p99", "p99_9", "p99_99"};

#define EXCEEDANCES_NEEDED 20

const char *sp_series_name(enum sp_series series) {
  static const char *const names[] = {"response", "response_ok", "failure", "service", "lateness"};
  SP_ASSERT(series < SP_SERIES_COUNT);
  return series < SP_SERIES_STAGES ? names[series]
                                   : sp_stage_name((enum sp_stage)(series - SP_SERIES_STAGES));
}

const char *sp_flag_name(enum sp_flag flag) {
  static const char *const names[SP_FLAG_COUNT] = {"duplicate", "reordered", "late", "alien", "fallback"};
  SP_ASSERT(flag < SP_FLAG_COUNT);
  return names[flag];
}

const char *sp_percentile_state_name(enum sp_percentile_state state) {
  static const char *const names[SP_PERCENTILE_STATE_COUNT] = {"resolved", "episodic", "unresolved",
                                                               "no_answer"};
  SP_ASSERT(state < SP_PERCENTILE_STATE_COUNT);
  return names[state];
}

const struct sp_histogram *sp_meter_series(const struct sp_meter *meter, enum sp_series series) {
  SP_ASSERT(series < SP_SERIES_COUNT);
  return &meter->totals[series];
}

int64_t sp_meter_count(const struct sp_meter *meter, enum sp_outcome outcome) {
  SP_ASSERT(outcome < SP_OUTCOME_COUNT);
  return meter->outcomes[outcome];
}

int64_t sp_meter_flag_count(const struct sp_meter *meter, enum sp_flag flag) {
  SP_ASSERT(flag < SP_FLAG_COUNT);
  return meter->flags[flag];
}

int64_t sp_meter_answered_in_window(const struct sp_meter *meter) {
  return meter->answered_in_window;
}

const struct sp_error_group *sp_meter_errors(const struct sp_meter *meter, size_t *n) {
  *n = meter->n_errors;
  return meter->errors;
}

int64_t sp_meter_n_above(const struct sp_meter *meter, enum sp_series series) {
  int64_t n = 0;
  if (series != SP_SERIES_RESPONSE) return 0;
  for (int outcome = 0; outcome < SP_OUTCOME_COUNT; outcome++) {
    if (sp_outcome_is_no_answer((enum sp_outcome)outcome)) n += meter->outcomes[outcome];
  }
  return n;
}

int64_t sp_percentile_judge(const struct sp_histogram *h, int i, int64_t n_above, const int64_t *second_max,
                            size_t stride, size_t n_seconds, enum sp_percentile_state *state) {
  SP_ASSERT(i >= 0 && i < SP_PERCENTILES);
  int64_t n = h->n + n_above, value_ns = sp_histogram_percentile(h, sp_percentile_q[i], n_above);
  int n_seconds_above = 0;
  for (size_t k = 0; k < n_seconds && n_seconds_above < SP_PERCENTILE_SECONDS; k++)
    n_seconds_above += second_max[k * stride] > value_ns;
  // 1e-9: 200 x (1 - 0.9) is 20, though not in binary.
  if (value_ns < 0 && n > 0) {
    *state = SP_PERCENTILE_NO_ANSWER;
  } else if ((double)n * (1 - sp_percentile_q[i]) < EXCEEDANCES_NEEDED - 1e-9) {
    *state = SP_PERCENTILE_UNRESOLVED;
    value_ns = -1;
  } else if (n_seconds_above < SP_PERCENTILE_SECONDS) {
    *state = SP_PERCENTILE_EPISODIC;
  } else {
    *state = SP_PERCENTILE_RESOLVED;
  }
  return value_ns;
}

int64_t sp_meter_percentile(const struct sp_meter *meter, enum sp_series series, int i,
                            enum sp_percentile_state *state) {
  return sp_percentile_judge(sp_meter_series(meter, series), i, sp_meter_n_above(meter, series),
                             &meter->second_max[0][series], SP_SERIES_COUNT, SP_BOOKS_SECONDS, state);
}

static double mean_from_slot(const struct sp_meter *meter, enum sp_stage stage, size_t first) {
  const struct sp_histogram *response = &meter->totals[SP_SERIES_RESPONSE];
  bool is_server = stage >= SP_STAGE_SUMMED;
  double sum_ns = 0;
  int64_t n = 0;
  for (size_t slot = first; slot < SP_HISTOGRAM_SLOTS; slot++) {
    sum_ns += meter->slot_sums[slot].ns[stage];
    n += is_server ? meter->slot_sums[slot].n_server : response->counts[slot];
  }
  return n ? sum_ns / (double)n : NAN;
}

double sp_meter_stage_mean(const struct sp_meter *meter, enum sp_stage stage) {
  SP_ASSERT(stage < SP_STAGE_COUNT);
  return mean_from_slot(meter, stage, 0);
}

double sp_meter_stage_mean_above_p99(const struct sp_meter *meter, enum sp_stage stage) {
  SP_ASSERT(stage < SP_STAGE_COUNT);
  int64_t p99_ns = sp_histogram_percentile(&meter->totals[SP_SERIES_RESPONSE], sp_percentile_q[SP_P99],
                                           sp_meter_n_above(meter, SP_SERIES_RESPONSE));
  if (p99_ns < 0) return NAN;
  if (p99_ns > SP_HISTOGRAM_HIGHEST_NS) p99_ns = SP_HISTOGRAM_HIGHEST_NS; // the last slot ends above it
  return mean_from_slot(meter, stage, sp_histogram_slot_of(p99_ns));
}

double sp_meter_residual_mean(const struct sp_meter *meter) {
  double residual_ns = sp_histogram_mean(&meter->totals[SP_SERIES_RESPONSE]);
  for (int stage = 0; stage < SP_STAGE_SUMMED; stage++)
    residual_ns -= sp_meter_stage_mean(meter, (enum sp_stage)stage);
  return residual_ns;
}

enum sp_err sp_meter_check_books(const struct sp_meter *meter, int64_t n_intended, struct sp_error *error) {
  int64_t n_outcomes = 0;
  for (int outcome = 0; outcome < SP_OUTCOME_COUNT; outcome++) n_outcomes += meter->outcomes[outcome];
  int64_t n_responses = meter->totals[SP_SERIES_RESPONSE].n,
          n_above = sp_meter_n_above(meter, SP_SERIES_RESPONSE);
  if (n_outcomes != n_intended || n_responses + n_above != n_intended || meter->outcomes[SP_OUTCOME_NONE]) {
    return sp_fail(
        error, SP_ERR_INTERNAL,
        "the books do not balance: %lld events intended, %lld outcomes, %lld responses and %lld without an "
        "answer; please report this with the command that caused it",
        (long long)n_intended, (long long)n_outcomes, (long long)n_responses, (long long)n_above);
  }
  return SP_OK;
}
