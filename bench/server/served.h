// One version of one model, with a set of buffers (and a session) for each worker.
#ifndef SP_SERVER_SERVED_H
#define SP_SERVER_SERVED_H

#include <stdatomic.h>

#include "base/digest.h"
#include "engine/engine.h"
#include "rpc/tfs_model.h"
#include "server/recorded.h"
#include "server/server.h"

struct sp_batch;

// One worker's buffers for one version: its own, never shared.
struct sp_bench {
  struct sp_session *session;      // NULL: a stub
  struct sp_tensor *inputs;        // of the session, or own
  const struct sp_tensor *outputs; // a stub writes own_outputs
  struct sp_tensor *own_inputs, *own_outputs;
};

struct sp_served {
  char *name;
  uint64_t version;
  struct sp_engine *engine;          // NULL: a stub
  char digest[SP_DIGEST_TEXT_BYTES]; // of the engine's model file; empty: a stub
  uint64_t print;                    // of its folder before it was read (versions.h)
  struct sp_recorded *recorded;      // stub recorded
  struct sp_signature signature;     // shape[0] = -1, or 1 where the model takes one row at a time
  size_t max_rows;                   // of one run
  size_t n_benches;
  struct sp_bench *benches; // per worker
  // Calls that came for it and are answered later (delayed, gathered); it stays as long as there are any.
  _Atomic uint64_t n_held;
  struct sp_batch *gathering; // batch.c's, under its lock
};

// How versions are made ready to serve: the same for all, from the start to the end. `engine` is owned by whoever made it.
struct sp_loading {
  char *engine;
  size_t n_workers; // each gets a bench
  size_t max_rows;  // of one run
  bool gathers;     // requests are run together: models that take one row at a time are refused
};

// Loads dir/version with a session for each worker. SP_ERR_ENVIRONMENT: missing, unreadable; SP_ERR_USAGE: no such engine, or
// a model that cannot be gathered for. Blocks (15 to 300 ms). Any thread.
enum sp_err sp_served_load(const struct sp_loading *loading, const char *name, const char *dir,
                           uint64_t version, struct sp_served **served, struct sp_error *error);
// A stub's (stub.c): env tells its tensors, or dir's model file.
enum sp_err sp_served_stub(const struct sp_loading *loading, const struct sp_server_env *env,
                           const char *name, const char *dir, uint64_t version, struct sp_served **served,
                           struct sp_error *error);
// No worker may be using it. NULL is allowed.
void sp_served_free(struct sp_served *served);

// --- For stub.c ---
// An empty one, then its tensors from the model's file, then its benches.
struct sp_served *sp_served_new(const char *name, uint64_t version);
enum sp_err sp_served_open(const struct sp_loading *loading, struct sp_served *served, const char *dir,
                           struct sp_error *error);
enum sp_err sp_served_add_benches(const struct sp_loading *loading, struct sp_served *served,
                                  struct sp_error *error);

#endif
