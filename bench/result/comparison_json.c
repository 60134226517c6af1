// The fields of comparison.json. proto/comparison.schema.json describes the same; the tests validate one against the other.
// Sides and metrics are named in the file, and are indices and pointers here: the lists that name them are walked by hand.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "result/comparison.h"
#include "result/document.h"
#include "result/tables.h"

// --- Sides ---

static const struct sp_field side_prediction_fields[] = {
    FIELD("checked", COUNT, sp_compared_side, n_checked),
    FIELD("mismatched", COUNT, sp_compared_side, n_mismatched),
    FIELD("mismatched_left_out", COUNT, sp_compared_side, n_mismatched_left_out),
    FIELD("max_abs_error", REAL, sp_compared_side, max_abs_error),
    {0},
};

static const struct sp_field side_fields[] = {
    NEEDED("name", TEXT, sp_compared_side, name),
    NEEDED("label", TEXT, sp_compared_side, label),
    FIELD("trials", SIZE, sp_compared_side, n_trials),
    FIELD("invalid", SIZE, sp_compared_side, n_invalid),
    FIELD("incomplete", SIZE, sp_compared_side, n_incomplete),
    FIELD("intended", COUNT, sp_compared_side, intended),
    CUSTOM("counts", outcomes, sp_compared_side, outcomes),
    {.name = "predictions", .kind = SP_FIELD_OBJECT, .fields = side_prediction_fields},
    CUSTOM("cpu_us_per_event", amounts, sp_compared_side, cpu_us_per_event),
    CUSTOM("rss_bytes", amounts, sp_compared_side, rss_bytes),
    {.name = "bounds",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_compared_side, bounds),
     .fields = sp_bound_fields,
     .item_bytes = sizeof(struct sp_bound),
     .n_offset = AT(sp_compared_side, n_bounds)},
    FIELD("bounds_missed", SIZE, sp_compared_side, n_bounds_missed),
    FIELD("stub", FLAG, sp_compared_side, is_stub),
    FIELD("mock", FLAG, sp_compared_side, is_mock),
    FIELD("co_located", FLAG, sp_compared_side, is_co_located),
    FIELD("closed_loop", FLAG, sp_compared_side, is_closed_loop),
    {0},
};

static json_t *write_side_name(const struct sp_comparison *c, size_t side_i) {
  return side_i < c->n_sides ? sp_fields_text(c->sides[side_i].name) : json_null();
}

// `rest` behind the names that an item starts with.
static json_t *joined(json_t *names, json_t *rest) {
  SP_ASSERT(names && json_object_update(names, rest) == 0);
  json_decref(rest);
  return names;
}

// One that the list of sides holds, which stands before all that name one.
static enum sp_err read_side_name(const struct sp_comparison *c, size_t *side_i, const json_t *value,
                                  const char *name, const struct sp_field_place *place) {
  const char *side = json_string_value(value);
  for (*side_i = 0; side && *side_i < c->n_sides; ++*side_i) {
    const char *known = c->sides[*side_i].name;
    if (known && strcmp(known, side) == 0) return SP_OK;
  }
  *side_i = 0;
  return sp_fields_fail(place, name, "the name of a side");
}

static json_t *write_reference(const void *at) {
  const struct sp_comparison *c = at;
  return write_side_name(c, c->reference_i);
}

static enum sp_err read_reference(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_comparison *c = at;
  for (size_t i = 0; i < c->n_sides; i++) {
    if (!c->sides[i].name || !c->sides[i].label) return sp_fields_fail(place, "sides[].name", "a text");
  }
  if (json_is_null(value) && c->n_sides == 0) return SP_OK;
  return read_side_name(c, &c->reference_i, value, "reference", place);
}

// --- Lists whose items name a side or a metric ---

// Item by item through `read_item`, which gets the comparison, the item and its place.
static enum sp_err read_items(struct sp_comparison *c, const char *name, const json_t *list,
                              const struct sp_field_place *place,
                              enum sp_err (*read_item)(struct sp_comparison *c, const json_t *item,
                                                       const struct sp_field_place *place)) {
  enum sp_err err = json_is_array(list) ? SP_OK : sp_fields_fail(place, name, "a list");
  for (size_t i = 0; !err && i < json_array_size(list); i++) {
    char path[200];
    snprintf(path, sizeof path, "%s%s[%zu].", place->path, name, i);
    const struct sp_field_place inner = {place->file, path, place->error};
    const json_t *item = json_array_get(list, i);
    err = json_is_object(item) ? read_item(c, item, &inner) : sp_fields_fail(&inner, "", "an object");
  }
  return err;
}

