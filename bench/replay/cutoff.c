// Books what has no answer, second by second: the meter judges a percentile by the seconds that its exceedances fall in.
#include "replay/cutoff.h"

#include "base/clock.h"

struct second {
  int64_t index, n_lost, n_shed;
};

static void book_second(struct sp_meter *meter, const struct second *second) {
  if (second->n_lost) sp_meter_no_answer(meter, SP_OUTCOME_LOST, second->index, second->n_lost);
  if (second->n_shed) sp_meter_no_answer(meter, SP_OUTCOME_SHED, second->index, second->n_shed);
}

static void keep_row(struct sp_raw *raw, uint64_t event, enum sp_outcome outcome, int64_t intended_ns) {
  struct sp_stamps stamps = {.intended_ns = intended_ns, .server_ns = -1};
  sp_raw_push(raw, event, outcome, &stamps);
  sp_raw_drain(raw); // nobody else does now, and there may be more of them than its ring holds
}

void sp_cutoff_book(const struct sp_pacer *pacer, struct sp_meter *meter, struct sp_raw *raw) {
  const struct sp_schedule *schedule = pacer->schedule;
  bool is_closed = schedule->intended_ns == NULL;
  size_t first = is_closed ? (size_t)sp_tally_get(&pacer->tally->n_warmup) : schedule->n_warmup;
  struct second second = {0};
  for (size_t i = first; i < pacer->next_event; i++) {
    uint8_t state = sp_event_state(pacer->states, i);
    if (state != SP_STATE_SENT && state != SP_OUTCOME_SHED) continue;
    enum sp_outcome outcome = state == SP_STATE_SENT ? SP_OUTCOME_LOST : SP_OUTCOME_SHED;
    int64_t offset_ns = is_closed ? 0 : schedule->intended_ns[i] - schedule->t0_ns;
    if (raw) keep_row(raw, i, outcome, pacer->origin_ns + schedule->t0_ns + offset_ns);
    if (offset_ns / SP_NS_PER_S != second.index) {
      book_second(meter, &second);
      second = (struct second){.index = offset_ns / SP_NS_PER_S};
    }
    second.n_lost += outcome == SP_OUTCOME_LOST;
    second.n_shed += outcome == SP_OUTCOME_SHED;
  }
  book_second(meter, &second);
}
