// A view of the page is a comparison with its sides, or the sides of one case and load that were measured without one.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "report/crossover.h"
#include "report/html_data.h"

// A page of two sides stays below 300 KiB with all 84 trials of a gate (tests/e2e/report_page.sh).
#define ROWS_OF_ALL 900
#define ROWS_MAX    240 // more than a chart can show apart
#define ROWS_MIN    8

static const struct sp_compared_trial *find_compared(const struct sp_comparison *c, const char *run_id) {
  for (size_t i = 0; i < c->n_trials; i++) {
    if (c->trials[i].run_id && strcmp(c->trials[i].run_id, run_id) == 0) return &c->trials[i];
  }
  return NULL;
}

static bool is_compared(const struct sp_report *report, size_t trial) {
  bool is_known = false;
  for (size_t i = 0; i < report->n_comparisons && !is_known; i++)
    is_known = find_compared(report->comparisons[i].comparison, report->trials[trial].result->run_id);
  return is_known;
}

static bool is_row_compared(const struct sp_report *report, const struct sp_report_row *row) {
  for (size_t t = 0; t < row->n_trials; t++) {
    if (!is_compared(report, row->trials[t])) return false;
  }
  return true;
}

// "fraud, direct, 2,000/s poisson, 6 s"
static json_t *heading_of(const struct sp_report_row *row, const struct sp_result *r) {
  char rate[SP_CELL_BYTES], window[32];
  snprintf(window, sizeof window, "%.4g s", r->window_s);
  char *text =
      isnan(row->concurrency)
          ? sp_format("%s, %s, %s/s %s, %s", row->name, row->via,
                      sp_units_print_rate(row->rate_per_s, rate, sizeof rate), row->arrival, window)
          : sp_format("%s, %s, closed loop of %.0f, %s", row->name, row->via, row->concurrency, window);
  json_t *json = sp_html_text(text);
  free(text);
  return json;
}

// The trials of a side that a comparison names; those that do not count too, if all are wanted. From malloc.
static size_t *side_trials(const struct sp_report *report, const struct sp_comparison *c, size_t side_i,
                           bool all, size_t *n) {
  size_t *trials = sp_alloc((report->n_trials + 1) * sizeof *trials);
  *n = 0;
  for (size_t i = 0; i < report->n_trials; i++) {
    const struct sp_compared_trial *trial = find_compared(c, report->trials[i].result->run_id);
    if (!trial || trial->side_i != side_i) continue;
    if (all || (trial->is_counted && !trial->is_confirming)) trials[(*n)++] = i;
  }
  return trials;
}

// A trial of a view: [trial or null, side, pair or null, seed, 1 where it counts + 2 where it is of a fresh pair], then where it needs
// them the reason that it does not count and, of a trial that is not here, its folder.
static json_t *listed(json_t *at, size_t side_i, json_t *pair, double seed, bool is_counted,
                      bool is_confirming) {
  return json_pack("[o, I, o, o, i]", at, (json_int_t)side_i, pair, sp_html_real(seed),
                   (is_counted ? 1 : 0) + (is_confirming ? 2 : 0));
}

// The trial of that name; SIZE_MAX: its folder is not where the comparison names it.
static size_t find_trial(const struct sp_report *report, const char *run_id) {
  for (size_t i = 0; i < report->n_trials && run_id; i++) {
    if (strcmp(report->trials[i].result->run_id, run_id) == 0) return i;
  }
  return SIZE_MAX;
}

// Every trial of the comparison, and the driver's checks over those that are here.
static void list_trials(json_t *view, const struct sp_report *report, const struct sp_comparison *c) {
  json_t *array = json_array();
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
  const struct sp_result **results = sp_alloc((c->n_trials + 1) * sizeof *results);
  size_t n = 0;
  for (size_t i = 0; i < c->n_trials; i++) {
    const struct sp_compared_trial *trial = &c->trials[i];
    size_t at = find_trial(report, trial->run_id);
    bool is_here = at != SIZE_MAX;
    json_t *one = listed(is_here ? json_integer((json_int_t)at) : json_null(), trial->side_i,
                         json_integer((json_int_t)trial->pair_i), (double)trial->seed, trial->is_counted,
                         trial->is_confirming);
    if (trial->reason || !is_here) json_array_append_new(one, sp_html_text(trial->reason));
    if (!is_here) json_array_append_new(one, sp_html_text(trial->dir));
    if (is_here) results[n++] = report->trials[at].result;
    json_array_append_new(array, one);
  }
  json_object_set_new(view, "trials", array);
  json_object_set_new(view, "checks", sp_html_checks(results, n));
  free(results);
}

