// What each side did, over its trials: outcomes, predictions, cost, bounds. And each trial, with why it does not count.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "decide/judge_parts.h"
#include "stats/interval.h"

static bool is_mock(const struct sp_result *r) {
  return strcmp(sp_facts_text_of(&r->broker, "kind", ""), "mock") == 0;
}

// --- Labels ---

static void add_words(char *label, size_t n, const char *words) {
  size_t n_label = strlen(label);
  if (n_label < n) snprintf(label + n_label, n - n_label, ", %s", words);
}

// The side's name and what a reader would not expect of it.
static void make_label(const char *name, const struct sp_result *r, char *label, size_t n) {
  char text[64], delay[SP_UNITS_TEXT_BYTES];
  snprintf(label, n, "%s", name);
  const char *kind = sp_facts_text_of(&r->server, "kind", NULL);
  const char *mode = sp_facts_text_of(&r->delivery, "mode", "at-least-once");
  double delay_ns = sp_facts_number_of(&r->server, "emulated_delay_ns");
  double n_apps = sp_facts_number_of(&r->delivery, "apps");
  if (kind) snprintf(text, sizeof text, "%.48s", kind), add_words(label, n, text);
  if (sp_result_is_stub(r)) add_words(label, n, "stub");
  if (sp_facts_text_of(&r->delivery, "app", NULL)) add_words(label, n, "another application");
  if (n_apps > 1) snprintf(text, sizeof text, "%.0f apps", n_apps), add_words(label, n, text);
  if (strcmp(mode, "at-least-once") != 0) add_words(label, n, mode);
  if (!(delay_ns >= 0)) return;
  sp_units_write_duration((int64_t)delay_ns, delay, sizeof delay);
  snprintf(text, sizeof text, "delay %s emulated", delay);
  add_words(label, n, text);
}

// --- Sums and medians ---

static void add_counts(struct sp_compared_side *side, const struct sp_result *r) {
  side->intended += r->intended;
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) side->outcomes[i] += r->outcomes[i];
}

// A wrong answer is wrong whatever became of the driver: those of trials that do not count are told apart.
static void add_predictions(struct sp_compared_side *side, const struct sp_result *r, bool counts) {
  double worst = r->predictions.max_abs_error;
  if (!counts) {
    side->n_mismatched_left_out += r->predictions.mismatched;
    return;
  }
  side->n_checked += r->predictions.checked;
  side->n_mismatched += r->predictions.mismatched;
  if (!isnan(worst) && !(side->max_abs_error >= worst)) side->max_abs_error = worst;
}

static void add_flags(struct sp_compared_side *side, const struct sp_result *r) {
  side->is_stub |= sp_result_is_stub(r);
  side->is_mock |= is_mock(r);
  side->is_closed_loop |= r->closed_loop;
  side->is_co_located |= sp_facts_number_of(&r->machine, "co_located") == 1;
}

typedef const struct sp_amounts *amounts_of(const struct sp_result *result);
static const struct sp_amounts *cpu_of(const struct sp_result *result) {
  return &result->cpu_us_per_event;
}
static const struct sp_amounts *rss_of(const struct sp_result *result) {
  return &result->rss_bytes;
}

static void fill_amounts(const struct sp_judge_table *pairs, size_t side_i, amounts_of *of,
                         struct sp_amounts *amounts) {
  double *values = sp_alloc((pairs->n_pairs + 1) * sizeof *values);
  const struct sp_amounts *first = pairs->n_pairs ? of(sp_judge_cell(pairs, 0, side_i)) : NULL;
  for (size_t k = 0; first && k < first->n; k++) {
    size_t n = 0;
    for (size_t p = 0; p < pairs->n_pairs; p++) {
      double value = sp_amounts_get(of(sp_judge_cell(pairs, p, side_i)), first->items[k].name);
      if (!isnan(value)) values[n++] = value;
    }
    if (n) sp_amounts_set(amounts, first->items[k].name, sp_median(values, n));
  }
  free(values);
}

// --- Bounds ---

static const struct sp_bound *find_bound(const struct sp_result *r, const char *name) {
  for (size_t i = 0; i < r->n_bounds; i++) {
    if (strcmp(r->bounds[i].name, name) == 0) return &r->bounds[i];
  }
  return NULL;
}

// A side keeps or misses a bound as more than half of the trials that can tell do: as its median does. A tie, or few that can tell, say nothing.
static void judge_bound(const struct sp_judge_table *pairs, size_t side_i, const struct sp_bound *like,
                        struct sp_compared_side *side) {
  double *values = sp_alloc((pairs->n_pairs + 1) * sizeof *values);
  size_t n = 0, n_known = 0, n_kept = 0, n_missed = 0;
  for (size_t p = 0; p < pairs->n_pairs; p++) {
    const struct sp_bound *bound = find_bound(sp_judge_cell(pairs, p, side_i), like->name);
    if (!bound) continue;
    n_known += bound->met != SP_MET_UNKNOWN;
    n_kept += bound->met == SP_MET_YES;
    n_missed += bound->met == SP_MET_NO;
    bool has_none = bound->met == SP_MET_NO && isnan(bound->value); // no answer ranks above all
    if (has_none || !isnan(bound->value)) values[n++] = has_none ? INFINITY : bound->value;
  }
  enum sp_met met = 2 * n_known < pairs->n_pairs ? SP_MET_UNKNOWN
                    : 2 * n_kept > n_known       ? SP_MET_YES
                    : 2 * n_missed > n_known     ? SP_MET_NO
                                                 : SP_MET_UNKNOWN;
  double median = sp_median(values, n);
  sp_comparison_bound(side, like->name, like->limit, isfinite(median) ? median : NAN, met);
  free(values);
}

