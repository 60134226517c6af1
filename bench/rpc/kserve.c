// ModelInfer of the Open Inference Protocol, by hand: bounded reading in place, writing without allocation.
#include "rpc/kserve.h"

#include <stdio.h>

#include "base/err.h"
#include "rpc/wire_values.h"

// Field numbers of proto/kserve.proto.
enum { TENSOR_NAME = 1, TENSOR_DATATYPE = 2, TENSOR_SHAPE = 3, TENSOR_CONTENTS = 5, OUTPUT_NAME = 1 };
enum { CONTENTS_BOOL = 1, CONTENTS_INT = 2, CONTENTS_INT64 = 3, CONTENTS_UINT = 4 };
enum { CONTENTS_FP32 = 6, CONTENTS_FP64 = 7 };
enum { INFER_MODEL = 1, INFER_VERSION = 2, INFER_ID = 3, INFER_TENSORS = 5 };
enum { REQUEST_OUTPUTS = 6, REQUEST_RAW = 7, REPLY_RAW = 6 };
enum { MODEL_NAME = 1, MODEL_VERSION = 2, FLAG = 1, SERVER_NAME = 1, SERVER_VERSION = 2 };
enum { METADATA_NAME = 1, METADATA_VERSIONS = 2, METADATA_PLATFORM = 3 };
enum { METADATA_INPUTS = 4, METADATA_OUTPUTS = 5 };

static const struct {
  const char *datatype;
  uint32_t contents;    // the typed field of InferTensorContents
  enum sp_wire_type as; // an element's form there
} types[SP_DTYPE_COUNT] = {
    [SP_DTYPE_NONE] = {"", 0, SP_WIRE_VARINT},
    [SP_DTYPE_FLOAT32] = {"FP32", CONTENTS_FP32, SP_WIRE_32},
    [SP_DTYPE_FLOAT64] = {"FP64", CONTENTS_FP64, SP_WIRE_64},
    [SP_DTYPE_INT32] = {"INT32", CONTENTS_INT, SP_WIRE_VARINT},
    [SP_DTYPE_INT64] = {"INT64", CONTENTS_INT64, SP_WIRE_VARINT},
    [SP_DTYPE_UINT8] = {"UINT8", CONTENTS_UINT, SP_WIRE_VARINT},
    [SP_DTYPE_BOOL] = {"BOOL", CONTENTS_BOOL, SP_WIRE_VARINT},
};

const char *sp_kserve_datatype(enum sp_dtype dtype) {
  SP_ASSERT(dtype < SP_DTYPE_COUNT);
  return types[dtype].datatype;
}

static bool same_text(struct sp_bytes bytes, const char *text) {
  size_t n = strlen(text);
  return bytes.n == n && (!n || memcmp(bytes.data, text, n) == 0);
}

enum sp_dtype sp_kserve_dtype_of(struct sp_bytes datatype) {
  for (int i = 1; i < SP_DTYPE_COUNT; i++) {
    if (same_text(datatype, types[i].datatype)) return (enum sp_dtype)i;
  }
  return SP_DTYPE_NONE;
}

// --- Reading ---

static bool add_dim(struct sp_kserve_tensor *tensor, uint64_t size) {
  if (tensor->rank == SP_TENSOR_RANK_MAX) return false;
  tensor->shape[tensor->rank++] = (int64_t)size;
  return true;
}

// One occurrence of the shape: packed, or a single dimension.
static bool read_shape(const struct sp_wire_field *field, struct sp_kserve_tensor *tensor) {
  if (field->type == SP_WIRE_VARINT) return add_dim(tensor, field->value);
  struct sp_bytes dims = field->bytes;
  uint64_t size;
  while (dims.n) {
    if (!sp_wire_read_varint(&dims, &size) || !add_dim(tensor, size)) return false;
  }
  return field->type == SP_WIRE_BYTES;
}

