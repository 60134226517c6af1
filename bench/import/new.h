// A new case in a folder of its own: scenario, recording and model, from rows and a model, or from a model alone. One thread.
#ifndef SP_IMPORT_NEW_H
#define SP_IMPORT_NEW_H

#include "import/import.h"
#include "import/new_guess.h"

// What goes in is borrowed for the call.
struct sp_new_conf {
  const char *name;   // letters, digits, '.', '_', '-'
  const char *folder; // to be made; its parent is there
  const char *model;  // as sp_new_model_copy takes it
  const char *from;   // CSV; NULL: synthetic events
  enum sp_profile_header header;
  struct sp_guess_hints hints; // of `from`
  uint64_t n_synthetic, seed;
  sp_import_progress *progress; // NULL: none
  void *progress_context;
  const volatile sig_atomic_t *stop; // NULL: never
};

struct sp_new_report {
  uint64_t n_events;
  bool times_are_real;
  uint64_t n_odd_rows, first_odd_line; // rows with another number of columns than the first
  uint64_t n_skipped;                  // rows left out, and why the first was
  char first_skipped[256];
  unsigned n_guessed;   // lines of the scenario so marked
  unsigned choose_line; // the first that somebody must complete, 0: none
};

// Writes FOLDER/{scenario.yaml,NAME.sprec,models/NAME/1/...} and FOLDER/levels/ where texts become numbers. What cannot be guessed
// stands as a list to choose from: that is no error. SP_ERR_ENVIRONMENT: the folder is there, a file cannot be read or is no CSV with
// events, the model is none, the disk; SP_ERR_USAGE: the name, a column that is not there, a model that no engine can be given rows
// for. On failure no folder is left.
enum sp_err sp_new(const struct sp_new_conf *conf, struct sp_new_report *report, struct sp_error *error);

#endif
