// What the intervals promise, by simulation: how often they hold the median, how wide they are beside Student's t, and how often three metrics,
// looked at three times, are told apart where there is nothing to tell. Fixed seeds: the figures are the same on every machine
// but for the last bits of libm.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/prng.h"
#include "stats/interval.h"

#define N_SAMPLES 5000 // three standard errors are 0.009 at 0.95, 0.004 at 0.99
#define N_MAX     24

static struct sp_prng prng;

// Each has the median 0.
static double normal(void) {
  return sp_prng_normal(&prng);
}
static double lognormal(void) {
  return exp(sp_prng_normal(&prng)) - 1;
}
static double exponential(void) {
  return sp_prng_exponential(&prng) - log(2);
}
static double two_modes(void) { // that touch
  return sp_prng_normal(&prng) + (sp_prng_below(&prng, 2) ? 2 : -2);
}
static double two_heaps(void) { // with nothing between
  return 0.1 * sp_prng_normal(&prng) + (sp_prng_below(&prng, 2) ? 1 : -1);
}
static double laplace(void) {
  return sp_prng_below(&prng, 2) ? sp_prng_exponential(&prng) : -sp_prng_exponential(&prng);
}

static const struct {
  const char *name;
  double (*draw)(void);
} shapes[] = {{"normal", normal},       {"lognormal", lognormal}, {"exponential", exponential},
              {"two modes", two_modes}, {"two heaps", two_heaps}, {"laplace", laplace}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], LAPLACE = N_SHAPES - 1 };

static void fill(double *values, size_t n, double (*draw)(void)) {
  for (size_t i = 0; i < n; i++) values[i] = draw();
}

static double coverage(double (*draw)(void), size_t n, double alpha, size_t n_samples) {
  double values[N_MAX];
  size_t n_held = 0;
  for (size_t s = 0; s < n_samples; s++) {
    fill(values, n, draw);
    struct sp_interval interval = sp_interval_of_median(values, n, alpha);
    n_held += interval.low <= 0 && interval.high >= 0;
  }
  return (double)n_held / (double)n_samples;
}

static int seed(void **state) {
  (void)state;
  sp_prng_init(&prng, 2026, SP_PRNG_TEST);
  return 0;
}

static void coverage_is_what_it_says(void **state) {
  (void)state;
  static const struct {
    size_t n;
    double alpha, least;
  } cases[] = {
      {10, 0.05, 0.93},
      {12, 0.05, 0.93},
      {20, 0.05, 0.93}, // the issue's
      {12, 0.01, 0.99 - 0.01},
      {18, 0.015, 0.985 - 0.01},
      {24, 0.025, 0.975 - 0.01}, // the looks'
      {12, 0.01 / 3, 1 - 0.008},
      {18, 0.015 / 3, 1 - 0.010},
      {24, 0.025 / 3, 1 - 0.0135}, // Holm's first step there
  };
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    for (size_t s = 0; s < N_SHAPES; s++) {
      double held = coverage(shapes[s].draw, cases[c].n, cases[c].alpha, N_SAMPLES);
      print_message("%-12s %zu pairs at %.4f: %.4f\n", shapes[s].name, cases[c].n, cases[c].alpha, held);
      if (held < cases[c].least) fail_msg("below %.4f", cases[c].least);
    }
  }
}

// The formula's weights are exact for Laplace's distribution, so there the level is met from both sides: 60,000 samples tell 0.0027 (3
// standard errors), a linear weight in place of the formula's is 0.02 away.
static void level_is_exact_where_theory_says_so(void **state) {
  (void)state;
  double held = coverage(laplace, 10, 0.05, 60000);
  if (fabs(held - 0.95) > 0.0027) fail_msg("coverage of 10 of Laplace's distribution at 0.05: %.4f", held);
}

static void width_is_near_that_of_students_t(void **state) {
  (void)state;
  static const struct {
    size_t n;
    double t; // P(|T| > t) = 0.05 with n - 1 degrees of freedom, from tables
  } cases[] = {{10, 2.262157}, {12, 2.200985}, {20, 2.093024}};
  for (size_t c = 0; c < 3; c++) {
    double width = 0, of_t = 0, values[N_MAX];
    size_t n = cases[c].n;
    for (size_t s = 0; s < N_SAMPLES; s++) {
      fill(values, n, normal);
      struct sp_interval interval = sp_interval_of_median(values, n, 0.05);
      width += interval.high - interval.low;
      double sum = 0, squares = 0;
      for (size_t i = 0; i < n; i++) sum += values[i];
      for (size_t i = 0; i < n; i++) squares += pow(values[i] - sum / (double)n, 2);
      of_t += 2 * cases[c].t * sqrt(squares / (double)(n - 1) / (double)n);
    }
    print_message("%zu pairs: %.3f x Student's t\n", n, width / of_t);
    if (width > 1.4 * of_t || width < of_t) fail_msg("beyond 1 to 1.4");
  }
}

// Three metrics that share half of their variance, over 24 pairs, the first shifted. Whether any is told apart at some look.
static bool is_any_told(double (*draw)(void), double shift) {
  static const struct {
    size_t n;
    double alpha;
  } looks[] = {{12, 0.01}, {18, 0.015}, {24, 0.025}};
  double metrics[3][N_MAX], p[3];
  for (size_t i = 0; i < N_MAX; i++) {
    double shared = draw();
    for (size_t m = 0; m < 3; m++) metrics[m][i] = sqrt(0.5) * (shared + draw()) + (m == 0 ? shift : 0);
  }
  for (size_t k = 0; k < 3; k++) {
    for (size_t m = 0; m < 3; m++) p[m] = sp_interval_p(metrics[m], looks[k].n, 0);
    sp_holm(p, 3, p);
    for (size_t m = 0; m < 3; m++)
      if (p[m] <= looks[k].alpha) return true;
  }
  return false;
}

static double share_told(double (*draw)(void), double shift, size_t n) {
  size_t n_told = 0;
  for (size_t i = 0; i < n; i++) n_told += is_any_told(draw, shift);
  return (double)n_told / (double)n;
}

static void three_looks_at_three_metrics_keep_five_percent(void **state) {
  (void)state;
  double (*const symmetric[])(void) = {normal, two_modes, two_heaps, laplace}; // sums keep their median
  for (size_t s = 0; s < 4; s++) {
    double told = share_told(symmetric[s], 0, N_SAMPLES);
    print_message("nothing to tell, told: %.4f\n", told);
    if (told > 0.05 + 2 * sqrt(0.05 * 0.95 / N_SAMPLES)) fail_msg("above 5 %% by more than chance");
    if (told < 0.005) fail_msg("so rarely that nothing could ever be told");
  }
  double told = share_told(normal, 1.5, 300);
  if (told < 0.98) fail_msg("a shift of 1.5 standard deviations: told in %.3f", told);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(coverage_is_what_it_says, seed),
      cmocka_unit_test_setup(level_is_exact_where_theory_says_so, seed),
      cmocka_unit_test_setup(width_is_near_that_of_students_t, seed),
      cmocka_unit_test_setup(three_looks_at_three_metrics_keep_five_percent, seed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
