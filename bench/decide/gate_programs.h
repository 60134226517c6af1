// The two programs of a gate, run as children in the same manner: fair whichever of them is this one. Where each trial would start a Kafka
// of its own, all share one. One thread.
#ifndef SP_DECIDE_GATE_PROGRAMS_H
#define SP_DECIDE_GATE_PROGRAMS_H

#include "decide/runner.h"
#include "trial/arguments.h"
#include "trial/shared_broker.h"

struct sp_gate_programs {
  char *commands[2]; // shell words, as sp_program has them
  struct sp_arguments args, side;
  struct sp_program programs[2];
  bool is_alone; // only the candidate is run
  struct sp_trial_plan plan;
  struct sp_supervisor *supervisor;
  struct sp_shared_broker broker;
  bool has_broker;
  char *told; // of the broker
  const char *env[2];
};
// base and candidate: shell words, NULL: this program. Of `like` cli, scenario, side, out_dir (the gate's, for a trial that warms a broker up)
// and is_quiet count; all is borrowed. The scenario is loaded by the children as the user's command line has it. Nothing is started. *programs
// must stay where it is. Free with sp_gate_programs_done; zeroed is allowed.
void sp_gate_programs_init(struct sp_gate_programs *programs, const char *base, const char *candidate,
                           bool is_alone, const struct sp_trial_plan *like, struct sp_supervisor *supervisor);
void sp_gate_programs_done(struct sp_gate_programs *programs); // ends the shared broker too
// One trial: sp_program_run. Before the first one the shared Kafka, if there is to be one, is started and warmed up, by trials of all programs
// that are run: each must take it over as the Kafka of that version that we started, or none of them is told, so that what counts on one
// side counts on the other. SP_OK and no result: a signal came before the trial.
enum sp_err sp_gate_programs_run(struct sp_gate_programs *programs, size_t program_i, uint64_t seed,
                                 const char *dir, struct sp_result **result, struct sp_error *error);
// Text that names scenario, recording, side and both programs by their contents as far as they are files: sp_pairs_plan.key. From malloc.
char *sp_gate_programs_key(const struct sp_gate_programs *programs, const struct sp_scenario *scenario);

// Copies a program's file to DIR/NAME/FOLDER/FILE, among links to what stands beside the original and its folder, so that it finds its
// libraries there. command: one word that names a file, or NULL: this program. *copied: shell words that start the copy, from malloc.
// SP_ERR_USAGE: several words, or no file; SP_ERR_ENVIRONMENT: cannot be copied.
enum sp_err sp_gate_program_copy(const char *command, const char *dir, const char *name, char **copied,
                                 struct sp_error *error);

#endif
