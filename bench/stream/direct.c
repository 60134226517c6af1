// The direct transport: two rings and the gates to wait at them.
#include "stream/direct.h"

#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/ring.h"

#define REPLY_CELLS 4096
#define RECEIVE_MAX 256

// Replies that come closer together than this are waited for awake, so that a worker at full speed pays for no system call
// to wake the collector at each of them; the collector yields its processor meanwhile, which the pacer may want.
#define AWAKE_GAP_NS (250 * SP_NS_PER_US)

struct sp_direct {
  enum sp_wait wait;
  struct sp_ring events;
  struct sp_ring replies;
  struct sp_gate event_gate; // workers wait for events
  struct sp_gate reply_gate; // the collector waits for replies
  struct sp_gate room_gate;  // workers wait for room among the replies
  atomic_bool is_closed;
  struct sp_reply *held[RECEIVE_MAX]; // given to the collector, not yet released; collector thread only
  size_t n_held;
  int64_t received_ns; // when replies last came; collector thread only
  int64_t gap_ns;      // moving mean of the time from one reply to the next
  size_t replies_peak;
};

static bool is_closed(struct sp_direct *d) {
  return atomic_load_explicit(&d->is_closed, memory_order_acquire);
}

static bool direct_send(void *impl, const struct sp_delivery *delivery) {
  struct sp_direct *d = impl;
  struct sp_delivery *cell = sp_ring_claim(&d->events);
  if (!cell) return false;
  *cell = *delivery;
  sp_ring_commit(cell);
  sp_gate_wake(&d->event_gate, 1);
  return true;
}

static size_t take_waiting(struct sp_direct *d, struct sp_delivery *deliveries, size_t max) {
  size_t n = 0;
  for (struct sp_delivery *cell; n < max && (cell = sp_ring_take(&d->events)) != NULL; n++) {
    deliveries[n] = *cell;
    sp_ring_release(&d->events, cell);
  }
  return n;
}

static size_t direct_take(void *impl, struct sp_delivery *deliveries, size_t max, int64_t deadline_ns) {
  struct sp_direct *d = impl;
  for (;;) {
    uint32_t seen = sp_gate_look(&d->event_gate);
    size_t n = take_waiting(d, deliveries, max);
    if (n || is_closed(d) || deadline_ns <= 0 || sp_now_ns() >= deadline_ns) return n;
    sp_gate_wait(&d->event_gate, seen, d->wait, deadline_ns);
  }
}

static struct sp_reply *direct_reply_claim(void *impl) {
  struct sp_direct *d = impl;
  for (;;) {
    uint32_t seen = sp_gate_look(&d->room_gate);
    struct sp_reply *reply = sp_ring_claim(&d->replies);
    if (reply || is_closed(d)) return reply;
    sp_gate_wait(&d->room_gate, seen, d->wait, INT64_MAX);
  }
}

static void direct_reply_commit(void *impl, struct sp_reply *reply) {
  struct sp_direct *d = impl;
  sp_ring_commit(reply);
  sp_gate_wake(&d->reply_gate, 1);
}

static void release_held(struct sp_direct *d) {
  for (size_t i = 0; i < d->n_held; i++) sp_ring_release(&d->replies, d->held[i]);
  if (d->n_held) sp_gate_wake(&d->room_gate, INT32_MAX);
  d->n_held = 0;
}

static void note_gap(struct sp_direct *d) {
  int64_t now_ns = sp_now_ns();
  int64_t gap_ns = d->received_ns ? (now_ns - d->received_ns) / (int64_t)d->n_held : AWAKE_GAP_NS;
  if (gap_ns > 2 * AWAKE_GAP_NS)
    gap_ns = 2 * AWAKE_GAP_NS; // one long pause does not hide that they come fast again
  d->gap_ns += (gap_ns - d->gap_ns) / 8;
  d->received_ns = now_ns;
}

static void wait_for_reply(struct sp_direct *d, uint32_t seen, int64_t deadline_ns) {
  int64_t awake_until_ns = d->received_ns + 2 * AWAKE_GAP_NS;
  if (awake_until_ns > deadline_ns) awake_until_ns = deadline_ns;
  while (d->gap_ns < AWAKE_GAP_NS && sp_gate_look(&d->reply_gate) == seen && sp_now_ns() < awake_until_ns)
    sched_yield();
  sp_gate_wait(&d->reply_gate, seen, d->wait, deadline_ns);
}

static size_t direct_receive(void *impl, struct sp_reply **replies, size_t max, int64_t deadline_ns) {
  struct sp_direct *d = impl;
  // Replies that the collector still holds take room too: but for them a full ring would never look full.
  size_t room = sp_direct_replies_room(d);
  if (sp_ring_length(&d->replies) + d->n_held >= room) d->replies_peak = room;
  release_held(d);
  if (max > RECEIVE_MAX) max = RECEIVE_MAX;
  for (;;) {
    uint32_t seen = sp_gate_look(&d->reply_gate);
    size_t waiting = sp_ring_length(&d->replies);
    if (waiting > d->replies_peak) d->replies_peak = waiting;
    for (struct sp_reply *reply; d->n_held < max && (reply = sp_ring_take(&d->replies)) != NULL;) {
      replies[d->n_held] = d->held[d->n_held] = reply;
      d->n_held++;
    }
    if (d->n_held && deadline_ns > 0) note_gap(d);
    if (d->n_held || is_closed(d) || deadline_ns <= 0 || sp_now_ns() >= deadline_ns) return d->n_held;
    wait_for_reply(d, seen, deadline_ns);
  }
}

static void direct_close(void *impl) {
  struct sp_direct *d = impl;
  atomic_store_explicit(&d->is_closed, true, memory_order_release);
  sp_gate_wake(&d->event_gate, INT32_MAX);
  sp_gate_wake(&d->reply_gate, INT32_MAX);
  sp_gate_wake(&d->room_gate, INT32_MAX);
}

static void direct_facts(void *impl, struct sp_stream_facts *facts) {
  struct sp_direct *d = impl;
  *facts = (struct sp_stream_facts){sp_direct_replies_peak(d), sp_direct_replies_room(d), -1, 0};
}

static const struct sp_stream_ops direct_ops = {
    .name = "direct",
    .send = direct_send,
    .receive = direct_receive,
    .take = direct_take,
    .reply_claim = direct_reply_claim,
    .reply_commit = direct_reply_commit,
    .close = direct_close,
    .facts = direct_facts,
};

struct sp_direct *sp_direct_new(size_t fifo_events, size_t value_bound, enum sp_wait wait,
                                struct sp_stream *stream) {
  struct sp_direct *d = aligned_alloc(64, (sizeof *d + 63) / 64 * 64);
  SP_ASSERT(d != NULL);
  memset(d, 0, sizeof *d);
  d->wait = wait;
  d->gap_ns = 2 * AWAKE_GAP_NS;
  sp_ring_init(&d->events, fifo_events, sizeof(struct sp_delivery));
  sp_ring_init(&d->replies, REPLY_CELLS, sizeof(struct sp_reply) + value_bound);
  *stream = (struct sp_stream){&direct_ops, d, value_bound};
  return d;
}

void sp_direct_free(struct sp_direct *d) {
  if (!d) return;
  sp_ring_done(&d->events);
  sp_ring_done(&d->replies);
  free(d);
}

size_t sp_direct_replies_peak(const struct sp_direct *d) {
  return d->replies_peak;
}
size_t sp_direct_replies_room(const struct sp_direct *d) {
  return (size_t)d->replies.mask + 1;
}
