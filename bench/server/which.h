// Which calls, or which events of a recording, a failure or a delay is for.
#ifndef SP_SERVER_WHICH_H
#define SP_SERVER_WHICH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SP_NO_EVENT SIZE_MAX

// Calls are counted from 1, in the order in which the server takes them; events as everywhere, from 0, in the recording's order:
//   every=100           calls 100, 200, ...
//   at=17,90            calls 17 and 90
//   every_event=100     events 0, 100, 200, ...
//   at_event=17,90      events 17 and 90, each as often as it is asked for: a retry too
//   at_event=17,once    event 17, the first time that it is asked for; so with every_event
struct sp_which;

bool sp_which_is(const char *text); // whether it begins like one of these
// SP_ERR_USAGE: "WHAT: TEXT: why"; `what` is the key.
enum sp_err sp_which_new(const char *what, const char *text, struct sp_which **which, struct sp_error *error);
void sp_which_free(struct sp_which *which); // NULL is allowed
bool sp_which_is_of_events(const struct sp_which *which);
// Before the first question, where it is of events: how many the recording has. SP_ERR_USAGE: it names one beyond its end.
enum sp_err sp_which_bind(struct sp_which *which, size_t n_events, struct sp_error *error);
// Whether call k is one of them; event SP_NO_EVENT: unknown. `once`: true for one asker alone. Any thread.
bool sp_which_holds(const struct sp_which *which, uint64_t k, size_t event);

#endif
