// The trials of a gate that there are so far, judged with the margins that hold for them. One thread.
#ifndef SP_DECIDE_GATE_JUDGE_H
#define SP_DECIDE_GATE_JUDGE_H

#include "decide/gate_job.h"

// job->trials -> job->comparison, whose id and start it keeps. no_baseline: why there is no base; NULL: there is one.
void sp_gate_judge_now(const struct sp_gate_plan *plan, const char *no_baseline, double alpha,
                       struct sp_gate_job *job);
// Whether job->trials can be compared at all: stored ones as sp_judge_check, those that are run now as sp_judge_check_live, since what one
// under way may come to is no reason to refuse. has_base false: a lone side is checked against itself.
enum sp_err sp_gate_check(const struct sp_gate_plan *plan, const struct sp_gate_job *job, bool has_base,
                          struct sp_error *error);

#endif
