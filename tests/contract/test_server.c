// The reference model server, spoken to call by call: models and versions, what it says of itself, refusals, stubs, the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "recording/expected.h"
#include "recording/recording.h"
#include "support/server_bed.h"

static char source[4096];

// --- Real models ---

// A folder with versions 1, 3 and 12 of affine, and things that are no versions, a file called 4 among them.
static void make_versions(char dir[64]) {
  folder_make(dir);
  shell(
      "cd %s && for v in 1 3 12; do cp -r %s/tests/contract/models/affine/1 $v; done; mkdir 007 1a tmp; : >4",
      dir, source);
}

static void serves_every_version_of_every_model(void **state) {
  (void)state;
  char dir[64], two[4200];
  make_versions(dir);
  snprintf(two, sizeof two, "%s/tests/contract/models/two_inputs", source);
  const struct sp_server_model models[] = {{"affine", dir}, {"two", two}};
  const struct sp_server_conf conf = {.threads = 2, .engine = "onnxruntime", .max_batch = 4};
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = models, .n_models = 2};
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  static const struct { uint64_t asked, given; } versions[] = {{0, 12}, {1, 1}, {3, 3}, {12, 12}};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(caller_predict(&caller, "affine", versions[i].asked, "x", 2, 3), 0);
    float *sum = caller_output(&caller, "sum", 2, 1, versions[i].given);
    assert_true(sum[0] == 210 && sum[1] == 543);
    free(sum);
    free(caller_output(&caller, "twice", 2, 3, versions[i].given));
  }
  caller_predict(&caller, "affine", 2, "x", 1, 3);
  caller_expect(&caller, SP_STATUS_NOT_FOUND,
                "that version is not served; this server has affine 1 3 12, two 1");
  caller_predict(&caller, "afine", 0, "x", 1, 3);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "that model is not served");
  caller_predict(&caller, "affine", 0, "y", 1, 3);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT, "input x is missing");
  caller_predict(&caller, "affine", 0, "x", 1, 4);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT,
                "input x is float32 [1, 4], model affine takes float32 [N, 3]");
  caller_predict(&caller, "affine", 0, "x", 5, 3);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT, "5 rows are more than are taken at once here, 4");
  caller_predict(&caller, "two", 0, "a", 1, 2);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT, "input");
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

static void tells_status_and_metadata(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  const struct sp_server_model model = {"affine", dir};
  const struct sp_server_conf conf = {.threads = 1, .engine = "onnxruntime", .max_batch = 4};
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1};
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  bool is_available = false;
  struct sp_tfs_message request = sp_tfs_write_status_request("affine", 0, NULL);
  assert_int_equal(caller_call(&caller, SP_TFS_GET_MODEL_STATUS, request.data, request.n), 0);
  for (uint64_t version = 1; version < 14; version++) {
    assert_true(sp_tfs_read_status_reply(sp_bytes_of(caller.last.reply, caller.last.n_reply), version,
                                         &is_available));
    assert_int_equal(is_available, version == 1 || version == 3 || version == 12);
  }
  // Of itself and of the file that it loaded.
  char file[4200], digest[SP_DIGEST_TEXT_BYTES];
  struct sp_error error;
  snprintf(file, sizeof file, "%s/12/model.onnx", dir);
  assert_int_equal(sp_digest_file(file, digest, &error), SP_OK);
  assert_true(strncmp(sp_unary_note(&caller.last, SP_TFS_NOTE_SOFTWARE), "servepath ", 10) == 0);
  assert_string_equal(sp_unary_note(&caller.last, SP_TFS_NOTE_STUB), "");
  assert_string_equal(sp_unary_note(&caller.last, SP_TFS_NOTE_MODEL_DIGEST), digest);
  free(request.data);
  request = sp_tfs_write_status_request("affine", 4, NULL);
  caller_call(&caller, SP_TFS_GET_MODEL_STATUS, request.data, request.n);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "affine 1 3 12");
  free(request.data);
  request = sp_tfs_write_metadata_request("affine", 3, NULL);
  assert_int_equal(caller_call(&caller, SP_TFS_GET_MODEL_METADATA, request.data, request.n), 0);
  struct sp_signature signature;
  const char *reason;
  assert_true(
      sp_tfs_read_metadata_reply(sp_bytes_of(caller.last.reply, caller.last.n_reply), &signature, &reason));
  assert_int_equal(signature.n_inputs, 1);
  assert_int_equal(signature.inputs[0].shape[0], -1);
  assert_int_equal(signature.inputs[0].shape[1], 3);
  assert_int_equal(signature.n_outputs, 2);
  free(request.data);
  request = sp_tfs_write_metadata_request("other", 0, NULL);
  caller_call(&caller, SP_TFS_GET_MODEL_METADATA, request.data, request.n);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "that model");
  free(request.data);
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

