// Members of one consumer group, each `servepath app`.
#include "trial/apps.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trial/child.h"
#include "trial/foreign_app.h"
#include "trial/ours.h"

#define READY_NS  (90 * SP_NS_PER_S)
#define SETTLE_NS (60 * SP_NS_PER_S)
#define GRACE_NS  (10 * SP_NS_PER_S) // a second signal ends it
#define LOOK_NS   (5 * SP_NS_PER_MS)

// --- What they say ---

static size_t app_number(const struct sp_apps *apps, const struct sp_trial_app *app) {
  return (size_t)(app - apps->items) + 1;
}

// "partitions":[0,2] of a line; returns the text between the brackets as malloc'ed, NULL: there is no list.
static char *partitions_text(const char *line) {
  const char *at = strstr(line, "\"partitions\":["), *end = at ? strchr(at, ']') : NULL;
  if (!end) return NULL;
  at = strchr(at, '[') + 1;
  return sp_format("%.*s", (int)(end - at), at);
}

static void set_holds(struct sp_apps *apps, struct sp_trial_app *app, const char *partitions, bool holds) {
  for (const char *at = partitions; at && *at;) {
    char *end;
    unsigned long long p = strtoull(at, &end, 10);
    if (end == at) return;
    if (p < apps->n_partitions) app->holds[p] = holds;
    at = *end == ',' ? end + 1 : end;
  }
}

static void add_totals(struct sp_apps *apps, const char *line) {
  const struct {
    const char *name;
    int64_t *total;
  } fields[] = {{"received", &apps->totals.received},
                {"answered", &apps->totals.answered},
                {"acknowledged", &apps->totals.acknowledged},
                {"refused", &apps->totals.refused},
                {"commits", &apps->totals.commits},
                {"aborts", &apps->totals.aborts},
                {"rebalances", &apps->totals.rebalances},
                {"dropped_at_rebalance", &apps->totals.dropped_at_rebalance}};
  apps->n_told++;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    int64_t count = sp_trial_line_count(line, fields[i].name);
    if (count >= 0) *fields[i].total += count;
  }
}

// marks NULL: not wanted.
static void take_line(struct sp_apps *apps, struct sp_trial_app *app, const char *line,
                      struct sp_marks *marks) {
  if (apps->is_foreign) return; // "event" means to others what they like
  char *event = sp_trial_line_text(line, "event"), *partitions = partitions_text(line);
  bool is_assigned = event && strcmp(event, "assigned") == 0,
       is_revoked = event && strcmp(event, "revoked") == 0;
  if (is_assigned || is_revoked) {
    set_holds(apps, app, partitions, is_assigned);
    if (marks)
      sp_marks_add(marks, "app %zu %s %s", app_number(apps, app), event,
                   partitions && *partitions ? partitions : "none");
  } else if (event && strcmp(event, "end") == 0) {
    add_totals(apps, line);
  }
  free(event);
  free(partitions);
}

static void take_lines(struct sp_apps *apps, struct sp_marks *marks) {
  const char *line;
  for (size_t i = 0; i < apps->n; i++) {
    if (!apps->items[i].child.pid) continue; // it could not be started
    while ((line = sp_child_next_line(&apps->items[i].child))) take_line(apps, &apps->items[i], line, marks);
  }
}

static char *end_text(const struct sp_apps *apps, struct sp_trial_app *app) {
  char text[64], words[200];
  int code = sp_child_exit_code(&app->child);
  if (code > 128) {
    const char *name = sigabbrev_np(code - 128);
    return sp_format("app %zu killed (SIG%s)", app_number(apps, app), name ? name : "?");
  }
  sp_child_last_words(&app->child, words, sizeof words);
  return sp_format("app %zu %s%s%s", app_number(apps, app),
                   sp_child_status_text(&app->child, text, sizeof text), words[0] ? ": " : "", words);
}

static void mark_end(struct sp_apps *apps, struct sp_trial_app *app, struct sp_marks *marks) {
  char *text = end_text(apps, app);
  app->was_end_marked = true;
  memset(app->holds, 0, apps->n_partitions * sizeof *app->holds);
  sp_marks_add(marks, "%s", text);
  if (apps->ended)
    free(text);
  else
    apps->ended = text;
}