// TensorMetadata has the same fields but no contents.
static bool read_tensor(struct sp_bytes message, struct sp_kserve_tensor *tensor) {
  memset(tensor, 0, sizeof *tensor);
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == TENSOR_SHAPE && !read_shape(&field, tensor)) return false;
    if (field.type != SP_WIRE_BYTES) continue;
    if (field.number == TENSOR_NAME) tensor->name = field.bytes;
    if (field.number == TENSOR_DATATYPE) tensor->dtype = sp_kserve_dtype_of(field.bytes);
    // Protobuf would merge contents that come twice; nobody sends that.
    if (field.number != TENSOR_CONTENTS) continue;
    if (tensor->contents.data) return false;
    tensor->contents = field.bytes;
  }
  return true;
}

static bool add_tensor(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason) {
  *reason = "more tensors than a model may have";
  if (infer->n_tensors == SP_TENSORS_MAX) return false;
  struct sp_kserve_tensor *tensor = &infer->tensors[infer->n_tensors];
  *reason = "a tensor cannot be read";
  if (!read_tensor(message, tensor)) return false;
  *reason = "a tensor is there twice";
  for (size_t i = 0; i < infer->n_tensors; i++) {
    struct sp_bytes other = infer->tensors[i].name;
    if (other.n == tensor->name.n && (!other.n || memcmp(other.data, tensor->name.data, other.n) == 0))
      return false;
  }
  infer->n_tensors++;
  return true;
}

// The first field of an InferRequestedOutputTensor: its name.
static bool add_output(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason) {
  *reason = "more outputs asked for than a model may have";
  if (infer->n_outputs == SP_TENSORS_MAX) return false;
  *reason = "an output asked for cannot be read";
  struct sp_bytes *name = &infer->outputs[infer->n_outputs++];
  *name = (struct sp_bytes){0};
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.number == OUTPUT_NAME && field.type == SP_WIRE_BYTES) *name = field.bytes;
  }
  return true;
}

static int64_t version_of(struct sp_bytes text) {
  if (!text.n) return 0;
  int64_t version = 0;
  for (size_t i = 0; i < text.n; i++) {
    uint8_t digit = text.data[i];
    if (digit < '0' || digit > '9' || __builtin_mul_overflow(version, 10, &version) ||
        __builtin_add_overflow(version, digit - '0', &version))
      return -1;
  }
  return version ? version : -1;
}

struct raws {
  size_t n;
  struct sp_bytes items[SP_TENSORS_MAX];
};

static bool deal_raws(const struct raws *raws, struct sp_kserve_infer *infer, const char **reason) {
  if (!raws->n) return true;
  *reason = "raw contents are there for some of the tensors only";
  if (raws->n != infer->n_tensors) return false;
  *reason = "a tensor has raw contents and typed ones";
  for (size_t i = 0; i < raws->n; i++) {
    if (infer->tensors[i].contents.n) return false;
    infer->tensors[i].raw = raws->items[i];
  }
  return true;
}

static bool read_infer(struct sp_bytes message, uint32_t outputs, uint32_t raw, struct sp_kserve_infer *infer,
                       const char **reason) {
  infer->model = infer->id = (struct sp_bytes){0};
  infer->version = 0;
  infer->n_tensors = infer->n_outputs = 0;
  struct raws raws;
  raws.n = 0;
  struct sp_wire_field field;
  while (message.n) {
    *reason = "the message cannot be read";
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.type != SP_WIRE_BYTES) continue;
    if (field.number == INFER_TENSORS && !add_tensor(field.bytes, infer, reason)) return false;
    if (field.number == outputs && !add_output(field.bytes, infer, reason)) return false;
    if (field.number == INFER_MODEL) infer->model = field.bytes;
    if (field.number == INFER_VERSION) infer->version = version_of(field.bytes);
    if (field.number == INFER_ID) infer->id = field.bytes;
    if (field.number != raw) continue;
    *reason = "more raw contents than tensors allowed";
    if (raws.n == SP_TENSORS_MAX) return false;
    raws.items[raws.n++] = field.bytes;
  }
  return deal_raws(&raws, infer, reason);
}

