// Every engine of the table through one suite: what a model says of itself in each format that the engine reads, every batch
// size, broken models, broken libraries. An engine that is not described below fails.
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

#include "engine/engines.h"

#define FORMATS_MAX 4

// What the suite needs to know of an engine beyond its table of functions.
static const struct subject {
  const char *engine;
  const char *title;    // as its messages name it
  const char *variable; // of the environment, names a copy of its library
  const char *setup;    // brings the library
  bool checks_indexes;  // a Gather of no element fails; otherwise it gives 0
  // Folders of the affine model: one for each of its model_files, in that order.
  const char *affine[FORMATS_MAX];
} subjects[] = {
    {.engine = "onnxruntime",
     .title = "ONNX Runtime",
     .variable = "SERVEPATH_ONNXRUNTIME",
     .setup = "run scripts/setup",
     .checks_indexes = true,
     .affine = {"affine"}},
    {.engine = "openvino",
     .title = "OpenVINO",
     .variable = "SERVEPATH_OPENVINO",
     .setup = "run scripts/setup --openvino",
     .affine = {"affine", "affine_saved_model", "affine_tflite"}},
};
#define N_SUBJECTS (sizeof subjects / sizeof subjects[0])

static char models[4096];
static struct sp_engine_conf conf = {.intra_threads = 1};

// Every test begins with it: the engine that the following calls are about.
static const struct subject *use(void **state) {
  const struct sp_engine_ops *engine = *state;
  conf = (struct sp_engine_conf){.engine = (char *)(uintptr_t)engine->name, .intra_threads = 1};
  for (size_t i = 0; i < N_SUBJECTS; i++) {
    if (strcmp(subjects[i].engine, engine->name) == 0) return &subjects[i];
  }
  fail_msg("engine %s has no row in the table of this test", engine->name);
  return NULL;
}

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
  const struct subject *subject = use(state);
  const struct sp_engine_ops *ops = *state;
  for (size_t i = 0; ops->model_files[i]; i++) {
    assert_non_null(subject->affine[i]); // another format needs another row of models
    struct sp_engine *engine = opened(subject->affine[i]);
    const struct sp_model_io *io = sp_engine_io(engine);
    char text[64], end[128];
    assert_int_equal(io->n_inputs, 1);
    assert_string_equal(io->inputs[0].name, "x");
    assert_string_equal(sp_tensor_spec_text(&io->inputs[0], text, sizeof text), "float32 [N, 3]");
    assert_int_equal(io->n_outputs, 2);
    assert_string_equal(io->outputs[0].name, "sum");
    assert_string_equal(io->outputs[1].name, "twice");
    assert_string_equal(sp_tensor_spec_text(&io->outputs[1], text, sizeof text), "float32 [N, 3]");
    snprintf(text, sizeof text, "%s %s", ops->name, ops->library_version());
    assert_string_equal(sp_engine_library(engine), text);
    assert_true(ops->library_version()[0] >= '1' && ops->library_version()[0] <= '9');
    snprintf(end, sizeof end, "%s/1/%s", subject->affine[i], ops->model_files[i]);
    assert_non_null(strstr(sp_engine_model_file(engine), end));
    sp_engine_close(engine);
  }
}

static void check_every_batch_size(struct sp_engine *engine) {
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
}

static void every_batch_size_gives_each_row_its_own(void **state) {
  const struct subject *subject = use(state);
  for (size_t i = 0; i < FORMATS_MAX && subject->affine[i]; i++) {
    struct sp_engine *engine = opened(subject->affine[i]);
    check_every_batch_size(engine);
    sp_engine_close(engine);
  }
}

// Back and forth, since a session may hold one thing for a row and another for many.
static void batch_sizes_may_alternate(void **state) {
  use(state);
  struct sp_engine *engine = opened("affine");
  struct sp_session *session;
  struct sp_error error;
  assert_int_equal(sp_session_new(engine, 7, &session, &error), SP_OK);
  float *x = sp_session_inputs(session)[0].data;
  for (size_t round = 0; round < 50; round++) {
    size_t n = round % 3 == 0 ? 1 : 1 + round * 5 % 7;
    for (size_t i = 0; i < n * 3; i++) x[i] = (float)(round * 100 + i);
    assert_int_equal(sp_session_run(session, n, &error), SP_OK);
    for (size_t row = 0; row < n; row++) {
      const float *of = x + row * 3;
      assert_true(sp_tensor_get(&sp_session_outputs(session)[0], row, 0) ==
                  (double)(of[0] + 10 * of[1] + 100 * of[2]));
    }
  }
  sp_session_free(session);
  sp_engine_close(engine);
}

