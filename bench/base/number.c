// Numbers from and to decimal text.
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define POWER_MIN   (-65)
#define POWER_MAX   40
#define DIGITS_FAST 19  // as many decimal digits always fit 64 bits
#define DIGITS_SLOW 780 // beyond 767 significant digits only "some digit is not zero" can matter to a double

// 5^q, q from POWER_MIN to POWER_MAX, as the 128 most significant bits of the power (truncated) or, below zero, of its
// reciprocal (rounded up): high word, low word.
static const uint64_t powers[POWER_MAX - POWER_MIN + 1][2] = {
    {0x86ccbb52ea94baea, 0x98e947129fc2b4e9}, {0xa87fea27a539e9a5, 0x3f2398d747b36224},
    {0xd29fe4b18e88640e, 0x8eec7f0d19a03aad}, {0x83a3eeeef9153e89, 0x1953cf68300424ac},
    {0xa48ceaaab75a8e2b, 0x5fa8c3423c052dd7}, {0xcdb02555653131b6, 0x3792f412cb06794d},
    {0x808e17555f3ebf11, 0xe2bbd88bbee40bd0}, {0xa0b19d2ab70e6ed6, 0x5b6aceaeae9d0ec4},
    {0xc8de047564d20a8b, 0xf245825a5a445275}, {0xfb158592be068d2e, 0xeed6e2f0f0d56712},
    {0x9ced737bb6c4183d, 0x55464dd69685606b}, {0xc428d05aa4751e4c, 0xaa97e14c3c26b886},
    {0xf53304714d9265df, 0xd53dd99f4b3066a8}, {0x993fe2c6d07b7fab, 0xe546a8038efe4029},
    {0xbf8fdb78849a5f96, 0xde98520472bdd033}, {0xef73d256a5c0f77c, 0x963e66858f6d4440},
    {0x95a8637627989aad, 0xdde7001379a44aa8}, {0xbb127c53b17ec159, 0x5560c018580d5d52},
    {0xe9d71b689dde71af, 0xaab8f01e6e10b4a6}, {0x9226712162ab070d, 0xcab3961304ca70e8},
    {0xb6b00d69bb55c8d1, 0x3d607b97c5fd0d22}, {0xe45c10c42a2b3b05, 0x8cb89a7db77c506a},
    {0x8eb98a7a9a5b04e3, 0x77f3608e92adb242}, {0xb267ed1940f1c61c, 0x55f038b237591ed3},
    {0xdf01e85f912e37a3, 0x6b6c46dec52f6688}, {0x8b61313bbabce2c6, 0x2323ac4b3b3da015},
    {0xae397d8aa96c1b77, 0xabec975e0a0d081a}, {0xd9c7dced53c72255, 0x96e7bd358c904a21},
    {0x881cea14545c7575, 0x7e50d64177da2e54}, {0xaa242499697392d2, 0xdde50bd1d5d0b9e9},
    {0xd4ad2dbfc3d07787, 0x955e4ec64b44e864}, {0x84ec3c97da624ab4, 0xbd5af13bef0b113e},
    {0xa6274bbdd0fadd61, 0xecb1ad8aeacdd58e}, {0xcfb11ead453994ba, 0x67de18eda5814af2},
    {0x81ceb32c4b43fcf4, 0x80eacf948770ced7}, {0xa2425ff75e14fc31, 0xa1258379a94d028d},
    {0xcad2f7f5359a3b3e, 0x096ee45813a04330}, {0xfd87b5f28300ca0d, 0x8bca9d6e188853fc},
    {0x9e74d1b791e07e48, 0x775ea264cf55347e}, {0xc612062576589dda, 0x95364afe032a819e},
    {0xf79687aed3eec551, 0x3a83ddbd83f52205}, {0x9abe14cd44753b52, 0xc4926a9672793543},
    {0xc16d9a0095928a27, 0x75b7053c0f178294}, {0xf1c90080baf72cb1, 0x5324c68b12dd6339},
    {0x971da05074da7bee, 0xd3f6fc16ebca5e04}, {0xbce5086492111aea, 0x88f4bb1ca6bcf585},
    {0xec1e4a7db69561a5, 0x2b31e9e3d06c32e6}, {0x9392ee8e921d5d07, 0x3aff322e62439fd0},
    {0xb877aa3236a4b449, 0x09befeb9fad487c3}, {0xe69594bec44de15b, 0x4c2ebe687989a9b4},
    {0x901d7cf73ab0acd9, 0x0f9d37014bf60a11}, {0xb424dc35095cd80f, 0x538484c19ef38c95},
    {0xe12e13424bb40e13, 0x2865a5f206b06fba}, {0x8cbccc096f5088cb, 0xf93f87b7442e45d4},
    {0xafebff0bcb24aafe, 0xf78f69a51539d749}, {0xdbe6fecebdedd5be, 0xb573440e5a884d1c},
    {0x89705f4136b4a597, 0x31680a88f8953031}, {0xabcc77118461cefc, 0xfdc20d2b36ba7c3e},
    {0xd6bf94d5e57a42bc, 0x3d32907604691b4d}, {0x8637bd05af6c69b5, 0xa63f9a49c2c1b110},
    {0xa7c5ac471b478423, 0x0fcf80dc33721d54}, {0xd1b71758e219652b, 0xd3c36113404ea4a9},
    {0x83126e978d4fdf3b, 0x645a1cac083126ea}, {0xa3d70a3d70a3d70a, 0x3d70a3d70a3d70a4},
    {0xcccccccccccccccc, 0xcccccccccccccccd}, {0x8000000000000000, 0x0000000000000000},
    {0xa000000000000000, 0x0000000000000000}, {0xc800000000000000, 0x0000000000000000},
    {0xfa00000000000000, 0x0000000000000000}, {0x9c40000000000000, 0x0000000000000000},
    {0xc350000000000000, 0x0000000000000000}, {0xf424000000000000, 0x0000000000000000},
    {0x9896800000000000, 0x0000000000000000}, {0xbebc200000000000, 0x0000000000000000},
    {0xee6b280000000000, 0x0000000000000000}, {0x9502f90000000000, 0x0000000000000000},
    {0xba43b74000000000, 0x0000000000000000}, {0xe8d4a51000000000, 0x0000000000000000},
    {0x9184e72a00000000, 0x0000000000000000}, {0xb5e620f480000000, 0x0000000000000000},
    {0xe35fa931a0000000, 0x0000000000000000}, {0x8e1bc9bf04000000, 0x0000000000000000},
    {0xb1a2bc2ec5000000, 0x0000000000000000}, {0xde0b6b3a76400000, 0x0000000000000000},
    {0x8ac7230489e80000, 0x0000000000000000}, {0xad78ebc5ac620000, 0x0000000000000000},
    {0xd8d726b7177a8000, 0x0000000000000000}, {0x878678326eac9000, 0x0000000000000000},
    {0xa968163f0a57b400, 0x0000000000000000}, {0xd3c21bcecceda100, 0x0000000000000000},
    {0x84595161401484a0, 0x0000000000000000}, {0xa56fa5b99019a5c8, 0x0000000000000000},
    {0xcecb8f27f4200f3a, 0x0000000000000000}, {0x813f3978f8940984, 0x4000000000000000},
    {0xa18f07d736b90be5, 0x5000000000000000}, {0xc9f2c9cd04674ede, 0xa400000000000000},
    {0xfc6f7c4045812296, 0x4d00000000000000}, {0x9dc5ada82b70b59d, 0xf020000000000000},
    {0xc5371912364ce305, 0x6c28000000000000}, {0xf684df56c3e01bc6, 0xc732000000000000},
    {0x9a130b963a6c115c, 0x3c7f400000000000}, {0xc097ce7bc90715b3, 0x4b9f100000000000},
    {0xf0bdc21abb48db20, 0x1e86d40000000000}, {0x96769950b50d88f4, 0x1314448000000000},
    {0xbc143fa4e250eb31, 0x17d955a000000000}, {0xeb194f8e1ae525fd, 0x5dcfab0800000000},
};

