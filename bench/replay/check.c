// Comparing answers with expected predictions.
#include "replay/check.h"

#include <math.h>
#include <string.h>

bool sp_check_is_close(double got, double expected, double abs, double rel) {
  if (isnan(got) || isnan(expected)) return isnan(got) && isnan(expected);
  if (isinf(got) || isinf(expected)) return got == expected;
  return fabs(got - expected) <= abs + rel * fabs(expected);
}

static void keep_example(struct sp_checker *checker, size_t recorded, size_t value_i, double expected, double got) {
  if (checker->n_examples == SP_CHECK_EXAMPLES) return;
  checker->examples[checker->n_examples++] = (struct sp_check_example){recorded, value_i, expected, got};
}

static enum sp_outcome check_scores(struct sp_checker *checker, size_t recorded, const struct sp_answer *answer) {
  const double *expected = checker->expected->values + recorded * checker->expected->n_values;
  bool agrees = answer->n_scores == checker->expected->n_values;
  for (size_t i = 0; i < answer->n_scores && i < checker->expected->n_values; i++) {
    double got = answer->scores[i], error = fabs(got - expected[i]);
    if (error > checker->max_abs_error) checker->max_abs_error = error;
    if (sp_check_is_close(got, expected[i], checker->conf->abs, checker->conf->rel)) continue;
    if (agrees) keep_example(checker, recorded, i, expected[i], got);
    agrees = false;
  }
  return agrees ? SP_OUTCOME_OK : SP_OUTCOME_MISMATCH;
}

// A score within the tolerance of the threshold may fall on either side of it.
static enum sp_outcome check_label(struct sp_checker *checker, size_t recorded, const struct sp_answer *answer) {
  double expected = checker->expected->values[recorded * checker->expected->n_values];
  int label = expected >= checker->threshold;
  if (answer->label == label) return SP_OUTCOME_OK;
  if (sp_check_is_close(checker->threshold, expected, checker->conf->abs, checker->conf->rel)) return SP_OUTCOME_OK;
  keep_example(checker, recorded, 0, expected, answer->label);
  return SP_OUTCOME_MISMATCH;
}

enum sp_outcome sp_check_answer(struct sp_checker *checker, uint64_t id, struct sp_bytes value,
                                struct sp_reason *reason) {
  if (!checker->encoder) return SP_OUTCOME_UNCHECKED;
  if (!checker->expected && !checker->answers) return SP_OUTCOME_UNCHECKED;
  struct sp_answer answer;
  if (sp_answer_parse(checker->encoder, value, &answer, reason) != SP_OUTCOME_NONE) return SP_OUTCOME_MALFORMED;
  size_t recorded = (size_t)(id % checker->n_recorded);
  if (checker->answers && isnan(checker->answers[recorded * checker->n_scores])) {
    size_t n = answer.n_scores < checker->n_scores ? answer.n_scores : checker->n_scores;
    memcpy(checker->answers + recorded * checker->n_scores, answer.scores, n * sizeof(double));
  }
  if (!checker->expected || checker->expected->known[recorded] == 0) return SP_OUTCOME_UNCHECKED;
  checker->n_checked++;
  enum sp_outcome outcome = SP_OUTCOME_MISMATCH; // an event that should have been refused was answered
  if (checker->expected->known[recorded] == 1) {
    outcome = answer.n_scores ? check_scores(checker, recorded, &answer) : check_label(checker, recorded, &answer);
  }
  checker->n_mismatched += outcome == SP_OUTCOME_MISMATCH;
  return outcome;
}
