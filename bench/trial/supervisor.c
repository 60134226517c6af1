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
#include "os/wakeup.h"
#include "replay/tally.h"
#include "trial/child.h"
#include "trial/children.h"
#include "trial/live.h"
#include "trial/ours.h"
#include "trial/trial.h"

#define LOOK_NS (100 * SP_NS_PER_MS)

struct trial {
  const struct sp_trial_plan *plan;
  struct sp_supervisor *supervisor;
  struct sp_placement placement;
  struct sp_run_dir dir;
  struct sp_shared shared;
  struct sp_tally *tally;
  char run_id[33];
  bool is_marked; // out_dir holds a result.json of this run
  struct sp_broker broker;
  struct sp_apps apps;
  struct sp_trial_server server;
  struct sp_child driver;
  struct sp_marks marks;
  int wakeup_fd; // -1: nothing is asked of the machine
  bool was_server_end_marked, was_relay_end_marked;
};

static void make_run_id(struct trial *t) {
  uint8_t bytes[16];
  ssize_t n = getrandom(bytes, sizeof bytes, 0);
  SP_ASSERT(n == (ssize_t)sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(t->run_id + 2 * i, 3, "%02x", bytes[i]);
}

// Over Kafka a server that is not there yet is the applications' matter: whoever starts those starts the server.
static bool needs_server(const struct sp_trial_plan *plan) {
  const struct sp_side *side = plan->side;
  if (strcmp(side->path.path, "rpc") != 0) return false;
  return !sp_rpc_is_started(side->rpc.address) || plan->scenario->stream.transport == SP_TRANSPORT_DIRECT ||
         sp_apps_are_ours(plan->scenario, side);
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
  const struct sp_trial_conf *placement = &t->plan->scenario->placement;
  enum sp_err err = sp_placement_resolve(placement, &t->placement, error);
  if (!err) err = sp_wakeup_hold(placement->wake_latency_ns, &t->wakeup_fd, error);
  if (!err) err = mark_incomplete(t, "the trial has not ended", error);
  t->is_marked = !err;
  if (!err) err = sp_run_dir_new(&t->dir, t->run_id, error);
  if (!err) err = sp_shared_new(&t->shared, "servepath-tally", sizeof *t->tally, error);
  if (err) return err;
  t->tally = t->shared.data;
  err = sp_broker_start(t->plan, t->run_id, &t->placement, &t->dir, t->supervisor, &t->broker, error);
  if (!err && needs_server(t->plan))
    err = sp_trial_server_start(t->plan, &t->placement, &t->dir, t->supervisor, &t->server, error);
  if (!err)
    err = sp_apps_start(t->plan, t->run_id, &t->broker, t->server.address, &t->placement, &t->dir,
                        t->supervisor, &t->apps, error);
  if (err) return err;
  struct sp_driver_child facts = {.run_id = t->run_id,
                                  .tally_fd = t->shared.fd,
                                  .server = &t->server,
                                  .broker = &t->broker,
                                  .apps = &t->apps};
  return sp_children_start_driver(t->plan, &facts, &t->dir, t->supervisor, &t->driver, error);
}

static void watch_relay(struct trial *t) {
  const struct sp_child *relay = &t->server.relay;
  if (!relay->pid || t->was_relay_end_marked || !relay->has_ended) return;
  char status[64];
  t->was_relay_end_marked = true;
  sp_marks_add(&t->marks, "relay %s", sp_child_status_text(relay, status, sizeof status));
}

static void watch_server(struct trial *t) {
  const struct sp_child *child = &t->server.child;
  sp_trial_server_take_lines(&t->server);
  if (!child->pid || t->was_server_end_marked || !child->has_ended) return;
  char status[64];
  t->was_server_end_marked = true;
  sp_marks_add(&t->marks, "model server %s", sp_child_status_text(child, status, sizeof status));
}

// Until the driver has ended. The first signal asks it to stop and write, the second ends it.
static void watch(struct trial *t) {
  struct sp_child **children = sp_alloc((4 + t->apps.n) * sizeof(void *));
  children[0] = &t->driver;
  children[1] = &t->server.child;
  children[2] = &t->broker.child;
  children[3] = &t->server.relay;
  for (size_t i = 0; i < t->apps.n; i++) children[4 + i] = &t->apps.items[i].child;
  struct sp_trial_live live;
  unsigned n_passed_on = 0;
  sp_trial_live_init(&live, t->plan);
  while (!sp_child_poll(&t->driver)) {
    sp_supervisor_wait(t->supervisor, children, 4 + t->apps.n, sp_now_ns() + LOOK_NS);
    while (sp_child_next_line(&t->driver)) continue;
    watch_server(t);
    watch_relay(t);
    sp_broker_watch(&t->broker, &t->marks);
    sp_apps_watch(&t->apps, &t->marks);
    if (t->supervisor->n_signals > n_passed_on) {
      n_passed_on = t->supervisor->n_signals;
      sp_child_signal(&t->driver, n_passed_on == 1 ? SIGTERM : SIGKILL);
    }
    if (!t->plan->is_quiet) sp_trial_live_show(&live, t->tally);
  }
  sp_trial_live_end(&live);
  free(children);
}

// In reverse order of their start, so that each still has what it needs to end in good order; what they have counted is kept.
static void stop_applications(struct trial *t) {
  sp_apps_stop(&t->apps, t->supervisor);
  sp_trial_server_stop(&t->server, t->supervisor);
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

static void add_marks(struct trial *t, struct sp_result *r) {
  char status[64];
  int64_t t0_ns = sp_tally_get(&t->tally->origin_ns) + t->plan->scenario->load.warmup_ns;
  sp_marks_apply(&t->marks, t0_ns, r);
  if (t->was_relay_end_marked) sp_result_invalid(r, "the relay of rpc_delay ended during the trial");
  if (t->was_server_end_marked)
    sp_facts_text(&r->server, "ended", sp_child_status_text(&t->server.child, status, sizeof status));
  if (t->broker.was_end_marked)
    sp_facts_text(&r->broker, "ended", sp_child_status_text(&t->broker.child, status, sizeof status));
  if (t->apps.ended) sp_facts_text(&r->delivery, "app_ended", t->apps.ended);
}

// Members of the group that somebody else started have answered too, at a cost that nobody here knows.
static void leave_out_costs(struct trial *t, struct sp_result *r) {
  bool all_told = t->apps.n > 0 && t->apps.n_told == t->apps.n;
  if (!all_told || t->apps.totals.answered >= sp_tally_get(&t->tally->n_completed)) return;
  r->cpu_us_per_event.n = 0;
  sp_facts_flag(&r->delivery, "others_answered", true);
}

// How often the server was asked about an event although it had been answered, or about one whose answer did not stand: the
// work that a guarantee of the transport does not undo. It may have predicted each event without an answer once too (after a
// deadline, behind a cut connection): that is no repetition, so that with such events this is the least that it can be.
static void add_repeated(struct trial *t, struct sp_result *r) {
  if (!t->server.child.name || t->server.n_predictions < 0) return; // none of ours
  int64_t n_unanswered = sp_tally_get(&t->tally->n_sent) - sp_tally_get(&t->tally->n_completed);
  int64_t n_repeated = t->server.n_predictions - sp_tally_get(&t->tally->n_predicted) - n_unanswered;
  sp_facts_count(&r->delivery, "server_predictions", t->server.n_predictions);
  if (!t->plan->scenario->load.shard)
    sp_facts_count(&r->delivery, "rpc_repeated", n_repeated > 0 ? n_repeated : 0);
}

static void add_delivery(struct trial *t, struct sp_result *r) {
  const struct sp_app_totals *totals = &t->apps.totals;
  const struct {
    const char *name;
    int64_t count;
  } counts[] = {
      {"received", totals->received},         {"answered", totals->answered},
      {"acknowledged", totals->acknowledged}, {"refused", totals->refused},
      {"commits", totals->commits},           {"aborts", totals->aborts},
      {"rebalances", totals->rebalances},     {"dropped_at_rebalance", totals->dropped_at_rebalance}};
  if (t->apps.n == 0) return;
  sp_facts_count(&r->delivery, "apps_counted", (int64_t)t->apps.n_told); // one that was killed told nothing
  for (size_t i = 0; i < sizeof counts / sizeof counts[0] && t->apps.n_told; i++)
    sp_facts_count(&r->delivery, counts[i].name, counts[i].count);
  leave_out_costs(t, r);
  add_repeated(t, r);
}

static void add_tags(struct trial *t, struct sp_result *r) {
  const struct sp_properties *tags = &t->plan->cli->tags;
  for (size_t i = 0; i < tags->n; i++) sp_facts_text(&r->tags, tags->items[i].name, tags->items[i].value);
}

static enum sp_err finish(struct trial *t, struct sp_result **result, struct sp_error *error) {
  bool was_killed = sp_child_exit_code(&t->driver) > 128;
  if (!was_killed && sp_child_exit_code(&t->driver) != 0) {
    enum sp_err why = sp_trial_child_error(&t->driver, error);
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
  add_marks(t, r);
  add_delivery(t, r);
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
  const struct sp_scenario scenario = sp_scenario_of_side(plan->scenario, plan->side);
  struct sp_trial_plan own = *plan;
  own.scenario = &scenario;
  struct trial t = {.plan = &own, .supervisor = supervisor, .wakeup_fd = -1};
  enum sp_err err = start_all(&t, error);
  if (!err) {
    watch(&t);
    stop_applications(&t);
    err = finish(&t, result, error);
  } else {
    mark_why(&t, error);
  }
  sp_child_free(&t.driver);
  stop_applications(&t);
  sp_apps_done(&t.apps);
  sp_trial_server_done(&t.server);
  sp_broker_stop(&own, &t.dir, supervisor, &t.broker);
  sp_marks_done(&t.marks);
  sp_shared_free(&t.shared);
  sp_run_dir_free(&t.dir);
  sp_wakeup_release(&t.wakeup_fd);
  return err;
}

// DESIGN §3.11: over the mock no bound on time can be judged.
static bool asks_the_mock_for_time(const struct sp_result *result) {
  if (strcmp(sp_facts_text_of(&result->broker, "kind", ""), "mock") != 0) return false;
  for (size_t i = 0; i < result->n_bounds; i++) {
    if (strncmp(result->bounds[i].name, "expect.p", 8) == 0) return true;
  }
  return false;
}

int sp_trial_exit_code(const struct sp_result *result, int signal) {
  if (signal) return 128 + signal;
  if (!sp_result_is_valid(result) || !result->complete || asks_the_mock_for_time(result))
    return sp_exit_code(SP_ERR_INVALID);
  bool has_failed = result->predictions.mismatched > 0, is_open = false;
  for (size_t i = 0; i < result->n_bounds; i++) {
    has_failed |= result->bounds[i].met == SP_MET_NO;
    is_open |= result->bounds[i].met == SP_MET_UNKNOWN;
  }
  if (has_failed) return sp_exit_code(SP_ERR_FAILED);
  return is_open ? sp_exit_code(SP_ERR_INCONCLUSIVE) : 0;
}
