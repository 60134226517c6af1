// What the sides of a comparison answered to the same events, pair by pair.
#ifndef SP_DECIDE_AGREEMENT_H
#define SP_DECIDE_AGREEMENT_H

#include "result/comparison.h"
#include "scenario/scenario.h"

struct sp_agreement_plan { // everything is borrowed
  const struct sp_side *const *sides;
  size_t n_sides, reference_i;
  const char *dir; // of the files of answers of the pair under way: DIR/SIDE
  double abs, rel; // of two values that are alike, as everywhere
};

// Compares the answers of the sides in the pair that was just run, as they lie in DIR, adds events compared, those that differ, the
// largest difference and examples to c->predictions, and removes the files. An example says which sides differ at which event, and by how
// much, but no value.
void sp_agreement_add(const struct sp_agreement_plan *plan, struct sp_comparison *c);
// Where the answers of a side go; from malloc.
char *sp_agreement_file(const char *dir, const char *side);

#endif
