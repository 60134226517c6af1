// What else than the deployment differs between the sides of a comparison (DESIGN §3.9).
#ifndef SP_DECIDE_FAIRNESS_H
#define SP_DECIDE_FAIRNESS_H

#include "result/comparison.h"
#include "scenario/scenario.h"

// A remark for each budget or guarantee (threads, batch, wait, applications, order, delivery), transport, broker and model that the sides do not
// share, since a ratio is of that difference too; and for each side that is an application of somebody else's, which is measured as a black box.
// is_other_model: of each side, as sp_agreement_plan has it; NULL: of none.
void sp_fairness_remark(const struct sp_scenario *scenario, const struct sp_side *const *sides,
                        size_t n_sides, const bool *is_other_model, struct sp_comparison *c);

#endif
