// A trial's children: started with their log in the run's folder, awaited, and asked why they ended.
#ifndef SP_TRIAL_CHILDREN_H
#define SP_TRIAL_CHILDREN_H

#include "os/files.h"
#include "os/process.h"
#include "trial/apps.h"
#include "trial/arguments.h"
#include "trial/brokers.h"
#include "trial/placement.h"
#include "trial/trial.h"

// Starts `servepath model-server` for the side and waits until it is ready; *address (from malloc) is where.
enum sp_err sp_children_start_server(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *server, char **address, struct sp_error *error);

struct sp_driver_child {
  const char *run_id;
  int tally_fd;
  const char *server_address; // NULL: none
  pid_t server_pid;           // 0: not ours
  const struct sp_broker *broker;
  const struct sp_apps *apps;
};
// Starts `servepath driver` and waits until everything is loaded and connected.
enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, const struct sp_driver_child *facts,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *driver, struct sp_error *error);

#endif
