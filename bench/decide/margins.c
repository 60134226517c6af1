// Upper bounds below the margin pass; lower bounds above it fail, if fresh pairs say so too.
#include "decide/margins.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/calibration.h"
#include "stats/blocks.h"
#include "stats/interval.h"

#define FRESH_ALPHA  0.05
#define LEAST_MARGIN 0.005
#define QUANTILE     0.99 // of the upper bounds of gates where nothing changed

// --- Values ---

struct sample {
  double *values; // without the pairs that have none
  size_t n;
};

static struct sample sample_of(const double *values, size_t n) {
  struct sample sample = {.values = sp_alloc((n + 1) * sizeof *values)};
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) sample.values[sample.n++] = values[i];
  }
  return sample;
}

// Two-sided at 1 - alpha; without any bound where there are too few pairs.
static struct sp_interval bounds_of(const struct sample *sample, double alpha) {
  struct sp_interval interval = sp_interval_of_median(sample->values, sample->n, alpha);
  if (interval.is_short) interval.low = -INFINITY, interval.high = INFINITY;
  return interval;
}

// --- Holm ---

// The level at which each lower bound is taken so that "above the margin" is what Holm rejects: alpha over the number of hypotheses
// that are still open where its turn comes, or where the first that was not rejected stopped the descent.
static void step_down(const struct sp_gate_input *inputs, const struct sample *samples, size_t n,
                      double alpha, double *alphas) {
  double p[SP_GATE_METRICS], adjusted[SP_GATE_METRICS];
  size_t which[SP_GATE_METRICS], n_family = 0;
  for (size_t i = 0; i < n; i++) {
    alphas[i] = alpha;
    if (inputs[i].is_guard) continue;
    double at = log1p(inputs[i].margin);
    bool is_above = sp_median(samples[i].values, samples[i].n) > at;
    p[n_family] = is_above ? sp_interval_p(samples[i].values, samples[i].n, at) : 1;
    which[n_family++] = i;
  }
  sp_holm(p, n_family, adjusted);
  for (size_t k = 0; k < n_family; k++) {
    size_t n_before = 0; // rejected with a smaller p
    for (size_t o = 0; o < n_family; o++) {
      bool is_before = o < k ? p[o] <= p[k] : p[o] < p[k];
      n_before += is_before && adjusted[o] <= alpha;
    }
    alphas[which[k]] = alpha / (double)(n_family - n_before);
  }
}

// --- One metric ---

static char *percent(double times, char *text, size_t n) {
  if (isinf(times))
    snprintf(text, n, "no limit");
  else
    snprintf(text, n, "%+.2g %%", 100 * (times - 1));
  return text;
}

// The fresh pairs that decide: the first SP_GATE_FRESH with a value, or what they are after so many pairs where no more than a tenth has none. What
// comes later, for the sake of another metric, changes nothing. n 0: there are too few yet.
static struct sample fresh_of(const struct sp_gate_input *input) {
  struct sample fresh = {.values = sp_alloc(SP_GATE_FRESH * sizeof *fresh.values)};
  for (size_t i = 0; i < input->n_fresh; i++) {
    if (!isnan(input->fresh[i])) fresh.values[fresh.n++] = input->fresh[i];
    bool is_enough = i + 1 == SP_GATE_FRESH && 10 * (i + 1 - fresh.n) <= i + 1;
    if (is_enough || fresh.n == SP_GATE_FRESH) return fresh;
  }
  fresh.n = 0;
  return fresh;
}

// The one-sided lower bound, and how many pairs it is of.
static double fresh_lower(const struct sp_gate_input *input, size_t *n) {
  struct sample fresh = fresh_of(input);
  double lower = fresh.n ? exp(sp_interval_lower(fresh.values, fresh.n, FRESH_ALPHA)) : NAN;
  *n = fresh.n;
  free(fresh.values);
  return lower;
}

// In pairs.
static size_t pairs_of(const struct sp_gate_input *input, size_t n_values) {
  return n_values * (input->mean_of ? input->mean_of : 1);
}

static size_t fresh_pairs_of(const struct sp_gate_input *input) {
  return input->n_fresh_pairs ? input->n_fresh_pairs : pairs_of(input, input->n_fresh);
}

static void fail_or_ask(const struct sp_gate_input *input, size_t n_fresh, struct sp_gate_metric *m) {
  char lower[32], fresh[32];
  size_t n_needed = pairs_of(input, SP_GATE_FRESH), n_had = fresh_pairs_of(input);
  percent(m->lower, lower, sizeof lower);
  percent(m->fresh_lower, fresh, sizeof fresh);
  m->verdict = m->fresh_lower > 1 + m->margin ? SP_GATE_FAIL : SP_GATE_INCONCLUSIVE;
  if (n_had == 0)
    m->why = sp_format("at least %s, which %zu fresh pairs must confirm", lower, n_needed);
  else if (input->n_fresh < SP_GATE_FRESH)
    m->why = sp_format("at least %s, which %zu fresh pairs must confirm; %zu were measured", lower, n_needed,
                       n_had);
  else if (n_fresh == 0)
    m->why =
        sp_format("at least %s, but too few of %zu fresh pairs have a value to confirm it", lower, n_had);
  else if (m->verdict == SP_GATE_FAIL)
    m->why =
        sp_format("at least %s, confirmed by %zu fresh pairs (%s)", lower, pairs_of(input, n_fresh), fresh);
  else
    m->why = sp_format("at least %s, which %zu fresh pairs do not confirm (%s)", lower,
                       pairs_of(input, n_fresh), fresh);
}

