// The client's half of the Open Inference Protocol: is the server ready, is the model, are its tensors ours, and ModelInfer.
#include "rpc/kserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "rpc/grpc_describe.h"

#define PAUSE_NS (50 * SP_NS_PER_MS) // between two questions whether it is ready

// --- Reading a reply ---

static bool read_reply(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                       size_t n_text) {
  struct sp_kserve_infer infer;
  const char *reason;
  if (!sp_kserve_read_reply(reply, &infer, &reason))
    return snprintf(text, n_text, "reply: %s", reason), false;
  const struct sp_kserve_tensor *tensor = sp_kserve_find(&infer, output->spec.name);
  if (!tensor) return snprintf(text, n_text, "reply: no output %.64s", output->spec.name), false;
  if (sp_kserve_rows(tensor, &output->spec) != n_rows) {
    char have[64];
    snprintf(text, n_text, "reply: output %.32s is %s", output->spec.name,
             sp_kserve_tensor_text(tensor, have, sizeof have));
    return false;
  }
  if (sp_kserve_read_values(tensor, n_rows * output->row_elements, output->data)) return true;
  snprintf(text, n_text, "reply: output %.64s does not hold as many values as its shape", output->spec.name);
  return false;
}

static bool read_outputs(struct sp_bytes reply, struct sp_signature *signature) {
  struct sp_kserve_infer infer;
  const char *reason;
  if (!sp_kserve_read_reply(reply, &infer, &reason)) return false;
  signature->n_outputs = infer.n_tensors;
  for (size_t i = 0; i < infer.n_tensors; i++) {
    const struct sp_kserve_tensor *tensor = &infer.tensors[i];
    struct sp_tensor_spec *spec = &signature->outputs[i];
    *spec = (struct sp_tensor_spec){.dtype = tensor->dtype, .rank = tensor->rank};
    if (tensor->name.n >= sizeof spec->name) return false;
    if (tensor->name.n) memcpy(spec->name, tensor->name.data, tensor->name.n);
    memcpy(spec->shape, tensor->shape, sizeof spec->shape);
  }
  return true;
}

// --- Is it ready? ---

static enum sp_err check(const struct sp_rpc_env *env, struct sp_error *error) {
  if (!env->version_label) return SP_OK;
  return sp_fail(
      error, SP_ERR_USAGE,
      "model.label: protocol kserve has no version labels; give model.version, or use protocol tfs");
}

static enum sp_err fail_unreadable(const struct sp_peer *peer, const char *method, struct sp_error *error) {
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "model server %s: its answer to %s cannot be read; does it speak the Open Inference Protocol "
      "(KServe v2)?",
      peer->env->address, method);
}

struct question { // whether something is ready
  const char *method, *about, *refusal, *remedy;
  bool is_model;
};

// A model that is unknown is not ready either, in many a server; asked what it is, they tell.
static enum sp_err check_known(const struct sp_peer *peer, const struct question *question,
                               struct sp_bytes request, struct sp_rpc_server_facts *server,
                               struct sp_error *error) {
  if (!question->is_model) return SP_OK;
  struct sp_unary unary;
  sp_describe_ask(peer, SP_KSERVE_MODEL_METADATA, request, server, &unary);
  free(unary.reply);
  if (unary.code != GRPC_STATUS_NOT_FOUND) return SP_OK;
  return sp_describe_fail(peer, &unary, question->refusal, question->remedy, error);
}

// Asks until it says yes, at most connect_timeout from start_ns. SP_OK too where the server does not know the question.
static enum sp_err wait_ready(const struct sp_peer *peer, const struct question *question,
                              struct sp_bytes request, int64_t start_ns, struct sp_rpc_server_facts *server,
                              struct sp_error *error) {
  for (;;) {
    struct sp_unary unary;
    sp_describe_ask(peer, question->method, request, server, &unary);
    if (unary.code == GRPC_STATUS_UNIMPLEMENTED) return SP_OK;
    if (unary.code != GRPC_STATUS_OK)
      return sp_describe_fail(peer, &unary, question->refusal, question->remedy, error);
    bool is_ready;
    bool is_read = sp_kserve_read_flag(sp_bytes_of(unary.reply, unary.n_reply), &is_ready);
    free(unary.reply);
    if (!is_read) return fail_unreadable(peer, strrchr(question->method, '/') + 1, error);
    if (is_ready) return SP_OK;
    enum sp_err err = check_known(peer, question, request, server, error);
    if (err) return err;
    int64_t waited_ns = sp_now_ns() - start_ns;
    if (waited_ns + PAUSE_NS >= peer->env->conf->connect_timeout_ns) {
      return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s: %s is not ready (asked for %.3g s); %s",
                     peer->env->address, question->about, (double)waited_ns / 1e9, question->remedy);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  }
}

