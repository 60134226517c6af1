// What the judge found, held against margins; the sentence that says so.
#include "decide/gate_verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "base/units.h"
#include "stats/blocks.h"

#define EXIT_INVALID 2

const char *const sp_gate_sides[2] = {"base", "candidate"};

// --- What the decision is made of ---

struct inputs {
  struct sp_gate_input items[SP_GATE_METRICS];
  char *texts[SP_GATE_METRICS]; // why_not, where it is ours
  size_t n;
};

static double margin_of(const struct sp_gate_rules *rules, const struct sp_metric *metric, bool is_guard,
                        bool *is_calibrated) {
  double calibrated =
      rules->calibration && !is_guard ? sp_calibration_margin(rules->calibration, metric) : NAN;
  *is_calibrated = isnan(rules->margin) && !isnan(calibrated);
  if (is_guard) return SP_GATE_SERVED_MARGIN;
  if (!isnan(rules->margin)) return rules->margin;
  return *is_calibrated ? calibrated : SP_GATE_MARGIN;
}

static size_t count_missing(const double *values, size_t n) {
  size_t n_missing = 0;
  for (size_t i = 0; i < n; i++) n_missing += isnan(values[i]) != 0;
  return n_missing;
}

// Figures that no verdict may use are the judge's business; where it says so, the decision has nothing to go by.
static char *why_not(const struct sp_comparison *c, const struct sp_judge_trial *trials, size_t n_trials,
                     const struct sp_metric *metric, const double *values, size_t n) {
  const struct sp_compared *compared = sp_comparison_find(c, SP_GATE_CANDIDATE, metric->name);
  const char *why = compared ? compared->why : NULL;
  if (compared && compared->verdict == SP_VERDICT_VOID) return sp_copy_text(why);
  if (c->exit_code == EXIT_INVALID && why) return sp_copy_text(why);
  char *selected = sp_judge_why_selected(sp_gate_sides, 2, trials, n_trials, metric);
  if (selected) return selected;
  size_t n_missing = count_missing(values, n);
  if (10 * n_missing <= n) return NULL;
  if (why) return sp_copy_text(why);
  return sp_format("%s has no usable figure in %zu of %zu pairs", metric->title, n_missing, n);
}

static void add_input(const struct sp_gate_rules *rules, const struct sp_judge_trial *trials, size_t n,
                      const struct sp_comparison *c, const struct sp_metric *metric, struct inputs *inputs) {
  if (inputs->n == SP_GATE_METRICS) return; // refused where --metrics is read
  double *worse = sp_alloc((n + 1) * sizeof *worse), *fresh = sp_alloc((n + 1) * sizeof *fresh);
  bool is_guard = metric->role == SP_METRIC_GUARD, is_calibrated;
  double margin = margin_of(rules, metric, is_guard, &is_calibrated);
  size_t n_worse =
      sp_judge_log_ratios(trials, n, SP_GATE_CANDIDATE, SP_GATE_BASE, metric, true, false, worse, n);
  size_t n_fresh =
      sp_judge_log_ratios(trials, n, SP_GATE_CANDIDATE, SP_GATE_BASE, metric, true, true, fresh, n);
  char *why = why_not(c, trials, n, metric, worse, n_worse);
  size_t n_pairs = n_worse - count_missing(worse, n_worse), n_fresh_pairs = n_fresh;
  n_worse = sp_block_means(worse, n_worse, rules->mean_of);
  size_t n_lost = count_missing(worse, n_worse);
  if (!why && 10 * n_lost > n_worse)
    why = sp_format("%s has no usable figure in %zu of %zu means of %zu pairs", metric->title, n_lost,
                    n_worse, c->mean_of);
  n_fresh = sp_block_means(fresh, n_fresh, rules->mean_of);
  inputs->texts[inputs->n] = why;
  inputs->items[inputs->n++] = (struct sp_gate_input){.metric = metric,
                                                      .margin = margin,
                                                      .is_calibrated = is_calibrated,
                                                      .is_guard = is_guard,
                                                      .worse = worse,
                                                      .n = n_worse,
                                                      .fresh = fresh,
                                                      .n_fresh = n_fresh,
                                                      .mean_of = c->mean_of,
                                                      .n_pairs = n_pairs,
                                                      .n_fresh_pairs = n_fresh_pairs,
                                                      .why_not = why};
}

static void fill_inputs(const struct sp_gate_rules *rules, const struct sp_judge_trial *trials, size_t n,
                        const struct sp_comparison *c, struct inputs *inputs) {
  bool has_guard = false;
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (!c->metrics[i].is_primary || c->metrics[i].side_i != SP_GATE_CANDIDATE) continue;
    add_input(rules, trials, n, c, c->metrics[i].metric, inputs);
    has_guard |= c->metrics[i].metric->role == SP_METRIC_GUARD;
  }
  if (!has_guard) add_input(rules, trials, n, c, sp_metric_find("served"), inputs);
}

