// Doubling, bisection, confirmation.
#include "decide/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

const char *sp_probe_verdict_name(enum sp_probe_verdict verdict) {
  static const char *const names[] = {"passed", "failed", "invalid"};
  return names[verdict];
}

const char *sp_search_phase_name(enum sp_search_phase phase) {
  static const char *const names[] = {"doubling", "halving", "bisecting", "confirming", "rechecking"};
  return names[phase];
}

const char *sp_search_verdict_name(enum sp_search_verdict verdict) {
  static const char *const names[] = {"unfinished", "bracket", "driver_limited", "capped",
                                      "none",       "unknown", "unsettled"};
  return names[verdict];
}

double sp_search_round(double per_s) {
  char text[32];
  snprintf(text, sizeof text, "%.3e", per_s);
  return strtod(text, NULL);
}

#define HOPELESS_RATES 2
#define RECHECK_PASSES 2

struct step {
  double per_s; // 0: there is none left
  enum sp_search_phase phase;
};

struct bracket {
  const struct sp_search_plan *plan;
  struct sp_search *search;
  bool is_limited;   // high is the driver's limit
  bool is_confirmed; // low
  bool is_rechecked; // high
};

// --- One rate ---

static struct sp_search_rate *add_rate(struct sp_search *search, struct step step) {
  search->rates = sp_realloc(search->rates, (search->n_rates + 1) * sizeof *search->rates);
  struct sp_search_rate *rate = &search->rates[search->n_rates++];
  *rate = (struct sp_search_rate){.per_s = step.per_s, .phase = step.phase};
  return rate;
}

// The first valid trial decides if it passes; one that fails needs another that does.
static bool is_decided(struct sp_search_rate *rate) {
  bool is_recheck = rate->phase == SP_SEARCH_RECHECKING;
  if (is_recheck ? rate->n_passed == RECHECK_PASSES : rate->n_passed > rate->n_failed)
    rate->verdict = SP_PROBE_PASSED;
  else if (rate->n_failed && (is_recheck || 2 * rate->n_failed > SP_SEARCH_TRIALS_VALID))
    rate->verdict = SP_PROBE_FAILED;
  else if (rate->n_invalid == SP_SEARCH_TRIALS_INVALID)
    rate->verdict = SP_PROBE_INVALID;
  else
    return false;
  return rate->is_answered = true;
}

static enum sp_err ask(const struct sp_search_plan *plan, struct sp_search *search, struct step step,
                       struct sp_error *error) {
  struct sp_search_rate *rate = add_rate(search, step);
  while (!is_decided(rate) && search->n_trials < plan->most_trials) {
    struct sp_probe_outcome outcome = {0};
    enum sp_err err =
        plan->probe(plan->context, step.per_s, plan->first_seed + search->n_trials, &outcome, error);
    if (err) return err;
    search->n_trials++;
    rate->n_passed += outcome.verdict == SP_PROBE_PASSED;
    rate->n_failed += outcome.verdict == SP_PROBE_FAILED;
    rate->n_invalid += outcome.verdict == SP_PROBE_INVALID;
    memcpy(rate->reason, outcome.reason, sizeof rate->reason);
    if (plan->asked) plan->asked(plan->context);
  }
  return SP_OK;
}

// --- The bracket ---

// At half the rate too: it is not the rate that limits the driver, and half of that would be no better.
static bool is_driver_hopeless(const struct sp_search *search) {
  unsigned n = 0;
  for (size_t i = search->n_rates; i > 0 && search->rates[i - 1].verdict == SP_PROBE_INVALID; i--) n++;
  return search->low_per_s <= 0 && n >= HOPELESS_RATES;
}

static struct step next_step(const struct bracket *b) {
  const struct sp_search_plan *plan = b->plan;
  double low = b->search->low_per_s, high = b->search->high_per_s;
  if (is_driver_hopeless(b->search)) return (struct step){0, SP_SEARCH_HALVING};
  if (low <= 0 && isinf(high)) return (struct step){plan->from_per_s, SP_SEARCH_DOUBLING};
  if (low <= 0)
    return (struct step){high > plan->least_per_s ? fmax(sp_search_round(high / 2), plan->least_per_s) : 0,
                         SP_SEARCH_HALVING};
  if (isinf(high) && low < plan->most_per_s)
    return (struct step){fmin(sp_search_round(2 * low), plan->most_per_s), SP_SEARCH_DOUBLING};
  double middle = sp_search_round(sqrt(low) * sqrt(high));
  if (high > low * (1 + plan->precision) && middle > low && middle < high)
    return (struct step){middle, SP_SEARCH_BISECTING};
  if (!b->is_confirmed) return (struct step){low, SP_SEARCH_CONFIRMING};
  return (struct step){b->is_rechecked || isinf(high) ? 0 : high, SP_SEARCH_RECHECKING};
}

// What passed before and lies below what fails now; 0: nothing.
static double highest_passed(const struct sp_search *search, double below_per_s) {
  double best = 0;
  for (size_t i = 0; i < search->n_rates; i++) {
    const struct sp_search_rate *rate = &search->rates[i];
    if (rate->is_answered && rate->verdict == SP_PROBE_PASSED && rate->per_s < below_per_s)
      best = fmax(best, rate->per_s);
  }
  return best;
}

