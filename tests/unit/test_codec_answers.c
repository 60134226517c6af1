// Predictions to answers and back.
#include "support/codec_bed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS(...)                                                                                           \
  { (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *) }

static const struct sp_tensor_spec one_float = {"score", SP_DTYPE_FLOAT32, 2, {-1, 1}};
static const struct sp_tensor_spec three_floats = {"score", SP_DTYPE_FLOAT32, 2, {-1, 3}};

static struct sp_encoder *encoder_of(const struct sp_output_conf *conf, const struct sp_tensor_spec *spec) {
  struct sp_encoder *encoder = NULL;
  struct sp_error error;
  if (sp_encoder_new(conf, spec, &encoder, &error)) fail_msg("%s", error.text);
  return encoder;
}

static void is_refused(const struct sp_output_conf *conf, const char *said) {
  struct sp_encoder *encoder = NULL;
  struct sp_error error = {.code = SP_OK};
  assert_int_equal(sp_encoder_new(conf, &one_float, &encoder, &error), SP_ERR_USAGE);
  assert_null(encoder);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
}

// Row 1 of two, so that a row's place counts. Memory of just the promised size.
static void answer_is(const struct sp_encoder *encoder, const struct sp_tensor_spec *spec, const void *row,
                      const char *expected) {
  struct sp_tensor tensor;
  sp_tensor_init(&tensor, spec, 2);
  size_t n_bytes = tensor.row_elements * sp_dtype_bytes(spec->dtype), bound = sp_encoder_bound(encoder);
  memcpy((uint8_t *)tensor.data + n_bytes, row, n_bytes);
  uint8_t *answer = malloc(bound);
  assert_non_null(answer);
  size_t n = sp_encode(encoder, &tensor, 1, answer);
  assert_true(n <= bound);
  if (n != strlen(expected) || memcmp(answer, expected, n) != 0)
    fail_msg("%.*s, not %s", (int)n, (char *)answer, expected);
  free(answer);
  sp_tensor_done(&tensor);
}

static void parses(const struct sp_encoder *encoder, const char *text, int label, size_t n,
                   const double *scores) {
  struct sp_answer answer;
  struct sp_reason reason;
  if (sp_answer_parse(encoder, sp_bytes_of_text(text), &answer, &reason))
    fail_msg("%s: %s", text, reason.text);
  assert_int_equal(answer.label, label);
  assert_int_equal(answer.n_scores, n);
  for (size_t i = 0; i < n; i++) {
    assert_true(answer.scores[i] == scores[i] || (isnan(answer.scores[i]) && isnan(scores[i])));
  }
}

static void parse_fails(const struct sp_encoder *encoder, const char *text, const char *said) {
  struct sp_answer answer;
  struct sp_reason reason = {""};
  struct sp_bytes bytes = text ? sp_bytes_of_text(text) : (struct sp_bytes){NULL, 0};
  assert_int_equal(sp_answer_parse(encoder, bytes, &answer, &reason), SP_OUTCOME_MALFORMED);
  if (strcmp(reason.text, said) != 0) fail_msg("\"%s\", not \"%s\"", reason.text, said);
}

static void arrays(void **state) {
  (void)state;
  struct sp_output_conf conf = {.format = SP_OUTPUT_JSON, .as = SP_OUTPUT_AS_ARRAY};
  struct sp_encoder *encoder = encoder_of(&conf, &three_floats);
  answer_is(encoder, &three_floats, (float[]){0.1F, -1.5e-7F, 3}, "[0.1,-1.5e-7,3]");
  answer_is(encoder, &three_floats, (float[]){NAN, INFINITY, -0.0F}, "[null,null,-0]");
  assert_int_equal(sp_encoder_scores(encoder), 3);
  parses(encoder, "[0.1,-1.5e-7,3]", -1, 3, (double[]){0.1, -1.5e-7, 3});
  parses(encoder, " [[0.1, null], 3] ", -1, 3, (double[]){0.1, NAN, 3});
  parse_fails(encoder, "[0.1,2]", "answer: 2 numbers instead of 3");
  parse_fails(encoder, "0.1", "answer: no array");
  parse_fails(encoder, "[0.1,2,\"3\"]", "answer: not a number");
  parse_fails(encoder, "[0.1,2,3", "answer: not JSON: ends too early");
  parse_fails(encoder, "", "answer: not JSON: ends too early");
  parse_fails(encoder, NULL, "answer: no value");
  sp_encoder_free(encoder);
}

