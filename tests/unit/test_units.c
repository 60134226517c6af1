// Quantities: read exactly, refused with a remedy, written back, printed.
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static void durations_are_exact(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ns;
  } cases[] = {{"0s", 0},
               {"1ns", 1},
               {"250us", 250000},
               {"250µs", 250000},
               {"10ms", 10000000},
               {"30s", INT64_C(30000000000)},
               {"2m", INT64_C(120000000000)},
               {"1h", INT64_C(3600000000000)},
               {"1.5ms", 1500000},
               {"0.000000001s", 1},
               {"1.50000000000000000000000s", 1500000000},
               {"007s", INT64_C(7000000000)},
               {"9223372036854775807ns", INT64_MAX}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t ns = -1;
    struct sp_error error;
    if (sp_units_parse_duration(cases[i].text, &ns, &error)) fail_msg("%s: %s", cases[i].text, error.text);
    assert_true(ns == cases[i].ns);
  }
}

static void rates_are_exact(void **state) {
  (void)state;
  static const struct {
    const char *text;
    struct sp_rate rate;
  } cases[] = {{"2000/s", {2000, UINT64_C(1000000000)}},     {"0.5/s", {5, UINT64_C(10000000000)}},
               {"100/min", {100, UINT64_C(60000000000)}},    {"1/h", {1, UINT64_C(3600000000000)}},
               {"33.330/s", {3333, UINT64_C(100000000000)}}, {"0/s", {0, UINT64_C(1000000000)}}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_rate rate;
    assert_int_equal(sp_units_parse_rate(cases[i].text, &rate, NULL), SP_OK);
    assert_true(rate.n == cases[i].rate.n && rate.per_ns == cases[i].rate.per_ns);
  }
}

static void sizes_shares_and_numbers_are_read(void **state) {
  (void)state;
  uint64_t bytes, count;
  double share, real;
  assert_int_equal(sp_units_parse_size("64KiB", &bytes, NULL), SP_OK);
  assert_true(bytes == 65536);
  assert_int_equal(sp_units_parse_size("1.5GiB", &bytes, NULL), SP_OK);
  assert_true(bytes == UINT64_C(1610612736));
  assert_int_equal(sp_units_parse_size("7B", &bytes, NULL), SP_OK);
  assert_true(bytes == 7);
  assert_int_equal(sp_units_parse_share("0.1%", &share, NULL), SP_OK);
  assert_true(share == 0.001);
  assert_int_equal(sp_units_parse_share("0.001", &share, NULL), SP_OK);
  assert_true(share == 0.001);
  assert_int_equal(sp_units_parse_share("100%", &share, NULL), SP_OK);
  assert_true(share == 1);
  assert_int_equal(sp_units_parse_count("18446744073709551615", &count, NULL), SP_OK);
  assert_true(count == UINT64_MAX);
  assert_int_equal(sp_units_parse_real("-1.5e-3", &real, NULL), SP_OK);
  assert_true(real == -1.5e-3);
}

enum what { DURATION, RATE, SIZE, SHARE, COUNT, REAL };

static enum sp_err parse(enum what what, const char *text, struct sp_error *error) {
  int64_t ns;
  struct sp_rate rate;
  uint64_t count;
  double real;
  switch (what) {
  case DURATION: return sp_units_parse_duration(text, &ns, error);
  case RATE: return sp_units_parse_rate(text, &rate, error);
  case SIZE: return sp_units_parse_size(text, &count, error);
  case SHARE: return sp_units_parse_share(text, &real, error);
  case COUNT: return sp_units_parse_count(text, &count, error);
  case REAL: return sp_units_parse_real(text, &real, error);
  }
  return SP_OK;
}

