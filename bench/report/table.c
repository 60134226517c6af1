// The table of a terminal.
#include <math.h>
#include <string.h>

#include "report/rows.h"

enum { CASE, VIA, SIDE, BY, RATE, P50, P90, P99, SERVICE, CPU, OK, VALID, N_COLUMNS };

static const struct {
  const char *title;
  bool is_left, has_bar; // bar: in front of it
} columns[N_COLUMNS] = {
    [CASE] = {"case", true, false},
    [VIA] = {"via", true, false},
    [SIDE] = {"side", true, false},
    [BY] = {"", true, false}, // the report's own title; of no width without one
    [RATE] = {"rate/s", false, false},
    [P50] = {"p50", false, false},
    [P90] = {"p90", false, false},
    [P99] = {"p99", false, false},
    [SERVICE] = {"svc p99", false, true},
    [CPU] = {"cpu µs app+srv", false, true},
    [OK] = {"ok", false, true},
    [VALID] = {"valid", true, false},
};

struct line {
  char cells[N_COLUMNS][SP_CELL_BYTES];
};

static struct line title_line(const struct sp_report *report) {
  struct line line = {0};
  for (int i = 0; i < N_COLUMNS; i++) snprintf(line.cells[i], SP_CELL_BYTES, "%s", columns[i].title);
  if (report->by) sp_cell_text(line.cells[BY], report->by, 24);
  return line;
}

static struct line figures_line(const struct sp_report_row *row) {
  struct line line = {0};
  sp_cell_text(line.cells[CASE], row->name, 16);
  sp_cell_text(line.cells[VIA], row->via, 8);
  sp_cell_text(line.cells[SIDE], row->label, 28);
  if (*row->by) sp_cell_text(line.cells[BY], row->by, 24);
  sp_cell_rate(line.cells[RATE], row);
  sp_cell_percentile(line.cells[P50], row, SP_P50);
  sp_cell_percentile(line.cells[P90], row, SP_P90);
  sp_cell_percentile(line.cells[P99], row, SP_P99);
  sp_cell_duration(line.cells[SERVICE], &row->service_p99);
  sp_cell_cpu(line.cells[CPU], row);
  sp_cell_ok(line.cells[OK], row);
  sp_cell_valid(line.cells[VALID], row);
  return line;
}

// False where there is no range to print.
static bool ranges_line(const struct sp_report_row *row, struct line *line) {
  memset(line, 0, sizeof *line);
  if (row->n_counted < 2) return false;
  sp_cell_range(line->cells[P50], &row->percentiles[SP_P50]);
  sp_cell_range(line->cells[P90], &row->percentiles[SP_P90]);
  sp_cell_range(line->cells[P99], &row->percentiles[SP_P99]);
  sp_cell_range(line->cells[SERVICE], &row->service_p99);
  return true;
}

static void widen(int *widths, const struct line *line) {
  for (int i = 0; i < N_COLUMNS; i++) {
    int n = sp_cell_columns(line->cells[i]);
    if (n > widths[i]) widths[i] = n;
  }
}

static void print_line(FILE *to, const int *widths, const struct line *line) {
  int n_pending = 0; // blanks that nothing may follow
  for (int i = 0; i < N_COLUMNS; i++) {
    const char *cell = line->cells[i];
    int n_pad = widths[i] - sp_cell_columns(cell);
    if (widths[i] == 0) continue;
    if (i) n_pending += columns[i].has_bar ? 1 : 2;
    if (columns[i].has_bar) {
      fprintf(to, "%*s|", n_pending, "");
      n_pending = 1;
    }
    if (!columns[i].is_left) n_pending += n_pad;
    if (*cell) {
      fprintf(to, "%*s%s", n_pending, "", cell);
      n_pending = 0;
    }
    if (columns[i].is_left) n_pending += n_pad;
  }
  fputc('\n', to);
}

static void print_note(void *to, const char *note) {
  fprintf(to, "%s\n", note);
}

void sp_report_print(const struct sp_report *report, FILE *to) {
  int widths[N_COLUMNS] = {0};
  struct line line = title_line(report);
  widen(widths, &line);
  for (size_t i = 0; i < report->n_rows; i++) {
    if (report->rows[i].n_counted == 0) continue; // the notes name its trials
    line = figures_line(&report->rows[i]);
    widen(widths, &line);
    if (ranges_line(&report->rows[i], &line)) widen(widths, &line);
  }
  line = title_line(report);
  print_line(to, widths, &line);
  for (size_t i = 0; i < report->n_rows; i++) {
    if (report->rows[i].n_counted == 0) continue;
    line = figures_line(&report->rows[i]);
    print_line(to, widths, &line);
    if (ranges_line(&report->rows[i], &line)) print_line(to, widths, &line);
  }
  sp_report_notes(report, print_note, to);
}
