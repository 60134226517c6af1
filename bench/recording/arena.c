// Bump memory in chunks that grow with what is held.
#include "recording/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define CHUNK_MIN_BYTES ((size_t)16 << 10)
#define CHUNK_MAX_BYTES ((size_t)1 << 20)

struct sp_arena_chunk {
  struct sp_arena_chunk *older;
  size_t n_bytes, used_bytes;
  alignas(max_align_t) uint8_t bytes[];
};

void sp_arena_init(struct sp_arena *arena, size_t limit_bytes) {
  *arena = (struct sp_arena){.limit_bytes = limit_bytes};
}

static struct sp_arena_chunk *add_chunk(struct sp_arena *arena, size_t n_bytes) {
  size_t size = arena->held_bytes;
  if (size < CHUNK_MIN_BYTES) size = CHUNK_MIN_BYTES;
  if (size > CHUNK_MAX_BYTES) size = CHUNK_MAX_BYTES;
  if (size < n_bytes) size = n_bytes;
  size_t left = arena->limit_bytes - arena->held_bytes;
  if (size > left) size = left;
  if (size < n_bytes) return NULL;
  struct sp_arena_chunk *chunk = malloc(sizeof *chunk + size);
  if (!chunk) return NULL;
  *chunk = (struct sp_arena_chunk){.older = arena->chunks, .n_bytes = size};
  arena->chunks = chunk;
  arena->held_bytes += size;
  return chunk;
}

void *sp_arena_take(struct sp_arena *arena, size_t n_bytes) {
  if (n_bytes > SIZE_MAX / 2) return NULL;
  const size_t align = alignof(max_align_t);
  n_bytes = (n_bytes + align - 1) / align * align;
  struct sp_arena_chunk *chunk = arena->chunks;
  if (!chunk || chunk->n_bytes - chunk->used_bytes < n_bytes) chunk = add_chunk(arena, n_bytes);
  if (!chunk) return NULL;
  void *piece = chunk->bytes + chunk->used_bytes;
  chunk->used_bytes += n_bytes;
  return piece;
}

void sp_arena_reset(struct sp_arena *arena) {
  struct sp_arena_chunk *kept = NULL;
  for (struct sp_arena_chunk *chunk = arena->chunks, *older; chunk; chunk = older) {
    older = chunk->older;
    if (!kept && chunk->n_bytes <= CHUNK_MAX_BYTES) {
      kept = chunk;
    } else {
      free(chunk);
    }
  }
  if (kept) *kept = (struct sp_arena_chunk){.n_bytes = kept->n_bytes};
  arena->chunks = kept;
  arena->held_bytes = kept ? kept->n_bytes : 0;
}

void sp_arena_done(struct sp_arena *arena) {
  for (struct sp_arena_chunk *chunk = arena->chunks, *older; chunk; chunk = older) {
    older = chunk->older;
    free(chunk);
  }
  *arena = (struct sp_arena){0};
}
