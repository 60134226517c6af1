// Results of trials that never ran, with figures of known truth.
#ifndef SP_SUPPORT_TRIALS_H
#define SP_SUPPORT_TRIALS_H

#include "base/prng.h"
#include "decide/judge.h"

#define SP_TRIALS_EVENTS 10000

struct sp_trials {
  struct sp_judge_trial *items; // owns results and folders
  size_t n;
};

// The truth of a side, and how much trials of it scatter (standard deviation of the logarithm).
struct sp_trials_side {
  const char *name;
  double p50_ns, p99_ns, cpu_us;
  double p50_noise, p99_noise, cpu_noise;
};

// A complete, valid trial that answered all its events as expected, with a p99 bound of 10 ms kept; change what you like in it. Pair
// i has seed 1 + i. Borrowed.
struct sp_result *sp_trials_add(struct sp_trials *trials, const struct sp_trials_side *side, size_t side_i,
                                size_t pair_i);
// n_pairs pairs of n_sides trials each.
void sp_trials_pairs(struct sp_trials *trials, const struct sp_trials_side *sides, size_t n_sides,
                     size_t n_pairs, struct sp_prng *prng);
struct sp_result *sp_trials_result(const struct sp_trials *trials, size_t i); // of the i-th, to be changed
void sp_trials_done(struct sp_trials *trials);

#endif
