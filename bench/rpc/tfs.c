// Predict of TensorFlow Serving, by hand: bounded reading in place, writing without allocation.
#include "rpc/tfs.h"

#include <stdio.h>

#include "base/err.h"
#include "rpc/wire_values.h"

// Field numbers of proto/tensorflow.proto and proto/tensorflow_serving.proto.
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4 };
enum { TENSOR_FLOAT = 5, TENSOR_DOUBLE = 6, TENSOR_INT = 7, TENSOR_INT64 = 10, TENSOR_BOOL = 11 };
enum { SHAPE_DIM = 2, SHAPE_UNKNOWN_RANK = 3, DIM_SIZE = 1 };
enum { SPEC_NAME = 1, SPEC_VERSION = 2, SPEC_SIGNATURE = 3, SPEC_LABEL = 4 };
enum { REQUEST_SPEC = 1, REQUEST_INPUTS = 2, REQUEST_FILTER = 3, REPLY_OUTPUTS = 1, REPLY_SPEC = 2 };

static const struct {
  int data_type;        // tensorflow.DataType
  uint32_t values;      // the typed field of TensorProto
  enum sp_wire_type as; // an element's form there
} types[SP_DTYPE_COUNT] = {
    [SP_DTYPE_FLOAT32] = {1, TENSOR_FLOAT, SP_WIRE_32},   [SP_DTYPE_FLOAT64] = {2, TENSOR_DOUBLE, SP_WIRE_64},
    [SP_DTYPE_INT32] = {3, TENSOR_INT, SP_WIRE_VARINT},   [SP_DTYPE_UINT8] = {4, TENSOR_INT, SP_WIRE_VARINT},
    [SP_DTYPE_INT64] = {9, TENSOR_INT64, SP_WIRE_VARINT}, [SP_DTYPE_BOOL] = {10, TENSOR_BOOL, SP_WIRE_VARINT},
};

int sp_tfs_dtype(enum sp_dtype dtype) {
  SP_ASSERT(dtype < SP_DTYPE_COUNT);
  return types[dtype].data_type;
}

enum sp_dtype sp_tfs_dtype_of(int64_t data_type) {
  for (int i = 1; i < SP_DTYPE_COUNT; i++) {
    if (types[i].data_type == data_type) return (enum sp_dtype)i;
  }
  return SP_DTYPE_NONE;
}

// --- Reading ---

static bool read_dim(struct sp_bytes message, int64_t *size) {
  struct sp_wire_field field;
  *size = 0;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == DIM_SIZE && field.type == SP_WIRE_VARINT) *size = (int64_t)field.value;
  }
  return true;
}

static bool read_shape(struct sp_bytes message, struct sp_tfs_tensor *tensor) {
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == SHAPE_UNKNOWN_RANK && field.type == SP_WIRE_VARINT && field.value) return false;
    if (field.number != SHAPE_DIM || field.type != SP_WIRE_BYTES) continue;
    if (tensor->rank == SP_TENSOR_RANK_MAX) return false;
    if (!read_dim(field.bytes, &tensor->shape[tensor->rank++])) return false;
  }
  return true;
}

static bool read_tensor(struct sp_bytes message, struct sp_tfs_tensor *tensor) {
  tensor->message = message;
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == TENSOR_DTYPE && field.type == SP_WIRE_VARINT) {
      tensor->dtype = sp_tfs_dtype_of((int64_t)field.value);
    } else if (field.number == TENSOR_SHAPE && field.type == SP_WIRE_BYTES) {
      if (!read_shape(field.bytes, tensor)) return false;
    } else if (field.number == TENSOR_CONTENT && field.type == SP_WIRE_BYTES) {
      tensor->content = field.bytes.n ? field.bytes : (struct sp_bytes){0};
    }
  }
  return true;
}

