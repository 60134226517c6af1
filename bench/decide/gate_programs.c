// Commands of trials that other programs run, the Kafka that these share, and copies of a program for a calibration.
#include "decide/gate_programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "decide/gate_verdict.h"
#include "os/files.h"

// To start brokers and servers, to load models, to write, and for Kafka's longer first trial: far more than any of these takes.
#define LIMIT_NS (300 * SP_NS_PER_S)

// A path as one word of the shell.
static char *quoted(const char *path) {
  SP_ASSERT(path != NULL);
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  fputc('\'', to);
  for (; *path; path++) {
    if (*path == '\'')
      fputs("'\\''", to);
    else
      fputc(*path, to);
  }
  fputc('\'', to);
  return sp_text_stream_close(&stream);
}

void sp_gate_programs_init(struct sp_gate_programs *programs, const char *base, const char *candidate,
                           bool is_alone, const struct sp_trial_plan *like,
                           struct sp_supervisor *supervisor) {
  const struct sp_load_conf *load = &like->scenario->load;
  const char *const commands[2] = {base, candidate};
  *programs = (struct sp_gate_programs){.is_alone = is_alone, .plan = *like, .supervisor = supervisor};
  sp_arguments_word(&programs->args, like->cli->scenario);
  sp_arguments_layers(&programs->args, like->cli);
  sp_arguments_sides(&programs->side, like, true);
  for (int i = 0; i < 2; i++) {
    programs->commands[i] = commands[i] ? sp_copy_text(commands[i]) : quoted(sp_process_self());
    programs->programs[i] =
        (struct sp_program){.command = programs->commands[i],
                            .args = (const char *const *)programs->args.items,
                            .side = programs->side.items[programs->side.n - 1],
                            .limit_ns = LIMIT_NS + load->warmup_ns + 2 * load->duration_ns + load->drain_ns,
                            .supervisor = supervisor};
  }
}

void sp_gate_programs_done(struct sp_gate_programs *programs) {
  sp_shared_broker_stop(&programs->plan, programs->supervisor, &programs->broker);
  for (int i = 0; i < 2; i++) free(programs->commands[i]);
  sp_arguments_done(&programs->args);
  sp_arguments_done(&programs->side);
  free(programs->told);
  *programs = (struct sp_gate_programs){0};
}

// --- The Kafka of all trials ---

// Every later trial uses it, whatever the scenario says. What a side says itself stands above --broker.
static void use_broker(struct sp_gate_programs *programs) {
  const struct sp_broker *broker = &programs->broker.broker;
  const struct sp_trial_plan *plan = &programs->plan;
  if (plan->side->stream.transport == SP_TRANSPORT_AUTO)
    sp_arguments_pair(&programs->args, "--broker", broker->address);
  else
    sp_arguments_add(&programs->side, sp_arguments_side(plan->cli, plan->side, broker->address));
  programs->told = sp_broker_told(broker);
  programs->env[0] = programs->told;
  for (int i = 0; i < 2; i++) {
    programs->programs[i].args = (const char *const *)programs->args.items;
    programs->programs[i].side = programs->side.items[programs->side.n - 1];
    programs->programs[i].env = programs->env;
  }
}

// One trial that nobody looks at, for Java's compiler.
static enum sp_err warm_up(const struct sp_gate_programs *programs, size_t program_i, int64_t duration_ns,
                           struct sp_result **result, struct sp_error *error) {
  const struct sp_trial_plan *plan = &programs->plan;
  struct sp_program program = programs->programs[program_i];
  struct sp_arguments args = {0};
  char duration[SP_UNITS_TEXT_BYTES], *dir = sp_format("%s/warm-up", plan->out_dir);
  for (size_t i = 0; program.args[i]; i++) sp_arguments_word(&args, program.args[i]);
  sp_units_write_duration(duration_ns, duration, sizeof duration);
  sp_arguments_pair(&args, "--duration", duration);
  program.args = (const char *const *)args.items;
  if (!plan->is_quiet) fprintf(stderr, "warming up Kafka for %s\n", duration);
  enum sp_err err = sp_program_run(&program, plan->scenario->load.seed, dir, result, error);
  sp_files_remove(dir);
  free(dir);
  sp_arguments_done(&args);
  return err;
}

// A servepath from before SERVEPATH_SHARED_BROKER, or one in a container, takes the Kafka for somebody else's. Of that the CPU is not known:
// beside a program that counts it, it would seem to cost nothing.
static void keep_from_all(struct sp_gate_programs *programs, size_t program_i) {
  programs->env[0] = NULL;
  if (!programs->plan.is_quiet)
    fprintf(stderr, "%.200s takes this Kafka for somebody else's; so shall all: its CPU is counted nowhere\n",
            programs->commands[program_i]);
}

static enum sp_err warm_up_all(struct sp_gate_programs *programs, struct sp_error *error) {
  size_t first_i = programs->is_alone ? SP_GATE_CANDIDATE : SP_GATE_BASE;
  int64_t each_ns = SP_SHARED_BROKER_WARMUP_NS / (int64_t)(SP_GATE_CANDIDATE - first_i + 1);
  enum sp_err err = SP_OK;
  for (size_t i = first_i; i <= SP_GATE_CANDIDATE && !err && !programs->supervisor->signal; i++) {
    struct sp_result *result = NULL;
    err = warm_up(programs, i, each_ns, &result, error);
    const char *kind = result ? sp_facts_text_of(&result->broker, "kind", "") : NULL;
    if (kind && programs->env[0] && strcmp(kind, programs->broker.broker.kind) != 0)
      keep_from_all(programs, i);
    sp_result_free(result);
  }
  return err;
}

