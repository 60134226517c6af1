// ModelInfer's hand-written messages against protobuf-c: what we write it reads alike, what it writes (raw contents or typed
// ones) we read alike, and whatever else comes is refused or read alike.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/prng.h"
#include "proto/kserve.pb-c.h"
#include "rpc/kserve.h"
#include "rpc/wire.h"

#define N_ROUNDS 1000

static struct sp_prng prng;

static struct sp_tensor_spec random_spec(const char *name) {
  struct sp_tensor_spec spec = {.dtype = (enum sp_dtype)(1 + sp_prng_below(&prng, SP_DTYPE_COUNT - 1))};
  strcpy(spec.name, name);
  spec.rank = 1 + (uint32_t)sp_prng_below(&prng, 4);
  spec.shape[0] = 1;
  for (uint32_t i = 1; i < spec.rank; i++) spec.shape[i] = 1 + (int64_t)sp_prng_below(&prng, 200);
  if (sp_tensor_row_elements(&spec) > 1000) spec.rank = 2;
  return spec;
}

static void make(struct sp_tensor *tensor, const char *name, size_t n_rows) {
  struct sp_tensor_spec spec = random_spec(name);
  sp_tensor_init(tensor, &spec, n_rows);
  for (size_t i = 0; i < n_rows * tensor->row_elements; i++) {
    uint64_t bits = sp_prng_next(&prng) >> sp_prng_below(&prng, 64);
    if (sp_prng_below(&prng, 2)) bits = ~bits;
    switch (spec.dtype) {
    case SP_DTYPE_FLOAT32: ((float *)tensor->data)[i] = (float)sp_prng_normal(&prng); break;
    case SP_DTYPE_FLOAT64: ((double *)tensor->data)[i] = sp_prng_normal(&prng); break;
    case SP_DTYPE_INT32: ((int32_t *)tensor->data)[i] = (int32_t)bits; break;
    case SP_DTYPE_INT64: ((int64_t *)tensor->data)[i] = (int64_t)bits; break;
    case SP_DTYPE_UINT8: ((uint8_t *)tensor->data)[i] = (uint8_t)bits; break;
    default: ((uint8_t *)tensor->data)[i] = bits & 1; break;
    }
  }
}

static size_t bytes_of(const struct sp_tensor *tensor, size_t n_rows) {
  return n_rows * tensor->row_elements * sp_dtype_bytes(tensor->spec.dtype);
}

static void is_same_shape(const char *datatype, size_t n_shape, const int64_t *shape,
                          const struct sp_tensor_spec *spec, int64_t first) {
  static const char *const names[] = {"", "FP32", "FP64", "INT32", "INT64", "UINT8", "BOOL"};
  assert_string_equal(datatype, names[spec->dtype]);
  assert_int_equal(n_shape, spec->rank);
  assert_int_equal(shape[0], first);
  for (uint32_t i = 1; i < spec->rank; i++) assert_int_equal(shape[i], spec->shape[i]);
}

static uint64_t random_version(void) {
  return sp_prng_below(&prng, 2) ? sp_prng_next(&prng) >> 1 >> sp_prng_below(&prng, 63) : 0;
}

