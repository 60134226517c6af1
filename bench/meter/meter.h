// The collector's books: every event of a trial gets exactly one outcome, its response time and its stages.
// One writer (the collector thread) records; one control thread flips intervals about once a second, and reads the totals
// after the writer has stopped and the last flip is done.
#ifndef SP_METER_METER_H
#define SP_METER_METER_H

#include <stdbool.h>

#include "base/outcome.h"
#include "meter/histogram.h"
#include "meter/stamps.h"

enum sp_series { // histograms over the window's events
  SP_SERIES_RESPONSE, // done - intended of ok, unchecked, mismatch, malformed and filtered; those without an answer rank above
  SP_SERIES_RESPONSE_OK, // of ok and unchecked only
  SP_SERIES_FAILURE,     // done - intended of deadline, unavailable, rejected, error: time to failure
  SP_SERIES_SERVICE,     // done - dispatched of the events in RESPONSE
  SP_SERIES_LATENESS, // sent - intended of every sent event; the stage of that name is of the events in RESPONSE
  SP_SERIES_STAGES, // SP_STAGE_COUNT histograms from here, of the events in RESPONSE
  SP_SERIES_COUNT = SP_SERIES_STAGES + SP_STAGE_COUNT,
};
const char *sp_series_name(enum sp_series series); // "response", "response_ok", ... stages by their names

enum sp_flag {
  SP_FLAG_DUPLICATE,
  SP_FLAG_REORDERED,
  SP_FLAG_LATE,
  SP_FLAG_ALIEN,
  SP_FLAG_FALLBACK,
  SP_FLAG_COUNT
};
const char *sp_flag_name(enum sp_flag flag); // "duplicate", ...

enum sp_percentile_state {
  SP_PERCENTILE_RESOLVED,
  SP_PERCENTILE_EPISODIC,
  SP_PERCENTILE_UNRESOLVED,
  SP_PERCENTILE_NO_ANSWER,
  SP_PERCENTILE_STATE_COUNT
};
const char *
sp_percentile_state_name(enum sp_percentile_state state); // "resolved", "episodic", "unresolved", "no_answer"
#define SP_PERCENTILES 6                                  // p50 p90 p95 p99 p99_9 p99_99
enum { SP_P50, SP_P90, SP_P95, SP_P99, SP_P99_9, SP_P99_99 };
extern const double sp_percentile_q[SP_PERCENTILES];
extern const char *const sp_percentile_name[SP_PERCENTILES];

struct sp_second { // one second of the timeline, since t0 (negative: warm-up)
  int64_t second;
  int64_t n_sent, n_done, n_not_ok;
  int64_t p50_ns, p99_ns, max_ns; // of responses done in it; -1: none
  int64_t backlog;                // sent, without outcome, at its end
};

struct sp_meter;
struct sp_error_group {
  enum sp_outcome outcome;
  int code;
  char text[120]; // control characters replaced by '?'
  int64_t count;
  uint64_t first_event;
};
#define SP_METER_ERROR_GROUPS 64 // and one more: outcome SP_OUTCOME_NONE, text "other"

// Allocates and touches everything that recording and flipping need (about 14 MiB): a long trial does not grow.
struct sp_meter *sp_meter_new(void);
void sp_meter_free(struct sp_meter *meter); // NULL is allowed

// Before the first record: the window in the clock of the stamps, for sp_meter_answered_in_window. Without it the window
// is all of time.
void sp_meter_window(struct sp_meter *meter, int64_t t0_ns, int64_t t1_ns);
// Any thread, while the writer records: the window ends earlier than was planned, now; answers from here on are not in it.
void sp_meter_end_window(struct sp_meter *meter, int64_t t1_ns);

// Collector thread; allocates nothing, waits for nobody. One event of the window got its outcome; stamps->done_ns is set.
// At most 12 histogram records. A stage whose stamps did not happen is left out of the histogram of that stage, counts as 0
// in its mean, and shows in the residual.
void sp_meter_record(struct sp_meter *meter, uint64_t event, enum sp_outcome outcome,
                     const struct sp_stamps *stamps);
