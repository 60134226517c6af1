// A broker with a run's folder of its own.
#include "trial/shared_broker.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool sp_shared_broker_is_wanted(const struct sp_scenario *scenario) {
  const struct sp_stream_conf *stream = &scenario->stream;
  return stream->transport == SP_TRANSPORT_KAFKA && strcmp(stream->broker, "kafka") == 0;
}

static void make_id(char id[33]) {
  uint8_t bytes[16];
  ssize_t n = getrandom(bytes, sizeof bytes, 0);
  SP_ASSERT(n == (ssize_t)sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

enum sp_err sp_shared_broker_start(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                                   struct sp_shared_broker *shared, struct sp_error *error) {
  char id[33];
  struct sp_placement placement;
  *shared = (struct sp_shared_broker){0};
  make_id(id);
  enum sp_err err = sp_placement_resolve(&plan->scenario->placement, &placement, error);
  if (!err) err = sp_run_dir_new(&shared->dir, id, error);
  if (!err) err = sp_broker_launch(plan, id, &placement, &shared->dir, &shared->broker, error);
  return err ? err : sp_broker_await_ready(supervisor, &shared->broker, error);
}

void sp_shared_broker_stop(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                           struct sp_shared_broker *shared) {
  sp_broker_stop(plan, &shared->dir, supervisor, &shared->broker);
  sp_run_dir_free(&shared->dir);
}
