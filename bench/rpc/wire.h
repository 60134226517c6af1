// The protobuf wire format, as far as hot paths need it: fields read in place from bounded bytes, and small messages
// written. Nothing here allocates, and no input makes it read outside its bytes or loop longer than they are.
// Format: https://protobuf.dev/programming-guides/encoding/
#ifndef SP_RPC_WIRE_H
#define SP_RPC_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

enum sp_wire_type { SP_WIRE_VARINT = 0, SP_WIRE_64 = 1, SP_WIRE_BYTES = 2, SP_WIRE_32 = 5 };

struct sp_wire_field {
  uint32_t number;
  enum sp_wire_type type;
  uint64_t value;        // VARINT; 64 and 32 as stored
  struct sp_bytes bytes; // BYTES; 64 and 32: where they stand; VARINT: none
};

static inline void sp_wire_skip(struct sp_bytes *from, size_t n) {
  from->data += n;
  from->n -= n;
}

// A varint of at most 10 bytes; false at the end of the bytes or where it is longer.
static inline bool sp_wire_read_varint(struct sp_bytes *from, uint64_t *value) {
  if (from->n && from->data[0] < 0x80) { // most are one byte
    *value = from->data[0];
    sp_wire_skip(from, 1);
    return true;
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < from->n && i < 10; i++) {
    sum |= (uint64_t)(from->data[i] & 0x7f) << (7 * i);
    if (from->data[i] < 0x80) {
      *value = sum;
      sp_wire_skip(from, i + 1);
      return true;
    }
  }
  return false;
}

static inline bool sp_wire_read_bytes(struct sp_bytes *from, uint64_t n, struct sp_bytes *bytes) {
  if (n > from->n) return false;
  *bytes = sp_bytes_of(from->data, (size_t)n);
  sp_wire_skip(from, (size_t)n);
  return true;
}

// Takes the next field off `from`, which is not empty. False where the bytes are no message: cut short, a field number
// of 0 or beyond 2^29, groups.
static inline bool sp_wire_read_field(struct sp_bytes *from, struct sp_wire_field *field) {
  uint64_t tag;
  if (!sp_wire_read_varint(from, &tag) || tag > UINT32_MAX || tag < 8) return false;
  field->number = (uint32_t)(tag >> 3);
  field->type = (enum sp_wire_type)(tag & 7);
  field->bytes = (struct sp_bytes){0};
  uint64_t n;
  switch (field->type) {
  case SP_WIRE_VARINT: return sp_wire_read_varint(from, &field->value);
  case SP_WIRE_BYTES: return sp_wire_read_varint(from, &n) && sp_wire_read_bytes(from, n, &field->bytes);
  case SP_WIRE_64:
    if (!sp_wire_read_bytes(from, 8, &field->bytes)) return false;
    memcpy(&field->value, field->bytes.data, 8);
    return true;
  case SP_WIRE_32:
    if (!sp_wire_read_bytes(from, 4, &field->bytes)) return false;
    field->value = 0;
    memcpy(&field->value, field->bytes.data, 4);
    return true;
  }
  return false;
}

static inline size_t sp_wire_varint_bytes(uint64_t value) {
  size_t n = 1;
  for (; value >= 0x80; value >>= 7) n++;
  return n;
}

static inline uint8_t *sp_wire_write_varint(uint8_t *to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = (uint8_t)(value | 0x80);
  *to++ = (uint8_t)value;
  return to;
}

static inline uint8_t *sp_wire_write_tag(uint8_t *to, uint32_t number, enum sp_wire_type type) {
  return sp_wire_write_varint(to, (uint64_t)number << 3 | type);
}

// Tag and length; the bytes follow.
static inline uint8_t *sp_wire_write_head(uint8_t *to, uint32_t number, size_t n) {
  return sp_wire_write_varint(sp_wire_write_tag(to, number, SP_WIRE_BYTES), n);
}

static inline uint8_t *sp_wire_write_bytes(uint8_t *to, uint32_t number, const void *bytes, size_t n) {
  to = sp_wire_write_head(to, number, n);
  if (n) memcpy(to, bytes, n);
  return to + n;
}

// Of a field with a number below 16 and a length of n.
static inline size_t sp_wire_field_bytes(size_t n) {
  return 1 + sp_wire_varint_bytes(n) + n;
}

#endif
