// One element of a tensor, from a number or its text.
#ifndef SP_CODEC_ELEMENT_H
#define SP_CODEC_ELEMENT_H

#include <math.h>
#include <stdbool.h>

#include "base/number.h"
#include "base/tensor.h"

// Writes element i of `data`. A float takes the nearest value; false where an integer or bool cannot hold exactly this one.
bool sp_element_store(enum sp_dtype dtype, void *data, size_t i, double value);

// Reads the number at the start of [at, end) into element i. Returns the bytes used; 0 if there is no number. *fits is false,
// and nothing is written, where the element cannot hold it. Integers are read exactly, all 64 bits.
size_t sp_element_scan(enum sp_dtype dtype, const uint8_t *at, const uint8_t *end, void *data, size_t i,
                       bool *fits);

static inline bool sp_dtype_is_float(enum sp_dtype dtype) {
  return dtype == SP_DTYPE_FLOAT32 || dtype == SP_DTYPE_FLOAT64;
}

#endif
