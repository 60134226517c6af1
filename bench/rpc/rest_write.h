// JSON for a server: numbers, tensors and names into a buffer that is large enough. Deterministic, independent of any locale,
// allocates nothing.
#ifndef SP_RPC_REST_WRITE_H
#define SP_RPC_REST_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/tensor.h"

// Each returns the end of what it wrote.
uint8_t *sp_rest_put(uint8_t *to, const char *text);        // as it is
uint8_t *sp_rest_put_string(uint8_t *to, const char *text); // quoted and escaped: at most 6 bytes each and 2
uint8_t *sp_rest_put_count(uint8_t *to, uint64_t count);
// One row as nested arrays of the shape behind the batch dimension: [0.5,1] for [N, 2], 0.5 for [N]. Floats with the fewest
// digits that give them back. What JSON has no number for is written NaN, Infinity, -Infinity, as Python and RapidJSON read it;
// a server that does not take these answers 4xx.
uint8_t *sp_rest_put_row(uint8_t *to, const struct sp_tensor *tensor, size_t row);
// n_rows rows, commas between, without any bracket.
uint8_t *sp_rest_put_flat(uint8_t *to, const struct sp_tensor *tensor, size_t n_rows);
// Bytes that n_rows rows take at most, either way, commas between rows included.
size_t sp_rest_rows_bound(const struct sp_tensor_spec *spec, size_t n_rows);

#endif
