// What the page shows, as one JSON object that page/*.js read; for report/ alone. Every text in it is printable.
#ifndef SP_REPORT_HTML_DATA_H
#define SP_REPORT_HTML_DATA_H

#include <jansson.h>

#include "report/html.h"
#include "report/rows.h"

json_t *sp_html_text(const char *text); // NULL: null; printable
json_t *sp_html_real(double value); // not finite: null; six digits, none after the point where it is whole
double sp_html_rounded(double value, int n_digits); // to so many significant digits
json_t *sp_html_texts(char *const *texts, size_t n);
json_t *sp_html_amounts(const struct sp_amounts *amounts); // [[name, value], ...]
json_t *sp_html_outcomes(const int64_t *outcomes);         // [[name, count], ...] of those above 0
json_t *sp_html_bounds(const struct sp_bound *bounds, size_t n);
char *sp_html_command(char *const *command, size_t n); // as a shell takes it; printable; from malloc

// One side: figures over the row's trials, curve, stages, cost, outcomes.
json_t *sp_html_side(const struct sp_report *report, const struct sp_report_row *row, const char *label);
// Its folder without the first n_root bytes, and its timeline, of at most max_rows (>= 1) rows:
//   [second of the first row, or of each; seconds a row; window in s; sent; sent - answered; p50; p99; max; backlog; not ok;
//    [[second, mark], ...]], a column being null where nothing is in it, times in microseconds.
// with_bounds: no comparison says them.
json_t *sp_html_trial(const struct sp_report_trial *trial, size_t n_root, bool with_bounds, size_t max_rows);
// Checks of the driver over trials: [[name, worst value, its limit, trials, of these missed, remedy of a missed one], ...]
json_t *sp_html_checks(const struct sp_result *const *results, size_t n);
json_t *sp_html_facts(const struct sp_result *result);     // [[group, [[name, value], ...]], ...]
json_t *sp_html_comparison(const struct sp_comparison *c); // what the page says of it beside the sides

// The whole: {"title", "by", "rows", "notes", "views", "root", "trials", "history", "sweeps"}.
json_t *sp_html_data(const struct sp_html *html);

#endif
