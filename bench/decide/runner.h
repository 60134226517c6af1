// How a trial of a comparison is run: by this program's own supervisor, or by the verb `run` of another servepath program. Both are
// sp_pairs_run of decide/pairs.h.
#ifndef SP_DECIDE_RUNNER_H
#define SP_DECIDE_RUNNER_H

#include "decide/pairs.h"
#include "trial/trial.h"

// --- By ourselves ---

struct sp_runner { // everything is borrowed
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *const *sides;
  const struct sp_broker *broker;    // of all trials; NULL: each has its own
  const struct sp_setting *settings; // laid over the command line's; load.seed and load.drain are added
  size_t n_settings;
  const char *answers_dir; // see decide/agreement.h; NULL: answers are not kept
  int argc;
  char **argv;
  bool is_quiet;
  struct sp_supervisor *supervisor;
};
// The drain is that of the comparison, whatever each side would choose for itself alone.
enum sp_err sp_runner_run(const struct sp_runner *runner, size_t side_i, uint64_t seed, const char *dir,
                          struct sp_result **result, struct sp_error *error);

// --- By another program ---

struct sp_program {
  const char *command;     // shell words: "./old/servepath", "taskset -c 1 ./old/servepath"
  const char *const *args; // SCENARIO and its options; ends with NULL
  const char *side;
  const char *const *env; // "NAME=value" that it finds beside what we do, ends with NULL; NULL: nothing
  int64_t limit_ns;       // a trial that takes longer hangs, and is ended
  struct sp_supervisor *supervisor;
};
// `COMMAND run ARGS --side SIDE --seed N --out DIR --quiet` as a child that ends with us; whatever signal we get, it gets SIGTERM, and
// SIGKILL for a second one. Exit codes 0, 1, 2, 4 and those of a signal that we got leave a result, which may be incomplete; any other is the
// error: its last words, and SP_ERR_USAGE for 64, SP_ERR_INTERNAL for 70, SP_ERR_ENVIRONMENT for what else there is: no result, one of
// another seed, over the limit.
enum sp_err sp_program_run(const struct sp_program *program, uint64_t seed, const char *dir,
                           struct sp_result **result, struct sp_error *error);

#endif
