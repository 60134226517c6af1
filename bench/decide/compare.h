// compare: pairs of trials of several sides until a look says that it is enough, judged, and written in all forms.
#ifndef SP_DECIDE_COMPARE_H
#define SP_DECIDE_COMPARE_H

#include "base/clock.h"
#include "decide/judge.h"
#include "trial/trial.h"

#define SP_COMPARE_PAIRS 12
#define SP_COMPARE_BROKER_WARMUP                                                                             \
  (20 * SP_NS_PER_S) // what Java's compiler has at least before the first trial

struct sp_compare_plan { // everything is borrowed
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *const *sides;
  size_t n_sides, reference_i;
  const struct sp_setting *
      settings; // of every trial, laid over the command line's (which the scenario was loaded with); NULL: none
  size_t n_settings;
  size_t n_pairs; // at most
  size_t mean_of; // as sp_judge_plan's; at least 1
  double delta;
  const struct sp_metric *const *family; // NULL: the primary ones
  size_t n_family;
  const char *dir;          // made if missing; what lies there of the same comparison is not run again
  const char *history_file; // gets a line a side once it is complete; NULL: no history
  int64_t broker_warmup_ns; // of a Kafka that is started for all trials; 0: none
  int argc;
  char **argv;
  bool is_quiet;
};

// What no number of pairs would settle. SP_ERR_INVALID (exit code 2): a time in the family, over the mock broker or in a closed loop.
// SP_ERR_USAGE: fewer than two sides, half a driver, a share of a load.
enum sp_err sp_compare_check(const struct sp_compare_plan *plan, struct sp_error *error);

// Blocks for minutes. DIR/comparison.json is written after each pair, incomplete, and at the end with all other forms. *c (free with
// sp_comparison_free) is what stands there: also after a signal, marked incomplete; exit code then 128 + supervisor->signal. An error of a
// trial ends it: what was measured before is written, and *c is NULL.
enum sp_err sp_compare_run(const struct sp_compare_plan *plan, struct sp_supervisor *supervisor,
                           struct sp_comparison **c, struct sp_error *error);

#endif
