// Fields dropped and hashed: JSON and CSV, what stays as it was, what cannot be done.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "import/redact.h"

// XXH3 128 of "7", "secret\0" "7" and "a\"b", from Python's xxhash.xxh3_128_hexdigest.
#define SEVEN        "dbd6a1e71414294c06eed105b82285fa"
#define SEVEN_SECRET "c809e2ffde9a6d74f1de06df0ef64373"
#define QUOTED       "b4d10c79192c271d42b904ba695ce54d"

static void gives(const struct sp_redaction *list, size_t n, const char *secret, const char *value,
                  const char *expected) {
  struct sp_redactor *redactor;
  struct sp_bytes redacted;
  struct sp_error error;
  if (sp_redactor_new(list, n, secret, &redactor, &error)) fail_msg("%s", error.text);
  for (int i = 0; i < 2; i++) { // a redactor is used again and again
    assert_true(sp_redactor_value(redactor, sp_bytes_of_text(value), &redacted));
    if (!sp_bytes_equal(redacted, sp_bytes_of_text(expected)))
      fail_msg("%.*s, not %s", (int)redacted.n, (const char *)redacted.data, expected);
  }
  sp_redactor_free(redactor);
}

#define DROP(field)                                                                                          \
  (const struct sp_redaction[]) {                                                                            \
    { field, false }                                                                                         \
  }
#define HASH(field)                                                                                          \
  (const struct sp_redaction[]) {                                                                            \
    { field, true }                                                                                          \
  }

static void members_are_dropped(void **state) {
  (void)state;
  gives(DROP("/b"), 1, NULL, "{\"a\": 1, \"b\": {\"x\": [2]}, \"c\": 3.10}", "{\"a\":1,\"c\":3.10}");
  gives(DROP("/a"), 1, NULL, "{\"a\": 1}", "{}");
  gives(DROP("/a/b"), 1, NULL, "{\"a\": {\"b\": 1, \"c\":  [ 1, 2 ]}, \"b\":  2}",
        "{\"a\":{\"c\":[ 1, 2 ]},\"b\":2}");
  gives(DROP("/a/1"), 1, NULL, "{\"a\": [1, 2, 3]}", "{\"a\":[1,null,3]}");
  gives(DROP("/a~1b~0"), 1, NULL, "{\"a/b~\": 1, \"z\": 0}", "{\"z\":0}");
}

static void every_member_of_that_name_is_meant(void **state) {
  (void)state;
  // Parsers take the last; what an attacker or a careless producer wrote twice must not stay.
  gives(DROP("/a"), 1, NULL, "{\"a\": 1, \"\\u0061\": 2, \"b\": 3, \"a\": 4}", "{\"b\":3}");
  gives(HASH("/a"), 1, NULL, "{\"a\": 7, \"a\": \"7\"}", "{\"a\":\"" SEVEN "\",\"a\":\"" SEVEN "\"}");
}

static void what_is_not_there_changes_nothing_but_white_space(void **state) {
  (void)state;
  gives(DROP("/x/y"), 1, NULL, "{\"a\": 1, \"x\": \"text\"}", "{\"a\":1,\"x\":\"text\"}");
  gives(DROP("/x"), 1, NULL, " [1, 2] ", "[1,2]");
  gives(DROP("/x"), 1, NULL, "\"text\"", "\"text\"");
}

static void values_are_hashed_by_what_they_say(void **state) {
  (void)state;
  gives(HASH("/a"), 1, NULL, "{\"a\": 7}", "{\"a\":\"" SEVEN "\"}");
  gives(HASH("/a"), 1, NULL, "{\"a\": \"\\u0037\"}", "{\"a\":\"" SEVEN "\"}");
  gives(HASH("/a"), 1, NULL, "{\"a\": \"a\\\"b\"}", "{\"a\":\"" QUOTED "\"}");
  gives(HASH("/a"), 1, NULL, "{\"a\": null}", "{\"a\":null}");
  gives(HASH("/a"), 1, "secret", "{\"a\": 7}", "{\"a\":\"" SEVEN_SECRET "\"}");
  const struct sp_redaction both[] = {{"/u/id", true}, {"/u", false}};
  gives(both, 2, NULL, "{\"u\": {\"id\": 7}, \"v\": 1}", "{\"v\":1}");
}

static void columns_keep_their_places(void **state) {
  (void)state;
  gives(DROP("2"), 1, NULL, "1,\"a, \"\"b\",3", "1,,3");
  gives(HASH("2"), 1, NULL, "1,7,3", "1," SEVEN ",3");
  gives(HASH("1"), 1, NULL, "\"a\"\"b\",x", QUOTED ",x");
  gives(HASH("2"), 1, NULL, "1,,3", "1,,3");
  gives(DROP("9"), 1, NULL, "1,2", "1,2");
  const struct sp_redaction both[] = {{"3", true}, {"1", false}};
  gives(both, 2, NULL, "x,y,7", ",y," SEVEN);
}

static void what_is_no_json_is_told(void **state) {
  (void)state;
  static const char *const values[] = {"", "{", "{\"a\": 1} x", "name=Alice", "{\"a\": nan}"};
  struct sp_redactor *redactor;
  struct sp_bytes redacted;
  assert_int_equal(sp_redactor_new(DROP("/a"), 1, NULL, &redactor, NULL), SP_OK);
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    assert_false(sp_redactor_value(redactor, sp_bytes_of_text(values[i]), &redacted));
  assert_true(sp_redactor_value(redactor, (struct sp_bytes){0}, &redacted)); // a tombstone says nothing
  assert_null(redacted.data);
  sp_redactor_free(redactor);
}

static void lists_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const struct sp_redaction lists[][2] = {
      {{"name", false}, {"/b", false}}, {{"", false}, {"/b", false}},  {{"0", false}, {"2", false}},
      {{"/a~2", false}, {"/b", false}}, {{"/a", false}, {"3", false}}, {{"/a", false}, {"/a", true}}};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    struct sp_redactor *redactor;
    struct sp_error error = {0};
    assert_int_equal(sp_redactor_new(lists[i], 2, NULL, &redactor, &error), SP_ERR_USAGE);
    assert_non_null(strstr(error.text, "field"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_dropped),
      cmocka_unit_test(every_member_of_that_name_is_meant),
      cmocka_unit_test(what_is_not_there_changes_nothing_but_white_space),
      cmocka_unit_test(values_are_hashed_by_what_they_say),
      cmocka_unit_test(columns_keep_their_places),
      cmocka_unit_test(what_is_no_json_is_told),
      cmocka_unit_test(lists_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