static void requests_are_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 1, SP_PRNG_TEST);
  for (int round = 0; round < N_ROUNDS; round++) {
    size_t n_rows = 1 + sp_prng_below(&prng, 20), n_inputs = 1 + sp_prng_below(&prng, 3), room = 1024;
    static const char *const names[] = {"transaction", "b", "c"};
    struct sp_tensor tensors[3];
    SP_ASSERT(n_inputs <= 3);
    for (size_t i = 0; i < n_inputs; i++) {
      make(&tensors[i], names[i], n_rows);
      room += SP_KSERVE_HEAD_BYTES + bytes_of(&tensors[i], n_rows);
    }
    uint64_t version = random_version();
    const char *output = sp_prng_below(&prng, 2) ? "score" : NULL;
    uint8_t *bytes = sp_alloc(room);
    size_t n = sp_kserve_write_request_spec("fraud", version, output, bytes);
    for (size_t i = 0; i < n_inputs; i++) { // heads and raw contents by turns, as the client sends them
      n += sp_kserve_write_input_head(&tensors[i].spec, n_rows, bytes + n);
      memcpy(bytes + n, tensors[i].data, bytes_of(&tensors[i], n_rows));
      n += bytes_of(&tensors[i], n_rows);
    }
    Inference__ModelInferRequest *request = inference__model_infer_request__unpack(NULL, n, bytes);
    assert_non_null(request);
    assert_string_equal(request->model_name, "fraud");
    assert_true(strtoull(request->model_version, NULL, 10) == version);
    assert_int_equal(strlen(request->model_version) > 0, version > 0);
    assert_int_equal(request->n_outputs, output ? 1 : 0);
    if (output) assert_string_equal(request->outputs[0]->name, output);
    assert_int_equal(request->n_inputs, n_inputs);
    assert_int_equal(request->n_raw_input_contents, n_inputs);
    struct sp_kserve_infer infer;
    const char *reason;
    assert_true(sp_kserve_read_request(sp_bytes_of(bytes, n), &infer, &reason));
    assert_true((uint64_t)infer.version == version);
    assert_int_equal(infer.n_outputs, output ? 1 : 0);
    for (size_t i = 0; i < n_inputs; i++) {
      const Inference__ModelInferRequest__InferInputTensor *input = request->inputs[i];
      assert_string_equal(input->name, names[i]);
      is_same_shape(input->datatype, input->n_shape, input->shape, &tensors[i].spec, (int64_t)n_rows);
      assert_int_equal(request->raw_input_contents[i].len, bytes_of(&tensors[i], n_rows));
      assert_memory_equal(request->raw_input_contents[i].data, tensors[i].data,
                          bytes_of(&tensors[i], n_rows));
      const struct sp_kserve_tensor *read = sp_kserve_find(&infer, names[i]);
      assert_int_equal(sp_kserve_rows(read, &tensors[i].spec), n_rows);
      uint8_t *back = sp_alloc(bytes_of(&tensors[i], n_rows));
      assert_true(sp_kserve_read_values(read, n_rows * tensors[i].row_elements, back));
      assert_memory_equal(back, tensors[i].data, bytes_of(&tensors[i], n_rows));
      assert_false(sp_kserve_read_values(read, n_rows * tensors[i].row_elements - 1, back));
      free(back);
    }
    for (size_t i = 0; i < n_inputs; i++) sp_tensor_done(&tensors[i]);
    inference__model_infer_request__free_unpacked(request, NULL);
    free(bytes);
  }
}

static void replies_are_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 2, SP_PRNG_TEST);
  for (int round = 0; round < N_ROUNDS; round++) {
    size_t n_rows = 1 + sp_prng_below(&prng, 20);
    struct sp_tensor tensors[2];
    make(&tensors[0], "score", n_rows);
    make(&tensors[1], "other", n_rows);
    bool wanted[2] = {true, sp_prng_below(&prng, 2)};
    struct sp_bytes id = sp_bytes_of("request 7", sp_prng_below(&prng, 10));
    uint8_t *bytes = sp_alloc(sp_kserve_reply_bound(id, tensors, 2, n_rows));
    size_t n = sp_kserve_write_reply("fraud", 3, id, tensors, wanted, 2, n_rows, bytes);
    assert_true(n <= sp_kserve_reply_bound(id, tensors, 2, n_rows));
    Inference__ModelInferResponse *reply = inference__model_infer_response__unpack(NULL, n, bytes);
    assert_non_null(reply);
    assert_string_equal(reply->model_name, "fraud");
    assert_string_equal(reply->model_version, "3");
    assert_int_equal(strlen(reply->id), id.n);
    assert_memory_equal(reply->id, id.data, id.n);
    assert_int_equal(reply->n_outputs, wanted[1] ? 2 : 1);
    assert_int_equal(reply->n_raw_output_contents, reply->n_outputs);
    struct sp_kserve_infer infer;
    const char *reason;
    assert_true(sp_kserve_read_reply(sp_bytes_of(bytes, n), &infer, &reason));
    for (size_t i = 0; i < reply->n_outputs; i++) {
      const Inference__ModelInferResponse__InferOutputTensor *output = reply->outputs[i];
      is_same_shape(output->datatype, output->n_shape, output->shape, &tensors[i].spec, (int64_t)n_rows);
      assert_memory_equal(reply->raw_output_contents[i].data, tensors[i].data, bytes_of(&tensors[i], n_rows));
      assert_int_equal(sp_kserve_rows(sp_kserve_find(&infer, output->name), &tensors[i].spec), n_rows);
    }
    inference__model_infer_response__free_unpacked(reply, NULL);
    for (size_t i = 0; i < 2; i++) sp_tensor_done(&tensors[i]);
    free(bytes);
  }
}

