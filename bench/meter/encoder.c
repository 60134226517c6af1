// HdrHistogram's V2 format: a 40-byte header and the counts up to the highest used slot as ZigZag LEB128 numbers (a run of
// n >= 2 zeros is the one number -n), deflated behind an 8-byte header, in base64. All integers big endian.
// Source: HdrHistogram, AbstractHistogram.encodeIntoByteBuffer and ZigZagEncoding (G. Tene, public domain).
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "meter/histogram.h"

#define COOKIE_PLAIN      0x1c849313u
#define COOKIE_COMPRESSED 0x1c849314u
#define HEADER_BYTES      40
#define VARINT_BYTES      9
#define PLAIN_BYTES       (HEADER_BYTES + SP_HISTOGRAM_SLOTS * VARINT_BYTES)

struct sp_hdr_encoder {
  z_stream deflater;
  uint8_t *plain;      // PLAIN_BYTES
  uint8_t *compressed; // 8 bytes of header, then room for the worst case
  size_t compressed_bytes;
  char *text;
};

static void put_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}
static void put_u64(uint8_t *at, uint64_t value) {
  put_u32(at, (uint32_t)(value >> 32));
  put_u32(at + 4, (uint32_t)value);
}
static uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static uint64_t get_u64(const uint8_t *at) {
  return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

// Seven bits a byte, low ones first; the ninth byte holds eight.
static uint8_t *put_varint(uint8_t *at, int64_t value) {
  uint64_t rest = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
  for (int i = 0; i < VARINT_BYTES - 1; i++) {
    if (rest < 0x80) {
      *at++ = (uint8_t)rest;
      return at;
    }
    *at++ = (uint8_t)(rest | 0x80);
    rest >>= 7;
  }
  *at++ = (uint8_t)rest;
  return at;
}

// NULL where the number is cut off.
static const uint8_t *get_varint(const uint8_t *at, const uint8_t *end, int64_t *value) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < VARINT_BYTES; i++) {
    if (at == end) return NULL;
    uint64_t byte = *at++;
    bool is_last = i == VARINT_BYTES - 1 || byte < 0x80;
    bits |= (i == VARINT_BYTES - 1 ? byte : byte & 0x7f) << (7 * i);
    if (is_last) break;
  }
  *value = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
  return at;
}

