// Every path that needs no server through the suite of paths, and what is embedded's own. The path rpc stands in
// test_path_rpc.c, beside the server it needs.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char model_dir[4096], two_dir[4096], gather_dir[4096];
static const struct sp_engine_conf engine = {.engine = "onnxruntime", .intra_threads = 1};
static const struct sp_clock real_clock = {NULL};

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};
static const struct sp_tensor_spec gather_in[] = {{"i", SP_DTYPE_INT64, 2, {1, 1}}};

static double affine_sum(size_t seed, size_t i) {
  (void)i;
  return path_suite_input(seed, 0, 0) + 10 * path_suite_input(seed, 0, 1) +
         100 * path_suite_input(seed, 0, 2);
}
static double twice(size_t seed, size_t i) {
  return 2 * path_suite_input(seed, 0, i);
}
static double total(size_t seed, size_t i) {
  return path_suite_input(seed, 0, i) + path_suite_input(seed, 1, i);
}
static double zero(size_t seed, size_t i) {
  (void)seed;
  (void)i;
  return 0;
}

static struct path_subject noop = {
    .name = "noop",
    .env = {.inputs = affine_in, .n_inputs = 1, .output = "score", .max_rows = 8, .n_workers = 2},
    .expected = zero,
};
static struct path_subject noop_without_tensors = {
    .name = "noop", .env = {.max_rows = 8, .n_workers = 2}, .expected = zero};
static struct path_subject embedded = {
    .name = "embedded",
    .env = {.version_dir = model_dir,
            .inputs = affine_in,
            .n_inputs = 1,
            .output = "sum",
            .max_rows = 8,
            .n_workers = 2,
            .engine = &engine},
    .expected = affine_sum,
};
static struct path_subject embedded_second_output = {
    .name = "embedded",
    .env = {.version_dir = model_dir,
            .inputs = affine_in,
            .n_inputs = 1,
            .output = "twice",
            .max_rows = 3,
            .n_workers = 2,
            .engine = &engine},
    .expected = twice,
};
static struct path_subject embedded_two_inputs = {
    .name = "embedded",
    .env = {.version_dir = two_dir,
            .inputs = two_in,
            .n_inputs = 2,
            .max_rows = 5,
            .n_workers = 2,
            .engine = &engine},
    .expected = total,
};

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
  is_refused("embeded", noop.env, SP_ERR_USAGE, "did you mean embedded?");
  is_refused("xyz", noop.env, SP_ERR_USAGE, "embedded, rpc, noop");
}

static void a_missing_model_is_refused(void **state) {
  (void)state;
  struct sp_path_env env = embedded.env;
  env.version_dir = NULL;
  is_refused("embedded", env, SP_ERR_USAGE, "model.dir");
  env.version_dir = "/nonexistent/1";
  is_refused("embedded", env, SP_ERR_ENVIRONMENT, "/nonexistent/1/model.onnx");
}

static void an_input_that_nothing_fills_is_refused(void **state) {
  (void)state;
  struct sp_path_env env = embedded_two_inputs.env;
  env.n_inputs = 1;
  is_refused("embedded", env, SP_ERR_USAGE, "nothing fills the input \"a\"");
}

static void several_outputs_need_a_name(void **state) {
  (void)state;
  struct sp_path_env env = embedded.env;
  env.output = NULL;
  is_refused("embedded", env, SP_ERR_USAGE, "sum, twice");
  env.output = "summ";
  is_refused("embedded", env, SP_ERR_USAGE, "did you mean sum?");
}

static void keep(struct sp_request *request, void *context) {
  ++*(int *)context;
  assert_true(request->answered_ns >= request->dispatched_ns);
}

static void a_run_that_fails_is_an_outcome(void **state) {
  (void)state;
  int n_done = 0;
  struct sp_path_env env = {.clock = &real_clock,
                            .version_dir = gather_dir,
                            .inputs = gather_in,
                            .n_inputs = 1,
                            .max_rows = 1,
                            .n_workers = 1,
                            .engine = &engine,
                            .done = keep,
                            .context = &n_done};
  struct sp_path *path;
  struct sp_request *request;
  struct sp_error error;
  assert_int_equal(sp_path_open("embedded", &env, &path, &error), SP_OK);
  assert_int_equal(sp_request_new(path, 0, &request, &error), SP_OK);
  request->n_rows = 1;
  *(int64_t *)request->inputs[0]->data = 99;
  sp_path_submit(path, request);
  assert_int_equal(n_done, 1);
  assert_int_equal(request->outcome, SP_OUTCOME_ERROR);
  assert_non_null(strstr(request->text, "cannot be run"));
  // And the next one works as if nothing had been.
  *(int64_t *)request->inputs[0]->data = 1;
  sp_path_submit(path, request);
  assert_int_equal(n_done, 2);
  assert_int_equal(request->outcome, SP_OUTCOME_NONE);
  assert_string_equal(request->text, "");
  assert_true(sp_tensor_get(request->output, 0, 0) == 2.5);
  sp_request_free(path, request);
  sp_path_close(path);
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
  const struct CMUnitTest tests[] = {
      PATH_SUITE(&noop),
      PATH_SUITE(&noop_without_tensors),
      PATH_SUITE(&embedded),
      PATH_SUITE(&embedded_second_output),
      PATH_SUITE(&embedded_two_inputs),
      cmocka_unit_test(an_unknown_path_is_refused),
      cmocka_unit_test(a_missing_model_is_refused),
      cmocka_unit_test(an_input_that_nothing_fills_is_refused),
      cmocka_unit_test(several_outputs_need_a_name),
      cmocka_unit_test(a_run_that_fails_is_an_outcome),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
