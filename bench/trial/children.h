// The driver's process: started with its log in the run's folder, and awaited.
#ifndef SP_TRIAL_CHILDREN_H
#define SP_TRIAL_CHILDREN_H

#include "os/files.h"
#include "os/process.h"
#include "trial/apps.h"
#include "trial/arguments.h"
#include "trial/brokers.h"
#include "trial/placement.h"
#include "trial/servers.h"
#include "trial/trial.h"

struct sp_driver_child {
  const char *run_id;
  int tally_fd;
  const struct sp_trial_server *server;
  const struct sp_broker *broker;
  const struct sp_apps *apps;
};
// Starts `servepath driver` and waits until everything is loaded and connected.
enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, const struct sp_driver_child *facts,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *driver, struct sp_error *error);

#endif
