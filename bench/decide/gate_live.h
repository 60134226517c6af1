// A gate over trials that are run now. One thread, which is the supervisor's.
#ifndef SP_DECIDE_GATE_LIVE_H
#define SP_DECIDE_GATE_LIVE_H

#include "decide/gate_job.h"
#include "os/process.h"

// Runs pairs, or the candidate alone where the base is stored or missing, and judges them.
enum sp_err sp_gate_go_live(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                            struct sp_gate_job *job, struct sp_error *error);

#endif
