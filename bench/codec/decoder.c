// Event bytes -> tensors: the declaration checked and compiled once, then one function per format.
#include <stdlib.h>

#include "base/names.h"
#include "codec/codec.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "codec/numbers.h"
#include "codec/reason.h"
#include "codec/tensor_proto.h"
#include "codec/text.h"

#define ROW_ELEMENTS_MAX ((int64_t)1 << 28)

struct sp_decoder {
  enum sp_input_format format;
  size_t n_tensors;
  struct sp_tensor_spec specs[SP_TENSORS_MAX];
  size_t row_elements[SP_TENSORS_MAX];
  size_t row_bytes[SP_TENSORS_MAX];
  struct sp_csv *csv;
  struct sp_json_pointer pointers[SP_TENSORS_MAX]; // JSON and TensorProto JSON
  char *where[SP_TENSORS_MAX];                     // the pointers as reasons name them
  struct sp_text *texts[SP_TENSORS_MAX];           // NULL: numbers
  struct sp_tensor_proto *proto;
};

// ---- the declaration

static enum sp_err read_shape(const struct sp_input_tensor_conf *conf, struct sp_tensor_spec *spec,
                              struct sp_error *error) {
  const struct sp_counts *shape = &conf->shape;
  if (shape->n == 0 || shape->n > SP_TENSOR_RANK_MAX || shape->items[0] != 1) {
    return sp_fail(error, SP_ERR_USAGE,
                   "input.tensors[%s].shape: is not of one event; write [1, ...] with at most %d dimensions",
                   conf->name, SP_TENSOR_RANK_MAX);
  }
  int64_t n_elements = 1;
  for (size_t i = 0; i < shape->n; i++) {
    int64_t size = shape->items[i];
    if (size < 1 || size > ROW_ELEMENTS_MAX || (n_elements *= size) > ROW_ELEMENTS_MAX) {
      return sp_fail(error, SP_ERR_USAGE,
                     "input.tensors[%s].shape: dimension %zu is %lld; it must be positive, and a row at most "
                     "2^28 elements",
                     conf->name, i, (long long)size);
    }
    spec->shape[i] = size;
  }
  spec->rank = (uint32_t)shape->n;
  return SP_OK;
}

static enum sp_err read_spec(const struct sp_input_tensor_conf *conf, size_t i, struct sp_tensor_spec *specs,
                             struct sp_error *error) {
  struct sp_tensor_spec *spec = &specs[i];
  if (!conf->name || !*conf->name || strlen(conf->name) >= sizeof spec->name) {
    return sp_fail(error, SP_ERR_USAGE,
                   "input.tensors[%zu].name: is missing or longer than 127 bytes; name the model's input", i);
  }
  memcpy(spec->name, conf->name, strlen(conf->name) + 1);
  for (size_t k = 0; k < i; k++) {
    if (strcmp(specs[k].name, spec->name) == 0) {
      return sp_fail(error, SP_ERR_USAGE, "input.tensors[%zu].name: \"%s\" is there twice; remove one", i,
                     spec->name);
    }
  }
  const char *dtype = conf->dtype ? conf->dtype : "float32";
  spec->dtype = sp_dtype_of_name(dtype);
  if (spec->dtype == SP_DTYPE_NONE) {
    char suggestion[128];
    return sp_fail(
        error, SP_ERR_USAGE, "input.tensors[%s].dtype: \"%s\" is unknown; %s", spec->name, dtype,
        sp_words_suggest("float32 float64 int32 int64 uint8 bool", dtype, suggestion, sizeof suggestion));
  }
  return read_shape(conf, spec, error);
}