static bool misses_any(const struct sp_result *r) {
  for (size_t i = 0; i < r->n_bounds; i++) {
    if (r->bounds[i].met == SP_MET_NO) return true;
  }
  return false;
}

static void fill_bounds(const struct sp_judge_table *pairs, size_t side_i, struct sp_compared_side *side) {
  const struct sp_result *first = pairs->n_pairs ? sp_judge_cell(pairs, 0, side_i) : NULL;
  for (size_t i = 0; first && i < first->n_bounds; i++) judge_bound(pairs, side_i, &first->bounds[i], side);
  for (size_t p = 0; p < pairs->n_pairs; p++)
    side->n_bounds_missed += misses_any(sp_judge_cell(pairs, p, side_i));
}

// --- One side ---

// Whether it stands in a whole pair, of those that are pooled or of the fresh ones.
static bool is_counted(const struct sp_judging *j, const struct sp_judge_trial *trial) {
  const struct sp_judge_table *table = trial->is_confirming ? &j->fresh : &j->pairs;
  for (size_t i = 0; i < table->n_pairs * table->n_sides; i++) {
    if (table->cells[i] == trial) return true;
  }
  return false;
}

static const struct sp_result *any_result(const struct sp_judging *j, size_t side_i) {
  if (j->pairs.n_pairs) return sp_judge_cell(&j->pairs, 0, side_i);
  for (size_t i = 0; i < j->n; i++) {
    if (j->trials[i].side_i == side_i && j->trials[i].result) return j->trials[i].result;
  }
  return NULL;
}

static void add_side(struct sp_judging *j, size_t side_i) {
  char label[256] = "";
  const char *name = j->plan->side_names[side_i];
  const struct sp_result *like = any_result(j, side_i);
  if (like) make_label(name, like, label, sizeof label);
  struct sp_compared_side *side = sp_comparison_side(j->c, name, like ? label : NULL);
  for (size_t i = 0; i < j->n; i++) {
    const struct sp_judge_trial *trial = &j->trials[i];
    if (trial->side_i != side_i) continue;
    side->n_trials++;
    side->n_incomplete += !trial->result || !trial->result->complete;
    side->n_invalid += trial->result && trial->result->complete && !sp_result_is_valid(trial->result);
    if (!trial->result) continue;
    add_predictions(side, trial->result, is_counted(j, trial));
    add_flags(side, trial->result);
  }
  for (size_t p = 0; p < j->pairs.n_pairs; p++) add_counts(side, sp_judge_cell(&j->pairs, p, side_i));
  fill_amounts(&j->pairs, side_i, cpu_of, &side->cpu_us_per_event);
  fill_amounts(&j->pairs, side_i, rss_of, &side->rss_bytes);
  fill_bounds(&j->pairs, side_i, side);
}

// --- Trials ---

static char *why_not_counted(const struct sp_judging *j, const struct sp_judge_trial *trial) {
  const struct sp_result *r = trial->result;
  char *blur = NULL, *why;
  if (!r) return sp_copy_text(trial->failure ? trial->failure : "it came to nothing");
  if (!r->complete) return sp_format("incomplete: %s", r->incomplete ? r->incomplete : "it was broken off");
  if (sp_result_is_valid(r)) {
    if (!trial->is_set_aside || !sp_judge_blurs(r, j->plan->family, j->plan->n_family, &blur))
      return sp_copy_text("its pair is not whole, or was measured again");
    why = sp_format("%s; its pair was measured again", blur);
    free(blur);
    return why;
  }
  if (r->n_reasons == 1) return sp_copy_text(r->reasons[0]);
  return sp_format("%s; and %zu more", r->reasons[0], r->n_reasons - 1);
}

static void add_trial(struct sp_judging *j, const struct sp_judge_trial *from) {
  struct sp_compared_trial *trial = sp_comparison_trial(j->c);
  trial->side_i = from->side_i;
  trial->pair_i = from->pair_i;
  trial->seed = from->seed;
  trial->is_confirming = from->is_confirming;
  trial->dir = sp_copy_text(from->dir);
  trial->run_id = from->result ? sp_copy_text(from->result->run_id) : NULL;
  trial->is_valid = sp_judge_is_usable(from);
  trial->is_counted = is_counted(j, from);
  if (!trial->is_counted) trial->reason = why_not_counted(j, from);
}

void sp_judge_sides(struct sp_judging *j) {
  for (size_t s = 0; s < j->plan->n_sides; s++) {
    add_side(j, s);
    j->is_closed_loop |= j->c->sides[s].is_closed_loop;
    j->is_mock |= j->c->sides[s].is_mock;
  }
  for (size_t i = 0; i < j->n; i++) add_trial(j, &j->trials[i]);
}
