// The supervisor of one trial.
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "os/files.h"
#include "os/shared.h"
#include "replay/tally.h"
#include "trial/children.h"
#include "trial/live.h"
#include "trial/trial.h"

#define STOP_GRACE_NS (6 * SP_NS_PER_S)
#define LOOK_NS       (100 * SP_NS_PER_MS)

struct trial {
  const struct sp_trial_plan *plan;
  struct sp_supervisor *supervisor;
  struct sp_placement placement;
  struct sp_run_dir dir;
  struct sp_shared shared;
  struct sp_tally *tally;
  char run_id[33];
  bool is_marked; // out_dir holds a result.json of this run
  char *server_address;
  struct sp_child server, driver;
  int64_t server_ended_ns; // 0: it lived to the end
  char server_end[64];
};

static void make_run_id(struct trial *t) {
  uint8_t bytes[16];
  ssize_t n = getrandom(bytes, sizeof bytes, 0);
  SP_ASSERT(n == (ssize_t)sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(t->run_id + 2 * i, 3, "%02x", bytes[i]);
}

static bool needs_server(const struct sp_side *side) {
  return strcmp(side->path.path, "rpc") == 0;
}

// A folder says that it is incomplete from the start, whatever happens to us.
static enum sp_err mark_incomplete(struct trial *t, const char *why, struct sp_error *error) {
  struct sp_result *r = sp_result_new();
  free(r->run_id);
  r->run_id = sp_copy_text(t->run_id);
  r->incomplete = sp_copy_text(why);
  r->side = sp_copy_text(t->plan->side->name);
  r->path = sp_copy_text(t->plan->side->path.path);
  sp_facts_text(&r->scenario, "name", t->plan->scenario->name);
  sp_facts_text(&r->scenario, "digest", t->plan->scenario->digest);
  sp_result_command(r, t->plan->argc, t->plan->argv);
  enum sp_err err = sp_result_write(r, t->plan->out_dir, error);
  sp_result_free(r);
  return err;
}

// The folder of a trial that came to nothing says why.
static void mark_why(struct trial *t, const struct sp_error *why) {
  struct sp_error ignored; // the first error is the one to tell
  if (t->is_marked) mark_incomplete(t, why->text, &ignored);
}

static enum sp_err start_all(struct trial *t, struct sp_error *error) {
  make_run_id(t);
  enum sp_err err = sp_placement_resolve(&t->plan->scenario->placement, &t->placement, error);
  if (!err) err = mark_incomplete(t, "the trial has not ended", error);
  t->is_marked = !err;
  if (!err) err = sp_run_dir_new(&t->dir, t->run_id, error);
  if (!err) err = sp_shared_new(&t->shared, "servepath-tally", sizeof *t->tally, error);
  if (err) return err;
  t->tally = t->shared.data;
  const struct sp_side *side = t->plan->side;
  if (needs_server(side)) {
    if (strcmp(side->rpc.address, "spawn") != 0)
      t->server_address = sp_copy_text(side->rpc.address);
    else
      err = sp_children_start_server(t->plan, &t->placement, &t->dir, t->supervisor, &t->server,
                                     &t->server_address, error);
  }
  if (err) return err;
  return sp_children_start_driver(t->plan, &t->dir, t->supervisor, t->run_id, t->shared.fd, t->server_address,
                                  t->server.pid, &t->driver, error);
}

static void watch_server(struct trial *t) {
  if (!t->server.pid || t->server_ended_ns || !t->server.has_ended) return;
  t->server_ended_ns = sp_now_ns();
  sp_child_status_text(&t->server, t->server_end, sizeof t->server_end);
}

// Until the driver has ended. The first signal asks it to stop and write, the second ends it.
static void watch(struct trial *t) {
  struct sp_child *children[] = {&t->driver, &t->server};
  struct sp_trial_live live;
  unsigned n_passed_on = 0;
  sp_trial_live_init(&live, t->plan->scenario, t->plan->side->name);
  while (!sp_child_poll(&t->driver)) {
    sp_supervisor_wait(t->supervisor, children, 2, sp_now_ns() + LOOK_NS);
    while (sp_child_next_line(&t->driver)) continue;
    while (sp_child_next_line(&t->server)) continue;
    watch_server(t);
    if (t->supervisor->n_signals > n_passed_on) {
      n_passed_on = t->supervisor->n_signals;
      sp_child_signal(&t->driver, n_passed_on == 1 ? SIGTERM : SIGKILL);
    }
    if (!t->plan->is_quiet) sp_trial_live_show(&live, t->tally);
  }
  sp_trial_live_end(&live);
}

// The driver died: its books are in the memory that it shared. What has no outcome there is lost.
static void books_of_the_dead(struct trial *t, struct sp_result *r) {
  int64_t n_answered = 0;
  r->intended = sp_tally_get(&t->tally->n_window_sent) + sp_tally_get(&t->tally->n_window_shed);
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    r->outcomes[i] = sp_tally_get(&t->tally->outcomes[i]);
    n_answered += r->outcomes[i];
  }
  r->outcomes[SP_OUTCOME_SHED] = sp_tally_get(&t->tally->n_window_shed);
  int64_t n_lost = r->intended - n_answered - r->outcomes[SP_OUTCOME_SHED];
  if (n_lost < 0) { // an answer was counted that its event, sent just before the death, was not
    r->intended -= n_lost;
    n_lost = 0;
  }
  r->outcomes[SP_OUTCOME_LOST] = n_lost;
  r->completion = r->intended ? (double)n_answered / (double)r->intended : NAN;
  char status[64];
  r->incomplete = sp_format("the driver %s", sp_child_status_text(&t->driver, status, sizeof status));
  sp_result_invalid(r, r->incomplete);
}