static void free_inputs(struct inputs *inputs) {
  for (size_t i = 0; i < inputs->n; i++) {
    free((double *)inputs->items[i].worse);
    free((double *)inputs->items[i].fresh);
    free(inputs->texts[i]);
  }
}

// --- What stands above it ---

static const struct sp_compared_side *candidate_of(const struct sp_comparison *c) {
  return &c->sides[c->n_sides - 1];
}

// "expect.p99" 10000000: "p99 <= 10ms"
static void bound_text(const struct sp_bound *bound, double value, char *text, size_t n) {
  char figure[SP_UNITS_TEXT_BYTES];
  bool is_share = strcmp(bound->name, "expect.not_ok") == 0;
  if (isnan(value))
    snprintf(text, n, "no answer");
  else if (is_share)
    snprintf(text, n, "%s", sp_units_print_share(value, figure, sizeof figure));
  else
    snprintf(text, n, "%s", sp_units_print_duration((int64_t)value, figure, sizeof figure));
}

// Why the candidate's answers are wrong, in any trial; NULL: they are not. From malloc.
static char *why_wrong(const struct sp_comparison *c) {
  const struct sp_compared_side *side = candidate_of(c);
  if (side->n_mismatched) {
    char wrong[SP_UNITS_TEXT_BYTES], all[SP_UNITS_TEXT_BYTES];
    return sp_format("%s of %s predictions of the candidate are not what was expected",
                     sp_units_print_count((uint64_t)side->n_mismatched, wrong, sizeof wrong),
                     sp_units_print_count((uint64_t)side->n_checked, all, sizeof all));
  }
  if (side->n_mismatched_left_out) {
    char wrong[SP_UNITS_TEXT_BYTES];
    return sp_format("predictions of the candidate in trials that do not count are not what was expected: %s",
                     sp_units_print_count((uint64_t)side->n_mismatched_left_out, wrong, sizeof wrong));
  }
  return NULL;
}

// Which bound the candidate misses; NULL: none. From malloc.
static char *why_missed(const struct sp_comparison *c) {
  const struct sp_compared_side *side = candidate_of(c);
  for (size_t i = 0; i < side->n_bounds; i++) {
    const struct sp_bound *bound = &side->bounds[i];
    if (bound->met != SP_MET_NO) continue;
    char value[64], limit[64];
    bound_text(bound, bound->value, value, sizeof value);
    bound_text(bound, bound->limit, limit, sizeof limit);
    const char *name = strncmp(bound->name, "expect.", 7) == 0 ? bound->name + 7 : bound->name;
    return sp_format("the candidate misses its bound %s <= %s: %s in the middle of its trials", name, limit,
                     value);
  }
  return NULL;
}

// Why the candidate fails whatever its margins; NULL: it does not. A measurement that means nothing says nothing of bounds.
static char *why_failed(const struct sp_comparison *c, bool means_nothing) {
  char *why = why_wrong(c);
  return why || means_nothing ? why : why_missed(c);
}

// --- What no interval shows ---

static double share_of(const struct sp_compared_side *side, enum sp_outcome outcome) {
  return side->intended > 0 ? (double)side->outcomes[outcome] / (double)side->intended : 0;
}

static double served_share(const struct sp_compared_side *side) {
  return share_of(side, SP_OUTCOME_OK) + share_of(side, SP_OUTCOME_UNCHECKED) +
         share_of(side, SP_OUTCOME_FILTERED);
}

// A median over trials does not see what one trial of twelve loses. Events do not come back: then the guard cannot pass.
static void look_at_losses(struct sp_comparison *c) {
  double base = served_share(&c->sides[0]), candidate = served_share(candidate_of(c));
  if (!(base - candidate > SP_GATE_SERVED_MARGIN)) return;
  char left[SP_UNITS_TEXT_BYTES], right[SP_UNITS_TEXT_BYTES];
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    struct sp_gate_metric *m = &c->gate.metrics[i];
    if (m->metric->role != SP_METRIC_GUARD || m->verdict != SP_GATE_PASS) continue;
    m->verdict = SP_GATE_INCONCLUSIVE;
    m->why = sp_format("of all events the candidate served %s and the base %s: few trials lost them, which "
                       "no median shows",
                       sp_units_print_share(candidate, left, sizeof left),
                       sp_units_print_share(base, right, sizeof right));
    if (c->gate.verdict == SP_GATE_PASS) c->gate.verdict = SP_GATE_INCONCLUSIVE;
  }
}

