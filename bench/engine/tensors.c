// Which tensors of a model can be fed and read: batch first, of any size or one; every other dimension known.
#include "engine/tensors.h"

#include <string.h>

static const char *why_unusable(const struct sp_model_tensor *tensor) {
  if (strlen(tensor->name) >= sizeof((struct sp_tensor_spec *)0)->name)
    return "has a name of more than 127 bytes";
  if (tensor->dtype == SP_DTYPE_NONE) return "is no tensor of float32, float64, int32, int64, uint8 or bool";
  if (tensor->rank == 0 || tensor->rank > SP_TENSOR_RANK_MAX)
    return "has no batch dimension, or more than 8 dimensions";
  if (tensor->shape[0] != -1 && tensor->shape[0] != 1) return "has a fixed batch of more than one row";
  for (size_t i = 1; i < tensor->rank; i++) {
    if (tensor->shape[i] <= 0) return "has a dimension of unknown size after the batch";
  }
  return NULL;
}

static struct sp_tensor_spec spec_of(const struct sp_model_tensor *tensor) {
  struct sp_tensor_spec spec = {.dtype = tensor->dtype, .rank = (uint32_t)tensor->rank};
  strcpy(spec.name, tensor->name);
  memcpy(spec.shape, tensor->shape, tensor->rank * sizeof spec.shape[0]);
  return spec;
}

enum sp_err sp_model_add_input(struct sp_model_io *io, const struct sp_model_tensor *tensor, const char *file,
                               struct sp_error *error) {
  const char *why = why_unusable(tensor);
  if (!why && io->n_inputs == SP_TENSORS_MAX) why = "is the seventeenth, and at most 16 are supported";
  if (why) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: input \"%.200s\" %s; export the model with inputs [N, ...] of known sizes", file,
                   tensor->name, why);
  }
  io->inputs[io->n_inputs++] = spec_of(tensor);
  return SP_OK;
}

bool sp_model_add_output(struct sp_model_io *io, const struct sp_model_tensor *tensor) {
  if (why_unusable(tensor) || io->n_outputs == SP_TENSORS_MAX) return false;
  io->outputs[io->n_outputs++] = spec_of(tensor);
  return true;
}

enum sp_err sp_model_check_outputs(const struct sp_model_io *io, const char *file, struct sp_error *error) {
  if (io->n_outputs > 0) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "%s: has no output that is a tensor [N, ...] of known sizes; export it with one", file);
}
