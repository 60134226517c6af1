// How calls travel, behind rpc.h: gRPC (grpc_client.c) or HTTP (rest_client.c). One table each; rpc.c chooses by protocol.
#ifndef SP_RPC_OPS_H
#define SP_RPC_OPS_H

#include "rpc/rpc.h"

// Each function is what rpc.h says of sp_rpc_client_NAME, sp_rpc_call_NAME, sp_rpc_NAME; client and call are the
// implementation's own.
struct sp_rpc_ops {
  enum sp_err (*client_new)(const struct sp_rpc_env *env, void **client, struct sp_tensor_spec *output,
                            struct sp_error *error);
  void (*client_free)(void *client);
  const struct sp_rpc_server_facts *(*server)(const void *client);
  void *(*call_new)(void *client, unsigned queue_i, struct sp_tensor ***inputs,
                    const struct sp_tensor **output, void *user);
  void (*call_free)(void *call);
  void (*call_start)(void *call, size_t n_rows);
  size_t (*reap)(void *client, unsigned queue_i, int64_t deadline_ns, sp_rpc_done done, void *context);
  void (*wake)(void *client, unsigned queue_i);
  const char *(*library)(void); // "grpc core 29.0.0", "libcurl 7.88.1"
};

extern const struct sp_rpc_ops sp_rpc_grpc_ops;
extern const struct sp_rpc_ops sp_rpc_rest_ops;

#endif
