// Every engine through one suite: what a model says of itself, every batch size, broken models, broken libraries.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"

static char models[4096];
static struct sp_engine_conf conf = {.engine = "onnxruntime", .intra_threads = 1};

static enum sp_err open_model(const char *name, struct sp_engine **engine, struct sp_error *error) {
  char dir[4200];
  snprintf(dir, sizeof dir, name[0] == '/' ? "%.0s%s" : "%s/%s/1", models, name);
  *error = (struct sp_error){.code = SP_OK};
  return sp_engine_open(&conf, dir, engine, error);
}

static struct sp_engine *opened(const char *name) {
  struct sp_engine *engine = NULL;
  struct sp_error error;
  if (open_model(name, &engine, &error)) fail_msg("%s", error.text);
  return engine;
}

static void is_refused(const char *name, enum sp_err code, const char *said) {
  struct sp_engine *engine = NULL;
  struct sp_error error;
  assert_int_equal(open_model(name, &engine, &error), code);
  assert_null(engine);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
  assert_null(strchr(error.text, '\n'));
}

static void a_model_says_what_it_takes_and_gives(void **state) {
  (void)state;
  struct sp_engine *engine = opened("affine");
  const struct sp_model_io *io = sp_engine_io(engine);
  char text[64];
  assert_int_equal(io->n_inputs, 1);
  assert_string_equal(io->inputs[0].name, "x");
  assert_string_equal(sp_tensor_spec_text(&io->inputs[0], text, sizeof text), "float32 [N, 3]");
  assert_int_equal(io->n_outputs, 2);
  assert_string_equal(io->outputs[0].name, "sum");
  assert_string_equal(io->outputs[1].name, "twice");
  assert_string_equal(sp_tensor_spec_text(&io->outputs[1], text, sizeof text), "float32 [N, 3]");
  assert_memory_equal(sp_engine_library(engine), "onnxruntime 1.", strlen("onnxruntime 1."));
  assert_non_null(strstr(sp_engine_model_file(engine), "affine/1/model.onnx"));
  sp_engine_close(engine);
}

static void every_batch_size_gives_each_row_its_own(void **state) {
  (void)state;
  struct sp_engine *engine = opened("affine");
  struct sp_session *session;
  struct sp_error error;
  assert_int_equal(sp_session_new(engine, 33, &session, &error), SP_OK);
  float *x = sp_session_inputs(session)[0].data;
  const struct sp_tensor *outputs = sp_session_outputs(session);
  assert_int_equal((uintptr_t)x % 64, 0);
  assert_int_equal((uintptr_t)outputs[0].data % 64, 0);
  for (size_t n = 1; n <= 33; n++) {
    for (size_t i = 0; i < n * 3; i++) x[i] = (float)(n * 1000 + i);
    memset(outputs[0].data, 0xff, 33 * sizeof(float));
    assert_int_equal(sp_session_run(session, n, &error), SP_OK);
    for (size_t row = 0; row < n; row++) {
      const float *of = x + row * 3;
      assert_true(sp_tensor_get(&outputs[0], row, 0) == (double)(of[0] + 10 * of[1] + 100 * of[2]));
      for (size_t i = 0; i < 3; i++) assert_true(sp_tensor_get(&outputs[1], row, i) == 2 * (double)of[i]);
    }
    // Rows beyond the batch are not touched.
    if (n < 33) assert_int_equal(((const uint32_t *)outputs[0].data)[n], UINT32_MAX);
  }
  sp_session_free(session);
  sp_engine_close(engine);
}

static void inputs_of_several_types_keep_their_order(void **state) {
  (void)state;
  struct sp_engine *engine = opened("two_inputs");
  struct sp_session *session;
  struct sp_error error;
  assert_int_equal(sp_session_new(engine, 2, &session, &error), SP_OK);
  struct sp_tensor *inputs = sp_session_inputs(session);
  assert_int_equal(inputs[0].spec.dtype, SP_DTYPE_INT64);
  assert_int_equal(inputs[1].spec.dtype, SP_DTYPE_FLOAT32);
  for (int i = 0; i < 4; i++) {
    ((int64_t *)inputs[0].data)[i] = 100 * i;
    ((float *)inputs[1].data)[i] = 0.5F * (float)i;
  }
  assert_int_equal(sp_session_run(session, 2, &error), SP_OK);
  for (size_t i = 0; i < 4; i++) {
    assert_true(sp_tensor_get(&sp_session_outputs(session)[0], i / 2, i % 2) == 100.5 * (double)i);
  }
  sp_session_free(session);
  sp_engine_close(engine);
}

