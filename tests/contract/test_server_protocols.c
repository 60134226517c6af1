// One server, two protocols: the same answers and refusals through both, built and read by protobuf-c, which the server does
// not use for them; version labels.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/kserve.pb-c.h"
#include "proto/tensorflow_serving.pb-c.h"
#include "rpc/kserve.h"
#include "support/server_bed.h"

static char source[4096];

static struct sp_server *start(const struct sp_server_conf *conf, const char *dir,
                               struct sp_server_counts *counts) {
  const struct sp_server_model model = {"affine", dir};
  const struct sp_server_env env = {
      .conf = conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1, .counts = counts};
  return server_start(&env);
}

static void make_versions(char dir[64]) {
  folder_make(dir);
  shell("cd %s && cp -r %s/tests/contract/models/affine/1 1 && cp -r 1 3", dir, source);
}

static const struct sp_server_conf plain = {.threads = 1, .engine = "onnxruntime", .max_batch = 4};

static int send(struct caller *caller, const char *method, const ProtobufCMessage *message) {
  size_t n = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = sp_alloc(n + 1);
  protobuf_c_message_pack(message, bytes);
  int code = caller_call(caller, method, bytes, n);
  free(bytes);
  return code;
}

// --- KServe ---

struct infer {
  const char *model, *version, *input, *output; // output NULL: all
  bool is_raw;
  size_t n_rows, n_columns, n_missing; // values that are not sent
};

// The values are 0, 1, 2, ...
static int infer(struct caller *caller, const struct infer *of) {
  Inference__ModelInferRequest request = INFERENCE__MODEL_INFER_REQUEST__INIT;
  Inference__ModelInferRequest__InferInputTensor input =
                                                     INFERENCE__MODEL_INFER_REQUEST__INFER_INPUT_TENSOR__INIT,
                                                 *inputs[] = {&input};
  Inference__ModelInferRequest__InferRequestedOutputTensor
      output = INFERENCE__MODEL_INFER_REQUEST__INFER_REQUESTED_OUTPUT_TENSOR__INIT,
      *outputs[] = {&output};
  Inference__InferTensorContents contents = INFERENCE__INFER_TENSOR_CONTENTS__INIT;
  int64_t shape[] = {(int64_t)of->n_rows, (int64_t)of->n_columns};
  float values[64];
  size_t n_values = of->n_rows * of->n_columns - of->n_missing;
  for (size_t i = 0; i < n_values; i++) values[i] = (float)i;
  ProtobufCBinaryData raw = {n_values * sizeof *values, (uint8_t *)values};
  input.name = (char *)(uintptr_t)of->input;
  input.datatype = (char *)(uintptr_t) "FP32";
  input.n_shape = 2;
  input.shape = shape;
  contents.n_fp32_contents = n_values;
  contents.fp32_contents = values;
  if (!of->is_raw) input.contents = &contents;
  request.n_raw_input_contents = of->is_raw;
  request.raw_input_contents = &raw;
  request.model_name = (char *)(uintptr_t)of->model;
  request.model_version = (char *)(uintptr_t)of->version;
  request.id = (char *)(uintptr_t) "seven";
  request.n_inputs = 1;
  request.inputs = inputs;
  output.name = (char *)(uintptr_t)of->output;
  request.n_outputs = of->output != NULL;
  request.outputs = outputs;
  return send(caller, SP_KSERVE_MODEL_INFER, &request.base);
}

static Inference__ModelInferResponse *infer_reply(const struct caller *caller) {
  Inference__ModelInferResponse *reply =
      inference__model_infer_response__unpack(NULL, caller->last.n_reply, caller->last.reply);
  assert_non_null(reply);
  assert_int_equal(reply->n_raw_output_contents, reply->n_outputs);
  return reply;
}

static const float *raw_output(const Inference__ModelInferResponse *reply, const char *name, size_t n_rows,
                               size_t n_columns) {
  for (size_t i = 0; i < reply->n_outputs; i++) {
    const Inference__ModelInferResponse__InferOutputTensor *output = reply->outputs[i];
    if (strcmp(output->name, name) != 0) continue;
    assert_string_equal(output->datatype, "FP32");
    assert_int_equal(output->n_shape, 2);
    assert_int_equal(output->shape[0], n_rows);
    assert_int_equal(output->shape[1], n_columns);
    assert_int_equal(reply->raw_output_contents[i].len, n_rows * n_columns * sizeof(float));
    return (const float *)(const void *)reply->raw_output_contents[i].data;
  }
  fail_msg("no output %s", name);
  return NULL;
}