static void long_arrays_give_their_first_scores(void **state) {
  (void)state;
  struct sp_tensor_spec spec = {"y", SP_DTYPE_FLOAT32, 3, {-1, 10, 10}};
  struct sp_output_conf conf = {.as = SP_OUTPUT_AS_ARRAY};
  struct sp_encoder *encoder = encoder_of(&conf, &spec);
  struct sp_tensor tensor;
  sp_tensor_init(&tensor, &spec, 1);
  for (int i = 0; i < 100; i++) ((float *)tensor.data)[i] = -1.23456789e-38F;
  uint8_t *text = malloc(sp_encoder_bound(encoder));
  size_t n = sp_encode(encoder, &tensor, 0, text);
  struct sp_answer answer;
  assert_int_equal(sp_answer_parse(encoder, sp_bytes_of(text, n), &answer, NULL), SP_OUTCOME_NONE);
  assert_int_equal(sp_encoder_scores(encoder), 100);
  assert_int_equal(answer.n_scores, 64);
  assert_true((float)answer.scores[63] == -1.23456789e-38F);
  free(text);
  sp_tensor_done(&tensor);
  sp_encoder_free(encoder);
}

static void probabilities(void **state) {
  (void)state;
  struct sp_output_conf conf = {.format = SP_OUTPUT_JSON, .as = SP_OUTPUT_AS_PROBABILITY};
  struct sp_encoder *encoder = encoder_of(&conf, &three_floats);
  answer_is(encoder, &three_floats, (float[]){0.25F, 1, 2}, "0.25");
  answer_is(encoder, &three_floats, (float[]){NAN, 1, 2}, "null");
  parses(encoder, "0.25", -1, 1, (double[]){0.25});
  parses(encoder, "null", -1, 1, (double[]){NAN});
  parse_fails(encoder, "[0.25]", "answer: an array");
  parse_fails(encoder, "\"0.25\"", "answer: not a number");
  sp_encoder_free(encoder);
  conf = (struct sp_output_conf){
      .format = SP_OUTPUT_TEXT, .as = SP_OUTPUT_AS_PROBABILITY, .template_text = "p={score};"};
  encoder = encoder_of(&conf, &one_float);
  answer_is(encoder, &one_float, (float[]){0.75F}, "p=0.75;");
  parses(encoder, "p=0.75;", -1, 1, (double[]){0.75});
  parse_fails(encoder, "p=0.75", "answer: not as output.template says");
  sp_encoder_free(encoder);
}

static void labels(void **state) {
  (void)state;
  struct sp_output_conf conf = {.format = SP_OUTPUT_TEXT,
                                .as = SP_OUTPUT_AS_LABEL,
                                .threshold = 0.5,
                                .labels = TEXTS("NO", "YES"),
                                .template_text = "Prediction: Is Airline delayed? => {label}"};
  struct sp_encoder *encoder = encoder_of(&conf, &one_float);
  answer_is(encoder, &one_float, (float[]){0.5F}, "Prediction: Is Airline delayed? => YES");
  answer_is(encoder, &one_float, (float[]){0.49999997F}, "Prediction: Is Airline delayed? => NO");
  answer_is(encoder, &one_float, (float[]){NAN}, "Prediction: Is Airline delayed? => NO");
  assert_int_equal(sp_encoder_scores(encoder), 0);
  parses(encoder, "Prediction: Is Airline delayed? => YES", 1, 0, NULL);
  parses(encoder, "Prediction: Is Airline delayed? => NO", 0, 0, NULL);
  parse_fails(encoder, "Prediction: Is Airline delayed? => MAYBE", "answer: not as output.template says");
  parse_fails(encoder, "Prediction: Is Airline delayed? => YES ", "answer: not as output.template says");
  sp_encoder_free(encoder);
  conf.template_text = "{label} ({score})";
  conf.labels = (struct sp_texts)TEXTS("NO", "NO!");
  encoder = encoder_of(&conf, &one_float);
  answer_is(encoder, &one_float, (float[]){0.9F}, "NO! (0.9)");
  assert_int_equal(sp_encoder_scores(encoder), 1);
  parses(encoder, "NO! (0.9)", 1, 1, (double[]){0.9});
  parses(encoder, "NO (1e-5)", 0, 1, (double[]){1e-5});
  parses(encoder, "NO (null)", 0, 1, (double[]){NAN});
  parse_fails(encoder, "NO ()", "answer: not as output.template says");
  sp_encoder_free(encoder);
}

static void labels_as_json_strings(void **state) {
  (void)state;
  struct sp_output_conf conf = {.format = SP_OUTPUT_JSON,
                                .as = SP_OUTPUT_AS_LABEL,
                                .threshold = 0.5,
                                .labels = TEXTS("n\"o", "y\\s\n"),
                                .template_text = "\xc3\xa9 {label}"};
  struct sp_encoder *encoder = encoder_of(&conf, &one_float);
  answer_is(encoder, &one_float, (float[]){0}, "\"\xc3\xa9 n\\\"o\"");
  answer_is(encoder, &one_float, (float[]){1}, "\"\xc3\xa9 y\\\\s\\u000a\"");
  parses(encoder, "\"\\u00e9 y\\\\s\\n\"", 1, 0, NULL);
  parses(encoder, "\"\xc3\xa9 n\\\"o\"", 0, 0, NULL);
  parse_fails(encoder, "5", "answer: no string of at most 1024 bytes");
  sp_encoder_free(encoder);
}

