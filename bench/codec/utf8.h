// UTF-8, one code point at a time.
#ifndef SP_CODEC_UTF8_H
#define SP_CODEC_UTF8_H

#include <stddef.h>
#include <stdint.h>

// The code point at the start of [at, end), at < end. Returns its length of 1 to 4 bytes; 0 where this is not UTF-8 (overlong,
// a surrogate, above U+10FFFF, cut off).
static inline size_t sp_utf8_decode(const uint8_t *at, const uint8_t *end, uint32_t *point) {
  uint32_t c = at[0];
  if (c < 0x80) {
    *point = c;
    return 1;
  }
  size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  if (c < 0xc2 || c > 0xf4 || (size_t)(end - at) < n) return 0;
  uint32_t value = c & (0x7fU >> n);
  for (size_t i = 1; i < n; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
    value = value << 6 | (at[i] & 0x3fU);
  }
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
  *point = value;
  return n;
}

// Returns the bytes written, at most 4.
static inline size_t sp_utf8_encode(uint32_t point, uint8_t *out) {
  if (point < 0x80) {
    out[0] = (uint8_t)point;
    return 1;
  }
  size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; point >>= 6) out[i] = (uint8_t)(0x80 | (point & 0x3f));
  out[0] = (uint8_t)(0xf00U >> n | point);
  return n;
}

#endif
