// What decide/gate*.c share: judging between pairs, and the trials that are run now. One thread.
#ifndef SP_DECIDE_GATE_LIVE_H
#define SP_DECIDE_GATE_LIVE_H

#include "decide/gate.h"

// job->trials -> job->comparison, whose id and start it keeps. no_baseline: why there is no base; NULL: there is one.
void sp_gate_judge_now(const struct sp_gate_plan *plan, const char *no_baseline, double alpha,
                       struct sp_gate_job *job);
// Whether job->trials can be compared at all, as sp_judge_check.
enum sp_err sp_gate_check(const struct sp_gate_plan *plan, const struct sp_gate_job *job, bool has_base,
                          struct sp_error *error);
// job->base and ->candidate in pairs, checked and judged. SP_ERR_USAGE: other machines, trials that cannot be compared.
enum sp_err sp_gate_judge_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                 struct sp_error *error);

// Runs pairs, or the candidate alone where the base is stored or missing, and judges them.
enum sp_err sp_gate_go_live(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                            struct sp_gate_job *job, struct sp_error *error);

#endif
