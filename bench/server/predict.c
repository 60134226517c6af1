// Predictions: at once where they are received, late or failing where told, or gathered with others.
#include <stdlib.h>

#include "base/clock.h"
#include "rpc/library.h"
#include "server/parts.h"

#define SPIN_NS (60 * SP_NS_PER_US) // before an instant: a sleeping thread may wake so much late

// --- Running ---

static void answer(struct sp_server *server, struct sp_worker *worker, struct sp_request *request,
                   const struct sp_bench *bench) {
  if (!request->status) worker->counts.n_predictions += request->n_rows;
  int64_t server_ns = sp_request_answer(request, bench, &worker->room);
  if (server->delay_log) fprintf(server->delay_log, "%lld\n", (long long)server_ns);
}

static void answer_all(struct sp_server *server, struct sp_worker *worker, const struct sp_bench *bench,
                       struct sp_request *requests, size_t n) {
  for (size_t i = 0; i < n; i++) answer(server, worker, &requests[i], bench);
}

static void stub_answers(const struct sp_server *server, const struct sp_bench *bench,
                         struct sp_request *requests, size_t n) {
  for (size_t i = 0; i < n; i++) {
    size_t row;
    if (requests[i].status || sp_stub_answer(&server->stub, requests[i].served, bench, requests[i].first_row,
                                             requests[i].n_rows, &row))
      continue;
    sp_request_refuse(&requests[i], SP_STATUS_NOT_FOUND,
                      "no event of the recording has these tensors (row %zu)", row);
  }
}

// Runs requests for one version together and answers each. Where the run of several fails, each is run alone: only the one
// that was to blame fails.
static void run_all(struct sp_server *server, struct sp_worker *worker, struct sp_request *requests,
                    size_t n) {
  const struct sp_bench *bench = &requests[0].served->benches[worker->i];
  size_t n_rows = 0;
  for (size_t i = 0; i < n; i++) {
    if (sp_request_put(&requests[i], bench, n_rows)) n_rows += requests[i].n_rows;
  }
  struct sp_error error;
  if (!bench->session) {
    stub_answers(server, bench, requests, n);
  } else if (n_rows && sp_session_run(bench->session, n_rows, &error)) {
    if (n > 1) {
      for (size_t i = 0; i < n; i++) run_all(server, worker, &requests[i], 1);
      return;
    }
    sp_request_refuse(&requests[0], SP_STATUS_INTERNAL, "%s", error.text);
  }
  answer_all(server, worker, bench, requests, n);
}

