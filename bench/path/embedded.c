// Prediction inside the application: each request has an engine session of its own, whose buffers are the request's tensors,
// and a submit runs it on the worker's thread. With model_load per-event a submit loads the model, too, and drops it again, as
// some demos do: its tensors are the request's own, and rows are copied.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "path/ops.h"

struct embedded {
  const struct sp_path_env *env;
  struct sp_engine *engine;
  size_t input_of[SP_TENSORS_MAX]; // env.inputs -> the model's
  size_t output;                   // the model's
};
struct embedded_request {
  struct sp_session *session; // NULL: loaded per event
  struct sp_tensor *by_env[SP_TENSORS_MAX];
  // Only where loaded per event: the model's inputs (its order), and the output.
  struct sp_tensor inputs[SP_TENSORS_MAX];
  struct sp_tensor output;
};

static size_t find(const struct sp_tensor_spec *specs, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(specs[i].name, name) == 0) return i;
  }
  return n;
}

// Every input of the model has a tensor of the decoder, and the other way round.
static enum sp_err match_inputs(struct embedded *embedded, const char *file, struct sp_error *error) {
  const struct sp_path_env *env = embedded->env;
  const struct sp_model_io *io = sp_engine_io(embedded->engine);
  enum sp_err err =
      sp_model_check("input", env->inputs, env->n_inputs, io->inputs, io->n_inputs, file, error);
  if (err) return err;
  for (size_t i = 0; i < env->n_inputs; i++) {
    embedded->input_of[i] = find(io->inputs, io->n_inputs, env->inputs[i].name);
  }
  for (size_t i = 0; i < io->n_inputs; i++) {
    if (find(env->inputs, env->n_inputs, io->inputs[i].name) < env->n_inputs) continue;
    char text[128];
    return sp_fail(error, SP_ERR_USAGE, "%s: nothing fills the input \"%s\" (%s); add it to input.tensors",
                   file, io->inputs[i].name, sp_tensor_spec_text(&io->inputs[i], text, sizeof text));
  }
  return SP_OK;
}

static enum sp_err match_output(struct embedded *embedded, const char *file, struct sp_error *error) {
  const struct sp_model_io *io = sp_engine_io(embedded->engine);
  const char *wanted = embedded->env->output;
  if (!wanted && io->n_outputs > 1) {
    return sp_fail(error, SP_ERR_USAGE, "%s: has %zu outputs (%s, %s%s); name one in output.tensor", file,
                   io->n_outputs, io->outputs[0].name, io->outputs[1].name, io->n_outputs > 2 ? ", ..." : "");
  }
  if (!wanted) return SP_OK; // the engine refuses a model without any
  embedded->output = find(io->outputs, io->n_outputs, wanted);
  if (embedded->output < io->n_outputs) return SP_OK;
  struct sp_tensor_spec spec = {.dtype = SP_DTYPE_NONE};
  strncpy(spec.name, wanted, sizeof spec.name - 1);
  return sp_model_check("output", &spec, 1, io->outputs, io->n_outputs, file, error);
}

static void embedded_close(void *path) {
  struct embedded *embedded = path;
  sp_engine_close(embedded->engine);
  free(embedded);
}

static enum sp_err embedded_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                                 struct sp_error *error) {
  if (!env->version_dir) {
    return sp_fail(error, SP_ERR_USAGE, "path embedded needs a model; set model.name and model.dir");
  }
  struct embedded *embedded = sp_alloc(sizeof *embedded);
  embedded->env = env;
  enum sp_err err = sp_engine_open(env->engine, env->version_dir, &embedded->engine, error);
  const char *file = err ? NULL : sp_engine_model_file(embedded->engine);
  if (!err) err = match_inputs(embedded, file, error);
  if (!err) err = match_output(embedded, file, error);
  if (err) {
    embedded_close(embedded);
    return err;
  }
  *output = sp_engine_io(embedded->engine)->outputs[embedded->output];
  output->shape[0] = 1;
  *path = embedded;
  return SP_OK;
}

static bool loads_per_event(const struct embedded *embedded) {
  return embedded->env->engine->model_load == SP_MODEL_LOAD_PER_EVENT;
}

