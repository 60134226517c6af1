// A bounded scanner of JSON that a server answered with: reads it once, from left to right, allocates nothing. After the
// first thing that is wrong every function gives false, and `why` says what it was and at which byte.
#ifndef SP_RPC_REST_SCAN_H
#define SP_RPC_REST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/tensor.h"

#define SP_REST_DEPTH_MAX 32 // of arrays and objects in each other

struct sp_rest_scan {
  const uint8_t *start, *at, *end;
  unsigned depth;
  char why[100]; // "" while nothing is wrong
};

void sp_rest_scan_begin(struct sp_rest_scan *scan, struct sp_bytes text);
// Keeps the first reason; always false.
bool sp_rest_scan_fail(struct sp_rest_scan *scan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Nothing but white space is left.
bool sp_rest_scan_end(struct sp_rest_scan *scan);

// The first byte of the next value, 0 at the end; takes nothing.
uint8_t sp_rest_scan_peek(struct sp_rest_scan *scan);
// Takes any value.
bool sp_rest_scan_skip(struct sp_rest_scan *scan);
// Takes a string: what stands between its quotes, escapes as they are.
bool sp_rest_scan_string(struct sp_rest_scan *scan, struct sp_bytes *raw);
// Takes an object or array: `member` and `item` must take the value, or return false with `why` set.
typedef bool (*sp_rest_member)(struct sp_rest_scan *scan, struct sp_bytes name, void *context);
bool sp_rest_scan_object(struct sp_rest_scan *scan, sp_rest_member member, void *context);
typedef bool (*sp_rest_item)(struct sp_rest_scan *scan, size_t item_i, void *context);
bool sp_rest_scan_array(struct sp_rest_scan *scan, sp_rest_item item, void *context);

// Takes a number (of bool also true and false) as element i of data. Wrong: null, NaN, Infinity, a string, a number that the
// element type cannot hold.
bool sp_rest_scan_element(struct sp_rest_scan *scan, enum sp_dtype dtype, void *data, size_t i);
// Takes arrays nested exactly as dims says (none: one number), and fills data from element `from` on.
bool sp_rest_scan_shaped(struct sp_rest_scan *scan, const int64_t *dims, uint32_t n_dims, enum sp_dtype dtype,
                         void *data, size_t from);
// Takes exactly n numbers, in one array or however nested.
bool sp_rest_scan_flat(struct sp_rest_scan *scan, enum sp_dtype dtype, void *data, size_t n);
// Takes numbers of which nothing is known: tells their shape (dims has room for SP_TENSOR_RANK_MAX) and whether all are
// written without point and exponent. Wrong: no number, more dimensions than fit, arrays of different lengths.
bool sp_rest_scan_shape(struct sp_rest_scan *scan, int64_t *dims, uint32_t *n_dims, bool *is_whole);

// Whether a string between quotes says `text`; one that is absent (data NULL) does not.
bool sp_rest_string_is(struct sp_bytes raw, const char *text);

// What a server says went wrong: "error", "message" or "detail" of an object (a text, otherwise the JSON as it stands), or
// else the start of the body. White space is one blank. Cut, bytes that are not printable ASCII replaced by '?'; text is always terminated. Returns text.
char *sp_rest_error_text(struct sp_bytes body, char *text, size_t n);

#endif
