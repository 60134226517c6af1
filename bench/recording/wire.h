// Inside recording/: limits of the format and how one record stands in the stream.
#ifndef SP_RECORDING_WIRE_H
#define SP_RECORDING_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_RECORDING_VERSION 1
#define SP_RECORD_BYTES_MAX  ((size_t)64 << 20) // of one record; longer ones are neither written nor read
// Unpacking may take this much beyond twice the record: protobuf lets two bytes ask for a structure of ninety.
#define SP_RECORD_UNPACK_BYTES ((size_t)1 << 20)
#define SP_RECORD_HEADERS_MAX  4096 // of one event written: they unpack within that
#define SP_VARINT_BYTES_MAX    10
// Of the compressed stream: what zstd -1 to -22 produce without --long, so that reading takes bounded memory.
#define SP_RECORDING_WINDOW_LOG_MAX 27

// Base-128 varint, least significant group first; returns its length.
static inline size_t sp_varint_put(uint8_t out[SP_VARINT_BYTES_MAX], uint64_t value) {
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) out[n++] = (uint8_t)(value | 0x80);
  out[n++] = (uint8_t)value;
  return n;
}

#endif
