// The schedule: the planned send instant of every event, fixed before the trial starts. Integer arithmetic
// from one origin: event k's instant is computed from k (or from the sum of exact integer gaps), so no error
// accumulates.
#ifndef SP_REPLAY_SCHEDULE_H
#define SP_REPLAY_SCHEDULE_H

#include "base/err.h"
#include "recording/recording.h"
#include "replay/conf.h"

// Closed: no driver sends more than this (a probe did 2.8 million), so n_events bounds what can be sent.
#define SP_CLOSED_EVENTS_PER_S_MAX 5e6

// Instants are offsets in ns from the schedule's origin: warm-up is [0, t0), the window [t0, t1). Event k
// replays recording event k modulo n_events. Memory is touched before the trial so that it does not grow
// during it.
struct sp_schedule {
  size_t n_events;      // closed: an upper bound on what can be sent, intended_ns is NULL
  size_t n_warmup;      // events before t0; event n_warmup is the window's first
  int64_t *intended_ns; // never decreasing, all < t1_ns
  int64_t t0_ns, t1_ns;
};

// SP_ERR_USAGE: trace where times are not real, a rate of zero, speeds below zero, more than 1e9 events, a
// window without events: each with key, value and remedy. Poisson: exponential gaps by inversion from the
// project's PRNG, seeded per schedule, accumulated as integers of 2^-16 ns. limit: the schedule ends with
// that event, t1 just after its planned gap.
enum sp_err sp_schedule_new(const struct sp_load_conf *conf, const struct sp_recording *recording,
                            struct sp_schedule **schedule, struct sp_error *error);
void sp_schedule_free(struct sp_schedule *schedule);

#endif