bool sp_kserve_read_request(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason) {
  return read_infer(message, REQUEST_OUTPUTS, REQUEST_RAW, infer, reason);
}

bool sp_kserve_read_reply(struct sp_bytes message, struct sp_kserve_infer *infer, const char **reason) {
  return read_infer(message, UINT32_MAX, REPLY_RAW, infer, reason);
}

const struct sp_kserve_tensor *sp_kserve_find(const struct sp_kserve_infer *infer, const char *name) {
  for (size_t i = 0; i < infer->n_tensors; i++) {
    if (same_text(infer->tensors[i].name, name)) return &infer->tensors[i];
  }
  return NULL;
}

size_t sp_kserve_rows(const struct sp_kserve_tensor *tensor, const struct sp_tensor_spec *spec) {
  if (tensor->dtype != spec->dtype || tensor->rank != spec->rank || !tensor->rank || tensor->shape[0] <= 0)
    return 0;
  for (uint32_t i = 1; i < spec->rank; i++) {
    if (tensor->shape[i] != spec->shape[i]) return 0;
  }
  return (size_t)tensor->shape[0];
}

bool sp_kserve_read_values(const struct sp_kserve_tensor *tensor, size_t n_elements, void *to) {
  if (tensor->dtype == SP_DTYPE_NONE) return false;
  struct sp_wire_values values = {tensor->dtype, types[tensor->dtype].as, to, 0, n_elements};
  if (tensor->raw.data) return sp_wire_add_raw(&values, tensor->raw) && values.n == n_elements;
  struct sp_bytes contents = tensor->contents;
  struct sp_wire_field field;
  while (contents.n) {
    if (!sp_wire_read_field(&contents, &field)) return false;
    if (field.number == types[tensor->dtype].contents && !sp_wire_add_values(&values, &field)) return false;
  }
  return values.n == n_elements;
}

char *sp_kserve_tensor_text(const struct sp_kserve_tensor *tensor, char *text, size_t n) {
  struct sp_tensor_spec spec = {.dtype = tensor->dtype, .rank = tensor->rank};
  memcpy(spec.shape, tensor->shape, sizeof spec.shape);
  return sp_tensor_spec_text(&spec, text, n);
}

// --- Writing ---

static uint8_t *write_text(uint8_t *to, uint32_t number, const char *text) {
  return sp_wire_write_bytes(to, number, text, strlen(text));
}

static uint8_t *write_version(uint8_t *to, uint32_t number, uint64_t version) {
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)version);
  return sp_wire_write_bytes(to, number, digits, (size_t)n);
}

size_t sp_kserve_write_request_spec(const char *model, uint64_t version, const char *output, uint8_t *to) {
  SP_ASSERT(strlen(model) < SP_KSERVE_NAME_BYTES);
  uint8_t *at = write_text(to, INFER_MODEL, model);
  if (version) at = write_version(at, INFER_VERSION, version);
  if (output) {
    size_t n_output = strlen(output);
    SP_ASSERT(n_output < sizeof((struct sp_tensor_spec *)0)->name);
    at = sp_wire_write_head(at, REQUEST_OUTPUTS, sp_wire_field_bytes(n_output));
    at = sp_wire_write_bytes(at, OUTPUT_NAME, output, n_output);
  }
  return (size_t)(at - to);
}

// Field `number`: name, datatype and shape, with first_dim in the place of shape[0].
static uint8_t *write_tensor(uint8_t *to, uint32_t number, const struct sp_tensor_spec *spec,
                             int64_t first_dim) {
  SP_ASSERT(spec->rank > 0);
  const char *datatype = types[spec->dtype].datatype;
  size_t n_shape = sp_wire_varint_bytes((uint64_t)first_dim);
  for (uint32_t i = 1; i < spec->rank; i++) n_shape += sp_wire_varint_bytes((uint64_t)spec->shape[i]);
  to = sp_wire_write_head(to, number,
                          sp_wire_field_bytes(strlen(spec->name)) + sp_wire_field_bytes(strlen(datatype)) +
                              sp_wire_field_bytes(n_shape));
  to = write_text(to, TENSOR_NAME, spec->name);
  to = write_text(to, TENSOR_DATATYPE, datatype);
  to = sp_wire_write_head(to, TENSOR_SHAPE, n_shape);
  to = sp_wire_write_varint(to, (uint64_t)first_dim);
  for (uint32_t i = 1; i < spec->rank; i++) to = sp_wire_write_varint(to, (uint64_t)spec->shape[i]);
  return to;
}

