// Storage of a ring.
#include "base/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void sp_ring_init(struct sp_ring *ring, size_t n_cells, size_t payload_bytes) {
  uint64_t n = 2;
  while (n < n_cells) n *= 2;
  ring->mask = n - 1;
  ring->cell_bytes = (sizeof(struct sp_ring_cell) + payload_bytes + 63) / 64 * 64;
  ring->cells = aligned_alloc(64, n * ring->cell_bytes);
  SP_ASSERT(ring->cells != NULL);
  memset(ring->cells, 0, n * ring->cell_bytes);
  for (uint64_t i = 0; i < n; i++) {
    struct sp_ring_cell *cell = (struct sp_ring_cell *)(void *)(ring->cells + i * ring->cell_bytes);
    atomic_init(&cell->turn, i);
  }
  atomic_init(&ring->head, 0);
  atomic_init(&ring->tail, 0);
}

void sp_ring_done(struct sp_ring *ring) {
  free(ring->cells);
  ring->cells = NULL;
}
