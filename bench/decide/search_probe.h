// One trial of a search, live: how long it lasts; found in its folder or run. One thread, which is the supervisor's.
#ifndef SP_DECIDE_SEARCH_PROBE_H
#define SP_DECIDE_SEARCH_PROBE_H

#include "decide/search_record.h"

struct sp_search_prober { // everything is borrowed
  const struct sp_searches_plan *plan;
  // Called before each trial that is run, not before one that lies there: may set broker. NULL: nothing.
  enum sp_err (*need_broker)(void *context, struct sp_error *error);
  void *context;
  const struct sp_broker *broker; // of all trials; NULL: each has its own
  const char *made_of; // see sp_earlier_made_of: of what lies there only trials of the same are taken
  struct sp_side_search *side;
};

// sp_search_probe; context: a struct sp_search_prober. Adds the trial to side->probed. SP_ERR_INCONCLUSIVE: a signal ended it.
enum sp_err sp_search_probe_live(void *context, double rate_per_s, uint64_t seed,
                                 struct sp_probe_outcome *outcome, struct sp_error *error);

// How long a trial at this rate lasts, in whole seconds.
int64_t sp_search_duration_ns(const struct sp_search_slo *slo, const struct sp_search_options *options,
                              double rate_per_s);

#endif
