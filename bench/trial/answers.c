// Answers on their way from a driver to its supervisor: two counts, the values, three bytes per event; this machine's byte
// order.
#include "trial/answers.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay/check.h"

void sp_answers_init(struct sp_answers *answers, size_t n_events, size_t n_values) {
  *answers = (struct sp_answers){.n_events = n_events,
                                 .n_values = n_values,
                                 .values = sp_alloc(n_events * n_values * sizeof(double)),
                                 .answered = sp_alloc(n_events),
                                 .outcomes = sp_alloc(n_events),
                                 .copies = sp_alloc(n_events)};
  for (size_t i = 0; i < n_events * n_values; i++) answers->values[i] = NAN;
}

void sp_answers_done(struct sp_answers *answers) {
  free(answers->values);
  free(answers->answered);
  free(answers->outcomes);
  free(answers->copies);
  *answers = (struct sp_answers){0};
}

enum sp_err sp_answers_write(const struct sp_answers *answers, const char *path, struct sp_error *error) {
  FILE *file = fopen(path, "wb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s)", path, strerror(errno));
  uint64_t counts[2] = {answers->n_events, answers->n_values};
  size_t n = answers->n_events * answers->n_values;
  int is_written = fwrite(counts, sizeof counts, 1, file) == 1 &&
                   fwrite(answers->values, sizeof(double), n, file) == n &&
                   fwrite(answers->answered, 1, answers->n_events, file) == answers->n_events &&
                   fwrite(answers->outcomes, 1, answers->n_events, file) == answers->n_events &&
                   fwrite(answers->copies, 1, answers->n_events, file) == answers->n_events;
  if (fclose(file) != 0 || !is_written) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); free some space", path, strerror(errno));
  }
  return SP_OK;
}

// Whether the file holds exactly what its counts say: they are not to be trusted with memory before.
static int is_whole(FILE *file, const uint64_t counts[2]) {
  struct stat facts;
  uint64_t n_values, n_bytes, n_states;
  return fstat(fileno(file), &facts) == 0 && !__builtin_mul_overflow(counts[0], counts[1], &n_values) &&
         !__builtin_mul_overflow(n_values, sizeof(double), &n_bytes) &&
         !__builtin_mul_overflow(counts[0], UINT64_C(3), &n_states) &&
         !__builtin_add_overflow(n_bytes, n_states, &n_bytes) &&
         !__builtin_add_overflow(n_bytes, 2 * sizeof counts[0], &n_bytes) &&
         n_bytes == (uint64_t)facts.st_size;
}

enum sp_err sp_answers_read(struct sp_answers *answers, const char *path, struct sp_error *error) {
  FILE *file = fopen(path, "rb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  uint64_t counts[2];
  int is_read = fread(counts, sizeof counts, 1, file) == 1 && is_whole(file, counts);
  if (is_read) {
    sp_answers_init(answers, counts[0], counts[1]);
    size_t n = counts[0] * counts[1];
    is_read = fread(answers->values, sizeof(double), n, file) == n &&
              fread(answers->answered, 1, counts[0], file) == counts[0] &&
              fread(answers->outcomes, 1, counts[0], file) == counts[0] &&
              fread(answers->copies, 1, counts[0], file) == counts[0];
  }
  fclose(file);
  return is_read ? SP_OK
                 : sp_fail(error, SP_ERR_ENVIRONMENT, "%s is truncated; the driver that wrote it was ended",
                           path);
}

struct sp_agreement sp_answers_compare(const struct sp_answers *a, const struct sp_answers *b, double abs,
                                       double rel) {
  SP_ASSERT(a->n_events == b->n_events && a->n_values == b->n_values);
  struct sp_agreement agreement = {.first_different = a->n_events};
  for (size_t i = 0; i < a->n_events; i++) {
    const double *x = a->values + i * a->n_values, *y = b->values + i * b->n_values;
    if (!a->answered[i] || !b->answered[i]) continue;
    int is_alike = a->answered[i] == b->answered[i];
    size_t n_compared = a->answered[i] == 1 && b->answered[i] == 1 ? a->n_values : 0;
    for (size_t k = 0; k < n_compared; k++) {
      double difference = fabs(x[k] - y[k]);
      if (difference > agreement.max_difference) agreement.max_difference = difference;
      is_alike &= sp_check_is_close(x[k], y[k], abs, rel);
    }
    agreement.n_compared++;
    agreement.n_alike += (size_t)is_alike;
    if (!is_alike && agreement.first_different == a->n_events) agreement.first_different = i;
  }
  return agreement;
}
