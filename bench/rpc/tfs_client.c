// The client's half of TensorFlow Serving: is the model there, are its tensors ours, and Predict.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/library.h"
#include "rpc/protocol.h"
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

// --- Is the model there? ---

static void model_text(const struct sp_rpc_env *env, char *text, size_t n) {
  if (env->model_version) {
    snprintf(text, n, "%s version %llu", env->model_name, (unsigned long long)env->model_version);
  } else {
    snprintf(text, n, "%s", env->model_name);
  }
}

static void read_notes(const struct sp_unary *unary, struct sp_rpc_server_facts *server) {
  snprintf(server->software, sizeof server->software, "%s", sp_unary_note(unary, SP_TFS_NOTE_SOFTWARE));
  snprintf(server->stub, sizeof server->stub, "%s", sp_unary_note(unary, SP_TFS_NOTE_STUB));
  snprintf(server->model_digest, sizeof server->model_digest, "%s",
           sp_unary_note(unary, SP_TFS_NOTE_MODEL_DIGEST));
}

// SP_OK too where the server does not know the question: some speak Predict alone.
static enum sp_err check_status(const struct sp_rpc_env *env, grpc_channel *channel,
                                struct sp_rpc_server_facts *server, struct sp_error *error) {
  char model[SP_TFS_MODEL_NAME_BYTES + 32];
  model_text(env, model, sizeof model);
  struct sp_tfs_message request = sp_tfs_write_status_request(env->model_name, env->model_version);
  struct sp_unary unary;
  sp_channel_call(channel, SP_TFS_GET_MODEL_STATUS, sp_bytes_of(request.data, request.n),
                  env->conf->connect_timeout_ns, &unary);
  free(request.data);
  read_notes(&unary, server);
  if (unary.code == GRPC_STATUS_UNIMPLEMENTED) return SP_OK;
  if (unary.code != GRPC_STATUS_OK) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "model server %s does not serve model %s (%s: %s); name one it serves, or start "
                   "servepath model-server --model %s=DIR",
                   env->address, model, sp_status_name(unary.code), unary.text, env->model_name);
  }
  bool is_available = false;
  bool is_read =
      sp_tfs_read_status_reply(sp_bytes_of(unary.reply, unary.n_reply), env->model_version, &is_available);
  free(unary.reply);
  if (!is_read) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "model server %s: its answer to GetModelStatus cannot be read; does it speak "
                   "TensorFlow Serving's protocol?",
                   env->address);
  }
  if (is_available) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s: model %s is not available yet; wait until it is loaded", env->address,
                 model);
}

// --- Servers without metadata: one prediction of zeros shows the outputs ---

static struct sp_tfs_message zeros_request(const struct sp_rpc_env *env) {
  size_t n = 4 * SP_TFS_MODEL_NAME_BYTES;
  for (size_t i = 0; i < env->n_inputs; i++) {
    n += SP_TFS_HEAD_BYTES + sp_tensor_row_elements(&env->inputs[i]) * sp_dtype_bytes(env->inputs[i].dtype);
  }
  struct sp_tfs_message request = {.data = sp_alloc(n)};
  request.n = sp_tfs_write_request_spec(env->model_name, env->model_version, NULL, request.data);
  for (size_t i = 0; i < env->n_inputs; i++) {
    request.n += sp_tfs_write_input_head(&env->inputs[i], 1, request.data + request.n);
    request.n += sp_tensor_row_elements(&env->inputs[i]) *
                 sp_dtype_bytes(env->inputs[i].dtype); // sp_alloc zeroed them
  }
  return request;
}

static bool signature_of_reply(struct sp_bytes reply, struct sp_signature *signature) {
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

static enum sp_err probe(const struct sp_rpc_env *env, grpc_channel *channel, struct sp_tensor_spec *output,
                         struct sp_error *error) {
  struct sp_tfs_message request = zeros_request(env);
  struct sp_unary unary;
  sp_channel_call(channel, SP_TFS_PREDICT, sp_bytes_of(request.data, request.n),
                  env->conf->connect_timeout_ns, &unary);
  free(request.data);
  if (unary.code != GRPC_STATUS_OK) {
    return sp_fail(
        error, unary.code == GRPC_STATUS_INVALID_ARGUMENT ? SP_ERR_USAGE : SP_ERR_ENVIRONMENT,
        "model server %s does not predict with model %s (%s: %s); check its name and input.tensors",
        env->address, env->model_name, sp_status_name(unary.code), unary.text);
  }
  struct sp_signature signature;
  bool is_read = signature_of_reply(sp_bytes_of(unary.reply, unary.n_reply), &signature);
  free(unary.reply);
  if (is_read) return sp_signature_choose_output(env, &signature, output, error);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "model server %s: its prediction cannot be read; does it speak TensorFlow "
                 "Serving's protocol?",
                 env->address);
}

static enum sp_err describe(const struct sp_rpc_env *env, grpc_channel *channel,
                            struct sp_rpc_server_facts *server, struct sp_tensor_spec *output,
                            struct sp_error *error) {
  enum sp_err err = check_status(env, channel, server, error);
  if (err) return err;
  struct sp_tfs_message request = sp_tfs_write_metadata_request(env->model_name, env->model_version);
  struct sp_unary unary;
  sp_channel_call(channel, SP_TFS_GET_MODEL_METADATA, sp_bytes_of(request.data, request.n),
                  env->conf->connect_timeout_ns, &unary);
  free(request.data);
  if (unary.code == GRPC_STATUS_UNIMPLEMENTED) return probe(env, channel, output, error);
  if (unary.code != GRPC_STATUS_OK) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s does not describe model %s (%s: %s)",
                   env->address, env->model_name, sp_status_name(unary.code), unary.text);
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

const struct sp_protocol sp_protocol_tfs = {
    .name = "tfs",
    .predict = SP_TFS_PREDICT,
    .describe = describe,
    .write_spec = sp_tfs_write_request_spec,
    .write_input_head = sp_tfs_write_input_head,
    .read_reply = read_reply,
};
