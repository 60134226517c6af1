// How a thread waits for another without a lock: an event count over a futex. The waker pays a system call only when
// somebody sleeps.
//
//   waiter:  for (;;) { uint32_t seen = sp_gate_look(gate); if (work()) break; sp_gate_wait(gate, seen, mode, deadline); }
//   waker:   publish work; sp_gate_wake(gate);
#ifndef SP_BASE_GATE_H
#define SP_BASE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum sp_wait {    // as in the scenario's `wait`
  SP_WAIT_PARK,   // sleep at once
  SP_WAIT_SPIN,   // never sleep
  SP_WAIT_HYBRID, // spin for SP_GATE_SPIN_NS, then sleep
};
#define SP_GATE_SPIN_NS INT64_C(50000)

struct sp_gate {
  _Atomic uint32_t epoch;
  _Atomic uint32_t n_sleeping;
};

// Before looking for work.
static inline uint32_t sp_gate_look(struct sp_gate *gate) {
  return atomic_load_explicit(&gate->epoch, memory_order_acquire);
}

// Returns when the gate was woken since `seen`, when deadline_ns (CLOCK_MONOTONIC; INT64_MAX: never) has passed, or for no
// reason. A waker that publishes after sp_gate_look is never missed: it either sees this sleeper or changes the epoch first.
void sp_gate_wait(struct sp_gate *gate, uint32_t seen, enum sp_wait mode, int64_t deadline_ns);

void sp_gate_wake_sleepers(struct sp_gate *gate, int n_at_most);

// After publishing work. Spinning waiters read the epoch too, so it always moves.
static inline void sp_gate_wake(struct sp_gate *gate, int n_at_most) {
  atomic_fetch_add_explicit(&gate->epoch, 1, memory_order_seq_cst);
  if (atomic_load_explicit(&gate->n_sleeping, memory_order_seq_cst)) sp_gate_wake_sleepers(gate, n_at_most);
}

#endif