static json_t *comparison_view(const struct sp_report *report, const struct sp_report_comparison *one) {
  const struct sp_comparison *c = one->comparison;
  json_t *json = json_object(), *sides = json_array(), *facts = json_null(), *heading = NULL;
  for (size_t i = 0; i < c->n_sides; i++) {
    size_t n;
    size_t *trials = side_trials(report, c, i, false, &n);
    if (n == 0) {
      free(trials);
      trials = side_trials(report, c, i, true, &n);
    }
    if (n == 0) {
      free(trials);
      json_array_append_new(sides, json_null());
      continue;
    }
    const char *label = c->sides[i].label ? c->sides[i].label : c->sides[i].name;
    struct sp_report_row row = sp_report_row_of(report, trials, n);
    json_array_append_new(sides, sp_html_side(report, &row, label ? label : row.label));
    if (!heading) {
      heading = heading_of(&row, report->trials[trials[0]].result);
      facts = sp_html_facts(report->trials[trials[0]].result);
    }
    free(trials);
  }
  json_object_set_new(json, "heading",
                      heading ? heading : sp_html_text(sp_facts_text_of(&c->scenario, "name", "comparison")));
  json_object_set_new(json, "dir", sp_html_text(one->dir));
  json_object_set_new(json, "comparison", sp_html_comparison(c));
  json_object_set_new(json, "sides", sides);
  json_object_set_new(json, "facts", facts);
  list_trials(json, report, c);
  return json;
}

static bool is_same_view(const struct sp_report_row *a, const struct sp_report_row *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->via, b->via) == 0 &&
         strcmp(a->arrival, b->arrival) == 0 &&
         (a->rate_per_s == b->rate_per_s || (isnan(a->rate_per_s) && isnan(b->rate_per_s))) &&
         (a->concurrency == b->concurrency || (isnan(a->concurrency) && isnan(b->concurrency)));
}

// What sets the later side apart from the first, where names do not say it.
static void add_differences(json_t *differences, const struct sp_result *a, const struct sp_result *b) {
  char text[SP_REPORT_DIFFERENCE_BYTES];
  if (a->path && b->path && strcmp(a->path, b->path) != 0) {
    char *line = sp_format("path: %s, %s", a->path, b->path);
    json_array_append_new(differences, sp_html_text(line));
    free(line);
  }
  if (sp_report_difference(a, b, text, sizeof text)) json_array_append_new(differences, sp_html_text(text));
}

static json_t *rows_view(const struct sp_report *report, const struct sp_report_row *rows, size_t n) {
  const struct sp_result *first = report->trials[rows[0].trials[0]].result;
  json_t *json = json_object(), *sides = json_array(), *differences = json_array(), *trials = json_array();
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
  const struct sp_result **results = sp_alloc((report->n_trials + 1) * sizeof *results);
  size_t n_results = 0;
  for (size_t i = 0; i < n; i++) {
    char *label = *rows[i].by ? sp_format("%s, %s %s", rows[i].label, report->by, rows[i].by)
                              : sp_copy_text(rows[i].label);
    json_array_append_new(sides, sp_html_side(report, &rows[i], label));
    free(label);
    if (i) add_differences(differences, first, report->trials[rows[i].trials[0]].result);
    for (size_t t = 0; t < rows[i].n_trials; t++) {
      const struct sp_result *r = report->trials[rows[i].trials[t]].result;
      json_array_append_new(trials,
                            listed(json_integer((json_int_t)rows[i].trials[t]), i, json_null(),
                                   sp_facts_number_of(&r->load, "seed"), sp_result_is_usable(r), false));
      results[n_results++] = r;
    }
  }
  json_object_set_new(json, "heading", heading_of(&rows[0], first));
  json_object_set_new(json, "sides", sides);
  json_object_set_new(json, "facts", sp_html_facts(first));
  json_object_set_new(json, "differences", differences);
  json_object_set_new(json, "trials", trials);
  json_object_set_new(json, "checks", sp_html_checks(results, n_results));
  free(results);
  return json;
}

