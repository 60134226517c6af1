// A side of the page, from its trials.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "report/html_data.h"
#include "result/curve.h"

#define CURVE_STEPS  40                    // of a decade: one for each 5 pixels of a wide chart
#define CURVE_POINTS (4 * CURVE_STEPS + 1) // to 99.99 %

json_t *sp_html_text(const char *text) {
  if (!text) return json_null();
  char *clean = sp_printable_text(text);
  json_t *json = json_string(clean);
  free(clean);
  SP_ASSERT(json);
  return json;
}

json_t *sp_html_real(double value) {
  if (!isfinite(value)) return json_null();
  if (fabs(value) < 1e15 && (fabs(value) >= 1e5 || value == round(value)))
    return json_integer((json_int_t)llround(value));
  return json_real(value);
}

double sp_html_rounded(double value, int n_digits) {
  if (!isfinite(value) || value == 0) return value;
  double unit = pow(10, floor(log10(fabs(value))) + 1 - n_digits);
  return unit >= 1 ? round(value / unit) * unit : round(value * round(1 / unit)) / round(1 / unit);
}

json_t *sp_html_texts(char *const *texts, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(array, sp_html_text(texts[i]));
  return array;
}

static json_t *pair(const char *name, json_t *value) {
  json_t *array = json_array();
  json_array_append_new(array, sp_html_text(name));
  json_array_append_new(array, value);
  return array;
}

json_t *sp_html_amounts(const struct sp_amounts *amounts) {
  json_t *array = json_array();
  for (size_t i = 0; i < amounts->n; i++)
    json_array_append_new(array, pair(amounts->items[i].name, sp_html_real(amounts->items[i].value)));
  return array;
}

json_t *sp_html_outcomes(const int64_t *outcomes) {
  json_t *array = json_array();
  for (int i = SP_OUTCOME_OK; i < SP_OUTCOME_COUNT; i++) {
    if (outcomes[i] > 0)
      json_array_append_new(array, pair(sp_outcome_name((enum sp_outcome)i), json_integer(outcomes[i])));
  }
  return array;
}

json_t *sp_html_bounds(const struct sp_bound *bounds, size_t n) {
  static const char *const met[] = {"missed", "met", "unknown"};
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) {
    char limit[64], value[64];
    json_array_append_new(
        array, json_pack("{so ss ss ss}", "name", sp_html_text(bounds[i].name), "limit",
                         sp_report_bound_text(&bounds[i], bounds[i].limit, limit, sizeof limit), "value",
                         sp_report_bound_text(&bounds[i], bounds[i].value, value, sizeof value), "met",
                         met[bounds[i].met]));
  }
  return array;
}

// Words of a shell that need no quotes.
static bool is_plain(const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return *word && word[strspn(word, plain)] == '\0';
}

char *sp_html_command(char *const *command, size_t n) {
  bool has_name = n && strstr(command[0], "servepath");
  char *text = sp_copy_text(has_name ? "" : "servepath");
  for (size_t i = 0; i < n; i++) {
    char *word = sp_printable_text(command[i]);
    const char *quote = is_plain(word) ? "" : "'";
    char *quoted = sp_copy_text("");
    for (const char *at = word; *at; at++) { // ' as '\''
      char *longer = *at == '\'' ? sp_format("%s'\\''", quoted) : sp_format("%s%c", quoted, *at);
      free(quoted);
      quoted = longer;
    }
    char *longer = sp_format("%s%s%s%s%s", text, *text ? " " : "", quote, quoted, quote);
    free(quoted);
    free(word);
    free(text);
    text = longer;
  }
  return text;
}

static json_t *figure(const struct sp_figure *figure) {
  if (figure->n == 0) return json_null();
  json_t *json =
      json_pack("{sI so so so}", "n", (json_int_t)figure->n, "median", sp_html_real(figure->median), "min",
                sp_html_real(figure->min), "max", sp_html_real(figure->max));
  if (isinf(figure->median)) json_object_set_new(json, "no_answer", json_true());
  if (figure->is_episodic) json_object_set_new(json, "episodic", json_true());
  if (figure->is_driver_limited) json_object_set_new(json, "driver_limited", json_true());
  return json;
}

