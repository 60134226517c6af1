// The arrival processes behind a schedule: each gives its instants one after another, in integer arithmetic.
#ifndef SP_REPLAY_ARRIVALS_H
#define SP_REPLAY_ARRIVALS_H

#include "base/err.h"
#include "base/prng.h"
#include "recording/recording.h"
#include "replay/conf.h"

__extension__ typedef unsigned __int128 sp_u128;
__extension__ typedef __int128 sp_i128;

// A rate that changes linearly from `from` to `to` (events times `unit_ns`, per ns) over length_ns.
struct sp_rate_segment {
  int64_t start_ns, length_ns;
  sp_u128 from, to;
};

// constant, step, ramp, burst: a rate that is linear piece by piece. Event k is planned where the integral of
// the rate reaches k, rounded down to a ns: exactly, and across pieces without a gap or a heap.
struct sp_rates {
  const struct sp_load_conf *conf;
  sp_u128 unit_ns;     // common denominator of all rates: an event is `unit_ns` of the integral
  sp_u128 base, other; // rate and rate_to in events × unit_ns per ns
  uint64_t segment_i;
  struct sp_rate_segment segment;
  sp_u128 done;       // integral up to the segment's start
  sp_u128 in_segment; // integral over the segment
};

// Exponential gaps with the mean of `rate`, summed as integers of 2^-16 ns.
struct sp_poisson {
  struct sp_prng prng;
  double mean_gap; // in 2^-16 ns
  sp_u128 sum;
};

// The recording's offsets times mul / div; repetition q starts q × (span + mean gap) later.
struct sp_trace {
  const struct sp_recording *recording;
  uint64_t span_ns; // last offset - first
  sp_u128 mul,
      div; // instant = ((n-1) × offset + q × n × span) × mul / div, where n is the recording's events
};

struct sp_arrivals {
  int arrival; // enum sp_arrival, not closed
  union {
    struct sp_rates rates;
    struct sp_poisson poisson;
    struct sp_trace trace;
  } of;
  double n_expected; // events up to warmup + duration, about
};

// Checks the keys that this arrival needs: SP_ERR_USAGE with key, value and remedy. conf and recording
// outlive it; the recording is only looked at (and may only then not be NULL) for trace.
enum sp_err sp_arrivals_init(struct sp_arrivals *arrivals, const struct sp_load_conf *conf,
                             const struct sp_recording *recording, struct sp_error *error);
// Instant of event k, ns from the schedule's origin. To be asked for k = 0, 1, 2, … in turn. Past warmup +
// duration any value from there on may come.
int64_t sp_arrivals_instant(struct sp_arrivals *arrivals, uint64_t k);

// For arrivals.c: the pieces of rates.c.
enum sp_err sp_rates_init(struct sp_rates *rates, const struct sp_load_conf *conf, double *n_expected,
                          struct sp_error *error);
int64_t sp_rates_instant(struct sp_rates *rates, uint64_t k);

#endif
