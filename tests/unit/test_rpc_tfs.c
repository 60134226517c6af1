// Predict's hand-written messages against protobuf-c: what we write it reads alike, what it writes we read alike, and
// whatever else comes is refused or read alike.
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
#include "proto/tensorflow_serving.pb-c.h"
#include "rpc/tfs.h"
#include "rpc/tfs_model.h"
#include "rpc/wire.h"

#define N_ROUNDS 2000

static struct sp_prng prng;

static Tensorflow__Serving__PredictRequest *unpack(const uint8_t *bytes, size_t n) {
  return tensorflow__serving__predict_request__unpack(NULL, n, bytes);
}

// --- Random tensors, and their elements as doubles ---

static struct sp_tensor_spec random_spec(const char *name) {
  struct sp_tensor_spec spec = {.dtype = (enum sp_dtype)(1 + sp_prng_below(&prng, SP_DTYPE_COUNT - 1))};
  strcpy(spec.name, name);
  spec.rank = 1 + (uint32_t)sp_prng_below(&prng, 4);
  spec.shape[0] = 1;
  for (uint32_t i = 1; i < spec.rank; i++) spec.shape[i] = 1 + (int64_t)sp_prng_below(&prng, 6);
  return spec;
}

static void fill(struct sp_tensor *tensor, size_t n_rows) {
  for (size_t i = 0; i < n_rows * tensor->row_elements; i++) {
    uint64_t bits = sp_prng_next(&prng) >> sp_prng_below(&prng, 64);
    if (sp_prng_below(&prng, 2)) bits = ~bits;
    switch (tensor->spec.dtype) {
    case SP_DTYPE_FLOAT32: ((float *)tensor->data)[i] = (float)sp_prng_normal(&prng); break;
    case SP_DTYPE_FLOAT64: ((double *)tensor->data)[i] = sp_prng_normal(&prng); break;
    case SP_DTYPE_INT32: ((int32_t *)tensor->data)[i] = (int32_t)bits; break;
    case SP_DTYPE_INT64: ((int64_t *)tensor->data)[i] = (int64_t)bits; break;
    case SP_DTYPE_UINT8: ((uint8_t *)tensor->data)[i] = (uint8_t)bits; break;
    default: ((uint8_t *)tensor->data)[i] = bits & 1; break;
    }
  }
}

// Element i of what protobuf-c read. int64 beyond 2^53 would lose bits as double, so elements are compared as bytes.
static void element_of(const Tensorflow__TensorProto *proto, enum sp_dtype dtype, size_t i, uint8_t to[8]) {
  size_t n = sp_dtype_bytes(dtype);
  memset(to, 0, 8);
  if (proto->tensor_content.len) {
    memcpy(to, proto->tensor_content.data + i * n, n);
    return;
  }
  switch (dtype) {
  case SP_DTYPE_FLOAT32: memcpy(to, &proto->float_val[i], 4); break;
  case SP_DTYPE_FLOAT64: memcpy(to, &proto->double_val[i], 8); break;
  case SP_DTYPE_INT32: memcpy(to, &proto->int_val[i], 4); break;
  case SP_DTYPE_INT64: memcpy(to, &proto->int64_val[i], 8); break;
  case SP_DTYPE_UINT8: to[0] = (uint8_t)proto->int_val[i]; break;
  default: to[0] = proto->bool_val[i] != 0; break;
  }
}

static void is_same_tensor(const Tensorflow__TensorProto *proto, const struct sp_tensor *tensor,
                           size_t n_rows) {
  assert_int_equal((int)proto->dtype, sp_tfs_dtype(tensor->spec.dtype));
  assert_int_equal(proto->tensor_shape->n_dim, tensor->spec.rank);
  assert_int_equal(proto->tensor_shape->dim[0]->size, n_rows);
  for (uint32_t i = 1; i < tensor->spec.rank; i++) {
    assert_int_equal(proto->tensor_shape->dim[i]->size, tensor->spec.shape[i]);
  }
  size_t n = sp_dtype_bytes(tensor->spec.dtype);
  for (size_t i = 0; i < n_rows * tensor->row_elements; i++) {
    uint8_t element[8];
    element_of(proto, tensor->spec.dtype, i, element);
    assert_memory_equal(element, (const uint8_t *)tensor->data + i * n, n);
  }
}

