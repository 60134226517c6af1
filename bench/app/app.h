// The streaming application: poll, decode, predict, encode, produce. The same loop serves every transport and path.
// Each worker is one thread; an asynchronous path gives it a second one that takes completions. A worker takes an event
// only when it has a free request for it, so what waits, waits in the stream, where the `queue` stage sees it.
#ifndef SP_APP_APP_H
#define SP_APP_APP_H

#include "app/conf.h"
#include "base/clock.h"
#include "codec/codec.h"
#include "os/affinity.h"
#include "path/path.h"
#include "stream/stream.h"

struct sp_app;

struct sp_app_env {
  const struct sp_clock *clock;
  const struct sp_app_conf *conf;
  const struct sp_input_conf *input;   // NULL: events are not decoded (noop)
  const struct sp_output_conf *output; // NULL: answers are empty (noop)
  const char *path;                    // "embedded", "rpc", "noop"
  const struct sp_path_ops *path_ops;  // a test's own path instead; NULL
  struct sp_path_env
      path_env;       // model, server and conf; everything about workers and inputs is set by the app
  uint64_t in_flight; // requests of an asynchronous path, over all workers
};

// Opens the path (loads the model, connects) and prepares every request. Errors as sp_path_open.
enum sp_err sp_app_new(const struct sp_app_env *env, struct sp_app **app, struct sp_error *error);
void sp_app_free(struct sp_app *app);                              // after sp_app_stop; NULL is allowed
const struct sp_encoder *sp_app_encoder(const struct sp_app *app); // NULL for noop
const char *sp_app_library(const struct sp_app *app);
// As sp_path_server_facts; owned by the application.
const struct sp_rpc_server_facts *sp_app_server_facts(const struct sp_app *app);
// Bytes of the longest answer; known before the stream is made: see sp_app_set_stream.
size_t sp_app_value_bound(const struct sp_app *app);
void sp_app_set_stream(struct sp_app *app, const struct sp_stream *stream); // before start or the first step

// Threads on `cpus` (NULL or empty: wherever the kernel likes).
enum sp_err sp_app_start(struct sp_app *app, const struct sp_cpus *cpus, struct sp_error *error);
// Lets what is taken finish, ends the threads. The stream is closed by the caller first.
void sp_app_stop(struct sp_app *app);
// CPU time of the workers' threads so far (libraries may have threads of their own beside them).
int64_t sp_app_cpu_ns(struct sp_app *app);

// One turn of worker `worker_i`, what its thread does in a loop: takes at most a batch, decodes, submits. Returns how many
// events it took; 0 also while no request is free. For tests on a virtual clock (deadline_ns 0: does not wait).
size_t sp_app_worker_step(struct sp_app *app, unsigned worker_i, int64_t deadline_ns);
// One turn of an asynchronous path's completion thread.
size_t sp_app_reap_step(struct sp_app *app, unsigned worker_i, int64_t deadline_ns);

#endif