static void init_own_tensors(const struct embedded *embedded, struct embedded_request *own) {
  const struct sp_model_io *io = sp_engine_io(embedded->engine);
  size_t max_rows = embedded->env->max_rows;
  for (size_t i = 0; i < io->n_inputs; i++) sp_tensor_init(&own->inputs[i], &io->inputs[i], max_rows);
  sp_tensor_init(&own->output, &io->outputs[embedded->output], max_rows);
}

static enum sp_err embedded_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  struct embedded *embedded = path;
  struct embedded_request *own = sp_alloc(sizeof *own);
  // Also where it is loaded per event: what cannot be run is to be known now.
  enum sp_err err = sp_session_new(embedded->engine, embedded->env->max_rows, &own->session, error);
  if (err) {
    free(own);
    return err;
  }
  if (loads_per_event(embedded)) {
    sp_session_free(own->session);
    own->session = NULL;
    init_own_tensors(embedded, own);
  }
  struct sp_tensor *inputs = own->session ? sp_session_inputs(own->session) : own->inputs;
  for (size_t i = 0; i < embedded->env->n_inputs; i++) own->by_env[i] = &inputs[embedded->input_of[i]];
  request->inputs = own->by_env;
  request->output = own->session ? &sp_session_outputs(own->session)[embedded->output] : &own->output;
  request->impl = own;
  return SP_OK;
}

static size_t rows_bytes(const struct sp_tensor *tensor, size_t n_rows) {
  return n_rows * tensor->row_elements * sp_dtype_bytes(tensor->spec.dtype);
}

static enum sp_err load_and_run(const struct embedded *embedded, struct embedded_request *own, size_t n_rows,
                                struct sp_error *error) {
  size_t n_inputs = sp_engine_io(embedded->engine)->n_inputs;
  struct sp_engine *engine = NULL;
  struct sp_session *session = NULL;
  enum sp_err err = sp_engine_open(embedded->env->engine, embedded->env->version_dir, &engine, error);
  if (!err) err = sp_session_new(engine, n_rows, &session, error);
  for (size_t i = 0; !err && i < n_inputs; i++)
    memcpy(sp_session_inputs(session)[i].data, own->inputs[i].data, rows_bytes(&own->inputs[i], n_rows));
  if (!err) err = sp_session_run(session, n_rows, error);
  if (!err)
    memcpy(own->output.data, sp_session_outputs(session)[embedded->output].data,
           rows_bytes(&own->output, n_rows));
  sp_session_free(session);
  sp_engine_close(engine);
  return err;
}

static void embedded_submit(void *path, struct sp_request *request) {
  struct embedded *embedded = path;
  struct embedded_request *own = request->impl;
  struct sp_error error;
  request->dispatched_ns = sp_clock_now(embedded->env->clock);
  enum sp_err err = __builtin_expect(own->session != NULL, 1)
                        ? sp_session_run(own->session, request->n_rows, &error)
                        : load_and_run(embedded, own, request->n_rows, &error);
  request->answered_ns = sp_clock_now(embedded->env->clock);
  if (__builtin_expect(err != SP_OK, 0)) {
    request->outcome = SP_OUTCOME_ERROR;
    request->code = (int)err;
    snprintf(request->text, sizeof request->text, "%.119s", error.text);
  }
  embedded->env->done(request, embedded->env->context);
}

static void embedded_request_done(void *path, struct sp_request *request) {
  struct embedded *embedded = path;
  struct embedded_request *own = request->impl;
  if (!own->session) {
    for (size_t i = 0; i < sp_engine_io(embedded->engine)->n_inputs; i++) sp_tensor_done(&own->inputs[i]);
    sp_tensor_done(&own->output);
  }
  sp_session_free(own->session);
  free(own);
}

static const char *embedded_library(const void *path) {
  const struct embedded *embedded = path;
  return sp_engine_library(embedded->engine);
}

const struct sp_path_ops sp_path_embedded_ops = {
    .name = "embedded",
    .open = embedded_open,
    .request_init = embedded_request_init,
    .submit = embedded_submit,
    .request_done = embedded_request_done,
    .close = embedded_close,
    .library = embedded_library,
};
