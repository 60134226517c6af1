// What every path must do, whichever way it predicts. A test file describes its path (a subject) and lists
// PATH_SUITE(&subject) among its cmocka tests.
#ifndef SUPPORT_PATH_SUITE_H
#define SUPPORT_PATH_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path/path.h"

struct path_subject {
  const char *name;
  struct sp_path_env
      env;      // all but clock, done and context, which the suite sets; max_rows and n_workers at least 2
  bool is_slow; // a prediction takes milliseconds: fewer of them
  // Element `i` of the prediction for a row whose inputs hold path_suite_input(k, j), element j of input k.
  double (*expected)(size_t row_seed, size_t i);
};

// What the suite writes: small whole numbers, of which every element type holds the exact value.
double path_suite_input(size_t row_seed, size_t input_i, size_t element_i);

void path_suite_describes_its_output(void **subject);
void path_suite_answers_every_batch_size(void **subject);
void path_suite_uses_a_request_again(void **subject);
void path_suite_answers_many_requests(void **subject);
void path_suite_serves_workers_side_by_side(void **subject);
void path_suite_refuses_other_tensors(void **subject);
void path_suite_refuses_another_output(void **subject);
void path_suite_waits_no_longer_than_asked(void **subject);

// The same tests as PATH_SUITE into tests[], which has room for them, as NAME: TEST; returns how many. The names last as long as the
// process.
#define PATH_SUITE_TESTS_MAX 16
size_t path_suite_add(struct path_subject *subject, const char *name, struct CMUnitTest *tests);

#define PATH_TEST(test, subject) cmocka_unit_test_prestate(test, subject)
#define PATH_SUITE(subject)                                                                                  \
  PATH_TEST(path_suite_describes_its_output, subject),                                                       \
      PATH_TEST(path_suite_answers_every_batch_size, subject),                                               \
      PATH_TEST(path_suite_uses_a_request_again, subject),                                                   \
      PATH_TEST(path_suite_answers_many_requests, subject),                                                  \
      PATH_TEST(path_suite_serves_workers_side_by_side, subject),                                            \
      PATH_TEST(path_suite_refuses_other_tensors, subject),                                                  \
      PATH_TEST(path_suite_refuses_another_output, subject),                                                 \
      PATH_TEST(path_suite_waits_no_longer_than_asked, subject)

#endif
