// Starting applications that others wrote, and knowing when they are ready.
#include "trial/foreign_app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "trial/child.h"
#include "trial/script.h"

#define READY_NS  (60 * SP_NS_PER_S)
#define SETTLE_NS (300 * SP_NS_PER_MS) // from holding its partitions to reading them

// --- Starting ---

struct environment {
  char *items[24];
  size_t n;
};

static void set(struct environment *env, const char *name, const char *value) {
  SP_ASSERT(env->n + 1 < sizeof env->items / sizeof env->items[0]);
  if (value) env->items[env->n++] = sp_format("SERVEPATH_%s=%s", name, value);
}

static void set_count(struct environment *env, const char *name, uint64_t count) {
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)count);
  set(env, name, text);
}

static enum sp_err set_model(struct environment *env, const struct sp_model_conf *model,
                             struct sp_error *error) {
  uint64_t version;
  char *version_dir;
  enum sp_err err = sp_model_version_dir(model, &version, &version_dir, error);
  if (err) return err;
  char *whole = realpath(version_dir, NULL);
  set(env, "MODEL", whole ? whole : version_dir);
  set(env, "MODEL_NAME", model->name);
  free(whole);
  free(version_dir);
  return SP_OK;
}

static enum sp_err make_environment(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                    const char *server_address, const struct sp_apps *apps, size_t i,
                                    const char *folder, struct environment *env, struct sp_error *error) {
  static const char *const modes[] = {"at-least-once", "exactly-once"};
  const struct sp_app_conf *conf = &plan->side->app;
  char *file = realpath(plan->scenario->file, NULL);
  set(env, "BROKER", broker->address);
  set(env, "INPUT_TOPIC", broker->input);
  set(env, "OUTPUT_TOPIC", broker->output);
  set_count(env, "PARTITIONS", plan->scenario->topics.partitions);
  set(env, "GROUP", apps->group);
  set_count(env, "MEMBER", i + 1);
  set(env, "CASE", plan->scenario->name);
  set(env, "SCENARIO", file ? file : plan->scenario->file);
  set(env, "SERVER", server_address);
  set_count(env, "THREADS", conf->threads);
  set_count(env, "BATCH", conf->batch);
  set(env, "DELIVERY", modes[conf->delivery]);
  set(env, "DIR", folder);
  free(file);
  return set_model(env, &plan->scenario->model, error);
}

static bool is_program(const char *command) {
  struct stat facts;
  return strchr(command, '/') && stat(command, &facts) == 0 && S_ISREG(facts.st_mode) &&
         access(command, X_OK) == 0;
}

// A plain name is one of scripts/apps; anything else is the shell's, where a program's path may hold blanks.
static enum sp_err make_arguments(const char *command, struct sp_arguments *args, struct sp_error *error) {
  if (!sp_script_is_name(command)) {
    sp_arguments_word(args, "/bin/sh");
    sp_arguments_word(args, "-c");
    if (is_program(command)) sp_arguments_word(args, "exec \"$0\"");
    sp_arguments_word(args, command);
    return SP_OK;
  }
  char *path;
  enum sp_err err =
      sp_script_find("apps", command, "run", "write a command with a path: --app './my-app'", &path, error);
  if (!err) sp_arguments_add(args, path);
  return err;
}

enum sp_err sp_foreign_app_start(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                 const char *server_address, const struct sp_placement *placement,
                                 struct sp_run_dir *dir, struct sp_apps *apps, size_t i,
                                 struct sp_error *error) {
  struct sp_arguments args = {0};
  struct environment env = {0};
  char *name = sp_format("app %zu", i + 1), *folder_name = sp_format("app-%zu", i + 1);
  char *folder = sp_run_dir_file(dir, folder_name);
  enum sp_err err = make_arguments(plan->side->app.command, &args, error);
  if (!err) err = sp_files_make_dirs(folder, error);
  if (!err) err = make_environment(plan, broker, server_address, apps, i, folder, &env, error);
  if (!err)
    err = sp_trial_child_start_with(&apps->items[i].child, name, &args, (const char *const *)env.items,
                                    &placement->app, dir, error);
  for (size_t k = 0; k < env.n; k++) free(env.items[k]);
  sp_arguments_done(&args);
  free(folder);
  free(folder_name);
  free(name);
  return err;
}

// --- Ready ---

struct waiting {
  struct sp_apps *apps;
  struct sp_child holds; // asks the broker whether a group holds the topic; zeroed: nobody asks
  bool *is_ready;        // per application: it printed its line
};

static void take_ready(struct waiting *w, size_t i) {
  struct sp_child *child = &w->apps->items[i].child;
  for (const char *line; (line = sp_child_next_line(child));) {
    if (w->is_ready[i] || !sp_trial_line_is_ready(line)) continue;
    w->is_ready[i] = true;
    if (!w->apps->library) w->apps->library = sp_trial_line_text(line, "library");
  }
}

static bool all_ready(struct waiting *w) {
  bool are_ready = true;
  for (size_t i = 0; i < w->apps->n; i++) {
    take_ready(w, i);
    are_ready &= w->is_ready[i];
  }
  return are_ready;
}

