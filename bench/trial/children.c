// Starting model server and driver.
#include "trial/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "os/files.h"

#define ARGS_MAX        256
#define SERVER_READY_NS (60 * SP_NS_PER_S)
#define DRIVER_READY_NS (120 * SP_NS_PER_S)

// An argument list that owns its texts.
struct args {
  char *items[ARGS_MAX + 1];
  size_t n;
};

static void add(struct args *args, char *owned) {
  SP_ASSERT(args->n < ARGS_MAX);
  args->items[args->n++] = owned;
}
static void add_pair(struct args *args, const char *flag, const char *value) {
  if (!value) return;
  add(args, sp_copy_text(flag));
  add(args, sp_copy_text(value));
}
static void free_args(struct args *args) {
  for (size_t i = 0; i < args->n; i++) free(args->items[i]);
}

static enum sp_err start(struct sp_child *child, const char *name, struct args *args,
                         const struct sp_cpus *cpus, struct sp_run_dir *dir, int fd, struct sp_error *error) {
  char *stderr_file = sp_format("%s/%s.log", dir->path, name);
  struct sp_child_options options = {.name = name,
                                     .argv = (const char *const *)args->items,
                                     .cpus = cpus,
                                     .fds = &fd,
                                     .n_fds = fd >= 0,
                                     .reads_stdout = true,
                                     .stderr_file = stderr_file};
  enum sp_err err = sp_child_start(child, &options, error);
  if (!err) err = sp_run_dir_add_child(dir, child, error);
  free(stderr_file);
  return err;
}

enum sp_err sp_children_error(struct sp_child *child, struct sp_error *error) {
  char words[512], status[64];
  sp_child_last_words(child, words, sizeof words);
  sp_child_status_text(child, status, sizeof status);
  const char *text = words;
  if (strncmp(text, "servepath", 9) == 0 && strstr(text, ": ")) text = strstr(text, ": ") + 2;
  int code = sp_child_exit_code(child);
  enum sp_err err = code == 64 ? SP_ERR_USAGE : code == 70 ? SP_ERR_INTERNAL : SP_ERR_ENVIRONMENT;
  if ((code != 3 && code != 64 && code != 70) || !*text) {
    return sp_fail(error, err, "the %s %s%s%s", child->name, status, *text ? ": " : "", text);
  }
  return sp_fail(error, err, "%s", text);
}

static enum sp_err wait_ready(struct sp_child *child, struct sp_supervisor *supervisor, int64_t timeout_ns,
                              const char **line, struct sp_error *error) {
  enum sp_err err = sp_child_wait_ready(child, supervisor, timeout_ns, line, error);
  if (err && sp_child_poll(child) && !supervisor->signal) return sp_children_error(child, error);
  return err;
}

static void add_settings(struct args *args, const struct sp_setting *settings, size_t n) {
  for (size_t i = 0; i < n; i++) {
    add(args, sp_copy_text("--set"));
    add(args, sp_format("%s=%s", settings[i].key, settings[i].value));
  }
}

// Answers that were recorded need the events that they belong to.
static void add_recorded(struct args *args, const struct sp_trial_plan *plan, uint64_t version) {
  add_pair(args, "--scenario", plan->cli->scenario);
  for (size_t i = 0; i < plan->cli->n_overlays; i++) add_pair(args, "--overlay", plan->cli->overlays[i]);
  add_settings(args, plan->cli->settings, plan->cli->n_settings);
  add(args, sp_copy_text("--expected"));
  add(args, sp_format("%s/expected/%s-%llu.jsonl", plan->scenario->folder, plan->scenario->model.name,
                      (unsigned long long)version));
}

// Secrets are no arguments, which anybody may list: the child reads them from a file in the run's folder, which nobody else
// may enter.
static enum sp_err add_secret(struct args *args, const char *flag, const struct sp_key *key,
                              const char *secret, struct sp_run_dir *dir, struct sp_error *error) {
  char *name = sp_format("server-%s", key->name), *path = sp_run_dir_file(dir, name);
  enum sp_err err = sp_files_write(path, sp_bytes_of_text(secret), error);
  if (!err) add(args, sp_format("%s=@%s", flag, path));
  free(path);
  free(name);
  return err;
}

static void add_labels(struct args *args, const struct sp_properties *labels) {
  for (size_t i = 0; i < labels->n; i++)
    add(args, sp_format("--label=%s=%s", labels->items[i].name, labels->items[i].value));
}

// A key's value as a user would write it, from malloc; NULL: it has none.
static char *value_text(const struct sp_key *key, const void *field) {
  char word[64];
  switch (key->kind) {
  case SP_KIND_TEXT:
  case SP_KIND_PATH:
  case SP_KIND_RAW: return sp_copy_text(*(char *const *)field);
  case SP_KIND_COUNT: return sp_format("%llu", (unsigned long long)*(const uint64_t *)field);
  case SP_KIND_DURATION: return sp_format("%lldns", (long long)*(const int64_t *)field);
  case SP_KIND_REAL: return sp_format("%.17g", *(const double *)field);
  case SP_KIND_CHOICE:
    return sp_copy_text(sp_words_nth(key->choices, (size_t) * (const int *)field, word, sizeof word));
  default: sp_panic(__FILE__, __LINE__, "a kind that the server's keys have");
  }
}

