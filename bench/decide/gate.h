// gate: whether a candidate is worse than a base by more than a margin, from pairs that are run now, from stored trials, or from a stored base
// and a candidate that is run now. One thread, which is the supervisor's.
#ifndef SP_DECIDE_GATE_H
#define SP_DECIDE_GATE_H

#include "decide/gate_job.h"
#include "os/process.h"

// Blocks for minutes. DIR/comparison.json and all other forms are written. SP_OK whatever the verdict, and also after a signal
// (then the comparison is incomplete, or NULL). SP_ERR_USAGE: trials that cannot be compared, machines that differ;
// SP_ERR_INVALID: a family that no pairs would settle; SP_ERR_ENVIRONMENT: a program, file or folder.
enum sp_err sp_gate_go(const struct sp_gate_plan *plan, struct sp_supervisor *supervisor,
                       struct sp_gate_job *job, struct sp_error *error);

#endif
