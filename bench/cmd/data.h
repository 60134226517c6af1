// What the verbs about data share: the arguments' end, the live line, interruption.
#ifndef SP_CMD_DATA_H
#define SP_CMD_DATA_H

#include <signal.h>
#include <stdint.h>

#include "base/args.h"
#include "base/err.h"
#include "os/terminal.h"

struct sp_data_verb {
  const char *name, *use, *about;
  const char *notes; // printed below the options of --help; NULL: none
  const struct sp_option *options;
  const char *operand; // what the one operand is, for messages: "file"
  // An option into the verb's job. SP_ERR_USAGE.
  enum sp_err (*take)(void *job, const char *flag, const char *value, struct sp_error *error);
  enum sp_err (*check)(void *job, const char *operand,
                       struct sp_error *error); // of them all; NULL: nothing to
};

// Reads the arguments: options into `job` (the verb's own struct), the operand into *operand. False where there is nothing
// more to do: --help was printed, or what is wrong; *code is the exit code then.
bool sp_data_read_args(const struct sp_data_verb *verb, int argc, char **argv, void *job,
                       const char **operand, int *code);
// "servepath VERB: text" on stderr; the exit code of `error`, or 128 + the signal that ended the work.
int sp_data_failed(const struct sp_data_verb *verb, const struct sp_error *error);

// Counts SIGINT and SIGTERM instead of dying of them, so that unfinished files are removed. The value to pass as `stop`:
// zero, or the signal.
const volatile sig_atomic_t *sp_data_catch_signals(void);

// How far the work is: a bar on a terminal, a plain line every ten seconds elsewhere.
struct sp_data_progress {
  struct sp_live live;
  const char *verb;
  int64_t started_ns;
};
void sp_data_progress_init(struct sp_data_progress *progress, const char *verb);
// For sp_import_conf.progress; context is a struct sp_data_progress.
void sp_data_show_progress(void *context, uint64_t n_bytes, uint64_t total_bytes, uint64_t n_events);

#endif
