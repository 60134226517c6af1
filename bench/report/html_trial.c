// Trials of the page: why one does not count, its timeline; the checks of many; and what they were measured on.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html_data.h"

// --- Checks ---

struct found_check {                     // one check over trials; borrowed
  const struct sp_check *worst, *missed; // missed: the last that was; NULL: none
  size_t n, n_missed;
};

// Shares that must be high are worst when low.
static bool is_worse(const struct sp_check *a, const struct sp_check *b) {
  if (!isfinite(a->value) || !isfinite(b->value)) return isfinite(a->value) && !isfinite(b->value);
  return strcmp(a->name, "sent_share") == 0 ? a->value < b->value : a->value > b->value;
}

static void add_check(struct found_check **found, size_t *n, const struct sp_check *check) {
  size_t i = 0;
  if (!check->name) return;
  while (i < *n && strcmp((*found)[i].worst->name, check->name) != 0) i++;
  if (i == *n) {
    *found = sp_realloc(*found, (*n + 1) * sizeof **found);
    (*found)[(*n)++] = (struct found_check){.worst = check};
  }
  struct found_check *one = &(*found)[i];
  if (is_worse(check, one->worst)) one->worst = check;
  one->n++;
  if (check->met) return;
  one->n_missed++;
  one->missed = check;
}

json_t *sp_html_checks(const struct sp_result *const *results, size_t n) {
  json_t *array = json_array();
  struct found_check *found = NULL;
  size_t n_found = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < results[i]->n_checks; k++) add_check(&found, &n_found, &results[i]->checks[k]);
  }
  for (size_t i = 0; i < n_found; i++) {
    const struct found_check *one = &found[i];
    json_array_append_new(array, json_pack("[o, o, o, I, I, o]", sp_html_text(one->worst->name),
                                           sp_html_real(one->worst->value), sp_html_real(one->worst->limit),
                                           (json_int_t)one->n, (json_int_t)one->n_missed,
                                           one->missed ? sp_html_text(one->missed->remedy) : json_null()));
  }
  free(found);
  return array;
}

// --- Timeline ---

enum { T, SENT, DONE, NOT_OK, P50, P99, MAX, BACKLOG, N_COLUMNS };

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

// Three digits are all that a chart or a table of it shows.
static json_t *microseconds(double ns) {
  return ns < 0 ? json_null() : sp_html_real(sp_html_rounded(ns / 1000, 3));
}

// Column k; null where it has nothing but `empty` in it: a trial of a closed loop has no times, and most have nothing not ok.
static json_t *column_of(double (*rows)[N_COLUMNS], size_t n, int k, double empty) {
  json_t *column = json_array();
  bool is_empty = true;
  for (size_t i = 0; i < n; i++) {
    double value = rows[i][k];
    is_empty &= value == empty;
    json_array_append_new(column,
                          k >= P50 && k <= MAX ? microseconds(value) : json_integer((json_int_t)value));
  }
  if (!is_empty) return column;
  json_decref(column);
  return json_null();
}

// The first second where one follows another by the step, else all: shards that were merged may leave gaps.
static json_t *seconds_of(double (*rows)[N_COLUMNS], size_t n, size_t step) {
  for (size_t i = 0; i < n; i++) {
    if (rows[i][T] != rows[0][T] + (double)(i * step)) return column_of(rows, n, T, NAN);
  }
  return json_integer((json_int_t)rows[0][T]);
}

static json_t *marks_of(const struct sp_result *r) {
  json_t *marks = json_array();
  for (size_t i = 0; i < r->n_timeline; i++) {
    if (r->timeline[i].mark) {
      json_array_append_new(marks, json_pack("[I, o]", (json_int_t)r->timeline[i].figures.second,
                                             sp_html_text(r->timeline[i].mark)));
    }
  }
  return marks;
}

// Answered stands as what it lacks to sent: mostly one digit. timeline_of in charts.js reads this.
static json_t *timeline_of(const struct sp_result *r, size_t max_rows) {
  size_t n_seconds = n_seconds_of(r), step = (n_seconds + max_rows - 1) / max_rows, n = 0;
  if (n_seconds == 0) return json_null();
  double(*rows)[N_COLUMNS] = sp_alloc(n_seconds * sizeof *rows);
  for (size_t i = 0; i < n_seconds; i += step, n++) {
    merge_seconds(&r->timeline[i], n_seconds - i < step ? n_seconds - i : step, rows[n]);
    for (int k = SENT; k <= NOT_OK; k++) rows[n][k] = round(rows[n][k]);
    rows[n][DONE] = rows[n][SENT] - rows[n][DONE];
  }
  json_t *json = json_array();
  json_array_append_new(json, seconds_of(rows, n, step));
  json_array_append_new(json, json_integer((json_int_t)step));
  json_array_append_new(json, sp_html_real(r->window_s));
  json_array_append_new(json, column_of(rows, n, SENT, NAN));
  json_array_append_new(json, column_of(rows, n, DONE, 0));
  for (int k = P50; k <= MAX; k++) json_array_append_new(json, column_of(rows, n, k, -1));
  json_array_append_new(json, column_of(rows, n, BACKLOG, 0));
  json_array_append_new(json, column_of(rows, n, NOT_OK, 0));
  json_array_append_new(json, marks_of(r));
  free(rows);
  return json;
}

json_t *sp_html_trial(const struct sp_report_trial *trial, size_t n_root, bool with_bounds, size_t max_rows) {
  const struct sp_result *r = trial->result;
  json_t *json = json_object();
  json_object_set_new(json, "dir", sp_html_text(trial->dir + n_root));
  if (!r->complete)
    json_object_set_new(json, "incomplete", sp_html_text(r->incomplete ? r->incomplete : "not finished"));
  if (r->n_reasons) json_object_set_new(json, "reasons", sp_html_texts(r->reasons, r->n_reasons));
  if (sp_report_is_mock(r)) json_object_set_new(json, "mock", json_true());
  if (with_bounds) json_object_set_new(json, "bounds", sp_html_bounds(r->bounds, r->n_bounds));
  json_object_set_new(json, "timeline", timeline_of(r, max_rows));
  return json;
}

// --- What it was measured on ---

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
