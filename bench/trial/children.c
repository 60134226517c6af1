// Starting the driver.
#include "trial/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trial/child.h"

#define DRIVER_READY_NS (120 * SP_NS_PER_S)

static void add_server(struct sp_arguments *args, const struct sp_trial_server *server) {
  sp_arguments_pair(args, "--server-address", server->address);
  sp_arguments_count(args, "--server-pid", server->child.pid);
  if (server->is_foreign) sp_arguments_word(args, "--server-is-group");
  sp_arguments_count(args, "--relay-pid", server->relay.pid);
  sp_arguments_pair(args, "--behind-relay", server->behind_relay);
  sp_arguments_pair(args, "--server-kind", server->kind);
  sp_arguments_pair(args, "--server-version", server->version);
}

// Where events go, and who is accounted for beside the driver.
static void add_transport(struct sp_arguments *args, const struct sp_driver_child *facts) {
  const struct sp_broker *broker = facts->broker;
  if (!broker->kind) return;
  sp_arguments_pair(args, "--broker-address", broker->address);
  sp_arguments_pair(args, "--broker-kind", broker->kind);
  sp_arguments_pair(args, "--broker-version", broker->version);
  sp_arguments_pair(args, "--input-topic", broker->input);
  sp_arguments_pair(args, "--output-topic", broker->output);
  sp_arguments_pair(args, "--wire-run", broker->wire_run);
  sp_arguments_count(args, "--broker-pid", broker->pid);
  sp_arguments_pair(args, "--app-group", facts->apps->n ? facts->apps->group : NULL);
  if (facts->apps->is_foreign) sp_arguments_word(args, "--apps-are-groups");
  sp_arguments_pair(args, "--app-library", facts->apps->library);
  for (size_t i = 0; i < facts->apps->n; i++)
    sp_arguments_count(args, "--app-pid", facts->apps->items[i].child.pid);
}

enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, const struct sp_driver_child *facts,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *driver, struct sp_error *error) {
  struct sp_arguments args = {0};
  sp_arguments_verb(&args, "driver");
  sp_arguments_scenario(&args, plan);
  sp_arguments_sides(&args, plan, false);
  sp_arguments_pair(&args, "--this-side", plan->side->name);
  sp_arguments_pair(&args, "--out", plan->out_dir);
  sp_arguments_pair(&args, "--run-id", facts->run_id);
  add_server(&args, facts->server);
  sp_arguments_pair(&args, "--answers", plan->answers_file);
  if (plan->cli->raw) sp_arguments_word(&args, "--raw");
  sp_arguments_count(&args, "--tally-fd", facts->tally_fd);
  add_transport(&args, facts);
  const char *line;
  enum sp_err err = sp_trial_child_start(driver, "driver", &args, NULL, dir, facts->tally_fd, error);
  if (!err) err = sp_trial_child_wait(driver, supervisor, DRIVER_READY_NS, &line, error);
  sp_arguments_done(&args);
  return err;
}
