// After the last event: what happened becomes the result, with the checks of the driver (DESIGN §3.7) and the scenario's
// bounds on the system.
#ifndef SP_TRIAL_VERDICT_H
#define SP_TRIAL_VERDICT_H

#include "trial/session.h"

// Control thread, after every other thread has ended and before the result is written.
void sp_verdict_fill(struct sp_trial_session *s);

#endif
