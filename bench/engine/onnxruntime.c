// ONNX Runtime through its C interface, loaded at run time. Its table of functions only grows, so version 21 of the header
// works on any later library.
#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engines.h"
#include "engine/library.h"
#include "engine/tensors.h"

#define API_VERSION 21
#define LOG_NOTHING ORT_LOGGING_LEVEL_FATAL // what goes wrong comes back as a status

// Written under the lock, once; read freely after a load that succeeded.
static struct {
  pthread_mutex_t lock;
  const OrtApi *api;
  char version[32];
} library = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct model {
  const OrtApi *api;
  OrtEnv *env;
  OrtSession *session;
  OrtMemoryInfo *memory;
  const struct sp_model_io *io;
  char *file;
};

struct session {
  const OrtApi *api;
  OrtSession *session;
  size_t n_inputs, n_outputs, max_rows;
  const char *input_names[SP_TENSORS_MAX];
  const char *output_names[SP_TENSORS_MAX];
  OrtValue **values; // for each row count from 1 on: the inputs, then the outputs
};

// ---- the library

static enum sp_err load_library(struct sp_error *error) {
  static const struct sp_engine_library of = {"ONNX Runtime", "SERVEPATH_ONNXRUNTIME", SP_ONNXRUNTIME_DEFAULT,
                                              "libonnxruntime.so", "scripts/setup"};
  void *handle;
  // Builds from 1.29 on send telemetry unless told not to before they are loaded.
  setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  enum sp_err err = sp_engine_library_load(&of, &handle, error);
  if (err) return err;
  // POSIX: an object pointer from dlsym holds a function's address.
  const OrtApiBase *(*get_base)(void) = NULL;
  *(void **)(void *)&get_base = dlsym(handle, "OrtGetApiBase");
  const OrtApiBase *base = get_base ? get_base() : NULL;
  const OrtApi *api = base ? base->GetApi(API_VERSION) : NULL;
  if (!api) {
    return sp_fail(
        error, SP_ERR_ENVIRONMENT,
        "the ONNX Runtime library %s does not offer version %d of its interface; run %s, or name a "
        "copy in %s",
        base ? base->GetVersionString() : "(unknown)", API_VERSION, of.setup, of.variable);
  }
  snprintf(library.version, sizeof library.version, "%s", base->GetVersionString());
  library.api = api;
  return SP_OK;
}

static enum sp_err onnxruntime_load(struct sp_error *error) {
  enum sp_err err = SP_OK;
  pthread_mutex_lock(&library.lock);
  if (!library.api) err = load_library(error);
  pthread_mutex_unlock(&library.lock);
  return err;
}

static const char *onnxruntime_version(void) {
  return library.api ? library.version : NULL;
}

// Turns a status into an error that begins with `what`; frees the status.
static enum sp_err failed(const OrtApi *api, OrtStatus *status, enum sp_err code, const char *what,
                          const char *remedy, struct sp_error *error) {
  if (!status) return SP_OK;
  const char *message = api->GetErrorMessage(status);
  int n = (int)strcspn(message, "\n");
  sp_fail(error, code, "%s (ONNX Runtime: %.*s)%s", what, n > 300 ? 300 : n, message, remedy);
  api->ReleaseStatus(status);
  return code;
}

// ---- a model's inputs and outputs

static enum sp_dtype dtype_of(ONNXTensorElementDataType type) {
  switch (type) {
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return SP_DTYPE_FLOAT32;
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: return SP_DTYPE_FLOAT64;
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32: return SP_DTYPE_INT32;
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: return SP_DTYPE_INT64;
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: return SP_DTYPE_UINT8;
  case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL: return SP_DTYPE_BOOL;
  default: return SP_DTYPE_NONE;
  }
}

