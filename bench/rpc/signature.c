// A server's tensors beside ours.
#include "rpc/signature.h"

#include <stdio.h>
#include <string.h>

static bool same_row(const struct sp_tensor_spec *ours, const struct sp_tensor_spec *theirs) {
  if (ours->dtype != theirs->dtype || ours->rank != theirs->rank || !ours->rank) return false;
  if (theirs->shape[0] != -1 && theirs->shape[0] != 1) return false;
  for (uint32_t i = 1; i < ours->rank; i++) {
    if (theirs->shape[i] != -1 && theirs->shape[i] != ours->shape[i]) return false;
  }
  return true;
}

static void names_text(const struct sp_tensor_spec *specs, size_t n_specs, char *text, size_t n) {
  text[0] = 0;
  for (size_t i = 0, at = 0; i < n_specs && at < n; i++) {
    at += (size_t)snprintf(text + at, n - at, "%s%s", i ? ", " : "", specs[i].name);
  }
}

static const struct sp_tensor_spec *find(const struct sp_tensor_spec *specs, size_t n_specs,
                                         const char *name) {
  for (size_t i = 0; i < n_specs; i++) {
    if (strcmp(specs[i].name, name) == 0) return &specs[i];
  }
  return NULL;
}

enum sp_err sp_signature_check_inputs(const struct sp_rpc_env *env, const struct sp_signature *have,
                                      struct sp_error *error) {
  char ours[96], theirs[96], names[512];
  names_text(have->inputs, have->n_inputs, names, sizeof names);
  for (size_t i = 0; i < env->n_inputs; i++) {
    const struct sp_tensor_spec *spec = find(have->inputs, have->n_inputs, env->inputs[i].name);
    if (!spec) {
      return sp_fail(error, SP_ERR_USAGE, "input.tensors: model %s at %s has no input %s; it has %s",
                     env->model_name, env->address, env->inputs[i].name, names);
    }
    if (same_row(&env->inputs[i], spec)) continue;
    return sp_fail(error, SP_ERR_USAGE, "input.tensors: %s is %s, but model %s at %s takes %s", spec->name,
                   sp_tensor_spec_text(&env->inputs[i], ours, sizeof ours), env->model_name, env->address,
                   sp_tensor_spec_text(spec, theirs, sizeof theirs));
  }
  for (size_t i = 0; i < have->n_inputs; i++) {
    if (find(env->inputs, env->n_inputs, have->inputs[i].name)) continue;
    return sp_fail(error, SP_ERR_USAGE, "input.tensors: model %s at %s also takes %s (%s); declare it",
                   env->model_name, env->address, have->inputs[i].name,
                   sp_tensor_spec_text(&have->inputs[i], theirs, sizeof theirs));
  }
  return SP_OK;
}

enum sp_err sp_signature_choose_output(const struct sp_rpc_env *env, const struct sp_signature *have,
                                       struct sp_tensor_spec *output, struct sp_error *error) {
  char names[512], theirs[96];
  names_text(have->outputs, have->n_outputs, names, sizeof names);
  if (!env->output && have->n_outputs != 1) {
    return sp_fail(error, SP_ERR_USAGE, "output.tensor: model %s at %s has %zu outputs (%s); name one",
                   env->model_name, env->address, have->n_outputs, names);
  }
  const struct sp_tensor_spec *spec =
      env->output ? find(have->outputs, have->n_outputs, env->output) : have->outputs;
  if (!spec) {
    return sp_fail(error, SP_ERR_USAGE, "output.tensor: model %s at %s has no output %s; it has %s",
                   env->model_name, env->address, env->output, names);
  }
  bool is_dense = spec->rank > 0 && spec->dtype != SP_DTYPE_NONE;
  for (uint32_t i = 1; i < spec->rank; i++) is_dense = is_dense && spec->shape[i] > 0;
  if (!is_dense) {
    return sp_fail(error, SP_ERR_USAGE,
                   "output.tensor: %s of model %s at %s is %s; only numbers with a batch dimension and "
                   "a known shape can be compared",
                   spec->name, env->model_name, env->address,
                   sp_tensor_spec_text(spec, theirs, sizeof theirs));
  }
  *output = *spec;
  output->shape[0] = 1;
  return SP_OK;
}