static void other_types(void **state) {
  (void)state;
  struct sp_output_conf conf = {.as = SP_OUTPUT_AS_ARRAY};
  struct sp_tensor_spec spec = {"y", SP_DTYPE_FLOAT64, 2, {-1, 2}};
  struct sp_encoder *encoder = encoder_of(&conf, &spec);
  answer_is(encoder, &spec, (double[]){0.1, -1.7976931348623157e308}, "[0.1,-1.7976931348623157e308]");
  sp_encoder_free(encoder);
  spec.dtype = SP_DTYPE_INT64;
  encoder = encoder_of(&conf, &spec);
  answer_is(encoder, &spec, (int64_t[]){INT64_MIN, 7}, "[-9223372036854775808,7]");
  sp_encoder_free(encoder);
  spec.dtype = SP_DTYPE_INT32;
  encoder = encoder_of(&conf, &spec);
  answer_is(encoder, &spec, (int32_t[]){INT32_MIN, 7}, "[-2147483648,7]");
  sp_encoder_free(encoder);
  spec.dtype = SP_DTYPE_BOOL;
  encoder = encoder_of(&conf, &spec);
  answer_is(encoder, &spec, (uint8_t[]){0, 1}, "[0,1]");
  sp_encoder_free(encoder);
}

static void tensor_protos(void **state) {
  (void)state;
  struct sp_output_conf conf = {.format = SP_OUTPUT_TENSOR_PROTO_JSON, .as = SP_OUTPUT_AS_ARRAY};
  struct sp_encoder *encoder = encoder_of(&conf, &three_floats);
  answer_is(encoder, &three_floats, (float[]){0.5F, NAN, -INFINITY},
            "{\"dtype\":\"DT_FLOAT\",\"tensorShape\":{\"dim\":[{\"size\":\"1\"},{\"size\":\"3\"}]},"
            "\"floatVal\":[0.5,\"NaN\",\"-Infinity\"]}");
  parses(encoder,
         "{\"dtype\":\"DT_FLOAT\",\"tensorShape\":{\"dim\":[{\"size\":\"1\"},{\"size\":\"3\"}]},\"floatVal\":"
         "[0.5,\"NaN\",\"-Infinity\"]}",
         -1, 3, (double[]){0.5, NAN, -INFINITY});
  parses(encoder,
         "{\"dtype\":\"DT_FLOAT\",\"tensorShape\":{\"dim\":[{\"size\":\"1\"},{\"size\":\"3\"}]},"
         "\"tensorContent\":\"AADAPwAAwD8AAADA\"}",
         -1, 3, (double[]){1.5, 1.5, -2});
  parse_fails(encoder, "[1,2,3]", "answer: TensorProto: not an object");
  sp_encoder_free(encoder);
  struct sp_tensor_spec spec = {"y", SP_DTYPE_INT64, 2, {-1, 1}};
  encoder = encoder_of(&conf, &spec);
  answer_is(encoder, &spec, (int64_t[]){-5},
            "{\"dtype\":\"DT_INT64\",\"tensorShape\":{\"dim\":[{\"size\":\"1\"},{\"size\":\"1\"}]},"
            "\"int64Val\":[\"-5\"]}");
  sp_encoder_free(encoder);
  spec.dtype = SP_DTYPE_BOOL;
  encoder = encoder_of(&conf, &spec);
  const char *expected = "{\"dtype\":\"DT_BOOL\",\"tensorShape\":{\"dim\":[{\"size\":\"1\"},{\"size\":\"1\"}]"
                         "},\"boolVal\":[true]}";
  answer_is(encoder, &spec, (uint8_t[]){1}, expected);
  parses(encoder, expected, -1, 1, (double[]){1});
  sp_encoder_free(encoder);
}

static void wrong_outputs_are_refused(void **state) {
  (void)state;
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_ARRAY, .template_text = "{score}"},
             "no meaning for an array");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_LABEL}, "output.labels");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_LABEL, .labels = TEXTS("a", "a")}, "output.labels");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_LABEL, .labels = TEXTS("a", "")}, "output.labels");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_PROBABILITY, .template_text = "{label}"},
             "{label} needs labels");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_PROBABILITY, .template_text = "{scor}"},
             "\"{scor}\" is unknown");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_PROBABILITY, .template_text = "{score"},
             "\"{score\" is unknown");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_PROBABILITY, .template_text = "yes"},
             "the same to every event");
  is_refused(&(struct sp_output_conf){.format = SP_OUTPUT_TENSOR_PROTO_JSON, .as = SP_OUTPUT_AS_PROBABILITY},
             "output.as");
  is_refused(&(struct sp_output_conf){.as = SP_OUTPUT_AS_LABEL, .labels = TEXTS("a", "b"), .threshold = NAN},
             "output.threshold");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arrays),
      cmocka_unit_test(long_arrays_give_their_first_scores),
      cmocka_unit_test(probabilities),
      cmocka_unit_test(labels),
      cmocka_unit_test(labels_as_json_strings),
      cmocka_unit_test(other_types),
      cmocka_unit_test(tensor_protos),
      cmocka_unit_test(wrong_outputs_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
