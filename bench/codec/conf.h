// What `input:` and `output:` may say: how event bytes become tensors and a prediction becomes an answer.
#ifndef SP_CODEC_CONF_H
#define SP_CODEC_CONF_H

#include "base/conf.h"

enum sp_input_format { SP_INPUT_CSV, SP_INPUT_JSON, SP_INPUT_TENSOR_PROTO_JSON, SP_INPUT_RAW };

// One column of a CSV tensor: a bare name is a number; `vocabulary` gives the zero-based line index of the level in the
// file; `one_hot` gives one slot a line. missing / unknown: "malformed", "nan", "own_code" or a number. own_code for
// unknown is n_levels, for missing n_levels + (unknown is own_code); one_hot width grows by one for each own_code.
// A number or nan fills every slot of a one_hot column. For a plain column unknown is text that is no number, and own_code is
// refused. A value that the tensor's integer type cannot hold is malformed under every policy.
struct sp_column_conf {
  char *column;
  char *vocabulary;
  char *one_hot;
  char *missing; // RAW, default "malformed"
  char *unknown; // RAW, default "malformed"
};

enum sp_step {
  SP_STEP_NONE,
  SP_STEP_STRIP_EMOJI,
  SP_STEP_STRIP_URLS,
  SP_STEP_DROP_DIGITS,
  SP_STEP_LOWERCASE
};
enum sp_pad_side { SP_PAD_POST, SP_PAD_PRE };

// One text step: exactly one member is set. First those on characters (Unicode code points), then those on words (the text
// split at whitespace), then one vocabulary, then one pad, whose length is that of the row.
//   strip_emoji  removes 1F000-1FAFF, 2600-27BF, 2300-23FF, 2B00-2BFF, 2190-21FF, FE00-FE0F, 200D, 20E3, E0020-E007F
//   strip_urls   removes every run that starts with http://, https:// or www. (ASCII, any case, anywhere) up to the next
//                whitespace: category Z, tab to carriage return, 85
//   replace      each code point whose category is neither L nor N and that is no _
//   drop_digits  removes category Nd
//   lowercase    the simple mapping of each code point
//   lemma        a listed form becomes its lemma; min_length and stopwords drop words
//   vocabulary   a word becomes its line's index from zero, an unlisted one that of the line <unk>
//   pad          post keeps the first words and fills with 0 behind them; pre keeps the last and fills before them
struct sp_step_conf {
  int step; // enum sp_step: a bare word
  struct {
    char *non_word;
  } replace;
  char *lemma;
  uint64_t min_length;
  char *stopwords;
  char *vocabulary;
  struct {
    int side;
    uint64_t length;
  } pad;
};

struct sp_input_tensor_conf {
  char *name;
  char *dtype;
  struct sp_counts shape;
  struct sp_list columns; // struct sp_column_conf (csv)
  struct sp_list steps;   // struct sp_step_conf (json text)
  char *pointer;          // JSON pointer of this tensor's value; NULL: input.pointer
};

struct sp_input_conf {
  int format;             // enum sp_input_format
  char *pointer;          // JSON pointer, e.g. /value; NULL or "": the whole document
  struct sp_texts header; // names of the CSV columns, in order
  struct sp_list tensors; // struct sp_input_tensor_conf
};

enum sp_output_format { SP_OUTPUT_JSON, SP_OUTPUT_TEXT, SP_OUTPUT_TENSOR_PROTO_JSON };
enum sp_output_as { SP_OUTPUT_AS_ARRAY, SP_OUTPUT_AS_PROBABILITY, SP_OUTPUT_AS_LABEL };

struct sp_output_conf {
  int format;             // enum sp_output_format
  char *tensor;           // the model's output that becomes the answer
  int as;                 // enum sp_output_as
  double threshold;       // label: score >= threshold gives labels[1]
  struct sp_texts labels; // two
  char *template_text;    // with {label} and {score}; e.g. "Prediction: Is Airline delayed? => {label}"
};

extern const struct sp_table sp_input_table;  // struct sp_input_conf
extern const struct sp_table sp_output_table; // struct sp_output_conf

#endif