size_t sp_kserve_write_input_head(const struct sp_tensor_spec *spec, size_t n_rows, uint8_t *to) {
  size_t n_values = n_rows * sp_tensor_row_elements(spec) * sp_dtype_bytes(spec->dtype);
  uint8_t *at = write_tensor(to, INFER_TENSORS, spec, (int64_t)n_rows);
  return (size_t)(sp_wire_write_head(at, REQUEST_RAW, n_values) - to);
}

size_t sp_kserve_reply_bound(struct sp_bytes id, const struct sp_tensor *outputs, size_t n_outputs,
                             size_t n_rows) {
  size_t n = 2 * SP_KSERVE_NAME_BYTES + id.n;
  for (size_t i = 0; i < n_outputs; i++) {
    n += SP_KSERVE_HEAD_BYTES + n_rows * outputs[i].row_elements * sp_dtype_bytes(outputs[i].spec.dtype);
  }
  return n;
}

size_t sp_kserve_write_reply(const char *model, uint64_t version, struct sp_bytes id,
                             const struct sp_tensor *outputs, const bool *wanted, size_t n_outputs,
                             size_t n_rows, uint8_t *to) {
  uint8_t *at = write_text(to, INFER_MODEL, model);
  at = write_version(at, INFER_VERSION, version);
  if (id.n) at = sp_wire_write_bytes(at, INFER_ID, id.data, id.n);
  for (size_t i = 0; i < n_outputs; i++) {
    if (wanted[i]) at = write_tensor(at, INFER_TENSORS, &outputs[i].spec, (int64_t)n_rows);
  }
  for (size_t i = 0; i < n_outputs; i++) {
    if (!wanted[i]) continue;
    size_t n_values = n_rows * outputs[i].row_elements * sp_dtype_bytes(outputs[i].spec.dtype);
    at = sp_wire_write_bytes(at, REPLY_RAW, outputs[i].data, n_values);
  }
  return (size_t)(at - to);
}

// --- Server and model ---

size_t sp_kserve_write_model_request(const char *model, uint64_t version, uint8_t *to) {
  SP_ASSERT(strlen(model) < SP_KSERVE_NAME_BYTES);
  uint8_t *at = write_text(to, MODEL_NAME, model);
  if (version) at = write_version(at, MODEL_VERSION, version);
  return (size_t)(at - to);
}

// Two texts, in fields 1 and 2.
static bool read_pair(struct sp_bytes message, struct sp_bytes pair[2]) {
  pair[0] = pair[1] = (struct sp_bytes){0};
  struct sp_wire_field field;
  while (message.n) {
    if (!sp_wire_read_field(&message, &field)) return false;
    if (field.type != SP_WIRE_BYTES || field.number > 2) continue;
    pair[field.number - 1] = field.bytes;
  }
  return true;
}

bool sp_kserve_read_model_request(struct sp_bytes request, struct sp_kserve_model_request *read) {
  struct sp_bytes pair[2];
  if (!read_pair(request, pair)) return false;
  *read = (struct sp_kserve_model_request){pair[MODEL_NAME - 1], version_of(pair[MODEL_VERSION - 1])};
  return true;
}

size_t sp_kserve_write_flag(bool is_so, uint8_t *to) {
  if (!is_so) return 0;
  return (size_t)(sp_wire_write_varint(sp_wire_write_tag(to, FLAG, SP_WIRE_VARINT), 1) - to);
}