// *metric NULL: one that a later version added.
static enum sp_err read_metric_name(const struct sp_metric **metric, const json_t *item,
                                    const struct sp_field_place *place) {
  const char *name = json_string_value(json_object_get(item, "name"));
  *metric = name ? sp_metric_find(name) : NULL;
  return name ? SP_OK : sp_fields_fail(place, "name", "a text");
}

static const struct sp_field compared_fields[] = {
    FIELD("primary", FLAG, sp_compared, is_primary),
    FIELD("pairs", SIZE, sp_compared, n_pairs),
    CUSTOM("side_value", figure, sp_compared, side),
    CUSTOM("reference_value", figure, sp_compared, reference),
    CUSTOM("ratio", figure, sp_compared, ratio),
    {.name = "interval",
     .kind = SP_FIELD_CUSTOM,
     .write = sp_custom_write_interval,
     .read = sp_custom_read_interval},
    FIELD("level", REAL, sp_compared, level),
    FIELD("p", REAL, sp_compared, p),
    FIELD("p_adjusted", REAL, sp_compared, p_adjusted),
    FIELD("smallest_detectable", REAL, sp_compared, smallest_detectable),
    NEEDED_CUSTOM("verdict", compared_verdict, sp_compared, verdict),
    FIELD("why", TEXT, sp_compared, why),
    FIELD("pairs_needed", SIZE, sp_compared, pairs_needed),
    {0},
};

static json_t *write_metrics(const void *at) {
  const struct sp_comparison *c = at;
  json_t *list = json_array();
  for (size_t i = 0; i < c->n_metrics; i++) {
    const struct sp_compared *m = &c->metrics[i];
    SP_ASSERT(m->metric != NULL);
    json_t *item = json_pack("{ss ss so so}", "name", m->metric->name, "unit", m->metric->unit, "side",
                             write_side_name(c, m->side_i), "reference", write_reference(c));
    json_array_append_new(list, joined(item, sp_fields_write(compared_fields, m)));
  }
  return list;
}

static enum sp_err read_compared(struct sp_comparison *c, const json_t *item,
                                 const struct sp_field_place *place) {
  const struct sp_metric *metric;
  size_t side_i;
  enum sp_err err = read_metric_name(&metric, item, place);
  if (err || !metric) return err;
  err = read_side_name(c, &side_i, json_object_get(item, "side"), "side", place);
  if (err) return err;
  struct sp_compared *m = sp_comparison_metric(c);
  m->metric = metric;
  m->side_i = side_i;
  return sp_fields_read(compared_fields, m, item, place);
}

static enum sp_err read_metrics(void *at, const json_t *value, const struct sp_field_place *place) {
  return read_items(at, "metrics", value, place, read_compared);
}

static const struct sp_field explained_fields[] = {
    FIELD("reference_total_ns", REAL, sp_explained, reference_total_ns),
    FIELD("side_total_ns", REAL, sp_explained, side_total_ns),
    FIELD("residual_ns", REAL, sp_explained, residual_ns),
    {0},
};

// One stage: the arrays of an explanation, moved to its place in them.
static const struct sp_field stage_fields[] = {
    FIELD("reference_ns", REAL, sp_explained, reference_ns),
    FIELD("side_ns", REAL, sp_explained, side_ns),
    FIELD("reference_slow_ns", REAL, sp_explained, reference_slow_ns),
    FIELD("side_slow_ns", REAL, sp_explained, side_slow_ns),
    {0},
};

static json_t *write_stages(const void *at) {
  const struct sp_comparison *c = at;
  json_t *list = json_array();
  for (size_t i = 0; i < c->n_explained; i++) {
    const struct sp_explained *e = &c->explained[i];
    json_t *item =
        json_pack("{so so}", "side", write_side_name(c, e->side_i), "reference", write_reference(c));
    json_t *stages = json_object();
    joined(item, sp_fields_write(explained_fields, e));
    for (int k = 0; k < SP_STAGE_COUNT; k++) {
      if (isnan(e->reference_ns[k]) && isnan(e->side_ns[k])) continue; // no values on either side
      json_object_set_new(stages, sp_stage_name((enum sp_stage)k),
                          sp_fields_write(stage_fields, (const char *)e + (size_t)k * sizeof(double)));
    }
    json_object_set_new(item, "stages", stages);
    json_array_append_new(list, item);
  }
  return list;
}