static ONNXTensorElementDataType type_of(enum sp_dtype dtype) {
  switch (dtype) {
  case SP_DTYPE_FLOAT32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  case SP_DTYPE_FLOAT64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
  case SP_DTYPE_INT32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
  case SP_DTYPE_INT64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  case SP_DTYPE_UINT8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
  case SP_DTYPE_BOOL: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
  case SP_DTYPE_NONE:
  case SP_DTYPE_COUNT: break;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

// What the model says of one tensor; dtype NONE where it is no tensor, or one of another element type.
static OrtStatus *read_type(const OrtApi *api, const OrtTypeInfo *type, struct sp_model_tensor *tensor) {
  const OrtTensorTypeAndShapeInfo *info = NULL;
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  OrtStatus *status = api->CastTypeInfoToTensorInfo(type, &info);
  if (status || !info) return status;
  status = api->GetTensorElementType(info, &element);
  if (!status) status = api->GetDimensionsCount(info, &tensor->rank);
  if (status || tensor->rank > SP_TENSOR_RANK_MAX) return status;
  tensor->dtype = dtype_of(element);
  return api->GetDimensions(info, tensor->shape, tensor->rank);
}

static OrtStatus *read_tensor(const struct model *model, bool is_input, size_t i, OrtAllocator *allocator,
                              char **name, struct sp_model_tensor *tensor) {
  const OrtApi *api = model->api;
  OrtTypeInfo *type = NULL;
  OrtStatus *status = is_input ? api->SessionGetInputName(model->session, i, allocator, name)
                               : api->SessionGetOutputName(model->session, i, allocator, name);
  if (!status) {
    status = is_input ? api->SessionGetInputTypeInfo(model->session, i, &type)
                      : api->SessionGetOutputTypeInfo(model->session, i, &type);
  }
  if (!status) status = read_type(api, type, tensor);
  if (type) api->ReleaseTypeInfo(type);
  tensor->name = *name;
  return status;
}

static enum sp_err read_one(const struct model *model, bool is_input, size_t i, struct sp_model_io *io,
                            struct sp_error *error) {
  struct sp_model_tensor tensor = {.dtype = SP_DTYPE_NONE};
  OrtAllocator *allocator;
  char *name = NULL;
  OrtStatus *status = model->api->GetAllocatorWithDefaultOptions(&allocator);
  if (!status) status = read_tensor(model, is_input, i, allocator, &name, &tensor);
  enum sp_err err = failed(model->api, status, SP_ERR_ENVIRONMENT, model->file, "", error);
  if (!err && is_input) err = sp_model_add_input(io, &tensor, model->file, error);
  if (!err && !is_input) sp_model_add_output(io, &tensor);
  if (name) failed(model->api, model->api->AllocatorFree(allocator, name), SP_ERR_INTERNAL, "", "", NULL);
  return err;
}

static enum sp_err read_io(const struct model *model, struct sp_model_io *io, struct sp_error *error) {
  size_t n_inputs = 0, n_outputs = 0;
  OrtStatus *status = model->api->SessionGetInputCount(model->session, &n_inputs);
  if (!status) status = model->api->SessionGetOutputCount(model->session, &n_outputs);
  enum sp_err err = failed(model->api, status, SP_ERR_ENVIRONMENT, model->file, "", error);
  for (size_t i = 0; !err && i < n_inputs; i++) err = read_one(model, true, i, io, error);
  for (size_t i = 0; !err && i < n_outputs; i++) err = read_one(model, false, i, io, error);
  if (!err) err = sp_model_check_outputs(io, model->file, error);
  return err;
}

// ---- a model

static void onnxruntime_close(void *opaque) {
  struct model *model = opaque;
  if (model->memory) model->api->ReleaseMemoryInfo(model->memory);
  if (model->session) model->api->ReleaseSession(model->session);
  if (model->env) model->api->ReleaseEnv(model->env);
  free(model->file);
  free(model);
}

static OrtStatus *set_options(const OrtApi *api, const struct sp_engine_conf *conf,
                              OrtSessionOptions *options) {
  OrtStatus *status = api->SetIntraOpNumThreads(options, (int)conf->intra_threads);
  if (!status) status = api->SetInterOpNumThreads(options, 1);
  if (!status) status = api->SetSessionExecutionMode(options, ORT_SEQUENTIAL);
  if (!status) status = api->SetSessionLogSeverityLevel(options, LOG_NOTHING);
  // Idle threads of the pool must not burn the cores that the measurement is about.
  if (!status) status = api->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0");
  if (!status) status = api->AddSessionConfigEntry(options, "session.inter_op.allow_spinning", "0");
  return status;
}

static OrtStatus *open_session(struct model *model, const struct sp_engine_conf *conf) {
  const OrtApi *api = model->api;
  OrtSessionOptions *options = NULL;
  OrtStatus *status = api->CreateEnv(LOG_NOTHING, "servepath", &model->env);
  if (!status) status = api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &model->memory);
  if (!status) status = api->CreateSessionOptions(&options);
  if (!status) status = set_options(api, conf, options);
  if (!status) status = api->CreateSession(model->env, model->file, options, &model->session);
  if (options) api->ReleaseSessionOptions(options);
  return status;
}

static enum sp_err onnxruntime_open(const struct sp_engine_conf *conf, const char *file, void **opaque,
                                    struct sp_model_io *io, struct sp_error *error) {
  enum sp_err err = onnxruntime_load(error);
  if (err) return err;
  struct model *model = sp_alloc(sizeof *model);
  char what[4200];
  model->api = library.api;
  model->io = io;
  model->file = sp_copy_text(file);
  snprintf(what, sizeof what, "cannot load model %s", file);
  err = failed(model->api, open_session(model, conf), SP_ERR_ENVIRONMENT, what,
               "; restore the file, or train the model again", error);
  if (!err) err = read_io(model, io, error);
  if (err) {
    onnxruntime_close(model);
    return err;
  }
  *opaque = model;
  return SP_OK;
}

// ---- a session: values for every number of rows, all on the same buffers

static void onnxruntime_session_free(void *opaque) {
  struct session *session = opaque;
  size_t n = (session->n_inputs + session->n_outputs) * session->max_rows;
  for (size_t i = 0; i < n; i++) {
    if (session->values[i]) session->api->ReleaseValue(session->values[i]);
  }
  free(session->values);
  free(session);
}

static OrtStatus *make_value(const struct model *model, const struct sp_tensor *tensor, size_t n_rows,
                             OrtValue **value) {
  int64_t shape[SP_TENSOR_RANK_MAX];
  memcpy(shape, tensor->spec.shape, sizeof shape);
  shape[0] = (int64_t)n_rows;
  size_t n_bytes = n_rows * tensor->row_elements * sp_dtype_bytes(tensor->spec.dtype);
  return model->api->CreateTensorWithDataAsOrtValue(model->memory, tensor->data, n_bytes, shape,
                                                    tensor->spec.rank, type_of(tensor->spec.dtype), value);
}

static enum sp_err onnxruntime_session_new(void *opaque, size_t max_rows, const struct sp_tensor *inputs,
                                           const struct sp_tensor *outputs, void **result,
                                           struct sp_error *error) {
  struct model *model = opaque;
  struct session *session = sp_alloc(sizeof *session);
  session->api = model->api;
  session->session = model->session;
  session->n_inputs = model->io->n_inputs;
  session->n_outputs = model->io->n_outputs;
  session->max_rows = max_rows;
  session->values = sp_alloc((session->n_inputs + session->n_outputs) * max_rows * sizeof(OrtValue *));
  for (size_t i = 0; i < session->n_inputs; i++) session->input_names[i] = inputs[i].spec.name;
  for (size_t i = 0; i < session->n_outputs; i++) session->output_names[i] = outputs[i].spec.name;
  OrtStatus *status = NULL;
  OrtValue **value = session->values;
  for (size_t n = 1; n <= max_rows; n++) {
    for (size_t i = 0; !status && i < session->n_inputs; i++)
      status = make_value(model, &inputs[i], n, value++);
    for (size_t i = 0; !status && i < session->n_outputs; i++)
      status = make_value(model, &outputs[i], n, value++);
  }
  enum sp_err err = failed(model->api, status, SP_ERR_INTERNAL, model->file, "", error);
  if (err) {
    onnxruntime_session_free(session);
    return err;
  }
  *result = session;
  return SP_OK;
}

static enum sp_err onnxruntime_run(void *opaque, size_t n_rows, struct sp_error *error) {
  struct session *session = opaque;
  OrtValue **inputs = session->values + (n_rows - 1) * (session->n_inputs + session->n_outputs);
  OrtStatus *status = session->api->Run(
      session->session, NULL, session->input_names, (const OrtValue *const *)inputs, session->n_inputs,
      session->output_names, session->n_outputs, inputs + session->n_inputs);
  if (__builtin_expect(!status, 1)) return SP_OK;
  return failed(session->api, status, SP_ERR_FAILED, "the model cannot be run on this input", "", error);
}

static const char *const model_files[] = {"model.onnx", NULL};

const struct sp_engine_ops sp_engine_onnxruntime_ops = {
    .name = "onnxruntime",
    .model_files = model_files,
    .load = onnxruntime_load,
    .open = onnxruntime_open,
    .session_new = onnxruntime_session_new,
    .run = onnxruntime_run,
    .session_free = onnxruntime_session_free,
    .close = onnxruntime_close,
    .library_version = onnxruntime_version,
};
