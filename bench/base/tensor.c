// Tensors: sizes, names, storage.
#include "base/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct {
  const char *name;
  size_t bytes;
} dtypes[SP_DTYPE_COUNT] = {
    [SP_DTYPE_NONE] = {"none", 0},   [SP_DTYPE_FLOAT32] = {"float32", 4}, [SP_DTYPE_FLOAT64] = {"float64", 8},
    [SP_DTYPE_INT32] = {"int32", 4}, [SP_DTYPE_INT64] = {"int64", 8},     [SP_DTYPE_UINT8] = {"uint8", 1},
    [SP_DTYPE_BOOL] = {"bool", 1},
};

size_t sp_dtype_bytes(enum sp_dtype dtype) {
  SP_ASSERT(dtype < SP_DTYPE_COUNT);
  return dtypes[dtype].bytes;
}

const char *sp_dtype_name(enum sp_dtype dtype) {
  SP_ASSERT(dtype < SP_DTYPE_COUNT);
  return dtypes[dtype].name;
}

enum sp_dtype sp_dtype_of_name(const char *name) {
  for (int i = 1; i < SP_DTYPE_COUNT; i++) {
    if (strcmp(dtypes[i].name, name) == 0) return (enum sp_dtype)i;
  }
  return SP_DTYPE_NONE;
}

size_t sp_tensor_row_elements(const struct sp_tensor_spec *spec) {
  size_t n = 1;
  for (uint32_t i = 1; i < spec->rank; i++) n *= (size_t)spec->shape[i];
  return n;
}

char *sp_tensor_spec_text(const struct sp_tensor_spec *spec, char *text, size_t n) {
  int at = snprintf(text, n, "%s [", sp_dtype_name(spec->dtype));
  for (uint32_t i = 0; i < spec->rank && at >= 0 && (size_t)at < n; i++) {
    const char *comma = i ? ", " : "";
    int more = spec->shape[i] < 0
                   ? snprintf(text + at, n - (size_t)at, "%sN", comma)
                   : snprintf(text + at, n - (size_t)at, "%s%lld", comma, (long long)spec->shape[i]);
    at += more;
  }
  if (at >= 0 && (size_t)at < n) snprintf(text + at, n - (size_t)at, "]");
  return text;
}

void sp_tensor_init(struct sp_tensor *tensor, const struct sp_tensor_spec *spec, size_t rows) {
  tensor->spec = *spec;
  tensor->row_elements = sp_tensor_row_elements(spec);
  tensor->capacity_rows = rows;
  size_t n_bytes = (rows * tensor->row_elements * sp_dtype_bytes(spec->dtype) + 63) / 64 * 64;
  tensor->data = aligned_alloc(64, n_bytes ? n_bytes : 64);
  SP_ASSERT(tensor->data != NULL);
  memset(tensor->data, 0, n_bytes);
}

void sp_tensor_done(struct sp_tensor *tensor) {
  free(tensor->data);
  tensor->data = NULL;
}

double sp_tensor_get(const struct sp_tensor *tensor, size_t row, size_t i) {
  SP_ASSERT(row < tensor->capacity_rows && i < tensor->row_elements);
  size_t at = row * tensor->row_elements + i;
  switch (tensor->spec.dtype) {
  case SP_DTYPE_FLOAT32: return (double)((const float *)tensor->data)[at];
  case SP_DTYPE_FLOAT64: return ((const double *)tensor->data)[at];
  case SP_DTYPE_INT32: return (double)((const int32_t *)tensor->data)[at];
  case SP_DTYPE_INT64: return (double)((const int64_t *)tensor->data)[at];
  case SP_DTYPE_UINT8:
  case SP_DTYPE_BOOL: return (double)((const uint8_t *)tensor->data)[at];
  case SP_DTYPE_NONE:
  case SP_DTYPE_COUNT: break;
  }
  sp_panic(__FILE__, __LINE__, "the tensor has an element type");
}