static void models_that_cannot_be_served_are_refused(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  const struct sp_server_conf conf = {.threads = 1, .engine = "onnxruntime", .max_batch = 4};
  struct sp_server_model models[2] = {{"affine", "/nonexistent"}, {"affine", dir}};
  struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = models, .n_models = 1};
  server_refused(&env, SP_ERR_ENVIRONMENT, "cannot read model folder /nonexistent");
  models[0].dir = "/tmp/servepath-empty";
  mkdir(models[0].dir, 0700);
  server_refused(&env, SP_ERR_ENVIRONMENT, "holds no version");
  rmdir(models[0].dir);
  char four[80];
  snprintf(four, sizeof four, "%s/40", dir);
  mkdir(four, 0700);
  models[0].dir = dir;
  server_refused(&env, SP_ERR_ENVIRONMENT, "/40/model.onnx");
  models[0].dir = NULL;
  server_refused(&env, SP_ERR_USAGE, "affine=DIR");
  env.n_models = 0;
  server_refused(&env, SP_ERR_USAGE, "nothing to serve");
  folder_remove(dir);
}

// --- Stubs ---

static const struct sp_tensor_spec x_spec = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}},
                                   y_spec = {"y", SP_DTYPE_FLOAT32, 2, {1, 2}};
static const struct sp_server_model stub_model = {"stub", NULL};

static struct sp_server_env stub_env(const struct sp_server_conf *conf) {
  return (struct sp_server_env){.conf = conf,
                                .address = "127.0.0.1:0",
                                .models = &stub_model,
                                .n_models = 1,
                                .inputs = &x_spec,
                                .n_inputs = 1,
                                .outputs = &y_spec,
                                .n_outputs = 1};
}

static void a_fixed_stub_answers_the_same(void **state) {
  (void)state;
  const struct sp_server_conf conf = {
      .threads = 1, .max_batch = 8, .stub = SP_STUB_FIXED, .fixed_value = 0.25};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  assert_int_equal(caller_predict(&caller, "stub", 0, "x", 8, 3), 0);
  float *y = caller_output(&caller, "y", 8, 2, 1);
  for (size_t i = 0; i < 16; i++) assert_true(y[i] == 0.25F);
  free(y);
  caller_close(&caller);
  server_stop(server);
}

static struct sp_scenario *fraud(void) {
  char path[4200];
  snprintf(path, sizeof path, "%s/fixtures/fraud", source);
  struct sp_scenario *scenario;
  struct sp_error error;
  if (sp_scenario_load(path, NULL, 0, NULL, 0, &scenario, &error)) fail_msg("%s", error.text);
  return scenario;
}

static void a_stub_says_that_it_is_one(void **state) {
  (void)state;
  struct sp_scenario *scenario = fraud();
  static const struct {
    int stub;
    const char *said;
  } stubs[] = {{SP_STUB_RECORDED, "recorded"}, {SP_STUB_FIXED, "fixed"}, {SP_STUB_ECHO, "echo"}};
  for (size_t i = 0; i < 3; i++) {
    const struct sp_server_conf conf = {
        .threads = 1, .engine = "onnxruntime", .max_batch = 1, .stub = stubs[i].stub};
    const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .scenario = scenario};
    struct sp_server *server = server_start(&env);
    struct caller caller = caller_open(server);
    struct sp_tfs_message request = sp_tfs_write_status_request("fraud", 0, NULL);
    assert_int_equal(caller_call(&caller, SP_TFS_GET_MODEL_STATUS, request.data, request.n), 0);
    free(request.data);
    assert_string_equal(sp_unary_note(&caller.last, SP_TFS_NOTE_STUB), stubs[i].said);
    assert_string_equal(sp_unary_note(&caller.last, SP_TFS_NOTE_MODEL_DIGEST), "");
    caller_close(&caller);
    server_stop(server);
  }
  sp_scenario_free(scenario);
}

