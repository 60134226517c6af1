// The table of paths, and what is the same for all of them: lookup, requests, the state a request starts from.
#include "path/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "path/ops.h"

struct sp_path {
  const struct sp_path_ops *ops;
  void *impl;
  struct sp_path_env env;
  struct sp_tensor_spec output;
};

#define ENTRY(name) &sp_path_##name##_ops,
static const struct sp_path_ops *const paths[] = {SP_PATHS(ENTRY)};
#define N_PATHS (sizeof paths / sizeof paths[0])

enum sp_err sp_path_open_ops(const struct sp_path_ops *ops, const struct sp_path_env *env,
                             struct sp_path **path, struct sp_error *error) {
  SP_ASSERT(env->done && env->max_rows > 0 && env->n_workers > 0 && env->n_inputs <= SP_TENSORS_MAX);
  struct sp_path *new = sp_alloc(sizeof *new);
  new->ops = ops;
  new->env = *env;
  enum sp_err err = ops->open(&new->env, &new->impl, &new->output, error);
  if (err) {
    free(new);
    return err;
  }
  *path = new;
  return SP_OK;
}

// Loading the model for each event is the application's doing: only there does the key mean something.
static enum sp_err check_model_load(const struct sp_path_ops *ops, const struct sp_path_env *env,
                                    struct sp_error *error) {
  bool is_per_event = env->engine && env->engine->model_load == SP_MODEL_LOAD_PER_EVENT;
  if (!is_per_event || ops == &sp_path_embedded_ops) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "model_load: per-event loads the model in the application, which path %s does not; use path "
                 "embedded, or model_load once",
                 ops->name);
}

enum sp_err sp_path_open(const char *name, const struct sp_path_env *env, struct sp_path **path,
                         struct sp_error *error) {
  const char *names[N_PATHS];
  for (size_t i = 0; i < N_PATHS; i++) {
    names[i] = paths[i]->name;
    if (strcmp(names[i], name) != 0) continue;
    enum sp_err err = check_model_load(paths[i], env, error);
    return err ? err : sp_path_open_ops(paths[i], env, path, error);
  }
  char suggestion[128];
  return sp_fail(error, SP_ERR_USAGE, "path: \"%s\" is unknown; %s", name,
                 sp_names_suggest(name, names, N_PATHS, suggestion, sizeof suggestion));
}

void sp_path_close(struct sp_path *path) {
  if (!path) return;
  path->ops->close(path->impl);
  free(path);
}

bool sp_path_is_async(const struct sp_path *path) {
  return path->ops->is_async && !(path->ops->waits && path->ops->waits(path->impl));
}
const struct sp_tensor_spec *sp_path_output(const struct sp_path *path) {
  return &path->output;
}
const char *sp_path_library(const struct sp_path *path) {
  return path->ops->library ? path->ops->library(path->impl) : path->ops->name;
}

const struct sp_rpc_server_facts *sp_path_server_facts(const struct sp_path *path) {
  return path->ops->server_facts ? path->ops->server_facts(path->impl) : NULL;
}

enum sp_err sp_request_new(struct sp_path *path, unsigned worker_i, struct sp_request **request,
                           struct sp_error *error) {
  SP_ASSERT(worker_i < path->env.n_workers);
  struct sp_request *new = sp_alloc(sizeof *new);
  new->worker_i = worker_i;
  new->server_ns = -1;
  enum sp_err err = path->ops->request_init(path->impl, new, error);
  if (err) {
    free(new);
    return err;
  }
  *request = new;
  return SP_OK;
}

void sp_request_free(struct sp_path *path, struct sp_request *request) {
  if (!request) return;
  path->ops->request_done(path->impl, request);
  free(request);
}

void sp_path_submit(struct sp_path *path, struct sp_request *request) {
  SP_ASSERT(request->n_rows > 0 && request->n_rows <= path->env.max_rows);
  request->outcome = SP_OUTCOME_NONE;
  request->code = 0;
  request->text[0] = 0;
  request->server_ns = -1;
  path->ops->submit(path->impl, request);
}

size_t sp_path_reap(struct sp_path *path, unsigned worker_i, int64_t deadline_ns) {
  SP_ASSERT(sp_path_is_async(path));
  return path->ops->reap(path->impl, worker_i, deadline_ns);
}

void sp_path_wake(struct sp_path *path, unsigned worker_i) {
  if (path->ops->wake) path->ops->wake(path->impl, worker_i);
}
