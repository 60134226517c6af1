// Asking servers over gRPC.
#include "rpc/grpc_describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/library.h"
#include "rpc/tfs_model.h"

static void take_note(const struct sp_unary *unary, const char *key, char *text, size_t n) {
  const char *note = sp_unary_note(unary, key);
  if (*note) snprintf(text, n, "%s", note);
}

void sp_describe_ask(const struct sp_peer *peer, const char *method, struct sp_bytes request,
                     struct sp_rpc_server_facts *server, struct sp_unary *unary) {
  sp_channel_call(peer->channel, peer->link, method, request, peer->env->conf->connect_timeout_ns, unary);
  take_note(unary, SP_TFS_NOTE_SOFTWARE, server->software, sizeof server->software);
  take_note(unary, SP_TFS_NOTE_STUB, server->stub, sizeof server->stub);
  take_note(unary, SP_TFS_NOTE_MODEL_DIGEST, server->model_digest, sizeof server->model_digest);
}

enum sp_err sp_describe_fail(const struct sp_peer *peer, const struct sp_unary *unary, const char *what,
                             const char *remedy, struct sp_error *error) {
  char protocol[160];
  switch (unary->code) {
  case GRPC_STATUS_UNAUTHENTICATED:
  case GRPC_STATUS_PERMISSION_DENIED:
    what = "lets nobody call who does not say who he is";
    remedy = peer->link->n_metadata ? "is rpc.token (or what rpc.metadata says) the right one?"
                                    : "give rpc.token, as @FILE or $NAME";
    break;
  case GRPC_STATUS_UNIMPLEMENTED:
    snprintf(protocol, sizeof protocol, "does it speak protocol %s?", peer->env->conf->protocol);
    remedy = protocol;
    break;
  default: break;
  }
  return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s %s (%s: %s); %s", peer->env->address, what,
                 sp_status_name(unary->code), unary->text, remedy);
}

static size_t input_bytes(const struct sp_tensor_spec *spec) {
  return sp_tensor_row_elements(spec) * sp_dtype_bytes(spec->dtype);
}

static uint8_t *zeros_request(const struct sp_rpc_env *env, const struct sp_protocol *protocol, size_t *n) {
  size_t room = SP_PROTOCOL_SPEC_BYTES;
  for (size_t i = 0; i < env->n_inputs; i++) room += SP_PROTOCOL_HEAD_BYTES + input_bytes(&env->inputs[i]);
  uint8_t *request = sp_alloc(room); // zeroed
  *n = protocol->write_spec(env, NULL, request);
  for (size_t i = 0; i < env->n_inputs; i++) {
    *n += protocol->write_input_head(&env->inputs[i], 1, request + *n);
    *n += input_bytes(&env->inputs[i]);
  }
  return request;
}

enum sp_err sp_describe_probe(const struct sp_peer *peer, const struct sp_protocol *protocol,
                              struct sp_rpc_server_facts *server, struct sp_tensor_spec *output,
                              struct sp_error *error) {
  const struct sp_rpc_env *env = peer->env;
  char what[SP_TFS_MODEL_NAME_BYTES + 64];
  snprintf(what, sizeof what, "does not predict with model %s", env->model_name);
  size_t n;
  uint8_t *request = zeros_request(env, protocol, &n);
  struct sp_unary unary;
  sp_describe_ask(peer, protocol->predict, sp_bytes_of(request, n), server, &unary);
  free(request);
  if (unary.code != GRPC_STATUS_OK) {
    sp_describe_fail(peer, &unary, what, "check its name and input.tensors", error);
    if (unary.code != GRPC_STATUS_INVALID_ARGUMENT) return SP_ERR_ENVIRONMENT;
    return error ? (error->code = SP_ERR_USAGE) : SP_ERR_USAGE;
  }
  struct sp_signature signature = {0};
  bool is_read = protocol->read_outputs(sp_bytes_of(unary.reply, unary.n_reply), &signature);
  free(unary.reply);
  if (is_read) return sp_signature_choose_output(env, &signature, output, error);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s: its prediction cannot be read; does it speak protocol %s?", env->address,
                 protocol->name);
}

char *sp_describe_model(const struct sp_rpc_env *env, char *text, size_t n) {
  if (env->version_label) {
    snprintf(text, n, "%s with label %s", env->model_name, env->version_label);
  } else if (env->model_version) {
    snprintf(text, n, "%s version %llu", env->model_name, (unsigned long long)env->model_version);
  } else {
    snprintf(text, n, "%s", env->model_name);
  }
  return text;
}
