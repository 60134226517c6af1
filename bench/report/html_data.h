// What the page shows, as one JSON object that page/*.js read; for report/ alone. Every text in it is printable.
#ifndef SP_REPORT_HTML_DATA_H
#define SP_REPORT_HTML_DATA_H

#include <jansson.h>

#include "report/html.h"
#include "report/rows.h"

json_t *sp_html_text(const char *text); // NULL: null; printable
json_t *sp_html_real(double value);     // not finite: null; six digits
json_t *sp_html_texts(char *const *texts, size_t n);
json_t *sp_html_amounts(const struct sp_amounts *amounts); // [[name, value], ...]
json_t *sp_html_outcomes(const int64_t *outcomes);         // [[name, count], ...] of those above 0
json_t *sp_html_bounds(const struct sp_bound *bounds, size_t n);
char *sp_html_command(char *const *command, size_t n); // as a shell takes it; printable; from malloc

// One side: figures over the row's trials, curve, stages, cost, outcomes. trials: indices of the report's.
json_t *sp_html_side(const struct sp_report *report, const struct sp_report_row *row, const char *label);
// Its checks, and its timeline thinned. kinds: the page's list of checks, which grows. with_bounds: no comparison says them.
json_t *sp_html_trial(const struct sp_report_trial *trial, bool with_bounds, json_t *kinds);
json_t *sp_html_facts(const struct sp_result *result);     // [[group, [[name, value], ...]], ...]
json_t *sp_html_comparison(const struct sp_comparison *c); // what the page says of it beside the sides

// The whole: {"title", "rows", "notes", "views", "trials", "checks", "history", "sweeps"}.
json_t *sp_html_data(const struct sp_html *html);

#endif
