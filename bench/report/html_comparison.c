// What the page says of a comparison beside its sides: verdicts, explanations, the gate's decision.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compared.h"
#include "report/html_data.h"

// "slower", "no difference": the verdict in the metric's own words.
static const char *word_of(const struct sp_compared *m) {
  switch (m->verdict) {
  case SP_VERDICT_BETTER: return m->metric->better;
  case SP_VERDICT_WORSE: return m->metric->worse;
  case SP_VERDICT_SAME: return "no difference";
  case SP_VERDICT_EXPLORATORY: return "exploratory";
  case SP_VERDICT_VOID: return "means nothing here";
  default: return "inconclusive";
  }
}

static json_t *metric_json(const struct sp_compared *m) {
  char side[SP_METRIC_TEXT_BYTES], reference[SP_METRIC_TEXT_BYTES];
  json_t *json = json_object();
  json_object_set_new(json, "name", json_string(m->metric->name));
  json_object_set_new(json, "title", json_string(m->metric->title));
  json_object_set_new(json, "side_i", json_integer((json_int_t)m->side_i));
  json_object_set_new(json, "primary", json_boolean(m->is_primary));
  json_object_set_new(json, "side", sp_html_text(sp_metric_text(m->metric, m->side, side, sizeof side)));
  json_object_set_new(json, "reference",
                      sp_html_text(sp_metric_text(m->metric, m->reference, reference, sizeof reference)));
  json_object_set_new(json, "ratio", sp_html_real(m->ratio));
  json_object_set_new(json, "low", sp_html_real(m->low));
  json_object_set_new(json, "high", sp_html_real(m->high));
  json_object_set_new(json, "level", sp_html_real(sp_compared_level_of(m)));
  json_object_set_new(json, "detectable", sp_html_real(m->smallest_detectable));
  json_object_set_new(json, "verdict", json_string(sp_verdict_name(m->verdict)));
  json_object_set_new(json, "word", json_string(word_of(m)));
  json_object_set_new(json, "why", sp_html_text(m->why));
  json_object_set_new(json, "pairs_needed", json_integer((json_int_t)m->pairs_needed));
  return json;
}

// The sentences of the table: what the page says adds up as it does there.
static json_t *explained_json(const struct sp_explained *e) {
  char total[SP_COMPARED_BYTES] = "", slow_total[SP_COMPARED_BYTES] = "";
  char *why = sp_compared_why(e, false, total), *slow = sp_compared_why(e, true, slow_total);
  json_t *json = json_pack("{sI so ss so ss}", "side_i", (json_int_t)e->side_i, "why", sp_html_text(why),
                           "total", total, "slow", sp_html_text(slow), "slow_total", slow_total);
  free(why);
  free(slow);
  return json;
}

static json_t *gate_json(const struct sp_gate_figures *gate) {
  if (gate->verdict == SP_GATE_NONE) return json_null();
  json_t *metrics = json_array();
  for (size_t i = 0; i < gate->n_metrics; i++) {
    const struct sp_gate_metric *m = &gate->metrics[i];
    json_array_append_new(
        metrics, json_pack("{ss so sb so so so ss so sI}", "title", m->metric->title, "margin",
                           sp_html_real(m->margin), "calibrated", m->is_calibrated, "upper",
                           sp_html_real(m->upper), "lower", sp_html_real(m->lower), "fresh_lower",
                           sp_html_real(m->fresh_lower), "verdict", sp_gate_verdict_name(m->verdict), "why",
                           sp_html_text(m->why), "pairs_needed", (json_int_t)m->pairs_needed));
  }
  return json_pack("{ss so sI sb}", "verdict", sp_gate_verdict_name(gate->verdict), "metrics", metrics,
                   "fresh", (json_int_t)gate->n_fresh, "across_machines", gate->is_across_machines);
}

static json_t *predictions_json(const struct sp_comparison *c) {
  json_t *examples = json_array();
  for (size_t i = 0; i < c->predictions.n_examples; i++) {
    json_array_append_new(examples,
                          json_pack("{sI so}", "event", (json_int_t)c->predictions.examples[i].event, "text",
                                    sp_html_text(c->predictions.examples[i].text)));
  }
  return json_pack("{sI sI so so}", "compared", (json_int_t)c->predictions.compared, "differing",
                   (json_int_t)c->predictions.differing, "max", sp_html_real(c->predictions.max_difference),
                   "examples", examples);
}

static json_t *side_json(const struct sp_compared_side *side) {
  return json_pack("{so sI sI sI so sb sb sb}", "label", sp_html_text(side->label ? side->label : side->name),
                   "checked", (json_int_t)side->n_checked, "mismatched", (json_int_t)side->n_mismatched,
                   "mismatched_left_out", (json_int_t)side->n_mismatched_left_out, "bounds",
                   sp_html_bounds(side->bounds, side->n_bounds), "stub", side->is_stub, "mock", side->is_mock,
                   "closed", side->is_closed_loop);
}

json_t *sp_html_comparison(const struct sp_comparison *c) {
  json_t *json = json_object(), *metrics = json_array(), *explained = json_array(), *sides = json_array();
  for (size_t i = 0; i < c->n_metrics; i++) json_array_append_new(metrics, metric_json(&c->metrics[i]));
  for (size_t i = 0; i < c->n_explained; i++)
    json_array_append_new(explained, explained_json(&c->explained[i]));
  for (size_t i = 0; i < c->n_sides; i++) json_array_append_new(sides, side_json(&c->sides[i]));
  json_object_set_new(json, "complete", json_boolean(c->complete));
  json_object_set_new(json, "incomplete", sp_html_text(c->incomplete));
  json_object_set_new(json, "started", sp_html_text(c->started_at));
  json_object_set_new(json, "duration_s", sp_html_real(c->duration_s));
  json_object_set_new(json, "verdict", sp_html_text(c->verdict));
  json_object_set_new(json, "exit_code", json_integer(c->exit_code));
  json_object_set_new(json, "reference_i", json_integer((json_int_t)c->reference_i));
  json_object_set_new(json, "pairs", json_integer((json_int_t)c->n_pairs));
  json_object_set_new(json, "mean_of", json_integer((json_int_t)c->mean_of));
  json_object_set_new(json, "alpha", sp_html_real(c->alpha));
  json_object_set_new(json, "delta", sp_html_real(c->delta));
  json_object_set_new(json, "metrics", metrics);
  json_object_set_new(json, "explained", explained);
  json_object_set_new(json, "sides", sides);
  json_object_set_new(json, "predictions", predictions_json(c));
  json_object_set_new(json, "differences", sp_html_texts(c->differences, c->n_differences));
  json_object_set_new(json, "remarks", sp_html_texts(c->remarks, c->n_remarks));
  json_object_set_new(json, "gate", gate_json(&c->gate));
  char *command = sp_html_command(c->command, c->n_command);
  json_object_set_new(json, "command", json_string(command));
  free(command);
  return json;
}