struct worker {
  struct sp_engine *engine;
  size_t i, n_wrong;
};

static void *work(void *argument) {
  struct worker *worker = argument;
  struct sp_session *session;
  if (sp_session_new(worker->engine, 1, &session, NULL)) {
    worker->n_wrong = SIZE_MAX;
    return NULL;
  }
  float *x = sp_session_inputs(session)[0].data;
  for (size_t n = 0; n < 500; n++) {
    for (size_t i = 0; i < 3; i++) x[i] = (float)(worker->i + n);
    enum sp_err err = sp_session_run(session, 1, NULL);
    worker->n_wrong +=
        err || sp_tensor_get(sp_session_outputs(session), 0, 0) != 111 * (double)(worker->i + n);
  }
  sp_session_free(session);
  return NULL;
}

static void sessions_of_one_model_run_side_by_side(void **state) {
  (void)state;
  struct worker workers[3];
  pthread_t threads[3];
  struct sp_engine *engine = opened("affine");
  for (size_t i = 0; i < 3; i++) {
    workers[i] = (struct worker){engine, i * 1000, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(workers[i].n_wrong, 0);
  }
  sp_engine_close(engine);
}

static void a_failing_run_says_so(void **state) {
  (void)state;
  struct sp_engine *engine = opened("gather");
  struct sp_session *session;
  struct sp_error error = {.code = SP_OK};
  assert_int_equal(sp_session_new(engine, 1, &session, &error), SP_OK);
  *(int64_t *)sp_session_inputs(session)[0].data = 7;
  assert_int_equal(sp_session_run(session, 1, &error), SP_ERR_FAILED);
  assert_non_null(strstr(error.text, "ONNX Runtime"));
  *(int64_t *)sp_session_inputs(session)[0].data = 2;
  assert_int_equal(sp_session_run(session, 1, &error), SP_OK);
  assert_true(sp_tensor_get(sp_session_outputs(session), 0, 0) == 3.5);
  sp_session_free(session);
  sp_engine_close(engine);
}

static void models_that_cannot_be_fed_are_refused(void **state) {
  (void)state;
  is_refused("unknown_width", SP_ERR_USAGE, "input \"x\" has a dimension of unknown size");
  is_refused("strings", SP_ERR_USAGE, "input \"x\" is no tensor of");
  struct sp_engine *engine = opened("single_row");
  struct sp_session *session = NULL;
  struct sp_error error;
  assert_int_equal(sp_session_new(engine, 4, &session, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "--batch 1"));
  assert_int_equal(sp_session_new(engine, 1, &session, &error), SP_OK);
  sp_session_free(session);
  sp_engine_close(engine);
}

// A copy of the affine model, cut to n bytes and with byte `broken` inverted.
static void write_copy(const char *dir, size_t n, size_t broken) {
  char path[4300];
  uint8_t bytes[4096];
  snprintf(path, sizeof path, "%s/affine/1/model.onnx", models);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t length = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  if (broken < length) bytes[broken] ^= 0xff;
  snprintf(path, sizeof path, "%s/model.onnx", dir);
  file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n < length ? n : length, file), n < length ? n : length);
  fclose(file);
}

static void broken_model_files_are_refused(void **state) {
  (void)state;
  char dir[] = "/tmp/sp-engine-XXXXXX", path[64];
  assert_non_null(mkdtemp(dir));
  is_refused(dir, SP_ERR_ENVIRONMENT, "cannot read model");
  write_copy(dir, 0, SIZE_MAX);
  is_refused(dir, SP_ERR_ENVIRONMENT, "model.onnx");
  snprintf(path, sizeof path, "%s/model.onnx", dir);
  for (size_t n = 1; n < 170; n += 13) { // any cut: refused, or by chance a model still, but never a crash
    struct sp_engine *engine = NULL;
    struct sp_error error;
    write_copy(dir, n, SIZE_MAX);
    if (open_model(dir, &engine, &error) == SP_OK)
      sp_engine_close(engine);
    else
      assert_non_null(strstr(error.text, path));
  }
  for (size_t at = 0; at < 170; at += 7) {
    struct sp_engine *engine = NULL;
    struct sp_error error;
    write_copy(dir, SIZE_MAX, at);
    if (open_model(dir, &engine, &error) == SP_OK)
      sp_engine_close(engine);
    else
      assert_non_null(strstr(error.text, path));
  }
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(dir), 0);
}

