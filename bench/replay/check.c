// Comparing answers with expected predictions.
#include "replay/check.h"

#include <math.h>
#include <string.h>

bool sp_check_is_close(double got, double expected, double abs, double rel) {
  if (isnan(got) || isnan(expected)) return isnan(got) && isnan(expected);
  if (isinf(got) || isinf(expected)) return got == expected;
  return fabs(got - expected) <= abs + rel * fabs(expected);
}

static void keep_example(struct sp_checker *checker, size_t recorded, size_t value_i, double expected,
                         double got) {
  if (checker->n_examples == SP_CHECK_EXAMPLES) return;
  checker->examples[checker->n_examples++] = (struct sp_check_example){recorded, value_i, expected, got};
}

#define SCORES_READ                                                                                          \
  (sizeof((struct sp_answer *)0)->scores / sizeof(double)) // the rest of a longer answer is not compared

static bool scores_agree(struct sp_checker *checker, size_t recorded, const struct sp_answer *answer) {
  size_t n_expected = checker->expected->n_values, n = n_expected < SCORES_READ ? n_expected : SCORES_READ;
  const double *expected = checker->expected->values + recorded * n_expected;
  bool agrees = true;
  for (size_t i = 0; i < n || i < answer->n_scores; i++) { // what is missing on one side is NaN there
    double want = i < n ? expected[i] : NAN, got = i < answer->n_scores ? answer->scores[i] : NAN;
    double error = fabs(got - want);
    if (error > checker->max_abs_error) checker->max_abs_error = error;
    if (i < n && i < answer->n_scores && sp_check_is_close(got, want, checker->conf->abs, checker->conf->rel))
      continue;
    if (agrees) keep_example(checker, recorded, i, want, got);
    agrees = false;
  }
  return agrees;
}

// A score within the tolerance of the threshold may fall on either side of it.
static bool label_agrees(struct sp_checker *checker, size_t recorded, const struct sp_answer *answer) {
  double expected = checker->expected->values[recorded * checker->expected->n_values];
  bool is_near = sp_check_is_close(checker->threshold, expected, checker->conf->abs, checker->conf->rel);
  int label = expected >= checker->threshold ? 1 : 0;
  if (answer->label == label || (answer->label >= 0 && is_near)) return true;
  keep_example(checker, recorded, 0, expected, answer->label);
  return false;
}

// An answer with a score and a label must be right in both.
static bool answer_agrees(struct sp_checker *checker, size_t recorded, const struct sp_answer *answer) {
  if (answer->n_scores && !scores_agree(checker, recorded, answer)) return false;
  return (answer->n_scores && answer->label < 0) || label_agrees(checker, recorded, answer);
}

enum sp_outcome sp_check_answer(struct sp_checker *checker, uint64_t id, struct sp_bytes value,
                                struct sp_reason *reason) {
  if (!checker->encoder) return SP_OUTCOME_UNCHECKED;
  if (!checker->expected && !checker->answers) return SP_OUTCOME_UNCHECKED;
  struct sp_answer answer;
  if (sp_answer_parse(checker->encoder, value, &answer, reason) != SP_OUTCOME_NONE)
    return SP_OUTCOME_MALFORMED;
  size_t recorded = (size_t)(id % checker->n_recorded);
  if (checker->answers && isnan(checker->answers[recorded * checker->n_scores])) {
    size_t n = answer.n_scores < checker->n_scores ? answer.n_scores : checker->n_scores;
    memcpy(checker->answers + recorded * checker->n_scores, answer.scores, n * sizeof(double));
    if (!answer.n_scores) checker->answers[recorded * checker->n_scores] = answer.label;
  }
  if (!checker->expected || checker->expected->known[recorded] == 0) return SP_OUTCOME_UNCHECKED;
  checker->n_checked++;
  // An event that should have been refused and was answered is a mismatch too.
  if (checker->expected->known[recorded] == 1 && answer_agrees(checker, recorded, &answer))
    return SP_OUTCOME_OK;
  checker->n_mismatched++;
  return SP_OUTCOME_MISMATCH;
}

enum sp_outcome sp_check_refusal(struct sp_checker *checker, uint64_t id) {
  if (!checker->expected || checker->expected->known[id % checker->n_recorded] != 2)
    return SP_OUTCOME_MALFORMED;
  checker->n_checked++;
  return SP_OUTCOME_OK;
}

void sp_check_copy(struct sp_checker *checker, uint64_t id, enum sp_outcome outcome) {
  const struct sp_expected *expected = checker->expected;
  bool is_wrong =
      outcome == SP_OUTCOME_MALFORMED && expected && expected->known[id % checker->n_recorded] == 1;
  checker->n_checked += is_wrong;
  checker->n_mismatched += is_wrong;
  if (!checker->copies) return;
  unsigned char *n = &checker->copies[id % checker->n_recorded];
  if (*n < UINT8_MAX) ++*n;
}
