// Which offset of a partition may be committed: the one after the last event before which nothing is unfinished. Events finish
// in any order; each costs O(1) however far apart they finish. Pure; for the application's half of the Kafka transport.
//
// An item is linked in from sp_offsets_admit until it comes back from sp_offsets_advance, _take or _forget; its state says who
// holds it. Everything but the state is guarded by one lock of the caller.
#ifndef SP_STREAM_KAFKA_OFFSETS_H
#define SP_STREAM_KAFKA_OFFSETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum sp_offsets_state {
  SP_OFFSETS_WAITING,  // in the FIFO
  SP_OFFSETS_TAKEN,    // a worker or its path has it
  SP_OFFSETS_ANSWERED, // its answer is under way to the broker (exactly-once: waits for a transaction)
  SP_OFFSETS_FINISHED, // the broker has the answer
  SP_OFFSETS_REFUSED,  // the broker does not have it: this event is to come again
  SP_OFFSETS_FORGOTTEN // its partition was taken away; whoever holds it drops it
};

struct sp_offsets_item {
  struct sp_offsets_item *next;
  int64_t offset;
  _Atomic int state; // enum sp_offsets_state; WAITING when admitted
};

struct sp_offsets { // of one partition
  struct sp_offsets_item *first, *last;
  int64_t finished;  // may be committed; -1: nothing since it was given
  int64_t committed; // what the caller has committed of it; -1
  uint32_t n_given;  // how often it was given to us
  bool is_ours;
  bool is_stuck; // an event was refused: nothing from it on may be committed
};

// Moves an item from one state to the next; false: it was forgotten meanwhile (or is in another state). Any thread, no lock.
static inline bool sp_offsets_move(struct sp_offsets_item *item, int from, int to) {
  return atomic_compare_exchange_strong_explicit(&item->state, &from, to, memory_order_acq_rel,
                                                 memory_order_acquire);
}

void sp_offsets_give(struct sp_offsets *offsets); // empty, from now on ours
// The next event of the partition, in the order in which it is read.
void sp_offsets_admit(struct sp_offsets *offsets, struct sp_offsets_item *item, int64_t offset);
// Unlinks what is finished (or refused) before everything that is not; a chain by next, NULL: none.
struct sp_offsets_item *sp_offsets_advance(struct sp_offsets *offsets);
// Unlinks what is answered before everything that is not: the next transaction's. `finished` follows.
struct sp_offsets_item *sp_offsets_take(struct sp_offsets *offsets);
// Every event that is left is answered (or finished).
bool sp_offsets_all_answered(const struct sp_offsets *offsets);

// Forgets the events that no worker has yet, and whatever was read after the first of them. Returns those that nobody holds,
// as a chain; the others are dropped by their holders, who find them FORGOTTEN. holds_answers: an answered item is in the
// hands of somebody who will look at its state (at least once), and not only in this list (exactly-once).
struct sp_offsets_item *sp_offsets_forget_waiting(struct sp_offsets *offsets, bool holds_answers);
// Forgets all that is left, the same way, and the partition.
struct sp_offsets_item *sp_offsets_forget(struct sp_offsets *offsets, bool holds_answers);

#endif
