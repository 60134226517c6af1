// What a person sees while a trial runs: elapsed, rate, p50/p99, backlog, not ok, time left.
#ifndef SP_TRIAL_LIVE_H
#define SP_TRIAL_LIVE_H

#include "os/terminal.h"
#include "replay/tally.h"
#include "scenario/scenario.h"
#include "trial/trial.h"

struct sp_trial_live {
  struct sp_live live;
  const struct sp_scenario *scenario;
  const char *side;
  bool has_phases;            // a trial's; where answers alone count there is no plan to be on time for
  bool has_latency;           // none over the mock broker, whose latency means nothing, nor for half a driver
  int64_t last_ns, last_done; // of the line before, for the rate
};

void sp_trial_live_init(struct sp_trial_live *live, const struct sp_trial_plan *plan);
void sp_trial_live_show(struct sp_trial_live *live, const struct sp_tally *tally); // when due
void sp_trial_live_end(struct sp_trial_live *live);

#endif