// --- Typed contents, as other clients and servers may send them ---

struct typed {
  Inference__InferTensorContents contents;
  int32_t ints[1200];
  uint32_t uints[1200];
  protobuf_c_boolean bools[1200];
};

static void typed_init(struct typed *of, const struct sp_tensor *tensor) {
  size_t n = tensor->row_elements;
  Inference__InferTensorContents *contents = &of->contents;
  inference__infer_tensor_contents__init(contents);
  for (size_t i = 0; i < n; i++) {
    of->uints[i] = ((const uint8_t *)tensor->data)[i];
    of->bools[i] = ((const uint8_t *)tensor->data)[i];
  }
  switch (tensor->spec.dtype) {
  case SP_DTYPE_FLOAT32: contents->n_fp32_contents = n, contents->fp32_contents = tensor->data; break;
  case SP_DTYPE_FLOAT64: contents->n_fp64_contents = n, contents->fp64_contents = tensor->data; break;
  case SP_DTYPE_INT32: contents->n_int_contents = n, contents->int_contents = tensor->data; break;
  case SP_DTYPE_INT64: contents->n_int64_contents = n, contents->int64_contents = tensor->data; break;
  case SP_DTYPE_UINT8: contents->n_uint_contents = n, contents->uint_contents = of->uints; break;
  default: contents->n_bool_contents = n, contents->bool_contents = of->bools; break;
  }
}

static void typed_contents_are_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 3, SP_PRNG_TEST);
  struct typed *typed = sp_alloc(sizeof *typed);
  for (int round = 0; round < N_ROUNDS; round++) {
    struct sp_tensor tensor;
    make(&tensor, "score", 1);
    typed_init(typed, &tensor);
    Inference__ModelInferResponse reply = INFERENCE__MODEL_INFER_RESPONSE__INIT;
    Inference__ModelInferResponse__InferOutputTensor
        output = INFERENCE__MODEL_INFER_RESPONSE__INFER_OUTPUT_TENSOR__INIT,
        *outputs[] = {&output};
    output.name = "score";
    output.datatype = (char *)(uintptr_t)sp_kserve_datatype(tensor.spec.dtype);
    output.n_shape = tensor.spec.rank;
    output.shape = tensor.spec.shape;
    output.contents = &typed->contents;
    reply.n_outputs = 1;
    reply.outputs = outputs;
    uint8_t *bytes = sp_alloc(inference__model_infer_response__get_packed_size(&reply));
    size_t n = inference__model_infer_response__pack(&reply, bytes);
    struct sp_kserve_infer infer;
    const char *reason;
    assert_true(sp_kserve_read_reply(sp_bytes_of(bytes, n), &infer, &reason));
    const struct sp_kserve_tensor *read = sp_kserve_find(&infer, "score");
    assert_int_equal(sp_kserve_rows(read, &tensor.spec), 1);
    uint8_t *back = sp_alloc(bytes_of(&tensor, 2));
    assert_true(sp_kserve_read_values(read, tensor.row_elements, back));
    assert_memory_equal(back, tensor.data, bytes_of(&tensor, 1));
    assert_false(sp_kserve_read_values(read, tensor.row_elements + 1, back));
    assert_false(sp_kserve_read_values(read, tensor.row_elements - 1, back));
    free(back);
    free(bytes);
    sp_tensor_done(&tensor);
  }
  free(typed);
}

