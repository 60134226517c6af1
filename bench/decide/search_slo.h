// What a trial of a search must meet: the scenario's bounds, a backlog that does not grow, no loss. Pure; any thread.
#ifndef SP_DECIDE_SEARCH_SLO_H
#define SP_DECIDE_SEARCH_SLO_H

#include "decide/search.h"
#include "result/result.h"
#include "scenario/scenario.h"

#define SP_SEARCH_STANDARD_P99_NS (INT64_C(10) * 1000 * 1000)
#define SP_SEARCH_STANDARD_NOT_OK 0.001 // a system that turns work away, or answers wrongly, is always quick

struct sp_search_slo {
  int64_t limit_ns[SP_PERCENTILES]; // 0: no bound
  bool is_standard;                 // the scenario bounds no percentile: p99 <= 10ms
  bool is_not_ok_standard;          // nor the share that is not ok
  double not_ok;
  int64_t
      backlog_ns; // at the end of the window at most as many events may wait as are sent in this time (and at least one)
};

// Of `expect`, for one side: with exactly-once delivery answers wait for their commit, and the backlog with them.
void sp_search_slo_of(const struct sp_expect_conf *expect, const struct sp_side *side,
                      struct sp_search_slo *slo);
// "p99 <= 10ms (standard), not ok <= 0.1%". Returns text.
char *sp_search_slo_text(const struct sp_search_slo *slo, char *text, size_t n);
// So many events that the highest bounded percentile of a window is resolved, whatever the arrival draws.
uint64_t sp_search_slo_events(const struct sp_search_slo *slo);

// Whether a trial meets it. Its percentiles and counts fail the system; a missed check of the driver, or a bound missed where the
// driver was late, makes it invalid. That a window begins with a backlog is the system's failure where it ends with one too.
void sp_search_judge(const struct sp_search_slo *slo, const struct sp_result *result,
                     struct sp_probe_outcome *outcome);

#endif
