// Tables of cells, and lines that are broken where a terminal ends.
#include "report/grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "report/escape.h"
#include "report/rows.h"

char **sp_grid_row(struct sp_grid *grid) {
  SP_ASSERT(grid->n_columns > 0 && grid->n_columns <= SP_GRID_COLUMNS);
  size_t n_before = grid->n_rows * grid->n_columns;
  grid->cells = sp_realloc(grid->cells, (n_before + grid->n_columns) * sizeof *grid->cells);
  memset(grid->cells + n_before, 0, grid->n_columns * sizeof *grid->cells);
  grid->n_rows++;
  return grid->cells + n_before;
}

void sp_grid_done(struct sp_grid *grid) {
  for (size_t i = 0; i < grid->n_rows * grid->n_columns; i++) free(grid->cells[i]);
  free(grid->cells);
  *grid = (struct sp_grid){0};
}

static const char *cell_of(const struct sp_grid *grid, size_t row, size_t column) {
  const char *cell = grid->cells[row * grid->n_columns + column];
  return cell ? cell : "";
}

void sp_grid_widen(const struct sp_grid *grid, size_t *widths) {
  if (grid->n_rows < 2) return;
  for (size_t row = 0; row < grid->n_rows; row++) {
    for (size_t i = 0; i < grid->n_columns; i++) {
      size_t n = (size_t)sp_cell_columns(cell_of(grid, row, i));
      if (n > widths[i]) widths[i] = n;
    }
  }
}

// Blanks that nothing follows are not printed.
static void print_row(const struct sp_grid *grid, size_t row, const size_t *widths, FILE *to) {
  size_t n_pending = 0;
  for (size_t i = 0; i < grid->n_columns; i++) {
    const char *cell = cell_of(grid, row, i);
    size_t n_cell = (size_t)sp_cell_columns(cell), n_pad = widths[i] > n_cell ? widths[i] - n_cell : 0;
    if (i) n_pending += SP_GRID_GAP;
    if (!grid->is_left[i]) n_pending += n_pad;
    if (*cell) {
      fprintf(to, "%*s%s", (int)n_pending, "", cell);
      n_pending = 0;
    }
    if (grid->is_left[i]) n_pending += n_pad;
  }
  fputc('\n', to);
}

void sp_grid_print(const struct sp_grid *grid, const size_t *widths, bool has_heading, FILE *to) {
  if (grid->n_rows < 2) return;
  if (has_heading) print_row(grid, 0, widths, to);
  if (grid->title) fprintf(to, "%s:\n", grid->title);
  for (size_t row = 1; row < grid->n_rows; row++) print_row(grid, row, widths, to);
}

// Columns up to the last that any row but the heading fills.
static size_t n_filled(const struct sp_grid *grid) {
  size_t n = 1;
  for (size_t row = 1; row < grid->n_rows; row++) {
    for (size_t i = n; i < grid->n_columns; i++) {
      if (*cell_of(grid, row, i)) n = i + 1;
    }
  }
  return n;
}

void sp_grid_write_markdown(const struct sp_grid *grid, FILE *to) {
  size_t n_columns = n_filled(grid);
  for (size_t row = 0; row < grid->n_rows && grid->n_rows > 1; row++) {
    fputc('|', to);
    for (size_t i = 0; i < n_columns; i++) {
      const char *cell = cell_of(grid, row, i);
      fputc(' ', to);
      sp_markdown_clean(to, row == 0 && i == 0 && !*cell && grid->title ? grid->title : cell);
      fputs(" |", to);
    }
    fputc('\n', to);
    if (row) continue;
    fputc('|', to);
    for (size_t i = 0; i < n_columns; i++) fputs(grid->is_left[i] ? "---|" : "---:|", to);
    fputc('\n', to);
  }
}

// Columns of the first n bytes.
static size_t columns_of(const char *text, size_t n) {
  size_t n_columns = 0;
  for (size_t i = 0; i < n; i++) n_columns += ((unsigned char)text[i] & 0xc0) != 0x80;
  return n_columns;
}

void sp_print_wrapped(FILE *to, const char *label, size_t n_label, const char *text) {
  size_t n_used = columns_of(label, strlen(label));
  bool is_first = true;
  fputs(label, to);
  while (*text) {
    size_t n_word = strcspn(text, " "), n_columns = columns_of(text, n_word);
    bool is_over = !is_first && n_used + 1 + n_columns > SP_GRID_AT_MOST;
    if (is_over) {
      fputc('\n', to);
      n_used = 0;
    }
    size_t n_blanks = is_first || is_over ? n_used < n_label ? n_label - n_used : 1 : 1;
    fprintf(to, "%*s%.*s", (int)n_blanks, "", (int)n_word, text);
    n_used += n_blanks + n_columns;
    is_first = false;
    text += n_word;
    text += strspn(text, " ");
  }
  fputc('\n', to);
}