// One entry of the map: key and value once each. Protobuf would merge a value that comes twice; nobody sends that.
static bool read_entry(struct sp_bytes message, struct sp_tfs_tensor *tensor) {
  memset(tensor, 0, sizeof *tensor);
  struct sp_wire_field field;
  bool has_value = false;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == ENTRY_KEY && field.type == SP_WIRE_BYTES) tensor->name = field.bytes;
    if (field.number != ENTRY_VALUE || field.type != SP_WIRE_BYTES) continue;
    if (has_value || !read_tensor(field.bytes, tensor)) return false;
    has_value = true;
  }
  return has_value;
}

static bool add_tensor(struct sp_bytes entry, struct sp_tfs_predict *predict, const char **reason) {
  *reason = "more tensors than a model may have";
  if (predict->n_tensors == SP_TENSORS_MAX) return false;
  struct sp_tfs_tensor *tensor = &predict->tensors[predict->n_tensors];
  *reason = "a tensor cannot be read";
  if (!read_entry(entry, tensor)) return false;
  *reason = "a tensor is there twice";
  for (size_t i = 0; i < predict->n_tensors; i++) {
    struct sp_bytes other = predict->tensors[i].name;
    if (other.n == tensor->name.n && (!other.n || memcmp(other.data, tensor->name.data, other.n) == 0))
      return false;
  }
  predict->n_tensors++;
  return true;
}

static bool read_version(struct sp_bytes message, int64_t *version) {
  return read_dim(message, version); // Int64Value: field 1, as in Dim
}

static bool read_spec(struct sp_bytes message, struct sp_tfs_model_spec *spec) {
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.type != SP_WIRE_BYTES) continue;
    if (field.number == SPEC_NAME) spec->name = field.bytes;
    if (field.number == SPEC_SIGNATURE) spec->signature = field.bytes;
    if (field.number == SPEC_LABEL) spec->label = field.bytes;
    if (field.number == SPEC_VERSION && !read_version(field.bytes, &spec->version)) return false;
  }
  return true;
}

static bool read_predict(struct sp_bytes message, uint32_t spec, uint32_t tensors, uint32_t filter,
                         struct sp_tfs_predict *predict, const char **reason) {
  memset(&predict->spec, 0, sizeof predict->spec);
  predict->n_tensors = predict->n_filters = 0;
  struct sp_wire_field field;
  while (message.n) {
    *reason = "the message cannot be read";
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.type != SP_WIRE_BYTES) continue;
    if (field.number == tensors) {
      if (!add_tensor(field.bytes, predict, reason)) return false;
    } else if (field.number == spec) {
      *reason = "model_spec cannot be read";
      if (!read_spec(field.bytes, &predict->spec)) return false;
    } else if (field.number == filter) {
      *reason = "more names in output_filter than outputs allowed";
      if (predict->n_filters == SP_TENSORS_MAX) return false;
      predict->filters[predict->n_filters++] = field.bytes;
    }
  }
  return true;
}

bool sp_tfs_read_request(struct sp_bytes message, struct sp_tfs_predict *predict, const char **reason) {
  return read_predict(message, REQUEST_SPEC, REQUEST_INPUTS, REQUEST_FILTER, predict, reason);
}

bool sp_tfs_read_reply(struct sp_bytes message, struct sp_tfs_predict *predict, const char **reason) {
  return read_predict(message, REPLY_SPEC, REPLY_OUTPUTS, UINT32_MAX, predict, reason);
}

const struct sp_tfs_tensor *sp_tfs_find(const struct sp_tfs_predict *predict, const char *name) {
  size_t n = strlen(name);
  for (size_t i = 0; i < predict->n_tensors; i++) {
    struct sp_bytes have = predict->tensors[i].name;
    if (have.n == n && (!n || memcmp(have.data, name, n) == 0)) return &predict->tensors[i];
  }
  return NULL;
}

size_t sp_tfs_rows(const struct sp_tfs_tensor *tensor, const struct sp_tensor_spec *spec) {
  if (tensor->dtype != spec->dtype || tensor->rank != spec->rank || !tensor->rank || tensor->shape[0] <= 0)
    return 0;
  for (uint32_t i = 1; i < spec->rank; i++) {
    if (tensor->shape[i] != spec->shape[i]) return 0;
  }
  return (size_t)tensor->shape[0];
}

