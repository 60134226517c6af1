// The map for a terminal and for a pull request.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "report/crossover_maps.h"
#include "report/escape.h"
#include "report/rows.h"

#define LABEL_COLUMNS_MAX 24

// --- Shared by both forms ---

static char *format_clean(const char *format, va_list args) {
  char *text;
  SP_ASSERT(vasprintf(&text, format, args) >= 0);
  char *clean = sp_printable_text(text);
  free(text);
  return clean;
}

// "rpc_delay=1ms, batch=8": where all axes but the first `from` and `but` stand; "" for none. From malloc.
static char *fixed_text(const struct sp_sweep *sweep, const size_t *at, size_t from, size_t but) {
  char *text = sp_copy_text("");
  for (size_t i = from; i < sweep->n_axes; i++) {
    if (i == but) continue;
    char *longer =
        sp_format("%s%s%s=%s", text, *text ? ", " : "", sweep->axes[i].name, sweep->axes[i].values[at[i]]);
    free(text);
    text = longer;
  }
  return text;
}

char *sp_crossing_text(const struct sp_sweep *sweep, const struct sp_crossing *c) {
  const struct sp_sweep_axis *axis = &sweep->axes[c->axis_i];
  char *fixed = fixed_text(sweep, c->at, 0, c->axis_i);
  char *text =
      sp_format("%s%s%s: %s wins at %s=%s, %s at %s=%s; about equal at %s", sp_cross_title(c->metric),
                *fixed ? ", " : "", fixed, sp_crossing_below(sweep, c), axis->name, axis->values[c->low_i],
                sp_crossing_above(sweep, c), axis->name, axis->values[c->high_i],
                isnan(c->estimate) ? "a value between that cannot be told" : c->text);
  free(fixed);
  return text;
}

static const char *const legend[] = {
    "a name: that side wins; =: no difference; ?: inconclusive; NAME only: it alone meets the bounds;",
    "x: no side meets them; *: it wins but misses a bound; !: no comparison; .: not measured yet"};

struct slice {
  const struct sp_sweep *sweep;
  const char *metric;
  size_t at[SP_SWEEP_AXES];
};

static size_t n_rows(const struct sp_sweep *sweep) {
  return sweep->n_axes > 1 ? sweep->axes[1].n_values : 1;
}

// Valid until the next call with the same text.
static char *cell_text(struct slice *slice, size_t x, size_t y, char *text, size_t n) {
  slice->at[0] = x;
  if (slice->sweep->n_axes > 1) slice->at[1] = y;
  const struct sp_sweep_cell *cell = &slice->sweep->cells[sp_sweep_cell_at(slice->sweep, slice->at)];
  struct sp_cross_cell cross = sp_cross_of(slice->sweep, cell, slice->metric);
  return sp_cross_text(&cross, text, n);
}

static const char *row_label(const struct sp_sweep *sweep, size_t y) {
  return sweep->n_axes > 1 ? sweep->axes[1].values[y] : "";
}

static size_t n_measured(const struct sp_sweep *sweep) {
  size_t n = 0;
  for (size_t i = 0; i < sweep->n_cells; i++) n += sweep->cells[i].state != SP_SWEEP_PENDING;
  return n;
}

// --- Text ---

__attribute__((format(printf, 2, 3))) static void say(FILE *to, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *clean = format_clean(format, args);
  va_end(args);
  fputs(clean, to);
  fputc('\n', to);
  free(clean);
}

static void pad(FILE *to, const char *text, int width) {
  char cell[SP_CELL_BYTES];
  char *clean = sp_printable_text(*text ? text : " "); // an empty cell would be "-"
  sp_cell_text(cell, clean, LABEL_COLUMNS_MAX);
  fputs(cell, to);
  for (int columns = sp_cell_columns(cell); columns < width; columns++) fputc(' ', to);
  free(clean);
}

static int widest(int width, const char *text) {
  char cell[SP_CELL_BYTES];
  char *clean = sp_printable_text(text);
  int columns = sp_cell_columns(sp_cell_text(cell, clean, LABEL_COLUMNS_MAX)) + 2;
  free(clean);
  return columns > width ? columns : width;
}

static void print_heading(const struct slice *slice, FILE *to) {
  const struct sp_sweep *sweep = slice->sweep;
  char *fixed = fixed_text(sweep, slice->at, 2, SIZE_MAX);
  say(to, "%s%s%s: %s to the right%s%s", sp_cross_title(slice->metric), *fixed ? " at " : "", fixed,
      sweep->axes[0].name, sweep->n_axes > 1 ? ", downward " : "",
      sweep->n_axes > 1 ? sweep->axes[1].name : "");
  free(fixed);
}

static void print_map(struct slice *slice, FILE *to) {
  const struct sp_sweep *sweep = slice->sweep;
  const struct sp_sweep_axis *x = &sweep->axes[0];
  char text[SP_CROSS_TEXT_BYTES];
  int label_width = 2, width = 0;
  for (size_t row = 0; row < n_rows(sweep); row++) {
    label_width = widest(label_width, row_label(sweep, row));
    for (size_t i = 0; i < x->n_values; i++)
      width = widest(width, cell_text(slice, i, row, text, sizeof text));
  }
  for (size_t i = 0; i < x->n_values; i++) width = widest(width, x->values[i]);
  print_heading(slice, to);
  pad(to, "", label_width);
  for (size_t i = 0; i < x->n_values; i++) pad(to, x->values[i], i + 1 < x->n_values ? width : 0);
  fputc('\n', to);
  for (size_t row = 0; row < n_rows(sweep); row++) {
    pad(to, row_label(sweep, row), label_width);
    for (size_t i = 0; i < x->n_values; i++)
      pad(to, cell_text(slice, i, row, text, sizeof text), i + 1 < x->n_values ? width : 0);
    fputc('\n', to);
  }
  fputc('\n', to);
}

