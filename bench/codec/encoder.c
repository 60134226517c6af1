// Predictions -> answer bytes.
#include "codec/encoder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

#define NUMBER_BYTES_MAX SP_DOUBLE_TEXT_BYTES // also of a quoted int64, "-Infinity" and false

// ---- templates

static void add_text(struct sp_template *template, const char *text, size_t n) {
  if (n == 0) return;
  struct sp_piece *piece = &template->pieces[template->n_pieces++];
  *piece = (struct sp_piece){SP_PIECE_TEXT, sp_alloc(n + 1), n};
  memcpy(piece->text, text, n);
}

static enum sp_err add_word(struct sp_template *template, const char *word, size_t n, bool may_label,
                            struct sp_error *error) {
  bool is_label = n == 7 && memcmp(word, "{label}", n) == 0,
       is_score = n == 7 && memcmp(word, "{score}", n) == 0;
  if (is_label && !may_label) {
    return sp_fail(error, SP_ERR_USAGE, "output.template: {label} needs labels; set output.as to label");
  }
  if (!is_label && !is_score) {
    return sp_fail(error, SP_ERR_USAGE, "output.template: \"%.*s\" is unknown; {label} and {score} are known",
                   (int)n, word);
  }
  template->pieces[template->n_pieces++].kind = is_label ? SP_PIECE_LABEL : SP_PIECE_SCORE;
  return SP_OK;
}

static enum sp_err read_template(const char *text, bool may_label, struct sp_template *template,
                                 struct sp_error *error) {
  enum sp_err err = SP_OK;
  while (!err && *text) {
    if (template->n_pieces + 2 > SP_TEMPLATE_PIECES_MAX) {
      return sp_fail(error, SP_ERR_USAGE, "output.template: has too many parts; at most %d",
                     SP_TEMPLATE_PIECES_MAX);
    }
    size_t n = strcspn(text, "{");
    add_text(template, text, n);
    text += n;
    if (!*text) break;
    const char *close = strchr(text, '}');
    n = close ? (size_t)(close - text) + 1 : strlen(text);
    err = add_word(template, text, n, may_label, error);
    text += n;
  }
  return err;
}

// As it stands inside a JSON string.
static char *escaped(const char *text, size_t n) {
  char *out = sp_alloc(n * 6 + 1), *at = out;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20) {
      at += snprintf(at, 7, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') *at++ = '\\';
      *at++ = (char)c;
    }
  }
  return out;
}

static void copy_template(const struct sp_template *from, bool is_quoted, struct sp_template *to) {
  if (is_quoted) add_text(to, "\"", 1);
  for (size_t i = 0; i < from->n_pieces; i++) {
    struct sp_piece *piece = &to->pieces[to->n_pieces++];
    *piece = from->pieces[i];
    if (piece->kind != SP_PIECE_TEXT) continue;
    piece->text = is_quoted ? escaped(piece->text, piece->n) : sp_copy_text(piece->text);
    piece->n = strlen(piece->text);
  }
  if (is_quoted) add_text(to, "\"", 1);
  for (int i = 0; i < 2 && from->labels[i]; i++) {
    to->labels[i] = is_quoted ? escaped(from->labels[i], from->n_label[i]) : sp_copy_text(from->labels[i]);
    to->n_label[i] = strlen(to->labels[i]);
  }
}

static void free_template(struct sp_template *template) {
  for (size_t i = 0; i < template->n_pieces; i++) free(template->pieces[i].text);
  free(template->labels[0]);
  free(template->labels[1]);
}

static size_t template_bound(const struct sp_template *template) {
  size_t longest = template->n_label[0] > template->n_label[1] ? template->n_label[0] : template->n_label[1],
         n = 0;
  for (size_t i = 0; i < template->n_pieces; i++) {
    const struct sp_piece *piece = &template->pieces[i];
    n += piece->kind == SP_PIECE_TEXT ? piece->n : piece->kind == SP_PIECE_LABEL ? longest : NUMBER_BYTES_MAX;
  }
  return n;
}

// ---- the declaration

