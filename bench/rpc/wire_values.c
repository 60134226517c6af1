// Numbers out of protobuf fields.
#include "rpc/wire_values.h"

#include "base/err.h"

// Stores one integer element in the type's own size.
static void put_integer(enum sp_dtype dtype, void *to, size_t i, uint64_t value) {
  switch (dtype) {
  case SP_DTYPE_INT32: ((int32_t *)to)[i] = (int32_t)(uint32_t)value; break;
  case SP_DTYPE_INT64: ((int64_t *)to)[i] = (int64_t)value; break;
  case SP_DTYPE_UINT8: ((uint8_t *)to)[i] = (uint8_t)value; break;
  case SP_DTYPE_BOOL: ((uint8_t *)to)[i] = value != 0; break;
  default: sp_panic(__FILE__, __LINE__, "an integer type");
  }
}

bool sp_wire_add_raw(struct sp_wire_values *values, struct sp_bytes bytes) {
  size_t element_bytes = sp_dtype_bytes(values->dtype), n = bytes.n / element_bytes;
  if (bytes.n % element_bytes || n > values->n_max - values->n) return false;
  if (n) memcpy(values->to + values->n * element_bytes, bytes.data, bytes.n);
  values->n += n;
  return true;
}

static bool add_varints(struct sp_wire_values *values, struct sp_bytes bytes) {
  uint64_t value;
  while (bytes.n) {
    if (values->n == values->n_max || !sp_wire_read_varint(&bytes, &value)) return false;
    put_integer(values->dtype, values->to, values->n++, value);
  }
  return true;
}

bool sp_wire_add_values(struct sp_wire_values *values, const struct sp_wire_field *field) {
  if (field->type == SP_WIRE_BYTES) {
    return values->as == SP_WIRE_VARINT ? add_varints(values, field->bytes)
                                        : sp_wire_add_raw(values, field->bytes);
  }
  if (field->type != values->as) return false;
  if (values->as != SP_WIRE_VARINT) return sp_wire_add_raw(values, field->bytes);
  if (values->n == values->n_max) return false;
  put_integer(values->dtype, values->to, values->n++, field->value);
  return true;
}
