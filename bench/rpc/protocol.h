// A protocol that model servers speak over gRPC: the client's half behind one table. One file each, listed in
// grpc_client.c and rpc.c.
#ifndef SP_RPC_PROTOCOL_H
#define SP_RPC_PROTOCOL_H

#include "rpc/channel.h"
#include "rpc/rpc.h"
#include "rpc/signature.h"

// A request is the spec, then for each input a head and its rows as they stand in memory.
#define SP_PROTOCOL_SPEC_BYTES 1024
#define SP_PROTOCOL_HEAD_BYTES 512

struct sp_peer { // a server that a channel is ready to
  const struct sp_rpc_env *env;
  grpc_channel *channel;
  const struct sp_link *link;
};

struct sp_protocol {
  const char *name;
  const char *predict; // the method of a prediction, "/package.Service/Method"
  // Of env, what the protocol has no words for. SP_ERR_USAGE.
  enum sp_err (*check)(const struct sp_rpc_env *env, struct sp_error *error);
  // Asks a ready server about env's model and compares it with env's inputs and output; fills *output (shape[0] = 1) and
  // *server (all empty before).
  // SP_ERR_ENVIRONMENT (model, version unknown), SP_ERR_USAGE (tensors differ).
  enum sp_err (*describe)(const struct sp_peer *peer, struct sp_rpc_server_facts *server,
                          struct sp_tensor_spec *output, struct sp_error *error);
  size_t (*write_spec)(const struct sp_rpc_env *env, const char *output, uint8_t *to);
  size_t (*write_input_head)(const struct sp_tensor_spec *spec, size_t n_rows, uint8_t *to);
  // Copies n_rows rows of output->spec out of a reply. False with what is wrong with it in text.
  bool (*read_reply)(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                     size_t n_text);
  // The outputs of a reply, as a signature without inputs. False where it cannot be read.
  bool (*read_outputs)(struct sp_bytes reply, struct sp_signature *signature);
};

extern const struct sp_protocol sp_protocol_tfs;
extern const struct sp_protocol sp_protocol_kserve;

#endif