void sp_apps_watch(struct sp_apps *apps, struct sp_marks *marks) {
  take_lines(apps, marks);
  for (size_t i = 0; i < apps->n; i++) {
    struct sp_trial_app *app = &apps->items[i];
    if (app->child.has_ended && !app->was_end_marked) mark_end(apps, app, marks);
  }
}

// --- Starting ---

static enum sp_err start_one(const struct sp_trial_plan *plan, const struct sp_broker *broker,
                             const char *server_address, const struct sp_placement *placement,
                             struct sp_run_dir *dir, struct sp_apps *apps, size_t i, struct sp_error *error) {
  struct sp_arguments args = {0};
  char *name = sp_format("app %zu", i + 1);
  sp_arguments_verb(&args, "app");
  sp_arguments_scenario(&args, plan);
  sp_arguments_sides(&args, plan, true);
  sp_arguments_pair(&args, "--transport", "kafka");
  sp_arguments_pair(&args, "--broker", broker->address);
  sp_arguments_pair(&args, "--input-topic", broker->input);
  sp_arguments_pair(&args, "--output-topic", broker->output);
  if (!plan->side->app.group) sp_arguments_pair(&args, "--group", apps->group);
  sp_arguments_count(&args, "--member", (long long)i + 1);
  sp_arguments_pair(&args, "--server-address", server_address);
  enum sp_err err = sp_trial_child_start(&apps->items[i].child, name, &args, &placement->app, dir, -1, error);
  sp_arguments_done(&args);
  free(name);
  return err;
}

static size_t n_held(const struct sp_apps *apps) {
  size_t n = 0;
  for (uint64_t p = 0; p < apps->n_partitions; p++) {
    bool is_held = false;
    for (size_t i = 0; i < apps->n; i++) {
      SP_ASSERT(apps->items && apps->items[i].holds);
      is_held |= apps->items[i].holds[p];
    }
    n += is_held;
  }
  return n;
}

static struct sp_trial_app *first_ended(struct sp_apps *apps) {
  for (size_t i = 0; i < apps->n; i++) {
    if (sp_child_poll(&apps->items[i].child)) return &apps->items[i];
  }
  return NULL;
}

static void wait_for_any(struct sp_apps *apps, struct sp_supervisor *supervisor, int64_t until_ns) {
  struct sp_child **children = sp_alloc((apps->n + 1) * sizeof(void *));
  for (size_t i = 0; i < apps->n; i++) children[i] = &apps->items[i].child;
  sp_supervisor_wait(supervisor, children, apps->n, until_ns);
  free(children);
}

// A member that joins takes partitions from those before it: ready is when nothing is between two members any more.
static enum sp_err settle(struct sp_apps *apps, struct sp_supervisor *supervisor, struct sp_error *error) {
  int64_t until_ns = sp_now_ns() + SETTLE_NS;
  for (;;) {
    take_lines(apps, NULL);
    struct sp_trial_app *ended = first_ended(apps);
    if (ended) return sp_trial_child_error(&ended->child, error);
    if (n_held(apps) == apps->n_partitions) return SP_OK;
    if (supervisor->signal)
      return sp_fail(error, SP_ERR_ENVIRONMENT, "ended by signal %d while the group was settling",
                     supervisor->signal);
    if (sp_now_ns() >= until_ns) {
      return sp_fail(
          error, SP_ERR_ENVIRONMENT,
          "the %zu applications of group %s hold %zu of %llu partitions after %.3g s; end what else is "
          "a member of it, or use another --group",
          apps->n, apps->group, n_held(apps), (unsigned long long)apps->n_partitions,
          (double)SETTLE_NS / 1e9);
    }
    wait_for_any(apps, supervisor, until_ns);
  }
}

static enum sp_err await_all(struct sp_apps *apps, struct sp_supervisor *supervisor, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < apps->n && !err; i++) {
    const char *line;
    struct sp_trial_app *app = &apps->items[i];
    err = sp_trial_child_wait(&app->child, supervisor, READY_NS, &line, error);
    char *partitions = err ? NULL : partitions_text(line);
    set_holds(apps, app, partitions, true);
    free(partitions);
  }
  return err;
}

