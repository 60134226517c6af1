// TensorFlow Serving's messages, both halves. Predict is read and written by hand, since protobuf-c would allocate for every
// field of every call; a test holds it against protobuf-c. Status and metadata (tfs_model.h) go through protobuf-c.
//
// Requests carry tensor_content, answers the typed field (float_val, ...): what TensorFlow's own client (make_tensor_proto)
// and TensorFlow Serving send, so foreign peers see what they are used to. For float32 both are the same raw copy; for int64
// tensor_content spares a varint per element. Both forms are read from either side.
#ifndef SP_RPC_TFS_H
#define SP_RPC_TFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/tensor.h"

#define SP_TFS_PREDICT            "/tensorflow.serving.PredictionService/Predict"
#define SP_TFS_GET_MODEL_METADATA "/tensorflow.serving.PredictionService/GetModelMetadata"
#define SP_TFS_GET_MODEL_STATUS   "/tensorflow.serving.ModelService/GetModelStatus"
#define SP_HEALTH_CHECK           "/grpc.health.v1.Health/Check"
#define SP_HEALTH_WATCH           "/grpc.health.v1.Health/Watch" // a stream

#define SP_TFS_SIGNATURE        "serving_default"
#define SP_TFS_MODEL_NAME_BYTES 256

// TensorFlow's DataType for ours and back; 0 and SP_DTYPE_NONE where there is none.
int sp_tfs_dtype(enum sp_dtype dtype);
enum sp_dtype sp_tfs_dtype_of(int64_t data_type);

// --- Reading: everything points into the message ---

struct sp_tfs_tensor {
  struct sp_bytes name;
  enum sp_dtype dtype; // SP_DTYPE_NONE: absent or one that we do not have
  uint32_t rank;
  int64_t shape[SP_TENSOR_RANK_MAX];
  struct sp_bytes content; // tensor_content; data NULL: typed fields
  struct sp_bytes message; // the whole TensorProto
};

struct sp_tfs_model_spec {
  struct sp_bytes name, signature, label;
  int64_t version; // 0: not given
};

// A PredictRequest, or with the same fields a PredictResponse.
struct sp_tfs_predict {
  struct sp_tfs_model_spec spec;
  size_t n_tensors; // inputs (outputs), in the message's order; at most SP_TENSORS_MAX, names unique
  struct sp_tfs_tensor tensors[SP_TENSORS_MAX];
  size_t n_filters;
  struct sp_bytes filters[SP_TENSORS_MAX]; // output_filter
};

// False with a reason (static text) where the bytes are no such message, name a tensor twice, or hold more tensors or
// dimensions than SP_TENSORS_MAX, SP_TENSOR_RANK_MAX. Allocates nothing; time is linear in the length.
bool sp_tfs_read_request(struct sp_bytes message, struct sp_tfs_predict *predict, const char **reason);
bool sp_tfs_read_reply(struct sp_bytes message, struct sp_tfs_predict *predict, const char **reason);

// The tensor of that name, NULL if there is none.
const struct sp_tfs_tensor *sp_tfs_find(const struct sp_tfs_predict *predict, const char *name);

// Rows that it holds if type and shape (apart from shape[0]) are those of `spec`; 0 otherwise.
size_t sp_tfs_rows(const struct sp_tfs_tensor *tensor, const struct sp_tensor_spec *spec);

// Copies n_elements (of tensor->dtype) to `to`. Of typed fields fewer may be there: the last is repeated, as TensorFlow
// does. False where there are too many or none, or tensor_content has another length.
bool sp_tfs_read_values(const struct sp_tfs_tensor *tensor, size_t n_elements, void *to);

// "float32 [1, 30]" of what came, for messages.
char *sp_tfs_tensor_text(const struct sp_tfs_tensor *tensor, char *text, size_t n);

// --- Writing ---

// Longest head of one tensor: tags, lengths, name, type, shape.
#define SP_TFS_HEAD_BYTES 320

// model_spec (version 0: not said; label: in its place, NULL: none) and output_filter (NULL: all) of a request; returns the
// bytes written to `to`, which has room for 3 x SP_TFS_MODEL_NAME_BYTES.
size_t sp_tfs_write_request_spec(const char *model, uint64_t version, const char *label, const char *output,
                                 uint8_t *to);
// Everything of an input up to its elements, which follow as they stand in memory: n_rows rows.
size_t sp_tfs_write_input_head(const struct sp_tensor_spec *spec, size_t n_rows, uint8_t *to);

// Bytes that sp_tfs_write_reply can need.
size_t sp_tfs_reply_bound(const struct sp_tensor *outputs, size_t n_outputs, size_t n_rows);
// A PredictResponse of the first n_rows rows of outputs[i] where wanted[i]; returns its length.
size_t sp_tfs_write_reply(const char *model, uint64_t version, const struct sp_tensor *outputs,
                          const bool *wanted, size_t n_outputs, size_t n_rows, uint8_t *to);

#endif
