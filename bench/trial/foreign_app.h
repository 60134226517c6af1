// Applications that others wrote: a shell command or a script of scripts/apps, told by its environment what to do.
//
//   SERVEPATH_BROKER, SERVEPATH_INPUT_TOPIC, SERVEPATH_OUTPUT_TOPIC, SERVEPATH_PARTITIONS, SERVEPATH_GROUP (consumer group),
//   SERVEPATH_MEMBER (1, 2, ...), SERVEPATH_CASE (the scenario's name), SERVEPATH_SCENARIO (its file), SERVEPATH_MODEL (folder of
//   the model's version), SERVEPATH_MODEL_NAME, SERVEPATH_SERVER (model server; path rpc only), SERVEPATH_THREADS, SERVEPATH_BATCH,
//   SERVEPATH_DELIVERY (at-least-once or exactly-once), SERVEPATH_DIR (a private folder, removed after the trial)
#ifndef SP_TRIAL_FOREIGN_APP_H
#define SP_TRIAL_FOREIGN_APP_H

#include "trial/apps.h"

// Starts member i (from 0) of them in a process group of its own. SP_ERR_USAGE: no such script; SP_ERR_ENVIRONMENT: no shell.
enum sp_err sp_foreign_app_start(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                 const char *server_address, const struct sp_placement *placement,
                                 struct sp_run_dir *dir, struct sp_apps *apps, size_t i,
                                 struct sp_error *error);
// Waits as the side's app_ready says: until each has printed {"ready":true...}, or the broker says that a group holds every
// partition of the input topic, or so long. SP_ERR_ENVIRONMENT: one ended, or none of it within 60 s.
enum sp_err sp_foreign_apps_await(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                  struct sp_run_dir *dir, struct sp_apps *apps,
                                  struct sp_supervisor *supervisor, struct sp_error *error);

#endif