static void repeat_last(struct sp_wire_values *values) {
  size_t element_bytes = sp_dtype_bytes(values->dtype);
  for (; values->n < values->n_max; values->n++) {
    uint8_t *to = values->to + values->n * element_bytes;
    memcpy(to, to - element_bytes, element_bytes);
  }
}

bool sp_tfs_read_values(const struct sp_tfs_tensor *tensor, size_t n_elements, void *to) {
  if (tensor->dtype == SP_DTYPE_NONE) return false;
  struct sp_wire_values values = {tensor->dtype, types[tensor->dtype].as, to, 0, n_elements};
  if (tensor->content.n) {
    return tensor->content.n == n_elements * sp_dtype_bytes(tensor->dtype) &&
           sp_wire_add_raw(&values, tensor->content);
  }
  struct sp_bytes message = tensor->message;
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == types[tensor->dtype].values && !sp_wire_add_values(&values, &field)) return false;
  }
  if (!values.n) return false;
  repeat_last(&values);
  return true;
}

char *sp_tfs_tensor_text(const struct sp_tfs_tensor *tensor, char *text, size_t n) {
  struct sp_tensor_spec spec = {.dtype = tensor->dtype, .rank = tensor->rank};
  memcpy(spec.shape, tensor->shape, sizeof spec.shape);
  return sp_tensor_spec_text(&spec, text, n);
}

// --- Writing ---

size_t sp_tfs_write_request_spec(const char *model, uint64_t version, const char *label, const char *output,
                                 uint8_t *to) {
  size_t n_name = strlen(model), n_label = label ? strlen(label) : 0, n_output = output ? strlen(output) : 0;
  SP_ASSERT(n_name < SP_TFS_MODEL_NAME_BYTES && n_label < SP_TFS_MODEL_NAME_BYTES);
  SP_ASSERT(n_output < sizeof((struct sp_tensor_spec *)0)->name);
  size_t n_version = 1 + sp_wire_varint_bytes(version), n_choice = 0; // inside Int64Value
  if (label)
    n_choice = sp_wire_field_bytes(n_label);
  else if (version)
    n_choice = sp_wire_field_bytes(n_version);
  uint8_t *at = sp_wire_write_head(to, REQUEST_SPEC, sp_wire_field_bytes(n_name) + n_choice);
  at = sp_wire_write_bytes(at, SPEC_NAME, model, n_name);
  if (label) {
    at = sp_wire_write_bytes(at, SPEC_LABEL, label, n_label);
  } else if (version) {
    at = sp_wire_write_head(at, SPEC_VERSION, n_version);
    at = sp_wire_write_varint(sp_wire_write_tag(at, 1, SP_WIRE_VARINT), version);
  }
  if (output) at = sp_wire_write_bytes(at, REQUEST_FILTER, output, n_output);
  return (size_t)(at - to);
}

static size_t dim_bytes(uint64_t size) {
  return 1 + sp_wire_varint_bytes(size);
}

static size_t shape_bytes(const struct sp_tensor_spec *spec, size_t n_rows) {
  size_t n = sp_wire_field_bytes(dim_bytes(n_rows));
  for (uint32_t i = 1; i < spec->rank; i++) n += sp_wire_field_bytes(dim_bytes((uint64_t)spec->shape[i]));
  return n;
}

static uint8_t *write_dim(uint8_t *to, uint64_t size) {
  to = sp_wire_write_head(to, SHAPE_DIM, dim_bytes(size));
  return sp_wire_write_varint(sp_wire_write_tag(to, DIM_SIZE, SP_WIRE_VARINT), size);
}

