// OpenVINO through its C interface, loaded at run time: ONNX files, TensorFlow SavedModels and TFLite files as they are.
// One row is what a stream sends most, and a graph of fixed shape runs a third faster than one of any number of rows: a model
// is compiled for one row, and a second time for any number once a session asks for more.
#include <dlfcn.h>
#include <openvino/c/ov_core.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engines.h"
#include "engine/library.h"
#include "engine/tensors.h"
#include "engine/tflite.h"

// The release whose header stands in third_party/: the numbers of its element types are not those of others.
#define RELEASE "2026.4."
#define DEVICE  "CPU"

// clang-format off
#define FUNCTIONS(f) \
  f(get_openvino_version) f(version_free) f(get_last_err_msg) f(free) f(core_create) f(core_read_model) \
  f(core_compile_model) f(model_free) f(model_inputs_size) f(model_outputs_size) f(model_const_input_by_index) \
  f(model_const_output_by_index) f(model_reshape_by_port_indexes) f(port_get_any_name) f(port_get_partial_shape) \
  f(port_get_element_type) f(output_const_port_free) f(partial_shape_create) f(partial_shape_free) \
  f(compiled_model_create_infer_request) f(compiled_model_free) f(infer_request_set_input_tensor_by_index) \
  f(infer_request_set_output_tensor_by_index) f(infer_request_infer) f(infer_request_free) f(shape_create) f(shape_free) \
  f(tensor_create_from_host_ptr) f(tensor_free)
// clang-format on

struct functions {
#define MEMBER(name) __typeof__(ov_##name) *name;
  FUNCTIONS(MEMBER)
#undef MEMBER
};

// Written under the lock, once; read freely after a load that succeeded. The core stays, with the threads that it has.
static struct {
  pthread_mutex_t lock;
  bool is_loaded;
  struct functions ov;
  ov_core_t *core;
  char version[32];
} library = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct model {
  char *file;
  const char *path; // what OpenVINO reads: the file, or the folder of a SavedModel
  char *folder;     // of a SavedModel, freed
  uint64_t n_threads;
  const struct sp_model_io *io;
  size_t output_ports[SP_TENSORS_MAX]; // io's outputs -> the model's
  pthread_mutex_t lock;                // of for_any_rows
  ov_compiled_model_t *for_one_row;
  ov_compiled_model_t *for_any_rows; // NULL until a session needs it
};

struct session {
  size_t n_tensors, max_rows; // inputs and outputs
  size_t n_inputs;
  const size_t *output_ports;
  ov_infer_request_t *for_one_row;  // its tensors stay set
  ov_infer_request_t *for_any_rows; // NULL where max_rows is 1
  size_t n_rows_set;                // on for_any_rows
  ov_tensor_t **tensors;            // for each row count from 1 on: the inputs, then the outputs
};

// ---- the library

static enum sp_err check_release(struct sp_error *error) {
  ov_version_t version = {0};
  if (library.ov.get_openvino_version(&version) == OK && version.buildNumber)
    snprintf(library.version, sizeof library.version, "%.*s", (int)strcspn(version.buildNumber, "-"),
             version.buildNumber);
  library.ov.version_free(&version);
  if (strncmp(library.version, RELEASE, strlen(RELEASE)) == 0) return SP_OK;
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "the OpenVINO library is version %s, and only " RELEASE
      "x has the interface that this build knows; run scripts/setup --openvino, or name such a copy "
      "in SERVEPATH_OPENVINO",
      library.version[0] ? library.version : "(unknown)");
}

static enum sp_err load_library(struct sp_error *error) {
  static const struct sp_engine_library of = {"OpenVINO", "SERVEPATH_OPENVINO", SP_OPENVINO_DEFAULT,
                                              "libopenvino_c.so", "scripts/setup --openvino"};
  void *handle;
  enum sp_err err = sp_engine_library_load(&of, &handle, error);
  if (err) return err;
  const char *missing = NULL;
  // POSIX: an object pointer from dlsym holds a function's address.
#define RESOLVE(name)                                                                                        \
  *(void **)(void *)&library.ov.name = dlsym(handle, "ov_" #name);                                           \
  if (!library.ov.name) missing = "ov_" #name;
  FUNCTIONS(RESOLVE)
#undef RESOLVE
  if (missing) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "the OpenVINO library has no function %s; run %s, or name another copy in %s", missing,
                   of.setup, of.variable);
  }
  err = check_release(error);
  if (!err && library.ov.core_create(&library.core) != OK)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "OpenVINO cannot be started; run %s again", of.setup);
  library.is_loaded = !err;
  return err;
}

