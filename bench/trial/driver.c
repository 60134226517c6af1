// The driver child: prepare, start threads, pace, drain, stop, write.
#include "trial/driver.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/cutoff.h"
#include "trial/account.h"
#include "trial/link.h"
#include "trial/prepare.h"
#include "trial/session.h"
#include "trial/verdict.h"

// From "everything is ready" to the schedule's origin: threads are parked by then.
#define LEAD_NS (50 * SP_NS_PER_MS)
#define TICK_NS (20 * SP_NS_PER_MS)
// Copies of the last answers come after everything has an outcome: verify looks so much longer.
#define COPIES_NS (100 * SP_NS_PER_MS)
// Looks are a tick apart: where one is so late, nothing of this process ran, and what it slept through is no silence.
#define AWAY_NS SP_NS_PER_S
// By then a pacer that has handed nothing over never will.
#define FIRST_SEND_NS (20 * SP_NS_PER_S)

static void run_pacer(void *context) {
  sp_thread_short_slice();
  sp_pacer_run(context);
}
static enum sp_only half_of(const struct sp_trial_session *s) {
  return (enum sp_only)s->plan->scenario->load.only;
}

// Where nobody answers, the collector takes what the broker says of sends: failures come as answers, the rest is asked for.
static void run_collector(void *context) {
  struct sp_trial_session *s = context;
  struct sp_collector *collector = &s->collector;
  sp_thread_short_slice();
  if (half_of(s) != SP_ONLY_SEND) {
    sp_collector_run(collector);
    return;
  }
  while (!atomic_load_explicit(&collector->is_stopped, memory_order_acquire)) {
    struct sp_stream_facts facts;
    if (sp_collector_step(collector, sp_now_ns() + SP_NS_PER_S / 10)) continue;
    sp_stream_facts_take(&s->stream, &facts);
    sp_tally_set(&s->tally->n_acknowledged, facts.n_acknowledged);
  }
}

// Sleeps until `until_ns`, or until a signal that ends the trial.
static void sleep_until(struct sp_trial_session *s, int64_t until_ns) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  int64_t left_ns;
  while ((left_ns = until_ns - sp_now_ns()) > 0) {
    struct timespec t = {left_ns / SP_NS_PER_S, left_ns % SP_NS_PER_S};
    int signal = sigtimedwait(&set, NULL, &t);
    if (signal <= 0) continue;
    s->signal = signal;
    atomic_store_explicit(&s->pacer.is_stopped, true, memory_order_release);
    sp_gate_wake(&s->done_gate, INT32_MAX);
    return;
  }
}

static enum sp_err start_threads(struct sp_trial_session *s, struct sp_error *error) {
  enum sp_err err = sp_link_origin(s, LEAD_NS, &s->pacer.origin_ns, error);
  if (err) return err;
  s->collector.origin_ns = s->pacer.origin_ns;
  if (s->kafka) sp_kafka_driver_origin(s->kafka, s->pacer.origin_ns);
  sp_meter_window(s->meter, s->pacer.origin_ns + s->schedule->t0_ns, s->pacer.origin_ns + s->schedule->t1_ns);
  sp_tally_set(&s->tally->origin_ns, s->pacer.origin_ns);
  if (s->plan->keep_raw) {
    char *path = sp_format("%s/events.csv.zst", s->plan->out_dir);
    err = sp_raw_open(path, s->pacer.origin_ns, &s->raw, error);
    s->collector.raw = s->raw;
    free(path);
  }
  if (!err && s->side.app) err = sp_app_start(s->side.app, &s->placement.app, error);
  if (!err)
    err =
        sp_thread_start(&s->collector_thread, "sp-collector", &s->placement.driver, run_collector, s, error);
  if (!err && half_of(s) != SP_ONLY_COLLECT)
    err = sp_thread_start(&s->pacer_thread, "sp-pacer", &s->placement.driver, run_pacer, &s->pacer, error);
  return err;
}

static int64_t under_way(struct sp_trial_session *s) {
  int64_t n_acknowledged = half_of(s) == SP_ONLY_SEND ? sp_tally_get(&s->tally->n_acknowledged) : 0;
  return sp_tally_get(&s->tally->n_sent) - sp_tally_get(&s->tally->n_done) - n_acknowledged;
}

// One whole second of the timeline has passed.
static void close_second(struct sp_trial_session *s, int64_t second) {
  struct sp_second row = {0};
  double start_s = (double)second + (double)s->schedule->t0_ns * 1e-9;
  sp_meter_flip(s->meter, s->hlog, start_s, 1.0, second, sp_tally_get(&s->tally->n_sent), &row);
  sp_tally_set(&s->tally->p50_ns, row.p50_ns);
  sp_tally_set(&s->tally->p99_ns, row.p99_ns);
  sp_result_second(s->result, &row, NULL);
}

static void take_t0(struct sp_trial_session *s) {
  s->backlog_at_t0 = under_way(s);
  sp_reading_take(s, &s->at_t0);
  s->has_t0 = true;
}