static void mark_server_end(struct trial *t, struct sp_result *r) {
  if (!t->server_ended_ns) return;
  int64_t t0_ns = sp_tally_get(&t->tally->origin_ns) + t->plan->scenario->load.warmup_ns;
  int64_t second = (t->server_ended_ns - t0_ns) / SP_NS_PER_S;
  sp_facts_text(&r->server, "ended", t->server_end);
  for (size_t i = 0; i < r->n_timeline; i++) {
    if (r->timeline[i].figures.second != second || r->timeline[i].mark) continue;
    r->timeline[i].mark = sp_format("model server %s", t->server_end);
  }
}

static void add_tags(struct trial *t, struct sp_result *r) {
  const struct sp_properties *tags = &t->plan->cli->tags;
  for (size_t i = 0; i < tags->n; i++) sp_facts_text(&r->tags, tags->items[i].name, tags->items[i].value);
}

static enum sp_err finish(struct trial *t, struct sp_result **result, struct sp_error *error) {
  bool was_killed = sp_child_exit_code(&t->driver) > 128;
  if (!was_killed && sp_child_exit_code(&t->driver) != 0) {
    enum sp_err why = sp_children_error(&t->driver, error);
    mark_why(t, error);
    return why;
  }
  struct sp_result *r;
  enum sp_err err = sp_result_read(t->plan->out_dir, &r, error);
  if (err) return err;
  if (was_killed) {
    free(r->incomplete);
    books_of_the_dead(t, r);
  }
  if (t->supervisor->signal && r->incomplete && !was_killed) { // the driver knows only what we passed on
    free(r->incomplete);
    r->incomplete = sp_format("ended by signal %d", t->supervisor->signal);
  }
  sp_result_command(r, t->plan->argc, t->plan->argv);
  add_tags(t, r);
  mark_server_end(t, r);
  r->complete = r->incomplete == NULL;
  err = sp_result_write(r, t->plan->out_dir, error);
  if (err)
    sp_result_free(r);
  else
    *result = r;
  return err;
}

enum sp_err sp_trial_run(const struct sp_trial_plan *plan, struct sp_supervisor *supervisor,
                         struct sp_result **result, struct sp_error *error) {
  struct trial t = {.plan = plan, .supervisor = supervisor};
  enum sp_err err = start_all(&t, error);
  if (!err) {
    watch(&t);
    err = finish(&t, result, error);
  } else {
    mark_why(&t, error);
  }
  sp_child_free(&t.driver);
  sp_child_stop(&t.server, STOP_GRACE_NS);
  sp_child_free(&t.server);
  sp_shared_free(&t.shared);
  sp_run_dir_free(&t.dir);
  free(t.server_address);
  return err;
}

int sp_trial_exit_code(const struct sp_result *result, int signal) {
  if (signal) return 128 + signal;
  if (!sp_result_is_valid(result) || !result->complete) return sp_exit_code(SP_ERR_INVALID);
  bool has_failed = result->predictions.mismatched > 0, is_open = false;
  for (size_t i = 0; i < result->n_bounds; i++) {
    has_failed |= result->bounds[i].met == SP_MET_NO;
    is_open |= result->bounds[i].met == SP_MET_UNKNOWN;
  }
  if (has_failed) return sp_exit_code(SP_ERR_FAILED);
  return is_open ? sp_exit_code(SP_ERR_INCONCLUSIVE) : 0;
}
