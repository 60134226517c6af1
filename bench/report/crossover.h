// The crossover map of a sweep: which side wins where, and about where one overtakes the other. Text is made printable,
// whatever stands in names. One thread; pure but for allocation and output.
#ifndef SP_REPORT_CROSSOVER_H
#define SP_REPORT_CROSSOVER_H

#include <stdio.h>

#include "result/sweep.h"

// What a cell of a map says. With three sides and more each is judged against the reference alone: the winner is the side that
// is better than it by most, or the reference where every other is worse.
enum sp_cross {
  SP_CROSS_PENDING, // not measured yet: "."
  SP_CROSS_FAILED,  // no comparison, or it does not hold this metric: "!"
  SP_CROSS_NEITHER, // no side meets the scenario's bounds: "x"
  SP_CROSS_ONLY,    // one side alone meets them: "NAME only"; which wins is then no question
  SP_CROSS_WINS,    // "NAME"
  SP_CROSS_SAME,    // no difference beyond delta: "="
  SP_CROSS_OPEN,    // inconclusive or void: "?"
};
struct sp_cross_cell {
  enum sp_cross cross;
  const char *side;  // ONLY, WINS: borrowed from the sweep; NULL otherwise
  bool misses_bound; // WINS: and yet it misses a bound: "NAME*"
  double ratio;      // of the side that differs most from the reference, to it; NAN: none
};
struct sp_cross_cell sp_cross_of(const struct sp_sweep *sweep, const struct sp_sweep_cell *cell,
                                 const char *metric);

// Where a side's ratio to the reference passes 1 along one axis, everything else being equal. The bracket is what was measured: the two
// nearest conclusive cells on either side of it, whatever inconclusive ones lie between. The estimate takes the logarithm
// of the ratio to be straight between them, over the logarithm of the value (over the value itself where one is 0).
struct sp_crossing {
  const char *metric, *side; // borrowed from the sweep
  size_t axis_i;
  size_t at[SP_SWEEP_AXES]; // of the other axes; of axis_i the lower end of the bracket
  size_t low_i, high_i;     // values of the axis that bracket it
  double estimate;          // in the axis's base unit (ns, /s, bytes, 1); NAN: the values are no quantities
  char text[64];            // the estimate as it is printed: "2340/s"; "" without
  bool side_wins_above;     // better than the reference at the high end
};
// From malloc, *n of them, by metric, side, axis and place.
struct sp_crossing *sp_crossings(const struct sp_sweep *sweep, size_t *n);

// A map for each metric of the family (and each combination of values of the third and further axes): the first axis from left to right, the
// second downward; a legend, the crossings, cells that failed with the reason.
void sp_crossover_print(const struct sp_sweep *sweep, FILE *to);
void sp_crossover_write_markdown(const struct sp_sweep *sweep, FILE *to); // text never becomes markup
// {"maps": [{"metric", "title", "x": {"name", "values"}, "y": null or the same, "fixed": {NAME: VALUE},
//   "rows": [[{"cross": "wins", "side", "ratio", "text", "comparison"}]]}],
//  "crossings": [{"text", "metric", "side", "axis", "fixed", "low", "high", "estimate", "winner_below", "winner_above"}]}
// for a page; free with free().
char *sp_crossover_json(const struct sp_sweep *sweep);

#endif