// Where only answers count (verify), there is no schedule to keep: the cut-off is load.drain after the last thing that
// happened, whether everything was sent by then or not. An application that is slow but at work gets its time, and one that
// answers nothing, with as much under way as there may be, does not hold the trial until the end of its window.
static int64_t last_progress_ns(struct sp_trial_session *s) {
  int64_t n = sp_tally_get(&s->tally->n_sent) + sp_tally_get(&s->tally->n_done);
  int64_t now_ns = sp_now_ns(), away_ns = now_ns - s->progress_looked_ns;
  if (n != s->n_progress || !s->progress_ns) {
    s->n_progress = n;
    s->progress_ns = now_ns;
  } else if (away_ns > AWAY_NS) {
    s->progress_ns += away_ns;
  }
  s->progress_looked_ns = now_ns;
  return s->progress_ns;
}

static bool is_stuck(struct sp_trial_session *s) {
  if (!s->plan->answers_file || s->schedule->intended_ns) return false;
  // Silence is what follows an event: until the first is sent, the pacer is on its way to the origin.
  if (!sp_tally_get(&s->tally->n_sent) && sp_now_ns() < s->pacer.origin_ns + FIRST_SEND_NS) return false;
  return sp_now_ns() - last_progress_ns(s) >= s->plan->scenario->load.drain_ns;
}

// The window lasts as planned; a closed loop with a limit ends with its last event, and collecting with as many answers.
static bool is_sending(struct sp_trial_session *s) {
  int64_t limit = (int64_t)s->plan->scenario->load.limit;
  if (half_of(s) == SP_ONLY_COLLECT && limit > 0 && sp_tally_get(&s->tally->n_done) >= limit) return false;
  bool is_closed = s->schedule->intended_ns == NULL;
  if (is_closed && atomic_load_explicit(&s->pacer.is_finished, memory_order_acquire)) return false;
  if (is_stuck(s)) return false;
  return sp_now_ns() < s->pacer.origin_ns + s->schedule->t1_ns && !s->signal;
}

// From the origin to the last intended instant: a row per second, one reading at t0.
static int64_t watch_window(struct sp_trial_session *s, int64_t second) {
  int64_t t0_ns = s->pacer.origin_ns + s->schedule->t0_ns;
  while (is_sending(s)) {
    int64_t end_ns = t0_ns + (second + 1) * SP_NS_PER_S, next_ns = sp_now_ns() + TICK_NS;
    if (!s->has_t0 && t0_ns < next_ns) next_ns = t0_ns;
    int64_t t1_ns = s->pacer.origin_ns + s->schedule->t1_ns;
    if (t1_ns < next_ns) next_ns = t1_ns;
    sleep_until(s, next_ns < end_ns ? next_ns : end_ns);
    int64_t now_ns = sp_now_ns();
    if (!s->has_t0 && now_ns >= t0_ns) take_t0(s);
    if (now_ns >= end_ns) close_second(s, second++);
    if (s->raw) sp_raw_drain(s->raw);
    sp_account_watch(s);
  }
  return second;
}

static void look(struct sp_trial_session *s, int64_t *second) {
  int64_t end_ns = s->pacer.origin_ns + s->schedule->t0_ns + (*second + 1) * SP_NS_PER_S;
  sleep_until(s, sp_now_ns() + SP_NS_PER_MS);
  if (sp_now_ns() >= end_ns) close_second(s, (*second)++);
  if (s->raw) sp_raw_drain(s->raw);
  sp_account_watch(s);
}

// A pacer that cannot keep up sends on after t1, but not after the cut-off: what it did not come to by then was not sent.
static void wait_for_pacer(struct sp_trial_session *s, int64_t *second) {
  int64_t cutoff_ns = s->pacer.origin_ns + s->schedule->t1_ns + s->plan->scenario->load.drain_ns;
  while (!atomic_load_explicit(&s->pacer.is_finished, memory_order_acquire) && sp_now_ns() < cutoff_ns &&
         !is_stuck(s))
    look(s, second);
  atomic_store_explicit(&s->pacer.is_stopped, true, memory_order_release);
  sp_gate_wake(&s->done_gate, INT32_MAX);
  sp_thread_join(&s->pacer_thread);
  s->sending_end_ns = sp_now_ns();
}

static bool is_awaited(struct sp_trial_session *s) {
  if (under_way(s) > 0) return true;
  return s->kafka && s->plan->answers_file && sp_now_ns() - last_progress_ns(s) < COPIES_NS;
}