static enum sp_err openvino_load(struct sp_error *error) {
  enum sp_err err = SP_OK;
  pthread_mutex_lock(&library.lock);
  if (!library.is_loaded) err = load_library(error);
  pthread_mutex_unlock(&library.lock);
  return err;
}

static const char *openvino_version(void) {
  return library.is_loaded ? library.version : NULL;
}

// A line of OpenVINO's message that tells a user nothing.
static bool is_noise(const char *line) {
  static const char *const starts[] = {"Exception from ", "Check '", "FrontEnd API failed",
                                       "Summary:",        "\n",      ""};
  for (size_t i = 0; *starts[i]; i++) {
    if (strncmp(line, starts[i], strlen(starts[i])) == 0) return true;
  }
  return false;
}

// The lines that say something, as one.
static void join_lines(const char *message, char *text, size_t n_text) {
  size_t used = 0;
  text[0] = 0;
  for (const char *line = message; *line && used + 1 < n_text;
       line += strcspn(line, "\n"), line += *line == '\n') {
    if (is_noise(line)) continue;
    int n = snprintf(text + used, n_text - used, "%s%.*s", used ? " " : "", (int)strcspn(line, "\n"), line);
    used += (size_t)n;
  }
}

// Turns a status into an error that begins with `what`.
static enum sp_err failed(ov_status_e status, enum sp_err code, const char *what, const char *remedy,
                          struct sp_error *error) {
  if (status == OK) return SP_OK;
  char text[400];
  const char *message = library.ov.get_last_err_msg();
  join_lines(message ? message : "no reason given", text, sizeof text);
  if (message) library.ov.free(message);
  return sp_fail(error, code, "%s (OpenVINO: %s)%s", what, text, remedy);
}

// A model that cannot be converted is whole, but not for this engine.
static enum sp_err failed_to_read(ov_status_e status, const char *file, struct sp_error *error) {
  char what[4200];
  struct sp_error why;
  snprintf(what, sizeof what, "cannot load model %s", file);
  if (!failed(status, SP_ERR_ENVIRONMENT, what, "; restore the file, or train the model again", &why))
    return SP_OK;
  const char *lacking = strstr(why.text, "No conversion rule found for operations: ");
  if (!lacking) return sp_fail(error, why.code, "%s", why.text);
  lacking = strchr(lacking, ':') + 2;
  return sp_fail(error, SP_ERR_USAGE,
                 "%s has operators that OpenVINO does not run: %.*s; use engine onnxruntime for this model",
                 file, (int)strcspn(lacking, ")"), lacking);
}

// ---- a model's inputs and outputs

static const struct {
  ov_element_type_e type;
  enum sp_dtype dtype;
} types[] = {{F32, SP_DTYPE_FLOAT32}, {F64, SP_DTYPE_FLOAT64}, {I32, SP_DTYPE_INT32},
             {I64, SP_DTYPE_INT64},   {U8, SP_DTYPE_UINT8},    {BOOLEAN, SP_DTYPE_BOOL}};
#define N_TYPES (sizeof types / sizeof types[0])

static enum sp_dtype dtype_of(ov_element_type_e type) {
  for (size_t i = 0; i < N_TYPES; i++) {
    if (types[i].type == type) return types[i].dtype;
  }
  return SP_DTYPE_NONE;
}

static ov_element_type_e type_of(enum sp_dtype dtype) {
  for (size_t i = 0; i < N_TYPES; i++) {
    if (types[i].dtype == dtype) return types[i].type;
  }
  return DYNAMIC;
}