// A map entry in field `map` with n_values bytes of elements in field `values`, up to where they follow.
static uint8_t *write_tensor_head(uint8_t *to, uint32_t map, const struct sp_tensor_spec *spec, size_t n_rows,
                                  uint32_t values, size_t n_values) {
  SP_ASSERT(spec->rank > 0);
  size_t n_name = strlen(spec->name), n_shape = shape_bytes(spec, n_rows);
  size_t n_tensor = 2 + sp_wire_field_bytes(n_shape) + sp_wire_field_bytes(n_values);
  to = sp_wire_write_head(to, map, sp_wire_field_bytes(n_name) + sp_wire_field_bytes(n_tensor));
  to = sp_wire_write_bytes(to, ENTRY_KEY, spec->name, n_name);
  to = sp_wire_write_head(to, ENTRY_VALUE, n_tensor);
  to = sp_wire_write_varint(sp_wire_write_tag(to, TENSOR_DTYPE, SP_WIRE_VARINT),
                            (uint64_t)types[spec->dtype].data_type);
  to = sp_wire_write_head(to, TENSOR_SHAPE, n_shape);
  to = write_dim(to, n_rows);
  for (uint32_t i = 1; i < spec->rank; i++) to = write_dim(to, (uint64_t)spec->shape[i]);
  return sp_wire_write_head(to, values, n_values);
}

size_t sp_tfs_write_input_head(const struct sp_tensor_spec *spec, size_t n_rows, uint8_t *to) {
  size_t n_values = n_rows * sp_tensor_row_elements(spec) * sp_dtype_bytes(spec->dtype);
  return (size_t)(write_tensor_head(to, REQUEST_INPUTS, spec, n_rows, TENSOR_CONTENT, n_values) - to);
}

// An element as the typed integer fields hold it: negative ones in ten bytes.
static uint64_t integer_of(const struct sp_tensor *tensor, size_t i) {
  switch (tensor->spec.dtype) {
  case SP_DTYPE_INT32: return (uint64_t)(int64_t)((const int32_t *)tensor->data)[i];
  case SP_DTYPE_INT64: return (uint64_t)((const int64_t *)tensor->data)[i];
  default: return ((const uint8_t *)tensor->data)[i];
  }
}

static uint8_t *write_output(uint8_t *to, const struct sp_tensor *output, size_t n_rows) {
  size_t n = n_rows * output->row_elements;
  uint32_t values = types[output->spec.dtype].values;
  if (types[output->spec.dtype].as != SP_WIRE_VARINT) {
    size_t n_bytes = n * sp_dtype_bytes(output->spec.dtype);
    to = write_tensor_head(to, REPLY_OUTPUTS, &output->spec, n_rows, values, n_bytes);
    if (n_bytes) memcpy(to, output->data, n_bytes);
    return to + n_bytes;
  }
  size_t n_bytes = 0;
  for (size_t i = 0; i < n; i++) n_bytes += sp_wire_varint_bytes(integer_of(output, i));
  to = write_tensor_head(to, REPLY_OUTPUTS, &output->spec, n_rows, values, n_bytes);
  for (size_t i = 0; i < n; i++) to = sp_wire_write_varint(to, integer_of(output, i));
  return to;
}

size_t sp_tfs_reply_bound(const struct sp_tensor *outputs, size_t n_outputs, size_t n_rows) {
  size_t n = 2 * SP_TFS_MODEL_NAME_BYTES;
  for (size_t i = 0; i < n_outputs; i++) n += SP_TFS_HEAD_BYTES + n_rows * outputs[i].row_elements * 10;
  return n;
}

size_t sp_tfs_write_reply(const char *model, uint64_t version, const struct sp_tensor *outputs,
                          const bool *wanted, size_t n_outputs, size_t n_rows, uint8_t *to) {
  uint8_t *at = to;
  for (size_t i = 0; i < n_outputs; i++) {
    if (wanted[i]) at = write_output(at, &outputs[i], n_rows);
  }
  size_t n_name = strlen(model), n_version = 1 + sp_wire_varint_bytes(version);
  at = sp_wire_write_head(at, REPLY_SPEC, sp_wire_field_bytes(n_name) + sp_wire_field_bytes(n_version));
  at = sp_wire_write_bytes(at, SPEC_NAME, model, n_name);
  at = sp_wire_write_head(at, SPEC_VERSION, n_version);
  at = sp_wire_write_varint(sp_wire_write_tag(at, 1, SP_WIRE_VARINT), version);
  return (size_t)(at - to);
}
