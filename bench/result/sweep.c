// sweep.json, both ways.
#include "result/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "result/document.h"
#include "result/tables.h"

static const char *const states[SP_SWEEP_STATE_COUNT] = {"pending", "done", "failed"};

static json_t *write_state(const void *at) {
  return json_string(states[*(const enum sp_sweep_state *)at]);
}

static enum sp_err read_state(void *at, const json_t *value, const struct sp_field_place *place) {
  for (int i = 0; json_is_string(value) && i < SP_SWEEP_STATE_COUNT; i++) {
    *(enum sp_sweep_state *)at = (enum sp_sweep_state)i;
    if (strcmp(json_string_value(value), states[i]) == 0) return SP_OK;
  }
  return sp_fields_fail(place, "state", "pending, done or failed");
}

#define TEXTS(key, type, member, n_member)                                                                   \
  {                                                                                                          \
    .name = key, .kind = SP_FIELD_TEXTS, .offset = AT(type, member), .n_offset = AT(type, n_member),         \
    .is_required = true                                                                                      \
  }
#define LIST(key, type, member, n_member, item)                                                              \
  {                                                                                                          \
    .name = key, .kind = SP_FIELD_LIST, .offset = AT(type, member), .n_offset = AT(type, n_member),          \
    .fields = item##_fields, .item_bytes = sizeof *((struct type *)0)->member, .is_required = true           \
  }

static const struct sp_field axis_fields[] = {NEEDED("name", TEXT, sp_sweep_axis, name),
                                              NEEDED("key", TEXT, sp_sweep_axis, key),
                                              TEXTS("values", sp_sweep_axis, values, n_values),
                                              {0}};
static const struct sp_field side_fields[] = {
    NEEDED("name", TEXT, sp_sweep_side, name), CUSTOM("meets_bounds", met, sp_sweep_side, meets), {0}};
static const struct sp_field figure_fields[] = {NEEDED("name", TEXT, sp_sweep_figure, metric),
                                                NEEDED("side", TEXT, sp_sweep_figure, side),
                                                CUSTOM("ratio", figure, sp_sweep_figure, ratio),
                                                CUSTOM("low", figure, sp_sweep_figure, low),
                                                CUSTOM("high", figure, sp_sweep_figure, high),
                                                FIELD("level", REAL, sp_sweep_figure, level),
                                                CUSTOM("verdict", compared_verdict, sp_sweep_figure, verdict),
                                                {0}};
static const struct sp_field cell_fields[] = {NEEDED("name", TEXT, sp_sweep_cell, name),
                                              TEXTS("values", sp_sweep_cell, values, n_values),
                                              FIELD("digest", TEXT, sp_sweep_cell, digest),
                                              {.name = "state",
                                               .kind = SP_FIELD_CUSTOM,
                                               .offset = AT(sp_sweep_cell, state),
                                               .is_required = true,
                                               .write = write_state,
                                               .read = read_state},
                                              FIELD("comparison", TEXT, sp_sweep_cell, comparison),
                                              FIELD("verdict", TEXT, sp_sweep_cell, verdict),
                                              FIELD("error", TEXT, sp_sweep_cell, error),
                                              FIELD("exit_code", INT, sp_sweep_cell, exit_code),
                                              FIELD("differing", COUNT, sp_sweep_cell, n_differing),
                                              LIST("sides", sp_sweep_cell, sides, n_sides, side),
                                              LIST("metrics", sp_sweep_cell, figures, n_figures, figure),
                                              {0}};
static const struct sp_field sweep_fields[] = {SCHEMA(SP_SWEEP_SCHEMA),
                                               NEEDED("complete", FLAG, sp_sweep, complete),
                                               FIELD("started_at", TEXT, sp_sweep, started_at),
                                               FIELD("scenario", TEXT, sp_sweep, scenario),
                                               TEXTS("command", sp_sweep, command, n_command),
                                               TEXTS("sides", sp_sweep, sides, n_sides),
                                               NEEDED("reference", TEXT, sp_sweep, reference),
                                               LIST("axes", sp_sweep, axes, n_axes, axis),
                                               LIST("cells", sp_sweep, cells, n_cells, cell),
                                               {0}};

// --- Memory ---

static void free_texts(char **texts, size_t n) {
  for (size_t i = 0; i < n; i++) free(texts[i]);
  free(texts);
}

// Forgets what a cell has come to.
static void clear_cell(struct sp_sweep_cell *cell) {
  for (size_t i = 0; i < cell->n_sides; i++) free(cell->sides[i].name);
  for (size_t i = 0; i < cell->n_figures; i++) {
    free(cell->figures[i].metric);
    free(cell->figures[i].side);
  }
  free(cell->sides);
  free(cell->figures);
  free(cell->comparison);
  free(cell->verdict);
  free(cell->error);
  cell->sides = NULL;
  cell->figures = NULL;
  cell->comparison = cell->verdict = cell->error = NULL;
  cell->n_sides = cell->n_figures = 0;
  cell->exit_code = 0;
  cell->n_differing = 0;
  cell->state = SP_SWEEP_PENDING;
}

void sp_sweep_done(struct sp_sweep *sweep) {
  for (size_t i = 0; i < sweep->n_axes; i++) {
    free(sweep->axes[i].name);
    free(sweep->axes[i].key);
    free_texts(sweep->axes[i].values, sweep->axes[i].n_values);
  }
  for (size_t i = 0; i < sweep->n_cells; i++) {
    clear_cell(&sweep->cells[i]);
    free(sweep->cells[i].name);
    free(sweep->cells[i].digest);
    free_texts(sweep->cells[i].values, sweep->cells[i].n_values);
  }
  free(sweep->axes);
  free(sweep->cells);
  free(sweep->started_at);
  free(sweep->scenario);
  free(sweep->reference);
  free_texts(sweep->command, sweep->n_command);
  free_texts(sweep->sides, sweep->n_sides);
  *sweep = (struct sp_sweep){0};
}