static enum sp_err check_ready(const struct sp_peer *peer, struct sp_rpc_server_facts *server,
                               struct sp_error *error) {
  const struct sp_rpc_env *env = peer->env;
  int64_t start_ns = sp_now_ns();
  const struct question whole = {SP_KSERVE_SERVER_READY, "it", "does not say whether it is ready",
                                 "wait until it has started", false};
  enum sp_err err = wait_ready(peer, &whole, sp_bytes_of((const uint8_t *)"", 0), start_ns, server, error);
  if (err) return err;
  char name[SP_KSERVE_NAME_BYTES + 32], about[sizeof name + 8], refusal[sizeof name + 32],
      remedy[SP_KSERVE_NAME_BYTES + 96];
  sp_describe_model(env, name, sizeof name);
  snprintf(about, sizeof about, "model %s", name);
  snprintf(refusal, sizeof refusal, "does not serve model %s", name);
  snprintf(remedy, sizeof remedy, "name one it serves, or start servepath model-server --model %s=DIR",
           env->model_name);
  const struct question model = {SP_KSERVE_MODEL_READY, about, refusal, remedy, true};
  uint8_t request[2 * SP_KSERVE_NAME_BYTES];
  size_t n = sp_kserve_write_model_request(env->model_name, env->model_version, request);
  return wait_ready(peer, &model, sp_bytes_of(request, n), start_ns, server, error);
}

// --- What is it, and are its tensors ours? ---

// Others than ours say what they are in ServerMetadata; those that do not stay unnamed.
static void ask_software(const struct sp_peer *peer, struct sp_rpc_server_facts *server) {
  if (server->software[0]) return;
  struct sp_unary unary;
  sp_describe_ask(peer, SP_KSERVE_SERVER_METADATA, sp_bytes_of((const uint8_t *)"", 0), server, &unary);
  char text[sizeof server->software];
  if (unary.code == GRPC_STATUS_OK && !server->software[0] &&
      sp_kserve_read_server_metadata(sp_bytes_of(unary.reply, unary.n_reply), text, sizeof text)) {
    for (char *at = text; *at; at++) *at = *at >= 0x20 && *at < 0x7f ? *at : '?';
    memcpy(server->software, text, sizeof text);
  }
  free(unary.reply);
}

static enum sp_err describe(const struct sp_peer *peer, struct sp_rpc_server_facts *server,
                            struct sp_tensor_spec *output, struct sp_error *error) {
  const struct sp_rpc_env *env = peer->env;
  enum sp_err err = check_ready(peer, server, error);
  if (err) return err;
  uint8_t request[2 * SP_KSERVE_NAME_BYTES];
  size_t n = sp_kserve_write_model_request(env->model_name, env->model_version, request);
  struct sp_unary unary;
  sp_describe_ask(peer, SP_KSERVE_MODEL_METADATA, sp_bytes_of(request, n), server, &unary);
  ask_software(peer, server);
  if (unary.code == GRPC_STATUS_UNIMPLEMENTED)
    return sp_describe_probe(peer, &sp_protocol_kserve, server, output, error);
  if (unary.code != GRPC_STATUS_OK) {
    char what[SP_KSERVE_NAME_BYTES + 64];
    snprintf(what, sizeof what, "does not describe model %s", env->model_name);
    return sp_describe_fail(peer, &unary, what, "is it loaded?", error);
  }
  struct sp_signature signature;
  const char *reason;
  bool is_read = sp_kserve_read_metadata(sp_bytes_of(unary.reply, unary.n_reply), &signature, &reason);
  free(unary.reply);
  if (!is_read) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s cannot describe model %s: %s", env->address,
                   env->model_name, reason);
  }
  // Some answer for every model with its name alone.
  if (!signature.n_inputs && !signature.n_outputs)
    return sp_describe_probe(peer, &sp_protocol_kserve, server, output, error);
  err = sp_signature_check_inputs(env, &signature, error);
  return err ? err : sp_signature_choose_output(env, &signature, output, error);
}

static size_t write_spec(const struct sp_rpc_env *env, const char *output, uint8_t *to) {
  return sp_kserve_write_request_spec(env->model_name, env->model_version, output, to);
}

const struct sp_protocol sp_protocol_kserve = {
    .name = "kserve",
    .predict = SP_KSERVE_MODEL_INFER,
    .check = check,
    .describe = describe,
    .write_spec = write_spec,
    .write_input_head = sp_kserve_write_input_head,
    .read_reply = read_reply,
    .read_outputs = read_outputs,
};
