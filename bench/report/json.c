// The report for programs: servepath.report/1.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "report/rows.h"
#include "result/fields.h"

static json_t *real(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

// As it is (the file is written in ASCII), unless it is no UTF-8.
static json_t *text(const char *value) {
  json_t *json = json_string(value ? value : "-");
  if (json) return json;
  char *clean = sp_printable_text(value);
  json = json_string(clean);
  free(clean);
  return json;
}

static json_t *optional(const char *value) {
  return value ? text(value) : json_null();
}

static json_t *figure_json(const struct sp_figure *figure) {
  bool has_no_answer = figure->n && isinf(figure->median);
  return json_pack("{sI so so so sb sb sb}", "trials", (json_int_t)figure->n, "median",
                   real(figure->n ? figure->median : NAN), "min", real(figure->n ? figure->min : NAN), "max",
                   real(figure->n ? figure->max : NAN), "no_answer", has_no_answer, "episodic",
                   figure->is_episodic, "driver_limited", figure->is_driver_limited);
}

static json_t *trial_json(const struct sp_report_trial *trial) {
  const struct sp_result *r = trial->result;
  json_t *reasons = json_array();
  for (size_t i = 0; i < r->n_reasons; i++) json_array_append_new(reasons, text(r->reasons[i]));
  return json_pack("{so so sb sb so}", "dir", text(trial->dir), "run_id", text(r->run_id), "complete",
                   r->complete, "valid", sp_result_is_valid(r), "reasons", reasons);
}

static json_t *row_json(const struct sp_report *report, const struct sp_report_row *row) {
  json_t *response = json_object(), *trials = json_array();
  for (int i = 0; i < SP_PERCENTILES; i++) {
    json_object_set_new(response, sp_percentile_name[i], figure_json(&row->percentiles[i]));
  }
  for (size_t t = 0; t < row->n_trials; t++)
    json_array_append_new(trials, trial_json(&report->trials[row->trials[t]]));
  double ok = row->n_intended > 0 ? (double)row->n_fine / (double)row->n_intended : NAN;
  json_t *json = json_pack("{so so so so so so sI sI}", "case", text(row->name), "via", text(row->via),
                           "side", text(row->side), "arrival", text(row->arrival), "rate_per_s",
                           real(row->rate_per_s), "concurrency", real(row->concurrency), "valid",
                           (json_int_t)row->n_valid, "counted", (json_int_t)row->n_counted);
  SP_ASSERT(json);
  const struct sp_result *first = report->trials[row->trials[0]].result;
  json_object_set_new(json, "label", text(row->label));
  if (report->by) {
    json_object_set_new(json, "by", text(report->by));
    json_object_set_new(json, "by_value", text(row->by));
  }
  json_object_set_new(json, "delivery", optional(sp_facts_text_of(&first->delivery, "mode", NULL)));
  json_object_set_new(json, "apps", real(sp_facts_number_of(&first->delivery, "apps")));
  json_object_set_new(json, "has_response", json_boolean(row->has_response));
  json_object_set_new(json, "offered_per_s", figure_json(&row->offered));
  json_object_set_new(json, "achieved_per_s", figure_json(&row->achieved));
  json_object_set_new(json, "response_ns", response);
  json_object_set_new(json, "service_p99_ns", figure_json(&row->service_p99));
  json_t *cpu = json_pack("{so so so}", "app", figure_json(&row->cpu_app), "server",
                          figure_json(&row->cpu_server), "total", figure_json(&row->cpu_total));
  json_object_set_new(json, "cpu_us_per_event", cpu);
  json_object_set_new(json, "ok_share", real(ok));
  json_object_set_new(json, "checked", json_integer(row->n_checked));
  json_object_set_new(json, "mismatched", json_integer(row->n_mismatched));
  json_object_set_new(json, "trials", trials);
  return json;
}

static void add_note(void *notes, const char *note) {
  json_array_append_new(notes, text(note));
}

char *sp_report_json(const struct sp_report *report) {
  json_t *rows = json_array(), *notes = json_array();
  for (size_t i = 0; i < report->n_rows; i++) json_array_append_new(rows, row_json(report, &report->rows[i]));
  sp_report_notes(report, add_note, notes);
  json_t *json = json_pack("{ss so so}", "schema", "servepath.report/1", "rows", rows, "notes", notes);
  return sp_fields_print(json, JSON_INDENT(1) | JSON_ENSURE_ASCII);
}