static void inputs_of_several_types_keep_their_order(void **state) {
  use(state);
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
  use(state);
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
  const struct subject *subject = use(state);
  struct sp_engine *engine = opened("gather");
  struct sp_session *session;
  struct sp_error error = {.code = SP_OK};
  assert_int_equal(sp_session_new(engine, 1, &session, &error), SP_OK);
  *(int64_t *)sp_session_inputs(session)[0].data = 7;
  enum sp_err err = sp_session_run(session, 1, &error);
  if (subject->checks_indexes) {
    assert_int_equal(err, SP_ERR_FAILED);
    assert_non_null(strstr(error.text, subject->title));
    assert_null(strchr(error.text, '\n'));
  } else {
    assert_int_equal(err, SP_OK);
    assert_true(sp_tensor_get(sp_session_outputs(session), 0, 0) == 0);
  }
  *(int64_t *)sp_session_inputs(session)[0].data = 2;
  assert_int_equal(sp_session_run(session, 1, &error), SP_OK);
  assert_true(sp_tensor_get(sp_session_outputs(session), 0, 0) == 3.5);
  sp_session_free(session);
  sp_engine_close(engine);
}

static void models_that_cannot_be_fed_are_refused(void **state) {
  use(state);
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

// A copy of a model's file, cut to n bytes and with byte `broken` inverted.
static void write_copy(const char *model, const char *file, const char *dir, size_t n, size_t broken) {
  char path[4300];
  static uint8_t bytes[1 << 16];
  snprintf(path, sizeof path, "%s/%s/1/%s", models, model, file);
  FILE *from = fopen(path, "rb");
  assert_non_null(from);
  size_t length = fread(bytes, 1, sizeof bytes, from);
  fclose(from);
  if (broken < length) bytes[broken] ^= 0xff;
  snprintf(path, sizeof path, "%s/%s", dir, file);
  FILE *to = fopen(path, "wb");
  assert_non_null(to);
  assert_int_equal(fwrite(bytes, 1, n < length ? n : length, to), n < length ? n : length);
  fclose(to);
}

// Of LeakSanitizer, where there is one: what OpenVINO's readers allocated before they threw stays.
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

// Refused, or by chance a model still, but never a crash.
static void open_broken(const char *dir, const char *path) {
  struct sp_engine *engine = NULL;
  struct sp_error error;
  bool is_leaky = strcmp(conf.engine, "openvino") == 0 && __lsan_disable;
  if (is_leaky) __lsan_disable();
  enum sp_err err = open_model(dir, &engine, &error);
  if (is_leaky) __lsan_enable();
  if (err == SP_OK) {
    sp_engine_close(engine);
    return;
  }
  if (!strstr(error.text, path)) fail_msg("\"%s\" does not name %s", error.text, path);
  assert_null(strchr(error.text, '\n'));
}

static void check_broken(const char *dir, const char *model, const char *file) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  is_refused(dir, SP_ERR_ENVIRONMENT, "cannot read model");
  write_copy(model, file, dir, 0, SIZE_MAX);
  is_refused(dir, SP_ERR_ENVIRONMENT, path);
  for (size_t n = 1; n < 170; n += 13) {
    write_copy(model, file, dir, n, SIZE_MAX);
    open_broken(dir, path);
  }
  for (size_t at = 0; at < 170; at += 7) {
    write_copy(model, file, dir, SIZE_MAX, at);
    open_broken(dir, path);
  }
  assert_int_equal(unlink(path), 0);
}

static void broken_model_files_are_refused(void **state) {
  const struct subject *subject = use(state);
  const struct sp_engine_ops *ops = *state;
  char dir[] = "/tmp/sp-engine-XXXXXX";
  assert_non_null(mkdtemp(dir));
  for (size_t i = 0; ops->model_files[i]; i++) check_broken(dir, subject->affine[i], ops->model_files[i]);
  assert_int_equal(rmdir(dir), 0);
}

static void a_file_that_is_named_is_the_one_loaded(void **state) {
  const struct subject *subject = use(state);
  const struct sp_engine_ops *ops = *state;
  for (size_t i = 0; ops->model_files[i]; i++) {
    char *file;
    struct sp_error error;
    char dir[4200];
    conf.model_file = (char *)(uintptr_t)ops->model_files[i];
    snprintf(dir, sizeof dir, "%s/%s/1", models, subject->affine[i]);
    assert_int_equal(sp_engine_find_file(&conf, dir, &file, &error), SP_OK);
    assert_string_equal(strrchr(file, '/') + 1, ops->model_files[i]);
    free(file);
    is_refused("strings_", SP_ERR_ENVIRONMENT, ops->model_files[i]);
  }
  conf.model_file = (char *)(uintptr_t) "model.pt";
  is_refused("affine", SP_ERR_USAGE, "does not read \"model.pt\"; ");
  conf.model_file = NULL;
}

