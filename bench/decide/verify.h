// verify: every event of a recording once through each side, as fast as it goes; each answer against the expected one, and
// the sides against each other.
#ifndef SP_DECIDE_VERIFY_H
#define SP_DECIDE_VERIFY_H

#include "base/clock.h"
#include "trial/answers.h"
#include "trial/trial.h"

#define SP_VERIFY_SIDES_MAX  16
#define SP_VERIFY_SILENCE_NS (5 * SP_NS_PER_S)

struct sp_verify_side {
  const char *name;
  struct sp_result *result; // NULL: its trial came to nothing
  char *failure;            // why
  struct sp_answers answers;
  bool keeps_order; // of each key, as asked for
  bool has_died;    // an application ended, with an error or before everything was answered
  double duration_s;
  size_t n_disagreeing;  // of what the first side and this one both answered
  double max_difference; // to the first side
};
struct sp_verify {
  size_t n_events; // that each side got
  size_t n_sides;
  struct sp_verify_side sides[SP_VERIFY_SIDES_MAX];
  size_t n_alike; // events that every side answered alike (and as expected, where an expectation exists)
  double max_difference; // between sides
  bool has_reference;
};

struct sp_verify_plan {
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  const struct sp_side *sides[SP_VERIFY_SIDES_MAX];
  size_t n_sides;
  size_t n_events;     // of the recording, or the limit
  const char *out_dir; // one folder per side is made in it
  int argc;
  char **argv;
  bool is_quiet;
};

// A side of an application that others wrote gets everything at once, so that no event that it leaves out holds back another,
// and SP_VERIFY_SILENCE_NS, or the scenario's load.drain where it has one, in which nothing comes before it is
// given up. Blocks. *verify must be zeroed before and freed by sp_verify_done after, whatever is returned. SP_ERR_USAGE for a side
// whose server is a stub. Errors as sp_trial_run; the side that failed has them as its failure.
enum sp_err sp_verify_run(const struct sp_verify_plan *plan, struct sp_supervisor *supervisor,
                          struct sp_verify *verify, struct sp_error *error);
void sp_verify_done(struct sp_verify *verify);
// 3: an application died; 0: each side answered every event as expected; 1 otherwise; 4: nothing is expected, so only the sides could be compared;
// 2: a trial did not end, or sent nothing.
int sp_verify_exit_code(const struct sp_verify *verify);

#endif
