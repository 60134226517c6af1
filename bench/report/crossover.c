// Cells of the map, and crossings between them.
#include "report/crossover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "report/crossover_maps.h"

// --- One cell ---

static const struct sp_sweep_figure *figure_of(const struct sp_sweep_cell *cell, const char *metric,
                                               const char *side) {
  for (size_t i = 0; i < cell->n_figures; i++) {
    const struct sp_sweep_figure *figure = &cell->figures[i];
    if (strcmp(figure->metric, metric) == 0 && strcmp(figure->side, side) == 0) return figure;
  }
  return NULL;
}

static enum sp_met meets(const struct sp_sweep_cell *cell, const char *side) {
  for (size_t i = 0; i < cell->n_sides; i++) {
    if (strcmp(cell->sides[i].name, side) == 0) return cell->sides[i].meets;
  }
  return SP_MET_UNKNOWN;
}

static double size_of(double ratio) {
  return ratio > 0 ? fabs(log(ratio)) : -1; // an infinite ratio differs by most
}

struct tally { // of the sides beside the reference
  size_t n, n_worse, n_same;
  const struct sp_sweep_figure *best, *most; // best: of those that are better
};

static struct tally tally_of(const struct sp_sweep *sweep, const struct sp_sweep_cell *cell,
                             const char *metric) {
  struct tally tally = {0};
  for (size_t i = 0; i < sweep->n_sides; i++) {
    const struct sp_sweep_figure *figure = figure_of(cell, metric, sweep->sides[i]);
    if (!figure || strcmp(sweep->sides[i], sweep->reference) == 0) continue;
    tally.n++;
    tally.n_worse += figure->verdict == SP_VERDICT_WORSE;
    tally.n_same += figure->verdict == SP_VERDICT_SAME;
    if (!tally.most || size_of(figure->ratio) > size_of(tally.most->ratio)) tally.most = figure;
    if (figure->verdict != SP_VERDICT_BETTER) continue;
    if (!tally.best || size_of(figure->ratio) > size_of(tally.best->ratio)) tally.best = figure;
  }
  return tally;
}

// Bounds that are missed come first: the best of two that cannot be used is no choice.
static bool by_bounds(const struct sp_sweep_cell *cell, struct sp_cross_cell *out) {
  size_t n_yes = 0, n_no = 0;
  const char *only = NULL;
  for (size_t i = 0; i < cell->n_sides; i++) {
    n_no += cell->sides[i].meets == SP_MET_NO;
    if (cell->sides[i].meets != SP_MET_YES) continue;
    n_yes++;
    only = cell->sides[i].name;
  }
  if (cell->n_sides > 0 && n_no == cell->n_sides)
    out->cross = SP_CROSS_NEITHER;
  else if (n_yes == 1 && n_no > 0 && n_no + 1 == cell->n_sides) {
    out->cross = SP_CROSS_ONLY;
    out->side = only;
  } else
    return false;
  return true;
}

struct sp_cross_cell sp_cross_of(const struct sp_sweep *sweep, const struct sp_sweep_cell *cell,
                                 const char *metric) {
  struct sp_cross_cell out = {SP_CROSS_PENDING, NULL, false, NAN};
  if (cell->state == SP_SWEEP_PENDING) return out;
  struct tally tally = tally_of(sweep, cell, metric);
  out.cross = SP_CROSS_FAILED;
  if (cell->state == SP_SWEEP_FAILED || tally.n == 0) return out;
  out.ratio = tally.best ? tally.best->ratio : tally.most->ratio;
  if (by_bounds(cell, &out)) return out;
  out.cross = SP_CROSS_OPEN;
  if (tally.best) {
    out.cross = SP_CROSS_WINS;
    out.side = tally.best->side;
  } else if (tally.n_worse == tally.n) {
    out.cross = SP_CROSS_WINS;
    out.side = sweep->reference;
  } else if (tally.n_worse + tally.n_same == tally.n) {
    out.cross = SP_CROSS_SAME;
  }
  out.misses_bound = out.side && meets(cell, out.side) == SP_MET_NO;
  return out;
}

