// The reference model server: TensorFlow Serving's Predict, GetModelMetadata and GetModelStatus, all of KServe v2's gRPC service
// but its repository, and gRPC's health check, for several models and all their versions at once, on N threads that infer where they receive, or gather requests and run them
// together; or, as a stub, answers without any engine, late and failing as told.
//
// conf->reload_ns > 0: the models' folders are looked at that often, and versions come and go while calls go on (reload.h); a
// stub keeps those that it began with. conf->batch_delay_ns > 0: requests for the same version are run together (batch.h).
#ifndef SP_SERVER_SERVER_H
#define SP_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tensor.h"
#include "scenario/scenario.h"
#include "server/conf.h"

struct sp_server;

struct sp_server_model {
  const char *name;
  const char *dir; // holds VERSION/{model.onnx,...}, each served; NULL: a stub's, version 1
};

// Whether it has to know the recording, so that env->scenario must be given: stub recorded, failures or delays of given events.
bool sp_server_needs_scenario(const struct sp_server_conf *conf);

struct sp_server_counts {
  uint64_t n_predictions; // rows answered
  uint64_t n_requests;    // calls for a prediction, whatever became of them
};

struct sp_server_env {
  const struct sp_server_conf *conf;
  const char *address; // "127.0.0.1:0", "unix:/path"
  const struct sp_server_model *models;
  size_t n_models;
  // Stubs only, the same for all models: the tensors of echo (inputs) and fixed (both). Not given, the scenario tells them,
  // or the model's file by way of the engine. recorded needs the scenario. shape[0] is any.
  const struct sp_tensor_spec *inputs, *outputs;
  size_t n_inputs, n_outputs;
  // Its model is served too, unless models[] has the name. NULL: none.
  const struct sp_scenario *scenario;
  const char *
      expected; // recorded: file of expected predictions; NULL: expected/MODEL-VERSION.jsonl beside the recording
  struct sp_server_counts *counts; // filled in by sp_server_stop; NULL: not wanted
};

// Loads every version (SP_ERR_ENVIRONMENT: none there, or one that cannot be loaded), opens a session on each for each
// thread, listens and serves. SP_ERR_ENVIRONMENT: address taken; SP_ERR_USAGE: delay, fail, stub without tensors, labels,
// gathering for a model that takes one row at a time. A call of several rows fails if one of its events is to, and takes as long as the
// slowest of them. Strings and specs of env are copied; it is ready when this returns.
enum sp_err sp_server_start(const struct sp_server_env *env, struct sp_server **server,
                            struct sp_error *error);
const char *sp_server_address(const struct sp_server *server); // with the real port
// Says NOT_SERVING, takes no more calls, lets those under way end for grace_ns, cancels the rest, frees all. *was_graceful:
// nothing had to be cancelled. SP_ERR_ENVIRONMENT: the delay log could not be written.
enum sp_err sp_server_stop(struct sp_server *server, int64_t grace_ns, bool *was_graceful,
                           struct sp_error *error);

#endif