bool sp_kserve_read_flag(struct sp_bytes reply, bool *is_so) {
  *is_so = false;
  struct sp_wire_field field;
  while (reply.n) {
    if (!sp_wire_read_field(&reply, &field)) return false;
    if (field.number == FLAG && field.type == SP_WIRE_VARINT) *is_so = field.value != 0;
  }
  return true;
}

size_t sp_kserve_metadata_bound(size_t n_versions, const char *platform) {
  return 2 * SP_KSERVE_NAME_BYTES + strlen(platform) + 24 * n_versions +
         2 * SP_TENSORS_MAX * SP_KSERVE_HEAD_BYTES;
}

size_t sp_kserve_write_metadata(const char *model, const uint64_t *versions, size_t n_versions,
                                const char *platform, const struct sp_signature *signature, uint8_t *to) {
  uint8_t *at = write_text(to, METADATA_NAME, model);
  for (size_t i = 0; i < n_versions; i++) at = write_version(at, METADATA_VERSIONS, versions[i]);
  at = write_text(at, METADATA_PLATFORM, platform);
  for (size_t i = 0; i < signature->n_inputs; i++) {
    at = write_tensor(at, METADATA_INPUTS, &signature->inputs[i], signature->inputs[i].shape[0]);
  }
  for (size_t i = 0; i < signature->n_outputs; i++) {
    at = write_tensor(at, METADATA_OUTPUTS, &signature->outputs[i], signature->outputs[i].shape[0]);
  }
  return (size_t)(at - to);
}

static bool read_spec(struct sp_bytes message, struct sp_tensor_spec *specs, size_t *n, const char **reason) {
  struct sp_kserve_tensor tensor;
  *reason = "it describes more tensors than we can serve";
  if (*n == SP_TENSORS_MAX) return false;
  struct sp_tensor_spec *spec = &specs[*n];
  *reason = "a tensor that it describes cannot be read";
  if (!read_tensor(message, &tensor) || !tensor.name.n || tensor.name.n >= sizeof spec->name) return false;
  *spec = (struct sp_tensor_spec){.dtype = tensor.dtype, .rank = tensor.rank};
  memcpy(spec->name, tensor.name.data, tensor.name.n);
  memcpy(spec->shape, tensor.shape, sizeof spec->shape);
  ++*n;
  return true;
}

bool sp_kserve_read_metadata(struct sp_bytes reply, struct sp_signature *signature, const char **reason) {
  signature->n_inputs = signature->n_outputs = 0;
  struct sp_wire_field field;
  while (reply.n) {
    *reason = "its answer cannot be read";
    if (!sp_wire_read_field(&reply, &field)) return false;
    if (field.type != SP_WIRE_BYTES) continue;
    if (field.number == METADATA_INPUTS &&
        !read_spec(field.bytes, signature->inputs, &signature->n_inputs, reason))
      return false;
    if (field.number == METADATA_OUTPUTS &&
        !read_spec(field.bytes, signature->outputs, &signature->n_outputs, reason))
      return false;
  }
  return true;
}

size_t sp_kserve_write_server_metadata(const char *name, const char *version, uint8_t *to) {
  SP_ASSERT(strlen(name) < SP_KSERVE_NAME_BYTES && strlen(version) < SP_KSERVE_NAME_BYTES);
  return (size_t)(write_text(write_text(to, SERVER_NAME, name), SERVER_VERSION, version) - to);
}

static void append(char *text, size_t n_text, size_t *at, struct sp_bytes bytes) {
  size_t n = bytes.n < n_text - 1 - *at ? bytes.n : n_text - 1 - *at;
  if (n) memcpy(text + *at, bytes.data, n);
  text[ *at += n] = '\0';
}

bool sp_kserve_read_server_metadata(struct sp_bytes reply, char *text, size_t n_text) {
  struct sp_bytes pair[2];
  if (!read_pair(reply, pair)) return false;
  size_t at = 0;
  append(text, n_text, &at, pair[SERVER_NAME - 1]);
  if (pair[SERVER_VERSION - 1].n) append(text, n_text, &at, sp_bytes_of_text(" "));
  append(text, n_text, &at, pair[SERVER_VERSION - 1]);
  return true;
}
