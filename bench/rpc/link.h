// What goes with every call of a client over gRPC: credentials, and metadata made ready once.
// gRPC types appear here: only files of rpc/ include this.
#ifndef SP_RPC_LINK_H
#define SP_RPC_LINK_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdbool.h>

#include "base/err.h"
#include "rpc/conf.h"

#define SP_LINK_METADATA_MAX 16

struct sp_link {
  bool has_tls, has_client_cert;
  char *server_name; // that the certificate must have; NULL: that of the address
  grpc_channel_credentials *credentials;
  size_t n_metadata;
  grpc_metadata metadata[SP_LINK_METADATA_MAX + 1]; // with the bearer token
};

// After sp_grpc_start; end with sp_link_done, also where this failed. SP_ERR_USAGE: keys that do not go together, metadata
// that gRPC does not carry or that is reserved (sp-, grpc-), more than SP_LINK_METADATA_MAX. SP_ERR_ENVIRONMENT: a
// certificate or key that cannot be read. The value of a key that ends with -bin is its bytes in base64, as on the wire.
enum sp_err sp_link_init(struct sp_link *link, const struct sp_rpc_link_conf *conf, struct sp_error *error);
void sp_link_done(struct sp_link *link);

#endif
