// Tables of a comparison: a column a side where two are compared, else a row a side.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "report/compared.h"
#include "report/rows.h"

// Columns where two sides are compared; and where a row is a side.
enum { TITLE, FIRST, SECOND, RATIO, DETECTS, VERDICT, N_PAIRED };
enum { LONG_SIDE = 1, LONG_VALUE, LONG_RATIO, LONG_DETECTS, LONG_VERDICT, N_LONG };
enum { GATE_LOWER = RATIO, GATE_UPPER, GATE_MARGIN, GATE_VERDICT, N_GATE };

static char *copy(const char *cell) {
  return *cell ? sp_copy_text(cell) : NULL;
}

static char *name_cell(const struct sp_comparison *c, size_t side_i) {
  char cell[SP_CELL_BYTES];
  return sp_copy_text(sp_cell_text(cell, sp_compared_side_name(c, side_i), SP_GRID_SIDE_MAX));
}

static char *value_cell(const struct sp_metric *metric, double value) {
  char cell[SP_METRIC_TEXT_BYTES];
  return sp_copy_text(sp_metric_text(metric, value, cell, sizeof cell));
}

// The smallest difference that so many pairs would have shown; of what has a verdict.
static char *detects_cell(const struct sp_compared *m) {
  if (!m->is_primary || !isfinite(m->smallest_detectable)) return NULL;
  double percent = m->smallest_detectable * 100;
  return sp_format("%.*f %%", percent < 0.095 ? 2 : percent < 9.5 ? 1 : 0, percent);
}

static bool is_paired(const struct sp_comparison *c) {
  return c->n_sides == 2 && c->reference_i < 2;
}

// --- Headings ---

static char *ratio_title(const struct sp_comparison *c, const char *over) {
  char level[SP_COMPARED_BYTES] = "";
  double usual = sp_compared_level(c);
  sp_compared_percent(usual, level);
  return sp_format("%s%s%s%s", over, isnan(usual) ? "" : " [", isnan(usual) ? "" : level,
                   isnan(usual) ? "" : "]");
}

static void start(const struct sp_comparison *c, struct sp_grid *grid, const char *title) {
  *grid = (struct sp_grid){.title = title, .n_columns = is_paired(c) ? N_PAIRED : N_LONG};
  grid->is_left[TITLE] = true;
  if (is_paired(c)) {
    grid->is_left[RATIO] = grid->is_left[VERDICT] = true;
  } else {
    grid->is_left[LONG_SIDE] = grid->is_left[LONG_RATIO] = grid->is_left[LONG_VERDICT] = true;
  }
  char **row = sp_grid_row(grid);
  char *reference = name_cell(c, c->reference_i);
  if (is_paired(c)) {
    char *side = name_cell(c, !c->reference_i), *over = sp_format("%s ÷ %s", side, reference);
    row[RATIO] = ratio_title(c, over);
    row[DETECTS] = sp_copy_text("detects");
    free(over);
    row[FIRST] = reference;
    row[SECOND] = side;
  } else {
    char *over = sp_format("÷ %s", reference);
    if (c->n_sides > 1) {
      row[LONG_RATIO] = ratio_title(c, over);
      row[LONG_DETECTS] = sp_copy_text("detects");
    }
    free(over);
    free(reference);
  }
}

// Of a table that has no ratios.
static void clear_ratios(const struct sp_comparison *c, struct sp_grid *grid) {
  for (size_t i = is_paired(c) ? RATIO : LONG_RATIO; i < grid->n_columns; i++) {
    free(grid->cells[i]);
    grid->cells[i] = NULL;
  }
}

// --- Metrics ---

static const struct sp_compared *contrast(const struct sp_comparison *c, size_t side_i,
                                          const struct sp_metric *metric) {
  return sp_comparison_find(c, side_i, metric->name);
}

// NAN where no side was compared with it.
static double reference_value(const struct sp_comparison *c, const struct sp_metric *metric) {
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_compared *m = contrast(c, i, metric);
    if (m) return m->side_i == c->reference_i ? m->side : m->reference;
  }
  return NAN;
}

static void add_paired(const struct sp_comparison *c, struct sp_grid *grid, const struct sp_metric *metric,
                       const char *title, double first, double second) {
  char cell[SP_COMPARED_BYTES];
  const struct sp_compared *m = contrast(c, !c->reference_i, metric);
  char **row = sp_grid_row(grid);
  row[TITLE] = sp_copy_text(title);
  row[FIRST] = value_cell(metric, first);
  row[SECOND] = value_cell(metric, second);
  if (!m) return;
  row[RATIO] = copy(sp_compared_ratio(c, m, cell));
  row[DETECTS] = detects_cell(m);
  row[VERDICT] = copy(sp_compared_verdict(c, m, cell));
}

