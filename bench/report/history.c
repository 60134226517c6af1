#include "report/history.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html_data.h"
#include "result/metric.h"
#include "stats/changes.h"

#define ALPHA       0.05
#define SEED        1
#define CHANGES_MAX 16
#define ROUNDING    1e-9

// No metric of a trial: what a search came to, in its lines of the history alone.
static const struct sp_metric sustainable = {.name = "sustainable",
                                             .title = "sustainable",
                                             .unit = "/s",
                                             .role = SP_METRIC_PRIMARY,
                                             .more_is_better = true,
                                             .better = "higher",
                                             .worse = "lower",
                                             .percentile_i = -1};

struct point {
  const struct sp_history_line *line; // borrowed
  double value;
};
struct series {
  const struct sp_metric *metric;
  struct point *points; // in order of time
  size_t n;
  struct sp_change changes[CHANGES_MAX];
  size_t n_changes;
  size_t
      n_since; // runs after the last point that have no value: the figure that is shown is not the last run's
  size_t from; // of the last level
  double low, high; // NAN: too few runs
};

static bool is_same(const char *a, const char *b) {
  return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_of(const struct sp_history_line *a, const struct sp_history_line *b) {
  return is_same(a->case_name, b->case_name) && is_same(a->side, b->side) &&
         is_same(a->fingerprint, b->fingerprint) && is_same(a->load_digest, b->load_digest);
}

// Lines are appended as runs end; two that ran at once may stand in the other order.
static int compare_times(const void *left, const void *right) {
  const struct sp_history_line *a = ((const struct point *)left)->line,
                               *b = ((const struct point *)right)->line;
  int order = strcmp(a->at ? a->at : "", b->at ? b->at : "");
  return order ? order : (a > b) - (a < b);
}

static void find_changes(struct series *series) {
  double *values = sp_alloc((series->n + 1) * sizeof *values);
  bool is_log = true;
  for (size_t i = 0; i < series->n; i++) is_log &= series->points[i].value > 0;
  for (size_t i = 0; i < series->n; i++)
    values[i] = is_log ? log(series->points[i].value) : series->points[i].value;
  series->n_changes = sp_changes_find(values, series->n, ALPHA, SEED, series->changes, CHANGES_MAX);
  if (series->n_changes) series->from = series->changes[series->n_changes - 1].first_i;
  sp_changes_band(values, series->from, series->n, &series->low, &series->high);
  for (size_t i = 0; is_log && i < series->n_changes; i++) {
    series->changes[i].before = exp(series->changes[i].before);
    series->changes[i].after = exp(series->changes[i].after);
  }
  if (is_log) series->low = exp(series->low), series->high = exp(series->high);
  free(values);
}

// The series of one metric that the line `first` begins; empty where no line of it has the metric.
static struct series series_of(const struct sp_history *history, size_t first,
                               const struct sp_metric *metric) {
  struct series series = {.metric = metric, .low = NAN, .high = NAN};
  series.points = sp_alloc((history->n + 1) * sizeof *series.points);
  for (size_t i = first; i < history->n; i++) {
    double value = sp_facts_number_of(&history->lines[i].metrics, metric->name);
    if (is_of(&history->lines[first], &history->lines[i]) && isfinite(value))
      series.points[series.n++] = (struct point){&history->lines[i], value};
  }
  if (series.n == 0) return series;
  qsort(series.points, series.n, sizeof *series.points, compare_times);
  for (size_t i = first; i < history->n; i++) {
    const struct point own = {&history->lines[i], 0};
    series.n_since += is_of(&history->lines[first], own.line) &&
                      is_same(own.line->verb, series.points[series.n - 1].line->verb) &&
                      compare_times(&own, &series.points[series.n - 1]) > 0;
  }
  find_changes(&series);
  return series;
}

static void series_done(struct series *series) {
  free(series->points);
}

static bool is_first_of_its_kind(const struct sp_history *history, size_t line) {
  for (size_t i = 0; i < line; i++) {
    if (is_of(&history->lines[i], &history->lines[line])) return false;
  }
  return true;
}

static void for_each(const struct sp_history *history,
                     void (*visit)(void *context, const struct series *series), void *context) {
  for (size_t i = 0; i < history->n; i++) {
    if (!is_first_of_its_kind(history, i)) continue;
    for (size_t k = 0; k <= sp_n_metrics; k++) {
      struct series series = series_of(history, i, k < sp_n_metrics ? &sp_metrics[k] : &sustainable);
      if (series.n) visit(context, &series);
      series_done(&series);
    }
  }
}

static void print_band(FILE *to, const struct series *series) {
  char low[SP_METRIC_TEXT_BYTES], high[SP_METRIC_TEXT_BYTES], text[2 * SP_METRIC_TEXT_BYTES + 8] = "-";
  double last = series->points[series->n - 1].value;
  double rounding = ROUNDING * fabs(last); // of the logarithms: equal values are no outliers
  bool is_outside = last < series->low - rounding || last > series->high + rounding;
  if (isfinite(series->low)) {
    snprintf(text, sizeof text, "%s to %s", sp_metric_text(series->metric, series->low, low, sizeof low),
             sp_metric_text(series->metric, series->high, high, sizeof high));
  }
  fprintf(to, is_outside ? "  %-20s  outside" : "  %s", text);
}

static void print_changes(FILE *to, const struct series *series) {
  for (size_t i = 0; i < series->n_changes; i++) {
    const struct sp_change *change = &series->changes[i];
    const struct sp_history_line *line = series->points[change->first_i].line;
    char before[SP_METRIC_TEXT_BYTES], after[SP_METRIC_TEXT_BYTES], build[SP_CELL_BYTES], at[SP_CELL_BYTES];
    fprintf(to, "    change at run %zu of %s, build %s: %s to %s (p %.2g)\n", change->first_i + 1,
            sp_cell_text(at, line->at, 20), sp_cell_text(build, line->build, 24),
            sp_metric_text(series->metric, change->before, before, sizeof before),
            sp_metric_text(series->metric, change->after, after, sizeof after), change->p);
  }
}

static void print_series(void *context, const struct series *series) {
  FILE *to = context;
  char name[SP_CELL_BYTES], side[SP_CELL_BYTES], last[SP_METRIC_TEXT_BYTES];
  if (series->metric->role == SP_METRIC_EXPLORATORY) return;
  sp_cell_text(name, series->points[0].line->case_name, 16);
  sp_cell_text(side, series->points[0].line->side, 20);
  sp_metric_text(series->metric, series->points[series->n - 1].value, last, sizeof last);
  fprintf(to, "%-16s  %-20s  %-14s  %4zu  %10s", name, side, series->metric->title, series->n, last);
  print_band(to, series);
  fputc('\n', to);
  print_changes(to, series);
  if (series->n_since)
    fprintf(to, "    no value in the %zu %s since: no answer, or too few events\n", series->n_since,
            series->n_since > 1 ? "runs" : "run");
}

void sp_report_history_print(const struct sp_history *history, FILE *to) {
  fprintf(to, "%-16s  %-20s  %-14s  %4s  %10s  %s\n", "case", "side", "metric", "runs", "last", "noise band");
  for_each(history, print_series, to);
}

static json_t *points_json(const struct series *series) {
  json_t *points = json_array();
  for (size_t i = 0; i < series->n; i++) {
    const struct sp_history_line *line = series->points[i].line;
    json_array_append_new(points,
                          json_pack("{so so so so so}", "at", sp_html_text(line->at), "value",
                                    sp_html_real(series->points[i].value), "build", sp_html_text(line->build),
                                    "verdict", sp_html_text(line->verdict), "id", sp_html_text(line->id)));
  }
  return points;
}

static void add_series(void *context, const struct series *series) {
  json_t *changes = json_array(), *json = json_object();
  const struct sp_history_line *first = series->points[0].line;
  for (size_t i = 0; i < series->n_changes; i++) {
    const struct sp_change *change = &series->changes[i];
    json_array_append_new(changes, json_pack("{sI so so so}", "first_i", (json_int_t)change->first_i,
                                             "before", sp_html_real(change->before), "after",
                                             sp_html_real(change->after), "p", sp_html_real(change->p)));
  }
  json_object_set_new(json, "case", sp_html_text(first->case_name ? first->case_name : "-"));
  json_object_set_new(json, "side", sp_html_text(first->side ? first->side : "-"));
  json_object_set_new(json, "load", sp_html_text(first->load_digest));
  json_object_set_new(json, "fingerprint", sp_html_text(first->fingerprint));
  json_object_set_new(json, "metric", json_string(series->metric->name));
  json_object_set_new(json, "title", json_string(series->metric->title));
  json_object_set_new(json, "unit", json_string(series->metric->unit));
  json_object_set_new(json, "low", sp_html_real(series->low));
  json_object_set_new(json, "high", sp_html_real(series->high));
  json_object_set_new(json, "from", json_integer((json_int_t)series->from));
  json_object_set_new(json, "points", points_json(series));
  json_object_set_new(json, "changes", changes);
  json_array_append_new(context, json);
}

char *sp_report_history_json(const struct sp_history *history) {
  json_t *json = json_array();
  for_each(history, add_series, json);
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
  SP_ASSERT(text);
  json_decref(json);
  return text;
}
