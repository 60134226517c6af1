// Which trials belong together, and the log ratios between them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/judge_parts.h"

size_t sp_judge_looks(size_t max_pairs, size_t mean_of, struct sp_look *looks) {
  static const struct sp_look announced[SP_LOOKS_MAX] = {{12, 0.01}, {18, 0.015}, {24, 0.025}};
  size_t n = 0, times = mean_of ? mean_of : 1;
  while (n + 1 < SP_LOOKS_MAX && times * announced[n].n_pairs < max_pairs) {
    looks[n] = (struct sp_look){times * announced[n].n_pairs, announced[n].alpha};
    n++;
  }
  looks[n] = (struct sp_look){max_pairs, announced[n].alpha};
  return n + 1;
}

bool sp_judge_is_usable(const struct sp_judge_trial *trial) {
  return sp_result_is_usable(trial->result);
}

// Trials that lie in folders come in any order.
static bool is_later(const struct sp_judge_trial *a, const struct sp_judge_trial *b) {
  const char *left = a->result ? a->result->started_at : NULL;
  const char *right = b->result ? b->result->started_at : NULL;
  int order = left && right ? strcmp(left, right) : 0;
  return order ? order > 0 : a > b;
}

static int compare_numbers(const void *left, const void *right) {
  const size_t *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

static size_t distinct_pairs(const struct sp_judge_trial *trials, size_t n, bool confirming, size_t *pair_i) {
  size_t n_all = 0, n_pairs = 0;
  for (size_t i = 0; i < n; i++) {
    if (trials[i].is_confirming == confirming && !trials[i].is_set_aside) pair_i[n_all++] = trials[i].pair_i;
  }
  if (n_all > 1) qsort(pair_i, n_all, sizeof *pair_i, compare_numbers);
  for (size_t i = 0; i < n_all; i++) {
    if (n_pairs == 0 || pair_i[n_pairs - 1] != pair_i[i]) pair_i[n_pairs++] = pair_i[i];
  }
  return n_pairs;
}

static const struct sp_judge_trial **row_of(struct sp_judge_table *table, size_t pair_i) {
  const size_t *found =
      bsearch(&pair_i, table->pair_i, table->n_pairs, sizeof *table->pair_i, compare_numbers);
  return table->cells + (size_t)(found - table->pair_i) * table->n_sides;
}

static bool is_whole(const struct sp_judge_trial *const *row, size_t n_sides) {
  for (size_t s = 0; s < n_sides; s++) {
    if (!row[s] || !sp_judge_is_usable(row[s])) return false;
  }
  return true;
}

void sp_judge_table_init(struct sp_judge_table *table, const struct sp_judge_trial *trials, size_t n,
                         size_t n_sides, bool confirming) {
  table->n_sides = n_sides;
  table->pair_i = sp_alloc((n + 1) * sizeof *table->pair_i);
  table->n_pairs = distinct_pairs(trials, n, confirming, table->pair_i);
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
  table->cells = sp_alloc((table->n_pairs * n_sides + 1) * sizeof *table->cells);
  for (size_t i = 0; i < n; i++) {
    if (trials[i].is_confirming != confirming || trials[i].is_set_aside || trials[i].side_i >= n_sides)
      continue;
    const struct sp_judge_trial **cell = row_of(table, trials[i].pair_i) + trials[i].side_i;
    if (!*cell || is_later(&trials[i], *cell)) *cell = &trials[i];
  }
  size_t n_whole = 0;
  for (size_t p = 0; p < table->n_pairs; p++) {
    const struct sp_judge_trial **row = table->cells + p * n_sides;
    if (!is_whole(row, n_sides)) continue;
    for (size_t side = 0; side < n_sides; side++) table->cells[n_whole * n_sides + side] = row[side];
    table->pair_i[n_whole++] = table->pair_i[p];
  }
  table->n_pairs = n_whole;
}

void sp_judge_table_done(struct sp_judge_table *table) {
  free(table->cells);
  free(table->pair_i);
  *table = (struct sp_judge_table){0};
}

const struct sp_result *sp_judge_cell(const struct sp_judge_table *table, size_t pair, size_t side_i) {
  return table->cells[pair * table->n_sides + side_i]->result;
}

static bool is_blurred(enum sp_metric_state state) {
  return state == SP_METRIC_EPISODIC || state == SP_METRIC_DRIVER_LIMITED;
}

// By another try. A window of whole seconds that are too few has them in hardly any, one of 4.5 s touches five.
static bool may_be_mended(enum sp_metric_state state, const struct sp_result *result) {
  return state == SP_METRIC_DRIVER_LIMITED ||
         (state == SP_METRIC_EPISODIC && !(result->window_s <= SP_PERCENTILE_SECONDS - 1));
}

bool sp_judge_blurs(const struct sp_result *result, const struct sp_metric *const *family, size_t n_family,
                    char **why) {
  size_t n = family ? n_family : sp_n_metrics;
  for (size_t i = 0; i < n; i++) {
    const struct sp_metric *metric = family ? family[i] : &sp_metrics[i];
    enum sp_metric_state state;
    if (!family && metric->role != SP_METRIC_PRIMARY) continue;
    sp_metric_value(metric, result, &state);
    if (!may_be_mended(state, result)) continue;
    if (why) *why = sp_format("%s is %s", sp_metric_short_title(metric), sp_metric_state_name(state));
    return true;
  }
  return false;
}

size_t sp_judge_count_redone(const struct sp_judge_trial *trials, size_t n, size_t side_i,
                             const struct sp_metric *metric) {
  size_t n_redone = 0;
  for (size_t i = 0; i < n; i++) {
    if (!trials[i].is_set_aside || trials[i].side_i != side_i || !sp_judge_is_usable(&trials[i])) continue;
    n_redone += sp_judge_blurs(trials[i].result, &metric, 1, NULL);
  }
  return n_redone;
}

char *sp_judge_why_selected(const char *const *side_names, size_t n_sides,
                            const struct sp_judge_trial *trials, size_t n, const struct sp_metric *metric) {
  size_t n_all = 0, most = 0, side_i = 0;
  for (size_t s = 0; s < n_sides; s++) {
    size_t n_redone = sp_judge_count_redone(trials, n, s, metric);
    n_all += n_redone;
    if (n_redone > most) most = n_redone, side_i = s;
  }
  if (n_sides < 2 || most < SP_JUDGE_LOPSIDED || most < n_all) return NULL;
  return sp_format("%s had no usable figure in %zu trials of %s alone, whose pairs were measured again: what "
                   "is left of it would be a selection",
                   sp_metric_short_title(metric), most, side_names[side_i]);
}

double sp_judge_log_ratio(const struct sp_metric *metric, const struct sp_result *side,
                          const struct sp_result *reference, bool resolved_only) {
  enum sp_metric_state side_state, reference_state;
  double a = sp_metric_value(metric, side, &side_state);
  double b = sp_metric_value(metric, reference, &reference_state);
  if (isnan(a) || isnan(b) || (isinf(a) && isinf(b)) || (a <= 0 && b <= 0)) return NAN;
  if (resolved_only && (is_blurred(side_state) || is_blurred(reference_state))) return NAN;
  if (isinf(a) || b <= 0) return INFINITY;
  if (isinf(b) || a <= 0) return -INFINITY;
  return log(a / b);
}

size_t sp_judge_log_ratios(const struct sp_judge_trial *trials, size_t n, size_t side_i, size_t reference_i,
                           const struct sp_metric *metric, bool worse, bool confirming, double *values,
                           size_t max) {
  size_t n_sides = (side_i > reference_i ? side_i : reference_i) + 1;
  for (size_t i = 0; i < n; i++) {
    if (trials[i].side_i >= n_sides) n_sides = trials[i].side_i + 1;
  }
  struct sp_judge_table table;
  sp_judge_table_init(&table, trials, n, n_sides, confirming);
  size_t n_pairs = table.n_pairs < max ? table.n_pairs : max;
  for (size_t p = 0; p < n_pairs; p++) {
    double ratio = sp_judge_log_ratio(metric, sp_judge_cell(&table, p, side_i),
                                      sp_judge_cell(&table, p, reference_i), true);
    values[p] = worse && metric->more_is_better ? -ratio : ratio;
  }
  sp_judge_table_done(&table);
  return n_pairs;
}
