// Starting the relay.
#include "trial/relays.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trial/child.h"

#define READY_NS (20 * SP_NS_PER_S)

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