static json_t *views_of(const struct sp_report *report) {
  json_t *views = json_array();
  for (size_t i = 0; i < report->n_comparisons; i++)
    json_array_append_new(views, comparison_view(report, &report->comparisons[i]));
  struct sp_report_row *rows = sp_alloc((report->n_rows + 1) * sizeof *rows); // borrowed
  size_t n = 0;
  for (size_t i = 0; i < report->n_rows; i++) {
    if (!is_row_compared(report, &report->rows[i])) rows[n++] = report->rows[i];
  }
  for (size_t i = 0, n_same; i < n; i += n_same) {
    n_same = 1;
    while (i + n_same < n && is_same_view(&rows[i], &rows[i + n_same])) n_same++;
    json_array_append_new(views, rows_view(report, &rows[i], n_same));
  }
  free(rows);
  return views;
}

static json_t *overview_of(const struct sp_report *report) {
  json_t *rows = json_array();
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_report_row *row = &report->rows[i];
    char rate[SP_CELL_BYTES], p50[SP_CELL_BYTES], p99[SP_CELL_BYTES], service[SP_CELL_BYTES],
        cpu[SP_CELL_BYTES], ok[SP_CELL_BYTES], valid[SP_CELL_BYTES];
    json_array_append_new(
        rows, json_pack("{so so so so sb sb so so so so so so so}", "case", sp_html_text(row->name), "via",
                        sp_html_text(row->via), "side", sp_html_text(row->label), "by", sp_html_text(row->by),
                        "invalid", row->n_valid == 0, "stub", row->is_stub, "rate",
                        sp_html_text(sp_cell_rate(rate, row)), "p50",
                        sp_html_text(sp_cell_percentile(p50, row, SP_P50)), "p99",
                        sp_html_text(sp_cell_percentile(p99, row, SP_P99)), "service",
                        sp_html_text(sp_cell_duration(service, &row->service_p99)), "cpu",
                        sp_html_text(sp_cell_cpu(cpu, row)), "ok", sp_html_text(sp_cell_ok(ok, row)), "valid",
                        sp_html_text(sp_cell_valid(valid, row))));
  }
  return rows;
}

static void add_note(void *notes, const char *note) {
  json_array_append_new(notes, sp_html_text(note));
}

static json_t *parsed(const char *text) {
  json_t *json = text ? json_loads(text, 0, NULL) : NULL;
  return json ? json : json_null();
}

static json_t *sweeps_of(const struct sp_report *report) {
  json_t *array = json_array();
  for (size_t i = 0; i < report->n_sweeps; i++) {
    char *text = sp_crossover_json(&report->sweeps[i].sweep);
    json_array_append_new(array, parsed(text));
    free(text);
  }
  return array;
}

// How many bytes of every trial's folder are the same, up to a slash.
static size_t root_of(const struct sp_report *report) {
  const char *first = report->n_trials ? report->trials[0].dir : "";
  size_t n = strlen(first);
  for (size_t i = 0; i < report->n_trials; i++) {
    size_t same = 0;
    while (same < n && report->trials[i].dir[same] == first[same]) same++;
    n = same;
  }
  while (n > 0 && first[n - 1] != '/') n--;
  return n;
}

static json_t *root_text(const struct sp_report *report, size_t n) {
  char *root = n ? sp_format("%.*s", (int)n, report->trials[0].dir) : sp_copy_text("");
  json_t *json = sp_html_text(root);
  free(root);
  return json;
}

// Rows of one trial's timeline: few trials in every second, many in as many rows together as the page has room for.
static size_t rows_of_one(const struct sp_report *report) {
  size_t n = report->n_trials ? ROWS_OF_ALL / report->n_trials : ROWS_MAX;
  return n > ROWS_MAX ? ROWS_MAX : n < ROWS_MIN ? ROWS_MIN : n;
}

json_t *sp_html_data(const struct sp_html *html) {
  const struct sp_report *report = html->report;
  json_t *json = json_object(), *notes = json_array(), *trials = json_array();
  size_t n_root = root_of(report), max_rows = rows_of_one(report);
  for (size_t i = 0; i < report->n_trials; i++)
    json_array_append_new(trials,
                          sp_html_trial(&report->trials[i], n_root, !is_compared(report, i), max_rows));
  if (report->n_rows) sp_report_notes(report, add_note, notes);
  json_object_set_new(json, "title", sp_html_text(html->title));
  json_object_set_new(json, "by", sp_html_text(report->by));
  json_object_set_new(json, "rows", overview_of(report));
  json_object_set_new(json, "notes", notes);
  json_object_set_new(json, "views", views_of(report));
  json_object_set_new(json, "root", root_text(report, n_root));
  json_object_set_new(json, "trials", trials);
  json_object_set_new(json, "history", parsed(html->history_json));
  json_object_set_new(json, "sweeps", sweeps_of(report));
  return json;
}
