// Topics: made, listed, removed. Blocking, one client of its own per call; never in the supervisor's process.
#ifndef SP_STREAM_ADMIN_H
#define SP_STREAM_ADMIN_H

#include "stream/kafka.h"

struct sp_topic {
  char name[250];
  int32_t partitions;
  int64_t n_messages; // high - low watermarks, summed
  int64_t n_dropped;  // sum of low watermarks: messages that are gone
};

// Each waits until the broker answers, at most timeout_ns; errors as sp_kafka_driver_new besides its own.

// SP_ERR_ENVIRONMENT: exists already (unless may_exist, where it must have as many partitions), not allowed, timeout. Waits
// until every partition has a leader.
enum sp_err sp_admin_create(const struct sp_kafka_env *env, const char *topic, uint32_t partitions,
                            bool may_exist, int64_t timeout_ns, struct sp_error *error);
enum sp_err sp_admin_delete(const struct sp_kafka_env *env, const char *topic, int64_t timeout_ns,
                            struct sp_error *error);
// A consumer group without members begins behind what the topic holds now, whatever it had read. SP_ERR_ENVIRONMENT: the topic
// is unknown, the group has members, not allowed, timeout.
enum sp_err sp_admin_skip(const struct sp_kafka_env *env, const char *group, const char *topic,
                          int64_t timeout_ns, struct sp_error *error);
// *topics from malloc, n of them, internal ones left out.
enum sp_err sp_admin_list(const struct sp_kafka_env *env, int64_t timeout_ns, struct sp_topic **topics,
                          size_t *n, struct sp_error *error);

#endif
