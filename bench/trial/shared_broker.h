// One Apache Kafka for many trials: Java compiles for a minute, and a trial beside that would be invalid by a late driver.
#ifndef SP_TRIAL_SHARED_BROKER_H
#define SP_TRIAL_SHARED_BROKER_H

#include "base/clock.h"
#include "trial/brokers.h"

#define SP_SHARED_BROKER_WARMUP_NS (20 * SP_NS_PER_S) // what Java's compiler has before the first trial

struct sp_shared_broker {
  struct sp_run_dir dir;
  struct sp_broker broker; // for sp_trial_plan.broker
};

// Whether trials of this side would each start one of their own.
bool sp_shared_broker_is_wanted(const struct sp_scenario *scenario, const struct sp_side *side);
// Starts it as a trial does, on the processors that the scenario gives to brokers, and waits until it answers. *shared must be freed by
// sp_shared_broker_stop, also after an error. SP_ERR_ENVIRONMENT: there is no Kafka, or it did not start.
enum sp_err sp_shared_broker_start(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                                   struct sp_shared_broker *shared, struct sp_error *error);
// One trial over it that nobody looks at, of the plan's side and settings; DIR/warm-up of the plan's folder is its own, and removed.
// Errors of sp_trial_run; supervisor->signal tells that a signal ended it.
enum sp_err sp_shared_broker_warm_up(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                                     const struct sp_shared_broker *shared, int64_t duration_ns,
                                     struct sp_error *error);
void sp_shared_broker_stop(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                           struct sp_shared_broker *shared); // zeroed is allowed

#endif