// Its classifier stands in ONNX's second set of operators, which OpenVINO has no rule for.
static void openvino_names_operators_that_it_lacks(void **state) {
  (void)state;
  char dir[4300];
  conf = (struct sp_engine_conf){.engine = (char *)(uintptr_t) "openvino", .intra_threads = 1};
  snprintf(dir, sizeof dir, "%s/../../../fixtures/airline/models/airline-gbm/1", models);
  is_refused(dir, SP_ERR_USAGE, "TreeEnsembleClassifier; use engine onnxruntime");
}

static void a_wrong_number_of_threads_is_refused(void **state) {
  use(state);
  conf.intra_threads = 0;
  is_refused("affine", SP_ERR_USAGE, "intra_threads");
}

static void an_unknown_engine_is_refused(void **state) {
  (void)state;
  conf = (struct sp_engine_conf){.engine = (char *)(uintptr_t) "onnxruntim", .intra_threads = 1};
  is_refused("affine", SP_ERR_USAGE, "did you mean onnxruntime?");
}

// In a process of its own, where the library is not loaded yet. Exit 0: refused, with the remedy.
static int refuses_library(const char *engine, const char *library) {
  const struct subject *subject = subjects;
  while (strcmp(subject->engine, engine) != 0) subject++;
  setenv(subject->variable, library, 1);
  conf = (struct sp_engine_conf){.engine = (char *)(uintptr_t)engine, .intra_threads = 1};
  struct sp_engine *opened_engine = NULL;
  struct sp_error error;
  enum sp_err err = open_model("affine", &opened_engine, &error);
  if (err == SP_ERR_ENVIRONMENT && strstr(error.text, subject->variable) &&
      strstr(error.text, subject->setup))
    return 0;
  fprintf(stderr, "%d: %s\n", err, error.text);
  return 1;
}

// Absent, no library at all, and a library that is another one.
static void a_library_that_cannot_be_loaded_is_named(void **state) {
  const struct subject *subject = use(state);
  char file[4200];
  snprintf(file, sizeof file, "%s/affine/1/model.onnx", models);
  const char *const libraries[] = {"/nonexistent/lib.so", file, "libm.so.6"};
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      execl("/proc/self/exe", "test_engine", subject->engine, libraries[i], (char *)NULL);
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

#define SUITE_TEST(test) {"", test, NULL, NULL, NULL}, #test
static const struct {
  struct CMUnitTest test;
  const char *name;
} suite[] = {
    {SUITE_TEST(a_model_says_what_it_takes_and_gives)},
    {SUITE_TEST(every_batch_size_gives_each_row_its_own)},
    {SUITE_TEST(batch_sizes_may_alternate)},
    {SUITE_TEST(inputs_of_several_types_keep_their_order)},
    {SUITE_TEST(sessions_of_one_model_run_side_by_side)},
    {SUITE_TEST(a_failing_run_says_so)},
    {SUITE_TEST(models_that_cannot_be_fed_are_refused)},
    {SUITE_TEST(broken_model_files_are_refused)},
    {SUITE_TEST(a_file_that_is_named_is_the_one_loaded)},
    {SUITE_TEST(a_wrong_number_of_threads_is_refused)},
    {SUITE_TEST(a_library_that_cannot_be_loaded_is_named)},
};
#define N_SUITE (sizeof suite / sizeof suite[0])

// Each test of the suite for one engine, whose name it carries.
static size_t add_suite(const struct sp_engine_ops *engine, struct CMUnitTest *tests) {
  for (size_t i = 0; i < N_SUITE; i++) {
    tests[i] = suite[i].test;
    tests[i].name = sp_format("%s: %s", engine->name, suite[i].name); // lives as long as the process
    tests[i].initial_state = (void *)(uintptr_t)engine;
  }
  return N_SUITE;
}

int main(int argc, char **argv) {
  const char *source = getenv("SOURCE_DIR");
  if (!source) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(models, sizeof models, "%s/tests/contract/models", source);
  if (argc > 2) return refuses_library(argv[1], argv[2]);
  static struct CMUnitTest tests[64];
  size_t n = 0;
  for (size_t i = 0; sp_engine_nth(i); i++) n += add_suite(sp_engine_nth(i), tests + n);
  const struct CMUnitTest once[] = {
      cmocka_unit_test(openvino_names_operators_that_it_lacks),
      cmocka_unit_test(an_unknown_engine_is_refused),
      cmocka_unit_test(wanted_tensors_are_checked),
  };
  memcpy(tests + n, once, sizeof once);
  n += sizeof once / sizeof once[0];
  return _cmocka_run_group_tests("engines", tests, n, NULL, NULL);
}
