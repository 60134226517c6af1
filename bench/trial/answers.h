// The first answer to each recorded event, kept by a trial so that sides can be compared value by value.
#ifndef SP_TRIAL_ANSWERS_H
#define SP_TRIAL_ANSWERS_H

#include <stddef.h>

#include "base/err.h"

struct sp_answers {
  size_t n_events;
  size_t n_values; // per event
  double *values;  // NaN: not answered (or the answer was NaN)
};

void sp_answers_init(struct sp_answers *answers, size_t n_events, size_t n_values); // all NaN
void sp_answers_done(struct sp_answers *answers);
// A private file of driver and supervisor. SP_ERR_ENVIRONMENT: it cannot be written; missing or cut short.
enum sp_err sp_answers_write(const struct sp_answers *answers, const char *path, struct sp_error *error);
enum sp_err sp_answers_read(struct sp_answers *answers, const char *path, struct sp_error *error);

// Events that both answered alike, by the rule of replay/check.h; *max_difference over all values that both have.
struct sp_agreement {
  size_t n_compared; // events that both sides answered
  size_t n_alike;
  double max_difference;
  size_t first_different; // n_events where there is none
};
// Both are of the same recording and as many values per event (asserted).
struct sp_agreement sp_answers_compare(const struct sp_answers *a, const struct sp_answers *b, double abs,
                                       double rel);

#endif
