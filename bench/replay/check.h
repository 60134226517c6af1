// Right answers first: each answer against the expected prediction, |a - b| <= abs + rel x |b|: the scores that the answer
// carries, and its label, if it has one, against the one that the expected score gives.
#ifndef SP_REPLAY_CHECK_H
#define SP_REPLAY_CHECK_H

#include <stdbool.h>

#include "codec/codec.h"
#include "recording/expected.h"
#include "replay/conf.h"

#define SP_CHECK_EXAMPLES 5
struct sp_check_example {
  uint64_t event; // index in the recording
  size_t value_i;
  double expected, got;
};

struct sp_checker {
  const struct sp_encoder *encoder;   // reads answers; NULL: nothing can be checked (noop)
  const struct sp_expected *expected; // NULL: nothing to compare with
  const struct sp_expect_conf *conf;
  double threshold; // of labels
  double *
      answers; // optional: n_recorded x n_scores, the first answer of each recorded event (its label where it has no score); NaN: none
  unsigned char *copies; // optional: per recorded event, answers after the first, at most 255
  size_t n_recorded, n_scores;
  // results
  int64_t n_checked, n_mismatched;
  double max_abs_error;
  size_t n_examples;
  struct sp_check_example examples[SP_CHECK_EXAMPLES];
};

// SP_OUTCOME_OK, UNCHECKED, MISMATCH or MALFORMED (with *reason) for an answer to the event `id`. One thread.
enum sp_outcome sp_check_answer(struct sp_checker *checker, uint64_t id, struct sp_bytes value,
                                struct sp_reason *reason);

// The event `id` was refused as malformed: SP_OUTCOME_OK where that is expected, MALFORMED otherwise. One thread.
enum sp_outcome sp_check_refusal(struct sp_checker *checker, uint64_t id);

// One more answer to an event that had one, judged as `outcome`. A value was checked by sp_check_answer; garbage, which as a first
// answer is an outcome of its own, is a mismatch where a prediction is expected. One thread.
void sp_check_copy(struct sp_checker *checker, uint64_t id, enum sp_outcome outcome);

// The rule itself. NaN equals NaN only.
bool sp_check_is_close(double got, double expected, double abs, double rel);

#endif
