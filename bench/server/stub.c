// Servers without an engine: where a stub's tensors come from, and what it answers.
#include "server/stub.h"

#include <stdio.h>
#include <string.h>

#include "codec/codec.h"

// --- Its tensors ---

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
static enum sp_err specs_of_model(const struct sp_loading *loading, struct sp_served *served, const char *dir,
                                  struct sp_error *error) {
  if (!dir) {
    return sp_fail(error, SP_ERR_USAGE,
                   "--model %s: a stub needs to know its tensors; give --input NAME:float32:[1,30] and "
                   "--output NAME:float32:[1,1], --scenario, or --model %s=DIR",
                   served->name, served->name);
  }
  enum sp_err err = sp_served_open(loading, served, dir, error);
  sp_engine_close(served->engine);
  served->engine = NULL;
  return err;
}

// Recorded answers have the tensors of their scenario; otherwise flags come first, then the scenario, then the model.
static enum sp_err find_specs(const struct sp_loading *loading, struct sp_served *served,
                              const struct sp_server_env *env, const char *dir, struct sp_error *error) {
  struct sp_signature *signature = &served->signature;
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
                                    : specs_of_model(loading, served, dir, error);
  if (err) return err;
  if (env->n_inputs) copy_specs(signature->inputs, &signature->n_inputs, env->inputs, env->n_inputs);
  if (env->n_outputs) copy_specs(signature->outputs, &signature->n_outputs, env->outputs, env->n_outputs);
  if (stub == SP_STUB_ECHO) copy_specs(signature->outputs, &signature->n_outputs, signature->inputs, 1);
  return SP_OK;
}

enum sp_err sp_served_stub(const struct sp_loading *loading, const struct sp_server_env *env,
                           const char *name, const char *dir, uint64_t version, struct sp_served **made,
                           struct sp_error *error) {
  struct sp_served *served = sp_served_new(name, version);
  enum sp_err err = find_specs(loading, served, env, dir, error);
  if (!err) err = sp_served_add_benches(loading, served, error);
  if (err)
    sp_served_free(served);
  else
    *made = served;
  return err;
}

// --- Its answers ---

static void put_all(const struct sp_tensor *tensor, size_t first_row, size_t n_rows, double value) {
  for (size_t i = first_row * tensor->row_elements; i < (first_row + n_rows) * tensor->row_elements; i++) {
    switch (tensor->spec.dtype) {
    case SP_DTYPE_FLOAT32: ((float *)tensor->data)[i] = (float)value; break;
    case SP_DTYPE_FLOAT64: ((double *)tensor->data)[i] = value; break;
    case SP_DTYPE_INT32: ((int32_t *)tensor->data)[i] = (int32_t)value; break;
    case SP_DTYPE_INT64: ((int64_t *)tensor->data)[i] = (int64_t)value; break;
    default: ((uint8_t *)tensor->data)[i] = (uint8_t)value; break;
    }
  }
}

static void echo(const struct sp_bench *bench, size_t first_row, size_t n_rows) {
  const struct sp_tensor *input = &bench->inputs[0];
  size_t row_bytes = input->row_elements * sp_dtype_bytes(input->spec.dtype);
  memcpy((uint8_t *)bench->own_outputs[0].data + first_row * row_bytes,
         (const uint8_t *)input->data + first_row * row_bytes, n_rows * row_bytes);
}

static bool put_recorded(const struct sp_served *served, const struct sp_bench *bench, size_t first_row,
                         size_t n_rows, size_t *unknown_row) {
  const struct sp_tensor *output = &bench->own_outputs[0];
  for (size_t row = first_row; row < first_row + n_rows; row++) {
    const double *values = sp_recorded_find(served->recorded, bench->inputs, served->signature.n_inputs, row);
    *unknown_row = row - first_row;
    if (!values) return false;
    float *to = (float *)output->data + row * output->row_elements;
    for (size_t i = 0; i < output->row_elements; i++) to[i] = (float)values[i];
  }
  return true;
}

bool sp_stub_answer(const struct sp_stub_told *stub, const struct sp_served *served,
                    const struct sp_bench *bench, size_t first_row, size_t n_rows, size_t *unknown_row) {
  if (stub->kind == SP_STUB_RECORDED) return put_recorded(served, bench, first_row, n_rows, unknown_row);
  if (stub->kind == SP_STUB_ECHO) echo(bench, first_row, n_rows);
  if (stub->kind != SP_STUB_FIXED) return true;
  for (size_t i = 0; i < served->signature.n_outputs; i++)
    put_all(&bench->own_outputs[i], first_row, n_rows, stub->fixed_value);
  return true;
}
