// tensorflow.TensorProto in the JSON form of protobuf: {"dtype":"DT_FLOAT","tensorShape":{"dim":[{"size":"1"},{"size":"30"}]},
// "floatVal":[...]}; both spellings of a name (tensorShape, tensor_shape), 64-bit integers as numbers or strings, and the
// bytes of tensorContent in base64.
#ifndef SP_CODEC_TENSOR_PROTO_H
#define SP_CODEC_TENSOR_PROTO_H

#include "base/tensor.h"
#include "codec/json.h"

struct sp_tensor_proto; // pointers to its fields
struct sp_tensor_proto *sp_tensor_proto_new(void);
void sp_tensor_proto_free(struct sp_tensor_proto *proto);

const char *sp_tensor_proto_dtype(enum sp_dtype dtype);  // "DT_FLOAT"
const char *sp_tensor_proto_values(enum sp_dtype dtype); // "floatVal"

// One row: the object must have `spec`'s element type and shape. The first `room` elements are stored as `stored` (which is
// spec->dtype or float64). A single value, or fewer than the shape asks for, stand for the rest as in TensorFlow: the last one
// is repeated. Returns NULL, or what is wrong.
const char *sp_tensor_proto_read(const struct sp_tensor_proto *proto, struct sp_json object,
                                 const struct sp_tensor_spec *spec, enum sp_dtype stored, void *data,
                                 size_t room);

#endif