static void a_recorded_stub_knows_every_event(void **state) {
  (void)state;
  struct sp_scenario *scenario = fraud();
  const struct sp_server_conf conf = {.threads = 1, .max_batch = 8, .stub = SP_STUB_RECORDED};
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .scenario = scenario};
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  // Event 0 by hand: its thirty numbers in the order of the columns.
  struct sp_recording *recording;
  struct sp_expected *expected;
  struct sp_error error;
  char path[4200];
  snprintf(path, sizeof path, "%s/fixtures/fraud/expected/fraud-1.jsonl", source);
  assert_int_equal(sp_recording_load(scenario->recording, &recording, &error), SP_OK);
  assert_int_equal(sp_expected_load(path, recording->n_events, &expected, &error), SP_OK);
  struct sp_tensor_spec spec = {"transaction", SP_DTYPE_FLOAT32, 2, {1, 30}};
  for (size_t i = 0; i < 100; i++) {
    char text[4096];
    snprintf(text, sizeof text, "%.*s", (int)recording->events[i].value.n,
             (const char *)recording->events[i].value.data);
    uint8_t bytes[1024];
    size_t n = sp_tfs_write_request_spec("fraud", 0, NULL, "score", bytes);
    n += sp_tfs_write_input_head(&spec, 1, bytes + n);
    char *at = text;
    for (int column = 0; column < 30; column++, n += 4, at++) memcpy(bytes + n, &(float){strtof(at, &at)}, 4);
    assert_int_equal(caller_call(&caller, SP_TFS_PREDICT, bytes, n), 0);
    float *score = caller_output(&caller, "score", 1, 1, 1);
    assert_true(*score == (float)expected->values[i]);
    free(score);
    bytes[n - 1] ^= 1; // another transaction
    caller_call(&caller, SP_TFS_PREDICT, bytes, n);
    caller_expect(&caller, SP_STATUS_NOT_FOUND, "no event of the recording has these tensors");
  }
  sp_expected_free(expected);
  sp_recording_free(recording);
  caller_close(&caller);
  server_stop(server);
  sp_scenario_free(scenario);
}

static void every_nth_call_fails_and_every_delay_is_logged(void **state) {
  (void)state;
  char log[] = "/tmp/servepath-delay-log-XXXXXX";
  close(mkstemp(log));
  const struct sp_server_conf conf = {.threads = 1,
                                      .max_batch = 1,
                                      .stub = SP_STUB_FIXED,
                                      .delay = "uniform:1ms..2ms",
                                      .fail = "UNAVAILABLE:every=5",
                                      .delay_log = log,
                                      .seed = 1};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  for (int i = 1; i <= 20; i++) {
    assert_int_equal(caller_predict(&caller, "stub", 0, "x", 1, 3), i % 5 ? 0 : SP_STATUS_UNAVAILABLE);
  }
  caller_close(&caller);
  server_stop(server);
  FILE *file = fopen(log, "r");
  long long ns;
  int n = 0;
  for (; fscanf(file, "%lld", &ns) == 1; n++) assert_true(ns >= SP_NS_PER_MS);
  assert_int_equal(n, 20);
  fclose(file);
  unlink(log);
}

