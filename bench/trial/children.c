// Starting model server and driver.
#include "trial/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "trial/child.h"

#define SERVER_READY_NS (60 * SP_NS_PER_S)
#define DRIVER_READY_NS (120 * SP_NS_PER_S)

// Answers that were recorded need the events that they belong to.
static void add_recorded(struct sp_arguments *args, const struct sp_trial_plan *plan, uint64_t version) {
  sp_arguments_pair(args, "--scenario", plan->cli->scenario);
  sp_arguments_layers(args, plan->cli);
  sp_arguments_add(args, sp_copy_text("--expected"));
  sp_arguments_add(args, sp_format("%s/expected/%s-%llu.jsonl", plan->scenario->folder,
                                   plan->scenario->model.name, (unsigned long long)version));
}

// Secrets are no arguments, which anybody may list: the child reads them from a file in the run's folder, which nobody else
// may enter.
static enum sp_err add_secret(struct sp_arguments *args, const char *flag, const struct sp_key *key,
                              const char *secret, struct sp_run_dir *dir, struct sp_error *error) {
  char *name = sp_format("server-%s", key->name), *path = sp_run_dir_file(dir, name);
  enum sp_err err = sp_files_write(path, sp_bytes_of_text(secret), error);
  if (!err) sp_arguments_add(args, sp_format("%s=@%s", flag, path));
  free(path);
  free(name);
  return err;
}

static void add_labels(struct sp_arguments *args, const struct sp_properties *labels) {
  for (size_t i = 0; i < labels->n; i++)
    sp_arguments_add(args, sp_format("--label=%s=%s", labels->items[i].name, labels->items[i].value));
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
static enum sp_err add_server_key(struct sp_arguments *args, const struct sp_key *key, const void *field,
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
    if (value) sp_arguments_add(args, sp_format("%s=%s", flag, value));
    free(value);
  }
  free(flag);
  return err;
}

// Every key of the server's table: one that is left out would be silently without effect.
static enum sp_err add_server_conf(struct sp_arguments *args, const struct sp_trial_plan *plan,
                                   uint64_t version, struct sp_run_dir *dir, struct sp_error *error) {
  const struct sp_server_conf *conf = &plan->side->server;
  if (conf->stub == SP_STUB_RECORDED) add_recorded(args, plan, version);
  enum sp_err err = SP_OK;
  for (const struct sp_key *key = sp_server_table.keys; key->name && !err; key++)
    err = add_server_key(args, key, (const char *)conf + key->offset, dir, error);
  return err;
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
  struct sp_arguments args = {0};
  sp_arguments_verb(&args, "model-server");
  sp_arguments_add(&args, sp_copy_text("--model"));
  sp_arguments_add(&args, sp_format("%s=%s", model->name, model->dir));
  sp_arguments_pair(&args, "--address", "127.0.0.1:0");
  err = add_server_conf(&args, plan, version, dir, error);
  const char *line;
  if (!err) err = sp_trial_child_start(server, "model server", &args, &placement->server, dir, -1, error);
  if (!err) err = sp_trial_child_wait(server, supervisor, SERVER_READY_NS, &line, error);
  if (!err && !(*address = sp_trial_line_text(line, "address"))) {
    err = sp_fail(error, SP_ERR_INTERNAL, "the model server's ready line has no address: %s", line);
  }
  sp_arguments_done(&args);
  return err;
}

// Where events go, and who is accounted for beside the driver.
static void add_transport(struct sp_arguments *args, const struct sp_driver_child *facts) {
  const struct sp_broker *broker = facts->broker;
  if (!broker->kind) return;
  sp_arguments_pair(args, "--broker-address", broker->address);
  sp_arguments_pair(args, "--broker-kind", broker->kind);
  sp_arguments_pair(args, "--broker-version", broker->version);
  sp_arguments_pair(args, "--input-topic", broker->input);
  sp_arguments_pair(args, "--output-topic", broker->output);
  sp_arguments_pair(args, "--wire-run", broker->wire_run);
  sp_arguments_count(args, "--broker-pid", broker->pid);
  sp_arguments_pair(args, "--app-group", facts->apps->n ? facts->apps->group : NULL);
  for (size_t i = 0; i < facts->apps->n; i++)
    sp_arguments_count(args, "--app-pid", facts->apps->items[i].child.pid);
}

enum sp_err sp_children_start_driver(const struct sp_trial_plan *plan, const struct sp_driver_child *facts,
                                     struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                     struct sp_child *driver, struct sp_error *error) {
  struct sp_arguments args = {0};
  sp_arguments_verb(&args, "driver");
  sp_arguments_scenario(&args, plan);
  sp_arguments_sides(&args, plan, false);
  sp_arguments_pair(&args, "--this-side", plan->side->name);
  sp_arguments_pair(&args, "--out", plan->out_dir);
  sp_arguments_pair(&args, "--run-id", facts->run_id);
  sp_arguments_pair(&args, "--server-address", facts->server_address);
  sp_arguments_pair(&args, "--answers", plan->answers_file);
  if (plan->cli->raw) sp_arguments_word(&args, "--raw");
  sp_arguments_count(&args, "--tally-fd", facts->tally_fd);
  sp_arguments_count(&args, "--server-pid", facts->server_pid);
  add_transport(&args, facts);
  const char *line;
  enum sp_err err = sp_trial_child_start(driver, "driver", &args, NULL, dir, facts->tally_fd, error);
  if (!err) err = sp_trial_child_wait(driver, supervisor, DRIVER_READY_NS, &line, error);
  sp_arguments_done(&args);
  return err;
}