static ov_status_e read_shape(const ov_output_const_port_t *port, struct sp_model_tensor *tensor) {
  ov_partial_shape_t shape;
  ov_status_e status = library.ov.port_get_partial_shape(port, &shape);
  if (status != OK) return status;
  if (shape.rank.min == shape.rank.max && shape.rank.min > 0) tensor->rank = (size_t)shape.rank.min;
  for (size_t i = 0; i < tensor->rank && i < SP_TENSOR_RANK_MAX; i++)
    tensor->shape[i] = shape.dims[i].min == shape.dims[i].max ? shape.dims[i].min : -1;
  library.ov.partial_shape_free(&shape);
  return OK;
}

static enum sp_err add_tensor(struct model *model, bool is_input, size_t port_i,
                              const struct sp_tflite *tflite, const ov_output_const_port_t *port,
                              struct sp_model_io *io, struct sp_error *error) {
  struct sp_model_tensor tensor = {.dtype = SP_DTYPE_NONE};
  ov_element_type_e type = DYNAMIC;
  char *name = NULL, number[32];
  enum sp_err err = SP_OK;
  ov_status_e status = library.ov.port_get_element_type(port, &type);
  if (status == OK) status = read_shape(port, &tensor);
  if (status != OK) return failed(status, SP_ERR_ENVIRONMENT, model->file, "", error);
  tensor.dtype = dtype_of(type);
  // A tensor without a name is known by its place.
  if (library.ov.port_get_any_name(port, &name) != OK) name = NULL;
  snprintf(number, sizeof number, "%s_%zu", is_input ? "input" : "output", port_i);
  const char *friendly = sp_tflite_name(tflite, is_input, name ? name : "");
  tensor.name = friendly ? friendly : name && *name ? name : number;
  if (is_input)
    err = sp_model_add_input(io, &tensor, model->file, error);
  else if (sp_model_add_output(io, &tensor))
    model->output_ports[io->n_outputs - 1] = port_i;
  if (name) library.ov.free(name);
  return err;
}

static enum sp_err read_side(struct model *model, const ov_model_t *graph, bool is_input,
                             const struct sp_tflite *tflite, struct sp_model_io *io, struct sp_error *error) {
  size_t n = 0;
  ov_status_e status =
      is_input ? library.ov.model_inputs_size(graph, &n) : library.ov.model_outputs_size(graph, &n);
  enum sp_err err = failed(status, SP_ERR_ENVIRONMENT, model->file, "", error);
  for (size_t i = 0; !err && i < n; i++) {
    ov_output_const_port_t *port = NULL;
    status = is_input ? library.ov.model_const_input_by_index(graph, i, &port)
                      : library.ov.model_const_output_by_index(graph, i, &port);
    err = failed(status, SP_ERR_ENVIRONMENT, model->file, "", error);
    if (!err) err = add_tensor(model, is_input, i, tflite, port, io, error);
    if (port) library.ov.output_const_port_free(port);
  }
  return err;
}

static enum sp_err read_io(struct model *model, const ov_model_t *graph, struct sp_model_io *io,
                           struct sp_error *error) {
  struct sp_tflite *tflite = sp_tflite_read(model->file); // NULL for the other formats
  enum sp_err err = read_side(model, graph, true, tflite, io, error);
  if (!err) err = read_side(model, graph, false, tflite, io, error);
  if (!err) err = sp_model_check_outputs(io, model->file, error);
  sp_tflite_free(tflite);
  return err;
}

// ---- a model

static ov_status_e fix_to_one_row(const struct model *model, const ov_model_t *graph) {
  const struct sp_model_io *io = model->io;
  size_t ports[SP_TENSORS_MAX], n = 0;
  ov_partial_shape_t shapes[SP_TENSORS_MAX];
  ov_status_e status = OK;
  while (status == OK && n < io->n_inputs) {
    const struct sp_tensor_spec *spec = &io->inputs[n];
    ov_dimension_t sizes[SP_TENSOR_RANK_MAX] = {{1, 1}};
    for (uint32_t k = 1; k < spec->rank; k++) sizes[k] = (ov_dimension_t){spec->shape[k], spec->shape[k]};
    ports[n] = n;
    status = library.ov.partial_shape_create(spec->rank, sizes, &shapes[n]);
    if (status == OK) n++;
  }
  if (status == OK) status = library.ov.model_reshape_by_port_indexes(graph, ports, shapes, n);
  for (size_t i = 0; i < n; i++) library.ov.partial_shape_free(&shapes[i]);
  return status;
}

