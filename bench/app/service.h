// `servepath app`: the application as a process of its own, a member of a consumer group. Says on stdout, a JSON line each,
// when it is ready, which partitions come and go, and at the end what it has done.
#ifndef SP_APP_SERVICE_H
#define SP_APP_SERVICE_H

#include <signal.h>

#include "scenario/scenario.h"

struct sp_app_service {
  const struct sp_scenario *scenario;
  const struct sp_side *side;
  const char *broker;
  const char *input_topic, *output_topic;
  const char *group;
  uint64_t member;            // number in its group: client.id, and with exactly-once transactional.id
  const char *server_address; // path rpc; NULL otherwise
  const char *ready_file;     // gets the ready line too, and is removed at the end; NULL: none
  int64_t grace_ns;           // on a signal, how long what is under way may take
  int64_t connect_timeout_ns; // until the broker answers, and until the group has given partitions
};

// Runs until a signal of *signals (blocked by the caller, before any thread): then takes no more, waits for what is under way,
// commits and leaves the group. A second signal ends the process at once (exit 128 + signal). Errors as sp_app_side_open,
// sp_kafka_app_new and sp_kafka_app_state. Once per process.
enum sp_err sp_app_serve(const struct sp_app_service *service, const sigset_t *signals,
                         struct sp_error *error);

#endif
