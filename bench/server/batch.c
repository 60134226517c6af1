// Batches that gather, by age, under one lock; and the threads that run those whose time has come. One of them, the leader,
// sleeps until the oldest is due; the others until they are called.
#include "server/batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/thread.h"

struct runner {
  struct sp_batcher *batcher;
  struct sp_thread thread;
  size_t i;
};

struct sp_batcher {
  int64_t delay_ns;
  void (*run)(void *context, size_t runner_i, struct sp_batch *batch);
  void *context;
  size_t n_runners;
  struct runner *runners;
  pthread_mutex_t lock; // of all below, and of what gathers
  pthread_cond_t changed;
  bool has_leader, hurries, ends;
  struct sp_batch *first, *last; // gathering; all wait equally long, so the oldest is due first
  struct sp_batch *idle;
};

// --- With the lock held ---

static struct sp_batch *open_batch(struct sp_batcher *batcher, const struct sp_request *request) {
  struct sp_batch *batch = batcher->idle;
  if (batch)
    batcher->idle = batch->after;
  else
    batch = sp_alloc(sizeof *batch); // until there are as many as ever were under way at once
  batch->served = request->served;
  batch->due_ns = sp_incoming_received_ns(request->call) + batcher->delay_ns;
  batch->n = batch->n_rows = 0;
  batch->before = batcher->last;
  batch->after = NULL;
  if (batcher->last)
    batcher->last->after = batch;
  else
    batcher->first = batch;
  batcher->last = batch;
  request->served->gathering = batch;
  return batch;
}

static struct sp_batch *close_batch(struct sp_batcher *batcher, struct sp_batch *batch) {
  *(batch->before ? &batch->before->after : &batcher->first) = batch->after;
  *(batch->after ? &batch->after->before : &batcher->last) = batch->before;
  batch->served->gathering = NULL;
  return batch;
}

static void append(struct sp_batch *batch, const struct sp_request *request) {
  if (batch->n == batch->n_room) {
    batch->n_room = batch->n_room ? 2 * batch->n_room : 16;
    batch->requests = sp_realloc(batch->requests, batch->n_room * sizeof *batch->requests);
  }
  batch->requests[batch->n++] = *request;
  batch->n_rows += request->n_rows;
  atomic_fetch_add_explicit(&request->served->n_held, 1, memory_order_relaxed);
}

// Sleeps until something changes or, for the leader, the oldest batch is due.
static void wait_for_work(struct sp_batcher *batcher) {
  if (!batcher->first || batcher->has_leader) {
    pthread_cond_wait(&batcher->changed, &batcher->lock);
    return;
  }
  int64_t due_ns = batcher->first->due_ns;
  struct timespec until = {due_ns / SP_NS_PER_S, due_ns % SP_NS_PER_S};
  batcher->has_leader = true;
  pthread_cond_timedwait(&batcher->changed, &batcher->lock, &until);
  batcher->has_leader = false;
}

// NULL at the end.
static struct sp_batch *wait_due(struct sp_batcher *batcher) {
  for (;;) {
    struct sp_batch *oldest = batcher->first;
    if (oldest && (batcher->hurries || oldest->due_ns <= sp_now_ns())) return close_batch(batcher, oldest);
    if (!oldest && batcher->ends) return NULL;
    wait_for_work(batcher);
  }
}

// --- Threads ---

static void run(void *context) {
  struct runner *runner = context;
  struct sp_batcher *batcher = runner->batcher;
  pthread_mutex_lock(&batcher->lock);
  for (struct sp_batch *batch; (batch = wait_due(batcher)) != NULL;) {
    bool wants_leader = batcher->first && !batcher->has_leader;
    pthread_mutex_unlock(&batcher->lock);
    if (wants_leader) pthread_cond_signal(&batcher->changed);
    batcher->run(batcher->context, runner->i, batch);
    sp_batcher_give_back(batcher, batch);
    pthread_mutex_lock(&batcher->lock);
  }
  pthread_mutex_unlock(&batcher->lock);
}

enum sp_err sp_batcher_new(int64_t delay_ns, size_t n_runners,
                           void (*run_batch)(void *context, size_t runner_i, struct sp_batch *batch),
                           void *context, struct sp_batcher **made, struct sp_error *error) {
  struct sp_batcher *batcher = sp_alloc(sizeof *batcher);
  batcher->delay_ns = delay_ns;
  batcher->run = run_batch;
  batcher->context = context;
  batcher->n_runners = n_runners;
  batcher->runners = sp_alloc(n_runners * sizeof *batcher->runners);
  pthread_mutex_init(&batcher->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&batcher->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < n_runners; i++) {
    char name[24];
    struct runner *runner = &batcher->runners[i];
    snprintf(name, sizeof name, "sp-batch-%u", (unsigned)i);
    runner->batcher = batcher;
    runner->i = i;
    err = sp_thread_start(&runner->thread, name, NULL, run, runner, error);
  }
  if (err)
    sp_batcher_free(batcher);
  else
    *made = batcher;
  return err;
}

size_t sp_batcher_add(struct sp_batcher *batcher, const struct sp_request *request,
                      struct sp_batch *full[2]) {
  size_t n_full = 0, max_rows = request->served->max_rows;
  pthread_mutex_lock(&batcher->lock);
  struct sp_batch *batch = request->served->gathering;
  if (batch && batch->n_rows + request->n_rows > max_rows) {
    full[n_full++] = close_batch(batcher, batch);
    batch = NULL;
  }
  if (!batch) batch = open_batch(batcher, request);
  append(batch, request);
  if (batch->n_rows == max_rows) full[n_full++] = close_batch(batcher, batch);
  bool wants_leader = batcher->first && !batcher->has_leader;
  pthread_mutex_unlock(&batcher->lock);
  if (wants_leader) pthread_cond_signal(&batcher->changed);
  return n_full;
}

void sp_batcher_give_back(struct sp_batcher *batcher, struct sp_batch *batch) {
  pthread_mutex_lock(&batcher->lock);
  struct sp_served *served = batch->served;
  size_t n = batch->n;
  batch->after = batcher->idle;
  batcher->idle = batch;
  pthread_mutex_unlock(&batcher->lock);
  atomic_fetch_sub_explicit(&served->n_held, n, memory_order_release);
}

void sp_batcher_hurry(struct sp_batcher *batcher) {
  pthread_mutex_lock(&batcher->lock);
  batcher->hurries = true;
  pthread_mutex_unlock(&batcher->lock);
  pthread_cond_broadcast(&batcher->changed);
}

void sp_batcher_free(struct sp_batcher *batcher) {
  if (!batcher) return;
  pthread_mutex_lock(&batcher->lock);
  batcher->hurries = batcher->ends = true;
  pthread_mutex_unlock(&batcher->lock);
  pthread_cond_broadcast(&batcher->changed);
  for (size_t i = 0; i < batcher->n_runners; i++) sp_thread_join(&batcher->runners[i].thread);
  while (batcher->idle) {
    struct sp_batch *batch = batcher->idle;
    batcher->idle = batch->after;
    free(batch->requests);
    free(batch);
  }
  pthread_cond_destroy(&batcher->changed);
  pthread_mutex_destroy(&batcher->lock);
  free(batcher->runners);
  free(batcher);
}