// The lowest that did not pass and lies above, or none.
static const struct sp_search_rate *lowest_missed(const struct sp_search *search, double above_per_s) {
  const struct sp_search_rate *best = NULL;
  for (size_t i = 0; i < search->n_rates; i++) {
    const struct sp_search_rate *rate = &search->rates[i];
    bool is_missed = rate->is_answered && rate->verdict != SP_PROBE_PASSED && rate->per_s > above_per_s;
    if (is_missed && (!best || rate->per_s < best->per_s)) best = rate;
  }
  return best;
}

static void set_high(struct bracket *b, const struct sp_search_rate *rate) {
  b->search->high_per_s = rate ? rate->per_s : INFINITY;
  b->is_limited = rate && rate->verdict == SP_PROBE_INVALID;
  b->is_rechecked = false;
  if (rate) memcpy(b->search->reason, rate->reason, sizeof b->search->reason);
}

static void take_recheck(struct bracket *b, const struct sp_search_rate *rate) {
  b->is_rechecked = true;
  if (rate->verdict != SP_PROBE_PASSED) return; // it stands as it was
  b->search->low_per_s = rate->per_s;
  set_high(b, lowest_missed(b->search, rate->per_s));
}

static void take_answer(struct bracket *b) {
  struct sp_search *search = b->search;
  const struct sp_search_rate *rate = &search->rates[search->n_rates - 1];
  if (rate->phase == SP_SEARCH_RECHECKING) {
    take_recheck(b, rate);
    return;
  }
  if (rate->verdict == SP_PROBE_PASSED) {
    b->is_confirmed = rate->phase == SP_SEARCH_CONFIRMING;
    search->low_per_s = rate->per_s;
    return;
  }
  set_high(b, rate);
  if (rate->phase != SP_SEARCH_CONFIRMING) return;
  search->n_stepped_down++;
  search->low_per_s = highest_passed(search, rate->per_s);
}

static enum sp_search_verdict verdict_of(const struct bracket *b) {
  if (b->search->low_per_s <= 0) return b->is_limited ? SP_SEARCH_UNKNOWN : SP_SEARCH_NONE;
  if (isinf(b->search->high_per_s)) return SP_SEARCH_CAPPED;
  return b->is_limited ? SP_SEARCH_DRIVER_LIMITED : SP_SEARCH_BRACKET;
}

enum sp_err sp_search_run(const struct sp_search_plan *plan, struct sp_search *search,
                          struct sp_error *error) {
  SP_ASSERT(plan->least_per_s > 0 && plan->precision > 0 && plan->most_trials > 0);
  SP_ASSERT(plan->from_per_s >= plan->least_per_s && plan->from_per_s <= plan->most_per_s);
  struct bracket bracket = {.plan = plan, .search = search};
  search->high_per_s = INFINITY;
  for (struct step step = next_step(&bracket); step.per_s > 0; step = next_step(&bracket)) {
    enum sp_err err = ask(plan, search, step, error);
    if (err) return err;
    if (!search->rates[search->n_rates - 1].is_answered) {
      search->verdict = SP_SEARCH_UNSETTLED;
      return SP_OK;
    }
    take_answer(&bracket);
  }
  search->verdict = verdict_of(&bracket);
  return SP_OK;
}

void sp_search_done(struct sp_search *search) {
  free(search->rates);
}

// --- In words ---

char *sp_search_text(const struct sp_search *search, char *text, size_t n) {
  char low[SP_UNITS_TEXT_BYTES], high[SP_UNITS_TEXT_BYTES];
  sp_units_print_rate(search->low_per_s, low, sizeof low);
  sp_units_print_rate(isinf(search->high_per_s) ? NAN : search->high_per_s, high, sizeof high);
  switch (search->verdict) {
  case SP_SEARCH_BRACKET: snprintf(text, n, "%s/s (next %s/s failed: %s)", low, high, search->reason); break;
  case SP_SEARCH_DRIVER_LIMITED:
    snprintf(text, n, ">= %s/s, driver-limited (%s/s: %s)", low, high, search->reason);
    break;
  case SP_SEARCH_CAPPED: snprintf(text, n, ">= %s/s (no rate above was tried)", low); break;
  case SP_SEARCH_NONE: snprintf(text, n, "none (%s/s failed: %s)", high, search->reason); break;
  case SP_SEARCH_UNKNOWN:
    snprintf(text, n, "unknown, driver-limited (%s/s: %s)", high, search->reason);
    break;
  case SP_SEARCH_UNSETTLED:
    snprintf(text, n, "unsettled after %zu trials: between %s/s and %s/s", search->n_trials, low, high);
    break;
  case SP_SEARCH_UNFINISHED:
    snprintf(text, n, "unfinished after %zu trials: %s/s passed, %s/s did not", search->n_trials,
             search->low_per_s > 0 ? low : "-", high);
    break;
  }
  return text;
}