// One key as a flag of the server: max_batch is --max-batch.
static enum sp_err add_server_key(struct args *args, const struct sp_key *key, const void *field,
                                  struct sp_run_dir *dir, struct sp_error *error) {
  enum sp_err err = SP_OK;
  char *flag = sp_format("--%s", key->name);
  for (char *at = flag; *at; at++) {
    if (*at == '_') *at = '-';
  }
  if (key->kind == SP_KIND_PROPERTIES) {
    add_labels(args, field);
  } else if (key->kind == SP_KIND_SECRET) {
    const char *secret = *(char *const *)field;
    if (secret) err = add_secret(args, flag, key, secret, dir, error);
  } else {
    char *value = value_text(key, field);
    if (value) add(args, sp_format("%s=%s", flag, value));
    free(value);
  }
  free(flag);
  return err;
}

// Every key of the server's table: one that is left out would be silently without effect.
static enum sp_err add_server_conf(struct args *args, const struct sp_trial_plan *plan, uint64_t version,
                                   struct sp_run_dir *dir, struct sp_error *error) {
  const struct sp_server_conf *conf = &plan->side->server;
  if (conf->stub == SP_STUB_RECORDED) add_recorded(args, plan, version);
  enum sp_err err = SP_OK;
  for (const struct sp_key *key = sp_server_table.keys; key->name && !err; key++)
    err = add_server_key(args, key, (const char *)conf + key->offset, dir, error);
  return err;
}

// "address":"…" of a ready line of our own making.
static char *address_of(const char *line) {
  const char *at = strstr(line, "\"address\":\"");
  if (!at) return NULL;
  at += strlen("\"address\":\"");
  const char *end = strchr(at, '"');
  return end ? sp_format("%.*s", (int)(end - at), at) : NULL;
}

enum sp_err sp_children_start_server(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *server, char **address, struct sp_error *error) {
  const struct sp_model_conf *model = &plan->scenario->model;
  uint64_t version;
  char *version_dir;
  enum sp_err err = sp_model_version_dir(model, &version, &version_dir, error);
  if (err) return err;
  free(version_dir);
  struct args args = {0};
  add(&args, sp_copy_text(sp_process_self()));
  add(&args, sp_copy_text("model-server"));
  add(&args, sp_copy_text("--model"));
  add(&args, sp_format("%s=%s", model->name, model->dir));
  add_pair(&args, "--address", "127.0.0.1:0");
  err = add_server_conf(&args, plan, version, dir, error);
  const char *line;
  if (!err) err = start(server, "model server", &args, &placement->server, dir, -1, error);
  if (!err) err = wait_ready(server, supervisor, SERVER_READY_NS, &line, error);
  if (!err && !(*address = address_of(line))) {
    err = sp_fail(error, SP_ERR_INTERNAL, "the model server's ready line has no address: %s", line);
  }
  free_args(&args);
  return err;
}

static void add_sides(struct args *args, const struct sp_cli *cli, const char *side) {
  bool is_named = false;
  for (size_t i = 0; i < cli->n_sides; i++) {
    const struct sp_cli_side *s = &cli->sides[i];
    char *text = sp_copy_text(s->name);
    size_t skip = strlen("sides.") + strlen(s->name) + 1;
    for (size_t k = 0; k < s->n_keys; k++) {
      char *longer = sp_format("%s,%s=%s", text, s->keys[k].key + skip, s->keys[k].value);
      free(text);
      text = longer;
    }
    if (strcmp(s->name, side) == 0) is_named = true;
    add(args, sp_copy_text("--side"));
    add(args, text);
  }
  if (!is_named) add_pair(args, "--side", side);
  add_pair(args, "--this-side", side);
}

enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, struct sp_run_dir *dir,
                                     struct sp_supervisor *supervisor, const char *run_id, int tally_fd,
                                     const char *server_address, pid_t server_pid, struct sp_child *driver,
                                     struct sp_error *error) {
  struct args args = {0};
  add(&args, sp_copy_text(sp_process_self()));
  add(&args, sp_copy_text("driver"));
  add(&args, sp_copy_text(plan->cli->scenario));
  for (size_t i = 0; i < plan->cli->n_overlays; i++) add_pair(&args, "--overlay", plan->cli->overlays[i]);
  add_settings(&args, plan->cli->settings, plan->cli->n_settings);
  add_settings(&args, plan->settings, plan->n_settings);
  add_sides(&args, plan->cli, plan->side->name);
  add_pair(&args, "--out", plan->out_dir);
  add_pair(&args, "--run-id", run_id);
  add_pair(&args, "--server-address", server_address);
  add_pair(&args, "--answers", plan->answers_file);
  if (plan->cli->raw) add(&args, sp_copy_text("--raw"));
  add(&args, sp_copy_text("--tally-fd"));
  add(&args, sp_format("%d", tally_fd));
  add(&args, sp_copy_text("--server-pid"));
  add(&args, sp_format("%d", (int)server_pid));
  const char *line;
  enum sp_err err = start(driver, "driver", &args, NULL, dir, tally_fd, error);
  if (!err) err = wait_ready(driver, supervisor, DRIVER_READY_NS, &line, error);
  free_args(&args);
  return err;
}
