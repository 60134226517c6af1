// Numbers to and from text, against the C library in a million random cases and in the awkward ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define N_RANDOM 1000000

static uint64_t next(uint64_t *state) { // splitmix64
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static void reads_as_strtod(const char *text) {
  double ours = -1, theirs = strtod(text, NULL);
  size_t n = strlen(text);
  assert_int_equal(sp_number_scan((const uint8_t *)text, (const uint8_t *)text + n, &ours), n);
  if (ours != theirs || signbit(ours) != signbit(theirs))
    fail_msg("%s: %a, strtod says %a", text, ours, theirs);
}

static void random_doubles_read_as_strtod(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < N_RANDOM; i++) {
    uint64_t bits = next(&seed);
    if (i % 2) bits = (bits & 0x800fffffffffffff) | ((960 + next(&seed) % 120) << 52); // magnitudes of data
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    char text[64];
    snprintf(text, sizeof text, "%.*g", (int)(1 + next(&seed) % 22), value);
    reads_as_strtod(text);
  }
}

static void random_digits_read_as_strtod(void **state) {
  (void)state;
  uint64_t seed = 2;
  for (int i = 0; i < N_RANDOM / 2; i++) {
    char text[80];
    int n = 0, n_digits = (int)(1 + next(&seed) % 24), point = (int)(next(&seed) % 25);
    for (int k = 0; k < n_digits; k++) {
      if (k == point) text[n++] = '.';
      text[n++] = (char)('0' + next(&seed) % 10);
    }
    if (i % 3 == 0) n += snprintf(text + n, 16, "e%d", (int)(next(&seed) % 90) - 45);
    text[n] = 0;
    reads_as_strtod(text);
  }
}

static void halfway_cases_go_to_even(void **state) {
  (void)state;
  uint64_t seed = 3;
  for (int i = 0; i < 100000; i++) {
    // A double of 53 bits and the exact middle to its neighbour, written as an integer or with a binary fraction.
    uint64_t mantissa = (UINT64_C(1) << 53 | (next(&seed) >> 11)) * 2 + 1;
    char text[80];
    int shift = (int)(next(&seed) % 5);
    if (shift == 0) {
      snprintf(text, sizeof text, "%llu", (unsigned long long)mantissa);
    } else { // (2^54-odd) / 2^shift has `shift` more decimals
      snprintf(text, sizeof text, "%llu.%04llu", (unsigned long long)(mantissa >> shift),
               (unsigned long long)((mantissa & ((1U << shift) - 1)) * 10000 >> shift));
    }
    reads_as_strtod(text);
  }
}

static void awkward_numbers_read_as_strtod(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0",
      "-0",
      "+0",
      "0.",
      ".5",
      "-.5e1",
      "00001",
      "1e0",
      "1E+5",
      "1e-5",
      "0e999999999999999999999",
      "1e400",
      "-1e400",
      "1e-400",
      "4.9406564584124654e-324",
      "2.4703282292062328e-324",
      "2.4703282292062327e-324",
      "2.2250738585072011e-308",
      "1.7976931348623157e308",
      "1.7976931348623159e308",
      "9007199254740993",
      "9007199254740992.5",
      "9007199254740993.00000000000000000000000000000000000000000000000000000001",
      "18446744073709551615",
      "18446744073709551616",
      "99999999999999999999",
      "0.00000000000000000000000000000000001",
      "0.1000000000000000000000000000000000000000000000000",
      "1e65",
      "1e-65",
      "1e40",
      "1e41",
      "12345678901234567890e-66",
      "1e18446744073709551617",
      "123456789012345678901234567890e-20"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) reads_as_strtod(texts[i]);
}

static void very_long_numbers_are_still_exact(void **state) {
  (void)state;
  // 2^53 + 1 exactly in the middle, decided by one digit three thousand places on.
  char text[4096];
  int n = snprintf(text, sizeof text, "9007199254740993.");
  memset(text + n, '0', 3000);
  text[n + 3000] = 0;
  reads_as_strtod(text);
  text[n + 2999] = '1';
  reads_as_strtod(text);
}

static size_t scan(const char *text, double *value) {
  return sp_number_scan((const uint8_t *)text, (const uint8_t *)text + strlen(text), value);
}