static void requests_are_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 1, SP_PRNG_TEST);
  for (int round = 0; round < N_ROUNDS; round++) {
    size_t n_rows = 1 + sp_prng_below(&prng, 200);
    struct sp_tensor_spec spec = random_spec("transaction");
    struct sp_tensor tensor;
    sp_tensor_init(&tensor, &spec, n_rows);
    fill(&tensor, n_rows);
    uint64_t version = sp_prng_below(&prng, 2) ? sp_prng_next(&prng) >> 1 >> sp_prng_below(&prng, 63) : 0;
    const char *output = sp_prng_below(&prng, 2) ? "score" : NULL;
    size_t n_values = n_rows * tensor.row_elements * sp_dtype_bytes(spec.dtype);
    uint8_t *bytes = sp_alloc(n_values + 2 * SP_TFS_MODEL_NAME_BYTES + SP_TFS_HEAD_BYTES);
    const char *label = sp_prng_below(&prng, 4) ? NULL : "stable"; // in the version's place
    size_t n = sp_tfs_write_request_spec("fraud", version, label, output, bytes);
    if (label) version = 0;
    n += sp_tfs_write_input_head(&spec, n_rows, bytes + n);
    memcpy(bytes + n, tensor.data, n_values);
    n += n_values;
    Tensorflow__Serving__PredictRequest *request = unpack(bytes, n);
    assert_non_null(request);
    assert_string_equal(request->model_spec->name, "fraud");
    bool has_label = request->model_spec->version_choice_case ==
                     TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION_LABEL;
    assert_int_equal(has_label, label != NULL);
    if (has_label) assert_string_equal(request->model_spec->version_label, label);
    assert_true(
        version ==
        (!has_label && request->model_spec->version ? (uint64_t)request->model_spec->version->value : 0));
    assert_int_equal(request->n_output_filter, output ? 1 : 0);
    assert_int_equal(request->n_inputs, 1);
    assert_string_equal(request->inputs[0]->key, "transaction");
    is_same_tensor(request->inputs[0]->value, &tensor, n_rows);
    struct sp_tfs_predict predict;
    const char *reason;
    assert_true(sp_tfs_read_request(sp_bytes_of(bytes, n), &predict, &reason));
    assert_true((uint64_t)predict.spec.version == version);
    assert_int_equal(predict.spec.label.n, label ? strlen(label) : 0);
    assert_int_equal(sp_tfs_rows(sp_tfs_find(&predict, "transaction"), &spec), n_rows);
    tensorflow__serving__predict_request__free_unpacked(request, NULL);
    sp_tensor_done(&tensor);
    free(bytes);
  }
}

static void replies_are_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 2, SP_PRNG_TEST);
  for (int round = 0; round < N_ROUNDS; round++) {
    size_t n_rows = 1 + sp_prng_below(&prng, 200);
    struct sp_tensor_spec specs[2] = {random_spec("score"), random_spec("other")};
    struct sp_tensor tensors[2], back;
    for (int i = 0; i < 2; i++) {
      sp_tensor_init(&tensors[i], &specs[i], n_rows);
      fill(&tensors[i], n_rows);
    }
    bool wanted[2] = {true, sp_prng_below(&prng, 2)};
    uint8_t *bytes = sp_alloc(sp_tfs_reply_bound(tensors, 2, n_rows));
    size_t n = sp_tfs_write_reply("fraud", 7, tensors, wanted, 2, n_rows, bytes);
    assert_true(n <= sp_tfs_reply_bound(tensors, 2, n_rows));
    Tensorflow__Serving__PredictResponse *reply =
        tensorflow__serving__predict_response__unpack(NULL, n, bytes);
    assert_non_null(reply);
    assert_int_equal(reply->n_outputs, 1 + wanted[1]);
    assert_int_equal(reply->model_spec->version->value, 7);
    is_same_tensor(reply->outputs[0]->value, &tensors[0], n_rows);
    struct sp_tfs_predict predict;
    const char *reason;
    assert_true(sp_tfs_read_reply(sp_bytes_of(bytes, n), &predict, &reason));
    const struct sp_tfs_tensor *score = sp_tfs_find(&predict, "score");
    assert_int_equal(sp_tfs_rows(score, &specs[0]), n_rows);
    sp_tensor_init(&back, &specs[0], n_rows);
    assert_true(sp_tfs_read_values(score, n_rows * back.row_elements, back.data));
    assert_memory_equal(back.data, tensors[0].data,
                        n_rows * back.row_elements * sp_dtype_bytes(specs[0].dtype));
    assert_int_equal(sp_tfs_find(&predict, "other") != NULL, wanted[1]);
    tensorflow__serving__predict_response__free_unpacked(reply, NULL);
    sp_tensor_done(&tensors[0]);
    sp_tensor_done(&tensors[1]);
    sp_tensor_done(&back);
    free(bytes);
  }
}