static void add_long(const struct sp_comparison *c, struct sp_grid *grid, const struct sp_metric *metric,
                     const char *title, const double *values) {
  char cell[SP_COMPARED_BYTES];
  for (size_t k = 0; k < c->n_sides; k++) {
    // The reference first, then the others as they were named.
    size_t side_i = k == 0 ? c->reference_i : k <= c->reference_i ? k - 1 : k;
    const struct sp_compared *m = contrast(c, side_i, metric);
    char **row = sp_grid_row(grid);
    row[TITLE] = k == 0 ? sp_copy_text(title) : NULL;
    row[LONG_SIDE] = name_cell(c, side_i);
    row[LONG_VALUE] = value_cell(metric, values[side_i]);
    if (!m || side_i == c->reference_i) continue;
    row[LONG_RATIO] = copy(sp_compared_ratio(c, m, cell));
    row[LONG_DETECTS] = detects_cell(m);
    row[LONG_VERDICT] = copy(sp_compared_verdict(c, m, cell));
  }
}

static void add_values(const struct sp_comparison *c, struct sp_grid *grid, const struct sp_metric *metric,
                       const double *values) {
  if (is_paired(c))
    add_paired(c, grid, metric, metric->title, values[c->reference_i], values[!c->reference_i]);
  else
    add_long(c, grid, metric, metric->title, values);
}

static void compared_values(const struct sp_comparison *c, const struct sp_metric *metric, double *values) {
  for (size_t i = 0; i < c->n_sides; i++) {
    const struct sp_compared *m = contrast(c, i, metric);
    values[i] = i == c->reference_i ? reference_value(c, metric) : m ? m->side : NAN;
  }
}

static bool is_decided(const struct sp_comparison *c, const struct sp_metric *metric) {
  if (sp_compared_is_gate(c) && sp_compared_gate_metric(c, metric)) return true;
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (c->metrics[i].metric == metric && c->metrics[i].is_primary) return true;
  }
  return false;
}

static bool is_compared(const struct sp_comparison *c, const struct sp_metric *metric) {
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (c->metrics[i].metric == metric) return true;
  }
  return false;
}

// Where the figures of one process stand, which a table of their own shows. NULL: no such metric.
static const struct sp_amounts *amounts_of(const struct sp_compared_side *side,
                                           const struct sp_metric *metric, const char **process) {
  *process = metric->name + strlen("cpu_");
  if (metric->role != SP_METRIC_EXPLORATORY) return NULL;
  if (strncmp(metric->name, "cpu_", 4) == 0) return &side->cpu_us_per_event;
  return strncmp(metric->name, "rss_", 4) == 0 ? &side->rss_bytes : NULL;
}

static void fill_cost(const struct sp_comparison *c, struct sp_grid *grid) {
  for (size_t k = 0; k < sp_n_metrics; k++) {
    const struct sp_metric *metric = &sp_metrics[k];
    double values[SP_COMPARISON_SIDES];
    const char *process;
    bool is_known = false;
    if (!amounts_of(&c->sides[0], metric, &process) || is_decided(c, metric)) continue;
    compared_values(c, metric, values);
    for (size_t i = 0; i < c->n_sides; i++) {
      double amount = sp_amounts_get(amounts_of(&c->sides[i], metric, &process), process);
      if (isfinite(amount)) values[i] = amount;
      is_known |= isfinite(values[i]);
    }
    if (is_known) add_values(c, grid, metric, values);
  }
}

static void fill_metrics(const struct sp_comparison *c, struct sp_grid *grid, bool decided) {
  for (size_t k = 0; k < sp_n_metrics; k++) {
    const struct sp_metric *metric = &sp_metrics[k];
    double values[SP_COMPARISON_SIDES];
    const char *process;
    if (!is_compared(c, metric) || is_decided(c, metric) != decided) continue;
    if (!decided && amounts_of(&c->sides[0], metric, &process)) continue;
    compared_values(c, metric, values);
    add_values(c, grid, metric, values);
  }
}

// --- Bounds ---

