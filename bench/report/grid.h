// Cells in rows and columns, which a terminal and a pull request show alike; for report/ alone. One thread.
#ifndef SP_REPORT_GRID_H
#define SP_REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SP_GRID_COLUMNS  8
#define SP_GRID_AT_MOST  110 // columns of a terminal
#define SP_GRID_GAP      2   // between two columns
#define SP_GRID_SIDE_MAX 18  // columns of a side's name

struct sp_grid { // zeroed, then n_columns
  const char *title;
  size_t n_columns;
  bool is_left[SP_GRID_COLUMNS]; // else right
  char **cells;                  // row by row, from malloc, fit to be shown (base/printable.h); NULL: empty
  size_t n_rows;                 // the first is the heading
};

// Adds an empty row; its cells, to be assigned texts from malloc. Valid until the next one is added.
char **sp_grid_row(struct sp_grid *grid);
void sp_grid_done(struct sp_grid *grid);
// Widens widths[] to what the grid needs.
void sp_grid_widen(const struct sp_grid *grid, size_t *widths);
// The title on a line of its own, then the rows, without the heading where another table's stands above. Nothing where there is
// no row but the heading.
void sp_grid_print(const struct sp_grid *grid, const size_t *widths, bool has_heading, FILE *to);
// As a table of Markdown, or nothing likewise; the title is the heading of the first column where that is empty.
void sp_grid_write_markdown(const struct sp_grid *grid, FILE *to);

// "LABEL   text", the text from column n_label on, and so are the lines that it is broken into.
void sp_print_wrapped(FILE *to, const char *label, size_t n_label, const char *text);

#endif
