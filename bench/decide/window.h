// Whether the window of a trial is long enough for what verdicts are made of (DESIGN §3.4), before the first trial is run.
#ifndef SP_DECIDE_WINDOW_H
#define SP_DECIDE_WINDOW_H

#include "result/metric.h"
#include "scenario/scenario.h"

// "--duration 4s at 200/s holds some 800 events, but a verdict on response_p99 takes 2,000 in at least 6 s; use --duration 11s". From malloc;
// NULL: it is, or the load says nothing beforehand (closed loop, rates that change, the recording's own speed). family: NULL for the primary
// metrics.
char *sp_window_warning(const struct sp_scenario *scenario, const struct sp_metric *const *family,
                        size_t n_family);

#endif