static enum sp_err start_asking(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                struct sp_run_dir *dir, struct waiting *w, struct sp_error *error) {
  struct sp_arguments args = {0};
  sp_arguments_verb(&args, "topics");
  sp_arguments_word(&args, broker->address);
  sp_arguments_pair(&args, "--held", broker->input);
  sp_arguments_count(&args, "--members", (long long)w->apps->n);
  sp_arguments_word(&args, "--wait");
  sp_arguments_add(&args, sp_format("%lldns", (long long)READY_NS));
  enum sp_err err = sp_broker_add_properties(&args, &plan->scenario->kafka.producer, dir, error);
  if (!err) err = sp_trial_child_start(&w->holds, "group", &args, NULL, dir, -1, error);
  sp_arguments_done(&args);
  return err;
}

static enum sp_err fail_ended(struct sp_apps *apps, struct sp_error *error) {
  for (size_t i = 0; i < apps->n; i++) {
    struct sp_child *child = &apps->items[i].child;
    if (!sp_child_poll(child)) continue;
    char words[512], status[64];
    sp_child_last_words(child, words, sizeof words);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "application %zu %s before it was ready%s%s", i + 1,
                   sp_child_status_text(child, status, sizeof status), words[0] ? ": " : "", words);
  }
  return SP_OK;
}

static enum sp_err fail_late(const struct waiting *w, const char *command, bool asked,
                             struct sp_error *error) {
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "application %.100s was not ready within %.3g s: it printed no line {\"ready\":true}%s; print "
      "that line, or say how long to wait: --app-ready 10s%s",
      command, (double)READY_NS / 1e9,
      asked ? ", and the broker knows of no group that holds its input topic" : "",
      w->apps->n > 1 ? " (each of them)" : "");
}

// The children to wait for, into `list` of apps.n + 1; returns how many.
static size_t children_of(struct waiting *w, struct sp_child **list) {
  for (size_t i = 0; i < w->apps->n; i++) list[i] = &w->apps->items[i].child;
  list[w->apps->n] = &w->holds;
  return w->apps->n + (w->holds.pid > 0);
}

static enum sp_err pause_for(struct waiting *w, struct sp_supervisor *supervisor, int64_t wait_ns,
                             struct sp_error *error) {
  struct sp_child **list = sp_alloc((w->apps->n + 1) * sizeof(void *));
  enum sp_err err = SP_OK;
  for (int64_t until_ns = sp_now_ns() + wait_ns; !err && sp_now_ns() < until_ns && !supervisor->signal;) {
    sp_supervisor_wait(supervisor, list, children_of(w, list), until_ns);
    all_ready(w);
    err = fail_ended(w->apps, error);
  }
  free(list);
  return err;
}

// True once the broker has said that the topic is held.
static bool is_held(struct waiting *w) {
  if (!w->holds.pid) return false;
  while (sp_child_next_line(&w->holds)) continue;
  return sp_child_poll(&w->holds) && sp_child_exit_code(&w->holds) == 0;
}

static enum sp_err await(struct waiting *w, const char *command, struct sp_supervisor *supervisor,
                         struct sp_error *error) {
  struct sp_child **list = sp_alloc((w->apps->n + 1) * sizeof(void *));
  int64_t until_ns = sp_now_ns() + READY_NS;
  enum sp_err err = SP_OK;
  bool asked = w->holds.pid > 0;
  while (!err && !all_ready(w)) {
    if (is_held(w)) {
      err = pause_for(w, supervisor, SETTLE_NS, error);
      break;
    }
    err = fail_ended(w->apps, error);
    if (!err && supervisor->signal)
      err = sp_fail(error, SP_ERR_ENVIRONMENT, "ended by signal %d while waiting for the application",
                    supervisor->signal);
    if (!err && sp_now_ns() >= until_ns) err = fail_late(w, command, asked, error);
    if (!err) sp_supervisor_wait(supervisor, list, children_of(w, list), until_ns);
  }
  free(list);
  return err;
}

enum sp_err sp_foreign_apps_await(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                                  struct sp_run_dir *dir, struct sp_apps *apps,
                                  struct sp_supervisor *supervisor, struct sp_error *error) {
  const char *when = plan->side->app.ready;
  struct waiting w = {.apps = apps, .is_ready = sp_alloc((apps->n + 1) * sizeof(bool))};
  bool is_auto = strcmp(when, "auto") == 0, by_line = is_auto || strcmp(when, "line") == 0;
  int64_t wait_ns = 0;
  enum sp_err err = by_line ? SP_OK : sp_units_parse_duration(when, &wait_ns, error);
  // The mock cluster does not say who holds what.
  if (!err && is_auto && strcmp(broker->kind, "mock") != 0) err = start_asking(plan, broker, dir, &w, error);
  if (!err)
    err = by_line ? await(&w, plan->side->app.command, supervisor, error)
                  : pause_for(&w, supervisor, wait_ns, error);
  if (!apps->library) apps->library = sp_copy_text(plan->side->app.command);
  sp_child_stop(&w.holds, 0);
  sp_child_free(&w.holds);
  free(w.is_ready);
  return err;
}
