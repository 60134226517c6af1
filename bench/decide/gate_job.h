// What a gate is asked, and what came of it; whatever its trials are from. One thread.
#ifndef SP_DECIDE_GATE_JOB_H
#define SP_DECIDE_GATE_JOB_H

#include "decide/baseline.h"
#include "decide/gate_verdict.h"
#include "decide/pairs.h"
#include "scenario/cli.h"

#define SP_GATE_PAIRS_LEAST 12
#define SP_GATE_PAIRS_MOST  24

struct sp_gate_plan { // everything is borrowed
  // Live; NULL: both sides are stored.
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *side;
  const char *base_cmd, *candidate_cmd; // shell words; candidate NULL: this program

  const char *base_dir, *candidate_dir; // stored; NULL: run now, or no base
  const char *side_name;                // of stored trials; NULL: the only one there
  const char *save_dir;                 // --save-baseline; NULL: not
  size_t n_pairs;                       // at most, of a look; 0: as many as there are looks
  size_t mean_of; // neighbouring pairs whose mean is an observation; 1: each pair is one
  const struct sp_metric *const *family; // NULL: the primary ones
  size_t n_family;
  double margin;                               // NAN: calibrated or standard
  const char *calibration_file;                // NULL: where sp_calibration_file says, if there is one
  bool is_across_machines, inconclusive_fails; // the second for JUnit alone
  const char *dir;                             // of comparison.json and the trials; made
  int argc;
  char **argv;
  bool is_quiet;
};

struct sp_gate_job {                // what came of it; zeroed before, freed by sp_gate_job_done
  struct sp_comparison *comparison; // NULL: none
  // What was judged; borrowed from below.
  struct sp_judge_trial *trials;
  size_t n_trials;
  size_t n_saved; // trials kept as the next baseline
  struct sp_pairs pairs, fresh;
  struct sp_stored base, candidate;
  struct sp_calibration calibration;
  bool has_calibration;
  char *margins_text;            // where the margins are from
  struct sp_comparison *earlier; // what lay in the folder before; NULL: none
  char *unannounced; // what must be said of a look that an earlier call took at these pairs; NULL: nothing
  bool goes_on;      // earlier is of these pairs
  bool is_news;      // for the history: an earlier call did not say all of it
};

void sp_gate_job_done(struct sp_gate_job *job);

#endif
