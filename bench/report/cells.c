// Figures as short texts.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/units.h"
#include "report/rows.h"

int sp_cell_columns(const char *cell) {
  int n = 0;
  for (; *cell; cell++) n += ((unsigned char)*cell & 0xc0) != 0x80;
  return n;
}

char *sp_cell_text(char *cell, const char *text, int n_columns) {
  if (!text || !*text) text = "-";
  char *clean = sp_printable(text, strlen(text), SP_CELL_BYTES - 8); // room for the … of both cuts
  strcpy(cell, clean);
  free(clean);
  if (sp_cell_columns(cell) <= n_columns) return cell;
  char *at = cell;
  for (int n = 0; *at; at++) {
    if (((unsigned char)*at & 0xc0) != 0x80 && ++n == n_columns) break;
  }
  strcpy(at, "…");
  return cell;
}

static void print_duration(char *text, size_t n, double ns) {
  if (isinf(ns))
    snprintf(text, n, "no answer");
  else
    sp_units_print_duration((int64_t)ns, text, n);
}

char *sp_cell_duration(char *cell, const struct sp_figure *figure) {
  if (figure->n == 0) return strcpy(cell, "-");
  print_duration(cell, SP_CELL_BYTES, figure->median);
  return cell;
}

char *sp_cell_percentile(char *cell, const struct sp_report_row *row, int i) {
  const struct sp_figure *figure = &row->percentiles[i];
  if (row->n_counted == 0 || isnan(row->rate_per_s) || !row->has_response) return strcpy(cell, "-");
  if (figure->n == 0) return strcpy(cell, "too few");
  sp_cell_duration(cell, figure);
  if (figure->is_episodic) strcat(cell, " e");
  if (figure->is_driver_limited) strcat(cell, " d");
  return cell;
}

// Two digits where they are enough: 8.9, 12, 140, 0.08.
static void print_short(char *text, size_t n, double value) {
  snprintf(text, n, "%.*f", value >= 9.95 || value == 0 ? 0 : value >= 0.095 ? 1 : 2, value);
}

char *sp_cell_range(char *cell, const struct sp_figure *figure) {
  static const struct {
    double ns;
    const char *name;
  } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
  char low[SP_CELL_BYTES / 3], high[SP_CELL_BYTES / 3];
  if (figure->n < 2) return strcpy(cell, "");
  size_t unit_i = 0;
  double largest_ns = isinf(figure->max) ? figure->min : figure->max;
  while (unit_i < 3 && largest_ns < units[unit_i].ns) unit_i++;
  if (isinf(figure->min)) return strcpy(cell, "");
  print_short(low, sizeof low, figure->min / units[unit_i].ns);
  print_short(high, sizeof high, figure->max / units[unit_i].ns);
  if (isinf(figure->max))
    snprintf(cell, SP_CELL_BYTES, "%s%s–none", low, units[unit_i].name);
  else if (strcmp(low, high) == 0)
    snprintf(cell, SP_CELL_BYTES, "%s%s", low, units[unit_i].name);
  else
    snprintf(cell, SP_CELL_BYTES, "%s–%s%s", low, high, units[unit_i].name);
  return cell;
}

char *sp_cell_rate(char *cell, const struct sp_report_row *row) {
  const struct sp_figure *figure = isnan(row->rate_per_s) ? &row->achieved : &row->offered;
  if (figure->n == 0 && isnan(row->rate_per_s)) return strcpy(cell, "-");
  return sp_units_print_rate(figure->n ? figure->median : row->rate_per_s, cell, SP_CELL_BYTES);
}

char *sp_cell_cpu(char *cell, const struct sp_report_row *row) {
  char app[32], server[32] = "0";
  if (row->cpu_app.n == 0) return strcpy(cell, "-");
  print_short(app, sizeof app, row->cpu_app.median);
  if (row->cpu_server.n)
    print_short(server, sizeof server, row->cpu_server.median);
  else if (row->cpu_total.n == 0)
    strcpy(server, "?"); // a server that is not ours
  snprintf(cell, SP_CELL_BYTES, "%s + %s", app, server);
  return cell;
}

char *sp_cell_ok(char *cell, const struct sp_report_row *row) {
  if (row->n_intended <= 0) return strcpy(cell, "-");
  return sp_units_print_share((double)row->n_fine / (double)row->n_intended, cell, SP_CELL_BYTES);
}

char *sp_cell_valid(char *cell, const struct sp_report_row *row) {
  if (row->n_valid == row->n_trials) return strcpy(cell, "yes");
  if (row->n_valid == 0) return strcpy(cell, "no");
  snprintf(cell, SP_CELL_BYTES, "%zu of %zu", row->n_valid, row->n_trials);
  return cell;
}

bool sp_report_is_shown(const struct sp_fact *fact) {
  if (fact->kind == SP_FACT_TEXT) return fact->text && *fact->text;
  return fact->kind != SP_FACT_NULL && fact->kind != SP_FACT_JSON;
}

char *sp_report_bound_text(const struct sp_bound *bound, double value, char *text, size_t n) {
  if (bound->name && strstr(bound->name, "not_ok")) return sp_units_print_share(value, text, n);
  return sp_units_print_duration(isnan(value) ? -1 : (int64_t)value, text, n);
}
