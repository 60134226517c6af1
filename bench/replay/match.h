// What became of each event of a schedule, one byte an event, and how an answer finds its event.
#ifndef SP_REPLAY_MATCH_H
#define SP_REPLAY_MATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "recording/recording.h"

// Per event: 0 not sent yet, SP_STATE_SENT under way, otherwise its outcome. The pacer writes `sent` and `shed`, the
// collector everything else; an event is the collector's once it was sent.
#define SP_STATE_SENT 0x80
struct sp_event_states {
  _Atomic uint8_t *of;
  size_t n;
  size_t mapped_bytes;
};
// Lazily backed where is_lazy (a closed loop's upper bound), otherwise touched at once.
void sp_event_states_init(struct sp_event_states *states, size_t n_events, bool is_lazy);
void sp_event_states_done(struct sp_event_states *states);
static inline void sp_event_state_set_sent(struct sp_event_states *states, size_t event) {
  atomic_store_explicit(&states->of[event], SP_STATE_SENT, memory_order_release);
}
static inline void sp_event_state_set(struct sp_event_states *states, size_t event, enum sp_outcome outcome) {
  atomic_store_explicit(&states->of[event], (uint8_t)outcome, memory_order_release);
}
static inline uint8_t sp_event_state(const struct sp_event_states *states, size_t event) {
  return atomic_load_explicit((_Atomic uint8_t *)&states->of[event], memory_order_acquire);
}

enum sp_match { SP_MATCH_FIRST, SP_MATCH_DUPLICATE, SP_MATCH_ALIEN };
// An answer that names event `id`: alien where no such event was sent.
enum sp_match sp_match_id(const struct sp_event_states *states, uint64_t id);

// Order within a key: an answer is reordered if one for a later event of the same key came before it. Events without a key
// promise no order. Collector thread only.
struct sp_key_order {
  uint32_t *key_of;    // per recorded event; UINT32_MAX: no key
  uint64_t *last_id_1; // per key: last id seen, plus 1
  size_t n_recorded;
};
// Borrows nothing: the recording may go afterwards.
void sp_key_order_init(struct sp_key_order *order, const struct sp_recording *recording);
void sp_key_order_done(struct sp_key_order *order);
// Notes the answer to event `id`; true if it is reordered.
bool sp_key_order_is_broken(struct sp_key_order *order, uint64_t id);

#endif
