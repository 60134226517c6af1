// Broker and model server around a command.
#include "trial/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "os/files.h"
#include "trial/brokers.h"
#include "trial/servers.h"

#define N_ENV_MAX 8

struct fixture {
  const struct sp_fixture_plan *plan;
  struct sp_scenario scenario; // as the side has it, adapted
  struct sp_trial_plan trial;  // as a trial of that side would start its parts
  struct sp_supervisor *supervisor;
  struct sp_placement
      placement; // empty, unless the user placed something: the command may use every processor
  char run_id[33];
  struct sp_run_dir dir;
  struct sp_broker broker;
  struct sp_trial_server server;
  struct sp_child command;
  struct sp_marks marks;
  size_t n_marks_told;
  bool was_server_end_marked;
  unsigned n_terms; // SIGTERMs so far
};

// --- What is wanted ---

static struct sp_side *find_side(const struct sp_fixture_plan *plan) {
  struct sp_side *sides = plan->scenario->sides.items, *found = &sides[0];
  for (size_t i = plan->scenario->sides.n; i-- > 0;) {
    bool is_it = plan->side ? strcmp(sides[i].name, plan->side) == 0 : strcmp(sides[i].path.path, "rpc") == 0;
    if (is_it) found = &sides[i];
  }
  return found;
}

static bool is_own_broker(const char *broker) {
  return strcmp(broker, "mock") == 0 || strcmp(broker, "kafka") == 0;
}

static struct sp_scenario adapted(const struct sp_fixture_plan *plan, struct sp_side *side) {
  static char mock[] = "mock";
  struct sp_scenario own = sp_scenario_of_side(plan->scenario, side);
  own.stream.transport = plan->has_broker ? SP_TRANSPORT_KAFKA : SP_TRANSPORT_DIRECT;
  if (!own.stream.broker) own.stream.broker = mock;
  if (is_own_broker(own.stream.broker)) own.topics.reuse = true;
  side->app.apps = 0;
  return own;
}

