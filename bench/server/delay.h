// How long the server takes for each answer, drawn from a stated distribution. Immutable after _bind, but for what
// `once` has used up; any thread.
#ifndef SP_SERVER_DELAY_H
#define SP_SERVER_DELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sp_delay;

// text (durations carry units):
//   5ms                               always
//   exp:2ms                           exponential with that mean
//   uniform:1ms..3ms
//   lognormal:median=1ms,p99=10ms
//   file:delays.txt                   a duration a line, used in turn, again from the first after the last
//   serial:1ms, serial:exp:1ms, ...   the same, but a thread serves one call at a time: with one thread a queue with a
//                                     single server of known service time (M/D/1, M/M/1) stands behind the port
// Behind it, or alone (no delay otherwise), rules WHICH:DELAY by semicolon, of which the first that holds counts in
// its place; WHICH as in which.h (calls from 1, events of the recording from 0), DELAY any of the above without serial:
//   5ms;at_event=17,90:50ms           events 17 and 90 take 50 ms, all others 5 ms
//   every_event=100:exp:50ms          events 0, 100, 200, ...
//   at=17:1s;at_event=17,once:1s      call 17; event 17, the first time
// SP_ERR_USAGE with the forms; SP_ERR_ENVIRONMENT for a file that cannot be read.
enum sp_err sp_delay_new(const char *text, uint64_t seed, struct sp_delay **delay, struct sp_error *error);
void sp_delay_free(struct sp_delay *delay); // NULL is allowed
bool sp_delay_is_serial(const struct sp_delay *delay);
// Whether some rule is of events; then _bind comes before _ns, with how many there are. SP_ERR_USAGE: not so many as told.
bool sp_delay_asks_events(const struct sp_delay *delay);
enum sp_err sp_delay_bind(struct sp_delay *delay, size_t n_events, struct sp_error *error);
// Of call number k (from 0) about an event (SP_NO_EVENT: unknown): a function of seed, k and event alone, but for
// `once`, whichever thread serves it.
int64_t sp_delay_ns(const struct sp_delay *delay, uint64_t k, size_t event);

#endif
