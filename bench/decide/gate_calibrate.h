// gate --calibrate: one program against itself, from two copies of its file, in blocks of pairs that lie apart in time; what they differ by
// is what a gate must allow. One thread, which is the supervisor's.
#ifndef SP_DECIDE_GATE_CALIBRATE_H
#define SP_DECIDE_GATE_CALIBRATE_H

#include "base/clock.h"
#include "decide/calibration.h"
#include "decide/gate_programs.h"
#include "decide/pairs.h"

#define SP_GATE_CALIBRATE_PAIRS  60 // at least; as many means, where several pairs make one
#define SP_GATE_CALIBRATE_BLOCKS 4
#define SP_GATE_CALIBRATE_PAUSE  (60 * SP_NS_PER_S)

struct sp_calibrate_plan { // everything is borrowed
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *side;
  const char *base_cmd; // one word: a program's file; NULL: this program
  const struct sp_metric *const *
      family; // whose margins; NULL: all but the guard's, and the primary ones may have a pair measured again
  size_t n_family;
  size_t n_pairs, n_blocks;
  size_t mean_of;   // of the gates that the margins are for; 1: each pair is an observation
  int64_t pause_ns; // between two blocks
  const char *file; // NULL: where gates look by themselves
  const char *dir;  // of the pairs and the copies; what lies there is not run again
  bool is_quiet;
};

// Blocks for an hour. *calibration and *file (from malloc) are what was written; *file is NULL where a signal ended it first. A metric without
// a value in nine of ten pairs, or whose margin has no limit, has none. calibration must be zeroed before and freed after.
// SP_ERR_INVALID: fewer than n_pairs whole pairs; SP_ERR_USAGE, SP_ERR_ENVIRONMENT: the program, files.
enum sp_err sp_gate_calibrate_go(const struct sp_calibrate_plan *plan, struct sp_supervisor *supervisor,
                                 struct sp_calibration *calibration, char **file, struct sp_error *error);

#endif
