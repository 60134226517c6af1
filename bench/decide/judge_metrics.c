// Figures of each side against the reference, and what can be said about them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/judge_parts.h"
#include "stats/blocks.h"
#include "stats/interval.h"

#define LEAST_OBSERVATIONS 12 // what a first look has

static bool is_in_family(const struct sp_judging *j, const struct sp_metric *metric) {
  for (size_t i = 0; i < j->n_family; i++) {
    if (j->family[i] == metric) return true;
  }
  return false;
}

// --- One metric of one side ---

static double median_of_side(const struct sp_judging *j, const struct sp_metric *metric, size_t side_i) {
  double *values = sp_alloc((j->pairs.n_pairs + 1) * sizeof *values);
  size_t n = 0;
  for (size_t p = 0; p < j->pairs.n_pairs; p++) {
    double value = sp_metric_value(metric, sp_judge_cell(&j->pairs, p, side_i), NULL);
    if (!isnan(value)) values[n++] = value;
  }
  double median = sp_median(values, n);
  free(values);
  return median;
}

// What keeps a trial's figure out of a verdict; of these the one that most trials have is told.
static const struct {
  enum sp_metric_state state;
  const char *what;
} unfit[] = {
    {SP_METRIC_DRIVER_LIMITED,
     "driver-limited; use a lower --rate, or --cpus driver=N on a processor of its own"},
    {SP_METRIC_EPISODIC, "episodic: few seconds hold all that is slower; use a longer --duration"},
    {SP_METRIC_UNRESOLVED, "unresolved: too few events; use a longer --duration or a higher --rate"},
    {SP_METRIC_ABSENT, "absent: nothing measured it"},
};
#define N_UNFIT (sizeof unfit / sizeof unfit[0])

// Whether more than a tenth of a side's trials have no figure that a verdict may use; fills *why then.
static bool is_unfit(const struct sp_judging *j, const struct sp_compared *m, size_t side_i, char **why) {
  size_t counts[N_UNFIT] = {0}, n_all = 0, most = 0;
  for (size_t p = 0; p < j->pairs.n_pairs; p++) {
    enum sp_metric_state state;
    sp_metric_value(m->metric, sp_judge_cell(&j->pairs, p, side_i), &state);
    for (size_t k = 0; k < N_UNFIT; k++) {
      if (state != unfit[k].state) continue;
      counts[k]++;
      n_all++;
    }
  }
  if (10 * n_all <= j->pairs.n_pairs) return false;
  for (size_t k = 1; k < N_UNFIT; k++) {
    if (counts[k] > counts[most]) most = k;
  }
  *why = sp_format("%s of %s is in %zu of %zu trials %s", sp_metric_short_title(m->metric),
                   j->plan->side_names[side_i], counts[most], j->pairs.n_pairs, unfit[most].what);
  return true;
}

// A value a pair, NAN where it has none. Returns how many have one.
static size_t take_ratios(const struct sp_judging *j, const struct sp_compared *m, bool resolved_only,
                          double *values) {
  size_t n = 0;
  for (size_t p = 0; p < j->pairs.n_pairs; p++) {
    values[p] = sp_judge_log_ratio(m->metric, sp_judge_cell(&j->pairs, p, m->side_i),
                                   sp_judge_cell(&j->pairs, p, j->plan->reference_i), resolved_only);
    n += isnan(values[p]) == 0;
  }
  return n;
}

// The observations of a metric: its pairs', or means of neighbouring ones; those without a value left out. Returns how many.
static size_t observe(const struct sp_judging *j, double *values) {
  size_t n = 0, n_all = sp_block_means(values, j->pairs.n_pairs, j->plan->mean_of);
  for (size_t i = 0; i < n_all; i++) {
    if (!isnan(values[i])) values[n++] = values[i];
  }
  return n;
}

static void measure(const struct sp_judging *j, struct sp_compared *m, const double *values, size_t n) {
  struct sp_interval interval = sp_interval_of_median(values, n, j->plan->alpha);
  m->side = median_of_side(j, m->metric, m->side_i);
  m->reference = median_of_side(j, m->metric, j->plan->reference_i);
  m->ratio = exp(interval.estimate);
  m->low = exp(interval.low);
  m->high = exp(interval.high);
  m->level = interval.level;
  m->p = m->p_adjusted = sp_interval_p(values, n, 0);
  double detectable = sp_detectable(values, n, j->plan->alpha, n);
  m->smallest_detectable = isfinite(detectable) ? expm1(detectable) : NAN;
}

