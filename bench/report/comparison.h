// A comparison in the forms that people and build servers read. No control characters, whatever stands in names. One thread.
#ifndef SP_REPORT_COMPARISON_H
#define SP_REPORT_COMPARISON_H

#include <stdio.h>

#include "report/junit.h"
#include "result/comparison.h"

// At most 110 columns where names are short: heading (case, load, broker, pairs, duration); what was decided, what is exploratory, cost by
// process, bounds met (✓) or missed (✗): a column a side and the ratio with its interval, level, smallest detectable difference and
// verdict where two sides are compared, else a row a side below its reference. Of a gate: how many times worse the candidate is, at
// least and at most, and its limit. Then reasons, where the time goes, predictions, differences, remarks, trials left out, and
// "VERDICT  SENTENCE" ("VERDICT  PASS: SENTENCE" of a gate: PASS, FAIL, INCONCLUSIVE, NO-BASELINE; INCOMPLETE of what was broken off).
void sp_comparison_print(const struct sp_comparison *c, FILE *to);
// For a pull request: "## MARKER: ..." first (of a gate as above; else COMPARED, FAIL, INVALID, INCONCLUSIVE, ERROR by the exit
// code), tables, the rest folded away in <details>; text never becomes markup, a mention or a link.
void sp_comparison_write_markdown(const struct sp_comparison *c, FILE *to);
// A line a metric and side, RFC 4180, with a heading; figures in the metric's unit with every digit, "inf" where there is no answer,
// empty where there is none. Control characters in texts are written \n, \xNN: a row is a line.
void sp_comparison_write_csv(const struct sp_comparison *c, FILE *to);
// A suite per side: a case per metric of the family and per bound, and one for predictions; and a suite for the whole: whether
// there was a measurement (an error where not), and predictions across sides. What is inconclusive or void is skipped (of a
// gate whose inconclusive_fails is set: failed). A slower side is no failure; of a gate, what fails is, and the base has no suite. Free
// with free().
char *sp_comparison_junit(const struct sp_comparison *c);

#endif
