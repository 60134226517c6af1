// A broker with a run's folder of its own.
#include "trial/shared_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/units.h"
#include "os/terminal.h"

bool sp_shared_broker_is_wanted(const struct sp_scenario *scenario, const struct sp_side *side) {
  return strcmp(sp_scenario_way(scenario, side), "kafka") == 0;
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
  const struct sp_scenario scenario = sp_scenario_of_side(plan->scenario, plan->side);
  struct sp_trial_plan own = *plan;
  own.scenario = &scenario;
  *shared = (struct sp_shared_broker){0};
  make_id(id);
  enum sp_err err = sp_placement_resolve(&plan->scenario->placement, &placement, error);
  if (!err) err = sp_run_dir_new(&shared->dir, id, error);
  if (!err) err = sp_broker_launch(&own, id, &placement, &shared->dir, &shared->broker, error);
  return err ? err : sp_broker_await_ready(supervisor, &shared->broker, error);
}

enum sp_err sp_shared_broker_warm_up(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                                     const struct sp_shared_broker *shared, int64_t duration_ns,
                                     struct sp_error *error) {
  char duration[SP_UNITS_TEXT_BYTES];
  size_t n = plan->n_settings;
  struct sp_setting *settings = sp_alloc((n + 2) * sizeof *settings);
  struct sp_trial_plan trial = *plan;
  struct sp_result *result = NULL;
  char *dir = sp_format("%s/warm-up", plan->out_dir);
  if (n) memcpy(settings, plan->settings, n * sizeof *settings);
  sp_units_write_duration(duration_ns, duration, sizeof duration);
  settings[n++] = (struct sp_setting){"load.duration", duration, "warm-up"};
  settings[n++] = (struct sp_setting){"load.warmup", "1s", "warm-up"};
  trial.settings = settings;
  trial.n_settings = n;
  trial.broker = &shared->broker;
  trial.out_dir = dir;
  trial.is_quiet |= !sp_terminal_is(2);
  if (!plan->is_quiet) fprintf(stderr, "warming up Kafka for %s\n", duration);
  enum sp_err err = sp_trial_run(&trial, supervisor, &result, error);
  sp_result_free(result);
  sp_files_remove(dir);
  free(dir);
  free(settings);
  return err;
}

void sp_shared_broker_stop(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                           struct sp_shared_broker *shared) {
  sp_broker_stop(plan, &shared->dir, supervisor, &shared->broker);
  sp_run_dir_free(&shared->dir);
}
