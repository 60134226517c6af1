// Trials that lie in folders: a gate's base, or its candidate. One thread.
#ifndef SP_DECIDE_BASELINE_H
#define SP_DECIDE_BASELINE_H

#include "decide/judge.h"

struct sp_stored_trial {
  char *dir;
  struct sp_result *result;
  uint64_t seed;
};
struct sp_stored {
  struct sp_stored_trial *trials; // in order of time, of one side
  size_t n;
};

// The results in `dir`: the folder itself, its folders, down to three levels; those of `side`, or of whatever side they are where it is
// NULL. A folder of a gate (pairs/NNN/candidate) gives its candidate's. *stored must be zeroed before and freed after, whatever
// is returned; nothing in it where the folder is missing or holds no result. SP_ERR_ENVIRONMENT: a result that cannot be read,
// or whose log is cut off. SP_ERR_USAGE: several sides and none named, none of that name, a run id twice.
enum sp_err sp_stored_read(const char *dir, const char *side, struct sp_stored *stored,
                           struct sp_error *error);
void sp_stored_done(struct sp_stored *stored); // zeroed is allowed
// Copies of one trial are.
bool sp_stored_has(const struct sp_stored *stored, const char *run_id); // NULL: no
bool sp_stored_is_one_run(const struct sp_result *a, const struct sp_result *b);
// Takes the runs away that are among `those` too.
void sp_stored_drop(struct sp_stored *stored, const struct sp_stored *those);
// SP_ERR_USAGE naming two trials of one seed: no other trial would know which of them is its partner.
enum sp_err sp_stored_check_seeds(const struct sp_stored *stored, struct sp_error *error);

// Base and candidate as trials of sides 0 and 1: pairs by seed, where every trial of each has a seed of its own and some are common to both,
// else in order of time (the k-th with the k-th). What has no partner is left out. From n_confirm pairs twice on, the last n_confirm are
// confirming. trials[2 * the smaller n]; returns how many.
size_t sp_stored_pair(const struct sp_stored *base, const struct sp_stored *candidate, size_t n_confirm,
                      struct sp_judge_trial *trials);

// Trials of `side_i` that came to nothing, as far as the other side's tell: those of its seeds that `stored` lacks, though it has a lower one and
// a higher one, both of the pairs or both of the fresh ones. What ends a row early is no gap: fewer were asked for. Each has the folder of its partner, first_pair_i and what follows.
// trials[other->n]; returns how many; 0 where seeds are no names.
size_t sp_stored_gaps(const struct sp_stored *stored, const struct sp_stored *other, size_t side_i,
                      size_t first_pair_i, struct sp_judge_trial *trials);
// Whether all trials of one side were started before any of the other: then whatever changed on the machine is in the difference.
bool sp_stored_is_one_after_other(const struct sp_stored *base, const struct sp_stored *candidate);

#endif