// --- What is no such message ---

static uint8_t *tensor_named(uint8_t *to, uint32_t field, const char *name) {
  to = sp_wire_write_head(to, field, sp_wire_field_bytes(strlen(name)));
  return sp_wire_write_bytes(to, 1, name, strlen(name));
}

static void is_refused(const uint8_t *bytes, const uint8_t *end, const char *said) {
  struct sp_kserve_infer infer;
  const char *reason = "nothing";
  assert_false(sp_kserve_read_request(sp_bytes_of(bytes, (size_t)(end - bytes)), &infer, &reason));
  if (!strstr(reason, said)) fail_msg("\"%s\" does not say \"%s\"", reason, said);
}

static void what_is_no_request_is_refused_with_a_reason(void **state) {
  (void)state;
  uint8_t bytes[1024], *end = bytes;
  for (int i = 0; i <= SP_TENSORS_MAX; i++) end = tensor_named(end, 5, (char[]){(char)('a' + i), 0});
  is_refused(bytes, end, "more tensors");
  end = tensor_named(tensor_named(bytes, 5, "x"), 5, "x");
  is_refused(bytes, end, "twice");
  end = sp_wire_write_bytes(tensor_named(tensor_named(bytes, 5, "x"), 5, "y"), 7, "raw", 3);
  is_refused(bytes, end, "some of the tensors only");
  end = sp_wire_write_bytes(bytes, 7, "raw", 3);
  is_refused(bytes, end, "some of the tensors only");
  end = sp_wire_write_bytes(bytes, 5, "\x1a\x09\1\1\1\1\1\1\1\1\1", 11); // nine dimensions
  is_refused(bytes, end, "cannot be read");
  end = sp_wire_write_bytes(bytes, 5, "\x2a\x01\x00\x2a\x00", 5); // contents twice
  is_refused(bytes, end, "cannot be read");
  end = sp_wire_write_bytes(bytes, 5, "\x0a\x01x\x2a\x03\x12\x01\x07", 8); // typed contents beside raw ones
  end = sp_wire_write_bytes(end, 7, "raw", 3);
  is_refused(bytes, end, "raw contents and typed ones");
  end = bytes;
  for (int i = 0; i <= SP_TENSORS_MAX; i++) end = tensor_named(end, 6, "");
  is_refused(bytes, end, "asked for");
  is_refused((const uint8_t *)"\x0a\x7fshort", (const uint8_t *)"\x0a\x7fshort" + 7,
             "message cannot be read");
}

static void versions_are_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t version;
  } cases[] = {{"", 0},
               {"1", 1},
               {"0012", 12},
               {"9223372036854775807", INT64_MAX},
               {"9223372036854775808", -1},
               {"0", -1},
               {"-1", -1},
               {"1.0", -1},
               {"stable", -1},
               {" 1", -1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t bytes[64];
    uint8_t *end = sp_wire_write_bytes(bytes, 2, cases[i].text, strlen(cases[i].text));
    struct sp_kserve_model_request request;
    assert_true(sp_kserve_read_model_request(sp_bytes_of(bytes, (size_t)(end - bytes)), &request));
    assert_true(request.version == cases[i].version);
  }
}

// --- What a server says of itself ---

