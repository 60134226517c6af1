// Waiting and waking over a futex.
#include "base/gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

static void spin_until(struct sp_gate *gate, uint32_t seen, int64_t until_ns) {
  while (atomic_load_explicit(&gate->epoch, memory_order_acquire) == seen && sp_now_ns() < until_ns) {
    for (int i = 0; i < 16; i++) __builtin_ia32_pause();
  }
}

static void sleep_until(struct sp_gate *gate, uint32_t seen, int64_t deadline_ns) {
  struct timespec until = {deadline_ns / SP_NS_PER_S, deadline_ns % SP_NS_PER_S};
  atomic_fetch_add_explicit(&gate->n_sleeping, 1, memory_order_seq_cst);
  // The kernel compares the epoch again under its own lock: a wake in between is not lost.
  syscall(SYS_futex, (uint32_t *)&gate->epoch, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
          deadline_ns == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
  atomic_fetch_sub_explicit(&gate->n_sleeping, 1, memory_order_seq_cst);
}

void sp_gate_wait(struct sp_gate *gate, uint32_t seen, enum sp_wait mode, int64_t deadline_ns) {
  if (mode == SP_WAIT_SPIN) {
    spin_until(gate, seen, deadline_ns);
    return;
  }
  if (mode == SP_WAIT_HYBRID) {
    int64_t spin_end_ns = sp_now_ns() + SP_GATE_SPIN_NS;
    spin_until(gate, seen, spin_end_ns < deadline_ns ? spin_end_ns : deadline_ns);
  }
  if (atomic_load_explicit(&gate->epoch, memory_order_acquire) == seen) sleep_until(gate, seen, deadline_ns);
}

void sp_gate_wake_sleepers(struct sp_gate *gate, int n_at_most) {
  syscall(SYS_futex, (uint32_t *)&gate->epoch, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, n_at_most, NULL, NULL,
          FUTEX_BITSET_MATCH_ANY);
}
