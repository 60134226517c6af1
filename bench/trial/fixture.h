// What a test of the user's own needs: broker, topics and model server of a scenario, for as long as a command of theirs runs.
// Nothing of ours predicts or measures.
#ifndef SP_TRIAL_FIXTURE_H
#define SP_TRIAL_FIXTURE_H

#include <stdbool.h>

#include "os/process.h"
#include "scenario/cli.h"
#include "scenario/scenario.h"

struct sp_fixture_plan {
  const struct sp_cli *cli;
  // As the side has it; but events go over Kafka, the mock where no broker is named, and the side's applications (changed) are the user's. On a broker of the
  // fixture's own, which nobody else knows, topics have the scenario's names; elsewhere those of the run, unless it reuses them.
  struct sp_scenario *scenario;
  const char *side; // whose protocol and server keys count; NULL: the first with path rpc, or else the first
  bool has_broker, has_server;
  const char *const *command; // ends with NULL
  bool is_quiet;              // says nothing about what is ready
};

// Starts broker and server together, waits until both are ready, runs the command with our own stdin, stdout and
// stderr, passes on signals, ends everything. The command finds SERVEPATH_BROKER, SERVEPATH_INPUT_TOPIC,
// SERVEPATH_OUTPUT_TOPIC, SERVEPATH_SERVER (of the parts that there are), SERVEPATH_SCENARIO and
// SERVEPATH_MODEL_NAME in its environment. *code is what this process should exit with: the command's own
// (128 + signal where one ended it); 127 with SP_ERR_ENVIRONMENT where it cannot be started; 128 + signal with
// SP_ERR_ENVIRONMENT where that came before; else that of the error. A part that ends under the command is told
// on stderr, and is the command's to judge. A server's address that the user gave is handed on as it is. Blocks.
enum sp_err sp_fixture_run(const struct sp_fixture_plan *plan, struct sp_supervisor *supervisor, int *code,
                           struct sp_error *error);

#endif
