// The history of runs as series of medians, with the points where a level changed and the band that is noise. One thread;
// text is made printable.
#ifndef SP_REPORT_HISTORY_H
#define SP_REPORT_HISTORY_H

#include <stdio.h>

#include "result/history.h"

// A series is a metric of one case, side, load and machine, in order of time. Level changes are found in its logarithms where all values are
// above 0 (so that ratios count), with p <= 0.05; the band is of what came after the last of them.
// A line for each series of a primary metric, the guard, or the rate that a search found: runs, last value, band, changes; at most 110 columns where names are short.
void sp_report_history_print(const struct sp_history *history, FILE *to);
// All series of metrics that are known, those of searches too, for the page: [{"case", "side", "metric", "title", "unit", "load", "fingerprint", "low", "high", "from",
// "points": [{"at", "value", "build", "verdict", "id"}], "changes": [{"first_i", "before", "after", "p"}]}]. Free with free().
char *sp_report_history_json(const struct sp_history *history);

#endif
