// What embedded refuses and how its runs fail, with every engine; outputs after the first. Every path passes the suite of paths
// in test_path_matrix.c.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engines.h"

static char model_dir[4096], two_dir[4096], gather_dir[4096];
static struct sp_engine_conf engine = {.intra_threads = 1};
static const struct sp_clock real_clock = {NULL};

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};
static const struct sp_tensor_spec gather_in[] = {{"i", SP_DTYPE_INT64, 2, {1, 1}}};

static double twice(size_t seed, size_t i) {
  return 2 * path_suite_input(seed, 0, i);
}

static const struct sp_path_env affine_env = {.version_dir = model_dir,
                                              .inputs = affine_in,
                                              .n_inputs = 1,
                                              .output = "sum",
                                              .max_rows = 8,
                                              .n_workers = 2,
                                              .engine = &engine};
static const struct sp_path_env two_env = {.version_dir = two_dir,
                                           .inputs = two_in,
                                           .n_inputs = 2,
                                           .max_rows = 5,
                                           .n_workers = 2,
                                           .engine = &engine};
static struct path_subject second_output[8]; // an engine each
static struct sp_engine_conf engines[8];

// Every test begins with it: the engine that the following calls are about.
static void use(void **state) {
  const struct sp_engine_ops *ops = *state;
  engine = (struct sp_engine_conf){.engine = (char *)(uintptr_t)ops->name, .intra_threads = 1};
}

static void nothing(struct sp_request *request, void *context) {
  (void)request;
  ++*(int *)context;
}

static void is_refused(const char *name, struct sp_path_env env, enum sp_err code, const char *said) {
  int n_done = 0;
  env.clock = &real_clock;
  env.done = nothing;
  env.context = &n_done;
  struct sp_path *path = NULL;
  struct sp_error error = {.code = SP_OK};
  assert_int_equal(sp_path_open(name, &env, &path, &error), code);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
}

static void an_unknown_path_is_refused(void **state) {
  (void)state;
  is_refused("embeded", affine_env, SP_ERR_USAGE, "did you mean embedded?");
  is_refused("xyz", affine_env, SP_ERR_USAGE, "embedded, rpc, noop");
}

static void a_missing_model_is_refused(void **state) {
  use(state);
  struct sp_path_env env = affine_env;
  env.version_dir = NULL;
  is_refused("embedded", env, SP_ERR_USAGE, "model.dir");
  env.version_dir = "/nonexistent/1";
  is_refused("embedded", env, SP_ERR_ENVIRONMENT, "/nonexistent/1/model.onnx");
}

static void an_input_that_nothing_fills_is_refused(void **state) {
  use(state);
  struct sp_path_env env = two_env;
  env.n_inputs = 1;
  is_refused("embedded", env, SP_ERR_USAGE, "nothing fills the input \"a\"");
}

static void several_outputs_need_a_name(void **state) {
  use(state);
  struct sp_path_env env = affine_env;
  env.output = NULL;
  is_refused("embedded", env, SP_ERR_USAGE, "sum, twice");
  env.output = "summ";
  is_refused("embedded", env, SP_ERR_USAGE, "did you mean sum?");
}

static void loading_per_event_is_refused_elsewhere(void **state) {
  use(state);
  engine.model_load = SP_MODEL_LOAD_PER_EVENT;
  is_refused("rpc", affine_env, SP_ERR_USAGE, "model_load: per-event");
  is_refused("noop", affine_env, SP_ERR_USAGE, "use path embedded");
}

static void keep(struct sp_request *request, void *context) {
  ++*(int *)context;
  assert_true(request->answered_ns >= request->dispatched_ns);
}

// One request on a path of its own; freed by close_one.
struct one {
  struct sp_path *path;
  struct sp_request *request;
  int n_done;
};

static void open_one(struct one *one, const char *version_dir) {
  struct sp_path_env env = {.clock = &real_clock,
                            .version_dir = version_dir,
                            .inputs = gather_in,
                            .n_inputs = 1,
                            .max_rows = 1,
                            .n_workers = 1,
                            .engine = &engine,
                            .done = keep,
                            .context = &one->n_done};
  struct sp_error error;
  one->n_done = 0;
  if (sp_path_open("embedded", &env, &one->path, &error)) fail_msg("%s", error.text);
  if (sp_request_new(one->path, 0, &one->request, &error)) fail_msg("%s", error.text);
  one->request->n_rows = 1;
}

static void close_one(struct one *one) {
  sp_request_free(one->path, one->request);
  sp_path_close(one->path);
}

static void submit(struct one *one, int64_t i) {
  *(int64_t *)one->request->inputs[0]->data = i;
  sp_path_submit(one->path, one->request);
}

