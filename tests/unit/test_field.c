// Fields that event and answer have in common are compared as text, wherever they stand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trial/field.h"

static char *columns[] = {"id", "name"};
static const struct sp_texts header = {columns, 2};

static struct sp_field *field_of(const char *name, const struct sp_texts *of) {
  struct sp_field *field;
  struct sp_error error;
  if (sp_field_new(name, of, "match_input", &field, &error)) fail_msg("%s", error.text);
  return field;
}

// NULL: nothing is there.
static void gives(const char *name, const struct sp_texts *of, const char *value, const char *expected) {
  struct sp_field *field = field_of(name, of);
  struct sp_bytes taken = {NULL, 0};
  bool is_there = sp_field_take(field, sp_bytes_of_text(value), &taken);
  assert_int_equal(is_there, expected != NULL);
  if (expected && !sp_bytes_equal(taken, sp_bytes_of_text(expected)))
    fail_msg("%s of %s: \"%.*s\" instead of \"%s\"", name, value, (int)taken.n, (const char *)taken.data,
             expected);
  sp_field_free(field);
}

static void columns_by_name_and_by_number(void **state) {
  (void)state;
  gives("id", &header, "17,x", "17");
  gives("name", &header, "17,x\r\n", "x");
  gives("name", &header, "17,\"say \"\"x\"\"\"", "say \"x\"");
  gives("name", &header, "17,", "");
  gives("name", &header, "17", NULL); // the record ends before
  gives("name", &header, "17,\"x", NULL);
  gives("0", NULL, "17,YES", "17");
  gives("1", NULL, "17,YES", "YES");
  gives("2", NULL, "17,YES", NULL);
  gives("0", NULL, "", "");
}

static void json_by_pointer(void **state) {
  (void)state;
  gives("/id", NULL, "{\"id\":17}", "17");
  gives("/id", NULL, "{\"id\":\"17\"}", "17"); // as a CSV column, or another's number
  gives("/id", NULL, "{\"id\":17.0}", "17.0");
  gives("/id", NULL, "{\"id\":\"a\\u0062\\n\"}", "ab\n");
  gives("/a/b", NULL, "{\"a\":{\"b\":[1, 2]}}", "[1, 2]");
  gives("/1", NULL, "[5,true]", "true");
  gives("", NULL, "\"whole\"", "whole");
  gives("/id", NULL, "{\"id\":null}", NULL);
  gives("/id", NULL, "{\"di\":1}", NULL);
  gives("/id", NULL, "{\"id\":17", NULL);
  gives("/id", NULL, "", NULL);
}

static void a_tombstone_has_no_field(void **state) {
  (void)state;
  static const char *const names[] = {"0", "/id"};
  for (size_t i = 0; i < 2; i++) {
    struct sp_field *field = field_of(names[i], NULL);
    struct sp_bytes taken;
    assert_false(sp_field_take(field, (struct sp_bytes){NULL, 0}, &taken));
    sp_field_free(field);
  }
}

static void raw_is_as_it_is_written(void **state) {
  (void)state;
  static const struct {
    const char *name, *value, *expected;
  } cases[] = {{"/y", "{\"y\": \"YES\"}", "\"YES\""},
               {"/y", "{\"y\": [0.5, 1] }", "[0.5, 1]"},
               {"/y", "{\"y\": null}", "null"},
               {"1", "17,\"YES\"", "YES"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_field *field = field_of(cases[i].name, NULL);
    struct sp_bytes taken;
    assert_true(sp_field_take_raw(field, sp_bytes_of_text(cases[i].value), &taken));
    assert_true(sp_bytes_equal(taken, sp_bytes_of_text(cases[i].expected)));
    sp_field_free(field);
  }
}

static void what_is_no_field_is_refused(void **state) {
  (void)state;
  struct sp_field *field;
  struct sp_error error;
  assert_int_equal(sp_field_new("Id", &header, "match_input", &field, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "match_input: \"Id\" is no column of input.header"));
  assert_int_equal(sp_field_new("id", NULL, "match_output", &field, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "match_output"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_by_name_and_by_number), cmocka_unit_test(json_by_pointer),
      cmocka_unit_test(a_tombstone_has_no_field),      cmocka_unit_test(raw_is_as_it_is_written),
      cmocka_unit_test(what_is_no_field_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
