// What encoding and reading an answer share.
#ifndef SP_CODEC_ENCODER_H
#define SP_CODEC_ENCODER_H

#include <stdbool.h>

#include "codec/codec.h"
#include "codec/json.h"
#include "codec/tensor_proto.h"

#define SP_TEMPLATE_PIECES_MAX 16
#define SP_TEMPLATE_BYTES_MAX  1024 // template and labels

// A template in pieces: text, the label, the score.
struct sp_template {
  struct sp_piece {
    enum { SP_PIECE_TEXT, SP_PIECE_LABEL, SP_PIECE_SCORE } kind;
    char *text; // SP_PIECE_TEXT
    size_t n;
  } pieces[SP_TEMPLATE_PIECES_MAX];
  size_t n_pieces;
  char *labels[2];
  size_t n_label[2];
};

struct sp_encoder {
  enum sp_output_format format;
  enum sp_output_as as;
  struct sp_tensor_spec output;
  size_t row_elements;
  double threshold;
  bool is_quoted;             // a JSON string is made of the template
  bool has_label, has_score;  // the template's
  struct sp_template plain;   // of a label, or a probability
  struct sp_template written; // the same as it stands in the answer: escaped where quoted
  char *before;               // what stands before an array's first number
  const char *after;
  struct sp_tensor_proto *proto;
  struct sp_json_pointer whole; // the answer itself
  size_t bound;
};

#endif
