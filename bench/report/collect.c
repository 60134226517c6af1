// Groups trials to rows, and fills these.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/by.h"
#include "report/rows.h"

bool sp_report_is_counted(const struct sp_report_row *row, const struct sp_result *result) {
  return result->complete && (sp_result_is_valid(result) || row->n_valid == 0);
}

static const char *or_dash(const char *text) {
  return text ? text : "-";
}

bool sp_report_is_mock(const struct sp_result *r) {
  return strcmp(sp_facts_text_of(&r->broker, "kind", ""), "mock") == 0;
}

static void add_word(char *label, size_t n, const char *word) {
  size_t n_label = strlen(label);
  snprintf(label + n_label, n - n_label, ", %s", word);
}

// A command by the file name of its first word, as far as that is plain: "/opt/my-app --fast" is my-app.
static void name_command(const char *command, char *name, size_t n) {
  size_t n_word = strcspn(command, " \t"), start = n_word;
  while (start > 0 && command[start - 1] != '/') start--;
  size_t n_plain =
      strspn(command + start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
  if (n_plain > n_word - start) n_plain = n_word - start;
  snprintf(name, n, "%.*s", (int)(n_plain < 24 ? n_plain : 24), command + start);
  if (!name[0]) snprintf(name, n, "a command");
}

static void make_label(const struct sp_result *r, char *label, size_t n) {
  const char *delivery = sp_facts_text_of(&r->delivery, "mode", "at-least-once");
  const char *app = sp_facts_text_of(&r->delivery, "app", NULL),
             *server = sp_facts_text_of(&r->server, "kind", NULL);
  const char *only = sp_facts_text_of(&r->load, "only", NULL),
             *shard = sp_facts_text_of(&r->load, "shard", NULL);
  double n_apps = sp_facts_number_of(&r->delivery, "apps");
  char text[48];
  snprintf(label, n, "%s", or_dash(r->side));
  if (app) name_command(app, text, sizeof text);
  if (app) add_word(label, n, text);
  if (server) name_command(server, text, sizeof text);
  if (server) add_word(label, n, text);
  snprintf(text, sizeof text, "%.0f apps", n_apps);
  if (n_apps > 1) add_word(label, n, text);
  if (strcmp(delivery, "at-least-once") != 0) add_word(label, n, delivery);
  if (strcmp(sp_facts_text_of(&r->delivery, "order", "none"), "key") == 0) add_word(label, n, "in order");
  if (only) add_word(label, n, strcmp(only, "send") == 0 ? "only sent" : "only collected");
  snprintf(text, sizeof text, "shard %.20s", shard ? shard : "");
  if (shard) add_word(label, n, text);
}

static struct sp_report_row row_of(const struct sp_result *r) {
  struct sp_report_row row = {
      .name = sp_facts_text_of(&r->scenario, "name", "-"),
      .via = sp_report_is_mock(r) ? "mock" : or_dash(r->transport),
      .has_response = !sp_report_is_mock(r) && !sp_facts_find(&r->load, "only"),
      .side = or_dash(r->side),
      .arrival = sp_facts_text_of(&r->load, "arrival", "-"),
      .rate_per_s = r->closed_loop ? NAN : sp_facts_number_of(&r->load, "rate_per_s"),
      .concurrency = r->closed_loop ? sp_facts_number_of(&r->load, "concurrency") : NAN,
  };
  make_label(r, row.label, sizeof row.label);
  return row;
}

// Facts that make two trials of one name measurements of different things.
static const struct {
  const char *group, *name; // name NULL: all but seed and start, which differ from trial to trial
  size_t facts;             // offset in struct sp_result
} distinctions[] = {
    {"load", NULL, offsetof(struct sp_result, load)},
    {"server", "kind", offsetof(struct sp_result, server)},
    {"server", "version", offsetof(struct sp_result, server)},
    {"server", "software", offsetof(struct sp_result, server)},
    {"server", "stub", offsetof(struct sp_result, server)},
    {"server", "delay", offsetof(struct sp_result, server)},
    {"server", "emulated_delay_ns", offsetof(struct sp_result, server)},
    {"server", "fail", offsetof(struct sp_result, server)},
    {"server", "threads", offsetof(struct sp_result, server)},
    {"server", "protocol", offsetof(struct sp_result, server)},
    {"model", "digest", offsetof(struct sp_result, model)},
    {"model", "version", offsetof(struct sp_result, model)},
    {"model", "library", offsetof(struct sp_result, model)},
    {"recording", "digest", offsetof(struct sp_result, recording)},
    {"broker", "kind", offsetof(struct sp_result, broker)},
    {"broker", "version", offsetof(struct sp_result, broker)},
    {"broker", "partitions", offsetof(struct sp_result, broker)},
    {"broker", "properties", offsetof(struct sp_result, broker)},
    {"delivery", "mode", offsetof(struct sp_result, delivery)},
    {"delivery", "commit_interval_ns", offsetof(struct sp_result, delivery)},
    {"delivery", "order", offsetof(struct sp_result, delivery)},
    {"delivery", "app", offsetof(struct sp_result, delivery)},
    {"delivery", "match", offsetof(struct sp_result, delivery)},
    {"delivery", "apps", offsetof(struct sp_result, delivery)},
    {"machine", "fingerprint", offsetof(struct sp_result, machine)},
    {"machine", "placement", offsetof(struct sp_result, machine)},
    {"build", "version", offsetof(struct sp_result, build)},
};

static void fact_text(const struct sp_fact *fact, char *text, size_t n) {
  if (!fact || fact->kind == SP_FACT_NULL)
    snprintf(text, n, "none");
  else if (fact->kind == SP_FACT_JSON)
    snprintf(text, n, "document");
  else if (fact->kind == SP_FACT_TEXT)
    snprintf(text, n, "%s", fact->text);
  else if (fact->kind == SP_FACT_REAL)
    snprintf(text, n, "%.9g", fact->real);
  else
    snprintf(text, n, "%lld", (long long)fact->count);
}

static bool differs(const char *group, const char *name, const struct sp_facts *a, const struct sp_facts *b,
                    char *text, size_t n) {
  char left[80], right[80];
  const struct sp_fact *x = sp_facts_find(a, name), *y = sp_facts_find(b, name);
  if (x && y && x->kind == SP_FACT_JSON && y->kind == SP_FACT_JSON) {
    snprintf(text, n, "%s.%s", group, name);
    return strcmp(x->text, y->text) != 0;
  }
  fact_text(x, left, sizeof left);
  fact_text(y, right, sizeof right);
  if (strcmp(left, right) == 0) return false;
  snprintf(text, n, "%s.%s %s and %s", group, name, left, right);
  return true;
}

bool sp_report_difference(const struct sp_result *a, const struct sp_result *b, char *text, size_t n) {
  for (size_t i = 0; i < sizeof distinctions / sizeof distinctions[0]; i++) {
    const struct sp_facts *left = (const void *)((const char *)a + distinctions[i].facts);
    const struct sp_facts *right = (const void *)((const char *)b + distinctions[i].facts);
    const char *group = distinctions[i].group, *name = distinctions[i].name;
    if (left->n == 0 || right->n == 0) continue; // a trial that never came so far
    if (name && differs(group, name, left, right, text, n)) return true;
    for (size_t k = 0; !name && k < left->n + right->n; k++) {
      const char *each = k < left->n ? left->items[k].name : right->items[k - left->n].name;
      bool is_own = strcmp(each, "seed") == 0 || strcmp(each, "start_at") == 0;
      if (!is_own && differs(group, each, left, right, text, n)) return true;
    }
  }
  return false;
}

static int compare_numbers(double a, double b) {
  if (isnan(a) || isnan(b)) return !isnan(a) - !isnan(b);
  return (a > b) - (a < b);
}

int sp_report_compare_names(const struct sp_report_row *a, const struct sp_report_row *b) {
  int order = strcmp(a->name, b->name);
  if (!order) order = strcmp(a->via, b->via);
  if (!order) order = strcmp(a->arrival, b->arrival);
  if (!order) order = compare_numbers(a->rate_per_s, b->rate_per_s);
  if (!order) order = compare_numbers(a->concurrency, b->concurrency);
  if (!order) order = strcmp(a->side, b->side);
  if (!order) order = strcmp(a->label, b->label);
  return order ? order : sp_by_compare(a->by, b->by);
}

// Of one name those that were measured first come first.
static int compare_rows(const void *left, const void *right) {
  const struct sp_report_row *a = left, *b = right;
  int order = sp_report_compare_names(a, b);
  return order ? order : (a->trials[0] > b->trials[0]) - (a->trials[0] < b->trials[0]);
}

static struct sp_report_row *find_row(struct sp_report *report, const struct sp_report_row *like,
                                      const struct sp_result *result) {
  char text[SP_REPORT_DIFFERENCE_BYTES];
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_result *first = report->trials[report->rows[i].trials[0]].result;
    if (sp_report_compare_names(&report->rows[i], like) == 0 &&
        !sp_report_difference(first, result, text, sizeof text))
      return &report->rows[i];
  }
  report->rows = sp_realloc(report->rows, (report->n_rows + 1) * sizeof *report->rows);
  report->rows[report->n_rows] = *like;
  return &report->rows[report->n_rows++];
}

