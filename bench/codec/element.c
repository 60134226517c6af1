// Elements of tensors, from numbers.
#include "codec/element.h"

#include "base/err.h"

static bool store_int(enum sp_dtype dtype, void *data, size_t i, int64_t value) {
  switch (dtype) {
  case SP_DTYPE_INT64: ((int64_t *)data)[i] = value; return true;
  case SP_DTYPE_INT32:
    if (value < INT32_MIN || value > INT32_MAX) return false;
    ((int32_t *)data)[i] = (int32_t)value;
    return true;
  case SP_DTYPE_UINT8:
  case SP_DTYPE_BOOL:
    if (value < 0 || value > (dtype == SP_DTYPE_BOOL ? 1 : UINT8_MAX)) return false;
    ((uint8_t *)data)[i] = (uint8_t)value;
    return true;
  default: sp_panic(__FILE__, __LINE__, "the element is an integer");
  }
}

bool sp_element_store(enum sp_dtype dtype, void *data, size_t i, double value) {
  if (dtype == SP_DTYPE_FLOAT32) {
    ((float *)data)[i] = (float)value;
    return true;
  }
  if (dtype == SP_DTYPE_FLOAT64) {
    ((double *)data)[i] = value;
    return true;
  }
  const double beyond =
      9223372036854775808.0; // 2^63, the first double above int64; NaN fails each comparison
  if (!(value >= -beyond && value < beyond) || value != trunc(value)) return false;
  return store_int(dtype, data, i, (int64_t)value);
}

size_t sp_element_scan(enum sp_dtype dtype, const uint8_t *at, const uint8_t *end, void *data, size_t i,
                       bool *fits) {
  double value;
  size_t n = sp_number_scan(at, end, &value);
  if (!n) return 0;
  int64_t whole;
  if (!sp_dtype_is_float(dtype) && sp_number_scan_int64(at, at + n, &whole) == n) {
    *fits = store_int(dtype, data, i, whole);
  } else {
    *fits = sp_element_store(dtype, data, i, value);
  }
  return n;
}
