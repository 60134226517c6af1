// The gate's decision, and the margins that it is made with. Pure but for the generator; the same code judges live pairs, stored ones and
// the resampled ones of a calibration.
#ifndef SP_DECIDE_MARGINS_H
#define SP_DECIDE_MARGINS_H

#include "base/prng.h"
#include "decide/judge.h"

#define SP_GATE_METRICS 8
#define SP_GATE_FRESH                                                                                        \
  12 // pairs that must confirm a failure; or means of several, as with all such numbers here
#define SP_GATE_FRESH_MOST    18 // run for it, where some have no value (a percentile that is driver-limited)
#define SP_GATE_MARGIN        0.05 // where none was calibrated
#define SP_GATE_SERVED_MARGIN 0.001
// The look that margins are calibrated for. In simulation (tests/unit/test_margins.c) margins of the first look are too wide to find
// +10 % in 95 of 100 gates (94 at CPU noise of 2 %), those of the last leave 14 of 100 equal builds without a verdict; of
// the second: 99.8 found, 97 passed.
#define SP_GATE_CALIBRATION_LOOK  ((struct sp_look){18, 0.015})
#define SP_GATE_CALIBRATION_GATES 1000
#define SP_GATE_CALIBRATION_BLOCK 5

struct sp_gate_input { // of one metric
  const struct sp_metric *metric;
  double margin;
  bool is_calibrated, is_guard;
  const double *
      worse; // log of how many times worse the candidate is, a value a pair (sp_block_means: a mean); NAN: none
  size_t n;
  const double *fresh; // the same of the fresh pairs; n_fresh 0: not run yet
  size_t n_fresh;
  size_t mean_of; // pairs that a value is of, for the words; 0: 1
  size_t n_pairs; // that have a value, before means were taken; 0: n times mean_of
  size_t n_fresh_pairs;
  const char *why_not; // the judge's reason why it can say nothing (driver-limited...); NULL
};

// PASS iff every upper bound (two-sided level 1 - alpha) is at most 1 + margin. FAIL iff for some metric the lower bound, adjusted by Holm over
// the family, is above 1 + margin, and so is the one-sided 5 % lower bound of at least SP_GATE_FRESH fresh pairs alone: of the first
// SP_GATE_FRESH that have a value, or of the first SP_GATE_FRESH where at most a tenth of those has none. What comes after is not looked at: a
// metric is asked once.
// Otherwise inconclusive, with the pairs that would settle it. Fills gate->verdict, ->metrics and
// ->n_fresh in place of what an earlier look left there; *gate is zeroed before the first.
void sp_gate_decide(const struct sp_gate_input *inputs, size_t n, double alpha, struct sp_gate_figures *gate);
// Whether fresh pairs, or more of them, are needed to tell: a lower bound is above its margin and nothing confirmed or refuted it.
bool sp_gate_wants_fresh(const struct sp_gate_figures *gate);

// A/A pairs in order of time, a value a pair -> the margin: the 99th percentile of the upper bounds of SP_GATE_CALIBRATION_GATES gates at that
// look, resampled in blocks of SP_GATE_CALIBRATION_BLOCK consecutive observations (pairs, or means of mean_of pairs), minus 1; never below 0.5 %.
// NAN, for none: more than a tenth of the pairs or means have no value, look->n_pairs are too few for its alpha, or it would be above
// SP_GATE_MARGIN_MOST, and two equal programs that far apart are no evidence of anything.
double sp_gate_calibrate(const double *worse, size_t n, const struct sp_look *look, size_t mean_of,
                         struct sp_prng *prng);

#endif