enum sp_err sp_apps_start(const struct sp_trial_plan *plan, const char *run_id,
                          const struct sp_broker *broker, const char *server_address,
                          const struct sp_placement *placement, struct sp_run_dir *dir,
                          struct sp_supervisor *supervisor, struct sp_apps *apps, struct sp_error *error) {
  const struct sp_app_conf *conf = &plan->side->app;
  *apps = (struct sp_apps){.n_partitions = plan->scenario->topics.partitions};
  if (!broker->kind || !sp_apps_are_ours(plan->scenario, plan->side)) return SP_OK;
  apps->is_foreign = conf->command != NULL;
  apps->group = conf->group ? sp_copy_text(conf->group) : sp_apps_own_group(run_id);
  apps->items = sp_alloc(conf->apps * sizeof *apps->items);
  if (conf->apps > apps->n_partitions) {
    fprintf(
        stderr,
        "servepath run: %llu applications share %llu partitions, so that some stay idle; use fewer --apps or "
        "--set topics.partitions=%llu\n",
        (unsigned long long)conf->apps, (unsigned long long)apps->n_partitions,
        (unsigned long long)conf->apps);
  }
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < conf->apps && !err; i++) {
    apps->items[i].holds = sp_alloc(apps->n_partitions * sizeof(bool));
    apps->n++;
    err = apps->is_foreign
              ? sp_foreign_app_start(plan, broker, server_address, placement, dir, apps, i, error)
              : start_one(plan, broker, server_address, placement, dir, apps, i, error);
  }
  if (!err && apps->is_foreign) return sp_foreign_apps_await(plan, broker, dir, apps, supervisor, error);
  if (!err) err = await_all(apps, supervisor, error);
  return err || conf->group ? err : settle(apps, supervisor, error);
}

// --- The end ---

static void await_ours(struct sp_apps *apps, struct sp_supervisor *supervisor, int64_t until_ns) {
  for (bool lives = true; lives && sp_now_ns() < until_ns && supervisor->n_signals < 2;) {
    lives = false;
    for (size_t i = 0; i < apps->n; i++)
      lives |= apps->items[i].child.pid > 0 && !sp_child_poll(&apps->items[i].child);
    take_lines(apps, NULL);
    if (lives) wait_for_any(apps, supervisor, until_ns);
  }
  take_lines(apps, NULL);
}

// A command is a shell and what it started, often: the shell may end at once, and the application it started still has to commit.
static void await_foreign(struct sp_apps *apps, struct sp_supervisor *supervisor, int64_t until_ns) {
  for (bool lives = true; lives && sp_now_ns() < until_ns && supervisor->n_signals < 2;) {
    lives = false;
    for (size_t i = 0; i < apps->n; i++) {
      struct sp_child *child = &apps->items[i].child;
      child->n_read = 0;
      while (child->pid > 0 && sp_child_next_line(child)) continue; // a full pipe would keep it from ending
      lives |= sp_child_group_lives(child);
    }
    if (lives) sp_supervisor_wait(supervisor, NULL, 0, sp_now_ns() + LOOK_NS); // signals alone
  }
}

void sp_apps_stop(struct sp_apps *apps, struct sp_supervisor *supervisor) {
  int64_t until_ns = sp_now_ns() + GRACE_NS;
  for (size_t i = 0; i < apps->n; i++) {
    struct sp_child *child = &apps->items[i].child;
    if (apps->is_foreign) {
      sp_child_signal_group(child, SIGTERM);
      sp_child_signal_group(child, SIGCONT); // one that stopped itself hears nothing else
    } else {
      sp_child_signal(child, SIGTERM);
    }
  }
  if (apps->is_foreign)
    await_foreign(apps, supervisor, until_ns);
  else
    await_ours(apps, supervisor, until_ns);
  for (size_t i = 0; i < apps->n; i++) {
    struct sp_child *child = &apps->items[i].child;
    bool lives = apps->is_foreign ? sp_child_group_lives(child) : child->pid > 0 && !child->has_ended;
    if (lives && sp_now_ns() >= until_ns)
      fprintf(stderr, "servepath: application %zu did not end within %.3g s of SIGTERM and was killed\n",
              i + 1, (double)GRACE_NS / 1e9);
    sp_child_stop(child, 0);
  }
}

void sp_apps_done(struct sp_apps *apps) {
  for (size_t i = 0; i < apps->n; i++) {
    sp_child_free(&apps->items[i].child);
    free(apps->items[i].holds);
  }
  free(apps->items);
  free(apps->group);
  free(apps->library);
  free(apps->ended);
  *apps = (struct sp_apps){0};
}
