// What import reads rows with: instants, JSON spans, CSV fields; and what inspect shows of foreign bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/csv.h"
#include "import/csv_type.h"
#include "import/describe.h"
#include "import/json.h"
#include "import/when.h"

#define S INT64_C(1000000000)

static void test_when(void **state) {
  (void)state;
  static const struct {
    const char *text;
    enum sp_when_unit unit;
    int64_t ns; // INT64_MIN: refused
  } cases[] = {
      {"0", SP_WHEN_S, 0},
      {"172792", SP_WHEN_S, 172792 * S},
      {"1e+05", SP_WHEN_S, 100000 * S}, // as R writes the 100,000th second of the card transactions
      {"1.5E-3", SP_WHEN_S, 1500000},
      {" 12.000000001 ", SP_WHEN_S, 12 * S + 1},
      {"1600000000.1234567899999", SP_WHEN_S, 1600000000 * S + 123456789},
      {"-1.5", SP_WHEN_S, -3 * S / 2},
      {".5", SP_WHEN_MS, 500000},
      {"5.", SP_WHEN_US, 5000},
      {"+7", SP_WHEN_NS, 7},
      {"0.9", SP_WHEN_NS, 0},
      {"9223372036854775807", SP_WHEN_NS, INT64_MAX},
      {"9223372036854775808", SP_WHEN_NS, INT64_MIN},
      {"9223372037", SP_WHEN_S, INT64_MIN},
      {"1e400", SP_WHEN_NS, INT64_MIN},
      {"0e400", SP_WHEN_NS, 0},
      {"1e-999999", SP_WHEN_S, 0},
      {"1e99999999999999999999", SP_WHEN_S, INT64_MIN},
      {"", SP_WHEN_S, INT64_MIN},
      {".", SP_WHEN_S, INT64_MIN},
      {"NA", SP_WHEN_S, INT64_MIN},
      {"1e", SP_WHEN_S, INT64_MIN},
      {"0x10", SP_WHEN_S, INT64_MIN},
      {"1 2", SP_WHEN_S, INT64_MIN},
      {"inf", SP_WHEN_S, INT64_MIN},
      {"1970-01-01", SP_WHEN_ISO8601, 0},
      {"2013-01-01T10:15:00Z", SP_WHEN_ISO8601, INT64_C(1357035300) * S},
      {"2013-01-01 10:15", SP_WHEN_ISO8601, INT64_C(1357035300) * S},
      {"2013-01-01T05:15:00.25-05:00", SP_WHEN_ISO8601, INT64_C(1357035300) * S + S / 4},
      {"2013-01-01T11:15:00,000000001+0100", SP_WHEN_ISO8601, INT64_C(1357035300) * S + 1},
      {"2013-01-01T11:15:00+01", SP_WHEN_ISO8601, INT64_C(1357035300) * S},
      {"2000-02-29", SP_WHEN_ISO8601, INT64_C(951782400) * S},
      {"1969-12-31T23:59:59Z", SP_WHEN_ISO8601, -S},
      {"2016-12-31T23:59:60Z", SP_WHEN_ISO8601, INT64_C(1483228800) * S},
      {"2013-02-29", SP_WHEN_ISO8601, INT64_MIN},
      {"1900-02-29", SP_WHEN_ISO8601, INT64_MIN},
      {"2013-13-01", SP_WHEN_ISO8601, INT64_MIN},
      {"2013-01-01T24:01", SP_WHEN_ISO8601, INT64_MIN},
      {"2013-01-01T10:15:00X", SP_WHEN_ISO8601, INT64_MIN},
      {"2013-01-01T", SP_WHEN_ISO8601, INT64_MIN},
      {"2300-01-01", SP_WHEN_ISO8601, INT64_MIN},
      {"13-01-01", SP_WHEN_ISO8601, INT64_MIN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t ns = INT64_MIN;
    bool read = sp_when_parse(sp_bytes_of_text(cases[i].text), cases[i].unit, &ns);
    if (read != (cases[i].ns != INT64_MIN) || (read && ns != cases[i].ns)) {
      fail_msg("\"%s\": %d, %lld", cases[i].text, read, (long long)ns);
    }
  }
}

static bool is_json(const char *text, size_t n) {
  struct sp_span value;
  size_t at;
  // A copy without a NUL behind it, so that sanitizers see a read past its end.
  char *copy = malloc(n ? n : 1);
  memcpy(copy, text, n);
  bool read = sp_span_read(sp_bytes_of(copy, n), &value, &at);
  assert_true(at <= n);
  free(copy);
  return read;
}

static void test_json_grammar(void **state) {
  (void)state;
  static const char *const good[] = {"0",
                                     "-0",
                                     "1.5e+10",
                                     " [ ] ",
                                     "{}",
                                     "[1,[2,{\"a\":null}]]",
                                     "\"\"",
                                     "\"\\u00e9\\n\\/\"",
                                     "true",
                                     "\t\r\nfalse",
                                     "{\"a\":1,\"a\":2}",
                                     "\"\xff\x80\"",
                                     "123456789012345678901234567890"};
  static const char *const bad[] = {"",       " ",          "01",    "+1",   "1.",      ".5",
                                    "1e",     "-",          "[1,]",  "[,1]", "{\"a\"}", "{\"a\":}",
                                    "{a:1}",  "{\"a\":1,}", "'a'",   "\"a",  "\"\\x\"", "\"\\u12g4\"",
                                    "\"\n\"", "nul",        "nulll", "[1",   "[1}",     "1 2",
                                    "\"\\",   "NaN",        "[",     "{"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    if (!is_json(good[i], strlen(good[i]))) fail_msg("%s is JSON", good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (is_json(bad[i], strlen(bad[i]))) fail_msg("%s is not JSON", bad[i]);
  }
  char deep[4096];
  memset(deep, '[', 2048);
  memset(deep + 2048, ']', 2048);
  assert_false(is_json(deep, sizeof deep));
  assert_true(is_json(deep + 2048 - 500, 1000));
  static const char whole[] = "{\"a\\u00e9\":[1.5e-3,true,null,\"x\"],\"b\":{}}";
  for (size_t cut = 0; cut < strlen(whole); cut++) assert_false(is_json(whole, cut));
  assert_true(is_json(whole, strlen(whole)));
}

static void assert_finds(const char *document, const char *pointer, const char *wanted) {
  struct sp_span value, found;
  size_t at;
  assert_true(sp_span_is_pointer(pointer));
  assert_true(sp_span_read(sp_bytes_of_text(document), &value, &at));
  bool is_found = sp_span_find(value, pointer, &found);
  if (is_found != (wanted != NULL)) fail_msg("%s in %s", pointer, document);
  if (wanted && !sp_bytes_equal(found.bytes, sp_bytes_of_text(wanted)))
    fail_msg("%s in %s", pointer, document);
}

static void test_json_pointer(void **state) {
  (void)state;
  // The examples of RFC 6901, section 5.
  static const char rfc[] =
      "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, "
      "\"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";
  assert_finds(rfc, "", rfc);
  assert_finds(rfc, "/foo", "[\"bar\", \"baz\"]");
  assert_finds(rfc, "/foo/0", "\"bar\"");
  assert_finds(rfc, "/", "0");
  assert_finds(rfc, "/a~1b", "1");
  assert_finds(rfc, "/c%d", "2");
  assert_finds(rfc, "/e^f", "3");
  assert_finds(rfc, "/g|h", "4");
  assert_finds(rfc, "/i\\j", "5");
  assert_finds(rfc, "/k\"l", "6");
  assert_finds(rfc, "/ ", "7");
  assert_finds(rfc, "/m~0n", "8");
  assert_finds(rfc, "/foo/2", NULL);
  assert_finds(rfc, "/foo/01", NULL);
  assert_finds(rfc, "/foo/-", NULL);
  assert_finds(rfc, "/foo/0/x", NULL);
  assert_finds(rfc, "/fo", NULL);
  assert_finds("{\"a\":1,\"b\":0,\"a\":18446744073709551616.10}", "/a", "18446744073709551616.10");
  assert_finds("{\"\\u0061\":{\"\\n\":[[],[7]]}}", "/a/\n/1/0", "7");
  assert_false(sp_span_is_pointer("foo"));
  assert_false(sp_span_is_pointer("/~2"));
  assert_false(sp_span_is_pointer("/~"));
}

static void assert_says(const char *string, const char *wanted, size_t n_wanted) {
  struct sp_span value;
  size_t at;
  uint8_t out[64];
  assert_true(sp_span_read(sp_bytes_of_text(string), &value, &at));
  size_t n = sp_span_unescape(value, out);
  assert_true(n <= value.bytes.n);
  assert_true(sp_bytes_equal(sp_bytes_of(out, n), sp_bytes_of(wanted, n_wanted)));
}

static void test_json_unescape(void **state) {
  (void)state;
  assert_says("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
  assert_says("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10);
  assert_says("\"\\u0000\"", "", 1);
  assert_says("\"\\ud83d\"", "\xef\xbf\xbd", 3);
  assert_says("\"\\ud83d\\u0041\"", "\xef\xbf\xbd\x41", 4);
  assert_says("\"\\ude00x\"", "\xef\xbf\xbdx", 4);
  assert_says("\"\xff\xfe\"", "\xff\xfe", 2);
}

static void test_csv_in_pieces(void **state) {
  (void)state;
  static const char record[] = "a,\"b\r\n\"\"c\"x,\"\",d\r\n";
  size_t wanted = sizeof record - 3;
  for (size_t cut = 0; cut < wanted; cut++) {
    enum sp_csv_state piece = SP_CSV_START;
    assert_int_equal(sp_csv_find_end(&piece, (const uint8_t *)record, cut), cut);
    size_t n = sp_csv_find_end(&piece, (const uint8_t *)record + cut, sizeof record - 1 - cut);
    assert_int_equal(cut + n, wanted);
  }
  struct sp_bytes fields[2];
  uint8_t out[16];
  assert_int_equal(sp_csv_fields(sp_bytes_of(record, wanted), fields, 2), 4);
  size_t n = sp_csv_unquote(fields[1], out);
  assert_true(sp_bytes_equal(sp_bytes_of(out, n), sp_bytes_of_text("b\r\n\"cx")));
  assert_int_equal(sp_csv_fields(sp_bytes_of("", 0), fields, 2), 1);
}

static void assert_type(const char *header, bool is_crlf, bool has_mark, const char *text) {
  struct sp_csv_type type = {header != NULL,
                             {(const uint8_t *)header, header ? strlen(header) : 0},
                             is_crlf,
                             has_mark},
                     back;
  char *written = sp_csv_type_write(&type);
  assert_string_equal(written, text);
  assert_true(sp_csv_type_read(written, &back));
  assert_true(back.has_header == type.has_header && back.ends_in_crlf == is_crlf &&
              back.has_mark == has_mark);
  assert_true(sp_bytes_equal(back.header, type.header));
  free((void *)(uintptr_t)back.header.data);
  free(written);
}

static void test_csv_type(void **state) {
  (void)state;
  assert_type(NULL, false, false, "text/csv");
  assert_type("a,b; mark=bom", true, false, "text/csv; columns=\"a,b; mark=bom\"; line-end=crlf");
  assert_type("\"a\"\\%\xff\n", false, true, "text/csv; columns=\"%22a%22%5C%25%FF%0A\"; mark=bom");
  struct sp_csv_type type;
  assert_false(sp_csv_type_read("application/json", &type));
  assert_false(sp_csv_type_read("text/csvx", &type));
  assert_true(sp_csv_type_read("text/csv; columns=\"a%4\"", &type)); // a code cut off stands for itself
  assert_true(sp_bytes_equal(type.header, sp_bytes_of_text("a%4")));
  free((void *)(uintptr_t)type.header.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_when),          cmocka_unit_test(test_json_grammar),
      cmocka_unit_test(test_json_pointer),  cmocka_unit_test(test_json_unescape),
      cmocka_unit_test(test_csv_in_pieces), cmocka_unit_test(test_csv_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