// A time that means nothing, whatever its figures; NULL otherwise.
static const char *why_void(const struct sp_judging *j, const struct sp_compared *m) {
  if (!m->metric->is_time) return NULL;
  if (j->c->sides[m->side_i].is_mock || j->c->sides[j->plan->reference_i].is_mock)
    return "the mock broker's times are those of its fetch timer; use --broker kafka, --transport direct, or "
           "--metrics cpu_per_event";
  if (j->is_closed_loop)
    return "a closed loop has no response times: the load waits for the answers; use --arrival poisson, or "
           "--metrics cpu_per_event,achieved";
  return NULL;
}

// --- Verdicts ---

// What keeps a metric from any verdict; NULL: nothing does. From malloc.
static char *why_none(const struct sp_judging *j, const struct sp_compared *m) {
  char *why = NULL;
  size_t n_all = j->pairs.n_pairs;
  if (j->no_verdict[0]) return sp_copy_text(j->no_verdict);
  if ((why = sp_judge_why_selected(j->plan->side_names, j->plan->n_sides, j->trials, j->n, m->metric)))
    return why;
  if (is_unfit(j, m, m->side_i, &why) || is_unfit(j, m, j->plan->reference_i, &why)) return why;
  double *values = sp_alloc((n_all + 1) * sizeof *values);
  size_t n_none = n_all - take_ratios(j, m, true, values);
  size_t n_means = n_all / j->c->mean_of, n_lost = n_means - observe(j, values);
  free(values);
  if (10 * n_none <= n_all && 10 * n_lost > n_means)
    return sp_format("%zu of %zu means of %zu pairs have no ratio of %s: no answer on either side, or "
                     "figures that no verdict may use",
                     n_lost, n_means, j->c->mean_of, sp_metric_short_title(m->metric));
  if (10 * n_none <= n_all) return NULL;
  return sp_format(
      "%zu of %zu pairs have no ratio of %s: no answer on both sides, or a figure that no verdict may use",
      n_none, n_all, sp_metric_short_title(m->metric));
}

// At which the interval's end of so few could be told from nothing: the sign test's 2^(1-n).
static size_t least_observations(double alpha) {
  double n = ceil(1 - log2(alpha));
  return n > LEAST_OBSERVATIONS ? (size_t)n : LEAST_OBSERVATIONS;
}

// How many observations would lead to any verdict: a difference from nothing, or none beyond delta, whichever comes first.
static size_t observations_to_verdict(const struct sp_judging *j, const double *values, size_t n,
                                      size_t n_open) {
  double alpha = j->plan->alpha, delta = log1p(j->plan->delta), estimate = sp_median(values, n);
  size_t least = least_observations(alpha / (double)n_open);
  if (least < n + 2) least = n + 2 + n % 2;
  size_t needed = sp_pairs_needed(values, n, alpha / (double)n_open, 0);
  if (fabs(estimate) < delta) {
    size_t above = sp_pairs_needed(values, n, alpha, delta),
           below = sp_pairs_needed(values, n, alpha, -delta);
    size_t same = above > below ? above : below;
    if (above && below && (needed == 0 || same < needed)) needed = same;
  }
  if (needed == 0) return 0;
  return needed > least ? needed : least;
}

// In pairs.
static size_t pairs_of(const struct sp_judging *j, size_t n_observations) {
  return n_observations * j->c->mean_of;
}