static void a_serial_stub_serves_one_at_a_time(void **state) {
  (void)state;
  const struct sp_server_conf conf = {
      .threads = 1, .max_batch = 1, .stub = SP_STUB_FIXED, .delay = "serial:5ms"};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller callers[8];
  // Eight blocking callers at once would need threads: eight calls after each other show the lower bound, which is what
  // the queueing tests stand on; that calls do not overlap is shown by two threads.
  callers[0] = caller_open(server);
  int64_t start_ns = sp_now_ns();
  for (int i = 0; i < 8; i++) assert_int_equal(caller_predict(&callers[0], "stub", 0, "x", 1, 3), 0);
  assert_true(sp_now_ns() - start_ns >= 40 * SP_NS_PER_MS);
  caller_close(&callers[0]);
  server_stop(server);
}

static void stubs_without_tensors_are_refused(void **state) {
  (void)state;
  struct sp_server_conf conf = {.threads = 1, .max_batch = 1, .stub = SP_STUB_FIXED};
  struct sp_server_env env = stub_env(&conf);
  env.n_outputs = 0;
  server_refused(&env, SP_ERR_USAGE, "--output NAME:float32:[1,1]");
  conf.stub = SP_STUB_RECORDED;
  server_refused(&env, SP_ERR_USAGE, "--scenario");
  conf.stub = SP_STUB_ECHO;
  conf.delay = "5";
  server_refused(&env, SP_ERR_USAGE, "no unit");
  conf.delay = NULL;
  conf.fail = "BROKEN:1%";
  server_refused(&env, SP_ERR_USAGE, "BROKEN");
  conf.fail = NULL;
  conf.delay_log = "/nonexistent/log";
  server_refused(&env, SP_ERR_ENVIRONMENT, "/nonexistent/log");
  conf.delay_log = NULL;
  conf.threads = 0;
  server_refused(&env, SP_ERR_USAGE, "threads");
}

// --- What anybody may send ---

static void unknown_methods_are_refused_at_once(void **state) {
  (void)state;
  const struct sp_server_conf conf = {.threads = 1, .max_batch = 1, .stub = SP_STUB_ECHO};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  for (int i = 0; i < 20; i++) {
    caller_call(&caller, "/tensorflow.serving.PredictionService/Classify", "", 0);
    caller_expect(&caller, GRPC_STATUS_UNIMPLEMENTED, "/tensorflow.serving.PredictionService/Classify");
    caller_call(&caller, "/nonsense", "x", 1);
    caller_expect(&caller, GRPC_STATUS_UNIMPLEMENTED, "/nonsense");
  }
  caller_close(&caller);
  server_stop(server);
}

static void rubbish_is_refused_and_harms_nothing(void **state) {
  (void)state;
  static const char *const methods[] = {SP_TFS_PREDICT, SP_TFS_GET_MODEL_STATUS, SP_TFS_GET_MODEL_METADATA,
                                        SP_HEALTH_CHECK};
  const struct sp_server_conf conf = {.threads = 1, .max_batch = 1, .stub = SP_STUB_ECHO};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  size_t n = (size_t)1 << 20; // 1 MiB of empty entries, of 0xff, of nothing but a length
  char *bytes = malloc(n);
  for (size_t m = 0; m < 4; m++) {
    for (int fill = 0; fill < 3; fill++) {
      memset(bytes, fill == 1 ? 0xff : 0, n);
      for (size_t i = 0; fill == 0 && i < n; i += 2) bytes[i] = 0x12;
      if (fill == 2) memcpy(bytes, (const uint8_t[]){0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, 6);
      // Unknown fields are skipped, so a message of them alone may be fine; nothing else may happen.
      int code = caller_call(&caller, methods[m], bytes, n);
      if (code != SP_STATUS_INVALID_ARGUMENT && code != SP_STATUS_NOT_FOUND)
        fail_msg("%s: %d", methods[m], code);
    }
    caller_call(&caller, methods[m], "", 0);
  }
  free(bytes);
  assert_int_equal(caller_predict(&caller, "stub", 0, "x", 1, 3), 0);
  caller_close(&caller);
  server_stop(server);
}

static void health_is_told_per_service(void **state) {
  (void)state;
  const struct sp_server_conf conf = {.threads = 1, .max_batch = 1, .stub = SP_STUB_ECHO};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  assert_int_equal(caller_call(&caller, SP_HEALTH_CHECK, "", 0), 0);
  assert_int_equal(caller.last.n_reply, 2);
  assert_memory_equal(caller.last.reply, "\x08\x01", 2); // SERVING
  assert_int_equal(caller_call(&caller, SP_HEALTH_CHECK, "\x0a\x24tensorflow.serving.PredictionService", 38),
                   0);
  caller_call(&caller, SP_HEALTH_CHECK, "\x0a\x05other", 7);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "no such service");
  caller_close(&caller);
  server_stop(server);
}