// ONNX Runtime checks indexes when it runs; OpenVINO does not (test_engine.c).
static void a_run_that_fails_is_an_outcome(void **state) {
  (void)state;
  struct one one;
  engine = (struct sp_engine_conf){.engine = (char *)(uintptr_t) "onnxruntime", .intra_threads = 1};
  open_one(&one, gather_dir);
  submit(&one, 99);
  assert_int_equal(one.n_done, 1);
  assert_int_equal(one.request->outcome, SP_OUTCOME_ERROR);
  assert_non_null(strstr(one.request->text, "cannot be run"));
  // And the next one works as if nothing had been.
  submit(&one, 1);
  assert_int_equal(one.n_done, 2);
  assert_int_equal(one.request->outcome, SP_OUTCOME_NONE);
  assert_string_equal(one.request->text, "");
  assert_true(sp_tensor_get(one.request->output, 0, 0) == 2.5);
  close_one(&one);
}

// A model that is gone when it is loaded anew is an outcome of that event; the next finds it again.
static void a_load_that_fails_is_an_outcome(void **state) {
  use(state);
  engine.model_load = SP_MODEL_LOAD_PER_EVENT;
  char dir[] = "/tmp/sp-path-XXXXXX", link[64], away[64];
  struct one one;
  assert_non_null(mkdtemp(dir));
  snprintf(link, sizeof link, "%s/1", dir);
  snprintf(away, sizeof away, "%s/2", dir);
  assert_int_equal(symlink(gather_dir, link), 0);
  open_one(&one, link);
  submit(&one, 0);
  assert_true(sp_tensor_get(one.request->output, 0, 0) == 1.5);
  assert_int_equal(rename(link, away), 0);
  submit(&one, 1);
  assert_int_equal(one.request->outcome, SP_OUTCOME_ERROR);
  assert_non_null(strstr(one.request->text, "cannot read model"));
  assert_int_equal(rename(away, link), 0);
  submit(&one, 1);
  assert_int_equal(one.request->outcome, SP_OUTCOME_NONE);
  assert_true(sp_tensor_get(one.request->output, 0, 0) == 2.5);
  assert_int_equal(one.n_done, 3);
  close_one(&one);
  assert_int_equal(unlink(link), 0);
  assert_int_equal(rmdir(dir), 0);
}

// What each engine must show; the tests bear its name.
static size_t add_engine(const struct sp_engine_ops *ops, size_t i, struct CMUnitTest *tests) {
  const struct CMUnitTest each[] = {
      cmocka_unit_test(a_missing_model_is_refused),
      cmocka_unit_test(an_input_that_nothing_fills_is_refused),
      cmocka_unit_test(several_outputs_need_a_name),
      cmocka_unit_test(loading_per_event_is_refused_elsewhere),
      cmocka_unit_test(a_load_that_fails_is_an_outcome),
  };
  size_t n = sizeof each / sizeof each[0];
  SP_ASSERT(i < sizeof engines / sizeof engines[0]);
  for (size_t k = 0; k < n; k++) {
    tests[k] = each[k];
    tests[k].name = sp_format("%s: %s", ops->name, each[k].name); // lives as long as the process
    tests[k].initial_state = (void *)(uintptr_t)ops;
  }
  engines[i] = (struct sp_engine_conf){.engine = (char *)(uintptr_t)ops->name, .intra_threads = 1};
  second_output[i] = (struct path_subject){.name = "embedded", .env = affine_env, .expected = twice};
  second_output[i].env.engine = &engines[i];
  second_output[i].env.output = "twice";
  second_output[i].env.max_rows = 3;
  return n + path_suite_add(&second_output[i], ops->name, tests + n);
}

int main(void) {
  const char *source = getenv("SOURCE_DIR");
  if (!source) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(model_dir, sizeof model_dir, "%s/tests/contract/models/affine/1", source);
  snprintf(two_dir, sizeof two_dir, "%s/tests/contract/models/two_inputs/1", source);
  snprintf(gather_dir, sizeof gather_dir, "%s/tests/contract/models/gather/1", source);
  static struct CMUnitTest tests[128];
  const struct CMUnitTest once[] = {
      cmocka_unit_test(an_unknown_path_is_refused),
      cmocka_unit_test(a_run_that_fails_is_an_outcome),
  };
  size_t n = sizeof once / sizeof once[0];
  memcpy(tests, once, sizeof once);
  for (size_t i = 0; sp_engine_nth(i); i++) n += add_engine(sp_engine_nth(i), i, tests + n);
  return _cmocka_run_group_tests("path embedded", tests, n, NULL, NULL);
}