static void give_reason(const struct sp_judging *j, struct sp_compared *m, size_t n_open) {
  double *values = sp_alloc((j->pairs.n_pairs + 1) * sizeof *values);
  size_t n_pairs = take_ratios(j, m, true, values), n = observe(j, values);
  size_t needed = observations_to_verdict(j, values, n, n_open),
         least = least_observations(j->plan->alpha / (double)n_open);
  if (sp_interval_of_median(values, n, j->plan->alpha).is_short || n == 0) {
    if (needed < least) needed = least;
    m->why = sp_format("too few pairs: %zu, and level %g %% needs more", n_pairs, 100 * (1 - j->plan->alpha));
  } else if (isnan(m->smallest_detectable)) {
    m->why = sp_format("the interval of %zu pairs holds both a difference and none", n_pairs);
  } else {
    m->why = sp_format("%zu pairs tell no less than %.2g %% apart", n_pairs, 100 * m->smallest_detectable);
  }
  m->pairs_needed = pairs_of(j, needed);
  free(values);
}

static void conclude(const struct sp_judging *j, struct sp_compared *m, size_t n_open) {
  double most = 1 + j->plan->delta;
  bool is_short = m->n_pairs == 0 || m->level < 1 - j->plan->alpha - 1e-9;
  m->verdict = SP_VERDICT_INCONCLUSIVE;
  if ((m->why = why_none(j, m))) return;
  if (!is_short && m->low >= 1 / most && m->high <= most)
    m->verdict = SP_VERDICT_SAME;
  else if (!is_short && m->p_adjusted <= j->plan->alpha)
    m->verdict = (m->ratio > 1) == m->metric->more_is_better ? SP_VERDICT_BETTER : SP_VERDICT_WORSE;
  else
    give_reason(j, m, n_open);
}

static bool is_tested(const struct sp_compared *m) {
  return m->is_primary && m->verdict != SP_VERDICT_VOID;
}

// Holm's correction over every contrast of the family; those that a void metric has are no tests.
static void correct(struct sp_comparison *c) {
  double *p = sp_alloc((c->n_metrics + 1) * sizeof *p);
  size_t n = 0;
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (is_tested(&c->metrics[i])) p[n++] = c->metrics[i].p;
  }
  sp_holm(p, n, p);
  n = 0;
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (is_tested(&c->metrics[i])) c->metrics[i].p_adjusted = p[n++];
  }
  free(p);
}

static void give_verdicts(struct sp_judging *j) {
  struct sp_comparison *c = j->c;
  size_t n_open = 0;
  for (size_t i = 0; i < c->n_metrics; i++) {
    n_open += is_tested(&c->metrics[i]) && !(c->metrics[i].p_adjusted <= j->plan->alpha);
  }
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (is_tested(&c->metrics[i])) conclude(j, &c->metrics[i], n_open ? n_open : 1);
  }
}

// A metric that neither side has is left out, unless it was asked for.
static bool is_worth_showing(const struct sp_judging *j, const struct sp_metric *metric, size_t side_i) {
  return is_in_family(j, metric) || !isnan(median_of_side(j, metric, side_i)) ||
         !isnan(median_of_side(j, metric, j->plan->reference_i));
}

static void add_metric(struct sp_judging *j, const struct sp_metric *metric, size_t side_i) {
  struct sp_compared *m = sp_comparison_metric(j->c);
  double *values = sp_alloc((j->pairs.n_pairs + 1) * sizeof *values);
  m->metric = metric;
  m->side_i = side_i;
  m->is_primary = is_in_family(j, metric);
  m->verdict = m->is_primary ? SP_VERDICT_INCONCLUSIVE : SP_VERDICT_EXPLORATORY;
  m->n_pairs = m->is_primary ? take_ratios(j, m, true, values) : 0;
  if (10 * (j->pairs.n_pairs - m->n_pairs) > j->pairs.n_pairs)
    m->n_pairs = take_ratios(j, m, false, values); // shown, never judged
  measure(j, m, values, observe(j, values));
  const char *nothing = m->is_primary ? why_void(j, m) : NULL;
  if (nothing) {
    m->verdict = SP_VERDICT_VOID;
    m->why = sp_copy_text(nothing);
  }
  free(values);
}

void sp_judge_metrics(struct sp_judging *j) {
  for (size_t s = 0; s < j->plan->n_sides; s++) {
    for (size_t i = 0; s != j->plan->reference_i && i < sp_n_metrics; i++) {
      if (is_worth_showing(j, &sp_metrics[i], s)) add_metric(j, &sp_metrics[i], s);
    }
  }
  correct(j->c);
  give_verdicts(j);
}
