// A tensor with a leading batch dimension: what codecs fill, engines read and write, and RPC clients send.
#ifndef SP_BASE_TENSOR_H
#define SP_BASE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#define SP_TENSOR_RANK_MAX 8
#define SP_TENSORS_MAX     16 // inputs or outputs of one model; to some servers each feature is an input

enum sp_dtype {
  SP_DTYPE_NONE = 0,
  SP_DTYPE_FLOAT32,
  SP_DTYPE_FLOAT64,
  SP_DTYPE_INT32,
  SP_DTYPE_INT64,
  SP_DTYPE_UINT8,
  SP_DTYPE_BOOL,
  SP_DTYPE_COUNT,
};

// Name, element type and shape of one input or output. shape[0] is the batch dimension: 1 in a scenario (an event is one
// row), -1 or 1 in a model. The other dimensions are positive.
struct sp_tensor_spec {
  char name[128];
  enum sp_dtype dtype;
  uint32_t rank;
  int64_t shape[SP_TENSOR_RANK_MAX];
};

// `data` holds rows of `row_elements` elements each, densely, host byte order; room for `capacity_rows`.
struct sp_tensor {
  struct sp_tensor_spec spec;
  size_t row_elements; // product of shape[1..]
  size_t capacity_rows;
  void *data;
};

size_t sp_dtype_bytes(enum sp_dtype dtype);
const char *sp_dtype_name(enum sp_dtype dtype);   // "float32"
enum sp_dtype sp_dtype_of_name(const char *name); // SP_DTYPE_NONE if unknown
size_t sp_tensor_row_elements(const struct sp_tensor_spec *spec);
// "float32 [N, 30]" into text (always terminated); returns text.
char *sp_tensor_spec_text(const struct sp_tensor_spec *spec, char *text, size_t n);

// Allocates data for `rows` rows, 64-byte aligned, zeroed; sp_tensor_done frees it (not the struct).
void sp_tensor_init(struct sp_tensor *tensor, const struct sp_tensor_spec *spec, size_t rows);
void sp_tensor_done(struct sp_tensor *tensor);
// Element `i` of row `row` as a double, whatever its type.
double sp_tensor_get(const struct sp_tensor *tensor, size_t row, size_t i);

#endif