static enum sp_err read_labels(const struct sp_output_conf *conf, struct sp_template *template,
                               struct sp_error *error) {
  const struct sp_texts *labels = &conf->labels;
  if (labels->n != 2 || !*labels->items[0] || !*labels->items[1] ||
      strcmp(labels->items[0], labels->items[1]) == 0) {
    return sp_fail(
        error, SP_ERR_USAGE,
        "output.labels: are not two different words; write [below, from], as in [\"NO\", \"YES\"]");
  }
  if (!isfinite(conf->threshold))
    return sp_fail(error, SP_ERR_USAGE, "output.threshold: is not finite; write a number");
  for (int i = 0; i < 2; i++) {
    template->labels[i] = sp_copy_text(labels->items[i]);
    template->n_label[i] = strlen(labels->items[i]);
  }
  return SP_OK;
}

// A label or a probability.
static enum sp_err read_scalar(const struct sp_output_conf *conf, struct sp_encoder *encoder,
                               struct sp_error *error) {
  bool is_label = encoder->as == SP_OUTPUT_AS_LABEL;
  const char *text = conf->template_text ? conf->template_text : is_label ? "{label}" : "{score}";
  encoder->is_quoted = encoder->format == SP_OUTPUT_JSON && (is_label || conf->template_text);
  enum sp_err err = is_label ? read_labels(conf, &encoder->plain, error) : SP_OK;
  if (!err) err = read_template(text, is_label, &encoder->plain, error);
  if (err) return err;
  for (size_t i = 0; i < encoder->plain.n_pieces; i++) {
    encoder->has_label |= encoder->plain.pieces[i].kind == SP_PIECE_LABEL;
    encoder->has_score |= encoder->plain.pieces[i].kind == SP_PIECE_SCORE;
  }
  if (!encoder->has_label && !encoder->has_score) {
    return sp_fail(error, SP_ERR_USAGE,
                   "output.template: answers the same to every event; use {label} or {score}");
  }
  if (template_bound(&encoder->plain) > SP_TEMPLATE_BYTES_MAX) {
    return sp_fail(error, SP_ERR_USAGE, "output.template: makes answers of more than %d bytes; shorten it",
                   SP_TEMPLATE_BYTES_MAX);
  }
  copy_template(&encoder->plain, encoder->is_quoted, &encoder->written);
  encoder->bound = template_bound(&encoder->written);
  return SP_OK;
}

static char *proto_prefix(const struct sp_tensor_spec *spec) {
  char dims[SP_TENSOR_RANK_MAX * 40] = "";
  int at = 0;
  for (uint32_t i = 0; i < spec->rank; i++) {
    at += snprintf(dims + at, sizeof dims - (size_t)at, "%s{\"size\":\"%lld\"}", i ? "," : "",
                   (long long)(i ? spec->shape[i] : 1));
  }
  return sp_format("{\"dtype\":\"%s\",\"tensorShape\":{\"dim\":[%s]},\"%s\":[",
                   sp_tensor_proto_dtype(spec->dtype), dims, sp_tensor_proto_values(spec->dtype));
}

static enum sp_err read_array(const struct sp_output_conf *conf, struct sp_encoder *encoder,
                              struct sp_error *error) {
  if (conf->template_text) {
    return sp_fail(error, SP_ERR_USAGE,
                   "output.template: has no meaning for an array; set output.as to label or probability");
  }
  bool is_proto = encoder->format == SP_OUTPUT_TENSOR_PROTO_JSON;
  encoder->before = is_proto ? proto_prefix(&encoder->output) : sp_copy_text("[");
  encoder->after = is_proto ? "]}" : "]";
  encoder->bound =
      strlen(encoder->before) + encoder->row_elements * (NUMBER_BYTES_MAX + 1) + strlen(encoder->after);
  return SP_OK;
}

enum sp_err sp_encoder_new(const struct sp_output_conf *conf, const struct sp_tensor_spec *output,
                           struct sp_encoder **encoder, struct sp_error *error) {
  struct sp_encoder *new = sp_alloc(sizeof *new);
  new->format = (enum sp_output_format)conf->format;
  new->as = (enum sp_output_as)conf->as;
  new->output = *output;
  new->row_elements = sp_tensor_row_elements(output);
  new->threshold = conf->threshold;
  enum sp_err err;
  if (new->format == SP_OUTPUT_TENSOR_PROTO_JSON &&new->as != SP_OUTPUT_AS_ARRAY) {
    err = sp_fail(error, SP_ERR_USAGE,
                  "output.as: tensor_proto_json carries the whole tensor; set it to array");
  } else {
    err = new->as == SP_OUTPUT_AS_ARRAY ? read_array(conf, new, error) : read_scalar(conf, new, error);
  }
  if (err) {
    sp_encoder_free(new);
    return err;
  }
  if (new->format == SP_OUTPUT_TENSOR_PROTO_JSON) new->proto = sp_tensor_proto_new();
  *encoder = new;
  return SP_OK;
}

