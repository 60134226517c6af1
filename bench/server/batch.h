// Gathers requests for the same version until there are enough rows or the first has waited long enough: run once, answered
// each. A full batch is run by the worker that filled it, one whose time has come by a thread of the batcher; nobody spins.
#ifndef SP_SERVER_BATCH_H
#define SP_SERVER_BATCH_H

#include "server/request.h"

struct sp_batch {
  struct sp_served *served;
  int64_t due_ns;
  size_t n_rows, n, n_room;
  struct sp_request *requests;
  struct sp_batch *before, *after; // those that gather, by age; or the idle ones
};

struct sp_batcher;

// run(context, runner_i, batch) answers every request of the batch; on a thread of the batcher, runner_i 0..n_runners-1.
enum sp_err sp_batcher_new(int64_t delay_ns, size_t n_runners,
                           void (*run)(void *context, size_t runner_i, struct sp_batch *batch), void *context,
                           struct sp_batcher **batcher, struct sp_error *error);
// Copies a request that was read and not refused; it holds its version (sp_served.n_held). Puts batches that are complete now
// into full[], for the caller to run and then to give back; returns how many (at most 2: one that had no room for it, one that
// it filled). Any thread, which must be in a section of the served set (current.h).
size_t sp_batcher_add(struct sp_batcher *batcher, const struct sp_request *request, struct sp_batch *full[2]);
// Lets go of what the batch holds, after every request in it was answered. Any thread.
void sp_batcher_give_back(struct sp_batcher *batcher, struct sp_batch *batch);
// From now on nothing waits: what is there, and what comes.
void sp_batcher_hurry(struct sp_batcher *batcher);
// Runs what is left and joins the threads. NULL is allowed.
void sp_batcher_free(struct sp_batcher *batcher);

#endif