// --- Cells ---

size_t sp_sweep_cell_at(const struct sp_sweep *sweep, const size_t *at) {
  size_t cell_i = 0;
  for (size_t i = 0; i < sweep->n_axes; i++) {
    SP_ASSERT(at[i] < sweep->axes[i].n_values);
    cell_i = cell_i * sweep->axes[i].n_values + at[i];
  }
  return cell_i;
}

static enum sp_met meets_of(const struct sp_compared_side *side) {
  enum sp_met meets = SP_MET_YES;
  for (size_t i = 0; i < side->n_bounds; i++) {
    if (side->bounds[i].met == SP_MET_NO) return SP_MET_NO;
    if (side->bounds[i].met == SP_MET_UNKNOWN) meets = SP_MET_UNKNOWN;
  }
  return meets;
}

static void take_figure(struct sp_sweep_cell *cell, const struct sp_comparison *c,
                        const struct sp_compared *metric) {
  cell->figures = sp_realloc(cell->figures, (cell->n_figures + 1) * sizeof *cell->figures);
  cell->figures[cell->n_figures++] = (struct sp_sweep_figure){sp_copy_text(metric->metric->name),
                                                              sp_copy_text(c->sides[metric->side_i].name),
                                                              metric->ratio,
                                                              metric->low,
                                                              metric->high,
                                                              metric->level,
                                                              metric->verdict};
}

void sp_sweep_cell_take(struct sp_sweep_cell *cell, const struct sp_comparison *c) {
  clear_cell(cell);
  cell->state = c->complete ? SP_SWEEP_DONE : SP_SWEEP_PENDING;
  cell->verdict = sp_copy_text(c->verdict);
  cell->exit_code = c->exit_code;
  cell->n_differing = c->predictions.differing > 0 ? c->predictions.differing : 0;
  cell->comparison = sp_format("cells/%s/%s", cell->name, SP_COMPARISON_FILE);
  cell->sides = sp_alloc((c->n_sides + 1) * sizeof *cell->sides);
  cell->n_sides = c->n_sides;
  for (size_t i = 0; i < c->n_sides; i++) {
    cell->sides[i] = (struct sp_sweep_side){sp_copy_text(c->sides[i].name), meets_of(&c->sides[i])};
    cell->n_differing += c->sides[i].n_mismatched > 0 ? c->sides[i].n_mismatched : 0;
    cell->n_differing += c->sides[i].n_mismatched_left_out > 0 ? c->sides[i].n_mismatched_left_out : 0;
  }
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (c->metrics[i].is_primary) take_figure(cell, c, &c->metrics[i]);
  }
}

// --- JSON ---

static bool has_name(char *const *names, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(names[i], name) == 0) return true;
  }
  return false;
}

static bool has_texts(const struct sp_sweep_cell *cell) {
  bool all = cell->name != NULL;
  for (size_t i = 0; i < cell->n_sides; i++) all &= cell->sides[i].name != NULL;
  for (size_t i = 0; i < cell->n_figures; i++)
    all &= cell->figures[i].metric != NULL && cell->figures[i].side != NULL;
  return all;
}

// What readers rely on beyond the types.
static enum sp_err check(const void *base, const struct sp_field_place *place) {
  const struct sp_sweep *sweep = base;
  size_t n_cells = 1;
  if (sweep->n_axes == 0 || sweep->n_axes > SP_SWEEP_AXES) return sp_fields_fail(place, "axes", "one to six");
  for (size_t i = 0; i < sweep->n_axes; i++) {
    if (!sweep->axes[i].name || !sweep->axes[i].key) return sp_fields_fail(place, "axes", "names");
    if (__builtin_mul_overflow(n_cells, sweep->axes[i].n_values, &n_cells) || n_cells == 0)
      return sp_fields_fail(place, "axes", "values");
  }
  if (sweep->n_cells != n_cells) return sp_fields_fail(place, "cells", "one for each combination of values");
  for (size_t i = 0; i < n_cells; i++) {
    if (!has_texts(&sweep->cells[i])) return sp_fields_fail(place, "cells", "names");
    if (sweep->cells[i].n_values != sweep->n_axes)
      return sp_fields_fail(place, "cells", "a value of each axis");
  }
  return sweep->reference && has_name(sweep->sides, sweep->n_sides, sweep->reference)
             ? SP_OK
             : sp_fields_fail(place, "reference", "one of the sides");
}

static const struct sp_document document = {
    .fields = sweep_fields,
    .flags = JSON_INDENT(1) | JSON_REAL_PRECISION(12),
    .file = SP_SWEEP_FILE,
    .noun = "a sweep",
    .broken = "not JSON",
    .remedy = "the file was damaged",
    .check = check,
};

char *sp_sweep_json(const struct sp_sweep *sweep) {
  return sp_document_text(&document, sweep);
}

enum sp_err sp_sweep_write(const struct sp_sweep *sweep, const char *folder, struct sp_error *error) {
  return sp_document_write(&document, sweep, folder, error);
}

enum sp_err sp_sweep_read(const char *path, struct sp_sweep *sweep, struct sp_error *error) {
  *sweep = (struct sp_sweep){0};
  enum sp_err err = sp_document_read(&document, path, sweep, error);
  if (err) sp_sweep_done(sweep);
  return err;
}
