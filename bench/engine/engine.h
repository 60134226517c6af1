// Embedded inference: one library behind one table of functions. A model is loaded once; each worker opens a session on it
// with buffers prepared for 1..max_rows rows, so that a run allocates nothing of ours.
#ifndef SP_ENGINE_ENGINE_H
#define SP_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/tensor.h"
#include "engine/conf.h"

struct sp_model_io {
  size_t n_inputs, n_outputs;
  struct sp_tensor_spec inputs[SP_TENSORS_MAX];
  struct sp_tensor_spec outputs[SP_TENSORS_MAX];
};

struct sp_engine;  // a loaded model; may be shared by threads
struct sp_session; // one worker's; never used by two threads at once

// For implementers: one per file, listed in engines.h.
struct sp_engine_ops {
  const char *name;
  const char *const
      *model_files; // what it reads in a version folder, the preferred one first; ends with NULL
  // Loads the library, once for the process. SP_ERR_ENVIRONMENT with the remedy. Any thread.
  enum sp_err (*load)(struct sp_error *error);
  // file: VERSION_DIR/ one of model_files, readable. Loads the library first. SP_ERR_ENVIRONMENT: no library, a broken file;
  // SP_ERR_USAGE: a model that this engine cannot run, with the remedy.
  enum sp_err (*open)(const struct sp_engine_conf *conf, const char *file, void **model,
                      struct sp_model_io *io, struct sp_error *error);
  // `inputs` and `outputs` (order of io) come with their spec and capacity set and with data, 64-byte aligned, that belongs
  // to sp_session; the engine prepares runs of 1..max_rows rows on them.
  enum sp_err (*session_new)(void *model, size_t max_rows, const struct sp_tensor *inputs,
                             const struct sp_tensor *outputs, void **session, struct sp_error *error);
  enum sp_err (*run)(void *session, size_t n_rows, struct sp_error *error);
  void (*session_free)(void *session);
  void (*close)(void *model);
  const char *(*library_version)(void); // "1.28.0"; NULL before it is loaded
};

// VERSION_DIR/FILE that the engine would load: conf->model_file, or else the first of those that it reads (ONNX before
// others, so that engines that are compared load the same bytes); *file from malloc. SP_ERR_USAGE: unknown engine, or it does
// not read conf->model_file. SP_ERR_ENVIRONMENT: none is there.
enum sp_err sp_engine_find_file(const struct sp_engine_conf *conf, const char *version_dir, char **file,
                                struct sp_error *error);
// Loads the model in version_dir with the engine conf->engine ("onnxruntime"). SP_ERR_USAGE for an unknown engine (with the
// list of known ones), SP_ERR_ENVIRONMENT for a missing library or model. Blocks (15 to 300 ms). Any thread.
enum sp_err sp_engine_open(const struct sp_engine_conf *conf, const char *version_dir,
                           struct sp_engine **engine, struct sp_error *error);
void sp_engine_close(struct sp_engine *engine); // NULL is allowed; after its sessions
// Inputs and outputs in the model's order, named as the model's makers named them (ONNX: graph, SavedModel and TFLite: the
// signature serving_default; a TFLite file without signature: as its graph does). Outputs that are no tensors of a known type and shape are left out.
const struct sp_model_io *sp_engine_io(const struct sp_engine *engine);
const char *sp_engine_library(const struct sp_engine *engine); // "onnxruntime 1.28.0"
// The file that was loaded ("…/model.onnx"), for digests; owned by the engine.
const char *sp_engine_model_file(const struct sp_engine *engine);

// SP_ERR_USAGE where the model takes one row at a time and max_rows is more.
enum sp_err sp_session_new(struct sp_engine *engine, size_t max_rows, struct sp_session **session,
                           struct sp_error *error);
void sp_session_free(struct sp_session *session);
// n_inputs (n_outputs) tensors, owned by the session; write rows 0..n-1 of inputs, run(n), read rows 0..n-1 of outputs.
struct sp_tensor *sp_session_inputs(struct sp_session *session);
const struct sp_tensor *sp_session_outputs(const struct sp_session *session);
enum sp_err sp_session_run(struct sp_session *session, size_t n_rows, struct sp_error *error);

// SP_OK if each wanted tensor is one of the model's: same name, element type and shape of one row (shape[1..]); a wanted
// tensor without an element type (SP_DTYPE_NONE) is looked up by name alone. Otherwise SP_ERR_USAGE naming `model`, the
// tensor, what the model has, and the nearest name. `what` is "input" or "output".
enum sp_err sp_model_check(const char *what, const struct sp_tensor_spec *wanted, size_t n_wanted,
                           const struct sp_tensor_spec *have, size_t n_have, const char *model,
                           struct sp_error *error);

#endif
