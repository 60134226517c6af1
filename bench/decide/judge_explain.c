// Where the time goes: means of stages, over all events and over the slowest, of a side beside the reference. Means add up,
// percentiles do not (DESIGN §3.6).
#include <math.h>

#include "decide/judge_parts.h"

typedef double figure_of(const struct sp_result *result, int i); // NAN: none

static double stage_mean(const struct sp_result *r, int i) {
  return r->stages[i].present ? r->stages[i].mean_ns : NAN;
}
static double stage_slow(const struct sp_result *r, int i) {
  return r->stages[i].present ? r->stages[i].mean_above_p99_ns : NAN;
}
static double total(const struct sp_result *r, int i) {
  (void)i;
  return r->response.present ? r->response.mean_ns : NAN;
}

static double mean_over(const struct sp_judging *j, size_t side_i, figure_of *figure, int i) {
  double sum = 0;
  size_t n = 0;
  for (size_t p = 0; p < j->pairs.n_pairs; p++) {
    double value = figure(sp_judge_cell(&j->pairs, p, side_i), i);
    if (!isfinite(value)) continue;
    sum += value;
    n++;
  }
  return n ? sum / (double)n : NAN;
}

static double or_zero(double value) {
  return isnan(value) ? 0 : value;
}

static void explain_side(struct sp_judging *j, size_t side_i) {
  struct sp_explained *e = sp_comparison_explained(j->c);
  size_t reference_i = j->plan->reference_i;
  double explained_ns = 0;
  e->side_i = side_i;
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    e->reference_ns[i] = mean_over(j, reference_i, stage_mean, i);
    e->side_ns[i] = mean_over(j, side_i, stage_mean, i);
    e->reference_slow_ns[i] = mean_over(j, reference_i, stage_slow, i);
    e->side_slow_ns[i] = mean_over(j, side_i, stage_slow, i);
    if (i < SP_STAGE_SUMMED) explained_ns += or_zero(e->side_ns[i]) - or_zero(e->reference_ns[i]);
  }
  e->reference_total_ns = mean_over(j, reference_i, total, 0);
  e->side_total_ns = mean_over(j, side_i, total, 0);
  e->residual_ns = e->side_total_ns - e->reference_total_ns - explained_ns;
}

void sp_judge_explain(struct sp_judging *j) {
  if (j->is_mock || j->is_closed_loop || j->pairs.n_pairs == 0) return; // no time of theirs means anything
  for (size_t s = 0; s < j->plan->n_sides; s++) {
    if (s != j->plan->reference_i) explain_side(j, s);
  }
}
