// A queue in order of arrival with any number of servers. When a call will end is known when it is made: the servers before
// it are taken, and nothing that comes later passes it (J. Kiefer and J. Wolfowitz, 1955).
#include "support/sim_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

struct call_memory {
  struct sp_tensor input, output;
  struct sp_tensor *inputs[1];
};

// `work_ns` of service that starts at start_ns.
static int64_t end_of_service(const struct sim *sim, int64_t start_ns, int64_t work_ns) {
  int64_t from_ns = SIM_ORIGIN_NS + sim->plan.stall.from_ns, to_ns = SIM_ORIGIN_NS + sim->plan.stall.to_ns;
  if (start_ns >= to_ns || start_ns + work_ns <= from_ns) return start_ns + work_ns;
  if (start_ns >= from_ns) return to_ns + work_ns;
  return start_ns + work_ns + (to_ns - from_ns);
}

static bool is_before(const struct sim_call *a, const struct sim_call *b) {
  return a->end_ns < b->end_ns || (a->end_ns == b->end_ns && a->call < b->call);
}

static void heap_push(struct sim *sim, struct sim_call call) {
  size_t at = sim->n_heap++;
  for (; at > 0 && is_before(&call, &sim->heap[(at - 1) / 2]); at = (at - 1) / 2)
    sim->heap[at] = sim->heap[(at - 1) / 2];
  sim->heap[at] = call;
}

static struct sim_call heap_pop(struct sim *sim) {
  struct sim_call first = sim->heap[0], last = sim->heap[--sim->n_heap];
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < sim->n_heap; at = child) {
    if (child + 1 < sim->n_heap && is_before(&sim->heap[child + 1], &sim->heap[child])) child++;
    if (!is_before(&sim->heap[child], &last)) break;
    sim->heap[at] = sim->heap[child];
  }
  sim->heap[at] = last;
  return first;
}

int64_t sim_server_next_ns(const struct sim *sim) {
  return sim->n_heap ? sim->heap[0].end_ns : INT64_MAX;
}
unsigned sim_server_next_worker(const struct sim *sim) {
  return sim->heap[0].request->worker_i;
}

static enum sp_err server_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                               struct sp_error *error) {
  (void)error;
  struct sim *sim = (struct sim *)(uintptr_t)env->rpc;
  *output = (struct sp_tensor_spec){.name = "score", .dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, 1}};
  sim->path_env = *env;
  *path = sim;
  return SP_OK;
}

static enum sp_err server_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  (void)error;
  struct sim *sim = path;
  struct call_memory *memory = sp_alloc(sizeof *memory);
  struct sp_tensor_spec spec = {.name = "x", .dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, 1}};
  sp_tensor_init(&memory->input, &spec, sim->plan.batch);
  sp_tensor_init(&memory->output, &spec, sim->plan.batch);
  memory->inputs[0] = &memory->input;
  request->inputs = memory->inputs;
  request->output = &memory->output;
  request->impl = memory;
  return SP_OK;
}

static void server_submit(void *path, struct sp_request *request) {
  struct sim *sim = path;
  request->dispatched_ns = sim->now_ns;
  struct sim_call call = {.call = sim->n_calls++, .request = request};
  int64_t work_ns = sim->plan.service_ns(sim->plan.context, call.call), start_ns = sim->now_ns;
  int64_t *server = NULL;
  for (size_t i = 0; i < sim->plan.n_servers; i++) {
    if (!server || sim->free_at_ns[i] < *server) server = &sim->free_at_ns[i];
  }
  if (server && *server > start_ns) start_ns = *server;
  call.end_ns = end_of_service(sim, start_ns, work_ns);
  if (server) *server = call.end_ns;
  if (sim->plan.reports_server_time) request->server_ns = call.end_ns - start_ns;
  if (sim->plan.call_deadline_ns && call.end_ns > sim->now_ns + sim->plan.call_deadline_ns) {
    call.end_ns = sim->now_ns + sim->plan.call_deadline_ns;
    call.is_expired = true;
  }
  heap_push(sim, call);
}

static void predict(struct sim *sim, const struct sim_call *call) {
  struct call_memory *memory = call->request->impl;
  for (size_t row = 0; row < call->request->n_rows && sim->plan.is_checked; row++) {
    double event = sp_tensor_get(&memory->input, row, 0);
    ((float *)memory->output.data)[row] = (float)sim_score((size_t)event);
  }
  if (sim->plan.predicted) sim->plan.predicted(sim->plan.context, call->request, call->call);
}

// One call at most, so that the collector can take each answer at its instant.
static size_t server_reap(void *path, unsigned worker_i, int64_t deadline_ns) {
  (void)deadline_ns;
  struct sim *sim = path;
  if (sim_server_next_ns(sim) > sim->now_ns || sim_server_next_worker(sim) != worker_i) return 0;
  struct sim_call call = heap_pop(sim);
  call.request->answered_ns = sim->now_ns;
  if (call.is_expired) {
    call.request->outcome = SP_OUTCOME_DEADLINE;
    call.request->code = 4;
    snprintf(call.request->text, sizeof call.request->text, "Deadline Exceeded");
  } else {
    predict(sim, &call);
  }
  sim->path_env.done(call.request, sim->path_env.context);
  return 1;
}

static void server_request_done(void *path, struct sp_request *request) {
  (void)path;
  struct call_memory *memory = request->impl;
  sp_tensor_done(&memory->input);
  sp_tensor_done(&memory->output);
  free(memory);
}

static void server_close(void *path) {
  (void)path;
}

const struct sp_path_ops sim_server_ops = {
    .name = "sim",
    .is_async = true,
    .open = server_open,
    .request_init = server_request_init,
    .submit = server_submit,
    .reap = server_reap,
    .request_done = server_request_done,
    .close = server_close,
};
