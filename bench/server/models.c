// Finding versions, loading them, and the stub's tensors.
#include "server/models.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/codec.h"

// --- Version folders ---

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

// A folder named by a positive number without leading zeros; 0: it is not.
static uint64_t version_of(DIR *folder, const char *name) {
  size_t n_digits = strspn(name, "0123456789");
  struct stat there;
  if (!n_digits || name[n_digits] || n_digits > 18 || name[0] == '0') return 0;
  if (fstatat(dirfd(folder), name, &there, 0) != 0 || !S_ISDIR(there.st_mode)) return 0;
  return strtoull(name, NULL, 10);
}

// Rising; *versions from malloc.
static enum sp_err list_versions(const char *dir, uint64_t **versions, size_t *n, struct sp_error *error) {
  *versions = NULL;
  *n = 0;
  DIR *folder = opendir(dir);
  if (!folder)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read model folder %s (%s)", dir, strerror(errno));
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    uint64_t version = version_of(folder, entry->d_name);
    if (!version) continue;
    *versions = sp_realloc(*versions, (*n + 1) * sizeof **versions);
    (*versions)[(*n)++] = version;
  }
  closedir(folder);
  if (!*n) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model folder %s holds no version; put the model into %s/1/",
                   dir, dir);
  }
  qsort(*versions, *n, sizeof **versions, by_number);
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

static enum sp_err benches_init(struct sp_models *models, struct sp_served *served, struct sp_error *error) {
  served->max_rows = served->signature.inputs[0].shape[0] == 1 ? 1 : models->max_rows;
  served->benches = sp_alloc(models->n_workers * sizeof *served->benches);
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < models->n_workers; i++) {
    err = bench_init(&served->benches[i], served, error);
  }
  return err;
}

static void served_done(struct sp_served *served, size_t n_workers) {
  for (size_t i = 0; served->benches && i < n_workers; i++) {
    struct sp_bench *bench = &served->benches[i];
    if (bench->session) sp_session_free(bench->session);
    tensors_free(bench->own_inputs, served->signature.n_inputs);
    tensors_free(bench->own_outputs, served->signature.n_outputs);
  }
  free(served->benches);
  sp_recorded_free(served->recorded);
  sp_engine_close(served->engine);
  free(served->name);
}

// --- A real model ---

