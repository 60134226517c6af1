// The sustainable rate of each side by live trials, each in a folder of its own:
//
//   DIR/search.json  DIR/report.md  DIR/probes/SIDE/007-4800/result.json  .../key: program and recording
//
// Resumable: a trial that lies there complete, of the same scenario, recording, rate, seed, length and program, is not repeated. One thread,
// which is the supervisor's.
#ifndef SP_DECIDE_SEARCH_SIDES_H
#define SP_DECIDE_SEARCH_SIDES_H

#include "decide/search_record.h"

// Before anything is started. SP_ERR_USAGE: an arrival without one rate, a load that is a part of another, rates that no trial can
// judge. SP_ERR_INVALID: over the mock broker, whose times mean nothing.
enum sp_err sp_searches_check(const struct sp_searches_plan *plan, struct sp_error *error);
// Blocks for minutes. SP_OK with what there is also when a signal ended it (incomplete says so). *searches must be zeroed before
// and be freed by sp_searches_done, whatever is returned. Errors of sp_trial_run; what was found until then is written all the same.
enum sp_err sp_searches_run(const struct sp_searches_plan *plan, struct sp_searches *searches,
                            struct sp_error *error);

#endif