// The same for an outcome of the warm-up: only the timeline and the answers received in the window see it.
void sp_meter_record_warmup(struct sp_meter *meter, enum sp_outcome outcome, const struct sp_stamps *stamps);
void sp_meter_flag(struct sp_meter *meter, enum sp_flag flag);
// Why events failed, grouped by outcome, code and text: at most SP_METER_ERROR_GROUPS, the rest in one group "other".
void sp_meter_error(struct sp_meter *meter, enum sp_outcome outcome, int code, const char *text,
                    uint64_t event);

// Control thread, after the writer has stopped: events of the window without any message (lost, shed), `count` of them
// intended in that second since t0. A percentile whose exceedances are such events is judged by these seconds.
void sp_meter_no_answer(struct sp_meter *meter, enum sp_outcome outcome, int64_t second, int64_t count);

// Control thread, after the last flip: the pacer's own histogram of sent - intended over the window, which knows the events
// that no message came back for; it takes the place of the series LATENESS.
void sp_meter_set_lateness(struct sp_meter *meter, const struct sp_histogram *lateness);

// Control thread, about once a second, and once after the writer has stopped: closes the interval `second` (since t0) and
// opens the next; waits (microseconds) until the writer has left the old one. Writes one .hlog line per series that has
// values (the response without a tag, the others by name; log NULL: none). n_sent_total: events sent so far, warm-up
// included, without those shed. timeline_row NULL: not wanted. Seconds in which exceedances fall are counted by these
// intervals.
void sp_meter_flip(struct sp_meter *meter, struct sp_hlog *log, double start_s, double length_s,
                   int64_t second, int64_t n_sent_total, struct sp_second *timeline_row);

// Control thread, after the last flip.
const struct sp_histogram *sp_meter_series(const struct sp_meter *meter, enum sp_series series);
int64_t sp_meter_count(const struct sp_meter *meter, enum sp_outcome outcome);
int64_t sp_meter_flag_count(const struct sp_meter *meter, enum sp_flag flag);
int64_t
sp_meter_answered_in_window(const struct sp_meter *meter); // ok, unchecked, mismatch with t0 <= done < t1
const struct sp_error_group *sp_meter_errors(const struct sp_meter *meter, size_t *n);
// Events of that series without an answer, which rank above every recorded one: 0 but for RESPONSE.
int64_t sp_meter_n_above(const struct sp_meter *meter, enum sp_series series);
#define SP_PERCENTILE_SECONDS 5
// Percentile i of a series with its state by DESIGN §3.4 (resolved if n(1-q) >= 20 and exceedances fall in >= SP_PERCENTILE_SECONDS different
// seconds); value -1 where unresolved or no answer. For RESPONSE the events without an answer rank above.
int64_t sp_meter_percentile(const struct sp_meter *meter, enum sp_series series, int i,
                            enum sp_percentile_state *state);
// The same rule for any histogram: second_max[k x stride] is the largest value of the k-th second (-1: none, INT64_MAX: an
// event without an answer), n_above events rank above every recorded one.
int64_t sp_percentile_judge(const struct sp_histogram *h, int i, int64_t n_above, const int64_t *second_max,
                            size_t stride, size_t n_seconds, enum sp_percentile_state *state);
// Means over the events in RESPONSE; SERVER and RPC_OTHER over those whose server reported its time. NAN: no such event.
double sp_meter_stage_mean(const struct sp_meter *meter, enum sp_stage stage);
// Over the events whose response is at or above the response p99 (by slot of the histogram); NAN also where that percentile
// has no answer.
double sp_meter_stage_mean_above_p99(const struct sp_meter *meter, enum sp_stage stage);
// Mean response minus the sum of the first SP_STAGE_SUMMED stage means: time that no stage accounts for. NAN without responses.
double sp_meter_residual_mean(const struct sp_meter *meter);
// The books: outcomes sum to n_intended, and the response histogram with those without an answer holds as many.
// SP_ERR_INTERNAL naming the sums that differ.
enum sp_err sp_meter_check_books(const struct sp_meter *meter, int64_t n_intended, struct sp_error *error);

#endif
