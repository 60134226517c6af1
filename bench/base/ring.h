// A bounded ring of fixed-size cells for many producers and many consumers; neither waits for the other: a full ring or an
// empty one is an answer. After D. Vyukov's bounded MPMC queue: each cell carries the turn it is good for.
// Cells are filled and read in place: claim, use, commit / release.
#ifndef SP_BASE_RING_H
#define SP_BASE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct sp_ring_cell {
  _Atomic uint64_t turn;
  uint64_t at; // written by the owner between claim and commit
};

struct sp_ring {
  uint8_t *cells;
  size_t cell_bytes; // header included, a multiple of 64
  uint64_t mask;
  _Alignas(64) _Atomic uint64_t head; // next to pop
  _Alignas(64) _Atomic uint64_t tail; // next to push
};

// Room for at least n_cells payloads of payload_bytes; memory is touched. Free with sp_ring_done.
void sp_ring_init(struct sp_ring *ring, size_t n_cells, size_t payload_bytes);
void sp_ring_done(struct sp_ring *ring);

static inline struct sp_ring_cell *sp_ring_cell_of(void *payload) {
  return (struct sp_ring_cell *)payload - 1;
}

// A cell to fill, or NULL when the ring is full. Any thread; lock-free. Follow with sp_ring_commit.
static inline void *sp_ring_claim(struct sp_ring *ring) {
  uint64_t at = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  for (;;) {
    struct sp_ring_cell *cell =
        (struct sp_ring_cell *)(void *)(ring->cells + (at & ring->mask) * ring->cell_bytes);
    int64_t ahead = (int64_t)(atomic_load_explicit(&cell->turn, memory_order_acquire) - at);
    if (ahead < 0) return NULL;
    if (ahead == 0) {
      if (atomic_compare_exchange_weak_explicit(&ring->tail, &at, at + 1, memory_order_relaxed,
                                                memory_order_relaxed)) {
        cell->at = at;
        return cell + 1;
      }
    } else {
      at = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    }
  }
}
static inline void sp_ring_commit(void *payload) {
  struct sp_ring_cell *cell = sp_ring_cell_of(payload);
  atomic_store_explicit(&cell->turn, cell->at + 1, memory_order_release);
}

// The oldest committed cell, or NULL when there is none. Any thread; lock-free. Follow with sp_ring_release.
static inline void *sp_ring_take(struct sp_ring *ring) {
  uint64_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);
  for (;;) {
    struct sp_ring_cell *cell =
        (struct sp_ring_cell *)(void *)(ring->cells + (at & ring->mask) * ring->cell_bytes);
    int64_t ahead = (int64_t)(atomic_load_explicit(&cell->turn, memory_order_acquire) - (at + 1));
    if (ahead < 0) return NULL;
    if (ahead == 0) {
      if (atomic_compare_exchange_weak_explicit(&ring->head, &at, at + 1, memory_order_relaxed,
                                                memory_order_relaxed)) {
        return cell + 1;
      }
    } else {
      at = atomic_load_explicit(&ring->head, memory_order_relaxed);
    }
  }
}
static inline void sp_ring_release(struct sp_ring *ring, void *payload) {
  struct sp_ring_cell *cell = sp_ring_cell_of(payload);
  atomic_store_explicit(&cell->turn, cell->at + ring->mask + 1, memory_order_release);
}

// Pushed and not yet popped, as seen at some instant during the call.
static inline size_t sp_ring_length(struct sp_ring *ring) {
  uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
  uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  return tail > head ? (size_t)(tail - head) : 0;
}

#endif
