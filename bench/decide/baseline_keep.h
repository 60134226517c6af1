// What a gate measured, kept as the next one's base. One thread.
#ifndef SP_DECIDE_BASELINE_KEEP_H
#define SP_DECIDE_BASELINE_KEEP_H

#include "decide/judge.h"

// Lays the valid, complete trials of side `side_i` into DIR/NNN (results and logs), one of each seed, fresh ones too: the next gate measures by the
// same seeds, and from 24 on has some to confirm with. DIR, which is made, holds no others of that case and side then: a run that lies there already
// stays, and what lies in DIR/NNN of an earlier gate goes, once all are there; two trials of a seed, or of two builds, could not be compared with. Where
// `replaces` is false, an earlier base stays instead, and nothing is kept. *n_saved: how many were laid there by this call.
// SP_ERR_ENVIRONMENT: cannot be read or written; then DIR is as it was.
enum sp_err sp_baseline_keep(const struct sp_judge_trial *trials, size_t n, size_t side_i, const char *dir,
                             bool replaces, size_t *n_saved, struct sp_error *error);

#endif