static void descriptions_are_read_alike(void **state) {
  (void)state;
  struct sp_signature given = {.n_inputs = 2, .n_outputs = 1}, got;
  given.inputs[0] = (struct sp_tensor_spec){"x", SP_DTYPE_FLOAT32, 2, {-1, 30}};
  given.inputs[1] = (struct sp_tensor_spec){"tokens", SP_DTYPE_INT64, 3, {1, 121, 2}};
  given.outputs[0] = (struct sp_tensor_spec){"score", SP_DTYPE_FLOAT64, 1, {-1}};
  const uint64_t versions[] = {1, 20};
  uint8_t *bytes = sp_alloc(sp_kserve_metadata_bound(2, "onnx"));
  size_t n = sp_kserve_write_metadata("fraud", versions, 2, "onnx", &given, bytes);
  Inference__ModelMetadataResponse *reply = inference__model_metadata_response__unpack(NULL, n, bytes);
  assert_non_null(reply);
  assert_string_equal(reply->name, "fraud");
  assert_string_equal(reply->platform, "onnx");
  assert_int_equal(reply->n_versions, 2);
  assert_string_equal(reply->versions[1], "20");
  assert_int_equal(reply->n_inputs, 2);
  assert_string_equal(reply->inputs[1]->name, "tokens");
  is_same_shape(reply->inputs[1]->datatype, reply->inputs[1]->n_shape, reply->inputs[1]->shape,
                &given.inputs[1], 1);
  is_same_shape(reply->outputs[0]->datatype, 1, reply->outputs[0]->shape, &given.outputs[0], -1);
  inference__model_metadata_response__free_unpacked(reply, NULL);
  const char *reason;
  assert_true(sp_kserve_read_metadata(sp_bytes_of(bytes, n), &got, &reason));
  assert_int_equal(got.n_inputs, 2);
  assert_int_equal(got.n_outputs, 1);
  assert_memory_equal(got.inputs, given.inputs, 2 * sizeof given.inputs[0]);
  assert_memory_equal(got.outputs, given.outputs, sizeof given.outputs[0]);
  assert_true(sp_kserve_read_metadata(sp_bytes_of(bytes, 0), &got, &reason)); // describes nothing
  assert_int_equal(got.n_inputs + got.n_outputs, 0);
  free(bytes);
}

static void small_answers_are_read_alike(void **state) {
  (void)state;
  for (int flag = 0; flag < 2; flag++) {
    uint8_t bytes[2];
    size_t n = sp_kserve_write_flag(flag, bytes);
    Inference__ModelReadyResponse *reply = inference__model_ready_response__unpack(NULL, n, bytes);
    assert_int_equal(reply->ready, flag);
    inference__model_ready_response__free_unpacked(reply, NULL);
    bool is_so = !flag;
    assert_true(sp_kserve_read_flag(sp_bytes_of(bytes, n), &is_so));
    assert_int_equal(is_so, flag);
  }
  uint8_t bytes[2 * SP_KSERVE_NAME_BYTES];
  size_t n = sp_kserve_write_model_request("fraud", 7, bytes);
  Inference__ModelMetadataRequest *request = inference__model_metadata_request__unpack(NULL, n, bytes);
  assert_string_equal(request->name, "fraud");
  assert_string_equal(request->version, "7");
  inference__model_metadata_request__free_unpacked(request, NULL);
  char text[16];
  n = sp_kserve_write_server_metadata("triton", "2.51.0", bytes);
  assert_true(sp_kserve_read_server_metadata(sp_bytes_of(bytes, n), text, sizeof text));
  assert_string_equal(text, "triton 2.51.0");
  assert_true(sp_kserve_read_server_metadata(sp_bytes_of(bytes, n), text, 9));
  assert_string_equal(text, "triton 2");
  n = sp_kserve_write_server_metadata("mlserver", "", bytes);
  assert_true(sp_kserve_read_server_metadata(sp_bytes_of(bytes, n), text, sizeof text));
  assert_string_equal(text, "mlserver");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_read_alike),
      cmocka_unit_test(replies_are_read_alike),
      cmocka_unit_test(typed_contents_are_read_alike),
      cmocka_unit_test(what_is_no_request_is_refused_with_a_reason),
      cmocka_unit_test(versions_are_numbers),
      cmocka_unit_test(descriptions_are_read_alike),
      cmocka_unit_test(small_answers_are_read_alike),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
