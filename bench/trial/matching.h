// How the answers of a trial find their events where they keep no headers of ours (--match key, payload, order).
#ifndef SP_TRIAL_MATCHING_H
#define SP_TRIAL_MATCHING_H

#include "trial/session.h"

// Sets what env needs to find events and predictions: nothing where answers are matched by header and are the prediction alone.
// SP_ERR_USAGE, naming the first event: one has no key (key), or not the field (payload).
enum sp_err sp_matching_open(struct sp_trial_session *s, struct sp_kafka_driver_env *env,
                             struct sp_error *error);
// Says in the result how answers were matched and how far that can be trusted. By order, a partition whose answers are not as
// many as its events makes the trial invalid: nobody knows which answer is to which of them.
void sp_matching_fill(struct sp_trial_session *s);
void sp_matching_free(struct sp_trial_session *s); // after the driver's end of Kafka

#endif
