// TensorProto in JSON.
#include "codec/tensor_proto.h"

#include <stdlib.h>

#include "codec/element.h"
#include "codec/numbers.h"

enum field { DTYPE, SHAPE, SHAPE_SNAKE, CONTENT, CONTENT_SNAKE, VALUES, N_FIELDS = VALUES + 10 };
enum { FLOAT_VAL, DOUBLE_VAL, INT_VAL, INT64_VAL, BOOL_VAL, N_VALUES };
static const char *const value_names[N_VALUES][2] = {{"floatVal", "float_val"},
                                                     {"doubleVal", "double_val"},
                                                     {"intVal", "int_val"},
                                                     {"int64Val", "int64_val"},
                                                     {"boolVal", "bool_val"}};

static const struct {
  const char *name;
  int number; // tensorflow.DataType
  int values;
} types[SP_DTYPE_COUNT] = {
    [SP_DTYPE_FLOAT32] = {"DT_FLOAT", 1, FLOAT_VAL}, [SP_DTYPE_FLOAT64] = {"DT_DOUBLE", 2, DOUBLE_VAL},
    [SP_DTYPE_INT32] = {"DT_INT32", 3, INT_VAL},     [SP_DTYPE_INT64] = {"DT_INT64", 9, INT64_VAL},
    [SP_DTYPE_UINT8] = {"DT_UINT8", 4, INT_VAL},     [SP_DTYPE_BOOL] = {"DT_BOOL", 10, BOOL_VAL},
};

struct sp_tensor_proto {
  struct sp_json_pointer fields[N_FIELDS];
  struct sp_json_pointer sizes[SP_TENSOR_RANK_MAX + 1]; // of the dim array; the last must find nothing
};

static void point(struct sp_json_pointer *pointer, const char *text) {
  SP_ASSERT(sp_json_pointer_init(pointer, text, "", NULL) == SP_OK);
}

struct sp_tensor_proto *sp_tensor_proto_new(void) {
  struct sp_tensor_proto *proto = sp_alloc(sizeof *proto);
  point(&proto->fields[DTYPE], "/dtype");
  point(&proto->fields[SHAPE], "/tensorShape/dim");
  point(&proto->fields[SHAPE_SNAKE], "/tensor_shape/dim");
  point(&proto->fields[CONTENT], "/tensorContent");
  point(&proto->fields[CONTENT_SNAKE], "/tensor_content");
  for (int i = 0; i < 2 * N_VALUES; i++) {
    char *text = sp_format("/%s", value_names[i / 2][i % 2]);
    point(&proto->fields[VALUES + i], text);
    free(text);
  }
  for (int i = 0; i <= SP_TENSOR_RANK_MAX; i++) {
    char *text = sp_format(i < SP_TENSOR_RANK_MAX ? "/%d/size" : "/%d", i);
    point(&proto->sizes[i], text);
    free(text);
  }
  return proto;
}

void sp_tensor_proto_free(struct sp_tensor_proto *proto) {
  if (!proto) return;
  for (int i = 0; i < N_FIELDS; i++) sp_json_pointer_done(&proto->fields[i]);
  for (int i = 0; i <= SP_TENSOR_RANK_MAX; i++) sp_json_pointer_done(&proto->sizes[i]);
  free(proto);
}

const char *sp_tensor_proto_dtype(enum sp_dtype dtype) {
  return types[dtype].name;
}
const char *sp_tensor_proto_values(enum sp_dtype dtype) {
  return value_names[types[dtype].values][0];
}

static struct sp_bytes bytes_of(struct sp_json value) {
  return sp_bytes_of(value.at, (size_t)(value.end - value.at));
}

// By name or, as protobuf allows, by number.
static bool is_dtype(struct sp_json value, enum sp_dtype dtype) {
  if (!value.at) return false;
  if (sp_json_is_string(value)) {
    uint8_t text[32];
    size_t n = sp_json_text(value, text, sizeof text);
    return n == strlen(types[dtype].name) && memcmp(text, types[dtype].name, n) == 0;
  }
  int32_t number = 0;
  size_t n = 0;
  return !sp_numbers_read(value, SP_NUMBERS_ONLY, SP_DTYPE_INT32, &number, 1, &n) && n == 1 &&
         number == types[dtype].number;
}