__extension__ typedef unsigned __int128 wide;

// The high 128 bits of w * 5^q, precise enough for 55 bits; the second multiplication is rarely needed.
static wide multiply(uint64_t w, const uint64_t power[2]) {
  wide product = (wide)w * power[0];
  const uint64_t precise_bits = UINT64_MAX >> 55;
  if (((uint64_t)(product >> 64) & precise_bits) == precise_bits) {
    product += (uint64_t)(((wide)w * power[1]) >> 64);
  }
  return product;
}

// w * 10^q as the nearest double; w > 0 and q within the table, so the result is a normal number.
static double nearest_double(uint64_t w, int q) {
  int leading = __builtin_clzll(w);
  wide product = multiply(w << leading, powers[q - POWER_MIN]);
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  int upper = (int)(high >> 63);
  int shift = upper + 64 - 52 - 3;
  uint64_t mantissa = high >> shift;
  // floor(q log2 10) for |q| < 1650; 2^32 more keeps what is shifted positive.
  int64_t floor_log2 = ((217706 * (int64_t)q + (INT64_C(1) << 32)) >> 16) - (INT64_C(1) << 16);
  int64_t exponent = floor_log2 + 63 + upper - leading + 1023;
  // Exactly between two doubles, which only these powers allow: to the even one.
  if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && (mantissa << shift) == high)
    mantissa &= ~UINT64_C(1);
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= UINT64_C(2) << 52) {
    mantissa = UINT64_C(1) << 52;
    exponent++;
  }
  uint64_t bits = (mantissa & ~(UINT64_C(1) << 52)) | ((uint64_t)exponent << 52);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// A number without a decimal point reads the same in every locale.
