// What a meter holds; for meter.c and figures.c alone.
#ifndef SP_METER_BOOKS_H
#define SP_METER_BOOKS_H

#include "base/phaser.h"
#include "meter/meter.h"

enum {            // what the collector writes: each value once
  SP_BOOKS_OK,    // response of ok and unchecked
  SP_BOOKS_OTHER, // response of mismatch, malformed, filtered
  SP_BOOKS_FAILURE,
  SP_BOOKS_SERVICE,
  SP_BOOKS_LATENESS_REST, // of sent events without an answer
  SP_BOOKS_WARMUP,        // response of warm-up events
  SP_BOOKS_STAGES,
  SP_BOOKS_SERIES = SP_BOOKS_STAGES + SP_STAGE_COUNT,
};

#define SP_BOOKS_SECONDS                                                                                     \
  7200 // later seconds share the last place: five different ones are long found by then

struct sp_interval { // the writer's, from one flip to the next; then the control thread's
  struct sp_histogram series[SP_BOOKS_SERIES];
  int64_t n_done, n_not_ok, n_no_answer;
  int64_t n_outcomes; // of sent events
};

// Stages of the events whose response falls in one slot, so that the events above any percentile can be told apart later.
struct sp_slot_sums {
  double ns[SP_STAGE_COUNT];
  int64_t n_server; // events whose server reported its time
};

struct sp_meter {
  _Alignas(64) struct sp_phaser phaser;
  _Alignas(64) struct sp_interval intervals[2];
  // The writer's until it stops.
  struct sp_slot_sums *slot_sums; // SP_HISTOGRAM_SLOTS of them
  int64_t outcomes[SP_OUTCOME_COUNT];
  int64_t flags[SP_FLAG_COUNT];
  struct sp_error_group errors[SP_METER_ERROR_GROUPS + 1];
  size_t n_errors;
  int64_t answered_in_window;
  int64_t t0_ns;
  _Atomic int64_t t1_ns;
  // The control thread's.
  _Alignas(64) struct sp_histogram totals[SP_SERIES_COUNT];
  struct sp_histogram scratch;
  // The largest value of each second since t0, which tells whether it holds an exceedance of any percentile: -1 none,
  // INT64_MAX an event without an answer.
  int64_t (*second_max)[SP_SERIES_COUNT];
  int64_t n_outcomes, n_sent_before;
};

static inline bool sp_outcome_is_not_ok(enum sp_outcome outcome) {
  return outcome != SP_OUTCOME_OK && outcome != SP_OUTCOME_UNCHECKED && outcome != SP_OUTCOME_FILTERED;
}

#endif
