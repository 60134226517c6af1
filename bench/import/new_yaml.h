// Inside import/: the scenario of a new case as YAML, with what was guessed said at its line. Texts from data are words of letters
// or quoted, so that they stay texts whatever they hold.
#ifndef SP_IMPORT_NEW_YAML_H
#define SP_IMPORT_NEW_YAML_H

#include <stdio.h>

#include "import/new_guess.h"

struct sp_new_yaml {
  FILE *to;
  unsigned line;   // that is being written, from 1
  unsigned column; // bytes of it so far
  unsigned n_guessed;
  unsigned choose_line; // the first that somebody must complete; 0: none
};

// Text without line ends.
void sp_new_yaml_put(struct sp_new_yaml *yaml, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The end of a line, before it a comment: `# guessed: why`; none where `why` is "".
void sp_new_yaml_end(struct sp_new_yaml *yaml, const char *why);
// `text` as a word or in quotes; from malloc.
char *sp_new_yaml_text(const char *text);
// One element of a list in brackets that goes over as many lines as it needs, indented by 8.
void sp_new_yaml_item(struct sp_new_yaml *yaml, const char *item, bool is_last);

// version, name, recording, model. `made_from`: of the first comment; `why`: of the recording.
void sp_new_yaml_head(struct sp_new_yaml *yaml, const char *name, const char *made_from, const char *why);
// name, dtype and shape of an input.
void sp_new_yaml_tensor(struct sp_new_yaml *yaml, const struct sp_tensor_spec *spec);
// input: of a CSV file.
void sp_new_yaml_input(struct sp_new_yaml *yaml, const struct sp_profile *profile,
                       const struct sp_model_io *io, const struct sp_guess *guess);
// output, load, expect, sides.
void sp_new_yaml_tail(struct sp_new_yaml *yaml, const struct sp_model_io *io, const char *engine);

// levels/COLUMN.txt, relative to the scenario; from malloc.
char *sp_new_levels_file(const struct sp_profile *profile, size_t column_i);

#endif