static void what_is_wrong_is_said_with_the_remedy(void **state) {
  (void)state;
  static const struct {
    enum what what;
    const char *text, *message;
  } cases[] = {
      {RATE, "2000", "\"2000\" has no unit; write 2000/s"},
      {RATE, "2000/sec", "\"2000/sec\" has the unknown unit \"/sec\"; write 2000/s (or /min, /h)"},
      {RATE, "-5/s", "\"-5/s\" is not a number with a unit; write for example 2000/s"},
      {RATE, "1e3/s", "\"1e3/s\" has the unknown unit \"e3/s\"; write 1/s (or /min, /h)"},
      {RATE, "99999999999999999999/s", "\"99999999999999999999/s\" is too large"},
      {RATE, "0.00000000000000000001/s", "\"0.00000000000000000001/s\" has too many decimals"},
      {DURATION, "30", "\"30\" has no unit; write 30s"},
      {DURATION, "30 s", "\"30 s\" has the unknown unit \" s\"; write 30s (or ns, us, ms, m, h)"},
      {DURATION, "30sec", "\"30sec\" has the unknown unit \"sec\"; write 30s (or ns, us, ms, m, h)"},
      {DURATION, "", "\"\" is not a number with a unit; write for example 10s"},
      {DURATION, "nan", "\"nan\" is not a number with a unit; write for example 10s"},
      {DURATION, ".5s", "\".5s\" is not a number with a unit; write for example 10s"},
      {DURATION, "5.s", "\"5.s\" is not a number with a unit; write for example 10s"},
      {DURATION, "0.5ns", "\"0.5ns\" is finer than 1ns"},
      {DURATION, "9223372036854775808ns", "\"9223372036854775808ns\" is too large"},
      {DURATION, "2562048h", "\"2562048h\" is too large"},
      {SIZE, "64", "\"64\" has no unit; write 64KiB"},
      {SIZE, "64KB", "\"64KB\" has the unknown unit \"KB\"; write 64KiB (or B, MiB, GiB)"},
      {SIZE, "0.5B", "\"0.5B\" is finer than 1B"},
      {SIZE, "17179869184GiB", "\"17179869184GiB\" is too large"},
      {SHARE, "101%", "\"101%\" is more than all; write 0% to 100%"},
      {SHARE, "2", "\"2\" is more than all; write 0 to 1, or a percentage as 1%"},
      {SHARE, "1permille", "\"1permille\" is not a share; write for example 0.1% or 0.001"},
      {COUNT, "-1", "\"-1\" is not a whole number; write digits only, for example 64"},
      {COUNT, "1.0", "\"1.0\" is not a whole number; write digits only, for example 64"},
      {COUNT, "18446744073709551616", "\"18446744073709551616\" is too large"},
      {REAL, "nan", "\"nan\" is not a number; write for example 0.5 or 1e-5"},
      {REAL, "inf", "\"inf\" is not a number; write for example 0.5 or 1e-5"},
      {REAL, "0x10", "\"0x10\" is not a number; write for example 0.5 or 1e-5"},
      {REAL, "1e", "\"1e\" is not a number; write for example 0.5 or 1e-5"},
      {REAL, "1e999", "\"1e999\" is too large"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_error error = {0};
    assert_int_equal(parse(cases[i].what, cases[i].text, &error), SP_ERR_USAGE);
    assert_string_equal(error.text, cases[i].message);
  }
}

static void what_is_written_reads_the_same(void **state) {
  (void)state;
  static const char *const durations[] = {"10s", "250us", "1500ms", "1ns", "0s", "3600s"};
  static const char *const rates[] = {"2000/s", "0.5/s", "33.33/s", "100/min", "1/h", "0.05/min"};
  static const char *const sizes[] = {"64KiB", "7B", "1MiB", "3GiB", "0B", "1025B"};
  char text[SP_UNITS_TEXT_BYTES];
  for (size_t i = 0; i < 6; i++) {
    int64_t ns;
    struct sp_rate rate;
    uint64_t bytes;
    assert_int_equal(sp_units_parse_duration(durations[i], &ns, NULL), SP_OK);
    assert_string_equal(sp_units_write_duration(ns, text, sizeof text), durations[i]);
    assert_int_equal(sp_units_parse_rate(rates[i], &rate, NULL), SP_OK);
    assert_string_equal(sp_units_write_rate(&rate, text, sizeof text), rates[i]);
    assert_int_equal(sp_units_parse_size(sizes[i], &bytes, NULL), SP_OK);
    assert_string_equal(sp_units_write_size(bytes, text, sizeof text), sizes[i]);
  }
  const struct sp_rate third = {1, UINT64_C(3000000007)}, none = {0, 0};
  assert_string_equal(sp_units_write_rate(&third, text, sizeof text),
                      "0.333333/s"); // of a recording, not of a text
  assert_string_equal(sp_units_write_rate(&none, text, sizeof text), "0/s");
}

static void figures_have_three_digits(void **state) {
  (void)state;
  static const struct {
    int64_t ns;
    const char *text;
  } durations[] = {{0, "0ns"},
                   {999, "999ns"},
                   {9000, "9µs"},
                   {9234, "9.23µs"},
                   {9996, "10µs"},
                   {12399, "12.4µs"},
                   {140000, "140µs"},
                   {999499, "999µs"},
                   {999600, "1ms"},
                   {1330000, "1.33ms"},
                   {420000000, "420ms"},
                   {INT64_C(1400000000), "1.4s"},
                   {INT64_C(3600000000000), "3600s"},
                   {-1, "-"},
                   {99949, "99.9µs"},
                   {99960, "100µs"}};
  static const struct {
    double share;
    const char *text;
  } shares[] = {{1, "100%"},          {0, "0%"},         {0.9987, "99.87%"}, {0.999999, ">99.99%"},
                {0.000001, "<0.01%"}, {0.001, "0.1%"},   {0.5, "50%"},       {-1, "-"},
                {1.5, "-"},           {(double)NAN, "-"}};
  char text[SP_UNITS_TEXT_BYTES];
  for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
    assert_string_equal(sp_units_print_duration(durations[i].ns, text, sizeof text), durations[i].text);
  for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
    assert_string_equal(sp_units_print_share(shares[i].share, text, sizeof text), shares[i].text);
  assert_string_equal(sp_units_print_count(0, text, sizeof text), "0");
  assert_string_equal(sp_units_print_count(999, text, sizeof text), "999");
  assert_string_equal(sp_units_print_count(34200, text, sizeof text), "34,200");
  assert_string_equal(sp_units_print_count(UINT64_MAX, text, sizeof text), "18,446,744,073,709,551,615");
  assert_string_equal(sp_units_print_rate(2000.4, text, sizeof text), "2,000");
  assert_string_equal(sp_units_print_rate(0.5, text, sizeof text), "0.5");
  assert_string_equal(sp_units_print_rate((double)NAN, text, sizeof text), "-");
  assert_string_equal(sp_units_print_size(2080374784, text, sizeof text), "1.94GiB");
  assert_string_equal(sp_units_print_size(1023, text, sizeof text), "1023B");
}

static void the_locale_changes_nothing(void **state) {
  (void)state;
  static const char *const commas[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"}; // any that writes 0,5
  char text[SP_UNITS_TEXT_BYTES];
  double real;
  for (size_t i = 0; i < 3 && !setlocale(LC_ALL, commas[i]); i++) {
  }
  assert_int_equal(sp_units_parse_real("0.5", &real, NULL), SP_OK);
  assert_true(real == 0.5);
  assert_int_equal(sp_units_parse_share("0.5%", &real, NULL), SP_OK);
  assert_true(real == 0.005);
  assert_string_equal(sp_units_print_duration(1330000, text, sizeof text), "1.33ms");
  setlocale(LC_ALL, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations_are_exact),
      cmocka_unit_test(rates_are_exact),
      cmocka_unit_test(sizes_shares_and_numbers_are_read),
      cmocka_unit_test(what_is_wrong_is_said_with_the_remedy),
      cmocka_unit_test(what_is_written_reads_the_same),
      cmocka_unit_test(figures_have_three_digits),
      cmocka_unit_test(the_locale_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
