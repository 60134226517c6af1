// The client's half of TensorFlow Serving: is the model there, are its tensors ours, and Predict.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/grpc_describe.h"
#include "rpc/tfs.h"
#include "rpc/tfs_model.h"

// --- Reading a reply ---

static bool read_reply(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                       size_t n_text) {
  struct sp_tfs_predict predict;
  const char *reason;
  if (!sp_tfs_read_reply(reply, &predict, &reason)) return snprintf(text, n_text, "reply: %s", reason), false;
  const struct sp_tfs_tensor *tensor = sp_tfs_find(&predict, output->spec.name);
  if (!tensor) return snprintf(text, n_text, "reply: no output %.64s", output->spec.name), false;
  if (sp_tfs_rows(tensor, &output->spec) != n_rows) {
    char have[64];
    snprintf(text, n_text, "reply: output %.32s is %s", output->spec.name,
             sp_tfs_tensor_text(tensor, have, sizeof have));
    return false;
  }
  if (sp_tfs_read_values(tensor, n_rows * output->row_elements, output->data)) return true;
  snprintf(text, n_text, "reply: output %.64s does not hold as many values as its shape", output->spec.name);
  return false;
}

static bool read_outputs(struct sp_bytes reply, struct sp_signature *signature) {
  struct sp_tfs_predict predict;
  const char *reason;
  if (!sp_tfs_read_reply(reply, &predict, &reason)) return false;
  signature->n_outputs = predict.n_tensors;
  for (size_t i = 0; i < predict.n_tensors; i++) {
    const struct sp_tfs_tensor *tensor = &predict.tensors[i];
    struct sp_tensor_spec *spec = &signature->outputs[i];
    *spec = (struct sp_tensor_spec){.dtype = tensor->dtype, .rank = tensor->rank};
    if (tensor->name.n >= sizeof spec->name) return false;
    if (tensor->name.n) memcpy(spec->name, tensor->name.data, tensor->name.n);
    memcpy(spec->shape, tensor->shape, sizeof spec->shape);
  }
  return true;
}

// --- Is the model there? ---

static enum sp_err fail_unreadable(const struct sp_rpc_env *env, const char *method, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s: its answer to %s cannot be read; does it speak TensorFlow Serving's "
                 "protocol?",
                 env->address, method);
}

// SP_OK too where the server does not know the question: some speak Predict alone.
static enum sp_err check_status(const struct sp_peer *peer, struct sp_rpc_server_facts *server,
                                struct sp_error *error) {
  const struct sp_rpc_env *env = peer->env;
  char model[2 * SP_TFS_MODEL_NAME_BYTES + 32], what[sizeof model + 32], remedy[SP_TFS_MODEL_NAME_BYTES + 96];
  struct sp_tfs_message request =
      sp_tfs_write_status_request(env->model_name, env->model_version, env->version_label);
  struct sp_unary unary;
  sp_describe_ask(peer, SP_TFS_GET_MODEL_STATUS, sp_bytes_of(request.data, request.n), server, &unary);
  free(request.data);
  if (unary.code == GRPC_STATUS_UNIMPLEMENTED) return SP_OK;
  sp_describe_model(env, model, sizeof model);
  if (unary.code != GRPC_STATUS_OK) {
    snprintf(what, sizeof what, "does not serve model %s", model);
    snprintf(remedy, sizeof remedy, "name one it serves, or start servepath model-server --model %s=DIR",
             env->model_name);
    return sp_describe_fail(peer, &unary, what, remedy, error);
  }
  bool is_available = false;
  bool is_read = sp_tfs_read_status_reply(sp_bytes_of(unary.reply, unary.n_reply),
                                          env->version_label ? 0 : env->model_version, &is_available);
  free(unary.reply);
  if (!is_read) return fail_unreadable(env, "GetModelStatus", error);
  if (is_available) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s: model %s is not available yet; wait until it is loaded", env->address,
                 model);
}

static enum sp_err check(const struct sp_rpc_env *env, struct sp_error *error) {
  if (!env->version_label || strlen(env->version_label) < SP_TFS_MODEL_NAME_BYTES) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "model.label: has more than %d bytes; is it a label?",
                 SP_TFS_MODEL_NAME_BYTES - 1);
}

static enum sp_err describe(const struct sp_peer *peer, struct sp_rpc_server_facts *server,
                            struct sp_tensor_spec *output, struct sp_error *error) {
  const struct sp_rpc_env *env = peer->env;
  enum sp_err err = check_status(peer, server, error);
  if (err) return err;
  struct sp_tfs_message request =
      sp_tfs_write_metadata_request(env->model_name, env->model_version, env->version_label);
  struct sp_unary unary;
  sp_describe_ask(peer, SP_TFS_GET_MODEL_METADATA, sp_bytes_of(request.data, request.n), server, &unary);
  free(request.data);
  if (unary.code == GRPC_STATUS_UNIMPLEMENTED)
    return sp_describe_probe(peer, &sp_protocol_tfs, server, output, error);
  if (unary.code != GRPC_STATUS_OK) {
    char what[SP_TFS_MODEL_NAME_BYTES + 64];
    snprintf(what, sizeof what, "does not describe model %s", env->model_name);
    return sp_describe_fail(peer, &unary, what, "is its model loaded?", error);
  }
  struct sp_signature signature;
  const char *reason;
  bool is_read = sp_tfs_read_metadata_reply(sp_bytes_of(unary.reply, unary.n_reply), &signature, &reason);
  free(unary.reply);
  if (!is_read) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s cannot describe model %s: %s", env->address,
                   env->model_name, reason);
  }
  err = sp_signature_check_inputs(env, &signature, error);
  return err ? err : sp_signature_choose_output(env, &signature, output, error);
}

static size_t write_spec(const struct sp_rpc_env *env, const char *output, uint8_t *to) {
  return sp_tfs_write_request_spec(env->model_name, env->model_version, env->version_label, output, to);
}

const struct sp_protocol sp_protocol_tfs = {
    .name = "tfs",
    .predict = SP_TFS_PREDICT,
    .check = check,
    .describe = describe,
    .write_spec = write_spec,
    .write_input_head = sp_tfs_write_input_head,
    .read_reply = read_reply,
    .read_outputs = read_outputs,
};
