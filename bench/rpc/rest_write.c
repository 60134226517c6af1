// JSON of a request: the hot half of a REST call.
#include "rpc/rest_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"

uint8_t *sp_rest_put(uint8_t *to, const char *text) {
  while (*text) *to++ = (uint8_t)*text++;
  return to;
}

uint8_t *sp_rest_put_string(uint8_t *to, const char *text) {
  *to++ = '"';
  for (; *text; text++) {
    uint8_t byte = (uint8_t)*text;
    if (byte < 0x20) {
      to += snprintf((char *)to, 7, "\\u%04x", byte);
      continue;
    }
    if (byte == '"' || byte == '\\') *to++ = '\\';
    *to++ = byte;
  }
  *to++ = '"';
  return to;
}

uint8_t *sp_rest_put_count(uint8_t *to, uint64_t count) {
  uint8_t digits[20];
  size_t n = 0;
  do {
    digits[n++] = (uint8_t)('0' + count % 10);
    count /= 10;
  } while (count);
  while (n) *to++ = digits[--n];
  return to;
}

static uint8_t *put_whole(uint8_t *to, int64_t value) {
  if (value >= 0) return sp_rest_put_count(to, (uint64_t)value);
  *to++ = '-';
  return sp_rest_put_count(to, 0 - (uint64_t)value);
}

static uint8_t *put_other(uint8_t *to, double value) {
  return sp_rest_put(to, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

// n elements from i on, commas between.
static uint8_t *put_elements(uint8_t *to, const struct sp_tensor *tensor, size_t i, size_t n) {
  for (size_t end = i + n; i < end; i++) {
    switch (tensor->spec.dtype) {
    case SP_DTYPE_FLOAT32: {
      float value = ((const float *)tensor->data)[i];
      to = isfinite(value) ? to + sp_float_text(value, (char *)to) : put_other(to, (double)value);
      break;
    }
    case SP_DTYPE_FLOAT64: {
      double value = ((const double *)tensor->data)[i];
      to = isfinite(value) ? to + sp_double_text(value, (char *)to) : put_other(to, value);
      break;
    }
    case SP_DTYPE_INT32: to = put_whole(to, ((const int32_t *)tensor->data)[i]); break;
    case SP_DTYPE_INT64: to = put_whole(to, ((const int64_t *)tensor->data)[i]); break;
    case SP_DTYPE_UINT8: to = sp_rest_put_count(to, ((const uint8_t *)tensor->data)[i]); break;
    case SP_DTYPE_BOOL: to = sp_rest_put(to, ((const uint8_t *)tensor->data)[i] ? "true" : "false"); break;
    case SP_DTYPE_NONE:
    case SP_DTYPE_COUNT: sp_panic(__FILE__, __LINE__, "the tensor has an element type");
    }
    *to++ = ',';
  }
  return to - 1; // there is one element at least
}

static uint8_t *put_nested(uint8_t *to, const struct sp_tensor *tensor, uint32_t dim_i, size_t from,
                           size_t n) {
  const struct sp_tensor_spec *spec = &tensor->spec;
  if (dim_i == spec->rank) return put_elements(to, tensor, from, 1);
  *to++ = '[';
  if (dim_i + 1 == spec->rank) {
    to = put_elements(to, tensor, from, n);
  } else {
    size_t n_parts = (size_t)spec->shape[dim_i], n_part = n / n_parts;
    for (size_t i = 0; i < n_parts; i++) {
      if (i) *to++ = ',';
      to = put_nested(to, tensor, dim_i + 1, from + i * n_part, n_part);
    }
  }
  *to++ = ']';
  return to;
}

uint8_t *sp_rest_put_row(uint8_t *to, const struct sp_tensor *tensor, size_t row) {
  return put_nested(to, tensor, 1, row * tensor->row_elements, tensor->row_elements);
}

uint8_t *sp_rest_put_flat(uint8_t *to, const struct sp_tensor *tensor, size_t n_rows) {
  return put_elements(to, tensor, 0, n_rows * tensor->row_elements);
}

size_t sp_rest_rows_bound(const struct sp_tensor_spec *spec, size_t n_rows) {
  static const size_t longest[SP_DTYPE_COUNT] = {
      [SP_DTYPE_FLOAT32] = SP_FLOAT_TEXT_BYTES, [SP_DTYPE_FLOAT64] = SP_DOUBLE_TEXT_BYTES,
      [SP_DTYPE_INT32] = sizeof "-2147483648",  [SP_DTYPE_INT64] = sizeof "-9223372036854775808",
      [SP_DTYPE_UINT8] = sizeof "255",          [SP_DTYPE_BOOL] = sizeof "false",
  };
  // A comma behind each, and no dimension is below 1: brackets are at most two a dimension and element.
  size_t per_element = longest[spec->dtype] + 1, n_brackets = 2, n_parts = 1;
  for (uint32_t i = 1; i + 1 < spec->rank; i++) {
    n_parts *= (size_t)spec->shape[i];
    n_brackets += 3 * n_parts;
  }
  return n_rows * (sp_tensor_row_elements(spec) * per_element + n_brackets + 1);
}
