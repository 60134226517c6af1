// A gate's trials -> its comparison: the judge's figures, the decision, and what stands above it. Pure but for allocation. One thread.
#ifndef SP_DECIDE_GATE_VERDICT_H
#define SP_DECIDE_GATE_VERDICT_H

#include "decide/calibration.h"
#include "decide/judge.h"
#include "decide/margins.h"

#define SP_GATE_BASE      0
#define SP_GATE_CANDIDATE 1
extern const char *const sp_gate_sides[2]; // "base", "candidate"

struct sp_gate_rules {                   // everything is borrowed
  const struct sp_metric *const *family; // NULL: the judge's
  size_t n_family;
  size_t mean_of;                           // as sp_judge_plan's
  double margin;                            // for every metric but the guard; NAN: calibrated or standard
  const struct sp_calibration *calibration; // that fits; NULL: none
  bool is_across_machines;
  const char *no_baseline; // why there is no base, in words: verdict no-baseline; NULL: there is one
};

// Fills c (zeroed but for id and times) and its gate. Wrong predictions of the candidate in any trial are a FAIL whatever the rest; a
// measurement that means nothing (too many invalid trials, void metrics) is inconclusive with exit code 2; a bound that the candidate misses in
// most of its trials is a FAIL. One side alone of a stub server comes to no verdict. A candidate that lost more of all events than the guard
// allows, that filters another share of them, or whose answers nobody checked though the base's were, never passes, but can fail. verdict: one sentence, which forms begin with PASS, FAIL, INCONCLUSIVE or NO-BASELINE. exit_code: 0, 1, 2 or 4. Without a base the
// trials are all of side 0, which is the candidate then.
void sp_gate_judge(const struct sp_gate_rules *rules, const struct sp_judge_trial *trials, size_t n,
                   double alpha, struct sp_comparison *c);
// Whether no more pairs can change it: passed, failed by predictions or bounds, or by nature no pair.
bool sp_gate_is_settled(const struct sp_comparison *c);

#endif
