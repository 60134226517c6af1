// The names in a TFLite file's signature, and files that are cut or altered at any byte: names or none, never a step outside.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "engine/tflite.h"

static char *model;            // path of the affine model
static uint8_t original[4096]; // its bytes
static size_t n_bytes;

static void the_signature_names_tensors(void **state) {
  (void)state;
  struct sp_tflite *tflite = sp_tflite_read(model);
  assert_non_null(tflite);
  assert_string_equal(sp_tflite_name(tflite, true, "serving_default_x:0"), "x");
  assert_string_equal(sp_tflite_name(tflite, false, "StatefulPartitionedCall:0"), "sum");
  assert_string_equal(sp_tflite_name(tflite, false, "StatefulPartitionedCall:1"), "twice");
  assert_null(sp_tflite_name(tflite, false, "serving_default_x:0")); // an input is no output
  assert_null(sp_tflite_name(tflite, true, "x"));
  sp_tflite_free(tflite);
}

static void other_files_have_none(void **state) {
  (void)state;
  char *onnx = sp_format("%s/tests/contract/models/affine/1/model.onnx", getenv("SOURCE_DIR"));
  assert_null(sp_tflite_read(onnx));
  assert_null(sp_tflite_read("/nonexistent"));
  assert_null(sp_tflite_read("/"));
  assert_null(sp_tflite_read("/dev/null"));
  assert_null(sp_tflite_name(NULL, true, "x"));
  sp_tflite_free(NULL);
  free(onnx);
}

static void read_altered(const char *path, const uint8_t *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  fclose(file);
  struct sp_tflite *tflite = sp_tflite_read(path);
  const char *name = sp_tflite_name(tflite, true, "serving_default_x:0");
  if (name) assert_true(strlen(name) <= 4096);
  sp_tflite_free(tflite);
}

static void broken_files_are_read_no_further_than_they_go(void **state) {
  (void)state;
  char path[] = "/tmp/sp-tflite-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (size_t n = 0; n < n_bytes; n++) read_altered(path, original, n);
  for (size_t at = 0; at < n_bytes; at++) {
    uint8_t bytes[sizeof original];
    memcpy(bytes, original, n_bytes);
    for (size_t i = 0; i < sizeof values; i++) {
      bytes[at] = values[i];
      read_altered(path, bytes, n_bytes);
    }
  }
  assert_int_equal(unlink(path), 0);
}

static int load_original(void **state) {
  (void)state;
  model = sp_format("%s/tests/contract/models/affine_tflite/1/model.tflite", getenv("SOURCE_DIR"));
  FILE *file = fopen(model, "rb");
  if (!file) return -1;
  n_bytes = fread(original, 1, sizeof original, file);
  fclose(file);
  return n_bytes > 0 && n_bytes < sizeof original ? 0 : -1;
}

static int forget(void **state) {
  (void)state;
  free(model);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_signature_names_tensors),
      cmocka_unit_test(other_files_have_none),
      cmocka_unit_test(broken_files_are_read_no_further_than_they_go),
  };
  return cmocka_run_group_tests(tests, load_original, forget);
}
