// Which implementation carries a protocol, and the way to it: one indirection per call, start and reap.
#include "rpc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/ops.h"

// A protocol is a line here and a file of its own: struct sp_protocol (protocol.h) or struct sp_rest_protocol (rest.h).
static const struct {
  const char *name;
  const struct sp_rpc_ops *ops;
} protocols[] = {
    {"tfs", &sp_rpc_grpc_ops},
    {"kserve", &sp_rpc_grpc_ops},
    {"tfs-rest", &sp_rpc_rest_ops},
    {"kserve-rest", &sp_rpc_rest_ops},
};
#define N_PROTOCOLS (sizeof protocols / sizeof protocols[0])

const char *sp_rpc_protocol_nth(size_t i) {
  return i < N_PROTOCOLS ? protocols[i].name : NULL;
}

struct sp_rpc_client {
  const struct sp_rpc_ops *ops;
  void *impl;
  struct sp_rpc_call *calls; // all of them, linked
};

struct sp_rpc_call {
  const struct sp_rpc_ops *ops;
  void *impl;
  struct sp_rpc_client *client;
  struct sp_rpc_call *previous, *next;
};

static enum sp_err choose_ops(const char *name, const struct sp_rpc_ops **ops, struct sp_error *error) {
  char known[64] = "";
  for (size_t i = 0, at = 0; i < N_PROTOCOLS; i++) {
    *ops = protocols[i].ops;
    if (strcmp(name, protocols[i].name) == 0) return SP_OK;
    at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", protocols[i].name);
  }
  return sp_fail(error, SP_ERR_USAGE, "protocol: \"%s\" is unknown; use one of: %s", name, known);
}

enum sp_err sp_rpc_client_new(const struct sp_rpc_env *env, struct sp_rpc_client **made,
                              struct sp_tensor_spec *output, struct sp_error *error) {
  SP_ASSERT(env->n_inputs > 0 && env->n_inputs <= SP_TENSORS_MAX && env->max_rows > 0 && env->n_queues > 0);
  const struct sp_rpc_ops *ops;
  enum sp_err err = choose_ops(env->conf->protocol, &ops, error);
  if (err) return err;
  void *impl;
  err = ops->client_new(env, &impl, output, error);
  if (err) return err;
  struct sp_rpc_client *client = sp_alloc(sizeof *client);
  client->ops = ops;
  client->impl = impl;
  *made = client;
  return SP_OK;
}

void sp_rpc_client_free(struct sp_rpc_client *client) {
  if (!client) return;
  client->ops->client_free(client->impl); // with their half of the calls that are left
  for (struct sp_rpc_call *call = client->calls, *next; call; call = next) {
    next = call->next;
    free(call);
  }
  free(client);
}

const struct sp_rpc_server_facts *sp_rpc_client_server(const struct sp_rpc_client *client) {
  return client->ops->server(client->impl);
}

const char *sp_rpc_client_library(const struct sp_rpc_client *client) {
  return client->ops->library();
}

struct sp_rpc_call *sp_rpc_call_new(struct sp_rpc_client *client, unsigned queue_i,
                                    struct sp_tensor ***inputs, const struct sp_tensor **output, void *user) {
  struct sp_rpc_call *call = sp_alloc(sizeof *call);
  call->ops = client->ops;
  call->client = client;
  call->impl = client->ops->call_new(client->impl, queue_i, inputs, output, user);
  call->next = client->calls;
  if (call->next) call->next->previous = call;
  client->calls = call;
  return call;
}

void sp_rpc_call_free(struct sp_rpc_call *call) {
  if (!call) return;
  call->ops->call_free(call->impl);
  if (call->next) call->next->previous = call->previous;
  if (call->previous)
    call->previous->next = call->next;
  else
    call->client->calls = call->next;
  free(call);
}

void sp_rpc_call_start(struct sp_rpc_call *call, size_t n_rows) {
  call->ops->call_start(call->impl, n_rows);
}

size_t sp_rpc_reap(struct sp_rpc_client *client, unsigned queue_i, int64_t deadline_ns, sp_rpc_done done,
                   void *context) {
  return client->ops->reap(client->impl, queue_i, deadline_ns, done, context);
}

void sp_rpc_wake(struct sp_rpc_client *client, unsigned queue_i) {
  client->ops->wake(client->impl, queue_i);
}
