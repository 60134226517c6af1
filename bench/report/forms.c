#include "report/forms.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "report/escape.h"
#include "report/junit.h"
#include "report/rows.h"
#include "result/curve.h"

static void write_number(FILE *to, double value) {
  fputc(',', to);
  if (isfinite(value)) fprintf(to, "%.9g", value);
}

static void write_line(FILE *to, const struct sp_report *report, const struct sp_report_row *row,
                       const char *metric, const char *unit, const struct sp_figure *figure) {
  if (figure->n == 0) return;
  const char *state = isinf(figure->median)       ? "no_answer"
                      : figure->is_driver_limited ? "driver_limited"
                      : figure->is_episodic       ? "episodic"
                                                  : "resolved";
  const char *names[] = {row->name, row->via, row->label};
  for (int i = 0; i < 3; i++) {
    sp_csv_text(to, names[i]);
    fputc(',', to);
  }
  if (report->by) {
    sp_csv_text(to, row->by);
    fputc(',', to);
  }
  if (isfinite(row->rate_per_s)) fprintf(to, "%.9g", row->rate_per_s);
  fputc(',', to);
  sp_csv_text(to, row->arrival);
  fprintf(to, ",%s,%s,%zu", metric, unit, figure->n);
  write_number(to, figure->median);
  write_number(to, figure->min);
  write_number(to, figure->max);
  fprintf(to, ",%s\r\n", state);
}

void sp_report_write_csv(const struct sp_report *report, FILE *to) {
  fputs("case,via,side,", to);
  if (report->by) {
    sp_csv_text(to, report->by);
    fputc(',', to);
  }
  fputs("rate_per_s,arrival,metric,unit,trials,median,min,max,state\r\n", to);
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_report_row *row = &report->rows[i];
    for (int k = 0; row->has_response && k < SP_PERCENTILES; k++) {
      char metric[32];
      snprintf(metric, sizeof metric, "response_%s", sp_percentile_name[k]);
      write_line(to, report, row, metric, "ns", &row->percentiles[k]);
    }
    if (row->has_response) write_line(to, report, row, "service_p99", "ns", &row->service_p99);
    write_line(to, report, row, "offered", "/s", &row->offered);
    write_line(to, report, row, "achieved", "/s", &row->achieved);
    write_line(to, report, row, "cpu_app", "us", &row->cpu_app);
    write_line(to, report, row, "cpu_server", "us", &row->cpu_server);
    write_line(to, report, row, "cpu_per_event", "us", &row->cpu_total);
  }
}

// The bound over all trials that count. A suite has a case for it once.
static void judge_bound(struct sp_suite *suite, const struct sp_report *report,
                        const struct sp_report_row *row, const char *name) {
  struct sp_case *one = sp_suite_case(suite, name);
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_report_trial *trial = &report->trials[row->trials[t]];
    for (size_t i = 0; sp_report_is_counted(row, trial->result) && i < trial->result->n_bounds; i++) {
      const struct sp_bound *bound = &trial->result->bounds[i];
      char value[64], limit[64];
      if (!bound->name || strcmp(bound->name, name) != 0 || bound->met == SP_MET_YES) continue;
      sp_report_bound_text(bound, bound->value, value, sizeof value);
      sp_report_bound_text(bound, bound->limit, limit, sizeof limit);
      sp_case_say(one, bound->met == SP_MET_NO ? SP_CASE_FAILED : SP_CASE_SKIPPED, "%s: %s, limit %s%s",
                  trial->dir, value, limit, bound->met == SP_MET_NO ? "" : " (not resolved: measure longer)");
    }
  }
}

static bool is_judged(const struct sp_suite *suite, const char *name) {
  for (size_t i = 0; i < suite->n_cases; i++) {
    if (strcmp(suite->cases[i].name, name) == 0) return true;
  }
  return false;
}

