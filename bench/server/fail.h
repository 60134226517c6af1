// Which answers of the server fail, and how. Immutable after _bind, but for what `once` has used up; any thread.
#ifndef SP_SERVER_FAIL_H
#define SP_SERVER_FAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sp_fail_plan;

// Rules by comma or semicolon, the first that holds counts; calls are counted from 1, events from 0 (which.h):
//   UNAVAILABLE:1%                  each call with that chance
//   UNAVAILABLE:every=100           calls 100, 200, ...
//   UNAVAILABLE:at=17,90            calls 17 and 90
//   UNAVAILABLE:every_event=100     events 0, 100, 200, ... of the recording, whenever they are asked for
//   UNAVAILABLE:at_event=17,90      events 17 and 90
//   UNAVAILABLE:at_event=17,once    event 17, the first time only: a retry is answered
// The status is any of gRPC's but OK. SP_ERR_USAGE with the forms.
enum sp_err sp_fail_plan_new(const char *text, uint64_t seed, struct sp_fail_plan **plan,
                             struct sp_error *error);
void sp_fail_plan_free(struct sp_fail_plan *plan); // NULL is allowed
// Whether some rule is of events; then _bind comes before _status, with how many there are. SP_ERR_USAGE: not so many as told.
bool sp_fail_plan_asks_events(const struct sp_fail_plan *plan);
enum sp_err sp_fail_plan_bind(struct sp_fail_plan *plan, size_t n_events, struct sp_error *error);
// gRPC status of call number k (from 1) about an event (SP_NO_EVENT: unknown), 0 if it does not fail: a function of seed, k and
// event alone, but for `once`.
int sp_fail_plan_status(const struct sp_fail_plan *plan, uint64_t k, size_t event);

#endif
