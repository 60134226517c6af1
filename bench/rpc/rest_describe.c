// Whether a server's model is ours, asked while connecting; and what statuses and broken transfers mean.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rest.h"

enum sp_outcome sp_rest_status_outcome(int status) {
  if (status >= 200 && status < 300) return SP_OUTCOME_NONE;
  switch (status) {
  case 408:
  case 504: return SP_OUTCOME_DEADLINE;
  case 502:
  case 503: return SP_OUTCOME_UNAVAILABLE;
  default: return status >= 400 && status < 500 ? SP_OUTCOME_REJECTED : SP_OUTCOME_ERROR;
  }
}

enum sp_outcome sp_rest_transfer_outcome(CURLcode ended) {
  switch (ended) {
  case CURLE_OPERATION_TIMEDOUT: return SP_OUTCOME_DEADLINE;
  // What came is not HTTP.
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY: return SP_OUTCOME_MALFORMED;
  case CURLE_OUT_OF_MEMORY: return SP_OUTCOME_ERROR;
  default: return SP_OUTCOME_UNAVAILABLE;
  }
}

// --- One prediction of zeros ---

static struct sp_bytes zeros_body(const struct sp_rest_protocol *protocol, const struct sp_rpc_env *env) {
  struct sp_tensor inputs[SP_TENSORS_MAX];
  const char *output = env->output ? env->output : "";
  for (size_t i = 0; i < env->n_inputs; i++) sp_tensor_init(&inputs[i], &env->inputs[i], 1);
  uint8_t *body = sp_alloc(protocol->body_bound(env->inputs, env->n_inputs, output, 1));
  size_t n = protocol->write_body(inputs, env->n_inputs, output, 1, body);
  for (size_t i = 0; i < env->n_inputs; i++) sp_tensor_done(&inputs[i]);
  return sp_bytes_of(body, n);
}

static enum sp_err fail_probe(const struct sp_rpc_env *env, const struct sp_rest_answer *answer,
                              struct sp_error *error) {
  if (!answer->status) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s gives no prediction with model %s (%s)",
                   env->address, env->model_name, answer->text);
  }
  if (answer->status == 401 || answer->status == 403) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "model server %s lets us not in (HTTP %d: %s); set rpc.token or rpc.metadata",
                   env->address, answer->status, answer->text);
  }
  if (answer->status == 404) {
    return sp_fail(
        error, SP_ERR_ENVIRONMENT,
        "model server %s does not serve model %s (HTTP 404: %s); name a model and version it serves, "
        "or another protocol",
        env->address, env->model_name, answer->text);
  }
  bool is_ours = answer->status == 400 || answer->status == 422;
  return sp_fail(
      error, is_ours ? SP_ERR_USAGE : SP_ERR_ENVIRONMENT,
      "model server %s does not predict with model %s (HTTP %d: %s); check its name and input.tensors",
      env->address, env->model_name, answer->status, answer->text);
}

static enum sp_err probe(const struct sp_rest_protocol *protocol, const struct sp_rpc_env *env,
                         const struct sp_rest_link *link, struct sp_tensor_spec *output,
                         struct sp_error *error) {
  struct sp_bytes body = zeros_body(protocol, env);
  char *path = protocol->predict_path(env);
  struct sp_rest_answer answer;
  sp_rest_ask(link, path, body, env->conf->connect_timeout_ns, &answer);
  free(path);
  free((void *)body.data);
  enum sp_err err = SP_OK;
  if (sp_rest_status_outcome(answer.status) != SP_OUTCOME_NONE) {
    err = fail_probe(env, &answer, error);
  } else {
    struct sp_signature signature = {0};
    char why[120];
    bool is_read = protocol->read_outputs(sp_bytes_of(answer.body, answer.n_body),
                                          env->output ? env->output : "", &signature, why, sizeof why);
    err =
        is_read
            ? sp_signature_choose_output(env, &signature, output, error)
            : sp_fail(
                  error, SP_ERR_ENVIRONMENT,
                  "model server %s: its prediction cannot be read (%s); is that its port, and does it speak "
                  "protocol %s?",
                  env->address, why, env->conf->protocol);
  }
  free(answer.body);
  return err;
}

enum sp_err sp_rest_agree(const struct sp_rest_protocol *protocol, struct sp_rpc_env *env,
                          const struct sp_rest_link *link, struct sp_rpc_server_facts *server,
                          struct sp_tensor_spec *output, struct sp_error *error) {
  struct sp_signature *signature = sp_alloc(sizeof *signature);
  bool is_described = false;
  enum sp_err err = protocol->describe(env, link, server, signature, &is_described, error);
  if (!err && is_described) {
    err = sp_signature_check_inputs(env, signature, error);
    if (!err) err = sp_signature_choose_output(env, signature, output, error);
  } else if (!err) {
    err = probe(protocol, env, link, output, error);
  }
  free(signature);
  return err;
}
