// One trial of a comparison.
#include "decide/runner.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "decide/agreement.h"
#include "os/files.h"

// --- By ourselves ---

enum sp_err sp_runner_run(const struct sp_runner *runner, size_t side_i, uint64_t seed, const char *dir,
                          struct sp_result **result, struct sp_error *error) {
  char seed_text[32], drain_text[SP_UNITS_TEXT_BYTES];
  size_t n = runner->n_settings;
  struct sp_setting *settings = sp_alloc((n + 2) * sizeof *settings);
  const struct sp_side *side = runner->sides[side_i];
  char *answers = runner->answers_dir ? sp_agreement_file(runner->answers_dir, side->name) : NULL;
  if (n) memcpy(settings, runner->settings, n * sizeof *settings);
  snprintf(seed_text, sizeof seed_text, "%" PRIu64, seed);
  sp_units_write_duration(runner->scenario->load.drain_ns, drain_text, sizeof drain_text);
  settings[n++] = (struct sp_setting){"load.seed", seed_text, "pair"};
  settings[n++] = (struct sp_setting){"load.drain", drain_text, "pair"};
  struct sp_trial_plan plan = {.cli = runner->cli,
                               .scenario = runner->scenario,
                               .side = side,
                               .broker = runner->broker,
                               .settings = settings,
                               .n_settings = n,
                               .out_dir = dir,
                               .answers_file = answers,
                               .argc = runner->argc,
                               .argv = runner->argv,
                               .is_quiet = runner->is_quiet};
  enum sp_err err = sp_trial_run(&plan, runner->supervisor, result, error);
  free(answers);
  free(settings);
  return err;
}

// --- By another program ---

#define GRACE_NS (20 * SP_NS_PER_S)

// The shell reads the command, and hands our arguments over as they are.
static char **arguments_of(const struct sp_program *program, uint64_t seed, const char *dir, char *script,
                           char *seed_text) {
  size_t n_args = 0, n = 0;
  while (program->args[n_args]) n_args++;
  char **argv = sp_alloc((n_args + 14) * sizeof *argv);
  const char *const head[] = {"/bin/sh", "-c", script, program->command, "run"};
  const char *const tail[] = {"--side", program->side, "--seed", seed_text, "--out", dir, "--quiet"};
  sprintf(seed_text, "%" PRIu64, seed);
  for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) argv[n++] = (char *)head[i];
  for (size_t i = 0; i < n_args; i++) argv[n++] = (char *)program->args[i];
  for (size_t i = 0; i < sizeof tail / sizeof tail[0]; i++) argv[n++] = (char *)tail[i];
  return argv;
}

// The first signal asks it to write what it has, the second ends it, and so does the limit. False: that did.
static bool await(struct sp_child *child, struct sp_supervisor *supervisor, int64_t limit_ns) {
  struct sp_child *const children[] = {child};
  unsigned n_passed_on = 0;
  bool is_late = false;
  int64_t end_ns = sp_now_ns() + limit_ns;
  while (!sp_child_poll(child)) {
    sp_supervisor_wait(supervisor, children, 1, end_ns);
    while (sp_child_next_line(child)) continue;
    if (supervisor->n_signals > n_passed_on) {
      n_passed_on = supervisor->n_signals;
      sp_child_signal(child, n_passed_on == 1 ? SIGTERM : SIGKILL);
      end_ns = sp_now_ns() + GRACE_NS;
    } else if (sp_now_ns() > end_ns) {
      is_late = n_passed_on == 0;
      sp_child_stop(child, is_late ? GRACE_NS : 0);
    }
  }
  return !is_late;
}

static enum sp_err error_of(const struct sp_program *program, struct sp_child *child,
                            struct sp_error *error) {
  char words[512], status[64];
  int code = sp_child_exit_code(child);
  enum sp_err err = code == sp_exit_code(SP_ERR_USAGE)      ? SP_ERR_USAGE
                    : code == sp_exit_code(SP_ERR_INTERNAL) ? SP_ERR_INTERNAL
                                                            : SP_ERR_ENVIRONMENT;
  sp_child_last_words(child, words, sizeof words);
  return sp_fail(error, err, "%.200s (side %s) %s%s%s", program->command, program->side,
                 sp_child_status_text(child, status, sizeof status), words[0] ? ": " : "", words);
}

// What a program says of itself, and what a copy of an old trial would leave. One that was broken off before it knew its load is no trial, and
// whoever wants one runs it again.
static enum sp_err check_seed(const struct sp_program *program, uint64_t seed, const struct sp_result *result,
                              struct sp_error *error) {
  double told = sp_facts_number_of(&result->load, "seed");
  if (told == (double)seed || (isnan(told) && !result->complete)) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "%.200s (side %s) wrote a trial of seed %.0f, was asked for --seed %" PRIu64
                 "; name a servepath program",
                 program->command, program->side, told, seed);
}

static enum sp_err read_trial(const struct sp_program *program, uint64_t seed, const char *dir,
                              struct sp_result **result, struct sp_error *error) {
  enum sp_err err = sp_result_read(dir, result, error);
  if (!err) err = check_seed(program, seed, *result, error);
  if (!err) return SP_OK;
  sp_result_free(*result);
  *result = NULL;
  return err;
}

static bool leaves_a_result(int code) {
  return code == 0 || code == sp_exit_code(SP_ERR_FAILED) || code == sp_exit_code(SP_ERR_INVALID) ||
         code == sp_exit_code(SP_ERR_INCONCLUSIVE);
}

enum sp_err sp_program_run(const struct sp_program *program, uint64_t seed, const char *dir,
                           struct sp_result **result, struct sp_error *error) {
  char seed_text[32];
  char *script = sp_format("exec %s \"$@\"", program->command), *log = sp_format("%s/run.log", dir);
  char **argv = arguments_of(program, seed, dir, script, seed_text);
  struct sp_child child = {0};
  struct sp_child_options options = {.name = program->command,
                                     .argv = (const char *const *)argv,
                                     .env = program->env,
                                     .reads_stdout = true,
                                     .stderr_file = log,
                                     .end_with_parent = SIGTERM};
  *result = NULL;
  enum sp_err err = sp_files_make_dirs(dir, error);
  if (!err) err = sp_child_start(&child, &options, error);
  if (!err && !await(&child, program->supervisor, program->limit_ns))
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%.200s (side %s) did not end in %lld s and was stopped; try it alone", program->command,
                  program->side, (long long)(program->limit_ns / SP_NS_PER_S));
  else if (!err && leaves_a_result(sp_child_exit_code(&child)))
    err = read_trial(program, seed, dir, result, error);
  else if (!err && !(program->supervisor->signal && read_trial(program, seed, dir, result, error) == SP_OK))
    err = error_of(program, &child, error);
  sp_child_free(&child);
  remove(log);
  free(argv);
  free(log);
  free(script);
  return err;
}
