// The elements of a repeated number field (packed or not) as a dense array: what typed tensor contents are in every protocol
// on protobuf.
#ifndef SP_RPC_WIRE_VALUES_H
#define SP_RPC_WIRE_VALUES_H

#include "base/tensor.h"
#include "rpc/wire.h"

struct sp_wire_values {
  enum sp_dtype dtype;  // what `to` holds
  enum sp_wire_type as; // an element's form on the wire: VARINT for integers and bool, 32 or 64 for floats
  uint8_t *to;
  size_t n, n_max; // elements there, and room
};

// Appends what one occurrence of the field holds. False where that is of another form, or more than there is room for.
bool sp_wire_add_values(struct sp_wire_values *values, const struct sp_wire_field *field);
// Elements as they stand in memory.
bool sp_wire_add_raw(struct sp_wire_values *values, struct sp_bytes bytes);

#endif
