// The tensors that a model server says its model has, whatever the protocol, and whether ours fit them.
#ifndef SP_RPC_SIGNATURE_H
#define SP_RPC_SIGNATURE_H

#include "rpc/rpc.h"

// shape[0] is -1 (any) or as the server says. A tensor of unknown rank has rank 0, one of an element type that we cannot
// send SP_DTYPE_NONE.
struct sp_signature {
  size_t n_inputs, n_outputs;
  struct sp_tensor_spec inputs[SP_TENSORS_MAX];
  struct sp_tensor_spec outputs[SP_TENSORS_MAX];
};

// env's inputs are the model's, each with its name, element type and row shape. SP_ERR_USAGE naming the first that is not.
enum sp_err sp_signature_check_inputs(const struct sp_rpc_env *env, const struct sp_signature *have,
                                      struct sp_error *error);
// env->output, or the only one, into *output with shape[0] = 1. SP_ERR_USAGE: there is none of that name, several, or it is
// no dense tensor of numbers.
enum sp_err sp_signature_choose_output(const struct sp_rpc_env *env, const struct sp_signature *have,
                                       struct sp_tensor_spec *output, struct sp_error *error);

#endif
