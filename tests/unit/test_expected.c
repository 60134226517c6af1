// Expected predictions: read, refused, saved and not overwritten.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "recording/expected.h"

static char folder[] = "/tmp/sp-expected-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/m-1.jsonl", folder);
  return 0;
}
static int remove_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

#define HEADER                                                                                               \
  "{\"schema\":\"servepath.expected/"                                                                        \
  "1\",\"model\":\"m\",\"version\":\"1\",\"recording\":\"r.sprec\",\"recording_digest\":\"xxh128:aa\","      \
  "\"model_digests\":{\"model.onnx\":\"xxh128:bb\",\"variables/"                                             \
  "v\":\"xxh128:cc\"},\"tensor\":\"t\",\"n\":4,\"source\":\"python\"}\n"

static void write_text(const char *text) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void assert_refused(const char *text, const char *words) {
  struct sp_error error;
  struct sp_expected *expected;
  write_text(text);
  assert_int_equal(sp_expected_load(path, 4, &expected, &error), SP_ERR_ENVIRONMENT);
  assert_null(expected);
  if (!strstr(error.text, words)) fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void test_load(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_expected *expected;
  unlink(path);
  assert_int_equal(sp_expected_load(path, 4, &expected, &error), SP_OK);
  assert_null(expected);
  write_text(
      HEADER
      "{\"i\":2,\"v\":[1,-2.5e-3]}\n{\"i\":0,\"v\":[null,16777217]}\n{\"i\":3,\"outcome\":\"malformed\"}\n");
  assert_int_equal(sp_expected_load(path, 4, &expected, &error), SP_OK);
  assert_string_equal(expected->source, "python");
  assert_string_equal(expected->tensor, "t");
  assert_int_equal(expected->n_values, 2);
  assert_memory_equal(expected->known, "\1\0\1\2", 4);
  assert_true(isnan(expected->values[0]) && expected->values[1] == 16777217.0);
  assert_true(expected->values[4] == 1.0 && expected->values[5] == -2.5e-3);
  assert_int_equal(sp_expected_holds_for(expected, "xxh128:aa", "model.onnx", "xxh128:bb", &error), SP_OK);
  assert_int_equal(sp_expected_holds_for(expected, "xxh128:ab", "model.onnx", "xxh128:bb", &error),
                   SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "xxh128:ab"));
  assert_int_equal(sp_expected_holds_for(expected, "xxh128:aa", "model.onnx", "xxh128:cc", &error),
                   SP_ERR_ENVIRONMENT);
  assert_int_equal(sp_expected_holds_for(expected, "xxh128:aa", "other.onnx", "xxh128:bb", &error),
                   SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "other.onnx"));
  sp_expected_free(expected);
}

static void test_refused(void **state) {
  (void)state;
  assert_refused("", ":1: the file is empty");
  assert_refused("{}\n", "servepath.expected/1");
  assert_refused(HEADER "{\"i\":0,\"v\":[1", "truncated");
  assert_refused(HEADER "{\"i\":0,\"v\":[1}\n", ":2:");
  assert_refused(HEADER "[]\n", "a JSON object is needed");
  assert_refused(HEADER "{\"i\":4,\"v\":[1]}\n", "the recording holds 4");
  assert_refused(HEADER "{\"i\":-1,\"v\":[1]}\n", "i must be the index");
  assert_refused(HEADER "{\"i\":0.5,\"v\":[1]}\n", "i must be the index");
  assert_refused(HEADER "{\"i\":0,\"v\":[]}\n", "v is empty");
  assert_refused(HEADER "{\"i\":0,\"v\":[1]}\n{\"i\":1,\"v\":[1,2]}\n", ":3: v has another length");
  assert_refused(HEADER "{\"i\":0,\"v\":[1]}\n{\"i\":0,\"v\":[1]}\n", ":3: a second line for one event");
  assert_refused(HEADER "{\"i\":0,\"v\":[\"1\"]}\n", "v must hold numbers");
  assert_refused(HEADER "{\"i\":0,\"v\":1}\n", "either v");
  assert_refused(HEADER "{\"i\":0,\"outcome\":\"lost\"}\n", "malformed");
  assert_refused(HEADER "{\"i\":0,\"i\":1,\"v\":[1]}\n", "duplicate");
  char text[sizeof HEADER];
  strcpy(text, HEADER);
  *strstr(text, ":4,") = ':';
  strstr(text, ":4,")[1] = '5';
  assert_refused(text, "which holds 4");
}

static void test_save(void **state) {
  (void)state;
  struct sp_error error;
  unsigned char known[4] = {1, 0, 2, 1};
  double values[8] = {(double)0.1F, 1.0 / 3, 0, 0, 0, 0, (double)NAN, 1e300};
  struct sp_expected_digest digest = {"model.onnx", "xxh128:bb"};
  struct sp_expected self = {"ignored", "t", "xxh128:aa", 4, 2, values, known, 1, &digest}, *back;
  write_text(HEADER);
  assert_int_equal(sp_expected_save(path, &self, "m", "1", "r.sprec", &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "python"));
  for (int i = 0; i < 2; i++) { // new, then over its own
    if (i == 0) unlink(path);
    assert_int_equal(sp_expected_save(path, &self, "m", "1", "r.sprec", &error), SP_OK);
    assert_int_equal(sp_expected_load(path, 4, &back, &error), SP_OK);
    assert_string_equal(back->source, "self");
    assert_memory_equal(back->known, known, 4);
    assert_true(back->values[0] == (double)0.1F && back->values[1] == 1.0 / 3);
    assert_true(isnan(back->values[6]) && back->values[7] == 1e300);
    assert_int_equal(sp_expected_holds_for(back, "xxh128:aa", "model.onnx", "xxh128:bb", &error), SP_OK);
    sp_expected_free(back);
  }
  write_text("not JSON\n");
  assert_int_equal(sp_expected_save(path, &self, "m", "1", "r.sprec", &error), SP_ERR_USAGE);
  assert_int_equal(sp_expected_save("/nonexistent/m.jsonl", &self, "m", "1", "r", &error),
                   SP_ERR_ENVIRONMENT);
  assert_int_equal(sp_expected_save(path, &self, "\xff", "1", "r", &error), SP_ERR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_load), cmocka_unit_test(test_refused),
                                     cmocka_unit_test(test_save)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
