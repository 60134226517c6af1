// What of a trial over Kafka is ours to start, and under which name.
#ifndef SP_TRIAL_OURS_H
#define SP_TRIAL_OURS_H

#include <stdbool.h>

#include "scenario/scenario.h"

// Whether this trial starts applications, and a model server for them: not where somebody else does (apps: 0), where only half
// a driver runs, and not for any share of a load but the first.
bool sp_apps_are_ours(const struct sp_scenario *scenario, const struct sp_side *side);
// Of a run whose side names no group. malloc'ed.
char *sp_apps_own_group(const char *run_id);

#endif
