// The model server of a trial: our reference server, or one of scripts/servers that others wrote.
#ifndef SP_TRIAL_SERVERS_H
#define SP_TRIAL_SERVERS_H

#include "os/files.h"
#include "os/process.h"
#include "trial/placement.h"
#include "trial/trial.h"

struct sp_trial_server {
  struct sp_child child;
  char *address;         // for the side's protocol: where calls go, which is the relay where there is one
  struct sp_child relay; // stands before it where the side has an rpc_delay (trial/relays.h)
  char *behind_relay;    // the server's own address then; NULL: there is no relay
  char *kind;            // "triton"; NULL: ours
  char *version;         // of that
  bool is_foreign;       // it may consist of several processes: all of its group count
  int64_t n_predictions; // that ours has counted; -1: it did not say
};

// Starts what the side's `server` names (rpc/conf.h) and waits until it is ready; an address of somebody else's is only taken
// over. Then the relay before it, where the side has an rpc_delay. SP_ERR_ENVIRONMENT: not ready within 90 s, it ended (with its last words). SP_ERR_USAGE: no such script, or it does not
// speak the side's protocol.
enum sp_err sp_trial_server_start(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                  struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                  struct sp_trial_server *server, struct sp_error *error);
// Takes what it has said. Not started: nothing.
void sp_trial_server_take_lines(struct sp_trial_server *server);
// Ends it, with time to finish what is under way. Zeroed is allowed.
void sp_trial_server_stop(struct sp_trial_server *server, struct sp_supervisor *supervisor);
void sp_trial_server_done(struct sp_trial_server *server); // frees; zeroed is allowed

#endif
