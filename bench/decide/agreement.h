// What the sides of a comparison answered to the same events, pair by pair.
#ifndef SP_DECIDE_AGREEMENT_H
#define SP_DECIDE_AGREEMENT_H

#include "result/comparison.h"
#include "result/result.h"
#include "scenario/scenario.h"

struct sp_agreement_plan { // everything is borrowed
  const struct sp_side *const *sides;
  size_t n_sides, reference_i;
  const char *dir; // of the files of answers of the pair under way: DIR/SIDE
  double abs, rel; // of two values that are alike, as everywhere
  const bool *
      is_other_model; // of each side: its answers are not those of the reference's model, and not compared; NULL: of none
};

// Whether the answers of two sides must be alike: they are of one version of one model, or of two files with the same bytes, as their trials
// found them (NULL: there is none).
bool sp_is_one_model(const struct sp_scenario *scenario, const struct sp_side *a,
                     const struct sp_result *result_a, const struct sp_side *b,
                     const struct sp_result *result_b);

// Compares the answers of the sides in the pair that was just run, as they lie in DIR, adds events compared, those that differ, the
// largest difference and examples to c->predictions, and removes the files. An example says which sides differ at which event, and by how
// much, but no value.
void sp_agreement_add(const struct sp_agreement_plan *plan, struct sp_comparison *c);
// Where the answers of a side go; from malloc.
char *sp_agreement_file(const char *dir, const char *side);

#endif