void sp_encoder_free(struct sp_encoder *encoder) {
  if (!encoder) return;
  free_template(&encoder->plain);
  free_template(&encoder->written);
  free(encoder->before);
  sp_tensor_proto_free(encoder->proto);
  free(encoder);
}

size_t sp_encoder_bound(const struct sp_encoder *encoder) {
  return encoder->bound;
}

size_t sp_encoder_scores(const struct sp_encoder *encoder) {
  if (encoder->as == SP_OUTPUT_AS_ARRAY) return encoder->row_elements;
  return encoder->has_score ? 1 : 0;
}

// ---- answers

static size_t write_text(const char *text, size_t n, uint8_t *out) {
  memcpy(out, text, n);
  return n;
}

static size_t write_not_finite(double value, bool is_proto, uint8_t *out) {
  const char *text = !is_proto      ? "null"
                     : isnan(value) ? "\"NaN\""
                     : value > 0    ? "\"Infinity\""
                                    : "\"-Infinity\"";
  return write_text(text, strlen(text), out);
}

static size_t write_whole(const struct sp_tensor *output, size_t at, bool is_proto, uint8_t *out) {
  char text[32];
  int n = 0;
  switch (output->spec.dtype) {
  case SP_DTYPE_INT64: // JSON forms of protobuf have these as strings
    n = snprintf(text, sizeof text, is_proto ? "\"%lld\"" : "%lld",
                 (long long)((const int64_t *)output->data)[at]);
    break;
  case SP_DTYPE_INT32: n = snprintf(text, sizeof text, "%d", ((const int32_t *)output->data)[at]); break;
  case SP_DTYPE_BOOL:
    if (is_proto) {
      n = snprintf(text, sizeof text, "%s", ((const uint8_t *)output->data)[at] ? "true" : "false");
      break;
    } // fall through
  default: n = snprintf(text, sizeof text, "%u", ((const uint8_t *)output->data)[at]); break;
  }
  return write_text(text, (size_t)n, out);
}

static size_t write_number(const struct sp_tensor *output, size_t at, bool is_proto, uint8_t *out) {
  if (output->spec.dtype == SP_DTYPE_FLOAT32) {
    float value = ((const float *)output->data)[at];
    return isfinite(value) ? sp_float_text(value, (char *)out)
                           : write_not_finite((double)value, is_proto, out);
  }
  if (output->spec.dtype == SP_DTYPE_FLOAT64) {
    double value = ((const double *)output->data)[at];
    return isfinite(value) ? sp_double_text(value, (char *)out) : write_not_finite(value, is_proto, out);
  }
  return write_whole(output, at, is_proto, out);
}

static size_t write_template(const struct sp_encoder *encoder, const struct sp_tensor *output, size_t row,
                             uint8_t *out) {
  const struct sp_template *template = &encoder->written;
  size_t n = 0;
  for (size_t i = 0; i < template->n_pieces; i++) {
    const struct sp_piece *piece = &template->pieces[i];
    if (piece->kind == SP_PIECE_TEXT) {
      n += write_text(piece->text, piece->n, out + n);
    } else if (piece->kind == SP_PIECE_LABEL) {
      int label = sp_tensor_get(output, row, 0) >= encoder->threshold;
      n += write_text(template->labels[label], template->n_label[label], out + n);
    } else {
      n += write_number(output, row * encoder->row_elements, false, out + n);
    }
  }
  return n;
}

size_t sp_encode(const struct sp_encoder *encoder, const struct sp_tensor *output, size_t row,
                 uint8_t *answer) {
  if (encoder->as != SP_OUTPUT_AS_ARRAY) return write_template(encoder, output, row, answer);
  size_t n = write_text(encoder->before, strlen(encoder->before), answer),
         first = row * encoder->row_elements;
  for (size_t i = 0; i < encoder->row_elements; i++) {
    if (i) answer[n++] = ',';
    n += write_number(output, first + i, encoder->proto != NULL, answer + n);
  }
  return n + write_text(encoder->after, strlen(encoder->after), answer + n);
}
