// Model servers: as a verb of ours, or by a script.
#include "trial/servers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "server/server.h"
#include "trial/child.h"
#include "trial/relays.h"
#include "trial/script.h"

#define OURS_READY_NS    (60 * SP_NS_PER_S)
#define FOREIGN_READY_NS (90 * SP_NS_PER_S) // the script gives up after 60 s, with a better reason
#define STOP_GRACE_NS    (6 * SP_NS_PER_S)

// --- Ours ---

// What stands before the server is none of its keys.
static void add_layers(struct sp_arguments *args, const struct sp_cli *cli) {
  struct sp_cli without = *cli;
  without.settings = sp_alloc((cli->n_settings + 1) * sizeof *without.settings);
  without.n_settings = 0;
  for (size_t i = 0; i < cli->n_settings; i++) {
    if (strcmp(cli->settings[i].origin, "--rpc-delay") != 0)
      without.settings[without.n_settings++] = cli->settings[i];
  }
  sp_arguments_layers(args, &without);
  free(without.settings);
}

// Answers that were recorded need the events that they belong to.
static void add_recorded(struct sp_arguments *args, const struct sp_trial_plan *plan, uint64_t version) {
  sp_arguments_pair(args, "--scenario", plan->cli->scenario);
  add_layers(args, plan->cli);
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
  if (sp_server_needs_scenario(conf)) add_recorded(args, plan, version);
  enum sp_err err = SP_OK;
  for (const struct sp_key *key = sp_server_table.keys; key->name && !err; key++)
    err = add_server_key(args, key, (const char *)conf + key->offset, dir, error);
  return err;
}

static enum sp_err add_ours(struct sp_arguments *args, const struct sp_trial_plan *plan,
                            struct sp_run_dir *dir, struct sp_error *error) {
  const struct sp_model_conf *model = &plan->scenario->model;
  uint64_t version;
  char *version_dir;
  enum sp_err err = sp_model_version_dir(model, &version, &version_dir, error);
  if (err) return err;
  free(version_dir);
  sp_arguments_verb(args, "model-server");
  sp_arguments_add(args, sp_copy_text("--model"));
  sp_arguments_add(args, sp_format("%s=%s", model->name, model->dir));
  sp_arguments_pair(args, "--address", "127.0.0.1:0");
  return add_server_conf(args, plan, version, dir, error);
}

// --- Of others ---

static enum sp_err add_foreign(struct sp_arguments *args, const struct sp_trial_plan *plan,
                               struct sp_run_dir *dir, struct sp_error *error) {
  const struct sp_side *side = plan->side;
  const struct sp_model_conf *model = &plan->scenario->model;
  char *path;
  enum sp_err err = sp_script_find("servers", side->rpc.address, NULL,
                                   "write --server spawn, HOST:PORT or unix:PATH", &path, error);
  if (err) return err;
  sp_arguments_add(args, path);
  sp_arguments_word(args, "run");
  sp_arguments_word(args, "--dir");
  sp_arguments_add(args, sp_run_dir_file(dir, "server"));
  sp_arguments_word(args, "--model");
  sp_arguments_add(args, sp_format("%s=%s", model->name, model->dir));
  sp_arguments_pair(args, "--protocol", side->rpc.protocol);
  sp_arguments_count(args, "--threads", (long long)side->server.threads);
  if (side->server.batch_delay_ns > 0) { // without it requests are not gathered
    sp_arguments_count(args, "--max-batch", (long long)side->server.max_batch);
    sp_arguments_word(args, "--batch-delay");
    sp_arguments_add(args, sp_format("%lldns", (long long)side->server.batch_delay_ns));
  }
  return SP_OK;
}

static bool speaks_rest(const struct sp_side *side) {
  const char *dash = strrchr(side->rpc.protocol, '-');
  return dash && strcmp(dash, "-rest") == 0;
}

static enum sp_err read_ready(const struct sp_side *side, const char *line, struct sp_trial_server *server,
                              struct sp_error *error) {
  const char *name = server->is_foreign && speaks_rest(side) ? "rest" : "address";
  server->address = sp_trial_line_text(line, name);
  if (server->is_foreign) {
    server->kind = sp_trial_line_text(line, "kind");
    server->version = sp_trial_line_text(line, "version");
    if (!server->kind) server->kind = sp_copy_text(side->rpc.address);
  }
  if (server->address) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "the model server's ready line has no \"%s\": %.300s", name,
                 line);
}

// --- Life ---

static enum sp_err start_server(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                struct sp_trial_server *server, struct sp_error *error) {
  const struct sp_side *side = plan->side;
  if (!sp_rpc_is_started(side->rpc.address)) {
    server->address = sp_copy_text(side->rpc.address);
    return SP_OK;
  }
  struct sp_arguments args = {0};
  const char *line;
  server->is_foreign = strcmp(side->rpc.address, "spawn") != 0;
  int64_t timeout_ns = server->is_foreign ? FOREIGN_READY_NS : OURS_READY_NS;
  enum sp_err err =
      server->is_foreign ? add_foreign(&args, plan, dir, error) : add_ours(&args, plan, dir, error);
  if (!err)
    err = sp_trial_child_start(&server->child, "model server", &args, &placement->server, dir, -1, error);
  if (!err) err = sp_trial_child_wait(&server->child, supervisor, timeout_ns, &line, error);
  if (!err) err = read_ready(side, line, server, error);
  sp_arguments_done(&args);
  return err;
}

enum sp_err sp_trial_server_start(const struct sp_trial_plan *plan, const struct sp_placement *placement,
                                  struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                  struct sp_trial_server *server, struct sp_error *error) {
  *server = (struct sp_trial_server){.n_predictions = -1};
  enum sp_err err = start_server(plan, placement, dir, supervisor, server, error);
  if (err || plan->side->rpc.delay_ns < 0) return err;
  server->behind_relay = server->address;
  server->address = NULL;
  return sp_trial_relay_start(server->behind_relay, plan->side->rpc.delay_ns, &placement->broker, dir,
                              supervisor, &server->relay, &server->address, error);
}

void sp_trial_server_take_lines(struct sp_trial_server *server) {
  const char *line;
  if (!server->child.pid) return; // never started: it has no output, and descriptor 0 is somebody else's
  while ((line = sp_child_next_line(&server->child))) {
    if (!server->is_foreign && strstr(line, "\"event\":\"end\""))
      server->n_predictions = sp_trial_line_count(line, "predictions");
  }
}

void sp_trial_server_stop(struct sp_trial_server *server, struct sp_supervisor *supervisor) {
  struct sp_child *child = &server->child;
  int64_t until_ns = sp_now_ns() + STOP_GRACE_NS;
  if (child->pid) sp_child_signal(child, SIGTERM);
  while (child->pid && !sp_child_poll(child) && sp_now_ns() < until_ns) {
    sp_supervisor_wait(supervisor, &child, 1, until_ns);
    sp_trial_server_take_lines(server);
  }
  sp_trial_server_take_lines(server);
  sp_child_stop(child, 0);
  sp_child_stop(&server->relay, 0); // it holds nothing that anybody still waits for
}

void sp_trial_server_done(struct sp_trial_server *server) {
  sp_child_free(&server->child);
  sp_child_free(&server->relay);
  free(server->address);
  free(server->behind_relay);
  free(server->kind);
  free(server->version);
  *server = (struct sp_trial_server){0};
}
