// Stripes of keys: who goes, and who waits behind whom.
#include "app/order.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

#define N_STRIPES  4096 // keys that share one wait for each other without need: many more than are under way
#define INTAKE_MAX 64

struct chain {
  struct sp_ordered *first, *last;
};
struct sp_stripe {
  struct chain waiting;
  size_t n_under_way; // ready or taken
};

struct sp_ordering {
  enum sp_wait wait;
  pthread_mutex_t lock; // of all below but the gates; never held while waiting
  struct sp_stripe stripes[N_STRIPES];
  struct chain ready;
  struct chain unused;
  size_t n_unused;
  struct sp_ordered *events;
  struct sp_gate ready_gate; // workers
  struct sp_gate room_gate;  // intake
  atomic_bool is_closed;
};

static void push(struct chain *chain, struct sp_ordered *event) {
  event->next = NULL;
  if (chain->last)
    chain->last->next = event;
  else
    chain->first = event;
  chain->last = event;
}

static struct sp_ordered *pop(struct chain *chain) {
  struct sp_ordered *event = chain->first;
  if (!event) return NULL;
  chain->first = event->next;
  if (!chain->first) chain->last = NULL;
  return event;
}

// FNV-1a.
static struct sp_stripe *stripe_of(struct sp_ordering *order, struct sp_bytes key) {
  if (!key.data) return NULL;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < key.n; i++) hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
  return &order->stripes[(hash ^ hash >> 32) % N_STRIPES];
}

static bool is_over(struct sp_ordering *order, int64_t deadline_ns) {
  return atomic_load_explicit(&order->is_closed, memory_order_acquire) || deadline_ns <= 0 ||
         sp_now_ns() >= deadline_ns;
}

static size_t room_of(struct sp_ordering *order) {
  pthread_mutex_lock(&order->lock);
  size_t n = order->n_unused;
  pthread_mutex_unlock(&order->lock);
  return n;
}

static size_t wait_for_room(struct sp_ordering *order, int64_t deadline_ns) {
  for (;;) {
    uint32_t seen = sp_gate_look(&order->room_gate);
    size_t n = room_of(order);
    if (n || is_over(order, deadline_ns)) return n;
    sp_gate_wait(&order->room_gate, seen, order->wait, deadline_ns);
  }
}

// Returns how many may go at once.
static int admit(struct sp_ordering *order, const struct sp_delivery *deliveries, size_t n) {
  int n_ready = 0;
  pthread_mutex_lock(&order->lock);
  for (size_t i = 0; i < n; i++) {
    struct sp_ordered *event = pop(&order->unused);
    event->delivery = deliveries[i];
    event->stripe = stripe_of(order, deliveries[i].key);
    bool must_wait = event->stripe && event->stripe->n_under_way > 0;
    if (event->stripe && !must_wait) event->stripe->n_under_way = 1;
    push(must_wait ? &event->stripe->waiting : &order->ready, event);
    n_ready += !must_wait;
  }
  order->n_unused -= n;
  pthread_mutex_unlock(&order->lock);
  return n_ready;
}

size_t sp_order_intake(struct sp_ordering *order, const struct sp_stream *stream, int64_t deadline_ns) {
  struct sp_delivery deliveries[INTAKE_MAX];
  size_t room = wait_for_room(order, deadline_ns);
  if (!room) return 0;
  size_t n = sp_stream_take(stream, deliveries, room < INTAKE_MAX ? room : INTAKE_MAX, deadline_ns);
  if (!n) return 0;
  int n_ready = admit(order, deliveries, n);
  if (n_ready) sp_gate_wake(&order->ready_gate, n_ready);
  return n;
}

static size_t take_ready(struct sp_ordering *order, struct sp_ordered **events, size_t max) {
  size_t n = 0;
  pthread_mutex_lock(&order->lock);
  while (n < max && order->ready.first) {
    struct sp_ordered *event = events[n++] = pop(&order->ready);
    if (!event->stripe) continue;
    for (struct sp_ordered *next; n < max && (next = pop(&event->stripe->waiting)) != NULL;) {
      event->stripe->n_under_way++;
      events[n++] = next;
    }
  }
  pthread_mutex_unlock(&order->lock);
  return n;
}

size_t sp_order_take(struct sp_ordering *order, struct sp_ordered **events, size_t max, int64_t deadline_ns) {
  for (;;) {
    uint32_t seen = sp_gate_look(&order->ready_gate);
    size_t n = take_ready(order, events, max);
    if (n || is_over(order, deadline_ns)) return n;
    sp_gate_wait(&order->ready_gate, seen, order->wait, deadline_ns);
  }
}

void sp_order_finish(struct sp_ordering *order, struct sp_ordered *const *events, size_t n) {
  int n_ready = 0;
  pthread_mutex_lock(&order->lock);
  for (size_t i = 0; i < n; i++) {
    struct sp_stripe *stripe = events[i]->stripe;
    struct sp_ordered *next = NULL;
    if (stripe && --stripe->n_under_way == 0) next = pop(&stripe->waiting);
    if (next) {
      stripe->n_under_way = 1;
      push(&order->ready, next);
      n_ready++;
    }
    push(&order->unused, events[i]);
  }
  order->n_unused += n;
  pthread_mutex_unlock(&order->lock);
  if (n_ready) sp_gate_wake(&order->ready_gate, n_ready);
  sp_gate_wake(&order->room_gate, 1);
}

void sp_order_close(struct sp_ordering *order) {
  atomic_store_explicit(&order->is_closed, true, memory_order_release);
  sp_gate_wake(&order->ready_gate, INT32_MAX);
  sp_gate_wake(&order->room_gate, INT32_MAX);
}

struct sp_ordering *sp_order_new(size_t n_events, enum sp_wait wait) {
  struct sp_ordering *order = sp_alloc(sizeof *order);
  order->wait = wait;
  pthread_mutex_init(&order->lock, NULL);
  order->events = sp_alloc(n_events * sizeof *order->events);
  for (size_t i = 0; i < n_events; i++) push(&order->unused, &order->events[i]);
  order->n_unused = n_events;
  return order;
}

void sp_order_free(struct sp_ordering *order) {
  if (!order) return;
  pthread_mutex_destroy(&order->lock);
  free(order->events);
  free(order);
}
