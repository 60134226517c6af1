// Bump memory: many small pieces with one owner, freed at once. One thread.
#ifndef SP_RECORDING_ARENA_H
#define SP_RECORDING_ARENA_H

#include <stddef.h>

struct sp_arena {
  struct sp_arena_chunk *chunks; // newest first
  size_t held_bytes;             // of all chunks
  size_t limit_bytes;            // of held_bytes
};

// Nothing is allocated yet.
void sp_arena_init(struct sp_arena *arena, size_t limit_bytes);
// n_bytes, aligned for any object, not zeroed. NULL beyond the limit, or where the system has no memory.
void *sp_arena_take(struct sp_arena *arena, size_t n_bytes);
// Gives every piece back; keeps one small chunk for the next round.
void sp_arena_reset(struct sp_arena *arena);
void sp_arena_done(struct sp_arena *arena);

#endif
