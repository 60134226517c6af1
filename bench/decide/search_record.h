// What is asked of a search of sides, and what came of it: each side's trials, and the answer that they add up to. One thread.
#ifndef SP_DECIDE_SEARCH_RECORD_H
#define SP_DECIDE_SEARCH_RECORD_H

#include "base/clock.h"
#include "decide/search_slo.h"
#include "trial/trial.h"

// A trial lasts as long as both say, and at most as long as the last; without that many events a percentile of a rate near its
// limit is mostly luck.
#define SP_SEARCH_PROBE_NS     (10 * SP_NS_PER_S)
#define SP_SEARCH_PROBE_EVENTS 20000
#define SP_SEARCH_LONGEST_NS   (120 * SP_NS_PER_S)
// A backlog that just may be there at the end can have grown over the whole trial: a rate that is passed so may be too high by the one's
// share of the other, which is at most the standard precision.
#define SP_SEARCH_BACKLOGS  20
#define SP_SEARCH_SIDES_MAX 16

struct sp_search_options {
  double from_per_s; // 0: load.rate
  double to_per_s;   // no rate above; 0: SP_SEARCH_MOST_PER_S
  double precision;
  int64_t
      probe_ns; // 0: SP_SEARCH_PROBE_NS; a shorter one drops the least number of events too, and is labelled
};
#define SP_SEARCH_MOST_PER_S  4e6
#define SP_SEARCH_PRECISION   0.05
#define SP_SEARCH_TRIALS_MOST 100 // of a side

struct sp_search_probed { // one trial
  double rate_per_s;
  uint64_t seed;
  enum sp_search_phase phase;
  struct sp_probe_outcome outcome;
  char *dir; // below that of the search
  int64_t duration_ns;
  bool was_found;                                  // it lay there
  int64_t intended, mismatched;                    // events
  int64_t p50_ns, p99_ns, backlog_at_t1;           // -1: none
  double achieved_per_s, not_ok, cpu_us_per_event; // NAN: none
};

struct sp_side_search {
  const struct sp_side *side;
  struct sp_search_slo slo;
  struct sp_search search;
  struct sp_search_probed *probed;
  size_t n_probed;
  struct sp_result *first;  // for machine, load and build; NULL: no trial ended
  double cpu_s_per_million; // events, of the last trial that passed at the low end; NAN: none
  char co_located[160];     // "application and server"; "": no roles share a processor
  bool is_short, is_capped, is_stub,
      is_emulated; // some trial was short, cut to the longest; stub server; rpc_delay
};

struct sp_searches {
  struct sp_side_search sides[SP_SEARCH_SIDES_MAX];
  size_t n_sides;
  char started_at[32]; // RFC 3339, UTC
  char *incomplete;    // why; NULL: all sides were searched to the end
  bool had_ended;      // an earlier call in that folder, which noted what it found
};

struct sp_searches_plan { // everything is borrowed
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *sides[SP_SEARCH_SIDES_MAX];
  size_t n_sides;
  struct sp_search_options options;
  const char *out_dir;
  int argc;
  char **argv;
  struct sp_supervisor *supervisor;
  void (*probed)(const struct sp_side_search *side); // after each trial; may be NULL
};

void sp_searches_done(struct sp_searches *searches); // zeroed is allowed
// 1: a wrong answer, or no rate of a side is sustained; 2: a side's rate could not be measured; 4: a side's is only known to
// be at least so high, or did not settle; 0 otherwise. The first that applies of 2, 1, 4.
int sp_searches_exit_code(const struct sp_searches *searches);

#endif
