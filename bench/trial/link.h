// The driver's end of Kafka: who predicts, how answers are read, which share of the load is its own, and the connection.
#ifndef SP_TRIAL_LINK_H
#define SP_TRIAL_LINK_H

#include "trial/session.h"

bool sp_link_is_kafka(const struct sp_driver_plan *plan);
// Before any library starts a thread: sets encoder, library and server facts.
enum sp_err sp_link_probe(struct sp_trial_session *s, struct sp_error *error);
// With schedule and books there, on the driver's processors: connects, and waits until topics are known and the collector is
// positioned. Sets stream, share and matching. Errors as sp_kafka_driver_new and sp_matching_open.
enum sp_err sp_link_open(struct sp_trial_session *s, struct sp_error *error);
// The schedule's origin: after LEAD from now, or the instant that all drivers of the load share. SP_ERR_ENVIRONMENT: that has
// passed.
enum sp_err sp_link_origin(const struct sp_trial_session *s, int64_t lead_ns, int64_t *origin_ns,
                           struct sp_error *error);
void sp_link_free(struct sp_trial_session *s); // after every thread has ended

#endif
