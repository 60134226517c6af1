// Event states, matching by schedule index, order within a key.
#include "replay/match.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <uthash.h>

#include "base/err.h"

void sp_event_states_init(struct sp_event_states *states, size_t n_events, bool is_lazy) {
  states->n = n_events;
  states->mapped_bytes = n_events ? n_events : 1;
  void *memory = mmap(NULL, states->mapped_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SP_ASSERT(memory != MAP_FAILED);
  if (!is_lazy) memset(memory, 0, states->mapped_bytes);
  states->of = memory;
}

void sp_event_states_done(struct sp_event_states *states) {
  if (states->of) munmap((void *)states->of, states->mapped_bytes);
  states->of = NULL;
}

enum sp_match sp_match_id(const struct sp_event_states *states, uint64_t id) {
  if (id >= states->n) return SP_MATCH_ALIEN;
  uint8_t state = sp_event_state(states, (size_t)id);
  if (state == SP_STATE_SENT) return SP_MATCH_FIRST;
  return state == 0 || state == SP_OUTCOME_SHED ? SP_MATCH_ALIEN : SP_MATCH_DUPLICATE;
}

struct key_entry {
  uint32_t index;
  UT_hash_handle hh;
};

void sp_key_order_init(struct sp_key_order *order, const struct sp_recording *recording) {
  struct key_entry *entries = NULL, *pool = sp_alloc(recording->n_events * sizeof *pool);
  order->n_recorded = recording->n_events;
  order->key_of = sp_alloc(recording->n_events * sizeof *order->key_of);
  uint32_t n_keys = 0;
  for (size_t i = 0; i < recording->n_events; i++) {
    struct sp_bytes key = recording->events[i].key;
    struct key_entry *entry = NULL;
    order->key_of[i] = UINT32_MAX;
    if (!key.data) continue;
    HASH_FIND(hh, entries, key.data, key.n, entry);
    if (!entry) {
      entry = &pool[n_keys];
      entry->index = n_keys++;
      HASH_ADD_KEYPTR(hh, entries, key.data, key.n, entry);
    }
    order->key_of[i] = entry->index;
  }
  order->last_id_1 = sp_alloc(n_keys * sizeof *order->last_id_1);
  HASH_CLEAR(hh, entries);
  free(pool);
}

void sp_key_order_done(struct sp_key_order *order) {
  free(order->key_of);
  free(order->last_id_1);
  *order = (struct sp_key_order){0};
}

bool sp_key_order_is_broken(struct sp_key_order *order, uint64_t id) {
  uint32_t key = order->key_of[id % order->n_recorded];
  if (key == UINT32_MAX) return false;
  if (id + 1 <= order->last_id_1[key]) return true;
  order->last_id_1[key] = id + 1;
  return false;
}
