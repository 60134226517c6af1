// Event bytes <-> tensors, as a scenario declares. Both objects are immutable after _new and may be shared by threads;
// what a thread needs to work on stands in its own scratch.
//
// csv               One RFC 4180 record, one field per name in `header`; line ends may follow it, nothing else. Missing: an
//                   empty field or NA, quoted or not. A number is [+-]?(digits[.digits]|.digits)([eE][+-]?digits)?, the nearest
//                   double, then rounded to the tensor's type; integer tensors take whole numbers only, exactly.
// json              RFC 8259 in UTF-8, of equal keys the last; a value is found by JSON pointer. Numbers: all of an array,
//                   however nested, in order; as many as a row has. Text: the steps of `steps` (codec/conf.h) on its code points.
// tensor_proto_json TensorProto in the JSON form of protobuf, whose dtype and shape must be the declared ones.
// raw               The tensors' bytes, one after the other, in host byte order.
#ifndef SP_CODEC_CODEC_H
#define SP_CODEC_CODEC_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/outcome.h"
#include "base/tensor.h"
#include "codec/conf.h"

struct sp_decoder;
struct sp_encoder;
struct sp_scratch; // one per thread

#define SP_REASON_BYTES 96
struct sp_reason {            // why an event is malformed: a code that counts group by, and where
  char text[SP_REASON_BYTES]; // "column V3: not a number"; never holds the event's own bytes
};

// Reads every vocabulary and checks the declaration against itself (SP_ERR_USAGE / SP_ERR_ENVIRONMENT, naming key or file).
enum sp_err sp_decoder_new(const struct sp_input_conf *conf, struct sp_decoder **decoder,
                           struct sp_error *error);
void sp_decoder_free(struct sp_decoder *decoder);
// The tensors that it fills, shape[0] = 1; owned by the decoder.
const struct sp_tensor_spec *sp_decoder_tensors(const struct sp_decoder *decoder, size_t *n);

struct sp_scratch *sp_scratch_new(void);
void sp_scratch_free(struct sp_scratch *scratch);

// Decodes one event into row `row` of tensors[] (order of sp_decoder_tensors). SP_OUTCOME_NONE when it worked,
// SP_OUTCOME_MALFORMED with *reason otherwise. Does not block; allocates only while scratch grows to the longest event.
// `value.data` NULL (a tombstone) is malformed.
enum sp_outcome sp_decode(const struct sp_decoder *decoder, struct sp_scratch *scratch, struct sp_bytes value,
                          struct sp_tensor *const *tensors, size_t row, struct sp_reason *reason);

// `output` is the model's output tensor that the answer is made of.
enum sp_err sp_encoder_new(const struct sp_output_conf *conf, const struct sp_tensor_spec *output,
                           struct sp_encoder **encoder, struct sp_error *error);
void sp_encoder_free(struct sp_encoder *encoder);
size_t sp_encoder_bound(const struct sp_encoder *encoder); // bytes of the longest answer
// Row `row` of the prediction as answer bytes; returns the length, at most sp_encoder_bound. Locale-independent; a float32
// is written with the fewest digits that give it back; NaN and infinities as null, in TensorProto JSON as "NaN", "Infinity" and
// "-Infinity". A label is the second one if score >= threshold (so never for NaN). Text in format json is a JSON string.
size_t sp_encode(const struct sp_encoder *encoder, const struct sp_tensor *output, size_t row,
                 uint8_t *answer);

// The inverse, for the collector's checks and for foreign applications: scores found in an answer.
struct sp_answer {
  size_t n_scores;   // 0 if only a label was found
  double scores[64]; // the first 64; null is NaN
  int label;         // 0, 1; -1 if none
};
// SP_ERR_USAGE from sp_encoder_new: labels that are missing or equal, a template with an unknown {word} or where it has no
// meaning, TensorProto of anything but an array.
//
// Scores that one answer of this encoder carries: row elements for an array, 1 for a probability or {score}, 0 for a
// template with a label only.
size_t sp_encoder_scores(const struct sp_encoder *encoder);
// SP_OUTCOME_NONE or SP_OUTCOME_MALFORMED with *reason. Allocates nothing; any thread.
enum sp_outcome sp_answer_parse(const struct sp_encoder *encoder, struct sp_bytes value,
                                struct sp_answer *answer, struct sp_reason *reason);

#endif