static void only_the_number_is_read(void **state) {
  (void)state;
  double value = 7;
  static const char *const none[] = {"", "-", "+", ".", "e5", "-e5", "nan", "inf", "NA", " 1", "--1", ".e1"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_int_equal(scan(none[i], &value), 0);
  assert_true(value == 7);
  assert_int_equal(scan("1.5,2", &value), 3);
  assert_true(value == 1.5);
  assert_int_equal(scan("1e", &value), 1);
  assert_int_equal(scan("1e+x", &value), 1);
  assert_int_equal(scan("0x10", &value), 1);
  assert_int_equal(scan("1.2.3", &value), 3);
  assert_int_equal(sp_number_scan((const uint8_t *)"123456", (const uint8_t *)"123456" + 0, &value), 0);
  const char *bounded = "1234567890123";
  assert_int_equal(sp_number_scan((const uint8_t *)bounded, (const uint8_t *)bounded + 3, &value), 3);
  assert_true(value == 123);
}

static size_t scan_int(const char *text, int64_t *value) {
  return sp_number_scan_int64((const uint8_t *)text, (const uint8_t *)text + strlen(text), value);
}

static void integers_are_exact_to_their_bounds(void **state) {
  (void)state;
  int64_t value = 0;
  assert_int_equal(scan_int("9223372036854775807", &value), 19);
  assert_true(value == INT64_MAX);
  assert_int_equal(scan_int("-9223372036854775808", &value), 20);
  assert_true(value == INT64_MIN);
  assert_int_equal(scan_int("9223372036854775808", &value), 0);
  assert_int_equal(scan_int("-9223372036854775809", &value), 0);
  assert_int_equal(scan_int("99999999999999999999", &value), 0);
  assert_int_equal(scan_int("+00012,", &value), 6);
  assert_true(value == 12);
  assert_int_equal(scan_int("x", &value), 0);
}

static void float_text_is(float value, const char *expected) {
  char text[SP_FLOAT_TEXT_BYTES];
  size_t n = sp_float_text(value, text);
  if (n != strlen(expected) || memcmp(text, expected, n) != 0)
    fail_msg("%.*s, not %s", (int)n, text, expected);
}

static void floats_are_written_short(void **state) {
  (void)state;
  float_text_is(0, "0");
  float_text_is(-0.0F, "-0");
  float_text_is(1, "1");
  float_text_is(-1.5F, "-1.5");
  float_text_is(0.1F, "0.1");
  float_text_is(0.3F, "0.3");
  float_text_is(0.0001F, "0.0001");
  float_text_is(0.00001F, "1e-5");
  float_text_is(123456.0F, "123456");
  float_text_is(16777216.0F, "16777216");
  float_text_is(1e9F, "1e9");
  float_text_is(0.164676831F, "0.16467683");
  float_text_is(FLT_MAX, "3.4028235e38");
  float_text_is(-FLT_MAX, "-3.4028235e38");
  float_text_is(FLT_MIN, "1.1754944e-38");
  float_text_is(1e-45F, "1e-45");
  float_text_is(100, "100");
  // The three powers of two whose nearest decimal of eight digits does not give them back, but the one above does.
  float_text_is(ldexpf(1, -96), "1.2621775e-29");
  float_text_is(ldexpf(1, 87), "1.5474251e26");
  float_text_is(ldexpf(1, 90), "1.2379401e27");
}

// The value comes back, whether read as a float or as a double first; and no shorter %.ng does.
static void float_round_trips(float value) {
  char text[64];
  size_t n = sp_float_text(value, text);
  assert_true(n <= SP_FLOAT_TEXT_BYTES);
  text[n] = 0;
  double back = 0;
  assert_int_equal(scan(text, &back), n);
  if ((float)back != value || strtof(text, NULL) != value)
    fail_msg("%s does not give %a back", text, (double)value);
  size_t n_digits = 0;
  const char *at = text;
  for (; *at && *at != 'e'; at++) n_digits += *at >= '0' && *at <= '9' && (n_digits || *at != '0');
  for (; at > text && (at[-1] == '0' || at[-1] == '.'); at--) n_digits -= at[-1] == '0' && n_digits > 1;
  char shorter[320];
  if (n_digits <= 1) return;
  snprintf(shorter, sizeof shorter, "%.*g", (int)n_digits - 1, (double)value);
  if (strtof(shorter, NULL) == value) fail_msg("%s is longer than %s", text, shorter);
}

static void random_floats_round_trip(void **state) {
  (void)state;
  uint64_t seed = 4;
  for (int i = 0; i < N_RANDOM; i++) {
    uint32_t bits = (uint32_t)next(&seed);
    if (i % 2) bits = (bits & 0x807fffff) | (uint32_t)(100 + next(&seed) % 54) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    if (isfinite(value)) float_round_trips(value);
  }
}

static void floats_around_powers_of_two_and_ten_round_trip(void **state) {
  (void)state;
  for (int e = -149; e < 128; e++) {
    float power = ldexpf(1, e);
    float_round_trips(power);
    float_round_trips(nextafterf(power, 0));
    if (e < 127) float_round_trips(nextafterf(power, FLT_MAX));
  }
  for (int e = -45; e <= 38; e++) {
    float power = (float)pow(10, e);
    float_round_trips(power);
    float_round_trips(nextafterf(power, 0) == 0 ? power : nextafterf(power, 0));
    float_round_trips(nextafterf(power, FLT_MAX));
  }
}

static void doubles_round_trip(void **state) {
  (void)state;
  uint64_t seed = 5;
  char text[64];
  for (int i = 0; i < 50000; i++) {
    uint64_t bits = next(&seed);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    size_t n = sp_double_text(value, text);
    assert_true(n <= SP_DOUBLE_TEXT_BYTES);
    text[n] = 0;
    if (strtod(text, NULL) != value) fail_msg("%s does not give %a back", text, value);
  }
  assert_int_equal(sp_double_text(0.1, text), 3);
  assert_memory_equal(text, "0.1", 3);
  assert_int_equal(sp_double_text(-DBL_MAX, text), strlen("-1.7976931348623157e308"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_doubles_read_as_strtod),
      cmocka_unit_test(random_digits_read_as_strtod),
      cmocka_unit_test(halfway_cases_go_to_even),
      cmocka_unit_test(awkward_numbers_read_as_strtod),
      cmocka_unit_test(very_long_numbers_are_still_exact),
      cmocka_unit_test(only_the_number_is_read),
      cmocka_unit_test(integers_are_exact_to_their_bounds),
      cmocka_unit_test(floats_are_written_short),
      cmocka_unit_test(random_floats_round_trip),
      cmocka_unit_test(floats_around_powers_of_two_and_ten_round_trip),
      cmocka_unit_test(doubles_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