// Full precision, so that engines can be compared; threads stay where the application's placement puts them; nothing of one
// run is kept for the next. In 2026.4.1 the pass that generates kernels ("snippets") crashes on TFLite graphs of fixed shape.
static enum sp_err compile(const struct model *model, const ov_model_t *graph, ov_compiled_model_t **compiled,
                           struct sp_error *error) {
  char n_threads[24];
  bool is_tflite = strcmp(strrchr(model->file, '/'), "/model.tflite") == 0;
  snprintf(n_threads, sizeof n_threads, "%llu", (unsigned long long)model->n_threads);
  ov_status_e status = library.ov.core_compile_model(
      library.core, graph, DEVICE, 14, compiled, "INFERENCE_NUM_THREADS", n_threads, "NUM_STREAMS", "1",
      "ENABLE_CPU_PINNING", "NO", "PERFORMANCE_HINT", "LATENCY", "INFERENCE_PRECISION_HINT", "f32",
      "CACHE_DIR", "", "SNIPPETS_MODE", is_tflite ? "DISABLE" : "ENABLE");
  return failed_to_read(status, model->file, error);
}

static void openvino_close(void *opaque) {
  struct model *model = opaque;
  if (model->for_one_row) library.ov.compiled_model_free(model->for_one_row);
  if (model->for_any_rows) library.ov.compiled_model_free(model->for_any_rows);
  pthread_mutex_destroy(&model->lock);
  free(model->file);
  free(model->folder);
  free(model);
}

static struct model *model_new(const struct sp_engine_conf *conf, const char *file,
                               const struct sp_model_io *io) {
  struct model *model = sp_alloc(sizeof *model);
  const char *name = strrchr(file, '/');
  model->file = sp_copy_text(file);
  if (strcmp(name, "/saved_model.pb") == 0) model->folder = sp_format("%.*s", (int)(name - file), file);
  model->path = model->folder ? model->folder : model->file;
  model->n_threads = conf->intra_threads;
  model->io = io;
  pthread_mutex_init(&model->lock, NULL);
  return model;
}

static enum sp_err openvino_open(const struct sp_engine_conf *conf, const char *file, void **opaque,
                                 struct sp_model_io *io, struct sp_error *error) {
  enum sp_err err = openvino_load(error);
  if (err) return err;
  struct model *model = model_new(conf, file, io);
  ov_model_t *graph = NULL;
  err = failed_to_read(library.ov.core_read_model(library.core, model->path, NULL, &graph), file, error);
  if (!err) err = read_io(model, graph, io, error);
  if (!err) err = failed_to_read(fix_to_one_row(model, graph), file, error);
  if (!err) err = compile(model, graph, &model->for_one_row, error);
  if (graph) library.ov.model_free(graph);
  if (err) {
    openvino_close(model);
    return err;
  }
  *opaque = model;
  return SP_OK;
}

// Compiles the model for any number of rows unless it is already.
static enum sp_err need_any_rows(struct model *model, struct sp_error *error) {
  enum sp_err err = SP_OK;
  pthread_mutex_lock(&model->lock);
  if (!model->for_any_rows) {
    ov_model_t *graph = NULL;
    err = failed_to_read(library.ov.core_read_model(library.core, model->path, NULL, &graph), model->file,
                         error);
    if (!err) err = compile(model, graph, &model->for_any_rows, error);
    if (graph) library.ov.model_free(graph);
  }
  pthread_mutex_unlock(&model->lock);
  return err;
}

// ---- a session: tensors for every number of rows, all on the same buffers

static void openvino_session_free(void *opaque) {
  struct session *session = opaque;
  if (session->for_one_row) library.ov.infer_request_free(session->for_one_row);
  if (session->for_any_rows) library.ov.infer_request_free(session->for_any_rows);
  for (size_t i = 0; i < session->n_tensors * session->max_rows; i++) {
    if (session->tensors[i]) library.ov.tensor_free(session->tensors[i]);
  }
  free(session->tensors);
  free(session);
}

