// Pacing: a sleep that stops short of the instant, and a spin for the rest.
#include "replay/pacer.h"

#define LATE_NS     SP_NS_PER_MS
#define NAP_MOST_NS (100 * SP_NS_PER_MS) // a trial that is ended does not wait for an event an hour away

void sp_pacer_init(struct sp_pacer *pacer) {
  sp_histogram_init(&pacer->lateness);
}
void sp_pacer_done(struct sp_pacer *pacer) {
  sp_histogram_done(&pacer->lateness);
}

static void count_sent(struct sp_pacer *pacer, int64_t intended_ns, int64_t sent_ns) {
  sp_histogram_record(&pacer->lateness, sent_ns - intended_ns);
  if (sent_ns - intended_ns > LATE_NS) sp_tally_add(&pacer->tally->n_window_late, 1);
  sp_tally_add(&pacer->tally->n_window_sent, 1);
}

// One event, now: everything the hot path does between "due" and "handed over". False: the stream has no room, and nothing
// has changed.
static bool hand_over(struct sp_pacer *pacer, int64_t intended_ns, int64_t now_ns) {
  const struct sp_event *event = &pacer->recording->events[pacer->next_recorded];
  struct sp_delivery delivery = {.id = pacer->next_event,
                                 .partition = -1,
                                 .intended_ns = intended_ns,
                                 .sent_ns = now_ns,
                                 .held_ns = now_ns,
                                 .key = event->key,
                                 .value = event->value};
  // Counted before the call, so that no answer can come before its event is counted.
  sp_tally_add(&pacer->tally->n_sent, 1);
  sp_event_state_set_sent(pacer->states, pacer->next_event);
  if (sp_stream_send(pacer->stream, &delivery)) return true;
  sp_event_state_set(pacer->states, pacer->next_event, SP_OUTCOME_NONE);
  sp_tally_add(&pacer->tally->n_sent, -1);
  return false;
}

static bool is_measured(const struct sp_pacer *pacer, int64_t intended_ns) {
  return intended_ns >= pacer->origin_ns + pacer->schedule->t0_ns;
}

static void shed(struct sp_pacer *pacer, int64_t intended_ns) {
  sp_event_state_set(pacer->states, pacer->next_event, SP_OUTCOME_SHED);
  sp_tally_add(&pacer->tally->n_shed, 1);
  if (is_measured(pacer, intended_ns)) sp_tally_add(&pacer->tally->n_window_shed, 1);
}

static void go_on(struct sp_pacer *pacer) {
  pacer->next_event++;
  if (++pacer->next_recorded == pacer->recording->n_events) pacer->next_recorded = 0;
}

static void pass_over(struct sp_pacer *pacer) {
  if (!pacer->is_own) return;
  while (pacer->next_event < pacer->schedule->n_events && !pacer->is_own[pacer->next_event]) go_on(pacer);
}

static bool is_stopped(struct sp_pacer *pacer) {
  return atomic_load_explicit(&pacer->is_stopped, memory_order_acquire);
}

// A closed loop plans nothing, so it sheds nothing: where the stream has no room it waits for an answer too.
static int64_t step_closed(struct sp_pacer *pacer) {
  int64_t end_ns = pacer->origin_ns + pacer->schedule->t1_ns;
  for (;;) {
    // Asked for each event: one that is far behind has always one more that is due.
    if (pacer->next_event == pacer->schedule->n_events || is_stopped(pacer)) return INT64_MAX;
    int64_t under_way = sp_tally_get(&pacer->tally->n_sent) - sp_tally_get(&pacer->tally->n_done);
    int64_t now_ns = sp_clock_now(pacer->clock);
    if (now_ns >= end_ns) return INT64_MAX;
    if (now_ns < pacer->origin_ns) return pacer->origin_ns;
    if (under_way >= (int64_t)pacer->conf->concurrency || !hand_over(pacer, now_ns, now_ns)) return 0;
    if (is_measured(pacer, now_ns))
      count_sent(pacer, now_ns, now_ns);
    else
      sp_tally_set(&pacer->tally->n_warmup, (int64_t)pacer->next_event + 1);
    go_on(pacer);
  }
}

int64_t sp_pacer_step(struct sp_pacer *pacer) {
  if (!pacer->schedule->intended_ns) return step_closed(pacer);
  for (;;) {
    pass_over(pacer);
    if (pacer->next_event == pacer->schedule->n_events || is_stopped(pacer)) return INT64_MAX;
    int64_t intended_ns = pacer->origin_ns + pacer->schedule->intended_ns[pacer->next_event];
    int64_t now_ns = sp_clock_now(pacer->clock);
    if (now_ns < intended_ns) return intended_ns;
    if (!hand_over(pacer, intended_ns, now_ns))
      shed(pacer, intended_ns);
    else if (is_measured(pacer, intended_ns))
      count_sent(pacer, intended_ns, now_ns);
    go_on(pacer);
  }
}

static void sleep_and_spin(struct sp_pacer *pacer, int64_t until_ns) {
  int64_t wake_ns = until_ns - pacer->conf->pacer_spin_ns;
  while (pacer->wait != SP_WAIT_SPIN && !is_stopped(pacer)) {
    int64_t now_ns = sp_now_ns(), nap_end_ns = now_ns + NAP_MOST_NS;
    if (now_ns >= wake_ns) break;
    if (nap_end_ns > wake_ns) nap_end_ns = wake_ns;
    struct timespec t = {nap_end_ns / SP_NS_PER_S, nap_end_ns % SP_NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); // EINTR: looked at again above
  }
  while (sp_now_ns() < until_ns && !is_stopped(pacer)) __builtin_ia32_pause();
}

void sp_pacer_run(struct sp_pacer *pacer) {
  while (!is_stopped(pacer)) {
    uint32_t seen = sp_gate_look(pacer->done_gate);
    int64_t next_ns = sp_pacer_step(pacer);
    if (next_ns == INT64_MAX) break;
    if (next_ns > 0)
      sleep_and_spin(pacer, next_ns);
    else
      sp_gate_wait(pacer->done_gate, seen, pacer->wait, sp_now_ns() + SP_NS_PER_S / 10);
  }
  atomic_store_explicit(&pacer->is_finished, true, memory_order_release);
}
