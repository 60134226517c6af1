// The M/D/1 queue: against Crommelin's series in 80 digits, the mean of Pollaczek and Khinchine, and a queue that is played through.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/prng.h"
#include "stats/queueing.h"

#define ABOUT(value, wanted, tolerance)                                                                      \
  do {                                                                                                       \
    double got_ = (value), wanted_ = (wanted);                                                               \
    if (!(fabs(got_ - wanted_) <= (tolerance))) fail_msg("%s is %.12g, not %.12g", #value, got_, wanted_);   \
  } while (0)

static void waits_are_those_of_many_digits(void **state) {
  (void)state;
  // (1 - rho) sum over k <= t of (rho (k - t))^k / k! exp(rho (t - k)), with Python's decimal at 80 digits: in doubles that sum is past 1
  // at rho 0.9 and t 30.
  static const double wanted[][3] = {
      {0.3, 0.5, 0.81328396990979823}, {0.5, 2, 0.94696059655449061},   {0.7, 3.25, 0.91102690699278477},
      {0.9, 9.5, 0.86957001068643225}, {0.99, 50, 0.63579731449004628}, {0.99, 49.999, 0.63579000591976198},
      {0.95, 40, 0.98347497258026639},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
    ABOUT(sp_md1_waits_at_most(wanted[i][0], wanted[i][1]), wanted[i][2], 1e-13);
  ABOUT(sp_md1_waits_at_most(0.7, 0), 0.3, 1e-15);
  ABOUT(sp_md1_waits_at_most(0.7, -0.1), 0, 0);
  ABOUT(sp_md1_waits_at_most(0, 0), 1, 0);
  ABOUT(sp_md1_waits_at_most(0.5, 5000), 1, 1e-12);
}

static void mean_is_that_of_pollaczek_and_khinchine(void **state) {
  (void)state;
  static const double rhos[] = {0.1, 0.5, 0.8, 0.95};
  for (size_t i = 0; i < sizeof rhos / sizeof rhos[0]; i++) {
    double mean = 0, step = 0.05, more = 1;
    for (double t = step / 2; more > 1e-7; t += step) {
      more = 1 - sp_md1_waits_at_most(rhos[i], t);
      mean += step * more;
    }
    ABOUT(mean, rhos[i] / (2 * (1 - rhos[i])), 1e-3);
  }
}

static void a_queue_played_through_agrees(void **state) {
  (void)state;
  enum { N = 1000000 };
  static const double at_t[] = {0, 0.5, 1, 3, 9};
  struct sp_prng prng;
  sp_prng_init(&prng, 3, SP_PRNG_TEST);
  double rho = 0.75, wait = 0;
  size_t n_at_most[5] = {0};
  for (size_t i = 0; i < N; i++) {
    for (size_t k = 0; k < 5; k++) n_at_most[k] += wait <= at_t[k];
    wait = fmax(0, wait + 1 - sp_prng_exponential(&prng) / rho);
  }
  // Neighbours wait alike: some 20,000 independent values are in it.
  for (size_t k = 0; k < 5; k++)
    ABOUT((double)n_at_most[k] / N, sp_md1_waits_at_most(rho, at_t[k]), 0.01 * (k < 4 ? 1 : 0.2));
}

static void what_bounds_it_turns_round(void **state) {
  (void)state;
  ABOUT(sp_md1_utilisation(0.99, 10), 0.773487, 1e-6);
  ABOUT(sp_md1_response(0.773487, 0.99), 10, 1e-4);
  ABOUT(sp_md1_utilisation(0.99, 0.99), 0, 0);
  ABOUT(sp_md1_utilisation(0.99, 1), 0.01, 1e-9); // one in a hundred may wait
  ABOUT(sp_md1_response(0.005, 0.99), 1, 0);
  ABOUT(sp_md1_response(0, 0.99), 1, 0);
  double last = 0;
  for (int k = 2; k < 100; k += 7) {
    double rho = k / 100.0;
    double response = sp_md1_response(rho, 0.99);
    assert_true(response >= last);
    last = response;
    if (response <= 1) continue;
    ABOUT(sp_md1_waits_at_most(rho, response - 1), 0.99, 1e-9);
    ABOUT(sp_md1_utilisation(0.99, response), rho, 1e-7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_are_those_of_many_digits),
      cmocka_unit_test(mean_is_that_of_pollaczek_and_khinchine),
      cmocka_unit_test(a_queue_played_through_agrees),
      cmocka_unit_test(what_bounds_it_turns_round),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