static void add_bound(const struct sp_comparison *c, struct sp_grid *grid, const struct sp_bound *bound) {
  char cell[SP_COMPARED_BYTES];
  char *raw = sp_compared_bound_title(bound), *title = sp_printable(raw, strlen(raw), 40);
  char **row = is_paired(c) ? sp_grid_row(grid) : NULL;
  for (size_t k = 0; k < c->n_sides; k++) {
    size_t side_i = k == 0 ? c->reference_i : k <= c->reference_i ? k - 1 : k;
    const struct sp_bound *own = sp_compared_bound_of(&c->sides[side_i], bound->name);
    if (!is_paired(c)) {
      row = sp_grid_row(grid);
      row[LONG_SIDE] = name_cell(c, side_i);
    }
    if (k == 0) row[TITLE] = sp_copy_text(title);
    row[is_paired(c) ? FIRST + k : LONG_VALUE] =
        sp_copy_text(own ? sp_compared_bound_value(&c->sides[side_i], own, cell) : "-");
  }
  free(raw);
  free(title);
}

static void fill_bounds(const struct sp_comparison *c, struct sp_grid *grid) {
  for (size_t i = 0; i < c->n_sides; i++) {
    for (size_t k = 0; k < c->sides[i].n_bounds; k++) {
      const struct sp_bound *bound = &c->sides[i].bounds[k];
      bool is_new = bound->name != NULL;
      for (size_t before = 0; before < i && is_new; before++) {
        is_new = !sp_compared_bound_of(&c->sides[before], bound->name);
      }
      if (is_new) add_bound(c, grid, bound);
    }
  }
}

// --- The gate ---

// As many digits as tell it from 1 where the margin is small.
static char *bound_cell(const char *sign, double times, double margin) {
  char cell[SP_COMPARED_BYTES];
  if (isfinite(times) && margin < 0.01) return sp_format("%s%.4f", sign, times);
  return sp_format("%s%s", isnan(times) ? "" : sign, sp_compared_times(times, cell));
}

static void fill_gate(const struct sp_comparison *c, struct sp_grid *grid) {
  *grid = (struct sp_grid){.n_columns = N_GATE, .is_left = {[TITLE] = true, [GATE_VERDICT] = true}};
  char **row = sp_grid_row(grid);
  row[FIRST] = name_cell(c, c->reference_i);
  row[SECOND] = name_cell(c, !c->reference_i);
  row[GATE_LOWER] = sp_copy_text("times worse ≥");
  row[GATE_UPPER] = sp_copy_text("≤");
  row[GATE_MARGIN] = sp_copy_text("limit");
  for (size_t i = 0; i < c->gate.n_metrics; i++) {
    const struct sp_gate_metric *m = &c->gate.metrics[i];
    double values[SP_COMPARISON_SIDES];
    char cell[SP_COMPARED_BYTES];
    compared_values(c, m->metric, values);
    row = sp_grid_row(grid);
    row[TITLE] = sp_copy_text(m->metric->title);
    row[FIRST] = value_cell(m->metric, values[c->reference_i]);
    row[SECOND] = value_cell(m->metric, values[!c->reference_i]);
    row[GATE_LOWER] = bound_cell("", m->lower, m->margin);
    row[GATE_UPPER] = bound_cell("", m->upper, m->margin);
    char *limit = bound_cell("", 1 + m->margin, m->margin);
    row[GATE_MARGIN] = sp_format("%s%s", limit, m->is_calibrated ? " c" : "");
    free(limit);
    row[GATE_VERDICT] = sp_copy_text(sp_compared_gate_verdict(m, cell));
  }
}

// --- All ---

void sp_compared_grids(const struct sp_comparison *c, struct sp_compared_grids *g) {
  bool is_gate = sp_compared_is_gate(c) && is_paired(c);
  start(c, &g->decided, NULL);
  start(c, &g->exploratory, "exploratory, without a verdict");
  start(c, &g->cost, "cost by process");
  start(c, &g->bounds, "bounds of the scenario");
  clear_ratios(c, &g->bounds);
  if (is_gate) {
    sp_grid_done(&g->decided);
    fill_gate(c, &g->decided);
  } else {
    fill_metrics(c, &g->decided, true);
  }
  fill_metrics(c, &g->exploratory, false);
  fill_cost(c, &g->cost);
  fill_bounds(c, &g->bounds);
}

void sp_compared_grids_done(struct sp_compared_grids *g) {
  sp_grid_done(&g->decided);
  sp_grid_done(&g->exploratory);
  sp_grid_done(&g->cost);
  sp_grid_done(&g->bounds);
}