static void both_protocols_answer_the_same(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  struct sp_server_counts counts;
  struct sp_server *server = start(&plain, dir, &counts);
  struct caller caller = caller_open(server);
  static const char *const versions[] = {"", "1", "3"};
  for (size_t i = 0; i < 2 * 3 * 4; i++) {
    struct infer of = {"affine", versions[i / 2 % 3], "x", NULL, i % 2, 1 + i / 6, 3, 0};
    uint64_t version = strcmp(of.version, "1") == 0 ? 1 : 3;
    assert_int_equal(caller_predict(&caller, "affine", version, "x", of.n_rows, 3), 0);
    float *sum = caller_output(&caller, "sum", of.n_rows, 1, version);
    float *twice = caller_output(&caller, "twice", of.n_rows, 3, version);
    assert_int_equal(infer(&caller, &of), 0);
    Inference__ModelInferResponse *reply = infer_reply(&caller);
    assert_string_equal(reply->model_name, "affine");
    assert_string_equal(reply->model_version, version == 1 ? "1" : "3");
    assert_string_equal(reply->id, "seven");
    assert_int_equal(reply->n_outputs, 2);
    assert_memory_equal(raw_output(reply, "sum", of.n_rows, 1), sum, of.n_rows * sizeof *sum);
    assert_memory_equal(raw_output(reply, "twice", of.n_rows, 3), twice, 3 * of.n_rows * sizeof *twice);
    inference__model_infer_response__free_unpacked(reply, NULL);
    free(sum);
    free(twice);
  }
  struct infer of = {"affine", "", "x", "sum", true, 2, 3, 0};
  assert_int_equal(infer(&caller, &of), 0);
  Inference__ModelInferResponse *reply = infer_reply(&caller);
  assert_int_equal(reply->n_outputs, 1);
  assert_true(raw_output(reply, "sum", 2, 1)[1] == 543);
  inference__model_infer_response__free_unpacked(reply, NULL);
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
  assert_int_equal(counts.n_requests, 49);
  assert_int_equal(counts.n_predictions, 2 * 6 * (1 + 2 + 3 + 4) + 2);
}

static void kserve_is_refused_as_plainly(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  struct sp_server *server = start(&plain, dir, NULL);
  struct caller caller = caller_open(server);
  static const struct {
    struct infer of;
    int code;
    const char *said;
  } refusals[] = {
      {{"afine", "", "x", NULL, true, 1, 3, 0},
       SP_STATUS_NOT_FOUND,
       "that model is not served; this server has"},
      {{"affine", "2", "x", NULL, true, 1, 3, 0}, SP_STATUS_NOT_FOUND, "this server has affine 1 3"},
      {{"affine", "two", "x", NULL, true, 1, 3, 0}, SP_STATUS_NOT_FOUND, "that version is not served"},
      {{"affine", "", "y", NULL, true, 1, 3, 0}, SP_STATUS_INVALID_ARGUMENT, "input x is missing"},
      {{"affine", "", "x", NULL, true, 1, 4, 0},
       SP_STATUS_INVALID_ARGUMENT,
       "model affine takes float32 [N, 3]"},
      {{"affine", "", "x", NULL, true, 5, 3, 0}, SP_STATUS_INVALID_ARGUMENT, "5 rows"},
      {{"affine", "", "x", NULL, true, 2, 3, 1}, SP_STATUS_INVALID_ARGUMENT, "does not hold as many values"},
      {{"affine", "", "x", NULL, false, 2, 3, 1}, SP_STATUS_INVALID_ARGUMENT, "does not hold as many values"},
      {{"affine", "", "x", "nothing", true, 1, 3, 0}, SP_STATUS_INVALID_ARGUMENT, "outputs names an output"},
  };
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    infer(&caller, &refusals[i].of);
    caller_expect(&caller, refusals[i].code, refusals[i].said);
  }
  static const char *const methods[] = {SP_KSERVE_MODEL_INFER, SP_KSERVE_MODEL_READY,
                                        SP_KSERVE_MODEL_METADATA};
  for (size_t m = 0; m < 3; m++) {
    caller_call(&caller, methods[m], "\x0a\xff\xff\xff\xff\x0f", 6);
    assert_int_equal(caller.last.code, SP_STATUS_INVALID_ARGUMENT);
  }
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

