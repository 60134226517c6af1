// One self-contained page: no request leaves it. One thread.
#ifndef SP_REPORT_HTML_H
#define SP_REPORT_HTML_H

#include "report/report.h"
#include "result/comparison.h"

struct sp_html {
  const char *title;
  const struct sp_report
      *report;              // grouped; its trials' histograms are the curves, its comparisons come first
  const char *history_json; // array of points with change points, see report/history.h; NULL: none
  const char *sweep_json;   // servepath.sweep/1 documents of a crossover map; NULL: none
};
// SP_ERR_ENVIRONMENT: cannot write.
enum sp_err sp_html_write(const struct sp_html *html, FILE *to, struct sp_error *error);

#endif
