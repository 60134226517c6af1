// Fuzzing the JSON decoders (text steps, numbers, TensorProto) and the reading of answers: any bytes are taken or malformed
// with a reason; which of the two is what jansson says of the document.
// tests/fuzz/codec.sh builds and runs it.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/codec.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct bed {
  struct sp_decoder *decoder;
  struct sp_tensor storage[2];
  struct sp_tensor *tensors[2];
  size_t n;
};

static void open_bed(struct bed *bed, const struct sp_input_conf *conf) {
  SP_ASSERT(sp_decoder_new(conf, &bed->decoder, NULL) == SP_OK);
  const struct sp_tensor_spec *specs = sp_decoder_tensors(bed->decoder, &bed->n);
  for (size_t i = 0; i < bed->n; i++) sp_tensor_init(bed->tensors[i] = &bed->storage[i], &specs[i], 1);
}

static void open_beds(struct bed *text, struct bed *proto) {
  char path[] = "/tmp/sp-fuzz-XXXXXX";
  int file = mkstemp(path);
  SP_ASSERT(file >= 0 && write(file, "<pad>\na\n<unk>\n", 14) == 14 && close(file) == 0);
  struct sp_step_conf steps[] = {
      {.step = SP_STEP_STRIP_EMOJI}, {.step = SP_STEP_STRIP_URLS}, {.replace = {"::"}},
      {.step = SP_STEP_DROP_DIGITS}, {.step = SP_STEP_LOWERCASE},  {.min_length = 1},
      {.stopwords = path},           {.vocabulary = path},         {.pad = {.length = 4}}};
  struct sp_input_tensor_conf tensors[] = {
      {.name = "t", .dtype = "int64", .shape = {(int64_t[]){1, 4}, 2}, .steps = {steps, 9}, .pointer = "/t"},
      {.name = "n", .dtype = "int32", .shape = {(int64_t[]){1, 2}, 2}, .pointer = "/n/0"}};
  open_bed(text, &(struct sp_input_conf){.format = SP_INPUT_JSON, .tensors = {tensors, 2}});
  struct sp_input_tensor_conf one = {.name = "x", .dtype = "float32", .shape = {(int64_t[]){1, 2}, 2}};
  open_bed(proto, &(struct sp_input_conf){.format = SP_INPUT_TENSOR_PROTO_JSON, .tensors = {&one, 1}});
  unlink(path);
}

static void decode(struct bed *bed, struct sp_scratch *scratch, struct sp_bytes value) {
  struct sp_reason reason = {""};
  enum sp_outcome outcome = sp_decode(bed->decoder, scratch, value, bed->tensors, 0, &reason);
  SP_ASSERT(outcome == SP_OUTCOME_NONE || (outcome == SP_OUTCOME_MALFORMED && reason.text[0]));
}

static void parse(struct sp_encoder *encoder, struct sp_bytes value) {
  struct sp_answer answer;
  struct sp_reason reason = {""};
  enum sp_outcome outcome = sp_answer_parse(encoder, value, &answer, &reason);
  SP_ASSERT(outcome == SP_OUTCOME_NONE || (outcome == SP_OUTCOME_MALFORMED && reason.text[0]));
}

// jansson refuses what is no Unicode, as we do, but also numbers beyond its types and NUL in keys; it takes a NUL for the end
// of the document, and another depth for too much.
static void compare_with_jansson(struct sp_bytes value) {
  if (memchr(value.data, 0, value.n)) return;
  struct sp_json found;
  struct sp_json_pointer whole = {0};
  const char *why = sp_json_find(value, &whole, 1, &found);
  json_error_t error;
  json_t *theirs = json_loadb((const char *)value.data, value.n,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
  enum json_error_code code = theirs ? json_error_unknown : json_error_code(&error);
  bool is_limit = !theirs && (code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
                              code == json_error_stack_overflow);
  if (why && strstr(why, "nested")) is_limit = true;
  SP_ASSERT(is_limit || (why == NULL) == (theirs != NULL));
  json_decref(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static struct bed text, proto; // one for the whole run, never freed
  static struct sp_scratch *scratch;
  static struct sp_encoder *array, *label, *tensor;
  if (!scratch) {
    scratch = sp_scratch_new();
    open_beds(&text, &proto);
    struct sp_tensor_spec spec = {"y", SP_DTYPE_FLOAT32, 2, {1, 2}};
    struct sp_output_conf conf = {.threshold = 0.5, .labels = {(char *[]){"a", "ab"}, 2}};
    SP_ASSERT(sp_encoder_new(&conf, &spec, &array, NULL) == SP_OK);
    conf.format = SP_OUTPUT_TENSOR_PROTO_JSON;
    SP_ASSERT(sp_encoder_new(&conf, &spec, &tensor, NULL) == SP_OK);
    conf.format = SP_OUTPUT_JSON;
    conf.as = SP_OUTPUT_AS_LABEL;
    conf.template_text = "x{label}b{score}{label}";
    SP_ASSERT(sp_encoder_new(&conf, &spec, &label, NULL) == SP_OK);
  }
  struct sp_bytes value = sp_bytes_of(data, n);
  compare_with_jansson(value);
  decode(&text, scratch, value);
  decode(&proto, scratch, value);
  parse(array, value);
  parse(label, value);
  parse(tensor, value);
  return 0;
}
