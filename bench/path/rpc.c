// Prediction by a model server: each request is a reusable call of rpc/, issued by the worker, completed by the worker's
// completion thread; or, where rpc.sync asks for it, by the worker itself before it does anything else.
#include <stdlib.h>
#include <string.h>

#include "path/ops.h"
#include "rpc/rpc.h"

struct rpc {
  const struct sp_path_env *env;
  struct sp_rpc_client *client;
  bool is_sync;
};

static void rpc_close(void *path) {
  struct rpc *rpc = path;
  sp_rpc_client_free(rpc->client);
  free(rpc);
}

static enum sp_err rpc_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                            struct sp_error *error) {
  if (!env->server_address) {
    return sp_fail(error, SP_ERR_USAGE,
                   "path rpc needs a model server; set server to spawn, HOST:PORT or unix:PATH");
  }
  struct sp_rpc_env of = {
      .conf = env->rpc,
      .address = env->server_address,
      .model_name = env->model_name,
      .model_version = env->model_version,
      .version_label = env->version_label,
      .inputs = env->inputs,
      .n_inputs = env->n_inputs,
      .output = env->output,
      .max_rows = env->max_rows,
      .n_queues = env->n_workers,
  };
  struct rpc *rpc = sp_alloc(sizeof *rpc);
  rpc->env = env;
  rpc->is_sync = env->rpc->link.sync;
  enum sp_err err = sp_rpc_client_new(&of, &rpc->client, output, error);
  if (err)
    rpc_close(rpc);
  else
    *path = rpc;
  return err;
}

static enum sp_err rpc_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  (void)error;
  struct rpc *rpc = path;
  request->impl =
      sp_rpc_call_new(rpc->client, request->worker_i, &request->inputs, &request->output, request);
  return SP_OK;
}

static void finish(void *user, const struct sp_rpc_result *result, void *context) {
  const struct rpc *rpc = context;
  struct sp_request *request = user;
  request->dispatched_ns = result->issued_ns;
  request->answered_ns = result->answered_ns;
  request->server_ns = result->server_ns;
  if (__builtin_expect(result->outcome != SP_OUTCOME_NONE, 0)) {
    request->outcome = result->outcome;
    request->code = result->code;
    memcpy(request->text, result->text, sizeof request->text);
  }
  rpc->env->done(request, rpc->env->context);
}
_Static_assert(sizeof((struct sp_request *)0)->text == sizeof((struct sp_rpc_result *)0)->text,
               "texts are copied whole");

static void rpc_submit(void *path, struct sp_request *request) {
  struct rpc *rpc = path;
  sp_rpc_call_start(request->impl, request->n_rows);
  if (!rpc->is_sync) return;
  // A worker has one request under way: the first completion is its own. The call's deadline ends the wait.
  while (!sp_rpc_reap(rpc->client, request->worker_i, INT64_MAX, finish, rpc)) {
  }
}

static bool rpc_waits(const void *path) {
  const struct rpc *rpc = path;
  return rpc->is_sync;
}

static size_t rpc_reap(void *path, unsigned worker_i, int64_t deadline_ns) {
  struct rpc *rpc = path;
  return sp_rpc_reap(rpc->client, worker_i, deadline_ns, finish, rpc);
}

static void rpc_wake(void *path, unsigned worker_i) {
  struct rpc *rpc = path;
  sp_rpc_wake(rpc->client, worker_i);
}

static void rpc_request_done(void *path, struct sp_request *request) {
  (void)path;
  sp_rpc_call_free(request->impl);
}

static const char *rpc_library(const void *path) {
  const struct rpc *rpc = path;
  return sp_rpc_client_library(rpc->client);
}

static const struct sp_rpc_server_facts *rpc_server_facts(const void *path) {
  const struct rpc *rpc = path;
  return sp_rpc_client_server(rpc->client);
}

const struct sp_path_ops sp_path_rpc_ops = {
    .name = "rpc",
    .is_async = true,
    .waits = rpc_waits,
    .open = rpc_open,
    .request_init = rpc_request_init,
    .submit = rpc_submit,
    .reap = rpc_reap,
    .wake = rpc_wake,
    .request_done = rpc_request_done,
    .close = rpc_close,
    .library = rpc_library,
    .server_facts = rpc_server_facts,
};