char *sp_cross_text(const struct sp_cross_cell *cell, char *text, size_t n) {
  switch (cell->cross) {
  case SP_CROSS_PENDING: snprintf(text, n, "."); break;
  case SP_CROSS_FAILED: snprintf(text, n, "!"); break;
  case SP_CROSS_NEITHER: snprintf(text, n, "x"); break;
  case SP_CROSS_ONLY: snprintf(text, n, "%s only", cell->side); break;
  case SP_CROSS_WINS: snprintf(text, n, "%s%s", cell->side, cell->misses_bound ? "*" : ""); break;
  case SP_CROSS_SAME: snprintf(text, n, "="); break;
  case SP_CROSS_OPEN: snprintf(text, n, "?"); break;
  }
  return text;
}

const char *sp_cross_name(enum sp_cross cross) {
  static const char *const names[] = {
      [SP_CROSS_PENDING] = "pending", [SP_CROSS_FAILED] = "failed", [SP_CROSS_NEITHER] = "neither",
      [SP_CROSS_ONLY] = "only",       [SP_CROSS_WINS] = "wins",     [SP_CROSS_SAME] = "same",
      [SP_CROSS_OPEN] = "open"};
  return names[cross];
}

// --- Maps ---

const char **sp_cross_metrics(const struct sp_sweep *sweep, size_t *n) {
  const char **names = NULL;
  *n = 0;
  for (size_t c = 0; c < sweep->n_cells; c++) {
    for (size_t i = 0; i < sweep->cells[c].n_figures; i++) {
      const char *name = sweep->cells[c].figures[i].metric;
      bool is_new = true;
      for (size_t k = 0; k < *n; k++) is_new &= strcmp(names[k], name) != 0;
      if (!is_new) continue;
      names = sp_realloc(names, (*n + 1) * sizeof *names);
      names[(*n)++] = name;
    }
  }
  return names;
}

const char *sp_cross_title(const char *metric) {
  const struct sp_metric *known = sp_metric_find(metric);
  return known ? known->title : metric;
}

size_t sp_cross_slices(const struct sp_sweep *sweep) {
  size_t n = 1;
  for (size_t i = 2; i < sweep->n_axes; i++) n *= sweep->axes[i].n_values;
  return n;
}

void sp_cross_slice(const struct sp_sweep *sweep, size_t slice_i, size_t *at) {
  memset(at, 0, SP_SWEEP_AXES * sizeof *at);
  for (size_t i = sweep->n_axes; i-- > 2;) {
    at[i] = slice_i % sweep->axes[i].n_values;
    slice_i /= sweep->axes[i].n_values;
  }
}

// --- Crossings ---

struct walk { // along one axis, for one metric and side
  const struct sp_sweep *sweep;
  const char *metric, *side;
  size_t axis_i;
  size_t at[SP_SWEEP_AXES];
};

// Quantities of one kind, rising: what can be interpolated.
static bool value_at(const struct sp_sweep_axis *axis, size_t i, struct sp_quantity *value) {
  return sp_quantity_parse(axis->values[i], value);
}

// Where the straight line through both logarithms of the ratio is 0.
static void estimate(const struct walk *walk, const struct sp_sweep_figure *low,
                     const struct sp_sweep_figure *high, struct sp_crossing *crossing) {
  const struct sp_sweep_axis *axis = &walk->sweep->axes[walk->axis_i];
  struct sp_quantity a, b;
  double from = log(low->ratio), to = log(high->ratio);
  crossing->estimate = NAN;
  if (!value_at(axis, crossing->low_i, &a) || !value_at(axis, crossing->high_i, &b) || a.kind != b.kind)
    return;
  if (!isfinite(from) || !isfinite(to) || from * to >= 0) return;
  double share = from / (from - to);
  if (a.value > 0 && b.value > 0)
    a.value = exp(log(a.value) + share * (log(b.value) - log(a.value)));
  else
    a.value += share * (b.value - a.value);
  crossing->estimate = a.value;
  sp_quantity_print(&a, crossing->text, sizeof crossing->text);
}