// Why nothing that the metrics say is worth anything; NULL: it is. From malloc.
static char *why_void(const struct sp_comparison *c) {
  const struct sp_compared_side *base = &c->sides[0], *candidate = candidate_of(c);
  if (c->n_sides < 2 || c->n_pairs == 0 || base->is_stub == candidate->is_stub) return NULL;
  return sp_format("the %s answers from a stub server and the %s does not: the difference is no build's; "
                   "measure both against one server",
                   base->is_stub ? "base" : "candidate", base->is_stub ? "candidate" : "base");
}

// Why what the metrics say is not worth a PASS, though it may be a FAIL; NULL: it is. From malloc.
static char *why_doubted(const struct sp_comparison *c) {
  const struct sp_compared_side *base = &c->sides[0], *candidate = candidate_of(c);
  if (c->n_sides < 2 || c->n_pairs == 0) return NULL;
  double filtered = share_of(candidate, SP_OUTCOME_FILTERED),
         base_filtered = share_of(base, SP_OUTCOME_FILTERED);
  char left[SP_UNITS_TEXT_BYTES], right[SP_UNITS_TEXT_BYTES];
  if (fabs(filtered - base_filtered) > SP_GATE_SERVED_MARGIN)
    return sp_format("the candidate filters %s of all events and the base %s: they do not do the same work",
                     sp_units_print_share(filtered, left, sizeof left),
                     sp_units_print_share(base_filtered, right, sizeof right));
  double unchecked = share_of(candidate, SP_OUTCOME_UNCHECKED);
  if (!(unchecked - share_of(base, SP_OUTCOME_UNCHECKED) > SP_GATE_SERVED_MARGIN)) return NULL;
  return sp_format("%s of the candidate's answers were not checked, and the base's were: nothing says that "
                   "they are right; add the expectations of its model to expected/",
                   sp_units_print_share(unchecked, left, sizeof left));
}

// --- The sentence ---

// How many times worse, as the share that is added: 1.19 is +19 %.
static char *worse_text(double times, char *text, size_t n) {
  if (isnan(times))
    snprintf(text, n, "-");
  else if (isinf(times))
    snprintf(text, n, "without limit");
  else
    snprintf(text, n, "%+.3g %%", 100 * (times - 1));
  return text;
}

static void say_passed(const struct sp_comparison *c, FILE *to) {
  char worse[32];
  fputs("nothing is worse by more than is allowed:", to);
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    fprintf(to, "%s %s at most %s (%+.3g %%)", i ? "," : "", m->metric->title,
            worse_text(m->upper, worse, sizeof worse), 100 * m->margin);
  }
}

static void say_failed(const struct sp_comparison *c, FILE *to) {
  const char *separator = "";
  char worse[32];
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    if (m->verdict != SP_GATE_FAIL) continue;
    fprintf(to, "%s%s is worse, at least %s (%+.3g %% allowed)", separator, m->metric->title,
            worse_text(m->lower, worse, sizeof worse), 100 * m->margin);
    separator = ", ";
  }
  if (c->gate.n_fresh <= SP_GATE_FRESH * c->mean_of)
    fprintf(to, "; %zu fresh pairs agree", c->gate.n_fresh);
  else
    fprintf(to, "; those of %zu fresh pairs that have a value agree", c->gate.n_fresh);
}

static bool is_open(const struct sp_gate_metric *m) {
  return m->verdict != SP_GATE_PASS;
}

// Metrics that are open for one reason are told in one breath.
static bool is_same_doubt(const struct sp_gate_metric *a, const struct sp_gate_metric *b) {
  bool is_same_text = a->why && b->why ? strcmp(a->why, b->why) == 0 : a->why == b->why;
  return is_open(a) && is_open(b) && is_same_text && a->pairs_needed == b->pairs_needed;
}

static bool was_told(const struct sp_comparison *c, size_t i) {
  for (size_t k = 0; k < i; k++) {
    if (is_same_doubt(&c->gate.metrics[k], &c->gate.metrics[i])) return true;
  }
  return false;
}

static void say_inconclusive(const struct sp_comparison *c, FILE *to) {
  const char *separator = "";
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    if (!is_open(m) || was_told(c, i)) continue;
    fprintf(to, "%s%s", separator, m->metric->title);
    for (size_t k = i + 1; k < c->gate.n_metrics; k++) {
      if (is_same_doubt(m, &c->gate.metrics[k])) fprintf(to, ", %s", c->gate.metrics[k].metric->title);
    }
    fprintf(to, ": %s", m->why ? m->why : "it could be either");
    if (m->pairs_needed) fprintf(to, " (about %zu pairs would settle it)", m->pairs_needed);
    separator = "; ";
  }
  if (!*separator) fputs("no metric could be judged", to);
}