static void make_run_id(struct fixture *f) {
  uint8_t bytes[16];
  ssize_t n = getrandom(bytes, sizeof bytes, 0);
  SP_ASSERT(n == (ssize_t)sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(f->run_id + 2 * i, 3, "%02x", bytes[i]);
}

// --- Starting ---

static void say_ready(const struct fixture *f, int64_t began_ns) {
  if (f->plan->is_quiet) return;
  fprintf(stderr, "servepath with:");
  if (f->broker.kind) fprintf(stderr, " broker %s (%s),", f->broker.address, f->broker.kind);
  if (f->server.address)
    fprintf(stderr, " model server %s (%s),", f->server.address,
            f->server.kind        ? f->server.kind
            : f->server.child.pid ? "ours"
                                  : "external");
  fprintf(stderr, " ready in %.2f s\n", (double)(sp_now_ns() - began_ns) / 1e9);
}

// The broker takes longest: the server loads meanwhile.
static enum sp_err start_parts(struct fixture *f, struct sp_error *error) {
  int64_t began_ns = sp_now_ns();
  const struct sp_trial_conf *placed = &f->scenario.placement;
  make_run_id(f);
  enum sp_err err = placed->cpus ? sp_placement_resolve(placed, &f->placement, error) : SP_OK;
  if (!err) err = sp_run_dir_new(&f->dir, f->run_id, error);
  if (!err) err = sp_broker_launch(&f->trial, f->run_id, &f->placement, &f->dir, &f->broker, error);
  if (!err && f->plan->has_server)
    err = sp_trial_server_start(&f->trial, &f->placement, &f->dir, f->supervisor, &f->server, error);
  if (!err) err = sp_broker_await(&f->trial, f->run_id, &f->dir, f->supervisor, &f->broker, error);
  if (!err) say_ready(f, began_ns);
  return err;
}

static void add_env(char **env, size_t *n, const char *name, const char *value) {
  if (!value) return;
  SP_ASSERT(*n + 1 < N_ENV_MAX);
  env[(*n)++] = sp_format("%s=%s", name, value);
}

static enum sp_err start_command(struct fixture *f, struct sp_error *error) {
  const struct sp_scenario *scenario = &f->scenario;
  char *file = realpath(scenario->file, NULL), *env[N_ENV_MAX] = {0};
  size_t n = 0;
  add_env(env, &n, "SERVEPATH_BROKER", f->broker.address);
  add_env(env, &n, "SERVEPATH_INPUT_TOPIC", f->broker.input);
  add_env(env, &n, "SERVEPATH_OUTPUT_TOPIC", f->broker.output);
  add_env(env, &n, "SERVEPATH_SERVER", f->server.address);
  add_env(env, &n, "SERVEPATH_SCENARIO", file ? file : scenario->file);
  add_env(env, &n, "SERVEPATH_MODEL_NAME", scenario->model.name);
  const struct sp_child_options options = {.name = f->plan->command[0],
                                           .argv = f->plan->command,
                                           .env = (const char *const *)env,
                                           .has_terminal = true};
  fflush(NULL);
  enum sp_err err = sp_child_start(&f->command, &options, error);
  if (!err) err = sp_run_dir_add_child(&f->dir, &f->command, error);
  for (size_t i = 0; i < n; i++) free(env[i]);
  free(file);
  return err;
}

// --- While the command runs ---

// What the terminal sent has reached the command too, where it is in our group. A second SIGTERM means "now".
static void pass_on(struct fixture *f) {
  int signal = f->supervisor->last_signal;
  if (f->command.shares_group && f->supervisor->is_from_terminal) return;
  if (signal == SIGTERM && f->n_terms++ > 0) signal = SIGKILL;
  sp_child_signal_group(&f->command, signal);
}

static void watch_parts(struct fixture *f) {
  sp_broker_watch(&f->broker, &f->marks);
  sp_trial_server_take_lines(&f->server);
  if (f->server.child.pid && f->server.child.has_ended && !f->was_server_end_marked) {
    char status[64];
    f->was_server_end_marked = true;
    sp_marks_add(&f->marks, "model server %s", sp_child_status_text(&f->server.child, status, sizeof status));
  }
  for (; f->n_marks_told < f->marks.n; f->n_marks_told++)
    fprintf(stderr, "servepath with: %s\n", f->marks.items[f->n_marks_told].text);
}

static int await_command(struct fixture *f) {
  struct sp_child *children[] = {&f->command, &f->broker.child, &f->server.child};
  while (!sp_child_poll(&f->command)) {
    unsigned woken = sp_supervisor_wait(f->supervisor, children, 3, -1);
    watch_parts(f);
    if (woken & SP_WAKE_SIGNAL) pass_on(f);
  }
  return sp_child_exit_code(&f->command);
}

// --- All of it ---

static void end(struct fixture *f) {
  sp_child_free(&f->command);
  sp_trial_server_stop(&f->server, f->supervisor);
  sp_trial_server_done(&f->server);
  sp_broker_stop(&f->trial, &f->dir, f->supervisor, &f->broker);
  sp_marks_done(&f->marks);
  sp_run_dir_free(&f->dir);
}

enum sp_err sp_fixture_run(const struct sp_fixture_plan *plan, struct sp_supervisor *supervisor, int *code,
                           struct sp_error *error) {
  struct sp_side *side = find_side(plan);
  struct fixture f = {.plan = plan,
                      .scenario = adapted(plan, side),
                      .trial = {.cli = plan->cli,
                                .scenario = &f.scenario,
                                .side = side,
                                .is_quiet = true,
                                .measures_nothing = true},
                      .supervisor = supervisor};
  enum sp_err err = start_parts(&f, error);
  if (err) *code = supervisor->signal ? 128 + supervisor->signal : sp_exit_code(err);
  if (!err) {
    err = start_command(&f, error);
    *code = err ? 127 : await_command(&f);
  }
  end(&f);
  return err;
}
