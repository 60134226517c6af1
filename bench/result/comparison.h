// What several trials of two or more sides say about them: comparison.json (servepath.comparison/1,
// proto/comparison.schema.json), as plain C. One thread. Absent: NULL, NAN, 0 where the comment says so; null in JSON.
// Texts belong to the comparison.
#ifndef SP_RESULT_COMPARISON_H
#define SP_RESULT_COMPARISON_H

#include "result/metric.h"
#include "result/result.h"

#define SP_COMPARISON_SCHEMA "servepath.comparison/1"
#define SP_COMPARISON_FILE   "comparison.json"
#define SP_COMPARISON_SIDES  16

enum sp_verdict {
  SP_VERDICT_INCONCLUSIVE,
  SP_VERDICT_BETTER, // the side against the reference: faster, cheaper
  SP_VERDICT_WORSE,
  SP_VERDICT_SAME,        // no difference beyond delta
  SP_VERDICT_EXPLORATORY, // not in the family: no claim
  SP_VERDICT_VOID,        // means nothing: mock broker, closed loop
  SP_VERDICT_COUNT
};
const char *sp_verdict_name(enum sp_verdict verdict); // "inconclusive", "better", ...

struct sp_compared { // one metric of one side against the reference
  const struct sp_metric *metric;
  size_t side_i;
  bool is_primary;            // in this comparison's family
  size_t n_pairs;             // that have a value on both
  double side, reference;     // medians over the trials that count, in the metric's unit; NAN: none
  double ratio, low, high;    // side / reference, and its interval; NAN: none
  double level;               // of the interval, as 0.99
  double p, p_adjusted;       // two-sided against no difference; after Holm over the family
  double smallest_detectable; // as a share: 0.08 is 8 %; NAN: unknown
  enum sp_verdict verdict;
  char *why;           // one line where inconclusive or void
  size_t pairs_needed; // about; 0: unknown
};

struct
    sp_explained { // where the time goes, of one side against the reference; means over the trials that count
  size_t side_i;
  double reference_ns[SP_STAGE_COUNT], side_ns[SP_STAGE_COUNT]; // NAN: the stage has no values
  double reference_slow_ns[SP_STAGE_COUNT],
      side_slow_ns[SP_STAGE_COUNT];         // of events at or above each one's p99
  double reference_total_ns, side_total_ns; // mean responses
  double residual_ns;                       // of the difference of the totals, what no stage explains
};

struct sp_compared_side {
  char *name;  // "rpc"
  char *label; // with what is not standard about it: "rpc, triton, delay 200us emulated"
  size_t n_trials, n_invalid, n_incomplete; // of all that were started
  int64_t outcomes[SP_OUTCOME_COUNT];       // summed over the trials that count
  int64_t intended;
  int64_t n_checked, n_mismatched;               // of the trials that count
  int64_t n_mismatched_left_out;                 // of those that do not: wrong all the same
  double max_abs_error;                          // NAN: nothing checked
  struct sp_amounts cpu_us_per_event, rss_bytes; // medians by process
  struct sp_bound *
      bounds; // of the scenario: value is the median over trials; met: by more than half of those that can tell
  size_t n_bounds;
  size_t n_bounds_missed; // trials that missed some bound
  bool is_stub, is_mock, is_co_located, is_closed_loop;
};

struct sp_compared_trial {
  size_t side_i;
  size_t pair_i; // from 0; trials of one pair share seed and schedule
  uint64_t seed;
  char *dir; // from the folder of comparison.json: pairs/001/base, ../stored/001
  char *run_id;
  bool is_valid, is_counted; // counted: its pair is whole and valid
  bool is_confirming;        // of a gate's fresh pairs, which are never pooled with the others
  char *reason;              // why it does not count; NULL
};

