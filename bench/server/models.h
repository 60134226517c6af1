// What the server serves: every version of every model, with a set of buffers (and a session) for each worker.
#ifndef SP_SERVER_MODELS_H
#define SP_SERVER_MODELS_H

#include "base/digest.h"
#include "engine/engine.h"
#include "rpc/tfs_model.h"
#include "server/recorded.h"
#include "server/server.h"

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
  struct sp_recorded *recorded;      // stub recorded
  struct sp_tfs_signature signature; // shape[0] = -1, or 1 where the model takes one row at a time
  size_t max_rows;                   // of one request
  struct sp_bench *benches;          // per worker
};

struct sp_models {
  size_t n_workers, max_rows;
  size_t n;
  struct sp_served *items; // by name as given, then by version, rising
};

// max_rows and n_workers: of each bench. Fills *models even where it fails: free it with sp_models_done.
enum sp_err sp_models_init(struct sp_models *models, const struct sp_server_env *env, size_t n_workers,
                           struct sp_error *error);
void sp_models_done(struct sp_models *models);

// version 0: the highest. NULL: not there; *has_name tells which of the two is missing.
const struct sp_served *sp_models_find(const struct sp_models *models, const char *name, size_t n_name,
                                       uint64_t version, bool *has_name);
// "fraud 1, tweet 1 2" into text, cut; returns text.
char *sp_models_text(const struct sp_models *models, char *text, size_t n);

#endif