// Neither is said of what was not looked at.
static void say_alone(const struct sp_gate_rules *rules, const struct sp_comparison *c, FILE *to) {
  const struct sp_compared_side *side = candidate_of(c);
  size_t n_known = 0;
  for (size_t i = 0; i < side->n_bounds; i++) n_known += side->bounds[i].met != SP_MET_UNKNOWN;
  fprintf(to, "%s; %s and %s in %zu trials", rules->no_baseline,
          side->n_checked ? "no wrong answer" : "no answer was checked",
          n_known ? "no missed bound" : "no bound was judged", c->n_pairs);
}

// `reason`: what stands above the metrics, or NULL.
static char *sentence_of(const struct sp_gate_rules *rules, const struct sp_comparison *c,
                         const char *reason) {
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  if (reason)
    fputs(reason, to);
  else if (c->gate.verdict == SP_GATE_NO_BASELINE)
    say_alone(rules, c, to);
  else if (c->gate.verdict == SP_GATE_PASS)
    say_passed(c, to);
  else if (c->gate.verdict == SP_GATE_FAIL)
    say_failed(c, to);
  else
    say_inconclusive(c, to);
  if (rules->is_across_machines) fputs("; ACROSS MACHINES: they differ by more than the builds", to);
  return sp_text_stream_close(&stream);
}

// --- All of it ---

static int exit_code_of(const struct sp_comparison *c, bool means_nothing) {
  switch (c->gate.verdict) {
  case SP_GATE_FAIL: return sp_exit_code(SP_ERR_FAILED);
  case SP_GATE_PASS:
  case SP_GATE_NO_BASELINE: return 0;
  default: return means_nothing ? EXIT_INVALID : sp_exit_code(SP_ERR_INCONCLUSIVE);
  }
}

// The verdict of the metrics, and what stands above it. Returns the reason where that is not theirs, from malloc.
static char *overrule(struct sp_comparison *c, bool means_nothing) {
  struct sp_gate_figures *gate = &c->gate;
  char *reason = why_failed(c, means_nothing);
  if (reason) {
    gate->verdict = SP_GATE_FAIL;
  } else if ((reason = why_void(c))) {
    gate->verdict = SP_GATE_INCONCLUSIVE;
    for (size_t i = 0; i < gate->n_metrics; i++) {
      free(gate->metrics[i].why);
      gate->metrics[i].verdict = SP_GATE_INCONCLUSIVE;
      gate->metrics[i].why = sp_copy_text(reason);
    }
  } else if (gate->verdict == SP_GATE_PASS && (reason = why_doubted(c))) {
    gate->verdict = SP_GATE_INCONCLUSIVE;
  }
  return reason;
}

void sp_gate_judge(const struct sp_gate_rules *rules, const struct sp_judge_trial *trials, size_t n,
                   double alpha, struct sp_comparison *c) {
  bool has_base = !rules->no_baseline;
  const struct sp_judge_plan plan = {.side_names = has_base ? sp_gate_sides : sp_gate_sides + 1,
                                     .n_sides = has_base ? 2 : 1,
                                     .reference_i = 0,
                                     .family = rules->family,
                                     .n_family = rules->n_family,
                                     .mean_of = rules->mean_of,
                                     .alpha = alpha,
                                     .delta = SP_GATE_MARGIN};
  sp_judge(&plan, trials, n, c);
  bool means_nothing = c->exit_code == EXIT_INVALID;
  struct inputs inputs = {.n = 0};
  if (has_base) {
    fill_inputs(rules, trials, n, c, &inputs);
    sp_gate_decide(inputs.items, inputs.n, alpha, &c->gate);
    look_at_losses(c);
    if (means_nothing) c->gate.verdict = SP_GATE_INCONCLUSIVE;
  } else {
    c->gate.verdict = means_nothing || c->n_pairs == 0 ? SP_GATE_INCONCLUSIVE : SP_GATE_NO_BASELINE;
  }
  c->gate.is_across_machines = rules->is_across_machines;
  char *reason = overrule(c, means_nothing);
  c->exit_code = exit_code_of(c, means_nothing);
  free(c->verdict);
  c->verdict = sentence_of(rules, c, reason);
  free(reason);
  free_inputs(&inputs);
}

static bool has_passed(const struct sp_gate_figures *gate) {
  for (size_t i = 0; i < gate->n_metrics; i++) {
    if (gate->metrics[i].verdict != SP_GATE_PASS) return false;
  }
  return gate->n_metrics > 0;
}

bool sp_gate_is_settled(const struct sp_comparison *c) {
  if (c->gate.verdict == SP_GATE_PASS || has_passed(&c->gate)) return true;
  char *failure = why_failed(c, c->exit_code == EXIT_INVALID), *nothing = why_void(c);
  bool is_settled = failure || nothing;
  free(failure);
  free(nothing);
  return is_settled;
}