enum sp_gate_verdict {
  SP_GATE_NONE,
  SP_GATE_PASS,
  SP_GATE_FAIL,
  SP_GATE_INCONCLUSIVE,
  SP_GATE_NO_BASELINE,
  SP_GATE_VERDICT_COUNT
};
const char *sp_gate_verdict_name(enum sp_gate_verdict verdict); // "pass", ...
struct sp_gate_metric {                                         // of the family, and the guard
  const struct sp_metric *metric;
  double margin; // 0.05: up to 5 % worse passes
  bool is_calibrated;
  double upper, lower; // bounds of how many times worse the candidate is (1: as good); lower is adjusted
  double fresh_lower;  // of the fresh pairs, one-sided 5 %; NAN: none were needed
  enum sp_gate_verdict verdict;
  char *why;
  size_t pairs_needed;
};
struct sp_gate_figures {
  enum sp_gate_verdict verdict; // NONE: this comparison is no gate
  struct sp_gate_metric *metrics;
  size_t n_metrics;
  size_t n_fresh; // pairs that confirm
  bool is_across_machines;
  bool
      inconclusive_fails; // --inconclusive fail: of JUnit; the file says what was measured, not what is made of it
};

struct sp_comparison {
  bool complete; // false: under way or broken off, `incomplete` says why
  char *incomplete;
  char *id;         // 32 hexadecimal digits
  char *started_at; // RFC 3339, UTC
  double duration_s;
  struct sp_facts tags, scenario, load, machine, build, broker, recording; // of the first trial that counts
  char *fingerprint;                                                       // sp_machine_fingerprint
  char **command;
  size_t n_command;

  struct sp_compared_side sides[SP_COMPARISON_SIDES];
  size_t n_sides, reference_i;
  size_t n_pairs; // whole and valid
  size_t mean_of; // neighbouring pairs whose mean log ratio was one observation; 1: each pair was one
  double alpha;   // of the look at which it ended
  double delta;   // 0.05
  struct sp_compared *metrics; // by side, then in the order of sp_metrics
  size_t n_metrics;
  struct sp_explained *explained; // one per side but the reference
  size_t n_explained;
  struct { // across sides and against what was expected
    int64_t compared, differing;
    double max_difference; // NAN: not compared
    struct sp_prediction_example examples[SP_RESULT_EXAMPLES];
    size_t n_examples;
  } predictions;
  struct sp_compared_trial *trials;
  size_t n_trials;
  char **differences; // between the sides' settings, a line each: "path: embedded, rpc"
  size_t n_differences;
  char **remarks; // what a reader must know: "co-located", "p99 of embedded is driver-limited"
  size_t n_remarks;
  char *verdict; // one sentence: "embedded faster at p50, 3.2 x cheaper; both meet p99 <= 10ms"
  int exit_code; // DESIGN §4
  struct sp_gate_figures gate;
};

// All absent, with id and started_at set.
struct sp_comparison *sp_comparison_new(void);
void sp_comparison_free(struct sp_comparison *comparison); // NULL is allowed
// "servepath" and argv, which begins with the verb; of a comparison that has no command yet.
void sp_comparison_command(struct sp_comparison *c, int argc, char **argv);
// Add one to the end, zeroed with absent figures; valid until the next is added (a side: for good). The caller sets `metric`.
struct sp_compared_side *sp_comparison_side(struct sp_comparison *c, const char *name,
                                            const char *label); // label NULL: the name
void sp_comparison_bound(struct sp_compared_side *side, const char *name, double limit, double value,
                         enum sp_met met);
struct sp_compared *sp_comparison_metric(struct sp_comparison *c);
struct sp_explained *sp_comparison_explained(struct sp_comparison *c);
struct sp_compared_trial *sp_comparison_trial(struct sp_comparison *c);
struct sp_gate_metric *sp_comparison_gate_metric(struct sp_comparison *c);
void sp_comparison_remark(struct sp_comparison *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sp_comparison_difference(struct sp_comparison *c, const char *line);
// NULL: not compared.
const struct sp_compared *sp_comparison_find(const struct sp_comparison *c, size_t side_i,
                                             const char *metric_name);

// As sp_result_write, sp_result_json and sp_result_read, for FOLDER/comparison.json.
enum sp_err sp_comparison_write(const struct sp_comparison *c, const char *folder, struct sp_error *error);
char *sp_comparison_json(const struct sp_comparison *c);
enum sp_err sp_comparison_read(const char *path, struct sp_comparison **c, struct sp_error *error);

#endif
