// The sustainable rate: the highest offered rate whose trials meet the bounds with no growing backlog. Doubling until one fails,
// bisection until the bracket is narrow, and fresh trials with other seeds at both of its ends. What a trial is, a function says: the
// algorithm is pure, and is tried on queues of known capacity (tests/unit/test_search_md1.c) and on noise.
#ifndef SP_DECIDE_SEARCH_H
#define SP_DECIDE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// Of a rate, out of at most three valid trials: it fails only if two of them fail. An invalid trial is repeated; three of
// them at one rate, and the rate is the driver's limit, not the system's.
#define SP_SEARCH_TRIALS_VALID   3
#define SP_SEARCH_TRIALS_INVALID 3

enum sp_probe_verdict { SP_PROBE_PASSED, SP_PROBE_FAILED, SP_PROBE_INVALID, SP_PROBE_COUNT };
const char *sp_probe_verdict_name(enum sp_probe_verdict verdict); // "passed", "failed", "invalid"

#define SP_PROBE_REASON_BYTES 200
struct sp_probe_outcome {
  enum sp_probe_verdict verdict;
  char reason
      [SP_PROBE_REASON_BYTES]; // "p99 12.1ms > 10ms"; of one that passed the figure nearest to its bound
};

// One trial. An error ends the search with what is known so far.
typedef enum sp_err sp_search_probe(void *context, double rate_per_s, uint64_t seed,
                                    struct sp_probe_outcome *outcome, struct sp_error *error);

enum sp_search_phase {
  SP_SEARCH_DOUBLING,
  SP_SEARCH_HALVING,
  SP_SEARCH_BISECTING,
  SP_SEARCH_CONFIRMING, // the low end, once more
  SP_SEARCH_RECHECKING, // the high end: noise that lasts longer than a trial may have failed it. Two that pass overturn it
};
const char *sp_search_phase_name(enum sp_search_phase phase); // "doubling", "halving", ...

struct sp_search_rate { // one question put to one rate
  double per_s;
  enum sp_search_phase phase;
  enum sp_probe_verdict verdict;      // INVALID: the driver's limit
  bool is_answered;                   // false: the search ended while it was being tried
  char reason[SP_PROBE_REASON_BYTES]; // of the trial that decided
  unsigned n_passed, n_failed, n_invalid;
};

enum sp_search_verdict {
  SP_SEARCH_UNFINISHED,     // ended before its end: a signal, an error
  SP_SEARCH_BRACKET,        // low is sustained and confirmed, high is not
  SP_SEARCH_DRIVER_LIMITED, // low is; at high the driver could not measure
  SP_SEARCH_CAPPED,         // low is the highest rate that was allowed
  SP_SEARCH_NONE,           // not even the lowest rate that can be judged is sustained
  SP_SEARCH_UNKNOWN,        // the driver could measure at no rate that might be sustained
  SP_SEARCH_UNSETTLED,      // too many trials: what passes at one time fails at another
};
const char *sp_search_verdict_name(enum sp_search_verdict verdict); // "bracket", "driver_limited", ...

struct sp_search;
struct sp_search_plan {
  double from_per_s;            // the first rate
  double least_per_s;           // > 0: below it a trial cannot be judged
  double most_per_s;            // no rate above is tried
  double precision;             // > 0: of the bracket, 0.05 is high <= 1.05 low
  uint64_t first_seed;          // trial k has first_seed + k
  size_t most_trials;           // > 0
  sp_search_probe *probe;       // never NULL
  void (*asked)(void *context); // after each trial, to show and to keep what is known; may be NULL
  void *context;                // of both
};

struct sp_search {
  enum sp_search_verdict verdict;
  double low_per_s;                   // 0: none passed
  double high_per_s;                  // INFINITY: none failed
  char reason[SP_PROBE_REASON_BYTES]; // why high was not sustained
  unsigned n_stepped_down;            // how often a low end that had passed was not confirmed
  size_t n_trials;
  struct sp_search_rate *rates; // in the order asked
  size_t n_rates;
};

// *search must be zeroed before, and be freed by sp_search_done whatever is returned. Errors are the probe's; verdict is then
// UNFINISHED.
enum sp_err sp_search_run(const struct sp_search_plan *plan, struct sp_search *search,
                          struct sp_error *error);
void sp_search_done(struct sp_search *search); // zeroed is allowed

// To 4 digits, so that a rate reads the same in a command, a folder's name and a report.
double sp_search_round(double per_s);

// "4,800/s (next 5,040/s failed: p99 12.1ms > 10ms)", ">= 4,800/s, driver-limited (5,040/s: ...)", "none (...)". Returns text.
#define SP_SEARCH_TEXT_BYTES 320
char *sp_search_text(const struct sp_search *search, char *text, size_t n);

#endif
