// One self-contained page: no request leaves it. One thread.
#ifndef SP_REPORT_HTML_H
#define SP_REPORT_HTML_H

#include "report/report.h"
#include "result/comparison.h"

struct sp_html {
  const char *title;
  const struct sp_report
      *report;              // grouped; comparisons first, then other trials; its sweeps as crossover maps
  const char *history_json; // of sp_report_history_json (report/history.h); NULL: none
};
// SP_ERR_ENVIRONMENT: cannot write.
enum sp_err sp_html_write(const struct sp_html *html, FILE *to, struct sp_error *error);
// The page of what lies in `dir` (a result, folders of them, a comparison, a sweep) as text, from malloc. For a folder that was just
// written: report.html of compare, gate and sweep. Errors are those of sp_report_add too.
enum sp_err sp_html_of_folder(const char *title, const char *dir, char **text, struct sp_error *error);

#endif