static double through_strtod(const char *digits, size_t n, int64_t exponent) {
  char text[DIGITS_SLOW + 32];
  memcpy(text, digits, n);
  int64_t bounded = exponent > 9999 ? 9999 : exponent < -9999 ? -9999 : exponent;
  snprintf(text + n, sizeof text - n, "e%d", (int)bounded);
  return strtod(text, NULL);
}

// The digits of [at, end) (a point among them) times 10^exponent, where `exponent` counts from the last digit.
static double slow_double(const uint8_t *at, const uint8_t *end, int64_t exponent) {
  char digits[DIGITS_SLOW + 2];
  size_t n = 0;
  bool some_left = false;
  for (; at < end; at++) {
    if (*at == '.' || (n == 0 && *at == '0')) continue;
    if (n < DIGITS_SLOW) {
      digits[n++] = (char)*at;
    } else {
      some_left |= *at != '0';
      exponent++;
    }
  }
  if (n == 0) return 0;
  if (some_left) {
    digits[n++] = '1';
    exponent--;
  }
  return through_strtod(digits, n, exponent);
}

static bool is_digit(uint8_t c) {
  return (uint8_t)(c - '0') < 10;
}

// Which of eight characters, already xor'ed with '0', are no digits: the first such byte and some after it have the top bit.
static uint64_t not_digits(uint64_t values) {
  return ((values + 0x7676767676767676) | values) & 0x8080808080808080;
}

// Eight digit values at once, the first in the lowest byte: pairs, then fours, then eights.
static uint32_t eight_digits(uint64_t values) {
  const uint64_t mask = 0x000000ff000000ff;
  values = values * 10 + (values >> 8);
  return (uint32_t)(((values & mask) * 0x000f424000000064 + ((values >> 16) & mask) * 0x0000271000000001) >>
                    32);
}