static bool is_conclusive(const struct sp_sweep_cell *cell, const struct sp_sweep_figure *figure) {
  if (cell->state != SP_SWEEP_DONE || !figure) return false;
  return figure->verdict == SP_VERDICT_BETTER || figure->verdict == SP_VERDICT_WORSE;
}

struct found {
  struct sp_crossing *items;
  size_t n;
};

static void add(struct found *found, const struct walk *walk, size_t low_i, const struct sp_sweep_figure *low,
                size_t high_i, const struct sp_sweep_figure *high) {
  found->items = sp_realloc(found->items, (found->n + 1) * sizeof *found->items);
  struct sp_crossing *crossing = &found->items[found->n++];
  *crossing = (struct sp_crossing){.metric = walk->metric,
                                   .side = walk->side,
                                   .axis_i = walk->axis_i,
                                   .low_i = low_i,
                                   .high_i = high_i,
                                   .side_wins_above = high->verdict == SP_VERDICT_BETTER};
  memcpy(crossing->at, walk->at, sizeof crossing->at);
  crossing->at[walk->axis_i] = low_i;
  estimate(walk, low, high, crossing);
}

static void walk_line(struct walk *walk, struct found *found) {
  const struct sp_sweep_figure *last = NULL;
  size_t last_i = 0;
  for (size_t i = 0; i < walk->sweep->axes[walk->axis_i].n_values; i++) {
    walk->at[walk->axis_i] = i;
    const struct sp_sweep_cell *cell = &walk->sweep->cells[sp_sweep_cell_at(walk->sweep, walk->at)];
    const struct sp_sweep_figure *figure = figure_of(cell, walk->metric, walk->side);
    if (!is_conclusive(cell, figure)) continue;
    if (last && last->verdict != figure->verdict) add(found, walk, last_i, last, i, figure);
    last = figure;
    last_i = i;
  }
}

// Every line of cells along the axis: the other axes' indices run through all their values.
static void walk_axis(struct walk *walk, struct found *found) {
  const struct sp_sweep *sweep = walk->sweep;
  memset(walk->at, 0, sizeof walk->at);
  for (;;) {
    size_t i = sweep->n_axes;
    walk->at[walk->axis_i] = 0;
    walk_line(walk, found);
    for (; i-- > 0;) {
      if (i == walk->axis_i) continue;
      if (++walk->at[i] < sweep->axes[i].n_values) break;
      walk->at[i] = 0;
    }
    if (i == SIZE_MAX) return;
  }
}

struct sp_crossing *sp_crossings(const struct sp_sweep *sweep, size_t *n) {
  struct found found = {0};
  size_t n_metrics;
  const char **metrics = sp_cross_metrics(sweep, &n_metrics);
  for (size_t m = 0; m < n_metrics; m++) {
    for (size_t s = 0; s < sweep->n_sides; s++) {
      for (size_t a = 0; a < sweep->n_axes && strcmp(sweep->sides[s], sweep->reference) != 0; a++) {
        struct walk walk = {sweep, metrics[m], sweep->sides[s], a, {0}};
        walk_axis(&walk, &found);
      }
    }
  }
  free(metrics);
  *n = found.n;
  return found.items;
}

const char *sp_crossing_below(const struct sp_sweep *sweep, const struct sp_crossing *crossing) {
  return crossing->side_wins_above ? sweep->reference : crossing->side;
}
const char *sp_crossing_above(const struct sp_sweep *sweep, const struct sp_crossing *crossing) {
  return crossing->side_wins_above ? crossing->side : sweep->reference;
}
