// What a model says of its inputs and outputs, put into struct sp_model_io by one rule. For the engines of this folder.
#ifndef SP_ENGINE_TENSORS_H
#define SP_ENGINE_TENSORS_H

#include "engine/engine.h"

// What an engine read of one tensor; the limits are checked here.
struct sp_model_tensor {
  const char *name;
  enum sp_dtype dtype; // SP_DTYPE_NONE: no tensor, or of an element type that we do not have
  size_t rank;
  int64_t shape[SP_TENSOR_RANK_MAX]; // of the first dimensions; -1: unknown or any
};

// Adds an input. SP_ERR_USAGE where it cannot be fed: element type or sizes unknown, a fixed batch, too many inputs.
enum sp_err sp_model_add_input(struct sp_model_io *io, const struct sp_model_tensor *tensor, const char *file,
                               struct sp_error *error);
// Adds an output; false where it is none that can be read, and is left out.
bool sp_model_add_output(struct sp_model_io *io, const struct sp_model_tensor *tensor);
// SP_ERR_USAGE for a model without any output.
enum sp_err sp_model_check_outputs(const struct sp_model_io *io, const char *file, struct sp_error *error);

#endif