// Adds digits to *w (which wraps beyond 19; the caller counts) and returns where they end.
static const uint8_t *scan_digits(const uint8_t *at, const uint8_t *end, uint64_t *w) {
  static const uint32_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  while (end - at >= 8) {
    uint64_t values;
    memcpy(&values, at, 8);
    values ^= 0x3030303030303030;
    uint64_t others = not_digits(values);
    if (others) {
      int n = __builtin_ctzll(others) / 8;
      // Zeros move in before the n digits.
      if (n > 0) *w = *w * tens[n] + eight_digits(values << (64 - 8 * n));
      return at + n;
    }
    *w = *w * 100000000 + eight_digits(values);
    at += 8;
  }
  for (; at < end && is_digit(*at); at++) *w = *w * 10 + (uint64_t)(*at - '0');
  return at;
}

// An exponent after its "e"; returns NULL where none is written. Bounded, so that no length of digits overflows it.
static const uint8_t *scan_exponent(const uint8_t *at, const uint8_t *end, int64_t *exponent) {
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at >= end || !is_digit(*at)) return NULL;
  int64_t e = 0;
  for (; at < end && is_digit(*at); at++) e = e < INT64_C(1) << 56 ? e * 10 + (*at - '0') : e;
  *exponent = negative ? -e : e;
  return at;
}

static size_t n_leading_zeros(const uint8_t *at, const uint8_t *end) {
  size_t n = 0;
  for (; at < end && (*at == '0' || *at == '.'); at++) n += *at == '0';
  return n;
}

size_t sp_number_scan(const uint8_t *at, const uint8_t *end, double *value) {
  const uint8_t *start = at;
  if (at >= end) return 0;
  // Signs of data are as good as random: no branch on them.
  bool negative = *at == '-';
  at += (*at == '-') | (*at == '+');
  const uint8_t *digits = at;
  uint64_t w = 0;
  at = scan_digits(at, end, &w);
  size_t n_digits = (size_t)(at - digits);
  int64_t exponent = 0;
  if (at < end && *at == '.') {
    const uint8_t *fraction = at + 1;
    at = scan_digits(fraction, end, &w);
    exponent = -(int64_t)(at - fraction);
    n_digits += (size_t)(at - fraction);
  }
  if (n_digits == 0) return 0;
  const uint8_t *digits_end = at;
  if (at < end && (*at | 0x20) == 'e') {
    int64_t written = 0;
    const uint8_t *after = scan_exponent(at + 1, end, &written);
    if (after) {
      exponent += written;
      at = after;
    }
  }
  double magnitude;
  if (n_digits > DIGITS_FAST && n_digits - n_leading_zeros(digits, digits_end) > DIGITS_FAST) {
    magnitude = slow_double(digits, digits_end, exponent);
  } else if (w == 0) {
    magnitude = 0;
  } else if (exponent >= POWER_MIN && exponent <= POWER_MAX) {
    magnitude = nearest_double(w, (int)exponent);
  } else {
    magnitude = slow_double(digits, digits_end, exponent);
  }
  *value = copysign(magnitude, (double)(1 - 2 * negative));
  return (size_t)(at - start);
}

size_t sp_number_scan_int64(const uint8_t *at, const uint8_t *end, int64_t *value) {
  const uint8_t *start = at;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  const uint8_t *digits = at;
  uint64_t magnitude = 0;
  for (; at < end && is_digit(*at); at++) {
    if (__builtin_mul_overflow(magnitude, 10, &magnitude) ||
        __builtin_add_overflow(magnitude, (uint64_t)(*at - '0'), &magnitude)) {
      return 0;
    }
  }
  if (at == digits || magnitude > (uint64_t)INT64_MAX + negative) return 0;
  *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  return (size_t)(at - start);
}