static enum sp_err read_explained(struct sp_comparison *c, const json_t *item,
                                  const struct sp_field_place *place) {
  size_t side_i;
  enum sp_err err = read_side_name(c, &side_i, json_object_get(item, "side"), "side", place);
  if (err) return err;
  struct sp_explained *e = sp_comparison_explained(c);
  e->side_i = side_i;
  err = sp_fields_read(explained_fields, e, item, place);
  for (int k = 0; k < SP_STAGE_COUNT && !err; k++) {
    const json_t *stage = json_object_get(json_object_get(item, "stages"), sp_stage_name((enum sp_stage)k));
    if (stage) err = sp_fields_read(stage_fields, (char *)e + (size_t)k * sizeof(double), stage, place);
  }
  return err;
}

static enum sp_err read_stages(void *at, const json_t *value, const struct sp_field_place *place) {
  return read_items(at, "stages", value, place, read_explained);
}

static const struct sp_field trial_fields[] = {
    FIELD("pair", SIZE, sp_compared_trial, pair_i),
    FIELD("seed", COUNT, sp_compared_trial, seed),
    FIELD("dir", TEXT, sp_compared_trial, dir),
    FIELD("run_id", TEXT, sp_compared_trial, run_id),
    FIELD("valid", FLAG, sp_compared_trial, is_valid),
    FIELD("counted", FLAG, sp_compared_trial, is_counted),
    FIELD("confirming", FLAG, sp_compared_trial, is_confirming),
    FIELD("reason", TEXT, sp_compared_trial, reason),
    {0},
};

static json_t *write_trials(const void *at) {
  const struct sp_comparison *c = at;
  json_t *list = json_array();
  for (size_t i = 0; i < c->n_trials; i++) {
    json_t *item = json_pack("{so}", "side", write_side_name(c, c->trials[i].side_i));
    json_array_append_new(list, joined(item, sp_fields_write(trial_fields, &c->trials[i])));
  }
  return list;
}

static enum sp_err read_trial(struct sp_comparison *c, const json_t *item,
                              const struct sp_field_place *place) {
  size_t side_i;
  enum sp_err err = read_side_name(c, &side_i, json_object_get(item, "side"), "side", place);
  if (err) return err;
  struct sp_compared_trial *trial = sp_comparison_trial(c);
  trial->side_i = side_i;
  return sp_fields_read(trial_fields, trial, item, place);
}

static enum sp_err read_trials(void *at, const json_t *value, const struct sp_field_place *place) {
  return read_items(at, "trials", value, place, read_trial);
}

// --- The gate ---

static const struct sp_field gate_metric_fields[] = {
    FIELD("margin", REAL, sp_gate_metric, margin),
    FIELD("calibrated", FLAG, sp_gate_metric, is_calibrated),
    CUSTOM("upper", figure, sp_gate_metric, upper),
    CUSTOM("lower", figure, sp_gate_metric, lower),
    CUSTOM("fresh_lower", figure, sp_gate_metric, fresh_lower),
    NEEDED_CUSTOM("verdict", gate_verdict, sp_gate_metric, verdict),
    FIELD("why", TEXT, sp_gate_metric, why),
    FIELD("pairs_needed", SIZE, sp_gate_metric, pairs_needed),
    {0},
};

static const struct sp_field gate_fields[] = {
    NEEDED_CUSTOM("verdict", gate_verdict, sp_gate_figures, verdict),
    FIELD("fresh_pairs", SIZE, sp_gate_figures, n_fresh),
    FIELD("across_machines", FLAG, sp_gate_figures, is_across_machines),
    {0},
};

static json_t *write_gate(const void *at) {
  const struct sp_gate_figures *gate = &((const struct sp_comparison *)at)->gate;
  if (gate->verdict == SP_GATE_NONE) return json_null();
  json_t *object = sp_fields_write(gate_fields, gate), *list = json_array();
  for (size_t i = 0; i < gate->n_metrics; i++) {
    json_t *item = json_pack("{ss}", "name", gate->metrics[i].metric->name);
    json_array_append_new(list, joined(item, sp_fields_write(gate_metric_fields, &gate->metrics[i])));
  }
  json_object_set_new(object, "metrics", list);
  return object;
}

static enum sp_err read_gate_metric(struct sp_comparison *c, const json_t *item,
                                    const struct sp_field_place *place) {
  const struct sp_metric *metric;
  enum sp_err err = read_metric_name(&metric, item, place);
  if (err || !metric) return err;
  struct sp_gate_metric *m = sp_comparison_gate_metric(c);
  m->metric = metric;
  return sp_fields_read(gate_metric_fields, m, item, place);
}

