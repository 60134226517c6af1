// Answers on their way from a driver to its supervisor: three counts, the values, what was expected, four bytes per event;
// this machine's byte order.
#include "trial/answers.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay/check.h"

#define COUNTS 3 // events, values per event, are_labels

void sp_answers_init(struct sp_answers *answers, size_t n_events, size_t n_values) {
  *answers = (struct sp_answers){.n_events = n_events,
                                 .n_values = n_values,
                                 .values = sp_alloc(n_events * n_values * sizeof(double)),
                                 .answered = sp_alloc(n_events),
                                 .outcomes = sp_alloc(n_events),
                                 .copies = sp_alloc(n_events),
                                 .expected = sp_alloc(n_events * n_values * sizeof(double)),
                                 .known = sp_alloc(n_events)};
  for (size_t i = 0; i < n_events * n_values; i++) answers->values[i] = answers->expected[i] = NAN;
}

void sp_answers_done(struct sp_answers *answers) {
  free(answers->values);
  free(answers->answered);
  free(answers->outcomes);
  free(answers->copies);
  free(answers->expected);
  free(answers->known);
  *answers = (struct sp_answers){0};
}

#define PARTS 6
struct part {
  void *data;
  size_t n_bytes;
};

// In the order of the file.
static void list_parts(const struct sp_answers *answers, struct part parts[PARTS]) {
  size_t n_values_bytes = answers->n_events * answers->n_values * sizeof(double);
  const struct part all[PARTS] = {
      {answers->values, n_values_bytes},      {answers->expected, n_values_bytes},
      {answers->answered, answers->n_events}, {answers->outcomes, answers->n_events},
      {answers->copies, answers->n_events},   {answers->known, answers->n_events}};
  memcpy(parts, all, sizeof all);
}

enum sp_err sp_answers_write(const struct sp_answers *answers, const char *path, struct sp_error *error) {
  FILE *file = fopen(path, "wb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s)", path, strerror(errno));
  uint64_t counts[COUNTS] = {answers->n_events, answers->n_values, answers->are_labels};
  struct part parts[PARTS];
  list_parts(answers, parts);
  int is_written = fwrite(counts, sizeof counts, 1, file) == 1;
  for (size_t i = 0; i < PARTS && is_written; i++)
    is_written = fwrite(parts[i].data, 1, parts[i].n_bytes, file) == parts[i].n_bytes;
  if (fclose(file) != 0 || !is_written) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); free some space", path, strerror(errno));
  }
  return SP_OK;
}

// Whether the file holds exactly what its counts say: they are not to be trusted with memory before.
static int is_whole(FILE *file, const uint64_t counts[COUNTS]) {
  struct stat facts;
  uint64_t n_values, n_bytes, n_states;
  return fstat(fileno(file), &facts) == 0 && !__builtin_mul_overflow(counts[0], counts[1], &n_values) &&
         !__builtin_mul_overflow(n_values, 2 * sizeof(double), &n_bytes) &&
         !__builtin_mul_overflow(counts[0], UINT64_C(4), &n_states) &&
         !__builtin_add_overflow(n_bytes, n_states, &n_bytes) &&
         !__builtin_add_overflow(n_bytes, COUNTS * sizeof counts[0], &n_bytes) &&
         n_bytes == (uint64_t)facts.st_size;
}

enum sp_err sp_answers_read(struct sp_answers *answers, const char *path, struct sp_error *error) {
  FILE *file = fopen(path, "rb");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  uint64_t counts[COUNTS];
  int is_read = fread(counts, sizeof counts, 1, file) == 1 && is_whole(file, counts);
  if (is_read) {
    struct part parts[PARTS];
    sp_answers_init(answers, counts[0], counts[1]);
    answers->are_labels = counts[2] != 0;
    list_parts(answers, parts);
    for (size_t i = 0; i < PARTS && is_read; i++)
      is_read = fread(parts[i].data, 1, parts[i].n_bytes, file) == parts[i].n_bytes;
  }
  fclose(file);
  return is_read ? SP_OK
                 : sp_fail(error, SP_ERR_ENVIRONMENT, "%s is truncated; the driver that wrote it was ended",
                           path);
}

size_t sp_answers_first_wrong(const struct sp_answers *answers, size_t event, double abs, double rel) {
  const double *got = answers->values + event * answers->n_values;
  const double *expected = answers->expected + event * answers->n_values;
  size_t i = 0;
  while (i < answers->n_values && sp_check_is_close(got[i], expected[i], abs, rel)) i++;
  return i;
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