// Until every event has an outcome, or the cut-off. A signal that asks for the end gives answers one more second.
static int64_t watch_drain(struct sp_trial_session *s, int64_t second) {
  s->backlog_at_t1 = under_way(s);
  sp_cpu_reading_take(&s->machine_at_t1, NULL);
  wait_for_pacer(s, &second);
  // Answers that come after a signal are booked, but no throughput.
  if (s->signal) sp_meter_end_window(s->meter, s->sending_end_ns);
  int64_t t1_ns = s->pacer.origin_ns + s->schedule->t1_ns;
  int64_t last_ns = s->signal || s->sending_end_ns < t1_ns ? s->sending_end_ns : t1_ns;
  int64_t cutoff_ns = last_ns + (s->signal ? SP_NS_PER_S : s->plan->scenario->load.drain_ns);
  for (bool was_asked = s->signal != 0; is_awaited(s) && sp_now_ns() < cutoff_ns;) {
    look(s, &second);
    bool has_schedule = !s->plan->answers_file || s->schedule->intended_ns;
    if (!has_schedule && !s->signal) cutoff_ns = last_progress_ns(s) + s->plan->scenario->load.drain_ns;
    int64_t grace_ns = sp_now_ns() + SP_NS_PER_S;
    if (!was_asked && s->signal && grace_ns < cutoff_ns) cutoff_ns = grace_ns;
    was_asked = s->signal != 0;
  }
  s->drain_end_ns = sp_now_ns();
  return second;
}

static void stop_threads(struct sp_trial_session *s) {
  atomic_store_explicit(&s->pacer.is_stopped, true, memory_order_release);
  sp_gate_wake(&s->done_gate, INT32_MAX);
  sp_thread_join(&s->pacer_thread);
  atomic_store_explicit(&s->collector.is_stopped, true, memory_order_release);
  sp_stream_close(&s->stream);
  sp_thread_join(&s->collector_thread);
  if (s->side.app) sp_app_stop(s->side.app);
  sp_stream_facts_take(&s->stream, &s->stream_facts);
}

static enum sp_err measure(struct sp_trial_session *s, struct sp_error *error) {
  int64_t second = -((s->schedule->t0_ns + SP_NS_PER_S - 1) / SP_NS_PER_S); // the first may be a part of one
  enum sp_err err = start_threads(s, error);
  if (!err) {
    printf("{\"ready\":true,\"part\":\"driver\"}\n");
    fflush(stdout);
    second = watch_drain(s, watch_window(s, second));
    sp_reading_take(s, &s->at_end);
    if (!s->has_t0) s->at_t0 = s->at_end;
  }
  stop_threads(s);
  close_second(s, second); // what the last interval holds, now that nobody writes
  // What was only sent is booked by what the broker says of it.
  if (!err && half_of(s) == SP_ONLY_BOTH) sp_cutoff_book(&s->pacer, s->meter, s->raw);
  return err;
}

// A value alone does not say whether there was an answer (one may be NaN); the state of its event does.
static void note_answered(struct sp_trial_session *s) {
  for (size_t i = 0; s->answers.answered && i < s->pacer.next_event; i++) {
    size_t recorded = i % s->answers.n_events;
    bool is_refusal_expected = s->expected && s->expected->known[recorded] == 2;
    uint8_t state = sp_event_state(&s->states, i);
    s->answers.outcomes[recorded] = state == SP_STATE_SENT ? SP_OUTCOME_LOST : state;
    switch (state) {
    case SP_OUTCOME_OK: s->answers.answered[recorded] = is_refusal_expected ? 2 : 1; break;
    case SP_OUTCOME_UNCHECKED:
    case SP_OUTCOME_MISMATCH: s->answers.answered[recorded] = 1; break;
    default: break;
    }
  }
}

// What was expected goes along: who compares has no need of the file.
static void note_expected(struct sp_trial_session *s) {
  const struct sp_expected *expected = s->expected;
  if (!expected || !s->answers.known) return;
  size_t n = expected->n_values < s->answers.n_values ? expected->n_values : s->answers.n_values;
  for (size_t i = 0; i < s->answers.n_events; i++)
    memcpy(s->answers.expected + i * s->answers.n_values, expected->values + i * expected->n_values,
           n * sizeof(double));
  memcpy(s->answers.known, expected->known, s->answers.n_events);
}

static enum sp_err write_all(struct sp_trial_session *s, struct sp_error *error) {
  sp_verdict_fill(s);
  enum sp_err err = sp_raw_close(s->raw, error);
  s->raw = NULL;
  enum sp_err closed = s->hlog ? sp_hlog_close(s->hlog, err ? NULL : error) : SP_OK;
  s->hlog = NULL;
  if (!err) err = closed;
  if (!err) err = sp_result_write_hgrm(s->meter, s->result->closed_loop, s->plan->out_dir, error);
  if (!err && s->plan->answers_file) {
    note_answered(s);
    note_expected(s);
    err = sp_answers_write(&s->answers, s->plan->answers_file, error);
  }
  if (!err) err = sp_result_write(s->result, s->plan->out_dir, error);
  return err;
}

enum sp_err sp_driver_run(const struct sp_driver_plan *plan, struct sp_error *error) {
  struct sp_trial_session *s = sp_alloc(sizeof *s);
  s->plan = plan;
  enum sp_err err = sp_prepare(s, error);
  if (!err) err = measure(s, error);
  if (!err) err = write_all(s, error);
  sp_trial_session_free(s);
  return err;
}
