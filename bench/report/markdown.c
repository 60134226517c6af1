// The report as GitHub-flavoured Markdown: table, notes, checks of the driver, and what is needed to repeat it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "report/escape.h"
#include "report/rows.h"

static void print_figure(FILE *to, const char *cell, const char *range) {
  fprintf(to, " %s%s%s%s |", cell, *range ? " (" : "", range, *range ? ")" : "");
}

static void print_row(FILE *to, const struct sp_report_row *row) {
  char cell[SP_CELL_BYTES], range[SP_CELL_BYTES];
  static const int shown[] = {SP_P50, SP_P90, SP_P99};
  const char *names[] = {row->name, row->via, row->label, row->by};
  fputc('|', to);
  for (int i = 0; i < (*row->by ? 4 : 3); i++) {
    fputc(' ', to);
    sp_markdown_text(to, names[i]);
    fputs(" |", to);
  }
  fprintf(to, " %s |", sp_cell_rate(cell, row));
  for (int i = 0; i < 3; i++) {
    print_figure(to, sp_cell_percentile(cell, row, shown[i]),
                 sp_cell_range(range, &row->percentiles[shown[i]]));
  }
  print_figure(to, sp_cell_duration(cell, &row->service_p99), sp_cell_range(range, &row->service_p99));
  fprintf(to, " %s |", sp_cell_cpu(cell, row));
  fprintf(to, " %s |", sp_cell_ok(cell, row));
  fprintf(to, " %s |\n", sp_cell_valid(cell, row));
}

static void print_note(void *to, const char *note) {
  fputs("- ", to);
  sp_markdown_text(to, note);
  fputc('\n', to);
}

struct worst {
  const struct sp_check *check;
  size_t n_missed;
};

// Over the trials of a row: how often the check of that name was missed, and one that shows its figure (a missed one if any).
static struct worst worst_of(const struct sp_report *report, const struct sp_report_row *row,
                             const char *name) {
  struct worst worst = {0};
  for (size_t t = 0; t < row->n_trials; t++) {
    const struct sp_result *r = report->trials[row->trials[t]].result;
    for (size_t i = 0; i < r->n_checks; i++) {
      const struct sp_check *check = &r->checks[i];
      if (!check->name || strcmp(check->name, name) != 0) continue;
      if (!worst.check || (worst.check->met && !check->met)) worst.check = check;
      worst.n_missed += !check->met;
    }
  }
  return worst;
}

// A figure of a check, in the unit that its name ends with.
static void print_check_figure(FILE *to, const char *name, double value) {
  char text[SP_UNITS_TEXT_BYTES];
  const char *unit = strrchr(name, '_');
  if (isnan(value))
    fputs("| - ", to);
  else if (unit && strcmp(unit, "_ns") == 0)
    fprintf(to, "| %s ", sp_units_print_duration((int64_t)value, text, sizeof text));
  else if (unit && strcmp(unit, "_share") == 0)
    fprintf(to, "| %s ", sp_units_print_share(value, text, sizeof text));
  else
    fprintf(to, "| %.4g ", value);
}

static void print_checks(FILE *to, const struct sp_report *report) {
  fputs("\n## Checks of the driver\n\n| case | via | side | check | value | limit | missed in | remedy |\n"
        "|---|---|---|---|---:|---:|---:|---|\n",
        to);
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_report_row *row = &report->rows[i];
    const struct sp_result *first = report->trials[row->trials[0]].result;
    if (row->n_counted == 0) continue;
    for (size_t k = 0; k < first->n_checks; k++) {
      if (!first->checks[k].name) continue;
      struct worst worst = worst_of(report, row, first->checks[k].name);
      SP_ASSERT(worst.check);
      const char *texts[] = {row->name, row->via, row->label, worst.check->name};
      for (int column = 0; column < 4; column++) {
        fputs("| ", to);
        sp_markdown_text(to, texts[column]);
        fputc(' ', to);
      }
      print_check_figure(to, worst.check->name, worst.check->value);
      print_check_figure(to, worst.check->name, worst.check->limit);
      fprintf(to, "| %zu of %zu | ", worst.n_missed, row->n_trials);
      sp_markdown_text(to, worst.n_missed && worst.check->remedy ? worst.check->remedy : "");
      fputs(" |\n", to);
    }
  }
}

void sp_markdown_facts(FILE *to, const char *title, const struct sp_facts *facts) {
  size_t n_printed = 0;
  for (size_t i = 0; i < facts->n; i++) {
    const struct sp_fact *fact = &facts->items[i];
    if (!sp_report_is_shown(fact)) continue;
    fprintf(to, "%s%s", n_printed ? ", " : "- ", n_printed ? "" : title);
    if (n_printed++ == 0) fputs(": ", to);
    sp_markdown_text(to, fact->name);
    fputc(' ', to);
    if (fact->kind == SP_FACT_TEXT)
      sp_markdown_text(to, fact->text);
    else if (fact->kind == SP_FACT_REAL)
      fprintf(to, "%.6g", fact->real);
    else if (fact->kind == SP_FACT_FLAG)
      fputs(fact->count ? "yes" : "no", to);
    else
      fprintf(to, "%lld", (long long)fact->count);
  }
  if (n_printed) fputc('\n', to);
}

static void print_repeat(FILE *to, const struct sp_report *report) {
  fputs("\n## How to repeat\n\n", to);
  if (report->n_trials == 0) return;
  const struct sp_result *first = report->trials[0].result;
  sp_markdown_facts(to, "machine", &first->machine);
  sp_markdown_facts(to, "build", &first->build);
  for (size_t i = 0; i < report->n_rows; i++) {
    const struct sp_report_row *row = &report->rows[i];
    const struct sp_result *r = report->trials[row->trials[0]].result;
    fputs("- ", to);
    sp_markdown_text(to, row->name);
    fputc(' ', to);
    sp_markdown_text(to, row->label);
    fputs(": scenario ", to);
    sp_markdown_text(to, sp_facts_text_of(&r->scenario, "digest", "-"));
    fputs(", recording ", to);
    sp_markdown_text(to, sp_facts_text_of(&r->recording, "digest", "-"));
    fputs(", model ", to);
    sp_markdown_text(to, sp_facts_text_of(&r->model, "digest", "-"));
    fputs("\n", to);
    fputs("  - ", to);
    sp_markdown_command(to, r->command, r->n_command);
    fputc('\n', to);
  }
}

void sp_report_write_markdown(const struct sp_report *report, FILE *to) {
  fputs("# servepath report\n\n| case | via | side |", to);
  if (report->by) {
    fputc(' ', to);
    sp_markdown_text(to, report->by);
    fputs(" |", to);
  }
  fprintf(to,
          " rate/s | response p50 | p90 | p99 | service p99 | CPU µs/event app+server | ok | valid |\n"
          "|---|---|---|%s---:|---:|---:|---:|---:|---:|---:|---|\n",
          report->by ? "---|" : "");
  for (size_t i = 0; i < report->n_rows; i++) {
    if (report->rows[i].n_counted) print_row(to, &report->rows[i]);
  }
  fputc('\n', to);
  sp_report_notes(report, print_note, to);
  print_checks(to, report);
  print_repeat(to, report);
}