// Digits times 10^exponent, plain or with an exponent, without the zeros at its end.
static size_t write_decimal(bool negative, uint64_t digits, int exponent, int plain_below, char *text) {
  for (; digits % 10 == 0; digits /= 10) exponent++;
  char reversed[20];
  int n = 0;
  for (; digits; digits /= 10) reversed[n++] = (char)('0' + digits % 10);
  int point = n + exponent; // digits before the decimal point
  bool plain = point > -4 && point <= plain_below;
  char *out = text;
  if (negative) *out++ = '-';
  if (plain && point <= 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = point; i < 0; i++) *out++ = '0';
  }
  for (int i = 0; i < n; i++) {
    *out++ = reversed[n - 1 - i];
    if (i + 1 < n && i + 1 == (plain ? point : 1)) *out++ = '.';
  }
  for (int i = n; plain && i < point; i++) *out++ = '0';
  if (!plain) {
    int e = point - 1;
    *out++ = 'e';
    if (e < 0) *out++ = '-';
    e = abs(e);
    if (e >= 100) *out++ = (char)('0' + e / 100);
    if (e >= 10) *out++ = (char)('0' + e / 10 % 10);
    *out++ = (char)('0' + e % 10);
  }
  return (size_t)(out - text);
}

static double power_of_ten(int n) {
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return exact[n];
}

// value * 10^n within a few ulp of a double; |n| <= 66.
static double scaled(double value, int n) {
  for (; n > 22; n -= 22) value *= power_of_ten(22);
  for (; n < -22; n += 22) value /= power_of_ten(22);
  return n < 0 ? value / power_of_ten(-n) : value * power_of_ten(n);
}

static bool gives_back(uint64_t digits, int exponent, float value) {
  return digits > 0 && (float)nearest_double(digits, exponent) == value;
}

size_t sp_float_text(float value, char *text) {
  bool negative = signbit(value) != 0;
  float magnitude = fabsf(value);
  SP_ASSERT(isfinite(value));
  if (magnitude == 0) {
    text[0] = '-';
    text[negative] = '0';
    return negative ? 2 : 1;
  }
  int exponent2;
  float half = frexpf(magnitude, &exponent2);
  // 9 digits before the point: within one of this estimate, which the bounds below put right.
  int exponent = (int)floor((exponent2 - 1) * 0.30102999566398120) - 8;
  double nine = scaled((double)magnitude, -exponent);
  if (nine >= 1e9) {
    exponent++;
    nine = scaled((double)magnitude, -exponent);
  }
  // Each power of two has a nearer neighbour below than above: there the nearest decimal may fail and the next one hold.
  static const int beside[] = {0, -1, 1};
  int n_tries = half == 0.5F ? 3 : 1;
  // Six digits always survive the way there and back, zeros at their end included; not so below the normal floats.
  for (int n = magnitude < FLT_MIN ? 1 : FLT_DIG; n <= 9; n++) {
    int e = exponent + 9 - n;
    int64_t nearest = (int64_t)(nine / power_of_ten(9 - n) + 0.5);
    for (int i = 0; i < n_tries; i++) {
      uint64_t digits = (uint64_t)(nearest + beside[i]);
      if (gives_back(digits, e, magnitude)) return write_decimal(negative, digits, e, 9, text);
    }
  }
  sp_panic(__FILE__, __LINE__, "nine digits give every float back");
}

size_t sp_double_text(double value, char *text) {
  bool negative = signbit(value) != 0;
  double magnitude = fabs(value);
  SP_ASSERT(isfinite(value));
  if (magnitude == 0) return sp_float_text((float)value, text);
  for (int n = 15; n <= 17; n++) {
    char printed[40];
    snprintf(printed, sizeof printed, "%.*e", n - 1, magnitude);
    uint64_t digits = 0;
    const char *at = printed;
    for (; *at != 'e'; at++) { // whatever the locale's decimal point is, it is no digit
      if (*at >= '0' && *at <= '9') digits = digits * 10 + (uint64_t)(*at - '0');
    }
    int exponent = atoi(at + 1) - (n - 1);
    size_t length = write_decimal(negative, digits, exponent, 17, text);
    double back = 0;
    sp_number_scan((const uint8_t *)text, (const uint8_t *)text + length, &back);
    if (back == value) return length;
  }
  sp_panic(__FILE__, __LINE__, "seventeen digits give every double back");
}