static bool flag(struct caller *caller, const char *method, const char *model, uint64_t version) {
  uint8_t bytes[2 * SP_KSERVE_NAME_BYTES];
  size_t n = model ? sp_kserve_write_model_request(model, version, bytes) : 0;
  bool is_so = false;
  assert_int_equal(caller_call(caller, method, bytes, n), 0);
  assert_true(sp_kserve_read_flag(sp_bytes_of(caller->last.reply, caller->last.n_reply), &is_so));
  return is_so;
}

static void kserve_is_told_what_there_is(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  struct sp_server *server = start(&plain, dir, NULL);
  struct caller caller = caller_open(server);
  assert_true(flag(&caller, SP_KSERVE_SERVER_LIVE, NULL, 0));
  assert_true(flag(&caller, SP_KSERVE_SERVER_READY, NULL, 0));
  assert_true(flag(&caller, SP_KSERVE_MODEL_READY, "affine", 0));
  assert_true(flag(&caller, SP_KSERVE_MODEL_READY, "affine", 3));
  assert_false(flag(&caller, SP_KSERVE_MODEL_READY, "affine", 2));
  assert_false(flag(&caller, SP_KSERVE_MODEL_READY, "other", 0));
  assert_int_equal(caller_call(&caller, SP_KSERVE_SERVER_METADATA, "", 0), 0);
  Inference__ServerMetadataResponse *about =
      inference__server_metadata_response__unpack(NULL, caller.last.n_reply, caller.last.reply);
  assert_string_equal(about->name, "servepath");
  inference__server_metadata_response__free_unpacked(about, NULL);
  uint8_t bytes[2 * SP_KSERVE_NAME_BYTES];
  size_t n = sp_kserve_write_model_request("affine", 1, bytes);
  assert_int_equal(caller_call(&caller, SP_KSERVE_MODEL_METADATA, bytes, n), 0);
  Inference__ModelMetadataResponse *told =
      inference__model_metadata_response__unpack(NULL, caller.last.n_reply, caller.last.reply);
  assert_string_equal(told->name, "affine");
  assert_int_equal(told->n_versions, 2);
  assert_string_equal(told->versions[1], "3");
  assert_true(strncmp(told->platform, "onnxruntime ", 12) == 0);
  assert_int_equal(told->n_inputs, 1);
  assert_string_equal(told->inputs[0]->datatype, "FP32");
  assert_int_equal(told->inputs[0]->shape[0], -1);
  assert_int_equal(told->inputs[0]->shape[1], 3);
  assert_int_equal(told->n_outputs, 2);
  inference__model_metadata_response__free_unpacked(told, NULL);
  assert_true(strncmp(sp_unary_note(&caller.last, SP_TFS_NOTE_SOFTWARE), "servepath ", 10) == 0);
  assert_true(strncmp(sp_unary_note(&caller.last, SP_TFS_NOTE_MODEL_DIGEST), "xxh128:", 7) == 0);
  n = sp_kserve_write_model_request("other", 0, bytes);
  caller_call(&caller, SP_KSERVE_MODEL_METADATA, bytes, n);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "that model");
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

static void a_stub_is_one_in_every_protocol(void **state) {
  (void)state;
  static const struct sp_tensor_spec x = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
  static const struct sp_server_model model = {"stub", NULL};
  const struct sp_server_conf conf = {
      .threads = 1, .max_batch = 4, .stub = SP_STUB_ECHO, .delay = "2ms", .fail = "UNAVAILABLE:every=2"};
  const struct sp_server_env env = {
      .conf = &conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1, .inputs = &x, .n_inputs = 1};
  struct sp_server *server = server_start(&env);
  struct caller caller = caller_open(server);
  const struct infer of = {"stub", "1", "x", NULL, true, 2, 3, 0};
  assert_int_equal(infer(&caller, &of), 0);
  Inference__ModelInferResponse *reply = infer_reply(&caller);
  assert_true(raw_output(reply, "x", 2, 3)[5] == 5);
  inference__model_infer_response__free_unpacked(reply, NULL);
  assert_true(atoll(sp_unary_note(&caller.last, "sp-server-ns")) >= 2 * SP_NS_PER_MS);
  infer(&caller, &of);
  caller_expect(&caller, SP_STATUS_UNAVAILABLE, "as told");
  assert_int_equal(caller_predict(&caller, "stub", 0, "x", 1, 3), 0);
  caller_predict(&caller, "stub", 0, "x", 1, 3);
  caller_expect(&caller, SP_STATUS_UNAVAILABLE, "as told");
  uint8_t bytes[2 * SP_KSERVE_NAME_BYTES];
  size_t n = sp_kserve_write_model_request("stub", 0, bytes);
  assert_int_equal(caller_call(&caller, SP_KSERVE_MODEL_METADATA, bytes, n), 0);
  assert_string_equal(sp_unary_note(&caller.last, SP_TFS_NOTE_STUB), "echo");
  caller_close(&caller);
  server_stop(server);
}

