// One trial's result: what stands in result.json (schema servepath.result/1, proto/result.schema.json), as plain C.
// Fill it in any order and write it; the supervisor's thread alone holds it. Texts given to functions are copied; texts
// in fields are owned by the result (sp_result_free frees them: assign sp_copy_text or sp_format).
// Absent, null in JSON: NULL for texts, -1 for *_ns integers, NAN for doubles.
#ifndef SP_RESULT_RESULT_H
#define SP_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/outcome.h"
#include "meter/meter.h"

#define SP_RESULT_SCHEMA   "servepath.result/1"
#define SP_RESULT_FILE     "result.json"
#define SP_RESULT_ERRORS   65 // groups of the meter, and "other"
#define SP_RESULT_EXAMPLES 8

// Named facts of free choice: model, recording, load, machine, build... A fact set again replaces the earlier one.
enum sp_fact_kind { SP_FACT_NULL, SP_FACT_TEXT, SP_FACT_COUNT, SP_FACT_REAL, SP_FACT_FLAG, SP_FACT_JSON };
struct sp_fact {
  char *name;
  enum sp_fact_kind kind;
  char *text;    // TEXT; JSON: any JSON value, serialized
  int64_t count; // COUNT; FLAG: 0 or 1
  double real;   // REAL
};
struct sp_facts {
  struct sp_fact *items;
  size_t n;
};
void sp_facts_text(struct sp_facts *facts, const char *name, const char *text); // NULL: null
void sp_facts_count(struct sp_facts *facts, const char *name, int64_t count);
void sp_facts_real(struct sp_facts *facts, const char *name, double real); // NAN: null
void sp_facts_flag(struct sp_facts *facts, const char *name, bool flag);
void sp_facts_json(struct sp_facts *facts, const char *name,
                   const char *json); // must be valid JSON: asserted
const struct sp_fact *sp_facts_find(const struct sp_facts *facts, const char *name); // NULL: none
// The fact as text, the standard where it is absent or no text.
const char *sp_facts_text_of(const struct sp_facts *facts, const char *name, const char *standard);
// COUNT, REAL and FLAG as a double; NAN where it is absent or no number.
double sp_facts_number_of(const struct sp_facts *facts, const char *name);

// One figure for each process or role: cpu_s, cpu_us_per_event, rss_bytes.
struct sp_amount {
  char name[24]; // "driver", "app", "server", "broker", "relay", "total", "pacer", "collector", "path"
  double value;
};
struct sp_amounts {
  struct sp_amount items[16];
  size_t n;
};
void sp_amounts_set(struct sp_amounts *amounts, const char *name, double value);
double sp_amounts_get(const struct sp_amounts *amounts, const char *name); // NAN: none

struct sp_latency {
  bool present;   // false: the whole object is null (closed loop: response, lateness)
  int64_t count;  // events in it, those without an answer too
  double mean_ns; // of the recorded ones
  int64_t percentile_ns[SP_PERCENTILES];
  enum sp_percentile_state state[SP_PERCENTILES];
  bool driver_limited[SP_PERCENTILES]; // lateness at the same q exceeds 10 % of it (DESIGN §3.7)
  int64_t max_ns;                      // -1 also where an event without an answer ranks highest
  char *hdr;                           // sp_histogram_encode
};

struct sp_stage_figures {
  bool present; // false: the stage has no values and is left out
  double mean_ns, mean_above_p99_ns;
  int64_t p50_ns, p99_ns;
};

struct sp_check { // of the driver (DESIGN §3.7)
  char *name;     // with its unit: "late_share", "poll_gap_ns", "steal_share"
  double value, limit;
  bool met;
  char *remedy; // a command that would help; NULL: none
};

enum sp_met { SP_MET_NO, SP_MET_YES, SP_MET_UNKNOWN }; // UNKNOWN (null): the percentile is not resolved
struct sp_bound {                                      // of the system: expect.p99, expect.not_ok
  char *name;
  double limit, value;
  enum sp_met met;
};

struct sp_prediction_example { // of a wrong answer
  uint64_t event;
  char text[160]; // "probability[0]: 0.25 instead of 0.31"
};

struct sp_timeline_row {
  struct sp_second figures;
  char *mark; // "fault: server stopped"; NULL: none
};

struct sp_result {
  bool complete;    // false until everything is known; written as it is
  char *incomplete; // why: "ended by SIGINT"; NULL where complete
  char *run_id;     // 32 hexadecimal digits
  char *started_at; // RFC 3339, UTC
  struct sp_facts tags;
  struct sp_facts scenario; // name, file, digest, resolved (JSON)
  char *side, *path, *transport;
  struct sp_facts broker, server; // empty: null
  struct sp_facts delivery; // Kafka: mode, apps, group, and what applications and broker counted; empty: null
  struct sp_facts model;    // name, version, engine or protocol, digest, files (JSON: name -> digest)
  struct sp_facts recording;      // name, file, digest, events, source, licence, times_are_real
  struct sp_facts load;           // arrival, rate_per_s, seed, warmup_ns, duration_ns, drain_ns, concurrency
  struct sp_facts machine, build; // kernel, cpu, cpus, memory_bytes...; version, compiler, libraries
  char **command;                 // argv, secrets as ***
  size_t n_command;
  bool closed_loop;      // response, lateness and offered are null
  double window_s;       // t1 - t0
  double drain_s;        // how long the drain took
  int64_t backlog_at_t1; // events sent and without an outcome when the window ended; -1: unknown

