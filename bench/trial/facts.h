// What a result names so that it can be repeated (DESIGN §3.14).
#ifndef SP_TRIAL_FACTS_H
#define SP_TRIAL_FACTS_H

#include "trial/session.h"

void sp_facts_fill(struct sp_trial_session *s); // before the first event

#endif
