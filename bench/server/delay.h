// How long the server takes for each answer, drawn from a stated distribution. Immutable after _new; any thread.
#ifndef SP_SERVER_DELAY_H
#define SP_SERVER_DELAY_H

#include <stdbool.h>
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
// SP_ERR_USAGE with the forms; SP_ERR_ENVIRONMENT for a file that cannot be read.
enum sp_err sp_delay_new(const char *text, uint64_t seed, struct sp_delay **delay, struct sp_error *error);
void sp_delay_free(struct sp_delay *delay); // NULL is allowed
bool sp_delay_is_serial(const struct sp_delay *delay);
// Of call number k: a function of seed and k alone, whichever thread serves it.
int64_t sp_delay_ns(const struct sp_delay *delay, uint64_t k);

#endif