// What a tensor says that its format has no use for.
static enum sp_err check_uses(const struct sp_input_conf *conf, const struct sp_input_tensor_conf *tensor,
                              struct sp_error *error) {
  bool is_csv = conf->format == SP_INPUT_CSV, is_json = conf->format == SP_INPUT_JSON;
  bool is_proto = conf->format == SP_INPUT_TENSOR_PROTO_JSON;
  const char *key = !is_csv && tensor->columns.n               ? "columns"
                    : !is_json && tensor->steps.n              ? "steps"
                    : !is_json && !is_proto && tensor->pointer ? "pointer"
                                                               : NULL;
  static const char *const formats[] = {"csv", "json", "tensor_proto_json", "raw"};
  if (!key) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "input.tensors[%s].%s: has no meaning for format %s; remove it, or change input.format",
                 tensor->name, key, formats[conf->format]);
}

static enum sp_err read_pointer(struct sp_decoder *decoder, size_t i, const struct sp_input_conf *conf,
                                const struct sp_input_tensor_conf *tensor, struct sp_error *error) {
  const char *pointer = tensor->pointer ? tensor->pointer : conf->pointer;
  char *key =
      tensor->pointer ? sp_format("input.tensors[%s].pointer", tensor->name) : sp_copy_text("input.pointer");
  enum sp_err err = sp_json_pointer_init(&decoder->pointers[i], pointer, key, error);
  free(key);
  decoder->where[i] = sp_copy_text(pointer && *pointer ? pointer : "the value");
  if (err || tensor->steps.n == 0) return err;
  return sp_text_new(&tensor->steps, &decoder->specs[i], &decoder->texts[i], error);
}

static enum sp_err read_tensor(struct sp_decoder *decoder, size_t i, const struct sp_input_conf *conf,
                               struct sp_error *error) {
  const struct sp_input_tensor_conf *tensor = &((const struct sp_input_tensor_conf *)conf->tensors.items)[i];
  enum sp_err err = read_spec(tensor, i, decoder->specs, error);
  if (!err) err = check_uses(conf, tensor, error);
  if (err) return err;
  decoder->row_elements[i] = sp_tensor_row_elements(&decoder->specs[i]);
  decoder->row_bytes[i] = decoder->row_elements[i] * sp_dtype_bytes(decoder->specs[i].dtype);
  decoder->n_tensors = i + 1;
  if (conf->format == SP_INPUT_JSON || conf->format == SP_INPUT_TENSOR_PROTO_JSON) {
    return read_pointer(decoder, i, conf, tensor, error);
  }
  return SP_OK;
}

enum sp_err sp_decoder_new(const struct sp_input_conf *conf, struct sp_decoder **decoder,
                           struct sp_error *error) {
  size_t n = conf->tensors.n;
  if (n > SP_TENSORS_MAX || (n == 0 && conf->format != SP_INPUT_RAW)) {
    return sp_fail(error, SP_ERR_USAGE, "input.tensors: has %zu tensors; name 1 to %d", n, SP_TENSORS_MAX);
  }
  struct sp_decoder *new = sp_alloc(sizeof *new);
  new->format = (enum sp_input_format)conf->format;
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < n; i++) err = read_tensor(new, i, conf, error);
  if (!err && new->format == SP_INPUT_CSV) err = sp_csv_new(conf, new->specs, &new->csv, error);
  if (!err && new->format == SP_INPUT_TENSOR_PROTO_JSON) new->proto = sp_tensor_proto_new();
  if (err) {
    sp_decoder_free(new);
    return err;
  }
  *decoder = new;
  return SP_OK;
}

void sp_decoder_free(struct sp_decoder *decoder) {
  if (!decoder) return;
  for (size_t i = 0; i < SP_TENSORS_MAX; i++) {
    sp_json_pointer_done(&decoder->pointers[i]);
    free(decoder->where[i]);
    sp_text_free(decoder->texts[i]);
  }
  sp_csv_free(decoder->csv);
  sp_tensor_proto_free(decoder->proto);
  free(decoder);
}

const struct sp_tensor_spec *sp_decoder_tensors(const struct sp_decoder *decoder, size_t *n) {
  *n = decoder->n_tensors;
  return decoder->specs;
}

// ---- events

