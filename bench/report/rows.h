// What the forms of a report share; for report/ alone, but for sp_report_difference, by which decide/ refuses what no report puts into one row.
#ifndef SP_REPORT_ROWS_H
#define SP_REPORT_ROWS_H

#include "report/report.h"

// Whether trials of one name must not be one row, and the first thing that sets them apart: "load.threads 1 and 2".
#define SP_REPORT_DIFFERENCE_BYTES 256
bool sp_report_difference(const struct sp_result *a, const struct sp_result *b, char *text, size_t n);
// What a reader takes for the same row: case, transport, side and load. As strcmp.
int sp_report_compare_names(const struct sp_report_row *a, const struct sp_report_row *b);

// A row of these trials (from malloc, at least one), whatever sets them apart; free row.trials.
struct sp_report_row sp_report_row_of(const struct sp_report *report, size_t *trials, size_t n);
bool sp_report_is_mock(const struct sp_result *result); // over the mock broker: no time means anything
bool sp_report_is_counted(const struct sp_report_row *row, const struct sp_result *result);

// Cells, in a buffer of SP_CELL_BYTES; all return it. Without values: "-".
#define SP_CELL_BYTES 96
char *sp_cell_text(char *cell, const char *text, int n_columns); // cut with …; NULL: "-"
char *sp_cell_percentile(char *cell, const struct sp_report_row *row,
                         int i);                                 // "31µs e", "no answer", "too few"
char *sp_cell_range(char *cell, const struct sp_figure *figure); // "8.9–10µs"; "" where one trial has it
char *sp_cell_duration(char *cell, const struct sp_figure *figure);
char *sp_cell_rate(char *cell, const struct sp_report_row *row);
char *sp_cell_cpu(char *cell, const struct sp_report_row *row); // "6.0 + 0"
char *sp_cell_ok(char *cell, const struct sp_report_row *row);
char *sp_cell_valid(char *cell, const struct sp_report_row *row); // "yes", "2 of 3", "no"
int sp_cell_columns(const char *cell);                            // UTF-8 characters

// "- TITLE: cpu AMD EPYC, cpus 2" and a line end, of the facts that say anything; nothing where none does. In Markdown.
void sp_markdown_facts(FILE *to, const char *title, const struct sp_facts *facts);

// One line for each thing that a reader must know about the report beside its figures; printable, without line end.
typedef void sp_note_function(void *context, const char *note);
void sp_report_notes(const struct sp_report *report, sp_note_function *note, void *context);

#endif
