// Recording and flipping. Ranking and means over the totals are in figures.c.
#include "meter/meter.h"

#include <stdlib.h>
#include <string.h>

#include "meter/books.h"

struct sp_meter *sp_meter_new(void) {
  struct sp_meter *meter = aligned_alloc(64, sizeof *meter);
  SP_ASSERT(meter);
  memset(meter, 0, sizeof *meter);
  for (int i = 0; i < SP_BOOKS_SERIES; i++) {
    sp_histogram_init(&meter->intervals[0].series[i]);
    sp_histogram_init(&meter->intervals[1].series[i]);
  }
  for (int i = 0; i < SP_SERIES_COUNT; i++) sp_histogram_init(&meter->totals[i]);
  sp_histogram_init(&meter->scratch);
  size_t n_bytes = SP_HISTOGRAM_SLOTS * sizeof *meter->slot_sums;
  meter->slot_sums = aligned_alloc(64, n_bytes);
  SP_ASSERT(meter->slot_sums);
  memset(meter->slot_sums, 0, n_bytes);
  n_bytes = SP_BOOKS_SECONDS * sizeof *meter->second_max;
  meter->second_max = sp_alloc(n_bytes);
  memset(meter->second_max, 0xff, n_bytes); // -1: no value in that second
  meter->t0_ns = INT64_MIN;
  meter->t1_ns = INT64_MAX;
  return meter;
}

void sp_meter_free(struct sp_meter *meter) {
  if (!meter) return;
  for (int i = 0; i < SP_BOOKS_SERIES; i++) {
    sp_histogram_done(&meter->intervals[0].series[i]);
    sp_histogram_done(&meter->intervals[1].series[i]);
  }
  for (int i = 0; i < SP_SERIES_COUNT; i++) sp_histogram_done(&meter->totals[i]);
  sp_histogram_done(&meter->scratch);
  free(meter->slot_sums);
  free(meter->second_max);
  free(meter);
}

void sp_meter_window(struct sp_meter *meter, int64_t t0_ns, int64_t t1_ns) {
  meter->t0_ns = t0_ns;
  meter->t1_ns = t1_ns;
}

void sp_meter_end_window(struct sp_meter *meter, int64_t t1_ns) {
  atomic_store_explicit(&meter->t1_ns, t1_ns, memory_order_relaxed);
}

static inline void count_message(struct sp_meter *meter, struct sp_interval *interval,
                                 enum sp_outcome outcome, int64_t done_ns) {
  interval->n_done += done_ns != 0;
  interval->n_not_ok += sp_outcome_is_not_ok(outcome);
  interval->n_outcomes += outcome != SP_OUTCOME_SHED;
  meter->answered_in_window += sp_outcome_is_answered(outcome) && done_ns >= meter->t0_ns &&
                               done_ns < atomic_load_explicit(&meter->t1_ns, memory_order_relaxed);
}

// One stage: its histogram, and its sum beside the event's response slot.
static inline void add_stage(struct sp_interval *interval, double *sums, enum sp_stage stage, int64_t ns) {
  sp_histogram_record(&interval->series[SP_BOOKS_STAGES + stage], ns);
  sums[stage] += (double)ns;
}

static inline void record_stage(struct sp_interval *interval, double *sums, enum sp_stage stage,
                                int64_t from_ns, int64_t to_ns) {
  if (from_ns == 0 || to_ns == 0) return;
  add_stage(interval, sums, stage, to_ns - from_ns);
}

static inline void record_stages(struct sp_meter *meter, struct sp_interval *interval, int64_t response_ns,
                                 const struct sp_stamps *at) {
  int64_t edge_ns = response_ns < 0                         ? 0
                    : response_ns > SP_HISTOGRAM_HIGHEST_NS ? SP_HISTOGRAM_HIGHEST_NS
                                                            : response_ns;
  struct sp_slot_sums *slot = &meter->slot_sums[sp_histogram_slot_of(edge_ns)];
  record_stage(interval, slot->ns, SP_STAGE_LATENESS, at->intended_ns, at->sent_ns);
  if (sp_stamps_are_elsewhere(at)) {
    // Its clock cannot be compared with ours: what it did not have the event for, the event was under way.
    if (at->taken_ns) add_stage(interval, slot->ns, SP_STAGE_QUEUE, at->taken_ns);
    add_stage(interval, slot->ns, SP_STAGE_TRANSIT, at->done_ns - at->sent_ns - at->encoded_ns);
  } else {
    record_stage(interval, slot->ns, SP_STAGE_INBOUND, at->sent_ns, at->held_ns);
    record_stage(interval, slot->ns, SP_STAGE_QUEUE, at->held_ns, at->taken_ns);
    record_stage(interval, slot->ns, SP_STAGE_OUTBOUND, at->encoded_ns, at->done_ns);
  }
  record_stage(interval, slot->ns, SP_STAGE_DECODE, at->taken_ns, at->dispatched_ns);
  record_stage(interval, slot->ns, SP_STAGE_PREDICT, at->dispatched_ns, at->answered_ns);
  record_stage(interval, slot->ns, SP_STAGE_ENCODE, at->answered_ns, at->encoded_ns);
  if (at->server_ns < 0 || at->dispatched_ns == 0 || at->answered_ns == 0) return;
  int64_t other_ns = at->answered_ns - at->dispatched_ns - at->server_ns;
  if (other_ns < 0) return; // longer than the call lasted: it cannot be true
  sp_histogram_record(&interval->series[SP_BOOKS_STAGES + SP_STAGE_SERVER], at->server_ns);
  sp_histogram_record(&interval->series[SP_BOOKS_STAGES + SP_STAGE_RPC_OTHER], other_ns);
  slot->ns[SP_STAGE_SERVER] += (double)at->server_ns;
  slot->ns[SP_STAGE_RPC_OTHER] += (double)other_ns;
  slot->n_server++;
}

