// Answers on their way from driver to supervisor: read back as written, never trusted beyond the file, NaN told from none.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trial/answers.h"

static char path[] = "/tmp/sp-answers-XXXXXX";

static int make_file(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 || close(fd);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

// Event 0 has values, 1 answered NaN, 2 was refused, 3 has no answer.
static struct sp_answers some(void) {
  struct sp_answers answers;
  sp_answers_init(&answers, 4, 2);
  answers.values[0] = 0.25;
  answers.values[1] = 0.75;
  answers.answered[0] = answers.answered[1] = 1;
  answers.answered[2] = 2;
  answers.outcomes[1] = SP_OUTCOME_MISMATCH;
  answers.outcomes[3] = SP_OUTCOME_LOST;
  answers.copies[3] = 255;
  answers.expected[0] = 0.25;
  answers.known[0] = 1;
  answers.are_labels = true;
  return answers;
}

static void test_round_trip(void **state) {
  (void)state;
  struct sp_answers answers = some(), back;
  assert_int_equal(sp_answers_write(&answers, path, NULL), SP_OK);
  assert_int_equal(sp_answers_read(&back, path, NULL), SP_OK);
  assert_int_equal(back.n_events, 4);
  assert_int_equal(back.n_values, 2);
  assert_memory_equal(back.values, answers.values, 8 * sizeof(double));
  assert_memory_equal(back.answered, answers.answered, 4);
  assert_memory_equal(back.outcomes, answers.outcomes, 4);
  assert_memory_equal(back.copies, answers.copies, 4);
  assert_memory_equal(back.expected, answers.expected, 8 * sizeof(double));
  assert_memory_equal(back.known, answers.known, 4);
  assert_true(back.are_labels);
  sp_answers_done(&answers);
  sp_answers_done(&back);
}

static void write_counts(uint64_t n_events, uint64_t n_values, size_t n_bytes_more) {
  uint64_t counts[3] = {n_events, n_values, 0};
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(counts, sizeof counts, 1, file), 1);
  for (size_t i = 0; i < n_bytes_more; i++) fputc(0, file);
  assert_int_equal(fclose(file), 0);
}

static void test_counts_are_not_trusted(void **state) {
  (void)state;
  static const uint64_t counts[][2] = {
      {1, 2},          {2, 1},          {1, 0},     {UINT64_MAX, 1}, {UINT64_MAX, UINT64_MAX},
      {1, UINT64_MAX}, {1ULL << 61, 8}, {1000, 64}, {0, 1ULL << 63}, {1ULL << 32, 1ULL << 32},
  };
  struct sp_answers answers;
  struct sp_error error;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    write_counts(counts[i][0], counts[i][1], 20); // as long as {1, 1}
    assert_int_equal(sp_answers_read(&answers, path, &error), SP_ERR_ENVIRONMENT);
    assert_non_null(strstr(error.text, path));
  }
  write_counts(1, 1, 20);
  assert_int_equal(sp_answers_read(&answers, path, &error), SP_OK);
  sp_answers_done(&answers);
  assert_int_equal(truncate(path, 15), 0);
  assert_int_equal(sp_answers_read(&answers, path, &error), SP_ERR_ENVIRONMENT);
}

static void test_comparison(void **state) {
  (void)state;
  struct sp_answers a = some(), b = some();
  struct sp_agreement all = sp_answers_compare(&a, &b, 1e-6, 0);
  assert_int_equal(all.n_compared, 3); // a NaN is an answer, so is a refusal
  assert_int_equal(all.n_alike, 3);
  assert_int_equal(all.first_different, 4);
  b.values[0] = 0.5;
  b.values[1] = 0.25;
  b.values[2] = 0.1; // where the other side said NaN
  b.answered[2] = 1; // where the other side refused
  b.answered[3] = 1;
  struct sp_agreement none = sp_answers_compare(&a, &b, 1e-6, 0);
  assert_int_equal(none.n_compared, 3);
  assert_int_equal(none.n_alike, 0);
  assert_int_equal(none.first_different, 0);
  assert_true(fabs(none.max_difference - 0.5) < 1e-12);
  sp_answers_done(&a);
  sp_answers_done(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_counts_are_not_trusted),
      cmocka_unit_test(test_comparison),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
