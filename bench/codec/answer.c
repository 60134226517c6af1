// Answer bytes -> scores and label: the inverse of encoding, also for answers that others wrote.
#include <math.h>

#include "base/number.h"
#include "codec/encoder.h"
#include "codec/numbers.h"
#include "codec/reason.h"

#define N_SCORES (sizeof((struct sp_answer *)0)->scores / sizeof(double))

// ---- templates

struct match {
  const struct sp_template *template;
  const uint8_t *end;
  struct sp_answer *answer;
};

static bool match_from(const struct match *match, size_t piece_i, const uint8_t *at);

static bool match_label(const struct match *match, size_t piece_i, const uint8_t *at) {
  const struct sp_template *template = match->template;
  // One label may begin with the other: the one that lets the rest match is meant.
  for (int i = 0; i < 2; i++) {
    size_t n = template->n_label[i];
    if ((size_t)(match->end - at) < n || memcmp(at, template->labels[i], n) != 0) continue;
    if (!match_from(match, piece_i + 1, at + n)) continue;
    match->answer->label = i;
    return true;
  }
  return false;
}

static bool match_score(const struct match *match, size_t piece_i, const uint8_t *at) {
  double score = NAN;
  size_t n = sp_number_scan(at, match->end, &score);
  if (n == 0 && match->end - at >= 4 && memcmp(at, "null", 4) == 0) n = 4;
  if (n == 0 || !match_from(match, piece_i + 1, at + n)) return false;
  match->answer->n_scores = 1;
  match->answer->scores[0] = score;
  return true;
}

static bool match_from(const struct match *match, size_t piece_i, const uint8_t *at) {
  if (piece_i == match->template->n_pieces) return at == match->end;
  const struct sp_piece *piece = &match->template->pieces[piece_i];
  switch (piece->kind) {
  case SP_PIECE_LABEL: return match_label(match, piece_i, at);
  case SP_PIECE_SCORE: return match_score(match, piece_i, at);
  case SP_PIECE_TEXT: break;
  }
  if ((size_t)(match->end - at) < piece->n || memcmp(at, piece->text, piece->n) != 0) return false;
  return match_from(match, piece_i + 1, at + piece->n);
}

static enum sp_outcome parse_template(const struct sp_encoder *encoder, struct sp_bytes text,
                                      struct sp_answer *answer, struct sp_reason *reason) {
  struct match match = {&encoder->plain, text.data + text.n, answer};
  return match_from(&match, 0, text.data) ? SP_OUTCOME_NONE
                                          : sp_malformed(reason, "answer: not as output.template says");
}

// ---- JSON

static enum sp_outcome parse_numbers(const struct sp_encoder *encoder, struct sp_json value,
                                     struct sp_answer *answer, struct sp_reason *reason) {
  size_t n = 0, wanted = sp_encoder_scores(encoder);
  if ((*value.at == '[') != (encoder->as == SP_OUTPUT_AS_ARRAY)) {
    return sp_malformed(reason, "answer: %s", *value.at == '[' ? "an array" : "no array");
  }
  const char *why = sp_numbers_read(value, SP_NUMBERS_NULL, SP_DTYPE_FLOAT64, answer->scores, N_SCORES, &n);
  if (why) return sp_malformed(reason, "answer: %s", why);
  if (n != wanted) return sp_malformed(reason, "answer: %zu numbers instead of %zu", n, wanted);
  answer->n_scores = n < N_SCORES ? n : N_SCORES;
  return SP_OUTCOME_NONE;
}

static enum sp_outcome parse_proto(const struct sp_encoder *encoder, struct sp_json value,
                                   struct sp_answer *answer, struct sp_reason *reason) {
  const char *why = sp_tensor_proto_read(encoder->proto, value, &encoder->output, SP_DTYPE_FLOAT64,
                                         answer->scores, N_SCORES);
  if (why) return sp_malformed(reason, "answer: TensorProto: %s", why);
  answer->n_scores = encoder->row_elements < N_SCORES ? encoder->row_elements : N_SCORES;
  return SP_OUTCOME_NONE;
}

static enum sp_outcome parse_json(const struct sp_encoder *encoder, struct sp_bytes value,
                                  struct sp_answer *answer, struct sp_reason *reason) {
  struct sp_json found = {NULL, NULL};
  const char *why = sp_json_find(value, &encoder->whole, 1, &found);
  if (why) return sp_malformed(reason, "answer: %s", why);
  if (encoder->proto) return parse_proto(encoder, found, answer, reason);
  if (!encoder->is_quoted) return parse_numbers(encoder, found, answer, reason);
  uint8_t text[SP_TEMPLATE_BYTES_MAX];
  size_t n = sp_json_is_string(found) ? sp_json_text(found, text, sizeof text) : SIZE_MAX;
  if (n == SIZE_MAX)
    return sp_malformed(reason, "answer: no string of at most %d bytes", SP_TEMPLATE_BYTES_MAX);
  return parse_template(encoder, sp_bytes_of(text, n), answer, reason);
}

enum sp_outcome sp_answer_parse(const struct sp_encoder *encoder, struct sp_bytes value,
                                struct sp_answer *answer, struct sp_reason *reason) {
  answer->n_scores = 0;
  answer->label = -1;
  if (!value.data) return sp_malformed(reason, "answer: no value");
  bool is_template = encoder->format == SP_OUTPUT_TEXT && encoder->as != SP_OUTPUT_AS_ARRAY;
  return is_template ? parse_template(encoder, value, answer, reason)
                     : parse_json(encoder, value, answer, reason);
}
