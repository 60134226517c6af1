// Running totals of one trial, in memory that the supervisor shares: it shows progress from them, and keeps true books of
// a driver that was killed. Each field has one writer; readers see a value that was true at some instant.
#ifndef SP_REPLAY_TALLY_H
#define SP_REPLAY_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/gate.h"
#include "base/outcome.h"

struct sp_tally {
  // control thread
  _Atomic int64_t origin_ns; // CLOCK_MONOTONIC of the schedule's origin; 0 before the start
  _Atomic int64_t n_planned; // events of the schedule; -1 for closed
  _Atomic int64_t n_warmup;
  _Atomic int64_t p50_ns, p99_ns; // of the last whole second; -1: none
  // pacer
  _Atomic int64_t n_sent; // handed over, warm-up included
  _Atomic int64_t n_shed; // no room, warm-up included
  _Atomic int64_t n_window_sent, n_window_shed;
  _Atomic int64_t n_window_late; // sent more than 1 ms after the plan
  // collector
  _Atomic int64_t n_done;         // events with an outcome from a reply, warm-up included
  _Atomic int64_t n_completed;    // of them those with an answer
  _Atomic int64_t n_predicted;    // of them those that were answered with a value, whatever it is worth
  _Atomic int64_t n_foreign;      // answers of whatever run, where every one counts
  _Atomic int64_t n_acknowledged; // only sending: sends that the broker confirmed
  _Atomic int64_t n_not_ok;       // of the window
  _Atomic int64_t outcomes[SP_OUTCOME_COUNT]; // of the window, from replies
};

static inline int64_t sp_tally_get(const _Atomic int64_t *field) {
  return atomic_load_explicit((_Atomic int64_t *)field, memory_order_acquire);
}
// The field's one writer.
static inline void sp_tally_set(_Atomic int64_t *field, int64_t value) {
  atomic_store_explicit(field, value, memory_order_release);
}
static inline void sp_tally_add(_Atomic int64_t *field, int64_t more) {
  atomic_store_explicit(field, atomic_load_explicit(field, memory_order_relaxed) + more,
                        memory_order_release);
}

#endif
