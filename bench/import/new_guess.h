// Inside import/: which columns are time, key and target, and which feed which tensor of the model. Pure.
#ifndef SP_IMPORT_NEW_GUESS_H
#define SP_IMPORT_NEW_GUESS_H

#include "engine/engine.h"
#include "import/new_profile.h"

// More levels than this are no category.
#define SP_GUESS_LEVELS_MAX 256
#define SP_GUESS_WHY_BYTES  320

struct sp_guess_hints {            // column names, or "none"; NULL: guess
  const char *key, *time, *target; // target: several, parted by commas
};

struct sp_guessed_column {
  size_t i;                     // SIZE_MAX: none
  char why[SP_GUESS_WHY_BYTES]; // "": it was said
};

struct sp_guessed_tensor {
  size_t *columns; // indexes, in order; where is_open: all that could be meant
  size_t n;
  bool is_open; // they do not fill the tensor: somebody must choose
  char why[SP_GUESS_WHY_BYTES];
};

struct sp_guess {
  struct sp_guessed_column time, key;
  enum sp_when_unit time_unit;
  bool *is_target, *is_id; // of each column
  struct sp_guessed_tensor tensors[SP_TENSORS_MAX];
  size_t n_tensors;
};

// SP_ERR_USAGE: a hint names no column. sp_guess_done in any case.
enum sp_err sp_guess_make(const struct sp_profile *profile, const struct sp_model_io *io,
                          const struct sp_guess_hints *hints, struct sp_guess *guess, struct sp_error *error);
void sp_guess_done(struct sp_guess *guess);
// The output that answers: the one of real numbers with the fewest of them, else the first. `why`: for a comment, "" where it is the
// only one.
size_t sp_guess_output(const struct sp_model_io *io, char why[SP_GUESS_WHY_BYTES]);

#endif
