// The map for a page.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/printable.h"
#include "report/crossover_maps.h"
#include "result/fields.h"

static json_t *axis_json(const struct sp_sweep_axis *axis) {
  json_t *values = json_array();
  for (size_t i = 0; i < axis->n_values; i++) json_array_append_new(values, sp_fields_text(axis->values[i]));
  return json_pack("{s:o,s:o}", "name", sp_fields_text(axis->name), "values", values);
}

// Where the axes from `from` on, but one, stand.
static json_t *fixed_json(const struct sp_sweep *sweep, const size_t *at, size_t from, size_t but) {
  json_t *fixed = json_object();
  for (size_t i = from; i < sweep->n_axes; i++) {
    if (i != but)
      json_object_set_new(fixed, sweep->axes[i].name, sp_fields_text(sweep->axes[i].values[at[i]]));
  }
  return fixed;
}

static json_t *cell_json(const struct sp_sweep *sweep, const size_t *at, const char *metric) {
  const struct sp_sweep_cell *cell = &sweep->cells[sp_sweep_cell_at(sweep, at)];
  const struct sp_cross_cell cross = sp_cross_of(sweep, cell, metric);
  char text[SP_CROSS_TEXT_BYTES];
  return json_pack("{s:s,s:o,s:b,s:o,s:o,s:o,s:o}", "cross", sp_cross_name(cross.cross), "side",
                   sp_fields_text(cross.side), "misses_bound", cross.misses_bound, "ratio",
                   sp_fields_real(cross.ratio), "text",
                   sp_fields_text(sp_cross_text(&cross, text, sizeof text)), "comparison",
                   sp_fields_text(cell->comparison), "error", sp_fields_text(cell->error));
}

static json_t *rows_json(const struct sp_sweep *sweep, size_t *at, const char *metric) {
  json_t *rows = json_array();
  size_t n_rows = sweep->n_axes > 1 ? sweep->axes[1].n_values : 1;
  for (size_t y = 0; y < n_rows; y++) {
    json_t *row = json_array();
    if (sweep->n_axes > 1) at[1] = y;
    for (at[0] = 0; at[0] < sweep->axes[0].n_values; at[0]++)
      json_array_append_new(row, cell_json(sweep, at, metric));
    json_array_append_new(rows, row);
  }
  return rows;
}

static json_t *maps_json(const struct sp_sweep *sweep) {
  json_t *maps = json_array();
  size_t n_metrics;
  const char **metrics = sp_cross_metrics(sweep, &n_metrics);
  for (size_t m = 0; m < n_metrics; m++) {
    for (size_t i = 0; i < sp_cross_slices(sweep); i++) {
      size_t at[SP_SWEEP_AXES];
      sp_cross_slice(sweep, i, at);
      json_array_append_new(
          maps, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "metric", sp_fields_text(metrics[m]), "title",
                          sp_fields_text(sp_cross_title(metrics[m])), "x", axis_json(&sweep->axes[0]), "y",
                          sweep->n_axes > 1 ? axis_json(&sweep->axes[1]) : json_null(), "fixed",
                          fixed_json(sweep, at, 2, SIZE_MAX), "rows", rows_json(sweep, at, metrics[m])));
    }
  }
  free(metrics);
  return maps;
}

static json_t *crossings_json(const struct sp_sweep *sweep) {
  json_t *list = json_array();
  size_t n;
  struct sp_crossing *crossings = sp_crossings(sweep, &n);
  for (size_t i = 0; i < n; i++) {
    const struct sp_crossing *c = &crossings[i];
    const struct sp_sweep_axis *axis = &sweep->axes[c->axis_i];
    char *raw = sp_crossing_text(sweep, c), *text = sp_printable_text(raw);
    json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "text",
                                          sp_fields_text(text), "metric", sp_fields_text(c->metric), "side",
                                          sp_fields_text(c->side), "axis", sp_fields_text(axis->name),
                                          "fixed", fixed_json(sweep, c->at, 0, c->axis_i), "low",
                                          sp_fields_text(axis->values[c->low_i]), "high",
                                          sp_fields_text(axis->values[c->high_i]), "estimate",
                                          isnan(c->estimate) ? json_null() : sp_fields_text(c->text),
                                          "winner_below", sp_fields_text(sp_crossing_below(sweep, c)),
                                          "winner_above", sp_fields_text(sp_crossing_above(sweep, c))));
    free(text);
    free(raw);
  }
  free(crossings);
  return list;
}

char *sp_crossover_json(const struct sp_sweep *sweep) {
  json_t *json = json_pack("{s:o,s:o}", "maps", maps_json(sweep), "crossings", crossings_json(sweep));
  char *text = json_dumps(json, JSON_COMPACT);
  SP_ASSERT(text != NULL);
  json_decref(json);
  return text;
}
