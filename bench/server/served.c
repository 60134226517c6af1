// Loading a version, and its workers' buffers.
#include "server/served.h"

#include <stdlib.h>
#include <string.h>

#include "server/versions.h"

struct sp_served *sp_served_new(const char *name, uint64_t version) {
  struct sp_served *served = sp_alloc(sizeof *served);
  served->name = sp_copy_text(name);
  served->version = version;
  return served;
}

enum sp_err sp_served_open(const struct sp_loading *loading, struct sp_served *served, const char *dir,
                           struct sp_error *error) {
  struct sp_engine_conf engine = {.engine = loading->engine, .intra_threads = 1};
  char *version_dir = sp_format("%s/%llu", dir, (unsigned long long)served->version);
  enum sp_err err = sp_engine_open(&engine, version_dir, &served->engine, error);
  free(version_dir);
  if (err) return err;
  const struct sp_model_io *io = sp_engine_io(served->engine);
  served->signature.n_inputs = io->n_inputs;
  served->signature.n_outputs = io->n_outputs;
  memcpy(served->signature.inputs, io->inputs, sizeof io->inputs);
  memcpy(served->signature.outputs, io->outputs, sizeof io->outputs);
  return SP_OK;
}

// --- Benches ---

static struct sp_tensor *tensors_new(const struct sp_tensor_spec *specs, size_t n, size_t rows) {
  struct sp_tensor *tensors = sp_alloc((n + 1) * sizeof *tensors);
  for (size_t i = 0; i < n; i++) sp_tensor_init(&tensors[i], &specs[i], rows);
  return tensors;
}

static void tensors_free(struct sp_tensor *tensors, size_t n) {
  for (size_t i = 0; tensors && i < n; i++) sp_tensor_done(&tensors[i]);
  free(tensors);
}

static enum sp_err bench_init(struct sp_bench *bench, const struct sp_served *served,
                              struct sp_error *error) {
  if (!served->engine) {
    bench->inputs = bench->own_inputs =
        tensors_new(served->signature.inputs, served->signature.n_inputs, served->max_rows);
    bench->outputs = bench->own_outputs =
        tensors_new(served->signature.outputs, served->signature.n_outputs, served->max_rows);
    return SP_OK;
  }
  enum sp_err err = sp_session_new(served->engine, served->max_rows, &bench->session, error);
  if (err) return err;
  bench->inputs = sp_session_inputs(bench->session);
  bench->outputs = sp_session_outputs(bench->session);
  return SP_OK;
}

static const struct sp_tensor_spec *single_row_input(const struct sp_served *served) {
  for (size_t i = 0; i < served->signature.n_inputs; i++) {
    if (served->signature.inputs[i].shape[0] == 1) return &served->signature.inputs[i];
  }
  return NULL;
}

enum sp_err sp_served_add_benches(const struct sp_loading *loading, struct sp_served *served,
                                  struct sp_error *error) {
  const struct sp_tensor_spec *single = single_row_input(served);
  if (single && loading->gathers) {
    return sp_fail(error, SP_ERR_USAGE,
                   "model %s version %llu: input %s takes one row at a time, so requests cannot be gathered "
                   "for it; leave --batch-delay out",
                   served->name, (unsigned long long)served->version, single->name);
  }
  served->max_rows = single ? 1 : loading->max_rows;
  served->n_benches = loading->n_workers;
  served->benches = sp_alloc(served->n_benches * sizeof *served->benches);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < served->n_benches; i++) err = bench_init(&served->benches[i], served, error);
  return err;
}

// --- A real model ---

enum sp_err sp_served_load(const struct sp_loading *loading, const char *name, const char *dir,
                           uint64_t version, struct sp_served **made, struct sp_error *error) {
  struct sp_served *served = sp_served_new(name, version);
  served->print = sp_versions_print(dir, version);
  enum sp_err err = sp_served_open(loading, served, dir, error);
  if (!err) err = sp_digest_file(sp_engine_model_file(served->engine), served->digest, error);
  if (!err) err = sp_served_add_benches(loading, served, error);
  if (err)
    sp_served_free(served);
  else
    *made = served;
  return err;
}

void sp_served_free(struct sp_served *served) {
  if (!served) return;
  SP_ASSERT(atomic_load(&served->n_held) == 0);
  for (size_t i = 0; served->benches && i < served->n_benches; i++) {
    struct sp_bench *bench = &served->benches[i];
    if (bench->session) sp_session_free(bench->session);
    tensors_free(bench->own_inputs, served->signature.n_inputs);
    tensors_free(bench->own_outputs, served->signature.n_outputs);
  }
  free(served->benches);
  sp_recorded_free(served->recorded);
  sp_engine_close(served->engine);
  free(served->name);
  free(served);
}
