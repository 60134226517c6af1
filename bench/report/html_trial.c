// A trial of the page: whether it counts and why not, its checks, its timeline; and what it was measured on.
#include <stdlib.h>
#include <string.h>

#include "report/html_data.h"

#define TIMELINE_ROWS 240 // more than a chart can show apart

// Index of [name, limit] in the page's list, which says each once; added where it is new.
static json_int_t kind_of(json_t *kinds, const struct sp_check *check) {
  json_t *kind = json_pack("[o, o]", sp_html_text(check->name), sp_html_real(check->limit));
  for (size_t i = 0; i < json_array_size(kinds); i++) {
    if (!json_equal(json_array_get(kinds, i), kind)) continue;
    json_decref(kind);
    return (json_int_t)i;
  }
  json_array_append_new(kinds, kind);
  return (json_int_t)json_array_size(kinds) - 1;
}

// [kind, value], and of a missed one its remedy: [kind, value, remedy or null].
static json_t *checks_of(const struct sp_result *r, json_t *kinds) {
  json_t *array = json_array();
  for (size_t i = 0; i < r->n_checks; i++) {
    const struct sp_check *check = &r->checks[i];
    json_t *one = json_pack("[I, o]", kind_of(kinds, check), sp_html_real(check->value));
    if (!check->met) json_array_append_new(one, sp_html_text(check->remedy));
    json_array_append_new(array, one);
  }
  return array;
}

enum { T, SENT, DONE, NOT_OK, P50, P99, MAX, BACKLOG, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"t",   "sent", "done", "not_ok",
                                                    "p50", "p99",  "max",  "backlog"};

// Of `step` seconds from first: counts per second; the largest of each time and of the backlog. -1: none.
static void merge_seconds(const struct sp_timeline_row *rows, size_t n, double *out) {
  for (int i = 0; i < N_COLUMNS; i++) out[i] = i >= P50 ? -1 : 0;
  out[T] = (double)rows[0].figures.second;
  for (size_t i = 0; i < n; i++) {
    const struct sp_second *s = &rows[i].figures;
    const double largest[] = {(double)s->p50_ns, (double)s->p99_ns, (double)s->max_ns, (double)s->backlog};
    out[SENT] += (double)s->n_sent / (double)n;
    out[DONE] += (double)s->n_done / (double)n;
    out[NOT_OK] += (double)s->n_not_ok / (double)n;
    for (int k = 0; k < 4; k++) {
      if (largest[k] > out[P50 + k]) out[P50 + k] = largest[k];
    }
  }
}

// Without the idle end of the drain.
static size_t n_seconds_of(const struct sp_result *r) {
  size_t n = r->n_timeline;
  for (; n > 0; n--) {
    const struct sp_timeline_row *row = &r->timeline[n - 1];
    const struct sp_second *s = &row->figures;
    if (s->n_sent || s->n_done || s->n_not_ok || s->backlog || row->mark) break;
  }
  return n;
}

static json_t *timeline_of(const struct sp_result *r) {
  size_t n_seconds = n_seconds_of(r), step = (n_seconds + TIMELINE_ROWS - 1) / TIMELINE_ROWS;
  if (n_seconds == 0) return json_null();
  json_t *columns[N_COLUMNS], *marks = json_array(), *json = json_object();
  for (int i = 0; i < N_COLUMNS; i++) columns[i] = json_array();
  for (size_t i = 0; i < n_seconds; i += step) {
    size_t n = n_seconds - i < step ? n_seconds - i : step;
    double values[N_COLUMNS];
    merge_seconds(&r->timeline[i], n, values);
    for (int k = 0; k < N_COLUMNS; k++) {
      bool is_absent = k >= P50 && values[k] < 0;
      json_array_append_new(columns[k],
                            is_absent ? json_null() : json_integer((json_int_t)(values[k] + (k ? 0.5 : 0))));
    }
  }
  for (size_t i = 0; i < r->n_timeline; i++) {
    if (r->timeline[i].mark) {
      json_array_append_new(marks, json_pack("[I, o]", (json_int_t)r->timeline[i].figures.second,
                                             sp_html_text(r->timeline[i].mark)));
    }
  }
  for (int i = 0; i < N_COLUMNS; i++) json_object_set_new(json, column_names[i], columns[i]);
  json_object_set_new(json, "marks", marks);
  json_object_set_new(json, "step", json_integer((json_int_t)step));
  return json;
}

json_t *sp_html_trial(const struct sp_report_trial *trial, bool with_bounds, json_t *kinds) {
  const struct sp_result *r = trial->result;
  json_t *json = json_object();
  json_object_set_new(json, "dir", sp_html_text(trial->dir));
  json_object_set_new(json, "window_s", sp_html_real(r->window_s));
  if (!r->complete)
    json_object_set_new(json, "incomplete", sp_html_text(r->incomplete ? r->incomplete : "not finished"));
  if (r->n_reasons) json_object_set_new(json, "reasons", sp_html_texts(r->reasons, r->n_reasons));
  if (sp_report_is_mock(r)) json_object_set_new(json, "mock", json_true());
  json_object_set_new(json, "checks", checks_of(r, kinds));
  if (with_bounds) json_object_set_new(json, "bounds", sp_html_bounds(r->bounds, r->n_bounds));
  json_object_set_new(json, "timeline", timeline_of(r));
  return json;
}

static json_t *fact_value(const struct sp_fact *fact) {
  switch (fact->kind) {
  case SP_FACT_TEXT: return sp_html_text(fact->text);
  case SP_FACT_COUNT: return json_integer((json_int_t)fact->count);
  case SP_FACT_REAL: return sp_html_real(fact->real);
  case SP_FACT_FLAG: return json_boolean(fact->count != 0);
  default: return json_null();
  }
}

static void add_group(json_t *groups, const char *name, const struct sp_facts *facts) {
  json_t *items = json_array();
  for (size_t i = 0; i < facts->n; i++) {
    if (!sp_report_is_shown(&facts->items[i])) continue;
    json_t *item = json_array();
    json_array_append_new(item, sp_html_text(facts->items[i].name));
    json_array_append_new(item, fact_value(&facts->items[i]));
    json_array_append_new(items, item);
  }
  if (json_array_size(items))
    json_array_append_new(groups, json_pack("[s, o]", name, items));
  else
    json_decref(items);
}

json_t *sp_html_facts(const struct sp_result *r) {
  json_t *groups = json_array();
  add_group(groups, "scenario", &r->scenario);
  add_group(groups, "load", &r->load);
  add_group(groups, "recording", &r->recording);
  add_group(groups, "model", &r->model);
  add_group(groups, "server", &r->server);
  add_group(groups, "broker", &r->broker);
  add_group(groups, "delivery", &r->delivery);
  add_group(groups, "machine", &r->machine);
  add_group(groups, "build", &r->build);
  add_group(groups, "tags", &r->tags);
  return groups;
}
