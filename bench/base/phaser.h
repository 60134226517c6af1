// Two sides of one object: a single writer works on one while a single reader takes the other away, without a lock that
// either could hold. After the WriterReaderPhaser of HdrHistogram (G. Tene), reduced to one writer: its critical sections
// are counted, and a flip waits until the section that may still see the old side is over, which is immediate where the
// writer is elsewhere.
#ifndef SP_BASE_PHASER_H
#define SP_BASE_PHASER_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

struct sp_phaser {
  _Atomic uint64_t sections; // odd while the writer is inside one; the writer writes
  _Atomic uint32_t side;     // 0 or 1; the reader writes
};

// The writer: the side to work on until sp_phaser_leave. About 7 ns (a full barrier orders the two words: either the writer
// sees the new side, or the reader sees the writer inside).
static inline uint32_t sp_phaser_enter(struct sp_phaser *phaser) {
  uint64_t sections = atomic_load_explicit(&phaser->sections, memory_order_relaxed);
  atomic_store_explicit(&phaser->sections, sections + 1, memory_order_seq_cst);
  return atomic_load_explicit(&phaser->side, memory_order_seq_cst);
}
static inline void sp_phaser_leave(struct sp_phaser *phaser) {
  uint64_t sections = atomic_load_explicit(&phaser->sections, memory_order_relaxed);
  atomic_store_explicit(&phaser->sections, sections + 1, memory_order_release);
}

// The reader: sends the writer to the other side, which must be ready for it, and returns the old one, which the reader
// alone holds until its next flip. Waits for no more than one section of the writer.
static inline uint32_t sp_phaser_flip(struct sp_phaser *phaser) {
  uint32_t old = atomic_load_explicit(&phaser->side, memory_order_relaxed);
  atomic_store_explicit(&phaser->side, 1 - old, memory_order_seq_cst);
  uint64_t sections = atomic_load_explicit(&phaser->sections, memory_order_seq_cst);
  while ((sections & 1) && atomic_load_explicit(&phaser->sections, memory_order_acquire) == sections)
    sched_yield();
  return old;
}

#endif
