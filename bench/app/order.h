// `--order key`: answers to events of one key leave in the order of their events, however many workers and calls are under
// way. Keys fall into stripes by their hash; of a stripe only one event is under way at a time, or the rows of one batch,
// others wait behind it in the order in which they came. Events without a key are promised nothing.
//
// One thread takes from the stream and admits (sp_order_intake), so that the stream's order is kept; workers take from here.
#ifndef SP_APP_ORDER_H
#define SP_APP_ORDER_H

#include "base/gate.h"
#include "stream/stream.h"

struct sp_ordering;
struct sp_ordered { // an event in the hands of a worker
  struct sp_delivery delivery;
  struct sp_ordered *next;  // ours
  struct sp_stripe *stripe; // ours; NULL: it has no key
};

// n_events: how many may be here, waiting or under way; beyond them events wait in the stream.
struct sp_ordering *sp_order_new(size_t n_events, enum sp_wait wait);
void sp_order_free(struct sp_ordering *order); // NULL is allowed

// Waits for room and for events until deadline_ns (0: does not wait); returns how many it took. One thread at a time.
size_t sp_order_intake(struct sp_ordering *order, const struct sp_stream *stream, int64_t deadline_ns);
// At most `max` events that may go now, several of one stripe in their order. Waits until deadline_ns for the first.
size_t sp_order_take(struct sp_ordering *order, struct sp_ordered **events, size_t max, int64_t deadline_ns);
// After the answers to them are committed, in the order in which they were taken. Any thread; does not block.
void sp_order_finish(struct sp_ordering *order, struct sp_ordered *const *events, size_t n);
void sp_order_close(struct sp_ordering *order); // every wait returns at once

#endif
