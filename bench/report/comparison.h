// A comparison in the forms that people and build servers read. No control characters, whatever stands in names. One thread.
#ifndef SP_REPORT_COMPARISON_H
#define SP_REPORT_COMPARISON_H

#include <stdio.h>

#include "report/junit.h"
#include "result/comparison.h"

// At most 110 columns where names are short: heading (case, load, broker, pairs, duration), a column a side, the ratio with
// its interval and level, verdicts, bounds met or missed, where the time goes, predictions, remarks, VERDICT.
void sp_comparison_print(const struct sp_comparison *c, FILE *to);
// For a pull request: verdict first, table, the rest folded away in <details>; text never becomes markup.
void sp_comparison_write_markdown(const struct sp_comparison *c, FILE *to);
// A line a metric and side, RFC 4180, with a heading: metric,unit,side,reference,side_value,reference_value,ratio,low,high,level,p,...
void sp_comparison_write_csv(const struct sp_comparison *c, FILE *to);
// A case per metric and bound (and one for predictions), in one suite per side. free with free().
char *sp_comparison_junit(const struct sp_comparison *c);

#endif
