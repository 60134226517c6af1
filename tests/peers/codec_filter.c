// The codec as a filter for tests/peers/codec.py, which builds it: length-delimited inputs on stdin (32 bits, then bytes),
// an answer each on stdout in the same form.
//   codec_filter fields                 the first CSV record: 'F', then each field length-delimited; or 'B'
//   codec_filter float32 | float64      a value's bytes -> its text
//   codec_filter csv DTYPE N            N columns of numbers; 'R' and the row's bytes, or 'M' and the reason
//   codec_filter json DTYPE N           an array of N numbers; the same
//   codec_filter text N STEP...         words of a JSON string: strip_emoji, replace=X, vocabulary=FILE, ...; the same
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "codec/codec.h"
#include "codec/csv.h"

static void put(const void *data, size_t n) {
  uint32_t length = (uint32_t)n;
  fwrite(&length, sizeof length, 1, stdout);
  fwrite(data, 1, n, stdout);
}

// Memory of just the input's size; NULL at the end.
static uint8_t *get(size_t *n) {
  uint32_t length;
  if (fread(&length, sizeof length, 1, stdin) != 1) return NULL;
  uint8_t *data = malloc(length ? length : 1);
  *n = fread(data, 1, length, stdin);
  SP_ASSERT(*n == length);
  return data;
}

static void put_fields(struct sp_scratch *scratch, const uint8_t *data, size_t n) {
  const uint8_t *at = data, *end = data + n;
  uint8_t *out = malloc(n * 6 + 16);
  size_t length = 1;
  out[0] = 'F';
  enum sp_csv_field kind;
  do {
    struct sp_bytes field = {NULL, 0};
    kind = sp_csv_next(&at, end, scratch, &field);
    if (kind == SP_CSV_FIELD_BROKEN) {
      out[0] = 'B';
      length = 1;
      break;
    }
    uint32_t field_length = (uint32_t)field.n;
    memcpy(out + length, &field_length, sizeof field_length);
    memcpy(out + length + sizeof field_length, field.data, field.n);
    length += sizeof field_length + field.n;
  } while (kind == SP_CSV_FIELD);
  put(out, length);
  free(out);
}

static void put_number(const char *type, const uint8_t *data) {
  char text[SP_DOUBLE_TEXT_BYTES] = {0};
  if (strcmp(type, "float32") == 0) {
    float value;
    memcpy(&value, data, sizeof value);
    size_t n = sp_float_text(value, text);
    put(text, n);
  } else {
    double value;
    memcpy(&value, data, sizeof value);
    size_t n = sp_double_text(value, text);
    put(text, n);
  }
}

static struct sp_step_conf step_of(char *text) {
  static const char *const words[] = {"none", "strip_emoji", "strip_urls", "drop_digits", "lowercase"};
  struct sp_step_conf step = {0};
  char *value = strchr(text, '=');
  if (!value) {
    for (int i = 1; i < 5; i++) step.step = strcmp(text, words[i]) == 0 ? i : step.step;
    return step;
  }
  *value++ = 0;
  if (strcmp(text, "replace") == 0) step.replace.non_word = value;
  if (strcmp(text, "lemma") == 0) step.lemma = value;
  if (strcmp(text, "min_length") == 0) step.min_length = (uint64_t)atoi(value);
  if (strcmp(text, "stopwords") == 0) step.stopwords = value;
  if (strcmp(text, "vocabulary") == 0) step.vocabulary = value;
  if (strcmp(text, "pad") == 0) {
    step.pad.side = strncmp(value, "pre", 3) == 0 ? SP_PAD_PRE : SP_PAD_POST;
    step.pad.length = (uint64_t)atoi(strchr(value, ':') + 1);
  }
  return step;
}

static struct sp_decoder *decoder_of(int argc, char **argv) {
  static struct sp_column_conf columns[1000];
  static char *names[1000];
  static struct sp_step_conf steps[20];
  int64_t shape[2] = {1, atoi(argv[strcmp(argv[1], "text") == 0 ? 2 : 3])};
  struct sp_input_tensor_conf tensor = {.name = "x", .dtype = argv[2], .shape = {shape, 2}};
  struct sp_input_conf conf = {.format = SP_INPUT_JSON, .tensors = {&tensor, 1}};
  if (strcmp(argv[1], "csv") == 0) {
    size_t n = (size_t)shape[1];
    for (size_t i = 0; i < n; i++) columns[i].column = names[i] = sp_format("c%zu", i);
    conf.format = SP_INPUT_CSV;
    conf.header = (struct sp_texts){names, n};
    tensor.columns = (struct sp_list){columns, n};
  } else if (strcmp(argv[1], "text") == 0) {
    for (int i = 3; i < argc; i++) steps[i - 3] = step_of(argv[i]);
    tensor.dtype = "int32";
    tensor.steps = (struct sp_list){steps, (size_t)argc - 3};
  }
  struct sp_decoder *decoder;
  struct sp_error error;
  if (sp_decoder_new(&conf, &decoder, &error)) {
    fprintf(stderr, "%s\n", error.text);
    exit(64);
  }
  return decoder;
}

static void put_row(const struct sp_decoder *decoder, struct sp_scratch *scratch, struct sp_tensor *tensor,
                    const uint8_t *data, size_t n) {
  struct sp_reason reason;
  size_t row_bytes = tensor->row_elements * sp_dtype_bytes(tensor->spec.dtype);
  bool is_fine = sp_decode(decoder, scratch, sp_bytes_of(data, n), &tensor, 0, &reason) == SP_OUTCOME_NONE;
  char *answer = malloc(row_bytes + sizeof reason.text + 1);
  answer[0] = is_fine ? 'R' : 'M';
  size_t length = is_fine ? row_bytes : strlen(reason.text);
  memcpy(answer + 1, is_fine ? tensor->data : (const void *)reason.text, length);
  put(answer, length + 1);
  free(answer);
}

int main(int argc, char **argv) {
  if (argc < 2) return 64;
  struct sp_scratch *scratch = sp_scratch_new();
  struct sp_decoder *decoder = argc > 3 ? decoder_of(argc, argv) : NULL;
  struct sp_tensor tensor = {0};
  size_t n;
  if (decoder) sp_tensor_init(&tensor, sp_decoder_tensors(decoder, &n), 1);
  for (uint8_t *data; (data = get(&n)) != NULL; free(data)) {
    if (decoder)
      put_row(decoder, scratch, &tensor, data, n);
    else if (strcmp(argv[1], "fields") == 0)
      put_fields(scratch, data, n);
    else
      put_number(argv[1], data);
  }
  sp_tensor_done(&tensor);
  sp_decoder_free(decoder);
  sp_scratch_free(scratch);
  return 0;
}
