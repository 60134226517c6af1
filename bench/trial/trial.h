// One trial, supervised: plan -> children -> phases -> result. The calling process must be single-threaded and never start
// gRPC, librdkafka or an engine; model server and driver are its children, and nothing is left behind however it ends.
#ifndef SP_TRIAL_TRIAL_H
#define SP_TRIAL_TRIAL_H

#include <stdbool.h>

#include "os/process.h"
#include "result/result.h"
#include "scenario/cli.h"
#include "scenario/scenario.h"

struct sp_broker;
struct sp_trial_plan {
  const struct sp_cli *cli; // repeated to the children, so that they load the same scenario
  const struct sp_scenario
      *scenario; // sp_trial_run takes it as that of the side: its own transport, broker, model
  const struct sp_side *side;
  const struct sp_setting *settings; // laid over the command line's; e.g. load.seed of a pair
  size_t n_settings;
  const struct sp_broker *
      broker; // a Kafka that serves many trials (trial/shared_broker.h), for sides that would start one; NULL: none
  const char *out_dir;      // made if missing
  const char *answers_file; // see trial/answers.h; NULL: not kept
  const char *wire_run; // 32 hexadecimal digits that mark this run's messages in Kafka; NULL: our own choice
  int argc;             // the user's command, for the result
  char **argv;
  bool is_quiet;         // no live line
  bool measures_nothing; // a broker that is soon there counts for more than a fast one
};

// Blocks until the trial has ended. *result (free with sp_result_free) is what stands in out_dir/result.json. SP_OK also for
// an invalid trial or one that missed bounds; an error when there is no result to speak of: SP_ERR_ENVIRONMENT (server or
// driver did not start, files), SP_ERR_USAGE (the children found the scenario wrong). A driver that was killed leaves an
// incomplete result whose counts come from memory shared with it. supervisor->signal tells that a signal ended it.
enum sp_err sp_trial_run(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                         struct sp_result **result, struct sp_error *error);

// What `run` exits with: DESIGN §4, 70, 3, 2, 1, 4 in this order; 128 + signal.
int sp_trial_exit_code(const struct sp_result *result, int signal);

#endif