static enum sp_outcome decode_json(const struct sp_decoder *decoder, struct sp_scratch *scratch,
                                   struct sp_json value, size_t i, void *row, struct sp_reason *reason) {
  if (decoder->texts[i]) {
    if (!sp_json_is_string(value)) return sp_malformed(reason, "%.60s: not a string", decoder->where[i]);
    uint32_t *points = sp_scratch_points(scratch, 0, (size_t)(value.end - value.at));
    sp_text_run(decoder->texts[i], scratch, sp_json_points(value, points), row);
    return SP_OUTCOME_NONE;
  }
  size_t n = 0, wanted = decoder->row_elements[i];
  const char *why = sp_numbers_read(value, SP_NUMBERS_ONLY, decoder->specs[i].dtype, row, wanted, &n);
  if (why) return sp_malformed(reason, "%.60s: %s", decoder->where[i], why);
  if (n == wanted) return SP_OUTCOME_NONE;
  return sp_malformed(reason, "%.50s: %zu numbers instead of %zu", decoder->where[i], n, wanted);
}

static enum sp_outcome decode_document(const struct sp_decoder *decoder, struct sp_scratch *scratch,
                                       struct sp_bytes value, void *const *rows, struct sp_reason *reason) {
  struct sp_json found[SP_TENSORS_MAX] = {{NULL, NULL}};
  const char *why = sp_json_find(value, decoder->pointers, decoder->n_tensors, found);
  if (why) return sp_malformed(reason, "%s", why);
  for (size_t i = 0; i < decoder->n_tensors; i++) {
    if (!found[i].at) return sp_malformed(reason, "nothing at %.60s", decoder->where[i]);
    if (decoder->proto) {
      why = sp_tensor_proto_read(decoder->proto, found[i], &decoder->specs[i], decoder->specs[i].dtype,
                                 rows[i], decoder->row_elements[i]);
      if (why) return sp_malformed(reason, "TensorProto %.40s: %s", decoder->specs[i].name, why);
    } else {
      enum sp_outcome outcome = decode_json(decoder, scratch, found[i], i, rows[i], reason);
      if (outcome) return outcome;
    }
  }
  return SP_OUTCOME_NONE;
}

static enum sp_outcome decode_raw(const struct sp_decoder *decoder, struct sp_bytes value, void *const *rows,
                                  struct sp_reason *reason) {
  if (decoder->n_tensors == 0) return SP_OUTCOME_NONE;
  size_t wanted = 0;
  for (size_t i = 0; i < decoder->n_tensors; i++) wanted += decoder->row_bytes[i];
  if (value.n != wanted) return sp_malformed(reason, "%zu bytes instead of %zu", value.n, wanted);
  const uint8_t *at = value.data;
  for (size_t i = 0; i < decoder->n_tensors; at += decoder->row_bytes[i], i++) {
    for (size_t k = 0; decoder->specs[i].dtype == SP_DTYPE_BOOL && k < decoder->row_bytes[i]; k++) {
      if (at[k] > 1) return sp_malformed(reason, "%.60s: no bool", decoder->specs[i].name);
    }
    memcpy(rows[i], at, decoder->row_bytes[i]);
  }
  return SP_OUTCOME_NONE;
}

enum sp_outcome sp_decode(const struct sp_decoder *decoder, struct sp_scratch *scratch, struct sp_bytes value,
                          struct sp_tensor *const *tensors, size_t row, struct sp_reason *reason) {
  if (!value.data) return sp_malformed(reason, "no value");
  void *rows[SP_TENSORS_MAX] = {NULL};
  for (size_t i = 0; i < decoder->n_tensors; i++) {
    SP_ASSERT(row < tensors[i]->capacity_rows);
    rows[i] = (uint8_t *)tensors[i]->data + row * decoder->row_bytes[i];
  }
  switch (decoder->format) {
  case SP_INPUT_CSV: return sp_csv_decode(decoder->csv, scratch, value, rows, reason);
  case SP_INPUT_JSON:
  case SP_INPUT_TENSOR_PROTO_JSON: return decode_document(decoder, scratch, value, rows, reason);
  case SP_INPUT_RAW: return decode_raw(decoder, value, rows, reason);
  }
  sp_panic(__FILE__, __LINE__, "the format is known");
}