static void an_unknown_engine_is_refused(void **state) {
  (void)state;
  conf.engine = "onnxruntim";
  is_refused("affine", SP_ERR_USAGE, "did you mean onnxruntime?");
  conf.engine = "onnxruntime";
  conf.intra_threads = 0;
  is_refused("affine", SP_ERR_USAGE, "intra_threads");
  conf.intra_threads = 1;
}

// In a process of its own, where the library is not loaded yet. Exit 0: refused, and the text says `said`.
static int refuses_library(const char *argument, const char *said) {
  char path[4200];
  snprintf(path, sizeof path, "%s/affine/1/model.onnx", models); // a file, but no library
  setenv("SERVEPATH_ONNXRUNTIME", strcmp(argument, "absent") == 0 ? "/nonexistent/libonnxruntime.so" : path,
         1);
  struct sp_engine *engine = NULL;
  struct sp_error error;
  enum sp_err err = open_model("affine", &engine, &error);
  if (err == SP_ERR_ENVIRONMENT && strstr(error.text, said) && strstr(error.text, "run scripts/setup"))
    return 0;
  fprintf(stderr, "%d: %s\n", err, error.text);
  return 1;
}

static void a_library_that_cannot_be_loaded_is_named(void **state) {
  (void)state;
  static const char *const arguments[] = {"absent", "corrupt"};
  for (int i = 0; i < 2; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      execl("/proc/self/exe", "test_engine", arguments[i], (char *)NULL);
      _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
  }
}

static void wanted_tensors_are_checked(void **state) {
  (void)state;
  const struct sp_tensor_spec have[] = {{"tokens", SP_DTYPE_INT64, 2, {-1, 121}},
                                        {"mask", SP_DTYPE_BOOL, 2, {-1, 121}}};
  const struct {
    struct sp_tensor_spec wanted;
    const char *said; // NULL: fine
  } cases[] = {
      {{"tokens", SP_DTYPE_INT64, 2, {1, 121}}, NULL},
      {{"mask", SP_DTYPE_NONE, 0, {0}}, NULL},
      {{"token", SP_DTYPE_INT64, 2, {1, 121}}, "did you mean tokens?"},
      {{"tokens", SP_DTYPE_INT32, 2, {1, 121}},
       "is int64 [N, 121] in the model, but int32 [1, 121] in the scenario"},
      {{"tokens", SP_DTYPE_INT64, 2, {1, 120}}, "int64 [1, 120]"},
      {{"tokens", SP_DTYPE_INT64, 3, {1, 121, 1}}, "int64 [1, 121, 1]"},
      {{"something", SP_DTYPE_INT64, 2, {1, 121}}, "one of: tokens, mask"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct sp_error error = {.code = SP_OK};
    enum sp_err err = sp_model_check("input", &cases[i].wanted, 1, have, 2, "m.onnx", &error);
    assert_int_equal(err, cases[i].said ? SP_ERR_USAGE : SP_OK);
    if (cases[i].said && !strstr(error.text, cases[i].said))
      fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].said);
  }
}

int main(int argc, char **argv) {
  const char *source = getenv("SOURCE_DIR");
  if (!source) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(models, sizeof models, "%s/tests/contract/models", source);
  if (argc > 1) return refuses_library(argv[1], "SERVEPATH_ONNXRUNTIME");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_says_what_it_takes_and_gives),
      cmocka_unit_test(every_batch_size_gives_each_row_its_own),
      cmocka_unit_test(inputs_of_several_types_keep_their_order),
      cmocka_unit_test(sessions_of_one_model_run_side_by_side),
      cmocka_unit_test(a_failing_run_says_so),
      cmocka_unit_test(models_that_cannot_be_fed_are_refused),
      cmocka_unit_test(broken_model_files_are_refused),
      cmocka_unit_test(an_unknown_engine_is_refused),
      cmocka_unit_test(a_library_that_cannot_be_loaded_is_named),
      cmocka_unit_test(wanted_tensors_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
