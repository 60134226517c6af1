// What describing a model over gRPC has in common, whatever the protocol: asking, what the server says of itself, and why it
// refuses.
#ifndef SP_RPC_GRPC_DESCRIBE_H
#define SP_RPC_GRPC_DESCRIBE_H

#include "rpc/channel.h"
#include "rpc/protocol.h"

// One call on the peer's channel. What the server says of itself in trailing metadata goes into *server where it says it.
// free(unary->reply).
void sp_describe_ask(const struct sp_peer *peer, const char *method, struct sp_bytes request,
                     struct sp_rpc_server_facts *server, struct sp_unary *unary);

// SP_ERR_ENVIRONMENT for a call that failed: `model server HOST:PORT WHAT (CODE: text); REMEDY`, with another remedy where the
// code itself tells one (UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED).
enum sp_err sp_describe_fail(const struct sp_peer *peer, const struct sp_unary *unary, const char *what,
                             const char *remedy, struct sp_error *error);

// For a server that describes nothing: one prediction of zeros shows the outputs.
enum sp_err sp_describe_probe(const struct sp_peer *peer, const struct sp_protocol *protocol,
                              struct sp_rpc_server_facts *server, struct sp_tensor_spec *output,
                              struct sp_error *error);

// "fraud", "fraud version 3", "fraud with label stable".
char *sp_describe_model(const struct sp_rpc_env *env, char *text, size_t n);

#endif
