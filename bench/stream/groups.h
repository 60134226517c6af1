// What a broker knows of consumer groups. Blocking, a client of its own per call; never in the supervisor's process.
#ifndef SP_STREAM_GROUPS_H
#define SP_STREAM_GROUPS_H

#include "stream/kafka.h"

// Waits until the members of one consumer group (of the classic protocol), at least `n_members` of them with partitions of `topic`,
// hold all of its partitions together, each by one member. SP_ERR_ENVIRONMENT: not within timeout_ns, the topic is unknown, the
// broker is the mock, which does not say.
enum sp_err sp_groups_wait_held(const struct sp_kafka_env *env, const char *topic, uint64_t n_members,
                                int64_t timeout_ns, struct sp_error *error);

#endif
