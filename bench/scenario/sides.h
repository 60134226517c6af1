// What sides have of their own in place of the scenario's: transport, broker, model.
#ifndef SP_SCENARIO_SIDES_H
#define SP_SCENARIO_SIDES_H

#include "scenario/check.h"

// Fills in what follows from other keys: transport and broker of the scenario, then those of sides that name one of the two, the name of the
// model, and the whole model of sides that say anything of theirs. Before the checks.
void sp_settle_sides(struct sp_scenario *scenario, const struct sp_check_context *check);

// The last part of a path, from malloc: "models/fraud/" gives "fraud".
char *sp_path_last_part(const char *path);

#endif
