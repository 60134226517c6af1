// A binary heap of instants under a lock, and the thread that waits for the first.
#include "server/timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/thread.h"

struct entry {
  int64_t due_ns;
  void *item;
};

struct sp_timer {
  void (*fire)(void *context, void *item);
  void *context;
  struct sp_thread thread;
  pthread_mutex_t lock; // of all below
  pthread_cond_t changed;
  bool hurries, ends;
  size_t n, n_room;
  struct entry *heap; // the parent of i is (i - 1) / 2 and not later than it
};

static void swap(struct entry *a, struct entry *b) {
  struct entry other = *a;
  *a = *b;
  *b = other;
}

static void heap_push(struct sp_timer *timer, struct entry entry) {
  if (timer->n == timer->n_room) {
    timer->n_room = timer->n_room ? 2 * timer->n_room : 256;
    timer->heap = sp_realloc(timer->heap, timer->n_room * sizeof *timer->heap);
  }
  size_t i = timer->n++;
  timer->heap[i] = entry;
  for (; i && timer->heap[i].due_ns < timer->heap[(i - 1) / 2].due_ns; i = (i - 1) / 2) {
    swap(&timer->heap[i], &timer->heap[(i - 1) / 2]);
  }
}

static struct entry heap_pop(struct sp_timer *timer) {
  struct entry first = timer->heap[0];
  timer->heap[0] = timer->heap[--timer->n];
  for (size_t i = 0;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < timer->n; child++) {
      if (timer->heap[child].due_ns < timer->heap[least].due_ns) least = child;
    }
    if (least == i) return first;
    swap(&timer->heap[i], &timer->heap[least]);
    i = least;
  }
}

// With the lock held: waits for the first instant; false at the end with nothing left.
static bool wait_due(struct sp_timer *timer) {
  for (;;) {
    if (timer->n && (timer->hurries || timer->heap[0].due_ns <= sp_now_ns())) return true;
    if (!timer->n && timer->ends) return false;
    if (!timer->n) {
      pthread_cond_wait(&timer->changed, &timer->lock);
      continue;
    }
    int64_t due_ns = timer->heap[0].due_ns;
    struct timespec until = {due_ns / SP_NS_PER_S, due_ns % SP_NS_PER_S};
    pthread_cond_timedwait(&timer->changed, &timer->lock, &until);
  }
}

static void run(void *context) {
  struct sp_timer *timer = context;
  pthread_mutex_lock(&timer->lock);
  while (wait_due(timer)) {
    struct entry first = heap_pop(timer);
    pthread_mutex_unlock(&timer->lock);
    timer->fire(timer->context, first.item);
    pthread_mutex_lock(&timer->lock);
  }
  pthread_mutex_unlock(&timer->lock);
}

enum sp_err sp_timer_new(void (*fire)(void *context, void *item), void *context, struct sp_timer **made,
                         struct sp_error *error) {
  struct sp_timer *timer = sp_alloc(sizeof *timer);
  timer->fire = fire;
  timer->context = context;
  pthread_mutex_init(&timer->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&timer->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  enum sp_err err = sp_thread_start(&timer->thread, "sp-delay", NULL, run, timer, error);
  if (err)
    sp_timer_free(timer);
  else
    *made = timer;
  return err;
}

void sp_timer_add(struct sp_timer *timer, int64_t due_ns, void *item) {
  pthread_mutex_lock(&timer->lock);
  heap_push(timer, (struct entry){due_ns, item});
  bool is_first = timer->heap[0].item == item;
  pthread_mutex_unlock(&timer->lock);
  if (is_first) pthread_cond_signal(&timer->changed);
}

void sp_timer_hurry(struct sp_timer *timer) {
  pthread_mutex_lock(&timer->lock);
  timer->hurries = true;
  pthread_mutex_unlock(&timer->lock);
  pthread_cond_signal(&timer->changed);
}

void sp_timer_free(struct sp_timer *timer) {
  if (!timer) return;
  pthread_mutex_lock(&timer->lock);
  timer->hurries = timer->ends = true;
  pthread_mutex_unlock(&timer->lock);
  pthread_cond_signal(&timer->changed);
  sp_thread_join(&timer->thread);
  pthread_cond_destroy(&timer->changed);
  pthread_mutex_destroy(&timer->lock);
  free(timer->heap);
  free(timer);
}
