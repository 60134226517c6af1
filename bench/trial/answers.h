// The first answer to each recorded event and what became of it, kept by a trial so that sides can be compared value by value
// and what is missing can be named.
#ifndef SP_TRIAL_ANSWERS_H
#define SP_TRIAL_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/outcome.h"

struct sp_answers {
  size_t n_events;
  size_t n_values; // per event
  bool are_labels; // the values: an answer carries no score, only 0 or 1
  double *values;  // n_events x n_values; NaN also where the answer said so: `answered` tells them apart
  unsigned char
      *answered; // per event: 0 no answer, 1 values, 2 refused as expected; as struct sp_expected.known
  unsigned char *outcomes; // per event: enum sp_outcome; 0: it was not sent
  unsigned char *copies;   // per event: answers after the first, at most 255
  double
      *expected; // n_events x n_values, as the values are (of a label: the score); NaN where nothing is known
  unsigned char *known; // per event, as struct sp_expected.known
};

// All NaN, none sent, nothing expected.
void sp_answers_init(struct sp_answers *answers, size_t n_events, size_t n_values);
void sp_answers_done(struct sp_answers *answers);
// A private file of driver and supervisor. SP_ERR_ENVIRONMENT: it cannot be written; missing, or not as long as its counts
// say (nothing is allocated then).
enum sp_err sp_answers_write(const struct sp_answers *answers, const char *path, struct sp_error *error);
enum sp_err sp_answers_read(struct sp_answers *answers, const char *path, struct sp_error *error);

// The first value of an event that was answered that is not as expected, by the rule of replay/check.h; n_values: each is.
size_t sp_answers_first_wrong(const struct sp_answers *answers, size_t event, double abs, double rel);

// Events that both answered alike, by the rule of replay/check.h (NaN is like NaN), or both refused as expected.
struct sp_agreement {
  size_t n_compared; // events that both sides answered
  size_t n_alike;
  double max_difference;  // over all numbers that both have
  size_t first_different; // n_events where there is none
};
// Both are of the same recording and as many values per event (asserted).
struct sp_agreement sp_answers_compare(const struct sp_answers *a, const struct sp_answers *b, double abs,
                                       double rel);

#endif