// --- Forms that others write ---

// A TensorProto in an entry in a reply, read back as float32 [1, 4].
static bool read_four(const uint8_t *tensor, size_t n, float to[4]) {
  uint8_t bytes[256], entry[256];
  uint8_t *at = sp_wire_write_bytes(entry, 1, "score", 5);
  at = sp_wire_write_bytes(at, 2, tensor, n);
  at = sp_wire_write_bytes(bytes, 1, entry, (size_t)(at - entry));
  struct sp_tfs_predict predict;
  const char *reason;
  struct sp_tensor_spec spec = {"score", SP_DTYPE_FLOAT32, 2, {1, 4}};
  if (!sp_tfs_read_reply(sp_bytes_of(bytes, (size_t)(at - bytes)), &predict, &reason)) return false;
  const struct sp_tfs_tensor *score = sp_tfs_find(&predict, "score");
  return sp_tfs_rows(score, &spec) == 1 && sp_tfs_read_values(score, 4, to);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define HEAD       0x08, 1, 0x12, 8, 0x12, 2, 8, 1, 0x12, 2, 8, 4
#define ONE        0, 0, 0x80, 0x3f
#define TWO        0, 0, 0, 0x40

static void every_form_of_values_is_read(void **state) {
  (void)state;
  const struct {
    const uint8_t *bytes;
    size_t n;
    bool is_read;
    float values[4];
  } forms[] = {
      {BYTES(HEAD, 0x2a, 16, ONE, TWO, ONE, TWO), true, {1, 2, 1, 2}},               // packed
      {BYTES(HEAD, 0x2d, ONE, 0x2d, TWO, 0x2d, ONE, 0x2d, TWO), true, {1, 2, 1, 2}}, // one by one
      {BYTES(HEAD, 0x2d, ONE, 0x2a, 8, TWO, ONE, 0x22, 0, 0x2d, TWO),
       true,
       {1, 2, 1, 2}},                                                                  // both, empty content
      {BYTES(HEAD, 0x2d, ONE, 0x2a, 8, TWO, ONE, 0x2d, 0, 0, 0), false, {0, 0, 0, 0}}, // cut short
      {BYTES(HEAD, 0x22, 16, ONE, TWO, ONE, TWO), true, {1, 2, 1, 2}},                 // tensor_content
      {BYTES(0x22, 16, ONE, TWO, ONE, TWO, HEAD), true, {1, 2, 1, 2}},                 // in another order
      {BYTES(HEAD, 0x2a, 4, ONE), true, {1, 1, 1, 1}}, // the last one repeated
      {BYTES(HEAD, 0x2a, 8, ONE, TWO), true, {1, 2, 2, 2}},
      {BYTES(HEAD, 0x2a, 16, ONE, TWO, ONE, TWO, 0x2d, ONE), false, {0, 0, 0, 0}}, // five values
      {BYTES(HEAD, 0x22, 12, ONE, TWO, ONE), false, {0, 0, 0, 0}},                 // content too short
      {BYTES(HEAD, 0x2a, 5, ONE, 0), false, {0, 0, 0, 0}},                         // no whole element
      {BYTES(HEAD), false, {0, 0, 0, 0}},                                          // no values at all
      {BYTES(HEAD, 0x35, ONE), false, {0, 0, 0, 0}},                               // another type's values
      {BYTES(HEAD, 0x2a, 16, ONE, TWO, ONE, TWO, 0x18, 1), true, {1, 2, 1, 2}},    // version_number
      {BYTES(HEAD, 0x2a, 16, ONE, TWO, ONE, TWO, 0x0b), false, {0, 0, 0, 0}},      // a group
      {BYTES(HEAD, 0x2a, 16, ONE, TWO, ONE, TWO, 0x00, 0), false, {0, 0, 0, 0}},   // field 0
  };
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    float values[4] = {0};
    bool is_read = read_four(forms[i].bytes, forms[i].n, values);
    if (is_read != forms[i].is_read) fail_msg("form %zu is read: %d", i, is_read);
    if (is_read) assert_memory_equal(values, forms[i].values, sizeof values);
  }
}

