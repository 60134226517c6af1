// Calls things at their instants on a thread of its own: what keeps one delayed answer from holding up the others.
#ifndef SP_SERVER_TIMER_H
#define SP_SERVER_TIMER_H

#include <stdint.h>

#include "base/err.h"

struct sp_timer;

// fire(context, item) on the timer's thread, some 0.1 ms after the instant on a quiet machine.
enum sp_err sp_timer_new(void (*fire)(void *context, void *item), void *context, struct sp_timer **timer,
                         struct sp_error *error);
// Any thread; takes a lock that is never held while firing.
void sp_timer_add(struct sp_timer *timer, int64_t due_ns, void *item);
// From now on everything is due at once: what is there, and what comes.
void sp_timer_hurry(struct sp_timer *timer);
// Fires what is left and joins the thread. NULL is allowed.
void sp_timer_free(struct sp_timer *timer);

#endif
