// Clocks and counters at two instants, and what lies between them: CPU by process and role, memory.
#ifndef SP_TRIAL_ACCOUNT_H
#define SP_TRIAL_ACCOUNT_H

#include "trial/session.h"

void sp_reading_take(struct sp_trial_session *s, struct sp_reading *reading); // control thread
// Control thread, now and then: notes what the applications have used, in case one is killed.
void sp_account_watch(struct sp_trial_session *s);
void sp_account_fill(struct sp_trial_session *s); // result: cpu_s, cpu_role_s, cpu_us_per_event, rss
// Share of the driver's processor that was busy in the window; -1 where it has none of its own.
double sp_account_driver_core_busy(const struct sp_trial_session *s);

#endif
