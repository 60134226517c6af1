// What `load:` and `expect:` may say.
#ifndef SP_REPLAY_CONF_H
#define SP_REPLAY_CONF_H

#include "base/conf.h"
#include "base/err.h"

enum sp_arrival {
  SP_ARRIVAL_CONSTANT,
  SP_ARRIVAL_POISSON,
  SP_ARRIVAL_TRACE,  // the recording's own gaps, sped up (speed) or scaled to a mean rate (rate)
  SP_ARRIVAL_STEP,   // rate to rate_to in equal steps
  SP_ARRIVAL_RAMP,   // rate to rate_to, linear in time
  SP_ARRIVAL_BURST,  // rate, and rate_to for burst_length in every burst_every
  SP_ARRIVAL_CLOSED, // concurrency events in flight: no schedule, response and lateness are null
};

const char *sp_arrival_name(int arrival); // "constant", "poisson", as load.arrival has it

enum sp_only { SP_ONLY_BOTH, SP_ONLY_SEND, SP_ONLY_COLLECT };

struct sp_load_conf {
  int arrival; // enum sp_arrival
  struct sp_rate rate;
  struct sp_rate rate_to;
  uint64_t steps;
  int64_t burst_every_ns;
  int64_t burst_length_ns;
  double speed; // trace only; 0: scaled to rate
  uint64_t concurrency;
  int64_t warmup_ns;
  int64_t duration_ns;
  int64_t drain_ns;
  uint64_t seed;
  uint64_t limit; // at most so many events in all; 0: no limit
  int only;       // enum sp_only
  char *shard;    // "2/4": this driver's share of partitions and schedule; NULL: all
  char *
      start_at; // RFC 3339 or seconds since 1970 of the schedule's origin, the same for every shard; NULL: at once
  int64_t pacer_spin_ns; // the pacer sleeps until so long before an instant, then spins
};

struct sp_expect_conf {
  double abs;
  double rel;
  int64_t p50_ns, p90_ns, p95_ns, p99_ns, p99_9_ns; // 0: no bound
  double not_ok; // 0 in the file means none may be not ok; negative: no bound
};

extern const struct sp_table sp_load_table;   // struct sp_load_conf
extern const struct sp_table sp_expect_table; // struct sp_expect_conf

// "2/4": the second of four. SP_ERR_USAGE: anything else, without a place; callers add it.
struct sp_shard {
  unsigned number, of; // 1/1 is all
};
enum sp_err sp_shard_parse(const char *text, struct sp_shard *shard, struct sp_error *error);
// RFC 3339 ("2026-11-21T13:00:00Z", with a fraction and an offset if wanted) or seconds since 1970, to ns since 1970.
// SP_ERR_USAGE: anything else, without a place.
enum sp_err sp_start_at_parse(const char *text, int64_t *unix_ns, struct sp_error *error);

#endif
