// Predicts nothing: each request comes back at once with a score of zero, so that what is measured is the harness itself.
#include <stdlib.h>
#include <string.h>

#include "path/ops.h"

struct noop {
  const struct sp_path_env *env;
  struct sp_tensor_spec output;
};
struct noop_request {
  struct sp_tensor inputs[SP_TENSORS_MAX];
  struct sp_tensor *by_env[SP_TENSORS_MAX];
  struct sp_tensor output;
};

static enum sp_err noop_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                             struct sp_error *error) {
  (void)error;
  struct noop *noop = sp_alloc(sizeof *noop);
  noop->env = env;
  noop->output = (struct sp_tensor_spec){.dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, 1}};
  const char *name = env->output ? env->output : "noop";
  strncpy(noop->output.name, name, sizeof noop->output.name - 1);
  *output = noop->output;
  *path = noop;
  return SP_OK;
}

static enum sp_err noop_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  (void)error;
  struct noop *noop = path;
  struct noop_request *own = sp_alloc(sizeof *own);
  for (size_t i = 0; i < noop->env->n_inputs; i++) {
    sp_tensor_init(&own->inputs[i], &noop->env->inputs[i], noop->env->max_rows);
    own->by_env[i] = &own->inputs[i];
  }
  sp_tensor_init(&own->output, &noop->output, noop->env->max_rows);
  request->inputs = own->by_env;
  request->output = &own->output;
  request->impl = own;
  return SP_OK;
}

static void noop_submit(void *path, struct sp_request *request) {
  struct noop *noop = path;
  request->dispatched_ns = sp_clock_now(noop->env->clock);
  request->answered_ns = request->dispatched_ns;
  noop->env->done(request, noop->env->context);
}

static void noop_request_done(void *path, struct sp_request *request) {
  struct noop *noop = path;
  struct noop_request *own = request->impl;
  for (size_t i = 0; i < noop->env->n_inputs; i++) sp_tensor_done(&own->inputs[i]);
  sp_tensor_done(&own->output);
  free(own);
}

static void noop_close(void *path) {
  free(path);
}

const struct sp_path_ops sp_path_noop_ops = {
    .name = "noop",
    .open = noop_open,
    .request_init = noop_request_init,
    .submit = noop_submit,
    .request_done = noop_request_done,
    .close = noop_close,
};