// Not before the first trial that has to be run.
static enum sp_err need_broker(struct sp_gate_programs *programs, struct sp_error *error) {
  const struct sp_trial_plan *plan = &programs->plan;
  if (programs->has_broker || !sp_shared_broker_is_wanted(plan->scenario, plan->side)) return SP_OK;
  programs->has_broker = true;
  enum sp_err err = sp_shared_broker_start(plan, programs->supervisor, &programs->broker, error);
  if (err) return err;
  use_broker(programs);
  return warm_up_all(programs, error);
}

enum sp_err sp_gate_programs_run(struct sp_gate_programs *programs, size_t program_i, uint64_t seed,
                                 const char *dir, struct sp_result **result, struct sp_error *error) {
  *result = NULL;
  enum sp_err err = need_broker(programs, error);
  if (err || programs->supervisor->signal) return err;
  return sp_program_run(&programs->programs[program_i], seed, dir, result, error);
}

// --- The same again? ---

// Of the file that a command's first word names; "" where it is none that can be read.
static void digest_of(const char *command, char text[SP_DIGEST_TEXT_BYTES]) {
  struct sp_error ignored;
  size_t n = strlen(command);
  bool is_quoted = n > 1 && command[0] == '\'' && strchr(command + 1, '\'') == command + n - 1;
  char *path = is_quoted ? sp_format("%.*s", (int)n - 2, command + 1)
                         : sp_format("%.*s", (int)strcspn(command, " \t"), command);
  if (sp_digest_file(path, text, &ignored)) text[0] = '\0';
  free(path);
}

char *sp_gate_programs_key(const struct sp_gate_programs *programs, const struct sp_scenario *scenario) {
  char digests[3][SP_DIGEST_TEXT_BYTES];
  struct sp_error ignored;
  for (int i = 0; i < 2; i++) digest_of(programs->commands[i], digests[i]);
  if (sp_digest_file(scenario->recording, digests[2], &ignored)) digests[2][0] = '\0';
  return sp_format("gate\nscenario %s\nrecording %s\nside %s\nbase %.600s %s\ncandidate %.600s %s\n",
                   scenario->digest, digests[2], programs->programs[0].side, programs->commands[0],
                   digests[0], programs->commands[1], digests[1]);
}

// --- Copies ---

static enum sp_err fail(const char *what, const char *path, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot %s %s (%s)", what, path, strerror(errno));
}

// Links in `to` for all that stands in `from` but for `but`. What is there already stays.
static enum sp_err link_beside(const char *from, const char *but, const char *to, struct sp_error *error) {
  DIR *folder = opendir(from);
  if (!folder) return fail("read", from, error);
  enum sp_err err = SP_OK;
  for (struct dirent *entry; !err && (entry = readdir(folder));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, but) == 0) continue;
    char *target = sp_format("%s/%s", from, name), *link = sp_format("%s/%s", to, name);
    if (symlink(target, link) != 0 && errno != EEXIST) err = fail("link", link, error);
    free(target);
    free(link);
  }
  closedir(folder);
  return err;
}

static enum sp_err copy_program(const char *from, const char *to, struct sp_error *error) {
  char *bytes = NULL;
  size_t n = 0;
  enum sp_err err = sp_files_read(from, (size_t)1 << 30, &bytes, &n, error);
  if (!err) err = sp_files_write(to, sp_bytes_of(bytes, n), error);
  if (!err && chmod(to, 0755) != 0) err = fail("make executable", to, error);
  free(bytes);
  return err;
}

// path: absolute, /PARENT/FOLDER/FILE.
static enum sp_err copy_among_links(char *path, const char *root, char **copy, struct sp_error *error) {
  char *file = strrchr(path, '/');
  *file++ = '\0';
  char *folder = strrchr(path, '/');
  if (!folder)
    return sp_fail(error, SP_ERR_USAGE, "/%s stands in no folder; put it into one to calibrate with it",
                   file);
  char *to = sp_format("%s/%s", root, folder + 1);
  *copy = sp_format("%s/%s", to, file);
  enum sp_err err = sp_files_make_dirs(to, error);
  if (!err) err = link_beside(path, file, to, error);
  if (!err) {
    char *original = sp_format("%s/%s", path, file);
    err = copy_program(original, *copy, error);
    free(original);
  }
  *folder = '\0';
  if (!err) err = link_beside(path[0] ? path : "/", folder + 1, root, error);
  free(to);
  return err;
}

enum sp_err sp_gate_program_copy(const char *command, const char *dir, const char *name, char **copied,
                                 struct sp_error *error) {
  const char *file = command ? command : sp_process_self();
  char *path = command && strpbrk(command, " \t'\"$") ? NULL : realpath(file, NULL);
  *copied = NULL;
  if (!path)
    return sp_fail(
        error, SP_ERR_USAGE,
        "--base-cmd: \"%.200s\" is no file that could be copied; name the program alone: --base-cmd "
        "./servepath",
        command ? command : file);
  char *root = sp_format("%s/%s", dir, name), *copy = NULL, *whole = NULL;
  enum sp_err err = copy_among_links(path, root, &copy, error);
  if (!err && !(whole = realpath(copy, NULL))) err = fail("find", copy, error);
  if (!err) *copied = quoted(whole);
  free(whole);
  free(copy);
  free(root);
  free(path);
  return err;
}