static const char *check_shape(const struct sp_tensor_proto *proto, struct sp_json dims,
                               const struct sp_tensor_spec *spec) {
  struct sp_json sizes[SP_TENSOR_RANK_MAX + 1] = {{NULL, NULL}};
  if (!dims.at || *dims.at != '[') return "no tensorShape";
  sp_json_find(bytes_of(dims), proto->sizes, SP_TENSOR_RANK_MAX + 1, sizes);
  for (uint32_t i = 0; i <= spec->rank; i++) {
    if (i == spec->rank) return sizes[i].at ? "another shape" : NULL;
    int64_t size = 0;
    size_t n = 0;
    if (!sizes[i].at || sp_numbers_read(sizes[i], SP_NUMBERS_STRINGS, SP_DTYPE_INT64, &size, 1, &n) ||
        n != 1) {
      return "another shape";
    }
    if (size != (i == 0 ? 1 : spec->shape[i])) return "another shape";
  }
  return NULL;
}

// Elements in host byte order, which on every machine supported is TensorFlow's little endian.
static const char *read_content(struct sp_json content, const struct sp_tensor_spec *spec,
                                enum sp_dtype stored, void *data, size_t room) {
  size_t element_bytes = sp_dtype_bytes(spec->dtype), n_elements = sp_tensor_row_elements(spec);
  if (!sp_json_is_string(content)) return "tensorContent is no base64";
  if (stored == spec->dtype) {
    size_t n = sp_base64_read(content, data, room * element_bytes);
    if (n != n_elements * element_bytes) return "tensorContent of another length";
    for (size_t i = 0; stored == SP_DTYPE_BOOL && i < n; i++) {
      if (((uint8_t *)data)[i] > 1) return "no bool";
    }
    return NULL;
  }
  uint8_t bytes[64 * 8]; // an answer keeps no more
  SP_ASSERT(room <= 64 && stored == SP_DTYPE_FLOAT64);
  size_t n = sp_base64_read(content, bytes, room * element_bytes);
  if (n != n_elements * element_bytes) return "tensorContent of another length";
  struct sp_tensor tensor = {*spec, n_elements, 1, bytes};
  for (size_t i = 0; i < room && i < n_elements; i++) ((double *)data)[i] = sp_tensor_get(&tensor, 0, i);
  return NULL;
}

static const char *read_values(struct sp_json values, const struct sp_tensor_spec *spec, enum sp_dtype stored,
                               void *data, size_t room) {
  size_t n_elements = sp_tensor_row_elements(spec), n = 0, element_bytes = sp_dtype_bytes(stored);
  int also = SP_NUMBERS_STRINGS | (spec->dtype == SP_DTYPE_BOOL ? SP_NUMBERS_BOOLS : 0);
  const char *why = sp_numbers_read(values, also, stored, data, room, &n);
  if (why) return why;
  if (n == 0 || n > n_elements) return "another number of values";
  for (size_t i = n; i < n_elements && i < room; i++) {
    memcpy((uint8_t *)data + i * element_bytes, (uint8_t *)data + (n - 1) * element_bytes, element_bytes);
  }
  return NULL;
}

const char *sp_tensor_proto_read(const struct sp_tensor_proto *proto, struct sp_json object,
                                 const struct sp_tensor_spec *spec, enum sp_dtype stored, void *data,
                                 size_t room) {
  struct sp_json found[N_FIELDS] = {{NULL, NULL}};
  if (*object.at != '{') return "not an object";
  sp_json_find(bytes_of(object), proto->fields, N_FIELDS, found);
  if (!is_dtype(found[DTYPE], spec->dtype)) return "another dtype";
  const char *why = check_shape(proto, found[SHAPE].at ? found[SHAPE] : found[SHAPE_SNAKE], spec);
  if (why) return why;
  const struct sp_json *values = &found[VALUES + 2 * types[spec->dtype].values];
  struct sp_json content = found[CONTENT].at ? found[CONTENT] : found[CONTENT_SNAKE];
  if (values[0].at || values[1].at)
    return read_values(values[0].at ? values[0] : values[1], spec, stored, data, room);
  return content.at ? read_content(content, spec, stored, data, room) : "no values";
}