// --- Labels ---

static int predict_labelled(struct caller *caller, const char *label) {
  Tensorflow__Serving__PredictRequest request = TENSORFLOW__SERVING__PREDICT_REQUEST__INIT;
  Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
  spec.name = (char *)(uintptr_t) "affine";
  spec.version_choice_case = TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION_LABEL;
  spec.version_label = (char *)(uintptr_t)label;
  Tensorflow__Serving__PredictRequest__InputsEntry
      entry = TENSORFLOW__SERVING__PREDICT_REQUEST__INPUTS_ENTRY__INIT,
      *entries[] = {&entry};
  Tensorflow__TensorProto tensor = TENSORFLOW__TENSOR_PROTO__INIT;
  Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
  Tensorflow__TensorShapeProto__Dim dims[2] = {TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT,
                                               TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT},
                                    *list[] = {&dims[0], &dims[1]};
  float values[] = {1, 2, 3};
  dims[0].size = 1;
  dims[1].size = 3;
  shape.n_dim = 2;
  shape.dim = list;
  tensor.dtype = (Tensorflow__DataType)sp_tfs_dtype(SP_DTYPE_FLOAT32);
  tensor.tensor_shape = &shape;
  tensor.n_float_val = 3;
  tensor.float_val = values;
  entry.key = (char *)(uintptr_t) "x";
  entry.value = &tensor;
  request.model_spec = &spec;
  request.n_inputs = 1;
  request.inputs = entries;
  return send(caller, SP_TFS_PREDICT, &request.base);
}

static void labels_stand_for_versions(void **state) {
  (void)state;
  char dir[64];
  make_versions(dir);
  struct sp_property labels[] = {{(char *)(uintptr_t) "stable", (char *)(uintptr_t) "1"},
                                 {(char *)(uintptr_t) "next", (char *)(uintptr_t) "4"}};
  struct sp_server_conf conf = plain;
  conf.labels = (struct sp_properties){labels, 2};
  struct sp_server *server = start(&conf, dir, NULL);
  struct caller caller = caller_open(server);
  assert_int_equal(predict_labelled(&caller, "stable"), 0);
  float *sum = caller_output(&caller, "sum", 1, 1, 1);
  assert_true(*sum == 321);
  free(sum);
  predict_labelled(&caller, "canary");
  caller_expect(&caller, SP_STATUS_NOT_FOUND,
                "version label \"canary\" is unknown; this server has stable 1, next 4");
  predict_labelled(&caller, "next"); // a label whose version is not there
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "that version is not served; this server has affine 1 3");
  Tensorflow__Serving__GetModelStatusRequest request = TENSORFLOW__SERVING__GET_MODEL_STATUS_REQUEST__INIT;
  Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
  spec.name = (char *)(uintptr_t) "affine";
  spec.version_choice_case = TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION_LABEL;
  spec.version_label = (char *)(uintptr_t) "stable";
  request.model_spec = &spec;
  assert_int_equal(send(&caller, SP_TFS_GET_MODEL_STATUS, &request.base), 0);
  Tensorflow__Serving__GetModelStatusResponse *status =
      tensorflow__serving__get_model_status_response__unpack(NULL, caller.last.n_reply, caller.last.reply);
  assert_int_equal(status->n_model_version_status, 1);
  assert_int_equal(status->model_version_status[0]->version, 1);
  tensorflow__serving__get_model_status_response__free_unpacked(status, NULL);
  caller_close(&caller);
  server_stop(server);
  labels[1].value = (char *)(uintptr_t) "newest";
  const struct sp_server_model model = {"affine", dir};
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1};
  server_refused(&env, SP_ERR_USAGE, "labels: next: \"newest\" is no version; write --label next=3");
  folder_remove(dir);
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(source, sizeof source, "%s", getenv("SOURCE_DIR"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_protocols_answer_the_same), cmocka_unit_test(kserve_is_refused_as_plainly),
      cmocka_unit_test(kserve_is_told_what_there_is),   cmocka_unit_test(a_stub_is_one_in_every_protocol),
      cmocka_unit_test(labels_stand_for_versions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
