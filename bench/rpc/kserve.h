// The Open Inference Protocol (KServe v2) over gRPC, both halves, by hand for the same reason as tfs.h; a test holds it
// against protobuf-c and the official stubs.
//
// Requests and answers that we write carry raw contents: what Triton's own client and servers send, and a plain copy. Typed
// contents (InferTensorContents) are read from either side too.
#ifndef SP_RPC_KSERVE_H
#define SP_RPC_KSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/tensor.h"
#include "rpc/signature.h"

#define SP_KSERVE_SERVICE         "inference.GRPCInferenceService"
#define SP_KSERVE_SERVER_LIVE     "/" SP_KSERVE_SERVICE "/ServerLive"
#define SP_KSERVE_SERVER_READY    "/" SP_KSERVE_SERVICE "/ServerReady"
#define SP_KSERVE_SERVER_METADATA "/" SP_KSERVE_SERVICE "/ServerMetadata"
#define SP_KSERVE_MODEL_READY     "/" SP_KSERVE_SERVICE "/ModelReady"
#define SP_KSERVE_MODEL_METADATA  "/" SP_KSERVE_SERVICE "/ModelMetadata"
#define SP_KSERVE_MODEL_INFER     "/" SP_KSERVE_SERVICE "/ModelInfer"

#define SP_KSERVE_NAME_BYTES 256 // a model's name with its end

// "FP32" for ours and back, over gRPC and REST alike; "" and SP_DTYPE_NONE where there is none.
const char *sp_kserve_datatype(enum sp_dtype dtype);
enum sp_dtype sp_kserve_dtype_of(struct sp_bytes datatype);

// --- Reading: everything points into the message ---

struct sp_kserve_tensor {
  struct sp_bytes name;
  enum sp_dtype dtype; // SP_DTYPE_NONE: absent or one that we do not have
  uint32_t rank;
  int64_t shape[SP_TENSOR_RANK_MAX];
  struct sp_bytes raw;      // data NULL: typed contents
  struct sp_bytes contents; // its InferTensorContents; data NULL: none
};

// A ModelInferRequest, or with the same fields a ModelInferResponse.
struct sp_kserve_infer {
  struct sp_bytes model, id;
  int64_t version;  // 0: not given; -1: not a number from 1 on
  size_t n_tensors; // inputs (outputs), in the message's order; at most SP_TENSORS_MAX, names unique
  struct sp_kserve_tensor tensors[SP_TENSORS_MAX];
  size_t n_outputs; // outputs asked for
  struct sp_bytes outputs[SP_TENSORS_MAX];
};

// False with a reason (static text) where the bytes are no such message, name a tensor twice, hold more tensors or
// dimensions than SP_TENSORS_MAX, SP_TENSOR_RANK_MAX, or raw contents for some tensors only. Allocates nothing; time is
// linear in the length.
bool sp_kserve_read_request(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason);
bool sp_kserve_read_reply(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason);

// The tensor of that name, NULL if there is none.
const struct sp_kserve_tensor *sp_kserve_find(const struct sp_kserve_infer *infer, const char *name);

// Rows that it holds if type and shape (apart from shape[0]) are those of `spec`; 0 otherwise.
size_t sp_kserve_rows(const struct sp_kserve_tensor *tensor, const struct sp_tensor_spec *spec);

// Copies n_elements (of tensor->dtype) to `to`. False where the contents hold more or fewer.
bool sp_kserve_read_values(const struct sp_kserve_tensor *tensor, size_t n_elements, void *to);

// "float32 [1, 30]" of what came, for messages.
char *sp_kserve_tensor_text(const struct sp_kserve_tensor *tensor, char *text, size_t n);

// --- Writing ---

// Longest head of one tensor: tags, lengths, name, type, shape.
#define SP_KSERVE_HEAD_BYTES 320

// model_name, model_version (0: not said) and the output wanted (NULL: all) of a request; returns the bytes written to `to`,
// which has room for 2 x SP_KSERVE_NAME_BYTES.
size_t sp_kserve_write_request_spec(const char *model, uint64_t version, const char *output, uint8_t *to);
// Everything of an input up to its raw contents, which follow as they stand in memory: n_rows rows. Inputs of one request
// come one after the other.
size_t sp_kserve_write_input_head(const struct sp_tensor_spec *spec, size_t n_rows, uint8_t *to);

// Bytes that sp_kserve_write_reply can need.
size_t sp_kserve_reply_bound(struct sp_bytes id, const struct sp_tensor *outputs, size_t n_outputs,
                             size_t n_rows);
// A ModelInferResponse of the first n_rows rows of outputs[i] where wanted[i], with the request's id; returns its length.
size_t sp_kserve_write_reply(const char *model, uint64_t version, struct sp_bytes id,
                             const struct sp_tensor *outputs, const bool *wanted, size_t n_outputs,
                             size_t n_rows, uint8_t *to);

// --- What a server says about itself and its models ---

// ModelReadyRequest and ModelMetadataRequest: name, and a version unless 0, into room for 2 x SP_KSERVE_NAME_BYTES.
size_t sp_kserve_write_model_request(const char *model, uint64_t version, uint8_t *to);
struct sp_kserve_model_request {
  struct sp_bytes model;
  int64_t version; // as in struct sp_kserve_infer
};
// False if the bytes are no such message.
bool sp_kserve_read_model_request(struct sp_bytes request, struct sp_kserve_model_request *read);

// ServerLiveResponse, ServerReadyResponse and ModelReadyResponse: one flag. Room for two bytes.
size_t sp_kserve_write_flag(bool is_so, uint8_t *to);
bool sp_kserve_read_flag(struct sp_bytes reply, bool *is_so);

// ModelMetadataResponse.
size_t sp_kserve_metadata_bound(size_t n_versions, const char *platform);
size_t sp_kserve_write_metadata(const char *model, const uint64_t *versions, size_t n_versions,
                                const char *platform, const struct sp_signature *signature, uint8_t *to);
// False with a reason (static text). A server that does not describe its model gives no tensors at all.
bool sp_kserve_read_metadata(struct sp_bytes reply, struct sp_signature *signature, const char **reason);

// ServerMetadataResponse: name and version, each shorter than SP_KSERVE_NAME_BYTES, into room for 2 x that; read into
// "NAME VERSION", cut, as it came (not yet printable).
size_t sp_kserve_write_server_metadata(const char *name, const char *version, uint8_t *to);
bool sp_kserve_read_server_metadata(struct sp_bytes reply, char *text, size_t n_text);

#endif
