// Certificates and keys in PEM files, and gRPC's credentials made of them.
// gRPC types appear here: only files of rpc/ include this.
#ifndef SP_RPC_TLS_H
#define SP_RPC_TLS_H

#include <grpc/grpc_security.h>

#include "base/err.h"
#include "rpc/conf.h"
#include "rpc/listener.h"

// SP_ERR_USAGE: keys that do not go together, named as users write them. SP_ERR_ENVIRONMENT: a file that cannot be read, or is
// not PEM. Plaintext where TLS is not asked for.
enum sp_err sp_tls_client(const struct sp_rpc_link_conf *conf, grpc_channel_credentials **credentials,
                          struct sp_error *error);
enum sp_err sp_tls_server(const struct sp_listener_security *security, grpc_server_credentials **credentials,
                          struct sp_error *error);

#endif