// --- Beginning and end ---

static void an_address_that_is_taken_is_named(void **state) {
  (void)state;
  const struct sp_server_conf conf = {.threads = 1, .max_batch = 1, .stub = SP_STUB_ECHO};
  struct sp_server_env env = stub_env(&conf), other = stub_env(&conf);
  char path[64];
  snprintf(path, sizeof path, "unix:/tmp/servepath-taken-%d.sock", (int)getpid());
  struct sp_server *tcp = server_start(&env);
  other.address = sp_server_address(tcp);
  server_refused(&other, SP_ERR_ENVIRONMENT, "Address already in use");
  env.address = other.address = path;
  struct sp_server *local = server_start(&env);
  server_refused(&other, SP_ERR_ENVIRONMENT, "Address already in use");
  server_stop(local);
  server_stop(tcp);
  // A socket file that a killed server left is no obstacle; a file that is none is.
  close(open(path + 5, O_CREAT | O_RDWR, 0600));
  server_refused(&other, SP_ERR_ENVIRONMENT, "cannot listen on unix:");
  unlink(path + 5);
  other.address = "unix:/nonexistent/socket";
  server_refused(&other, SP_ERR_ENVIRONMENT, "cannot listen on unix:/nonexistent/socket");
  other.address = "300.1.1.1:0";
  server_refused(&other, SP_ERR_ENVIRONMENT, "cannot listen on 300.1.1.1:0");
  other.address = "nonsense";
  server_refused(&other, SP_ERR_USAGE, "nonsense");
}

static void *call_once(void *context) {
  struct caller *caller = context;
  caller_predict(caller, "stub", 0, "x", 1, 3);
  return NULL;
}

static void what_is_under_way_ends_before_the_server_does(void **state) {
  (void)state;
  char log[] = "/tmp/servepath-delay-log-XXXXXX";
  close(mkstemp(log));
  const struct sp_server_conf conf = {
      .threads = 1, .max_batch = 1, .stub = SP_STUB_ECHO, .delay = "500ms", .delay_log = log};
  struct sp_server_env env = stub_env(&conf);
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  pthread_t thread;
  pthread_create(&thread, NULL, call_once, &caller);
  usleep(
      200000); // the call is with the server by now; were it not, it would be refused and the test fail, not pass
  server_stop(server);
  pthread_join(thread, NULL);
  assert_int_equal(caller.last.code, 0);
  caller_close(&caller);
  unlink(log);
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(source, sizeof source, "%s", getenv("SOURCE_DIR"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(serves_every_version_of_every_model),
      cmocka_unit_test(tells_status_and_metadata),
      cmocka_unit_test(models_that_cannot_be_served_are_refused),
      cmocka_unit_test(a_fixed_stub_answers_the_same),
      cmocka_unit_test(a_stub_says_that_it_is_one),
      cmocka_unit_test(a_recorded_stub_knows_every_event),
      cmocka_unit_test(every_nth_call_fails_and_every_delay_is_logged),
      cmocka_unit_test(a_serial_stub_serves_one_at_a_time),
      cmocka_unit_test(stubs_without_tensors_are_refused),
      cmocka_unit_test(unknown_methods_are_refused_at_once),
      cmocka_unit_test(rubbish_is_refused_and_harms_nothing),
      cmocka_unit_test(health_is_told_per_service),
      cmocka_unit_test(an_address_that_is_taken_is_named),
      cmocka_unit_test(what_is_under_way_ends_before_the_server_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