  struct sp_check *checks;
  size_t n_checks;
  char **reasons; // the trial is valid if there is none
  size_t n_reasons;
  struct sp_bound *bounds;
  size_t n_bounds;

  int64_t intended;                   // events of the window, from the schedule
  int64_t outcomes[SP_OUTCOME_COUNT]; // sum to intended
  int64_t flags[SP_FLAG_COUNT];
  struct sp_error_group errors[SP_RESULT_ERRORS];
  size_t n_errors;
  double offered_per_s, achieved_per_s; // achieved: answers received in the window
  double completion;

  struct sp_latency response, response_ok, failure, service, lateness;
  struct sp_stage_figures stages[SP_STAGE_COUNT];
  double residual_ns; // mean response - the summed stages

  struct sp_amounts cpu_s;            // by process: driver, app, server, broker
  struct sp_amounts cpu_role_s;       // by role inside a process: pacer, collector, path
  struct sp_amounts cpu_us_per_event; // app, server, broker, total
  struct sp_amounts rss_bytes;        // peak, by process

  struct {
    int64_t checked, mismatched;
    double max_abs_error; // NAN: nothing checked
    char *source;         // "reference", "self" (verify --update), "stub"; NULL: nothing to compare with
    struct sp_prediction_example examples[SP_RESULT_EXAMPLES];
    size_t n_examples;
  } predictions;

  struct sp_timeline_row *timeline;
  size_t n_timeline;
};

// All absent, not complete, valid, with run_id and started_at set. Never NULL.
struct sp_result *sp_result_new(void);
void sp_result_free(struct sp_result *result); // NULL is allowed

void sp_result_command(struct sp_result *result, int argc,
                       char **argv); // values of secrets are the caller's matter
// Adds a check; where it is not met, `reason` (one line: what, figure, limit) makes the trial invalid.
void sp_result_check(struct sp_result *result, const char *name, double value, double limit, bool met,
                     const char *reason, const char *remedy);
void sp_result_invalid(struct sp_result *result, const char *reason); // without a figure: "clock stepped"
bool sp_result_is_valid(const struct sp_result *result);
bool sp_result_is_usable(const struct sp_result *result); // complete and valid; NULL: not
// Answered by a stub server: its answers are no predictions.
bool sp_result_is_stub(const struct sp_result *result);
void sp_result_bound(struct sp_result *result, const char *name, double limit, double value, enum sp_met met);
void sp_result_second(struct sp_result *result, const struct sp_second *row,
                      const char *mark);                                            // mark NULL: none
void sp_result_example(struct sp_result *result, uint64_t event, const char *text); // the first 8 are kept

// After the meter's writer has stopped, with intended, closed_loop and window_s set: fills outcomes, flags, errors, rates,
// completion, every latency, stages and residual.
void sp_result_from_meter(struct sp_result *result, const struct sp_meter *meter);
// The books: outcomes sum to intended and none is negative, histograms hold exactly the events that they should.
// SP_ERR_INTERNAL naming the sums that differ.
enum sp_err sp_result_check_books(const struct sp_result *result, struct sp_error *error);
// Share of intended events that are neither ok, unchecked nor filtered; NAN if none was intended.
double sp_result_not_ok_share(const struct sp_result *result);

// Writes FOLDER/result.json: a temporary file beside it, synced, then renamed. Makes the folder (and its parents) where
// missing. Write it with complete = false at the start of a trial, so that whatever happens the folder says what it is.
// SP_ERR_ENVIRONMENT: folder not writable, disk full.
enum sp_err sp_result_write(const struct sp_result *result, const char *folder, struct sp_error *error);
// FOLDER/latency.hgrm of the response times (service times where the loop is closed), written the same way.
enum sp_err sp_result_write_hgrm(const struct sp_meter *meter, bool closed_loop, const char *folder,
                                 struct sp_error *error);
// The same of any histogram, n_above events ranking above it.
enum sp_err sp_result_write_distribution(const struct sp_histogram *histogram, int64_t n_above,
                                         const char *folder, struct sp_error *error);
// Serialized JSON with a final line end (--json, --export-json); free with free().
char *sp_result_json(const struct sp_result *result);
// Reads FOLDER/result.json, or the file itself. SP_ERR_ENVIRONMENT naming file and field: missing, not JSON, truncated,
// another schema, a field of another type. Fields that a later version added are ignored. Texts come as they are in the
// file: clean them before printing.
enum sp_err sp_result_read(const char *path, struct sp_result **result, struct sp_error *error);

#endif