static enum sp_err load(struct sp_served *served, const struct sp_server_conf *conf, const char *dir,
                        struct sp_error *error) {
  struct sp_engine_conf engine = {.engine = conf->engine, .intra_threads = 1};
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

// --- A stub's tensors ---

static void copy_specs(struct sp_tensor_spec *to, size_t *n_to, const struct sp_tensor_spec *from, size_t n) {
  SP_ASSERT(n <= SP_TENSORS_MAX);
  *n_to = n;
  if (n) memcpy(to, from, n * sizeof *from);
  for (size_t i = 0; i < n; i++) to[i].shape[0] = -1;
}

static enum sp_err specs_of_scenario(struct sp_served *served, const struct sp_scenario *scenario,
                                     struct sp_error *error) {
  struct sp_decoder *decoder = NULL;
  enum sp_err err = sp_decoder_new(&scenario->input, &decoder, error);
  if (err) return err;
  size_t n;
  const struct sp_tensor_spec *specs = sp_decoder_tensors(decoder, &n);
  copy_specs(served->signature.inputs, &served->signature.n_inputs, specs, n);
  sp_decoder_free(decoder);
  // Expected values tell how many a prediction has; without them, one score.
  int64_t n_values = served->recorded ? (int64_t)sp_recorded_values(served->recorded) : 1;
  struct sp_tensor_spec output = {.dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {-1, n_values}};
  snprintf(output.name, sizeof output.name, "%s",
           scenario->output.tensor ? scenario->output.tensor : "output");
  copy_specs(served->signature.outputs, &served->signature.n_outputs, &output, 1);
  return SP_OK;
}

// The model's file says what its tensors are; the engine is closed again before anything is served.
static enum sp_err specs_of_model(struct sp_served *served, const struct sp_server_env *env, const char *dir,
                                  struct sp_error *error) {
  if (!dir) {
    return sp_fail(error, SP_ERR_USAGE,
                   "--model %s: a stub needs to know its tensors; give --input NAME:float32:[1,30] and "
                   "--output NAME:float32:[1,1], --scenario, or --model %s=DIR",
                   served->name, served->name);
  }
  enum sp_err err = load(served, env->conf, dir, error);
  sp_engine_close(served->engine);
  served->engine = NULL;
  return err;
}

// Recorded answers have the tensors of their scenario; otherwise flags come first, then the scenario, then the model.
static enum sp_err stub_init(struct sp_served *served, const struct sp_server_env *env, const char *dir,
                             struct sp_error *error) {
  struct sp_tfs_signature *signature = &served->signature;
  int stub = env->conf->stub;
  if (stub == SP_STUB_RECORDED) {
    if (!env->scenario)
      return sp_fail(error, SP_ERR_USAGE, "--stub recorded needs --scenario, which names the recording");
    enum sp_err err =
        sp_recorded_new(env->scenario, served->version, env->expected, &served->recorded, error);
    return err ? err : specs_of_scenario(served, env->scenario, error);
  }
  bool is_told = env->n_inputs && (env->n_outputs || stub == SP_STUB_ECHO);
  enum sp_err err = is_told         ? SP_OK
                    : env->scenario ? specs_of_scenario(served, env->scenario, error)
                                    : specs_of_model(served, env, dir, error);
  if (err) return err;
  if (env->n_inputs) copy_specs(signature->inputs, &signature->n_inputs, env->inputs, env->n_inputs);
  if (env->n_outputs) copy_specs(signature->outputs, &signature->n_outputs, env->outputs, env->n_outputs);
  if (stub == SP_STUB_ECHO) copy_specs(signature->outputs, &signature->n_outputs, signature->inputs, 1);
  return SP_OK;
}

// --- All ---

static enum sp_err add_version(struct sp_models *models, const struct sp_server_env *env, const char *name,
                               const char *dir, uint64_t version, struct sp_error *error) {
  bool has_name;
  if (sp_models_find(models, name, strlen(name), version, &has_name)) {
    return sp_fail(error, SP_ERR_USAGE, "model %s version %llu is given twice; a name stands for one folder",
                   name, (unsigned long long)version);
  }
  models->items = sp_realloc(models->items, (models->n + 1) * sizeof *models->items);
  struct sp_served *served = &models->items[models->n++];
  *served = (struct sp_served){.name = sp_copy_text(name), .version = version};
  bool is_stub = env->conf->stub != SP_STUB_NONE;
  enum sp_err err = is_stub ? stub_init(served, env, dir, error) : load(served, env->conf, dir, error);
  if (!err && !is_stub) err = sp_digest_file(sp_engine_model_file(served->engine), served->digest, error);
  return err ? err : benches_init(models, served, error);
}

static enum sp_err add_model(struct sp_models *models, const struct sp_server_env *env, const char *name,
                             const char *dir, uint64_t only, struct sp_error *error) {
  if (!name || !*name || strlen(name) >= SP_TFS_MODEL_NAME_BYTES) {
    return sp_fail(error, SP_ERR_USAGE, "--model: a name has 1 to %d bytes; write --model NAME=DIR",
                   SP_TFS_MODEL_NAME_BYTES - 1);
  }
  uint64_t *versions = NULL;
  size_t n = 0;
  enum sp_err err = SP_OK;
  if (dir && !only) {
    err = list_versions(dir, &versions, &n, error);
  } else { // a stub without a folder has version 1
    versions = sp_alloc(sizeof *versions);
    versions[n++] = only ? only : 1;
  }
  for (size_t i = 0; !err && i < n; i++) err = add_version(models, env, name, dir, versions[i], error);
  free(versions);
  return err;
}

enum sp_err sp_models_init(struct sp_models *models, const struct sp_server_env *env, size_t n_workers,
                           struct sp_error *error) {
  *models = (struct sp_models){.n_workers = n_workers, .max_rows = env->conf->max_batch};
  bool is_stub = env->conf->stub != SP_STUB_NONE;
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < env->n_models; i++) {
    const struct sp_server_model *model = &env->models[i];
    if (!model->dir && !is_stub)
      err = sp_fail(error, SP_ERR_USAGE, "--model %s: write %s=DIR", model->name, model->name);
    else
      err = add_model(models, env, model->name, model->dir, 0, error);
  }
  const struct sp_model_conf *model = env->scenario ? &env->scenario->model : NULL;
  bool has_name = false;
  if (model && model->name) sp_models_find(models, model->name, strlen(model->name), 0, &has_name);
  if (!err && model && !has_name) {
    err = add_model(models, env, model->name, model->dir, model->version, error);
  }
  if (!err && !models->n)
    err = sp_fail(error, SP_ERR_USAGE, "nothing to serve; give --model NAME=DIR or --scenario");
  return err;
}

void sp_models_done(struct sp_models *models) {
  for (size_t i = 0; i < models->n; i++) served_done(&models->items[i], models->n_workers);
  free(models->items);
}

const struct sp_served *sp_models_find(const struct sp_models *models, const char *name, size_t n_name,
                                       uint64_t version, bool *has_name) {
  const struct sp_served *best = NULL;
  *has_name = false;
  for (size_t i = 0; i < models->n; i++) {
    const struct sp_served *served = &models->items[i];
    if (strlen(served->name) != n_name || memcmp(served->name, name, n_name) != 0) continue;
    *has_name = true;
    if (version ? served->version == version : !best || served->version > best->version) best = served;
  }
  return best;
}

char *sp_models_text(const struct sp_models *models, char *text, size_t n) {
  text[0] = 0;
  size_t at = 0;
  for (size_t i = 0; i < models->n && at < n; i++) {
    bool is_same = i && strcmp(models->items[i].name, models->items[i - 1].name) == 0;
    const char *name = is_same ? "" : models->items[i].name;
    at += (size_t)snprintf(text + at, n - at, "%s%s %llu", i && !is_same ? ", " : "", name,
                           (unsigned long long)models->items[i].version);
  }
  return text;
}