void sp_meter_record(struct sp_meter *meter, uint64_t event, enum sp_outcome outcome,
                     const struct sp_stamps *stamps) {
  (void)event;
  struct sp_interval *interval = &meter->intervals[sp_phaser_enter(&meter->phaser)];
  int64_t response_ns = stamps->done_ns - stamps->intended_ns;
  meter->outcomes[outcome]++;
  count_message(meter, interval, outcome, stamps->done_ns);
  if (!sp_outcome_is_no_answer(outcome)) {
    bool is_ok = outcome == SP_OUTCOME_OK || outcome == SP_OUTCOME_UNCHECKED;
    sp_histogram_record(&interval->series[is_ok ? SP_BOOKS_OK : SP_BOOKS_OTHER], response_ns);
    if (stamps->dispatched_ns && !sp_stamps_are_elsewhere(stamps)) {
      sp_histogram_record(&interval->series[SP_BOOKS_SERVICE], stamps->done_ns - stamps->dispatched_ns);
    }
    record_stages(meter, interval, response_ns, stamps);
  } else {
    interval->n_no_answer++;
    if (stamps->done_ns) sp_histogram_record(&interval->series[SP_BOOKS_FAILURE], response_ns);
    if (stamps->sent_ns) {
      sp_histogram_record(&interval->series[SP_BOOKS_LATENESS_REST], stamps->sent_ns - stamps->intended_ns);
    }
  }
  sp_phaser_leave(&meter->phaser);
}

void sp_meter_record_warmup(struct sp_meter *meter, enum sp_outcome outcome, const struct sp_stamps *stamps) {
  struct sp_interval *interval = &meter->intervals[sp_phaser_enter(&meter->phaser)];
  count_message(meter, interval, outcome, stamps->done_ns);
  if (!sp_outcome_is_no_answer(outcome)) {
    sp_histogram_record(&interval->series[SP_BOOKS_WARMUP], stamps->done_ns - stamps->intended_ns);
  }
  sp_phaser_leave(&meter->phaser);
}

void sp_meter_flag(struct sp_meter *meter, enum sp_flag flag) {
  SP_ASSERT(flag < SP_FLAG_COUNT);
  meter->flags[flag]++;
}

static struct sp_error_group *group_of(struct sp_meter *meter, enum sp_outcome outcome, int code,
                                       const char *text) {
  size_t n = meter->n_errors < SP_METER_ERROR_GROUPS ? meter->n_errors : SP_METER_ERROR_GROUPS;
  for (size_t i = 0; i < n; i++) {
    struct sp_error_group *group = &meter->errors[i];
    if (group->outcome == outcome && group->code == code && strcmp(group->text, text) == 0) return group;
  }
  if (meter->n_errors <= SP_METER_ERROR_GROUPS) meter->n_errors++;
  struct sp_error_group *group = &meter->errors[meter->n_errors - 1];
  bool is_rest = meter->n_errors > SP_METER_ERROR_GROUPS;
  group->outcome = is_rest ? SP_OUTCOME_NONE : outcome;
  group->code = is_rest ? 0 : code;
  snprintf(group->text, sizeof group->text, "%s", is_rest ? "other" : text);
  return group;
}

void sp_meter_error(struct sp_meter *meter, enum sp_outcome outcome, int code, const char *text,
                    uint64_t event) {
  char clean[sizeof meter->errors->text];
  snprintf(clean, sizeof clean, "%s", text);
  for (char *at = clean; *at; at++) {
    if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
  }
  struct sp_error_group *group = group_of(meter, outcome, code, clean);
  if (group->count++ == 0) group->first_event = event;
}

static size_t second_i(int64_t second) {
  return second < 0 ? 0 : second < SP_BOOKS_SECONDS ? (size_t)second : SP_BOOKS_SECONDS - 1;
}

