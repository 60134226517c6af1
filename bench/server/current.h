// The set that is served now, and how another takes its place while calls go on: serving threads look at it in sections that
// cost a few ns and wait for nothing; the one thread that replaces it frees the old one when no section and no call that came
// earlier can use it any more.
#ifndef SP_SERVER_CURRENT_H
#define SP_SERVER_CURRENT_H

#include "server/models.h"

struct sp_reader {           // a serving thread's, which alone writes it
  _Atomic uint64_t sections; // odd while inside one
  uint8_t apart[56];         // from the others, in the cache
};

struct sp_retired { // a set whose place was taken
  struct sp_models *models;
  struct sp_served **gone; // the versions that went with it
  size_t n_gone;
  uint64_t *sections; // of each reader when it was replaced
  struct sp_retired *next;
};

struct sp_current {
  _Atomic(struct sp_models *) models;
  size_t n_readers;
  struct sp_reader *readers;
  struct sp_retired *retired; // the replacing thread's
};

void sp_current_init(struct sp_current *current, size_t n_readers, struct sp_models *models);
// Frees everything, versions too; no reader is inside. Zeroed is allowed.
void sp_current_done(struct sp_current *current);

// A reader: the set, which stays until sp_current_leave. What it holds on to longer it counts in sp_served.n_held before.
// The two words are ordered by full barriers: either the reader sees the new set, or the replacing thread sees it inside.
static inline const struct sp_models *sp_current_enter(struct sp_current *current, size_t reader_i) {
  struct sp_reader *reader = &current->readers[reader_i];
  uint64_t sections = atomic_load_explicit(&reader->sections, memory_order_relaxed);
  atomic_store_explicit(&reader->sections, sections + 1, memory_order_seq_cst);
  return atomic_load_explicit(&current->models, memory_order_seq_cst);
}
static inline void sp_current_leave(struct sp_current *current, size_t reader_i) {
  struct sp_reader *reader = &current->readers[reader_i];
  uint64_t sections = atomic_load_explicit(&reader->sections, memory_order_relaxed);
  atomic_store_explicit(&reader->sections, sections + 1, memory_order_release);
}

// The replacing thread, always the same. Also the set itself, outside of any section.
static inline const struct sp_models *sp_current_models(const struct sp_current *current) {
  return atomic_load_explicit(&current->models, memory_order_relaxed);
}
// From now on `models` is served; gone[] (copied) are the versions of the old set that are not in it.
void sp_current_replace(struct sp_current *current, struct sp_models *models, struct sp_served *const *gone,
                        size_t n_gone);
// Frees what nobody can use any more; false while something still waits for its last call. Does not block.
bool sp_current_reclaim(struct sp_current *current);

#endif
