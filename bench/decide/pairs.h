// Trials of several sides in rotating order (A B B A; with three: ABC BCA CAB ...), pair after pair until a look says that it is enough. Pair i uses
// seed first_seed + i, or seeds[i], on every side. An invalid trial redoes its whole pair, at most twice, and so does one that has no
// figure of the family that a verdict may use (sp_judge_blurs), within limits; what was redone is kept apart.
//
//   DIR/pairs/003/rpc/result.json        DIR/invalid/003-1/rpc/result.json        DIR/fresh/003/... (confirming pairs of a gate)
//
//   DIR/invalid/fresh-003-1/... and DIR/pairs/key, DIR/fresh/key: what the pairs are of
//
// Resumable: a pair whose sides all lie there complete and valid, of the same key and seed, is not run again, and tries that were
// invalid count. What was broken off is removed and run again.
// One thread, which is the supervisor's.
#ifndef SP_DECIDE_PAIRS_H
#define SP_DECIDE_PAIRS_H

#include "decide/judge.h"
#include "os/process.h"

// Runs one trial of side_i with that seed; its result lands in dir/result.json and *result. What sp_trial_run or another
// program does: see decide/runner.h. The error is of the environment or usage: the pairs end with it.
typedef enum sp_err sp_pairs_run(void *context, size_t side_i, uint64_t seed, const char *dir,
                                 struct sp_result **result, struct sp_error *error);

#define SP_PAIRS_FRESH_SEEDS 1000 // so far beyond first_seed is that of confirming pairs

struct sp_pairs;
struct sp_pairs_plan {
  const char *dir;          // made if missing
  const char *const *names; // of the sides; each is a folder's name
  size_t n_sides;
  uint64_t first_seed;
  // In place of first_seed + i: those of trials that there are already, which end the pairs where they are used up. NULL: none.
  const uint64_t *seeds;
  size_t n_seeds;
  const struct sp_metric *const *family; // as sp_judge_plan's
  size_t n_family;
  // What all trials must have in common: digest of scenario, recording, build, sides. A folder with trials of another key is refused (SP_ERR_USAGE).
  const char *key;
  const struct sp_look *looks; // the pairs end at the first look at which `enough` says so, or after the last
  size_t n_looks;
  bool is_confirming; // fresh pairs: other folder, other seeds (first_seed is beyond those of the others)
  sp_pairs_run *run;
  // After each look, and after each pair for the live table (may be NULL). All trials so far, in order of time.
  bool (*enough)(void *context, const struct sp_pairs *pairs, const struct sp_look *look);
  void (*pair_done)(void *context, const struct sp_pairs *pairs);
  void *context;
  struct sp_supervisor *supervisor; // its signal ends them after the trial under way
};
struct sp_pairs {
  // All, in order of time: those of redone pairs too, where the last one of each side counts. A try ends with its first invalid trial, so
  // that a pair that stayed invalid lacks its last side. Results and texts are owned by these.
  struct sp_judge_trial *trials;
  size_t n_trials;
  size_t n_pairs;   // whole and valid
  size_t n_started; // pairs
  size_t n_redone;
  size_t n_blurred;    // tries that were redone for want of a figure alone
  size_t n_left_out;   // pairs that stayed invalid
  size_t n_found;      // whole ones that lay there already
  bool was_last_found; // the last whole pair is one of those
};
// The trial of a side in a whole pair; NULL: there is none.
const struct sp_judge_trial *sp_pairs_find(const struct sp_pairs *pairs, size_t side_i, size_t pair_i);

// Blocks for minutes. SP_OK with what there is, also when a signal ended it. A pair that stays invalid after three tries is left out and
// its place is taken by the next seed; more than max(2, 10 %) of them end them.
enum sp_err sp_pairs_go(const struct sp_pairs_plan *plan, struct sp_pairs *pairs, struct sp_error *error);
void sp_pairs_done(struct sp_pairs *pairs); // zeroed is allowed

// Whether so many tries that were redone for want of a figure are too few to end that: at most a quarter of the pairs, and 2 in any case. Then they
// are kept as they are, and the judge says what is missing.
bool sp_pairs_may_redo(size_t n_blurred, size_t n_started);

#endif
