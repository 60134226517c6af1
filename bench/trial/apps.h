// The application processes of a trial over Kafka: one group, started together, watched, and ended with their books.
#ifndef SP_TRIAL_APPS_H
#define SP_TRIAL_APPS_H

#include "os/files.h"
#include "os/process.h"
#include "trial/brokers.h"
#include "trial/marks.h"
#include "trial/placement.h"
#include "trial/trial.h"

struct sp_trial_app {
  struct sp_child child;
  bool *holds; // per partition: it is its own now
  bool was_end_marked;
};
struct sp_app_totals { // what those that ended properly have counted; -1: none did
  int64_t received, answered, acknowledged, refused, commits, aborts, rebalances, dropped_at_rebalance;
};
struct sp_apps {
  struct sp_trial_app *items;
  size_t n;
  uint64_t n_partitions;
  char *group;
  bool is_foreign; // others wrote them: started by a command, each a group of processes
  char *library;   // what predicts in those, as far as they say; NULL: ours
  struct sp_app_totals totals;
  size_t n_told; // how many said what they had counted
  char *ended;   // the first end that nobody asked for: "app 2 exited with 1: its last words"; NULL: none
};

// Starts side->app.apps of them, waits until each is ready and until together they hold every partition (where the group is the
// run's own; others may be members of a group that the user named). Says on stderr if some must stay idle.
enum sp_err sp_apps_start(const struct sp_trial_plan *plan, const char *run_id,
                          const struct sp_broker *broker, const char *server_address,
                          const struct sp_placement *placement, struct sp_run_dir *dir,
                          struct sp_supervisor *supervisor, struct sp_apps *apps, struct sp_error *error);
// Takes what they say; marks partitions that come and go, and ends that nobody asked for.
void sp_apps_watch(struct sp_apps *apps, struct sp_marks *marks);
// Ends them, each with time to finish and commit, and keeps their totals.
void sp_apps_stop(struct sp_apps *apps, struct sp_supervisor *supervisor);
void sp_apps_done(struct sp_apps *apps); // zeroed is allowed

#endif