static ov_status_e make_tensor(const struct sp_tensor *from, size_t n_rows, ov_tensor_t **tensor) {
  int64_t sizes[SP_TENSOR_RANK_MAX];
  ov_shape_t shape;
  memcpy(sizes, from->spec.shape, sizeof sizes);
  sizes[0] = (int64_t)n_rows;
  ov_status_e status = library.ov.shape_create(from->spec.rank, sizes, &shape);
  if (status != OK) return status;
  status = library.ov.tensor_create_from_host_ptr(type_of(from->spec.dtype), shape, from->data, tensor);
  library.ov.shape_free(&shape);
  return status;
}

static ov_status_e set_rows(const struct session *session, ov_infer_request_t *request, size_t n_rows) {
  ov_tensor_t **tensor = session->tensors + (n_rows - 1) * session->n_tensors;
  ov_status_e status = OK;
  for (size_t i = 0; status == OK && i < session->n_inputs; i++)
    status = library.ov.infer_request_set_input_tensor_by_index(request, i, *tensor++);
  for (size_t i = 0; status == OK && i < session->n_tensors - session->n_inputs; i++)
    status =
        library.ov.infer_request_set_output_tensor_by_index(request, session->output_ports[i], *tensor++);
  return status;
}

static ov_status_e fill_session(const struct model *model, const struct sp_tensor *inputs,
                                const struct sp_tensor *outputs, struct session *session) {
  ov_status_e status = OK;
  ov_tensor_t **tensor = session->tensors;
  for (size_t n = 1; n <= session->max_rows; n++) {
    for (size_t i = 0; status == OK && i < model->io->n_inputs; i++)
      status = make_tensor(&inputs[i], n, tensor++);
    for (size_t i = 0; status == OK && i < model->io->n_outputs; i++)
      status = make_tensor(&outputs[i], n, tensor++);
  }
  if (status == OK)
    status = library.ov.compiled_model_create_infer_request(model->for_one_row, &session->for_one_row);
  if (status == OK) status = set_rows(session, session->for_one_row, 1);
  if (status == OK && session->max_rows > 1)
    status = library.ov.compiled_model_create_infer_request(model->for_any_rows, &session->for_any_rows);
  return status;
}

static enum sp_err openvino_session_new(void *opaque, size_t max_rows, const struct sp_tensor *inputs,
                                        const struct sp_tensor *outputs, void **result,
                                        struct sp_error *error) {
  struct model *model = opaque;
  enum sp_err err = max_rows > 1 ? need_any_rows(model, error) : SP_OK;
  if (err) return err;
  struct session *session = sp_alloc(sizeof *session);
  session->n_inputs = model->io->n_inputs;
  session->n_tensors = model->io->n_inputs + model->io->n_outputs;
  session->max_rows = max_rows;
  session->output_ports = model->output_ports;
  session->tensors = sp_alloc(session->n_tensors * max_rows * sizeof(ov_tensor_t *));
  err = failed(fill_session(model, inputs, outputs, session), SP_ERR_INTERNAL, model->file, "", error);
  if (err) {
    openvino_session_free(session);
    return err;
  }
  *result = session;
  return SP_OK;
}

static enum sp_err openvino_run(void *opaque, size_t n_rows, struct sp_error *error) {
  struct session *session = opaque;
  ov_infer_request_t *request = n_rows == 1 ? session->for_one_row : session->for_any_rows;
  ov_status_e status = OK;
  if (n_rows > 1 && n_rows != session->n_rows_set) {
    status = set_rows(session, request, n_rows);
    session->n_rows_set = status == OK ? n_rows : 0;
  }
  if (status == OK) status = library.ov.infer_request_infer(request);
  if (__builtin_expect(status == OK, 1)) return SP_OK;
  return failed(status, SP_ERR_FAILED, "the model cannot be run on this input", "", error);
}

// ONNX first: what other engines load too.
static const char *const model_files[] = {"model.onnx", "saved_model.pb", "model.tflite", NULL};

const struct sp_engine_ops sp_engine_openvino_ops = {
    .name = "openvino",
    .model_files = model_files,
    .load = openvino_load,
    .open = openvino_open,
    .session_new = openvino_session_new,
    .run = openvino_run,
    .session_free = openvino_session_free,
    .close = openvino_close,
    .library_version = openvino_version,
};
