// Starting the relay.
#include "trial/relays.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trial/child.h"

#define READY_NS (20 * SP_NS_PER_S)

enum sp_err sp_trial_relay_check(const struct sp_side *const *sides, size_t n, struct sp_error *error) {
  const struct sp_side *delayed = NULL;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(sides[i]->path.path, "rpc") == 0) return SP_OK;
    if (sides[i]->rpc.delay_ns >= 0) delayed = sides[i];
  }
  if (!delayed) return SP_OK;
  return sp_fail(
      error, SP_ERR_USAGE,
      "rpc_delay: side %s calls no model server; leave --rpc-delay out, or name a side whose path is "
      "rpc with --side",
      delayed->name);
}

enum sp_err sp_trial_relay_start(const char *target, int64_t delay_ns, const struct sp_cpus *cpus,
                                 struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                 struct sp_child *relay, char **address, struct sp_error *error) {
  struct sp_arguments args = {0};
  const char *line;
  sp_arguments_verb(&args, "relay");
  sp_arguments_pair(&args, "--target", target);
  sp_arguments_word(&args, "--delay");
  sp_arguments_add(&args, sp_format("%lldns", (long long)(delay_ns / 2)));
  enum sp_err err = sp_trial_child_start(relay, "relay", &args, cpus, dir, -1, error);
  if (!err) err = sp_trial_child_wait(relay, supervisor, READY_NS, &line, error);
  if (!err) {
    *address = sp_trial_line_text(line, "address");
    SP_ASSERT(*address != NULL);
  }
  sp_arguments_done(&args);
  return err;
}