// --- Rubbish ---

// What both accept is read alike. protobuf-c also refuses known fields of another wire type, which the format says to skip.
static void check_mutant(const uint8_t *bytes, size_t n) {
  struct sp_tfs_predict predict;
  const char *reason = NULL;
  if (!sp_tfs_read_request(sp_bytes_of(bytes, n), &predict, &reason)) {
    assert_non_null(reason);
    return;
  }
  Tensorflow__Serving__PredictRequest *request = unpack(bytes, n);
  if (!request) return;
  assert_int_equal(predict.n_tensors, request->n_inputs);
  for (size_t i = 0; i < predict.n_tensors; i++) {
    const struct sp_tfs_tensor *ours = &predict.tensors[i];
    const Tensorflow__TensorProto *theirs = request->inputs[i]->value;
    assert_int_equal(ours->dtype, sp_tfs_dtype_of((int64_t)theirs->dtype));
    assert_int_equal(ours->rank, theirs->tensor_shape ? theirs->tensor_shape->n_dim : 0);
    for (uint32_t d = 0; d < ours->rank; d++)
      assert_true(ours->shape[d] == theirs->tensor_shape->dim[d]->size);
    assert_int_equal(ours->content.n, theirs->tensor_content.len);
    uint8_t values[64 * 8];
    if (sp_tfs_read_values(ours, 4, values) && theirs->tensor_content.len == 0 &&
        ours->dtype == SP_DTYPE_INT64) {
      assert_true(theirs->n_int64_val <= 4);
      assert_memory_equal(values, theirs->int64_val, theirs->n_int64_val * 8);
    }
  }
  tensorflow__serving__predict_request__free_unpacked(request, NULL);
}

static size_t write_two_inputs(uint8_t *bytes) {
  static const struct sp_tensor_spec a = {"a", SP_DTYPE_FLOAT32, 2, {1, 2}};
  size_t n = sp_tfs_write_request_spec("fraud", 3, NULL, "score", bytes);
  n += sp_tfs_write_input_head(&a, 2, bytes + n);
  memset(bytes + n, 1, 16);
  n += 16;
  // int64_val of [1, -1, 300, 2], as TensorFlow's client would write it for b.
  static const uint8_t b[] = {0x12, 33,   0x0a, 1,    'b',  0x12, 28,   0x08, 9,    0x12, 8,    0x12,
                              2,    8,    2,    0x12, 2,    8,    2,    0x52, 14,   1,    0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,    0xac, 2,    2};
  memcpy(bytes + n, b, sizeof b);
  return n + sizeof b;
}

static void rubbish_is_refused_or_read_alike(void **state) {
  (void)state;
  sp_prng_init(&prng, 3, SP_PRNG_TEST);
  uint8_t whole[512];
  size_t n_whole = write_two_inputs(whole);
  check_mutant(whole, n_whole);
  for (int round = 0; round < 100000; round++) {
    // In memory of its own and exactly as long, so that the sanitizer sees a read past it.
    size_t n = sp_prng_below(&prng, 4) ? n_whole : sp_prng_below(&prng, n_whole + 1);
    uint8_t *bytes = malloc(n ? n : 1);
    memcpy(bytes, whole, n);
    for (uint64_t k = sp_prng_below(&prng, 4); n && k > 0; k--) {
      bytes[sp_prng_below(&prng, n)] =
          (uint8_t)(sp_prng_below(&prng, 2) ? sp_prng_next(&prng) : sp_prng_below(&prng, 40));
    }
    check_mutant(bytes, n);
    free(bytes);
  }
}

