// A gate over trials that lie in folders. One thread.
#ifndef SP_DECIDE_GATE_STORED_H
#define SP_DECIDE_GATE_STORED_H

#include "decide/gate_job.h"

// job->base and ->candidate in pairs, checked and judged. SP_ERR_USAGE: other machines, trials that cannot be compared.
enum sp_err sp_gate_judge_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                                 struct sp_error *error);
// Reads both sides' folders and judges what is there. Errors as above, and SP_ERR_ENVIRONMENT: no trials of the candidate, or unreadable ones.
enum sp_err sp_gate_go_stored(const struct sp_gate_plan *plan, struct sp_gate_job *job,
                              struct sp_error *error);

#endif
