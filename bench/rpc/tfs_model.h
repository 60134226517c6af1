// What TensorFlow Serving says about a model, both halves: GetModelStatus, GetModelMetadata; and gRPC's health check. Not on
// a hot path: protobuf-c, with an allocator that stops a hostile message from taking more than SP_TFS_BUDGET_BYTES.
#ifndef SP_RPC_TFS_MODEL_H
#define SP_RPC_TFS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/tensor.h"
#include "rpc/signature.h"
#include "rpc/tfs.h"

#define SP_TFS_BUDGET_BYTES ((size_t)4 << 20)

// What our server adds to a status reply, in trailing metadata: "servepath 0.1.0"; "recorded", "fixed" or "echo" where it is
// a stub; the digest of the model file that it loaded, where it is none. Others say nothing.
#define SP_TFS_NOTE_SOFTWARE     "sp-server"
#define SP_TFS_NOTE_STUB         "sp-stub"
#define SP_TFS_NOTE_MODEL_DIGEST "sp-model-digest"

// A message ready to be sent; free(data).
struct sp_tfs_message {
  uint8_t *data;
  size_t n;
};

// --- The client's half ---
// version 0: not said; label: asked for in its place, NULL: none.
struct sp_tfs_message sp_tfs_write_status_request(const char *model, uint64_t version, const char *label);
struct sp_tfs_message sp_tfs_write_metadata_request(const char *model, uint64_t version, const char *label);
// *is_available: some version (or just `version`, where not 0) is AVAILABLE. False if it is no such message.
bool sp_tfs_read_status_reply(struct sp_bytes reply, uint64_t version, bool *is_available);
// The signature serving_default. False with a static reason.
bool sp_tfs_read_metadata_reply(struct sp_bytes reply, struct sp_signature *signature, const char **reason);

// --- The server's half ---
struct sp_tfs_model_request {
  char model[SP_TFS_MODEL_NAME_BYTES];
  int64_t version;      // 0: not given
  char label[64];       // a version label; empty: none
  bool wants_signature; // GetModelMetadata: "signature_def" is among the fields
};
// False if the bytes are no such message, or name or label are too long.
bool sp_tfs_read_status_request(struct sp_bytes request, struct sp_tfs_model_request *read);
bool sp_tfs_read_metadata_request(struct sp_bytes request, struct sp_tfs_model_request *read);
// Every version as AVAILABLE.
struct sp_tfs_message sp_tfs_write_status_reply(const uint64_t *versions, size_t n_versions);
struct sp_tfs_message sp_tfs_write_metadata_reply(const char *model, uint64_t version,
                                                  const struct sp_signature *signature);

// grpc.health.v1: the service asked for ("": the server) into `service`; false if it is no such message or too long.
bool sp_health_read_request(struct sp_bytes request, char *service, size_t n);
enum sp_health { SP_HEALTH_SERVING = 1, SP_HEALTH_NOT_SERVING = 2, SP_HEALTH_SERVICE_UNKNOWN = 3 };
#define SP_HEALTH_REPLY_BYTES 2
size_t sp_health_write_reply(enum sp_health status, uint8_t to[SP_HEALTH_REPLY_BYTES]); // its length

#endif