static void sixteen_inputs_are_read_and_no_more(void **state) {
  (void)state;
  uint8_t bytes[20 * SP_TFS_HEAD_BYTES];
  size_t n = sp_tfs_write_request_spec("trees", 1, NULL, "predictions", bytes);
  for (size_t i = 0; i < 17; i++) {
    struct sp_tensor_spec spec = {.dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, 1}};
    snprintf(spec.name, sizeof spec.name, "Column_%zu", i);
    n += sp_tfs_write_input_head(&spec, 1, bytes + n);
    float value = (float)i;
    memcpy(bytes + n, &value, sizeof value);
    n += sizeof value;
    struct sp_tfs_predict predict;
    const char *reason = NULL;
    assert_int_equal(sp_tfs_read_request(sp_bytes_of(bytes, n), &predict, &reason), i < 16);
    if (i == 16) break;
    assert_int_equal(predict.n_tensors, i + 1);
    const struct sp_tfs_tensor *last = sp_tfs_find(&predict, spec.name);
    assert_non_null(last);
    float back = -1;
    assert_true(sp_tfs_read_values(last, 1, &back) && back == value);
  }
}

static void hostile_metadata_is_bounded(void **state) {
  (void)state;
  // 1 MiB of empty entries would allocate 80 MiB; 60 KB of nesting would overflow a recursive reader's stack.
  size_t n = (size_t)1 << 20;
  uint8_t *bytes = malloc(n);
  for (size_t i = 0; i + 1 < n; i += 2) {
    bytes[i] = 0x12;
    bytes[i + 1] = 0;
  }
  struct sp_signature signature;
  const char *reason = NULL;
  assert_false(sp_tfs_read_metadata_reply(sp_bytes_of(bytes, n), &signature, &reason));
  assert_non_null(reason);
  for (size_t i = 0; i + 1 < n; i += 2) bytes[i] = 0x0a;
  bool is_available;
  assert_false(sp_tfs_read_status_reply(sp_bytes_of(bytes, n), 0, &is_available));
  struct sp_tfs_predict predict;
  assert_false(sp_tfs_read_reply(sp_bytes_of(bytes, n), &predict, &reason));
  memset(bytes, 0xff, n);
  assert_false(sp_tfs_read_reply(sp_bytes_of(bytes, n), &predict, &reason));
  free(bytes);
}

static void metadata_survives_the_way(void **state) {
  (void)state;
  struct sp_signature given = {.n_inputs = 2, .n_outputs = 1}, got = {0};
  given.inputs[0] = (struct sp_tensor_spec){"a", SP_DTYPE_FLOAT32, 2, {-1, 30}};
  given.inputs[1] = (struct sp_tensor_spec){"b", SP_DTYPE_INT64, 3, {-1, 2, 121}};
  given.outputs[0] = (struct sp_tensor_spec){"score", SP_DTYPE_FLOAT64, 1, {-1}};
  struct sp_tfs_message message = sp_tfs_write_metadata_reply("fraud", 3, &given);
  const char *reason = NULL;
  assert_true(sp_tfs_read_metadata_reply(sp_bytes_of(message.data, message.n), &got, &reason));
  assert_int_equal(got.n_inputs, 2);
  assert_int_equal(got.n_outputs, 1);
  assert_memory_equal(got.inputs, given.inputs, 2 * sizeof given.inputs[0]);
  assert_memory_equal(got.outputs, given.outputs, sizeof given.outputs[0]);
  free(message.data);
  uint64_t versions[] = {1, 3};
  bool is_available = false;
  message = sp_tfs_write_status_reply(versions, 2);
  assert_true(sp_tfs_read_status_reply(sp_bytes_of(message.data, message.n), 3, &is_available));
  assert_true(is_available);
  assert_true(sp_tfs_read_status_reply(sp_bytes_of(message.data, message.n), 2, &is_available));
  assert_false(is_available);
  free(message.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_read_alike),
      cmocka_unit_test(replies_are_read_alike),
      cmocka_unit_test(every_form_of_values_is_read),
      cmocka_unit_test(rubbish_is_refused_or_read_alike),
      cmocka_unit_test(hostile_metadata_is_bounded),
      cmocka_unit_test(metadata_survives_the_way),
      cmocka_unit_test(sixteen_inputs_are_read_and_no_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