static void print_failures(const struct sp_sweep *sweep, FILE *to) {
  for (size_t i = 0; i < sweep->n_cells; i++) {
    const struct sp_sweep_cell *cell = &sweep->cells[i];
    if (cell->state == SP_SWEEP_FAILED) say(to, "! %s: %s", cell->name, cell->error ? cell->error : "-");
  }
}

void sp_crossover_print(const struct sp_sweep *sweep, FILE *to) {
  size_t n_metrics, n_crossings;
  const char **metrics = sp_cross_metrics(sweep, &n_metrics);
  say(to, "%s: crossover map, %zu of %zu cells, against %s", sweep->scenario ? sweep->scenario : "-",
      n_measured(sweep), sweep->n_cells, sweep->reference);
  for (size_t m = 0; m < n_metrics; m++) {
    for (size_t i = 0; i < sp_cross_slices(sweep); i++) {
      struct slice slice = {sweep, metrics[m], {0}};
      sp_cross_slice(sweep, i, slice.at);
      print_map(&slice, to);
    }
  }
  for (size_t i = 0; n_metrics && i < 2; i++) say(to, "%s", legend[i]);
  print_failures(sweep, to);
  struct sp_crossing *crossings = sp_crossings(sweep, &n_crossings);
  for (size_t i = 0; i < n_crossings; i++) {
    char *text = sp_crossing_text(sweep, &crossings[i]);
    say(to, "crossing: %s", text);
    free(text);
  }
  free(crossings);
  free(metrics);
}

// --- Markdown ---

static void put_map(struct slice *slice, FILE *to) {
  const struct sp_sweep *sweep = slice->sweep;
  const struct sp_sweep_axis *x = &sweep->axes[0];
  char text[SP_CROSS_TEXT_BYTES], *fixed = fixed_text(sweep, slice->at, 2, SIZE_MAX);
  fputs("\n**", to);
  sp_markdown_text(to, sp_cross_title(slice->metric));
  fputs("**", to);
  if (*fixed) fputs(" at ", to);
  sp_markdown_text(to, fixed);
  fputs("\n\n| ", to);
  sp_markdown_text(to, sweep->n_axes > 1 ? sweep->axes[1].name : "");
  fputs(" \\\\ ", to);
  sp_markdown_text(to, x->name);
  for (size_t i = 0; i < x->n_values; i++) {
    fputs(" | ", to);
    sp_markdown_text(to, x->values[i]);
  }
  fputs(" |\n|---", to);
  for (size_t i = 0; i < x->n_values; i++) fputs("|---", to);
  fputs("|\n", to);
  for (size_t row = 0; row < n_rows(sweep); row++) {
    fputs("| ", to);
    sp_markdown_text(to, row_label(sweep, row));
    for (size_t i = 0; i < x->n_values; i++) {
      fputs(" | ", to);
      sp_markdown_text(to, cell_text(slice, i, row, text, sizeof text));
    }
    fputs(" |\n", to);
  }
  free(fixed);
}

static void put_crossings(const struct sp_sweep *sweep, FILE *to) {
  size_t n;
  struct sp_crossing *crossings = sp_crossings(sweep, &n);
  if (n) fputc('\n', to);
  for (size_t i = 0; i < n; i++) {
    char *text = sp_crossing_text(sweep, &crossings[i]);
    fputs("- ", to);
    sp_markdown_text(to, text);
    fputc('\n', to);
    free(text);
  }
  free(crossings);
}

static void put_failures(const struct sp_sweep *sweep, FILE *to) {
  for (size_t i = 0; i < sweep->n_cells; i++) {
    const struct sp_sweep_cell *cell = &sweep->cells[i];
    if (cell->state != SP_SWEEP_FAILED) continue;
    fputs("- \\! ", to);
    sp_markdown_text(to, cell->name);
    fputs("\\: ", to);
    sp_markdown_text(to, cell->error ? cell->error : "-");
    fputc('\n', to);
  }
}

void sp_crossover_write_markdown(const struct sp_sweep *sweep, FILE *to) {
  size_t n_metrics;
  const char **metrics = sp_cross_metrics(sweep, &n_metrics);
  fputs("### Crossover map: ", to);
  sp_markdown_text(to, sweep->scenario ? sweep->scenario : "-");
  fprintf(to, ", %zu of %zu cells, against ", n_measured(sweep), sweep->n_cells);
  sp_markdown_text(to, sweep->reference);
  fputc('\n', to);
  for (size_t m = 0; m < n_metrics; m++) {
    for (size_t i = 0; i < sp_cross_slices(sweep); i++) {
      struct slice slice = {sweep, metrics[m], {0}};
      sp_cross_slice(sweep, i, slice.at);
      put_map(&slice, to);
    }
  }
  fputc('\n', to);
  for (size_t i = 0; i < 2; i++) {
    sp_markdown_text(to, legend[i]);
    fputc('\n', to);
  }
  put_crossings(sweep, to);
  put_failures(sweep, to);
  free(metrics);
}