static size_t write_plain(uint8_t *plain, const struct sp_histogram *h) {
  uint8_t *at = plain + HEADER_BYTES;
  size_t n_slots = sp_histogram_slot_of(h->max_ns) + 1;
  for (size_t slot = 0; slot < n_slots;) {
    size_t first = slot;
    while (slot < n_slots && h->counts[slot] == 0) slot++;
    size_t n_zeros = slot - first;
    if (n_zeros > 1) at = put_varint(at, -(int64_t)n_zeros);
    if (n_zeros == 1) at = put_varint(at, 0);
    if (slot < n_slots) at = put_varint(at, h->counts[slot++]);
  }
  double conversion_ratio = 1.0;
  uint64_t ratio_bits;
  memcpy(&ratio_bits, &conversion_ratio, sizeof ratio_bits);
  put_u32(plain, COOKIE_PLAIN);
  put_u32(plain + 4, (uint32_t)(at - plain - HEADER_BYTES));
  put_u32(plain + 8, 0);  // normalizing index offset
  put_u32(plain + 12, 3); // significant digits
  put_u64(plain + 16, 1); // lowest discernible value
  put_u64(plain + 24, (uint64_t)SP_HISTOGRAM_HIGHEST_NS);
  put_u64(plain + 32, ratio_bits);
  return (size_t)(at - plain);
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void write_base64(char *text, const uint8_t *data, size_t n) {
  for (size_t i = 0; i < n; i += 3) {
    uint32_t group = (uint32_t)data[i] << 16;
    if (i + 1 < n) group |= (uint32_t)data[i + 1] << 8;
    if (i + 2 < n) group |= data[i + 2];
    *text++ = base64_digits[group >> 18];
    *text++ = base64_digits[group >> 12 & 63];
    *text++ = i + 1 < n ? base64_digits[group >> 6 & 63] : '=';
    *text++ = i + 2 < n ? base64_digits[group & 63] : '=';
  }
  *text = '\0';
}

struct sp_hdr_encoder *sp_hdr_encoder_new(void) {
  struct sp_hdr_encoder *encoder = sp_alloc(sizeof *encoder);
  SP_ASSERT(deflateInit(&encoder->deflater, Z_DEFAULT_COMPRESSION) == Z_OK);
  encoder->compressed_bytes = 8 + deflateBound(&encoder->deflater, PLAIN_BYTES);
  encoder->plain = sp_alloc(PLAIN_BYTES);
  encoder->compressed = sp_alloc(encoder->compressed_bytes);
  encoder->text = sp_alloc((encoder->compressed_bytes + 2) / 3 * 4 + 1);
  return encoder;
}

void sp_hdr_encoder_free(struct sp_hdr_encoder *encoder) {
  if (!encoder) return;
  deflateEnd(&encoder->deflater);
  free(encoder->plain);
  free(encoder->compressed);
  free(encoder->text);
  free(encoder);
}

const char *sp_hdr_encoder_text(struct sp_hdr_encoder *encoder, const struct sp_histogram *h) {
  z_stream *deflater = &encoder->deflater;
  SP_ASSERT(deflateReset(deflater) == Z_OK);
  deflater->next_in = encoder->plain;
  deflater->avail_in = (uInt)write_plain(encoder->plain, h);
  deflater->next_out = encoder->compressed + 8;
  deflater->avail_out = (uInt)(encoder->compressed_bytes - 8);
  SP_ASSERT(deflate(deflater, Z_FINISH) == Z_STREAM_END);
  put_u32(encoder->compressed, COOKIE_COMPRESSED);
  put_u32(encoder->compressed + 4, (uint32_t)deflater->total_out);
  write_base64(encoder->text, encoder->compressed, 8 + deflater->total_out);
  return encoder->text;
}

char *sp_histogram_encode(const struct sp_histogram *h) {
  struct sp_hdr_encoder *encoder = sp_hdr_encoder_new();
  char *text = sp_copy_text(sp_hdr_encoder_text(encoder, h));
  sp_hdr_encoder_free(encoder);
  return text;
}

static int base64_value(char digit) {
  const char *at = digit ? strchr(base64_digits, digit) : NULL;
  return at ? (int)(at - base64_digits) : -1;
}

// Bytes written to data (room for 3/4 of the text), SIZE_MAX if it is no base64.
static size_t read_base64(const char *text, uint8_t *data) {
  size_t n_text = strlen(text), n = 0;
  if (n_text % 4) return SIZE_MAX;
  size_t n_digits = n_text;
  while (n_digits && n_text - n_digits < 2 && text[n_digits - 1] == '=') n_digits--;
  uint32_t group = 0;
  for (size_t i = 0; i < n_digits; i++) {
    int value = base64_value(text[i]);
    if (value < 0) return SIZE_MAX;
    group = group << 6 | (uint32_t)value;
    if (i % 4) data[n++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
  }
  return n;
}

static enum sp_err read_counts(const uint8_t *at, const uint8_t *end, struct sp_histogram *h,
                               struct sp_error *error) {
  size_t slot = 0;
  while (at < end) {
    int64_t number;
    at = get_varint(at, end, &number);
    if (!at) return sp_fail(error, SP_ERR_ENVIRONMENT, "the histogram's last count is cut off");
    uint64_t n_slots = number < 0 ? 0 - (uint64_t)number : 1;
    if (n_slots > SP_HISTOGRAM_SLOTS - slot) {
      return sp_fail(error, SP_ERR_ENVIRONMENT, "the histogram has more counts than 1 ns to 1 h at 3 digits");
    }
    if (number > 0) {
      if (slot > sp_histogram_slot_of(SP_HISTOGRAM_HIGHEST_NS)) {
        return sp_fail(error, SP_ERR_ENVIRONMENT, "the histogram has values above 1 h");
      }
      if (number > INT64_MAX - h->n)
        return sp_fail(error, SP_ERR_ENVIRONMENT, "the histogram's counts overflow");
      if (h->n == 0) h->min_ns = sp_histogram_slot_lowest(slot);
      h->max_ns = sp_histogram_slot_highest(slot);
      if (h->max_ns > SP_HISTOGRAM_HIGHEST_NS) h->max_ns = SP_HISTOGRAM_HIGHEST_NS;
      h->counts[slot] = number;
      h->n += number;
      h->sum_ns += (double)number * (double)sp_histogram_slot_median(slot);
    }
    slot += n_slots;
  }
  return SP_OK;
}

static enum sp_err read_plain(const uint8_t *plain, size_t n, struct sp_histogram *h,
                              struct sp_error *error) {
  if (n < HEADER_BYTES || get_u32(plain) != COOKIE_PLAIN || get_u32(plain + 4) != n - HEADER_BYTES) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "not a whole HdrHistogram V2 histogram (%zu bytes)", n);
  }
  uint64_t lowest = get_u64(plain + 16), highest = get_u64(plain + 24);
  if (lowest != 1 || highest != (uint64_t)SP_HISTOGRAM_HIGHEST_NS || get_u32(plain + 12) != 3 ||
      get_u32(plain + 8)) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "a histogram of %llu to %llu at %u digits; only 1 to %lld at 3 is read",
                   (unsigned long long)lowest, (unsigned long long)highest, get_u32(plain + 12),
                   (long long)SP_HISTOGRAM_HIGHEST_NS);
  }
  return read_counts(plain + HEADER_BYTES, plain + n, h, error);
}

static enum sp_err read_compressed(const uint8_t *data, size_t n, struct sp_histogram *h,
                                   struct sp_error *error) {
  if (n < 8 || n == SIZE_MAX || get_u32(data) != COOKIE_COMPRESSED || get_u32(data + 4) > n - 8) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "not a whole compressed HdrHistogram V2 histogram in base64");
  }
  uint8_t *plain = sp_alloc(PLAIN_BYTES);
  uLongf n_plain = PLAIN_BYTES;
  int zlib = uncompress(plain, &n_plain, data + 8, get_u32(data + 4));
  enum sp_err err =
      zlib == Z_OK ? read_plain(plain, n_plain, h, error)
                   : sp_fail(error, SP_ERR_ENVIRONMENT, "the histogram does not inflate (zlib %d)", zlib);
  free(plain);
  return err;
}

enum sp_err sp_histogram_decode(const char *base64, struct sp_histogram *h, struct sp_error *error) {
  memset(h->counts, 0, SP_HISTOGRAM_SLOTS * sizeof *h->counts);
  h->n = 0;
  sp_histogram_reset(h);
  uint8_t *data = sp_alloc(strlen(base64) / 4 * 3 + 3);
  enum sp_err err = read_compressed(data, read_base64(base64, data), h, error);
  if (err) {
    memset(h->counts, 0, SP_HISTOGRAM_SLOTS * sizeof *h->counts);
    h->n = 0;
    sp_histogram_reset(h);
  }
  free(data);
  return err;
}