static enum sp_err read_gate(void *at, const json_t *value, const struct sp_field_place *place) {
  struct sp_comparison *c = at;
  if (json_is_null(value)) return SP_OK;
  enum sp_err err = sp_fields_read(gate_fields, &c->gate, value,
                                   &(struct sp_field_place){place->file, "gate.", place->error});
  const json_t *metrics = json_object_get(value, "metrics");
  if (err || !metrics) return err;
  return read_items(c, "gate.metrics", metrics, place, read_gate_metric);
}

// --- The whole ---

static const struct sp_field prediction_fields[] = {
    FIELD("compared", COUNT, sp_comparison, predictions.compared),
    FIELD("differing", COUNT, sp_comparison, predictions.differing),
    FIELD("max_difference", REAL, sp_comparison, predictions.max_difference),
    {.name = "examples",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_comparison, predictions.examples),
     .fields = sp_example_fields,
     .item_bytes = sizeof(struct sp_prediction_example),
     .n_offset = AT(sp_comparison, predictions.n_examples),
     .most = SP_RESULT_EXAMPLES},
    {0},
};

#define TEXTS(key, list)                                                                                     \
  {                                                                                                          \
    .name = key, .kind = SP_FIELD_TEXTS, .offset = AT(sp_comparison, list),                                  \
    .n_offset = AT(sp_comparison, n_##list)                                                                  \
  }
#define BY_HAND(key, list)                                                                                   \
  { .name = key, .kind = SP_FIELD_CUSTOM, .is_required = true, .write = write_##list, .read = read_##list }

static const struct sp_field comparison_fields[] = {
    SCHEMA(SP_COMPARISON_SCHEMA),
    NEEDED("complete", FLAG, sp_comparison, complete),
    FIELD("incomplete", TEXT, sp_comparison, incomplete),
    FIELD("verdict", TEXT, sp_comparison, verdict),
    NEEDED("exit_code", INT, sp_comparison, exit_code),
    NEEDED("id", TEXT, sp_comparison, id),
    FIELD("started_at", TEXT, sp_comparison, started_at),
    FIELD("duration_s", REAL, sp_comparison, duration_s),
    CUSTOM("tags", facts, sp_comparison, tags),
    CUSTOM("scenario", facts, sp_comparison, scenario),
    CUSTOM("load", facts, sp_comparison, load),
    CUSTOM("machine", facts, sp_comparison, machine),
    FIELD("fingerprint", TEXT, sp_comparison, fingerprint),
    CUSTOM("build", facts, sp_comparison, build),
    CUSTOM("broker", facts_or_null, sp_comparison, broker),
    CUSTOM("recording", facts, sp_comparison, recording),
    TEXTS("command", command),
    {.name = "sides",
     .kind = SP_FIELD_LIST,
     .offset = AT(sp_comparison, sides),
     .is_required = true,
     .fields = side_fields,
     .item_bytes = sizeof(struct sp_compared_side),
     .n_offset = AT(sp_comparison, n_sides),
     .most = SP_COMPARISON_SIDES},
    BY_HAND("reference", reference),
    NEEDED("pairs", SIZE, sp_comparison, n_pairs),
    FIELD("mean_of", SIZE, sp_comparison, mean_of),
    FIELD("alpha", REAL, sp_comparison, alpha),
    FIELD("delta", REAL, sp_comparison, delta),
    BY_HAND("metrics", metrics),
    BY_HAND("stages", stages),
    {.name = "predictions", .kind = SP_FIELD_OBJECT, .fields = prediction_fields},
    BY_HAND("gate", gate),
    TEXTS("differences", differences),
    TEXTS("remarks", remarks),
    BY_HAND("trials", trials),
    {0},
};

static const struct sp_document document = {
    .fields = comparison_fields,
    .flags = JSON_INDENT(1),
    .file = SP_COMPARISON_FILE,
    .noun = "a comparison",
    .broken = "not a whole comparison",
    .remedy = "the file was cut off, or is no comparison",
};

char *sp_comparison_json(const struct sp_comparison *c) {
  return sp_document_text(&document, c);
}

enum sp_err sp_comparison_write(const struct sp_comparison *c, const char *folder, struct sp_error *error) {
  return sp_document_write(&document, c, folder, error);
}

enum sp_err sp_comparison_read(const char *path, struct sp_comparison **c, struct sp_error *error) {
  *c = sp_comparison_new();
  enum sp_err err = sp_document_read(&document, path, *c, error);
  if (!err) return SP_OK;
  sp_comparison_free(*c);
  *c = NULL;
  return err;
}