static int compare_doubles(const void *left, const void *right) {
  return compare_numbers(*(const double *)left, *(const double *)right);
}

// Sorts the values. Of an even number the mean of the middle two; no answer where the upper of them has none.
static struct sp_figure figure_of(double *values, size_t n) {
  struct sp_figure figure = {.n = n, .median = NAN, .min = NAN, .max = NAN};
  if (n == 0) return figure;
  qsort(values, n, sizeof *values, compare_doubles);
  figure.median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  figure.min = values[0];
  figure.max = values[n - 1];
  return figure;
}

typedef double value_function(const struct sp_result *result, int i); // NAN: none

static struct sp_figure figure_over(const struct sp_report *report, const struct sp_report_row *row,
                                    value_function *value, int i) {
  double *values = sp_alloc((row->n_trials + 1) * sizeof *values);
  size_t n = 0;
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    double figure = sp_report_is_counted(row, r) ? value(r, i) : NAN;
    if (!isnan(figure)) values[n++] = figure;
  }
  struct sp_figure figure = figure_of(values, n);
  free(values);
  return figure;
}

static double latency_value(const struct sp_latency *latency, int i) {
  if (!latency->present) return NAN;
  if (latency->state[i] == SP_PERCENTILE_NO_ANSWER) return INFINITY;
  return latency->percentile_ns[i] < 0 ? NAN : (double)latency->percentile_ns[i];
}
static double response_value(const struct sp_result *r, int i) {
  return sp_report_is_mock(r) ? NAN : latency_value(&r->response, i);
}
static double service_value(const struct sp_result *r, int i) {
  return sp_report_is_mock(r) ? NAN : latency_value(&r->service, i);
}
static double offered_value(const struct sp_result *r, int i) {
  return (void)i, r->offered_per_s;
}
static double achieved_value(const struct sp_result *r, int i) {
  return (void)i, r->achieved_per_s;
}
static double cpu_value(const struct sp_result *r, int i) {
  static const char *const names[] = {"app", "server", "total"};
  return sp_amounts_get(&r->cpu_us_per_event, names[i]);
}