// Parallel arrays: at = log10(1/(1-q)) in 40ths, us (null: no answer), state by its first letter: r e u n.
static json_t *curve_json(const struct sp_curve *curve) {
  struct sp_curve_point points[CURVE_POINTS];
  size_t n = sp_curve_points(curve, points, CURVE_POINTS);
  json_int_t n_events = curve->histogram.n + curve->n_above;
  if (n == 0) return json_null();
  json_t *at = json_array(), *us = json_array();
  char states[CURVE_POINTS + 1] = {0};
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(at, json_integer((json_int_t)lround(-log10(1 - points[i].q) * CURVE_STEPS)));
    json_array_append_new(
        us, points[i].ns < 0 ? json_null() : sp_html_real(sp_html_rounded((double)points[i].ns / 1000, 4)));
    states[i] = sp_percentile_state_name(points[i].state)[0];
  }
  return json_pack("{so so ss sf sI sI sb}", "at", at, "us", us, "state", states, "resolved_q",
                   sp_curve_resolved_q(curve), "n", n_events, "no_answer", (json_int_t)curve->n_above,
                   "service", curve->is_service);
}

static json_t *curve_of(const struct sp_report *report, const struct sp_report_row *row) {
  if (!row->has_response) return json_null();
  struct sp_curve curve;
  struct sp_error error;
  json_t *json;
  sp_curve_init(&curve);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < row->n_trials; i++) {
    const struct sp_result *r = report->trials[row->trials[i]].result;
    if (sp_report_is_counted(row, r)) err = sp_curve_add(&curve, r, &error);
  }
  json = err ? json_pack("{so}", "damaged", sp_html_text(error.text)) : curve_json(&curve);
  sp_curve_done(&curve);
  return json;
}

// Means over the trials that count, of all events and of those at or above p99.
static json_t *stages_of(const struct sp_report *report, const struct sp_report_row *row) {
  json_t *array = json_array();
  for (int stage = 0; row->has_response && stage < SP_STAGE_COUNT; stage++) {
    double sum[2] = {0}, n[2] = {0};
    for (size_t i = 0; i < row->n_trials; i++) {
      const struct sp_result *r = report->trials[row->trials[i]].result;
      const struct sp_stage_figures *figures = &r->stages[stage];
      if (!sp_report_is_counted(row, r) || !figures->present) continue;
      const double values[] = {figures->mean_ns, figures->mean_above_p99_ns};
      for (int k = 0; k < 2; k++) {
        if (isfinite(values[k])) sum[k] += values[k], n[k]++;
      }
    }
    if (n[0] == 0) continue;
    json_array_append_new(array, json_pack("[s, o, o]", sp_stage_name((enum sp_stage)stage),
                                           sp_html_real(sum[0] / n[0]), sp_html_real(sum[1] / n[1])));
  }
  return array;
}

static double mean_over(const struct sp_report *report, const struct sp_report_row *row,
                        double (*value)(const struct sp_result *r, const void *what), const void *what) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < row->n_trials; i++) {
    const struct sp_result *r = report->trials[row->trials[i]].result;
    double one = sp_report_is_counted(row, r) ? value(r, what) : NAN;
    if (isfinite(one)) sum += one, n++;
  }
  return n ? sum / (double)n : NAN;
}

static double cpu_of(const struct sp_result *r, const void *name) {
  return sp_amounts_get(&r->cpu_us_per_event, name);
}
static double rss_of(const struct sp_result *r, const void *name) {
  return sp_amounts_get(&r->rss_bytes, name);
}
static double residual_of(const struct sp_result *r, const void *unused) {
  return (void)unused, r->residual_ns;
}
static double response_mean_of(const struct sp_result *r, const void *unused) {
  return (void)unused, r->response.present ? r->response.mean_ns : NAN;
}

static json_t *processes_of(const struct sp_report *report, const struct sp_report_row *row,
                            double (*value)(const struct sp_result *r, const void *what)) {
  static const char *const names[] = {"app", "server", "broker", "relay", "driver"};
  json_t *array = json_array();
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    double mean = mean_over(report, row, value, names[i]);
    if (isfinite(mean)) json_array_append_new(array, pair(names[i], sp_html_real(mean)));
  }
  return array;
}

