// Numbers in checked JSON -> elements of a tensor.
#ifndef SP_CODEC_NUMBERS_H
#define SP_CODEC_NUMBERS_H

#include "base/tensor.h"
#include "codec/json.h"

enum sp_numbers_also {
  SP_NUMBERS_ONLY = 0,
  SP_NUMBERS_STRINGS = 1, // "1.5", "NaN", "Infinity", "-Infinity", as JSON forms of protobuf have them
  SP_NUMBERS_NULL = 2,    // null is NaN
  SP_NUMBERS_BOOLS = 4,   // true and false are 1 and 0 of any type, as they always are of bool
};

// Every number in a value (itself one, or arrays of them, however nested) in order. The first `room` go into data; *n counts
// all. Returns NULL, or what is wrong.
const char *sp_numbers_read(struct sp_json value, int also, enum sp_dtype dtype, void *data, size_t room,
                            size_t *n);

// The bytes of a base64 text (either alphabet, with or without padding). The first `room` go into out; returns how many there
// are, SIZE_MAX if it is none.
size_t sp_base64_read(struct sp_json string, uint8_t *out, size_t room);

#endif
