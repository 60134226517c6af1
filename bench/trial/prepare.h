// Everything before the first event: data, model, path, books; and the way back.
#ifndef SP_TRIAL_PREPARE_H
#define SP_TRIAL_PREPARE_H

#include "base/err.h"
#include "trial/session.h"

// s->plan is set, the rest is zero. On failure call sp_trial_session_free all the same.
enum sp_err sp_prepare(struct sp_trial_session *s, struct sp_error *error);
void sp_trial_session_free(struct sp_trial_session *s);

#endif