static void wait_until(int64_t due_ns) {
  int64_t sleep_ns = due_ns - SPIN_NS;
  struct timespec until = {sleep_ns / SP_NS_PER_S, sleep_ns % SP_NS_PER_S};
  if (sleep_ns > sp_now_ns()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  while (sp_now_ns() < due_ns) {
  }
}

// --- Gathered: a delay is that of the run, not of each request ---

static void run_batch(struct sp_server *server, struct sp_worker *worker, struct sp_batch *batch) {
  if (server->delay) {
    uint64_t k = atomic_fetch_add_explicit(&server->n_runs, 1, memory_order_relaxed);
    wait_until(sp_now_ns() + sp_delay_ns(server->delay, k, SP_NO_EVENT));
  }
  run_all(server, worker, batch->requests, batch->n);
}

void sp_predict_batch(void *context, size_t runner_i, struct sp_batch *batch) {
  struct sp_server *server = context;
  run_batch(server, &server->workers[server->n_threads + runner_i], batch);
}

// --- Delayed ---

void sp_predict_due(void *context, void *item) {
  struct sp_server *server = context;
  struct sp_request *request = item;
  struct sp_worker *worker = &server->workers[server->n_threads];
  struct sp_served *held = request->served;
  if (request->status)
    answer(server, worker, request, NULL);
  else
    run_all(server, worker, request, 1);
  if (held) atomic_fetch_sub_explicit(&held->n_held, 1, memory_order_release);
  free(request);
}

static void delay(struct sp_server *server, const struct sp_request *request, int64_t due_ns) {
  struct sp_request *own = sp_alloc(sizeof *own);
  *own = *request;
  if (own->served) atomic_fetch_add_explicit(&own->served->n_held, 1, memory_order_relaxed);
  sp_timer_add(server->timer, due_ns, own);
}

// --- The call ---

struct told { // about one call
  int fails_with;
  int64_t due_ns; // 0: at once
};

// What holds for the call as one about `event`, added to what holds already: the first failure, the longest delay.
static void add_told(const struct sp_server *server, uint64_t k, size_t event, int64_t received_ns,
                     struct told *told) {
  if (server->fail && !told->fails_with) told->fails_with = sp_fail_plan_status(server->fail, k + 1, event);
  if (!server->delay || server->batcher) return;
  int64_t due_ns = received_ns + sp_delay_ns(server->delay, k, event);
  if (due_ns > told->due_ns) told->due_ns = due_ns;
}

// The rows must be looked at, in the worker's own bench, to know which events they are. One that cannot be read is of none.
static size_t rows_to_look_at(const struct sp_server *server, const struct sp_worker *worker,
                              struct sp_request *request) {
  if (!server->events || request->status) return 0;
  return sp_request_put(request, &request->served->benches[worker->i], 0) ? request->n_rows : 0;
}

static struct told told_of(struct sp_server *server, const struct sp_worker *worker,
                           struct sp_request *request) {
  struct told told = {0};
  if (!server->fail && !server->delay) return told;
  uint64_t k = atomic_fetch_add_explicit(&server->n_calls, 1, memory_order_relaxed);
  int64_t received_ns = sp_incoming_received_ns(request->call);
  size_t n_rows = rows_to_look_at(server, worker, request);
  if (!n_rows) add_told(server, k, SP_NO_EVENT, received_ns, &told);
  for (size_t row = 0; row < n_rows; row++) {
    const struct sp_tensor *inputs = request->served->benches[worker->i].inputs;
    size_t event = sp_events_find(server->events, inputs, request->served->signature.n_inputs, row);
    add_told(server, k, event, received_ns, &told);
  }
  return told;
}

// Within a section: what is found stays served until it is left, and what is put off is held. Returns batches to run.
static size_t begin(struct sp_server *server, struct sp_worker *worker, struct sp_request *request,
                    const struct sp_models *models, struct sp_batch *full[2]) {
  sp_request_read(request, models);
  const struct told told = told_of(server, worker, request);
  if (told.fails_with) sp_request_refuse(request, told.fails_with, "failing as told (--fail)");
  if (server->timer) {
    delay(server, request, told.due_ns);
    return 0;
  }
  if (told.due_ns) wait_until(told.due_ns);
  if (request->status)
    answer(server, worker, request, NULL);
  else if (server->batcher)
    return sp_batcher_add(server->batcher, request, full);
  else
    run_all(server, worker, request, 1);
  return 0;
}

static void handle(struct sp_server *server, unsigned thread_i, struct sp_incoming *call,
                   const struct sp_dialect *dialect) {
  struct sp_worker *worker = &server->workers[thread_i];
  struct sp_request request; // mostly unset: large, and on the hot path
  struct sp_batch *full[2];
  request.dialect = dialect;
  request.call = call;
  worker->counts.n_requests++;
  const struct sp_models *models = sp_current_enter(&server->current, thread_i);
  size_t n_full = begin(server, worker, &request, models, full);
  sp_current_leave(&server->current, thread_i);
  for (size_t i = 0; i < n_full; i++) {
    run_batch(server, worker, full[i]);
    sp_batcher_give_back(server->batcher, full[i]);
  }
}

void sp_predict_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)request; // sp_incoming_request gives it again, also later
  handle(context, thread_i, call, &sp_dialect_tfs);
}

void sp_infer_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)request;
  handle(context, thread_i, call, &sp_dialect_kserve);
}