void sp_meter_no_answer(struct sp_meter *meter, enum sp_outcome outcome, int64_t second, int64_t count) {
  SP_ASSERT(sp_outcome_is_no_answer(outcome) && count >= 0);
  if (count == 0) return;
  meter->outcomes[outcome] += count;
  meter->second_max[second_i(second)][SP_SERIES_RESPONSE] = INT64_MAX;
}

void sp_meter_set_lateness(struct sp_meter *meter, const struct sp_histogram *lateness) {
  struct sp_histogram *into = &meter->totals[SP_SERIES_LATENESS];
  sp_histogram_reset(into);
  sp_histogram_add(into, lateness);
}

// Into the totals, the log and the seconds.
static void keep_series(struct sp_meter *meter, struct sp_hlog *log, double start_s, double length_s,
                        int64_t second, enum sp_series series, const struct sp_histogram *h) {
  if (h->n == 0) return;
  sp_histogram_add(&meter->totals[series], h);
  // The stage of that name differs from the lateness of all sent events only by those without an answer.
  bool is_logged = series != (enum sp_series)(SP_SERIES_STAGES + SP_STAGE_LATENESS);
  if (log && is_logged) {
    sp_hlog_write(log, series == SP_SERIES_RESPONSE ? "" : sp_series_name(series), start_s, length_s, h);
  }
  int64_t *max_ns = &meter->second_max[second_i(second)][series];
  if (h->max_ns > *max_ns) *max_ns = h->max_ns;
}

static void fill_row(struct sp_meter *meter, const struct sp_interval *closed, int64_t second,
                     int64_t n_sent_total, struct sp_second *row) {
  const struct sp_histogram *h = &meter->scratch;
  int64_t backlog = n_sent_total - meter->n_outcomes;
  *row = (struct sp_second){
      .second = second,
      .n_sent = n_sent_total - meter->n_sent_before,
      .n_done = closed->n_done,
      .n_not_ok = closed->n_not_ok,
      .p50_ns = sp_histogram_percentile(h, sp_percentile_q[SP_P50], 0),
      .p99_ns = sp_histogram_percentile(h, sp_percentile_q[SP_P99], 0),
      .max_ns = h->n ? h->max_ns : -1,
      .backlog = backlog > 0 ? backlog : 0,
  };
}

// Two series are kept apart while recording, so that no value is recorded twice: here they become one.
static const struct sp_histogram *sum_of(struct sp_meter *meter, const struct sp_histogram *a,
                                         const struct sp_histogram *b) {
  sp_histogram_reset(&meter->scratch);
  sp_histogram_add(&meter->scratch, a);
  sp_histogram_add(&meter->scratch, b);
  return &meter->scratch;
}

static void reset_interval(struct sp_interval *interval) {
  for (int i = 0; i < SP_BOOKS_SERIES; i++) sp_histogram_reset(&interval->series[i]);
  interval->n_done = interval->n_not_ok = interval->n_no_answer = interval->n_outcomes = 0;
}

void sp_meter_flip(struct sp_meter *meter, struct sp_hlog *log, double start_s, double length_s,
                   int64_t second, int64_t n_sent_total, struct sp_second *timeline_row) {
  struct sp_interval *closed = &meter->intervals[sp_phaser_flip(&meter->phaser)];
  const struct sp_histogram *in = closed->series;
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    keep_series(meter, log, start_s, length_s, second, SP_SERIES_STAGES + (enum sp_series)i,
                &in[SP_BOOKS_STAGES + i]);
  }
  keep_series(meter, log, start_s, length_s, second, SP_SERIES_LATENESS,
              sum_of(meter, &in[SP_BOOKS_STAGES + SP_STAGE_LATENESS], &in[SP_BOOKS_LATENESS_REST]));
  keep_series(meter, log, start_s, length_s, second, SP_SERIES_RESPONSE_OK, &in[SP_BOOKS_OK]);
  keep_series(meter, log, start_s, length_s, second, SP_SERIES_FAILURE, &in[SP_BOOKS_FAILURE]);
  keep_series(meter, log, start_s, length_s, second, SP_SERIES_SERVICE, &in[SP_BOOKS_SERVICE]);
  keep_series(meter, log, start_s, length_s, second, SP_SERIES_RESPONSE,
              sum_of(meter, &in[SP_BOOKS_OK], &in[SP_BOOKS_OTHER]));
  if (closed->n_no_answer) meter->second_max[second_i(second)][SP_SERIES_RESPONSE] = INT64_MAX;

  meter->n_outcomes += closed->n_outcomes;
  sp_histogram_add(&meter->scratch, &in[SP_BOOKS_WARMUP]);
  if (timeline_row) fill_row(meter, closed, second, n_sent_total, timeline_row);
  meter->n_sent_before = n_sent_total;
  reset_interval(closed);
}
