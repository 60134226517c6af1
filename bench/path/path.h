// How a prediction is made: inside the application (embedded), by a model server (rpc), or not at all (noop).
// A path is opened once by the application; every worker has requests of its own on it.
#ifndef SP_PATH_PATH_H
#define SP_PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/outcome.h"
#include "base/tensor.h"
#include "engine/conf.h"
#include "path/conf.h"
#include "rpc/conf.h"
#include "rpc/rpc.h"

struct sp_path;

// One prediction under way, of 1..max_rows events. Made by sp_path_request_new, owned by the application loop, whose
// worker fills inputs and n_rows, submits, and gets it back through `done`.
struct sp_request {
  size_t n_rows;
  struct sp_tensor **inputs; // order of env.inputs; rows are written by the worker before submit
  const struct sp_tensor
      *output;           // env.output; rows 0..n_rows-1 readable inside `done` if outcome is SP_OUTCOME_NONE
  int64_t dispatched_ns; // stamped by the path: engine called, RPC issued
  int64_t answered_ns;   // stamped by the path: engine returned, status received
  int64_t server_ns;     // the server's own time for it; -1 if unknown
  enum sp_outcome
      outcome;    // SP_OUTCOME_NONE: predicted; else deadline, unavailable, rejected, error, malformed
  int code;       // gRPC status code or engine error; 0
  char text[120]; // what went wrong, printable
  unsigned worker_i;
  void *user; // the application's
  void *impl; // the path's
};

// Called exactly once per submit: inside submit (synchronous paths) or inside reap (asynchronous ones).
typedef void (*sp_request_done)(struct sp_request *request, void *context);

// The struct is copied; what it points to outlives the path.
struct sp_path_env {
  const struct sp_clock *clock;
  const char *model_name;
  uint64_t model_version;
  const char *version_label;           // rpc: asked for in place of the number; NULL
  const char *version_dir;             // models/NAME/VERSION; NULL where the path needs none
  const struct sp_tensor_spec *inputs; // what the decoder fills
  size_t n_inputs;
  const char *output; // name of the output wanted; NULL: the model's only one
  size_t max_rows;    // --batch
  unsigned n_workers;
  size_t n_requests_per_worker; // requests that each worker will make
  const struct sp_engine_conf *engine;
  const struct sp_rpc_conf *rpc;
  const char *server_address; // rpc: where the server really is ("127.0.0.1:41234", "unix:/…")
  sp_request_done done;
  void *context;
};

// For implementers: one per file, listed in path.c.
struct sp_path_ops {
  const char *name;
  bool is_async;
  bool (*waits)(const void *path); // this one, once opened, is synchronous all the same; NULL: it is not
  enum sp_err (*open)(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                      struct sp_error *error);
  enum sp_err (*request_init)(void *path, struct sp_request *request, struct sp_error *error);
  void (*submit)(void *path, struct sp_request *request);
  // Asynchronous paths: handles completions of worker_i's requests until deadline_ns (CLOCK_MONOTONIC) or `until_idle`
  // completions came; returns how many. Called by that worker's completion thread only.
  size_t (*reap)(void *path, unsigned worker_i, int64_t deadline_ns);
  void (*wake)(void *path, unsigned worker_i); // makes a reap under way return; any thread
  void (*request_done)(void *path, struct sp_request *request);
  void (*close)(void *path);
  const char *(*library)(const void *path); // NULL: the path's name is all there is to say
  // What the server says of itself; NULL: the path has none.
  const struct sp_rpc_server_facts *(*server_facts)(const void *path);
};

// Loads the model or connects to the server and waits until it is ready; checks the tensors against the model's.
// SP_ERR_USAGE: unknown path, tensors that differ, model_load per-event on a path that loads no model. SP_ERR_ENVIRONMENT: model, library or server missing, with the remedy.
enum sp_err sp_path_open(const char *name, const struct sp_path_env *env, struct sp_path **path,
                         struct sp_error *error);
void sp_path_close(struct sp_path *path); // after all requests came back
bool sp_path_is_async(const struct sp_path *path);
// The prediction's tensor, shape[0] = 1; owned by the path.
const struct sp_tensor_spec *sp_path_output(const struct sp_path *path);
// "onnxruntime 1.28.0", "grpc 1.51.1", "noop"; owned by the path.
const char *sp_path_library(const struct sp_path *path);
// What the model server says of itself; NULL where there is none. Owned by the path.
const struct sp_rpc_server_facts *sp_path_server_facts(const struct sp_path *path);

enum sp_err sp_request_new(struct sp_path *path, unsigned worker_i, struct sp_request **request,
                           struct sp_error *error);
void sp_request_free(struct sp_path *path, struct sp_request *request);
// Worker thread only. Does not block beyond the inference itself (embedded) or starting the call (rpc).
void sp_path_submit(struct sp_path *path, struct sp_request *request);
size_t sp_path_reap(struct sp_path *path, unsigned worker_i, int64_t deadline_ns);
void sp_path_wake(struct sp_path *path, unsigned worker_i);

// A test's own path in place of a named one; never listed.
enum sp_err sp_path_open_ops(const struct sp_path_ops *ops, const struct sp_path_env *env,
                             struct sp_path **path, struct sp_error *error);

#endif