static void judge_predictions(struct sp_suite *suite, const struct sp_report_row *row) {
  struct sp_case *one = sp_suite_case(suite, "predictions");
  if (row->is_stub)
    sp_case_say(one, SP_CASE_SKIPPED, "a stub answered: its answers are no predictions");
  else if (row->n_mismatched)
    sp_case_say(one, SP_CASE_FAILED, "%" PRId64 " of %" PRId64 " are wrong", row->n_mismatched,
                row->n_checked);
  else if (row->n_checked == 0)
    sp_case_say(one, SP_CASE_SKIPPED, "nothing to compare with");
}

static struct sp_suite suite_of(const struct sp_report *report, const struct sp_report_row *row) {
  struct sp_suite suite = {0};
  char rate[SP_CELL_BYTES];
  suite.name = sp_format("%s %s %s %s%s%s", row->name, row->via, row->label, sp_cell_rate(rate, row),
                         *row->by ? " " : "", row->by);
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    suite.duration_s += isfinite(r->window_s) ? r->window_s : 0;
    for (size_t i = 0; i < r->n_bounds; i++) {
      if (r->bounds[i].name && !is_judged(&suite, r->bounds[i].name))
        judge_bound(&suite, report, row, r->bounds[i].name);
    }
  }
  judge_predictions(&suite, row);
  if (row->n_valid == 0)
    sp_case_say(sp_suite_case(&suite, "valid"), SP_CASE_ERROR, "none of %zu trials is valid", row->n_trials);
  return suite;
}

char *sp_report_junit(const struct sp_report *report) {
  struct sp_suite *suites = sp_alloc((report->n_rows + 1) * sizeof *suites);
  for (size_t i = 0; i < report->n_rows; i++) suites[i] = suite_of(report, &report->rows[i]);
  char *text = sp_junit("servepath report", suites, report->n_rows);
  for (size_t i = 0; i < report->n_rows; i++) sp_suite_done(&suites[i]);
  free(suites);
  return text;
}

static char *plain_name(const struct sp_report_row *row) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
  char rate[32] = "closed";
  if (isfinite(row->rate_per_s)) snprintf(rate, sizeof rate, "%.6g", row->rate_per_s);
  char *name =
      sp_format("%s-%s-%s-%s%s%s", row->name, row->via, row->label, rate, *row->by ? "-" : "", row->by);
  char *to = name;
  for (const char *at = name; *at; at++) {
    bool is_plain = strchr(plain, *at) && (to > name || *at != '.');
    if (is_plain || (to > name && to[-1] != '-')) *to++ = is_plain ? *at : '-'; // one for many
  }
  while (to > name && to[-1] == '-') to--;
  *to = '\0';
  if (strlen(name) > 160) name[160] = '\0';
  return name;
}

char *sp_report_hgrm_name(const struct sp_report *report, size_t row_i) {
  char *name = plain_name(&report->rows[row_i]);
  size_t n_same = 1;
  for (size_t i = 0; i < row_i; i++) {
    char *other = plain_name(&report->rows[i]);
    n_same += strcmp(name, other) == 0;
    free(other);
  }
  char *file = n_same > 1 ? sp_format("%s-%zu.hgrm", name, n_same) : sp_format("%s.hgrm", name);
  free(name);
  return file;
}

enum sp_err sp_report_hgrm(const struct sp_report *report, size_t row_i, char **text,
                           struct sp_error *error) {
  const struct sp_report_row *row = &report->rows[row_i];
  struct sp_curve curve;
  enum sp_err err = SP_OK;
  *text = NULL;
  sp_curve_init(&curve);
  for (size_t t = 0; !err && row->has_response && t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    if (sp_report_is_counted(row, r)) err = sp_curve_add(&curve, r, error);
  }
  if (!err && curve.n_trials) {
    struct sp_text_stream stream;
    FILE *memory = sp_text_stream_open(&stream);
    sp_histogram_write_hgrm(&curve.histogram, memory);
    if (curve.n_above)
      fprintf(memory,
              "#[Answered events only: %" PRId64 " of %" PRId64
              " got no answer and rank above all of these]\n",
              curve.n_above, curve.histogram.n + curve.n_above);
    *text = sp_text_stream_close(&stream);
  }
  sp_curve_done(&curve);
  return err;
}