static void explain_doubt(const struct sp_gate_input *input, const struct sample *sample, double alpha,
                          struct sp_gate_metric *m) {
  char lower[32], upper[32];
  m->verdict = SP_GATE_INCONCLUSIVE;
  size_t needed = sp_pairs_needed(sample->values, sample->n, alpha, log1p(input->margin));
  if (needed && needed <= sample->n) needed = sample->n + 2 + sample->n % 2;
  m->pairs_needed = pairs_of(input, needed);
  if (isinf(m->upper) && !(m->lower > 0))
    m->why = sp_format("too few pairs with a value: %zu, where a look has %zu",
                       input->n_pairs ? input->n_pairs : pairs_of(input, sample->n), pairs_of(input, 12));
  else
    m->why =
        sp_format("between %s and %s, with the margin %.3g %% inside", percent(m->lower, lower, sizeof lower),
                  percent(m->upper, upper, sizeof upper), 100 * input->margin);
}

static void decide_metric(const struct sp_gate_input *input, const struct sample *sample, double alpha,
                          double adjusted_alpha, struct sp_gate_metric *m) {
  size_t n_fresh = 0;
  m->metric = input->metric;
  m->margin = input->margin;
  m->is_calibrated = input->is_calibrated;
  m->upper = exp(bounds_of(sample, alpha).high);
  m->lower = exp(bounds_of(sample, adjusted_alpha).low);
  m->fresh_lower = fresh_lower(input, &n_fresh);
  if (sample->n == 0) m->upper = INFINITY, m->lower = 0;
  if (input->why_not) {
    m->upper = m->lower = NAN;
    m->verdict = SP_GATE_INCONCLUSIVE;
    m->why = sp_copy_text(input->why_not);
  } else if (m->lower > 1 + m->margin) {
    fail_or_ask(input, n_fresh, m);
  } else if (m->upper <= 1 + m->margin) {
    m->verdict = SP_GATE_PASS;
  } else {
    explain_doubt(input, sample, adjusted_alpha, m);
  }
}

// --- The gate ---

static void forget(struct sp_gate_figures *gate) {
  for (size_t i = 0; i < gate->n_metrics; i++) free(gate->metrics[i].why);
  free(gate->metrics);
  gate->metrics = NULL;
  gate->n_metrics = gate->n_fresh = 0;
}

void sp_gate_decide(const struct sp_gate_input *inputs, size_t n, double alpha,
                    struct sp_gate_figures *gate) {
  SP_ASSERT(n > 0 && n <= SP_GATE_METRICS);
  struct sample samples[SP_GATE_METRICS];
  double alphas[SP_GATE_METRICS];
  size_t n_pass = 0, n_fail = 0;
  for (size_t i = 0; i < n; i++) samples[i] = sample_of(inputs[i].worse, inputs[i].n);
  step_down(inputs, samples, n, alpha, alphas);
  forget(gate);
  gate->metrics = sp_alloc(n * sizeof *gate->metrics);
  gate->n_metrics = n;
  for (size_t i = 0; i < n; i++) {
    decide_metric(&inputs[i], &samples[i], alpha, alphas[i], &gate->metrics[i]);
    n_pass += gate->metrics[i].verdict == SP_GATE_PASS;
    n_fail += gate->metrics[i].verdict == SP_GATE_FAIL;
    size_t n_fresh = fresh_pairs_of(&inputs[i]);
    if (n_fresh > gate->n_fresh) gate->n_fresh = n_fresh;
    free(samples[i].values);
  }
  gate->verdict = n_fail ? SP_GATE_FAIL : n_pass == n ? SP_GATE_PASS : SP_GATE_INCONCLUSIVE;
}

bool sp_gate_wants_fresh(const struct sp_gate_figures *gate) {
  for (size_t i = 0; i < gate->n_metrics; i++) {
    const struct sp_gate_metric *m = &gate->metrics[i];
    if (m->verdict == SP_GATE_INCONCLUSIVE && m->lower > 1 + m->margin && isnan(m->fresh_lower)) return true;
  }
  return false;
}

// The upper bound of one gate of equal programs.
static double draw_upper(const struct sample *pool, const struct sp_look *look, struct sp_prng *prng) {
  size_t *picked = sp_alloc(look->n_pairs * sizeof *picked);
  struct sample gate = {sp_alloc(look->n_pairs * sizeof *gate.values), look->n_pairs};
  sp_blocks_pick(prng, pool->n, pool->n < SP_GATE_CALIBRATION_BLOCK ? pool->n : SP_GATE_CALIBRATION_BLOCK,
                 picked, gate.n);
  for (size_t i = 0; i < gate.n; i++) gate.values[i] = pool->values[picked[i]];
  double upper = bounds_of(&gate, look->alpha).high;
  free(gate.values);
  free(picked);
  return upper;
}

double sp_gate_calibrate(const double *worse, size_t n, const struct sp_look *look, size_t mean_of,
                         struct sp_prng *prng) {
  SP_ASSERT(look->n_pairs > 0 && mean_of > 0);
  struct sample pairs = sample_of(worse, n);
  double *means = sp_alloc((n + 1) * sizeof *means), margin = NAN, uppers[SP_GATE_CALIBRATION_GATES];
  memcpy(means, worse, n * sizeof *means);
  size_t n_means = sp_block_means(means, n, mean_of);
  struct sample pool = sample_of(means, n_means);
  if (pool.n > 0 && 10 * (n - pairs.n) <= n && 10 * (n_means - pool.n) <= n_means) {
    for (size_t g = 0; g < SP_GATE_CALIBRATION_GATES; g++) uppers[g] = draw_upper(&pool, look, prng);
    margin = fmax(LEAST_MARGIN, expm1(sp_quantile(uppers, SP_GATE_CALIBRATION_GATES, QUANTILE)));
  }
  free(pool.values);
  free(means);
  free(pairs.values);
  return margin <= SP_GATE_MARGIN_MOST ? margin : NAN;
}
