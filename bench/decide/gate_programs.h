// The two programs of a gate, run as children in the same manner: fair whichever of them is this one. One thread.
#ifndef SP_DECIDE_GATE_PROGRAMS_H
#define SP_DECIDE_GATE_PROGRAMS_H

#include "decide/runner.h"
#include "trial/arguments.h"

struct sp_gate_programs {
  char *commands[2]; // shell words, as sp_program has them
  struct sp_arguments args, side;
  struct sp_program programs[2];
};
// base and candidate: shell words, NULL: this program. The scenario is loaded by the children as the user's command line has it. Nothing is
// started. Free with sp_gate_programs_done; zeroed is allowed.
void sp_gate_programs_init(struct sp_gate_programs *programs, const char *base, const char *candidate,
                           const struct sp_cli *cli, const struct sp_scenario *scenario,
                           const struct sp_side *side, struct sp_supervisor *supervisor);
void sp_gate_programs_done(struct sp_gate_programs *programs);
// Every later trial uses that broker, whatever the scenario says.
void sp_gate_programs_use_broker(struct sp_gate_programs *programs, const char *address);
// Text that names scenario, recording, side and both programs by their contents as far as they are files: sp_pairs_plan.key. From malloc.
char *sp_gate_programs_key(const struct sp_gate_programs *programs, const struct sp_scenario *scenario);

// Copies a program's file to DIR/NAME/FOLDER/FILE, among links to what stands beside the original and its folder, so that it finds its
// libraries there. command: one word that names a file, or NULL: this program. *copied: shell words that start the copy, from malloc.
// SP_ERR_USAGE: several words, or no file; SP_ERR_ENVIRONMENT: cannot be copied.
enum sp_err sp_gate_program_copy(const char *command, const char *dir, const char *name, char **copied,
                                 struct sp_error *error);

#endif