static json_t *errors_of(const struct sp_report *report, const struct sp_report_row *row) {
  json_t *array = json_array();
  for (size_t i = 0; i < row->n_trials; i++) {
    const struct sp_result *r = report->trials[row->trials[i]].result;
    for (size_t k = 0; sp_report_is_counted(row, r) && k < r->n_errors && json_array_size(array) < 12; k++) {
      const struct sp_error_group *group = &r->errors[k];
      json_array_append_new(
          array, json_pack("{ss si so sI sI si}", "outcome", sp_outcome_name(group->outcome), "code",
                           group->code, "text", sp_html_text(group->text), "count", (json_int_t)group->count,
                           "event", (json_int_t)group->first_event, "trial", (int)row->trials[i]));
    }
  }
  return array;
}

static void add_examples(json_t *array, const struct sp_result *r) {
  for (size_t k = 0; k < r->predictions.n_examples && json_array_size(array) < SP_RESULT_EXAMPLES; k++) {
    json_array_append_new(array, json_pack("{sI so}", "event", (json_int_t)r->predictions.examples[k].event,
                                           "text", sp_html_text(r->predictions.examples[k].text)));
  }
}

static json_t *outcomes_of(const struct sp_report *report, const struct sp_report_row *row,
                           json_t *examples) {
  int64_t outcomes[SP_OUTCOME_COUNT] = {0};
  for (size_t i = 0; i < row->n_trials; i++) {
    const struct sp_result *r = report->trials[row->trials[i]].result;
    if (!sp_report_is_counted(row, r)) continue;
    for (int k = 0; k < SP_OUTCOME_COUNT; k++) outcomes[k] += r->outcomes[k];
    add_examples(examples, r);
  }
  return sp_html_outcomes(outcomes);
}

json_t *sp_html_side(const struct sp_report *report, const struct sp_report_row *row, const char *label) {
  const struct sp_result *first = report->trials[row->trials[0]].result;
  json_t *json = json_object(), *percentiles = json_array(), *examples = json_array();
  for (int i = 0; i < SP_PERCENTILES; i++)
    json_array_append_new(percentiles, row->has_response ? figure(&row->percentiles[i]) : json_null());
  json_object_set_new(json, "label", sp_html_text(label));
  json_object_set_new(json, "counted", json_integer((json_int_t)row->n_counted));
  json_object_set_new(json, "valid", json_integer((json_int_t)row->n_valid));
  json_object_set_new(json, "percentiles", percentiles);
  json_object_set_new(json, "service_p99", row->has_response ? figure(&row->service_p99) : json_null());
  json_object_set_new(json, "curve", curve_of(report, row));
  json_object_set_new(json, "stages", stages_of(report, row));
  json_object_set_new(json, "response_mean",
                      sp_html_real(row->has_response ? mean_over(report, row, response_mean_of, NULL) : NAN));
  json_object_set_new(json, "residual",
                      sp_html_real(row->has_response ? mean_over(report, row, residual_of, NULL) : NAN));
  json_object_set_new(json, "cpu", processes_of(report, row, cpu_of));
  json_object_set_new(json, "rss", processes_of(report, row, rss_of));
  json_object_set_new(json, "intended", json_integer(row->n_intended));
  json_object_set_new(json, "outcomes", outcomes_of(report, row, examples));
  json_object_set_new(json, "errors", errors_of(report, row));
  json_object_set_new(json, "checked", json_integer(row->n_checked));
  json_object_set_new(json, "mismatched", json_integer(row->n_mismatched));
  json_object_set_new(json, "examples", examples);
  json_object_set_new(json, "stub", json_boolean(row->is_stub));
  json_object_set_new(json, "mock", json_boolean(sp_report_is_mock(first)));
  json_object_set_new(json, "closed", json_boolean(first->closed_loop));
  char *command = sp_html_command(first->command, first->n_command);
  json_object_set_new(json, "command", json_string(command));
  free(command);
  return json;
}
