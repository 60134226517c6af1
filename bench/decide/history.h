// What a verb found, noted in the history (result/history.h). One thread.
#ifndef SP_DECIDE_HISTORY_H
#define SP_DECIDE_HISTORY_H

#include "decide/judge.h"
#include "result/history.h"

// Appends the lines to a file, whose folder is made if missing. file NULL: SP_HISTORY_FILE; "none", or no lines: nothing is written. Blocks on
// the file. SP_ERR_ENVIRONMENT as sp_history_append.
enum sp_err sp_history_add(const char *file, const struct sp_history *history, struct sp_error *error);

// A gate's or a compare's.
struct sp_history_note {
  const char *file;                       // as sp_history_add
  const char *verb;                       // "compare", "gate"
  const struct sp_comparison *comparison; // judged
  const struct sp_judge_trial *trials;    // those that were judged: name side and build of what was measured
  size_t n_trials;
};
// Appends a line for each side with a trial that counts, of a gate for its candidate alone (the last side); nothing where no trial
// counts. Blocks and fails as sp_history_add.
enum sp_err sp_history_note(const struct sp_history_note *note, struct sp_error *error);

#endif
