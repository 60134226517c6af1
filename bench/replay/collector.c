// Receive, stamp, match, check, book.
#include "replay/collector.h"

#include <stdio.h>
#include <string.h>

#define RECEIVE_MAX 64

// The instant that the schedule planned; in a closed loop there is none and the event's own send instant stands for it.
static int64_t intended_of(const struct sp_collector *c, const struct sp_reply *reply) {
  return c->schedule->intended_ns ? c->origin_ns + c->schedule->intended_ns[reply->id] : reply->intended_ns;
}

static bool is_warmup(const struct sp_collector *c, const struct sp_reply *reply) {
  return intended_of(c, reply) < c->origin_ns + c->schedule->t0_ns;
}

static struct sp_stamps stamps_of(const struct sp_collector *c, const struct sp_reply *reply,
                                  int64_t done_ns) {
  return (struct sp_stamps){.intended_ns = c->is_blind ? done_ns : intended_of(c, reply),
                            .sent_ns = c->is_blind ? 0 : reply->sent_ns,
                            .held_ns = reply->held_ns,
                            .taken_ns = reply->taken_ns,
                            .dispatched_ns = reply->dispatched_ns,
                            .answered_ns = reply->answered_ns,
                            .encoded_ns = reply->encoded_ns,
                            .done_ns = done_ns,
                            .server_ns = reply->server_ns};
}

static enum sp_outcome judge(struct sp_collector *c, const struct sp_reply *reply) {
  if (reply->outcome != SP_OUTCOME_NONE) {
    memcpy(c->why, reply->text, sizeof c->why);
    return reply->outcome == SP_OUTCOME_MALFORMED ? sp_check_refusal(c->checker, reply->id) : reply->outcome;
  }
  struct sp_reason reason = {{0}};
  struct sp_bytes value = sp_bytes_of(reply->value, reply->value_bytes);
  enum sp_outcome outcome = sp_check_answer(c->checker, reply->id, value, &reason);
  if (outcome == SP_OUTCOME_MALFORMED) snprintf(c->why, sizeof c->why, "%s", reason.text);
  return outcome;
}

static void book(struct sp_collector *c, const struct sp_reply *reply, enum sp_outcome outcome,
                 int64_t done_ns) {
  struct sp_stamps stamps = stamps_of(c, reply, done_ns);
  bool is_not_ok =
      outcome != SP_OUTCOME_OK && outcome != SP_OUTCOME_UNCHECKED && outcome != SP_OUTCOME_FILTERED;
  if (is_warmup(c, reply)) {
    sp_meter_record_warmup(c->meter, outcome, &stamps);
    return;
  }
  sp_meter_record(c->meter, reply->id, outcome, &stamps);
  sp_tally_add(&c->tally->outcomes[outcome], 1);
  if (c->raw) sp_raw_push(c->raw, reply->id, outcome, &stamps);
  if (is_not_ok) {
    sp_tally_add(&c->tally->n_not_ok, 1);
    if (outcome != SP_OUTCOME_MISMATCH) sp_meter_error(c->meter, outcome, reply->code, c->why, reply->id);
  }
  if (c->deadline_ns && !c->is_blind && done_ns - stamps.intended_ns > c->deadline_ns &&
      sp_outcome_is_answered(outcome)) {
    sp_meter_flag(c->meter, SP_FLAG_LATE);
  }
}

// Flags stand beside the outcomes of the window's events, so those of the warm-up have none.
static void flag_event(struct sp_collector *c, const struct sp_reply *reply, enum sp_flag flag) {
  if (!is_warmup(c, reply)) sp_meter_flag(c->meter, flag);
}

// Of no event of this run.
static void collect_alien(struct sp_collector *c, int64_t done_ns) {
  if (!c->counts_foreign) {
    sp_meter_flag(c->meter, SP_FLAG_ALIEN);
    return;
  }
  struct sp_stamps stamps = {.intended_ns = done_ns, .done_ns = done_ns, .server_ns = -1};
  sp_meter_record(c->meter, SP_REPLY_ALIEN, SP_OUTCOME_UNCHECKED, &stamps);
  sp_tally_add(&c->tally->outcomes[SP_OUTCOME_UNCHECKED], 1);
  sp_tally_add(&c->tally->n_foreign, 1);
  sp_tally_add(&c->tally->n_done, 1);
}

static void collect(struct sp_collector *c, const struct sp_reply *reply, int64_t done_ns) {
  enum sp_match match = sp_match_id(c->states, reply->id);
  if (match == SP_MATCH_ALIEN) {
    collect_alien(c, done_ns);
    return;
  }
  enum sp_outcome outcome = judge(c, reply); // a copy is checked too
  if (match == SP_MATCH_DUPLICATE) {
    sp_check_copy(c->checker, reply->id, outcome);
    flag_event(c, reply, SP_FLAG_DUPLICATE);
    return;
  }
  if (sp_key_order_is_broken(c->order, reply->id)) flag_event(c, reply, SP_FLAG_REORDERED);
  sp_event_state_set(c->states, (size_t)reply->id, outcome);
  book(c, reply, outcome, done_ns);
  if (!sp_outcome_is_no_answer(outcome)) sp_tally_add(&c->tally->n_completed, 1);
  if (reply->outcome == SP_OUTCOME_NONE) sp_tally_add(&c->tally->n_predicted, 1);
  sp_tally_add(&c->tally->n_done, 1);
}

size_t sp_collector_step(struct sp_collector *c, int64_t deadline_ns) {
  struct sp_reply *replies[RECEIVE_MAX];
  if (c->returned_ns) {
    int64_t gap_ns = sp_clock_now(c->clock) - c->returned_ns;
    if (gap_ns > c->max_gap_ns) c->max_gap_ns = gap_ns;
    c->returned_ns = 0;
  }
  size_t n = sp_stream_receive(c->stream, replies, RECEIVE_MAX, deadline_ns);
  if (!n) return 0;
  int64_t done_ns = sp_clock_now(c->clock);
  c->returned_ns = done_ns;
  for (size_t i = 0; i < n; i++) collect(c, replies[i], done_ns);
  sp_gate_wake(c->done_gate, 1);
  return n;
}

void sp_collector_run(struct sp_collector *c) {
  while (!atomic_load_explicit(&c->is_stopped, memory_order_acquire)) {
    sp_collector_step(c, sp_now_ns() + SP_NS_PER_S / 10);
  }
}
