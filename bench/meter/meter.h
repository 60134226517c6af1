// The collector's books: every event of a trial gets exactly one outcome, its response time and its stages.
// One writer (the collector thread); the control thread flips intervals and reads when the writer is done.
#ifndef SP_METER_METER_H
#define SP_METER_METER_H

#include <stdbool.h>

#include "base/outcome.h"
#include "meter/histogram.h"
#include "meter/stamps.h"

enum sp_series { // histograms over the window's events
  SP_SERIES_RESPONSE,     // done - intended, answered events (ok, unchecked, mismatch) and filtered, malformed ones; those without an answer are n_above
  SP_SERIES_RESPONSE_OK,  // ok and unchecked only
  SP_SERIES_FAILURE,      // done - intended of deadline, unavailable, rejected, error: time to failure
  SP_SERIES_SERVICE,      // done - dispatched
  SP_SERIES_LATENESS,     // sent - intended, every sent event
  SP_SERIES_STAGES,       // SP_STAGE_COUNT histograms from here
  SP_SERIES_COUNT = SP_SERIES_STAGES + SP_STAGE_COUNT,
};

enum sp_flag { SP_FLAG_DUPLICATE, SP_FLAG_REORDERED, SP_FLAG_LATE, SP_FLAG_ALIEN, SP_FLAG_FALLBACK, SP_FLAG_COUNT };

enum sp_percentile_state { SP_PERCENTILE_RESOLVED, SP_PERCENTILE_EPISODIC, SP_PERCENTILE_UNRESOLVED, SP_PERCENTILE_NO_ANSWER };
#define SP_PERCENTILES 6 // p50 p90 p95 p99 p99_9 p99_99
extern const double sp_percentile_q[SP_PERCENTILES];
extern const char *const sp_percentile_name[SP_PERCENTILES];

struct sp_second { // one second of the timeline, since t0 (negative: warm-up)
  int64_t second;
  int64_t n_sent, n_done, n_not_ok;
  int64_t p50_ns, p99_ns, max_ns; // of responses done in it; -1: none
  int64_t backlog;                // sent or due, without outcome, at its end
};

struct sp_meter;
struct sp_error_group { enum sp_outcome outcome; int code; char text[120]; int64_t count; uint64_t first_event; };

// n_window: expected events, for nothing but sizing. Allocates and touches everything that recording needs.
struct sp_meter *sp_meter_new(void);
void sp_meter_free(struct sp_meter *meter);

// Collector thread. One event of the window got its outcome; stamps->done_ns is set. 10 histogram records at most.
void sp_meter_record(struct sp_meter *meter, uint64_t event, enum sp_outcome outcome, const struct sp_stamps *stamps);
// The same for an outcome of the warm-up: only the timeline sees it.
void sp_meter_record_warmup(struct sp_meter *meter, enum sp_outcome outcome, const struct sp_stamps *stamps);
void sp_meter_flag(struct sp_meter *meter, enum sp_flag flag);
// Why events failed, grouped by outcome, code and text: at most 64 groups, the rest under "other".
void sp_meter_error(struct sp_meter *meter, enum sp_outcome outcome, int code, const char *text, uint64_t event);
// Events without any message: counted at the end by the driver (lost) or by the pacer (shed). `intended_ns` tells the second.
void sp_meter_no_answer(struct sp_meter *meter, enum sp_outcome outcome, int64_t second, int64_t count);

// Control thread, about once a second: closes the interval and opens the next; waits (microseconds) until the writer has
// left the old one. Writes one .hlog line per series that has values (tags RESPONSE "" , others by name).
void sp_meter_flip(struct sp_meter *meter, struct sp_hlog *log, double start_s, double length_s, int64_t second,
                   int64_t n_sent_total, struct sp_second *timeline_row);
// The live line: p50 / p99 of the last closed interval are in timeline rows.

// After the writer has stopped.
const struct sp_histogram *sp_meter_series(const struct sp_meter *meter, enum sp_series series);
int64_t sp_meter_count(const struct sp_meter *meter, enum sp_outcome outcome);
int64_t sp_meter_flag_count(const struct sp_meter *meter, enum sp_flag flag);
const struct sp_error_group *sp_meter_errors(const struct sp_meter *meter, size_t *n);
// Percentile i of a series with its state by DESIGN §3.4 (resolved if n(1-q) >= 20 and exceedances fall in >= 5 seconds);
// value -1 where unresolved or no answer. For RESPONSE the events without an answer rank above.
int64_t sp_meter_percentile(const struct sp_meter *meter, enum sp_series series, int i, enum sp_percentile_state *state);
// Mean of a stage over events whose response is at or above the response p99 (kept as per-slot sums of stages).
double sp_meter_stage_mean_above_p99(const struct sp_meter *meter, enum sp_stage stage);
double sp_meter_stage_mean(const struct sp_meter *meter, enum sp_stage stage);

#endif
