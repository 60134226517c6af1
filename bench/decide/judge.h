// From the trials of two or more sides to what can be said about them (of one: its bounds and predictions alone). Pure but for allocation: the same trials give the same
// comparison, whether they were just run or lay in folders. One thread.
#ifndef SP_DECIDE_JUDGE_H
#define SP_DECIDE_JUDGE_H

#include "result/comparison.h"

struct sp_judge_trial {           // everything is borrowed
  const struct sp_result *result; // NULL: it came to nothing; `failure` says why
  const char *failure;
  const char *dir;
  size_t side_i, pair_i;
  uint64_t seed;
  bool is_confirming;
  bool is_set_aside; // of a try of its pair that was redone: never counted, whatever it is
};

struct sp_judge_plan {
  const char *const *side_names;
  size_t n_sides, reference_i; // one side alone: its bounds and predictions, no metric
  bool are_builds;             // of one deployment: transport and broker are no difference that is meant
  const struct sp_metric *const *family; // NULL: the primary ones
  size_t n_family;
  size_t mean_of; // neighbouring pairs whose mean log ratio is one observation; 0 and 1: each pair is one
  double alpha;   // of this look
  double delta;   // two sides within 1 + delta of each other are no different
};

// The announced looks (DESIGN §3.13): 12, 18 and 24 pairs at alpha 0.01, 0.015, 0.025. At most max_pairs; the last look is at
// max_pairs itself, with the alpha of its place: 10 -> {10}; 20 -> {12, 18, 20}; 40 -> {12, 18, 40}. Where means of several pairs are what
// is looked at, the looks are at as many means: 12 times mean_of pairs and so on.
struct sp_look {
  size_t n_pairs;
  double alpha;
};
#define SP_LOOKS_MAX 3
size_t sp_judge_looks(size_t max_pairs, size_t mean_of, struct sp_look *looks);

// Whether these trials can be compared at all: of one recording, schedule (arrival, rate, duration; seed within a pair), and expectation of one
// model; one machine (unless across_machines) and no run id twice; each complete, with events and finite figures; sides of one name of
// one build, transport, broker, model and settings, and all of one transport and broker where they are builds. SP_ERR_USAGE or SP_ERR_ENVIRONMENT naming the two folders and what differs. Invalid
// trials are no reason: they are left out.
enum sp_err sp_judge_check(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials, size_t n,
                           bool across_machines, struct sp_error *error);

// The same for trials that were just run. What came to nothing was redone and is no reason to refuse the rest: only the usable ones are
// looked at, once each side has one and there are two.
enum sp_err sp_judge_check_live(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials,
                                size_t n, bool across_machines, struct sp_error *error);

// Fills c, which is new: sides, metrics with verdicts, explanations, trials, remarks, verdict sentence and exit code (DESIGN §4); everything but id, times,
// command, predictions across sides (set before, where known) and gate. Pairs count where every side has a valid, complete trial of it.
// More than 10 % invalid trials, or all of them on one side (5 and more): inconclusive, with that reason. A metric that is episodic, unresolved
// or driver-limited in more than a tenth of a side's trials is inconclusive; no answer ranks above everything.
void sp_judge(const struct sp_judge_plan *plan, const struct sp_judge_trial *trials, size_t n,
              struct sp_comparison *c);
// Whether every metric of the family has come to a verdict, so that no later look is needed.
bool sp_judge_has_concluded(const struct sp_comparison *c);

// Whether a metric of the family (NULL: the primary ones) has a figure that no verdict may use, driver-limited or episodic, which another
// try may mend: where times mean anything at all. *why, if asked for, from malloc: "p99 is driver-limited".
bool sp_judge_blurs(const struct sp_result *result, const struct sp_metric *const *family, size_t n_family,
                    char **why);

// Why the pairs that were measured again for want of a figure of this metric leave a selection, which no verdict may use: they are several, and
// it was missing on one side alone (DESIGN 3.9). NULL: they do not. From malloc.
char *sp_judge_why_selected(const char *const *side_names, size_t n_sides,
                            const struct sp_judge_trial *trials, size_t n, const struct sp_metric *metric);

// Log ratios of one metric over the pairs that count: side / reference (or reference / side where more is better, if `worse`: then
// above 0 is worse). values[n_pairs]: NAN where a side has no value. Returns how many pairs count. For the gate and its calibration.
size_t sp_judge_log_ratios(const struct sp_judge_trial *trials, size_t n, size_t side_i, size_t reference_i,
                           const struct sp_metric *metric, bool worse, bool confirming, double *values,
                           size_t max);

#endif