static void sum_trial(struct sp_report_row *row, const struct sp_result *r) {
  if (!sp_report_is_counted(row, r)) return;
  row->n_counted++;
  row->n_intended += r->intended;
  row->n_fine +=
      r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED] + r->outcomes[SP_OUTCOME_FILTERED];
  row->n_answered +=
      r->outcomes[SP_OUTCOME_OK] + r->outcomes[SP_OUTCOME_UNCHECKED] + r->outcomes[SP_OUTCOME_MISMATCH];
  row->n_checked += r->predictions.checked;
  row->n_mismatched += r->predictions.mismatched;
  row->is_stub |= sp_result_is_stub(r);
  if (!row->has_response) return;
  for (int i = 0; i < SP_PERCENTILES; i++) {
    row->percentiles[i].is_episodic |= r->response.state[i] == SP_PERCENTILE_EPISODIC;
    row->percentiles[i].is_driver_limited |= r->response.driver_limited[i];
  }
  row->service_p99.is_episodic |= r->service.state[SP_P99] == SP_PERCENTILE_EPISODIC;
}

static void fill_row(const struct sp_report *report, struct sp_report_row *row) {
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    row->n_valid += sp_result_is_usable(r);
  }
  for (int i = 0; i < SP_PERCENTILES; i++) row->percentiles[i] = figure_over(report, row, response_value, i);
  row->service_p99 = figure_over(report, row, service_value, SP_P99);
  row->offered = figure_over(report, row, offered_value, 0);
  row->achieved = figure_over(report, row, achieved_value, 0);
  row->cpu_app = figure_over(report, row, cpu_value, 0);
  row->cpu_server = figure_over(report, row, cpu_value, 1);
  row->cpu_total = figure_over(report, row, cpu_value, 2);
  for (size_t t = 0; t < row->n_trials; t++) sum_trial(row, report->trials[row->trials[t]].result);
}

struct sp_report_row sp_report_row_of(const struct sp_report *report, size_t *trials, size_t n) {
  struct sp_report_row row = row_of(report->trials[trials[0]].result);
  row.trials = trials;
  row.n_trials = n;
  fill_row(report, &row);
  return row;
}

void sp_report_group(struct sp_report *report) {
  for (size_t i = 0; i < report->n_trials; i++) {
    struct sp_report_row like = row_of(report->trials[i].result);
    if (report->by) sp_by_value(report->trials[i].result, report->by, like.by, sizeof like.by);
    struct sp_report_row *row = find_row(report, &like, report->trials[i].result);
    row->trials = sp_realloc(row->trials, (row->n_trials + 1) * sizeof *row->trials);
    row->trials[row->n_trials++] = i;
  }
  if (report->n_rows) qsort(report->rows, report->n_rows, sizeof *report->rows, compare_rows);
  for (size_t i = 0; i < report->n_rows; i++) fill_row(report, &report->rows[i]);
}

void sp_report_done(struct sp_report *report) {
  for (size_t i = 0; i < report->n_trials; i++) {
    free(report->trials[i].dir);
    sp_result_free(report->trials[i].result);
  }
  for (size_t i = 0; i < report->n_rows; i++) free(report->rows[i].trials);
  for (size_t i = 0; i < report->n_comparisons; i++) {
    free(report->comparisons[i].dir);
    sp_comparison_free(report->comparisons[i].comparison);
  }
  for (size_t i = 0; i < report->n_sweeps; i++) {
    free(report->sweeps[i].dir);
    sp_sweep_done(&report->sweeps[i].sweep);
  }
  free(report->comparisons);
  free(report->sweeps);
  free(report->trials);
  free(report->rows);
  *report = (struct sp_report){0};
}
