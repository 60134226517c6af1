// The command lines of a trial's children, and what they say when they are ready.
#ifndef SP_TRIAL_CHILDREN_H
#define SP_TRIAL_CHILDREN_H

#include "os/files.h"
#include "os/process.h"
#include "trial/placement.h"
#include "trial/trial.h"

// Starts `servepath model-server` for the side and waits until it is ready; *address (from malloc) is where.
enum sp_err sp_children_start_server(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *server, char **address, struct sp_error *error);

// Starts `servepath driver` and waits until everything is loaded and connected.
enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                                     struct sp_supervisor *supervisor, const char *run_id, int tally_fd,
                                     const char *server_address, pid_t server_pid, struct sp_child *driver,
                                     struct sp_error *error);

// The error that a child of ours ended with, as its parent's own: its last words, and the code that its exit code stands for.
enum sp_err sp_children_error(struct sp_child *child, struct sp_error *error);

#endif
