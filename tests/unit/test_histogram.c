// Histograms against hand-computed values, the theory of samples, and what the Java reference wrote.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "meter/histogram.h"

static void slots_are_those_of_the_format(void **state) {
  (void)state;
  // Up to 2,047 one slot a value; then two values a slot, four, ...
  assert_int_equal(sp_histogram_slot_of(0), 0);
  assert_int_equal(sp_histogram_slot_of(2047), 2047);
  assert_int_equal(sp_histogram_slot_of(2048), 2048);
  assert_int_equal(sp_histogram_slot_of(2049), 2048);
  assert_int_equal(sp_histogram_slot_of(2050), 2049);
  assert_int_equal(sp_histogram_slot_of(4095), 3071);
  assert_int_equal(sp_histogram_slot_of(4096), 3072);
  assert_int_equal(sp_histogram_slot_lowest(3073), 4100);
  assert_int_equal(sp_histogram_slot_highest(3073), 4103);
  assert_int_equal(sp_histogram_slot_median(3073), 4102);
  assert_int_equal(sp_histogram_slot_median(7), 7);
  // 1 h: bucket 31 of 2^31 ns a slot, 3.6e12 / 2^31 = 1676.4.
  assert_int_equal(sp_histogram_slot_of(SP_HISTOGRAM_HIGHEST_NS), (31 << 10) + 1676);
  assert_int_equal(SP_HISTOGRAM_SLOTS * sizeof(int64_t), 264 * 1024);
}

static void slots_cover_every_value_once_within_a_thousandth(void **state) {
  (void)state;
  for (size_t slot = 0; slot + 1 < SP_HISTOGRAM_SLOTS; slot++) {
    int64_t low = sp_histogram_slot_lowest(slot), high = sp_histogram_slot_highest(slot);
    assert_true(sp_histogram_slot_lowest(slot + 1) == high + 1);
    assert_true(sp_histogram_slot_of(low) == slot && sp_histogram_slot_of(high) == slot);
    assert_true((double)(high - low) <= (double)low / 1000);
  }
}

static struct sp_histogram histogram_of(const int64_t *values_ns, size_t n) {
  struct sp_histogram h;
  sp_histogram_init(&h);
  for (size_t i = 0; i < n; i++) sp_histogram_record(&h, values_ns[i]);
  return h;
}

static void percentiles_are_those_of_the_rank(void **state) {
  (void)state;
  int64_t values[100];
  for (int i = 0; i < 100; i++) values[i] = i + 1;
  struct sp_histogram h = histogram_of(values, 100);
  assert_int_equal(sp_histogram_percentile(&h, 0.5, 0), 50);
  assert_int_equal(sp_histogram_percentile(&h, 0.501, 0), 51);
  assert_int_equal(sp_histogram_percentile(&h, 0.07, 0), 7); // 0.07 x 100 is 7.000000000000001
  assert_int_equal(sp_histogram_percentile(&h, 0.99, 0), 99);
  assert_int_equal(sp_histogram_percentile(&h, 1, 0), 100);
  assert_int_equal(sp_histogram_percentile(&h, 0, 0), 1);
  // 100 more rank above: p50 is the last recorded one, p51 has no value.
  assert_int_equal(sp_histogram_percentile(&h, 0.5, 100), 100);
  assert_int_equal(sp_histogram_percentile(&h, 0.51, 100), -1);
  assert_true(sp_histogram_mean(&h) == 50.5);
  sp_histogram_done(&h);
}

static void an_empty_one_has_no_figures(void **state) {
  (void)state;
  struct sp_histogram h = histogram_of(NULL, 0);
  assert_int_equal(sp_histogram_percentile(&h, 0.5, 0), -1);
  assert_int_equal(sp_histogram_percentile(&h, 0.5, 10), -1);
  assert_true(isnan(sp_histogram_mean(&h)));
  sp_histogram_done(&h);
}

static void values_outside_the_range_are_kept_at_its_edge_and_counted(void **state) {
  (void)state;
  const int64_t values[] = {-5, SP_HISTOGRAM_HIGHEST_NS, SP_HISTOGRAM_HIGHEST_NS + 1, INT64_MAX, INT64_MIN};
  struct sp_histogram h = histogram_of(values, 5);
  assert_int_equal(h.n, 5);
  assert_int_equal(h.n_clamped, 4);
  assert_int_equal(h.min_ns, 0);
  assert_true(h.max_ns == SP_HISTOGRAM_HIGHEST_NS);
  assert_int_equal(h.counts[0], 2);
  assert_int_equal(h.counts[sp_histogram_slot_of(SP_HISTOGRAM_HIGHEST_NS)], 3);
  sp_histogram_done(&h);
}

static void adding_and_resetting_leave_nothing_behind(void **state) {
  (void)state;
  const int64_t low[] = {3, 5000, 70000}, high[] = {1, 900000000};
  struct sp_histogram a = histogram_of(low, 3), b = histogram_of(high, 2);
  sp_histogram_add(&a, &b);
  assert_int_equal(a.n, 5);
  assert_int_equal(a.min_ns, 1);
  assert_int_equal(a.max_ns, 900000000);
  assert_true(a.sum_ns == 900075004.0);
  sp_histogram_reset(&a);
  for (size_t slot = 0; slot < SP_HISTOGRAM_SLOTS; slot++) assert_int_equal(a.counts[slot], 0);
  sp_histogram_add(&a, &b);
  assert_int_equal(a.n, 2);
  assert_int_equal(sp_histogram_percentile(&a, 0.5, 0), 1);
  sp_histogram_done(&a);
  sp_histogram_done(&b);
}

// The q-quantile of n exponential values is normal about -m ln(1-q) with deviation m sqrt(q / ((1-q) n)).
static void a_sample_has_the_percentiles_of_its_distribution(void **state) {
  (void)state;
  const double mean_ns = 250000, qs[] = {0.5, 0.9, 0.99, 0.999};
  enum { N = 1000000 };
  struct sp_histogram h = histogram_of(NULL, 0);
  struct sp_prng prng;
  sp_prng_init(&prng, 7, SP_PRNG_TEST);
  for (int i = 0; i < N; i++) sp_histogram_record(&h, (int64_t)(-mean_ns * log(sp_prng_uniform(&prng))));
  for (size_t i = 0; i < sizeof qs / sizeof qs[0]; i++) {
    double truth = -mean_ns * log1p(-qs[i]), deviation = mean_ns * sqrt(qs[i] / ((1 - qs[i]) * N));
    double got = (double)sp_histogram_percentile(&h, qs[i], 0);
    assert_true(fabs(got - truth) <= 4 * deviation + truth / 1000);
  }
  assert_true(fabs(sp_histogram_mean(&h) - mean_ns) < 4 * mean_ns / sqrt(N));
  sp_histogram_done(&h);
}

static void encoding_round_trips(void **state) {
  (void)state;
  const int64_t values[] = {0, 1, 1, 3, 2047, 2048, 123456789, SP_HISTOGRAM_HIGHEST_NS};
  struct sp_histogram h = histogram_of(values, 8), back = histogram_of(values, 2);
  h.counts[1] += INT64_C(1) << 61; // a count that needs all nine bytes
  h.n += INT64_C(1) << 61;
  char *text = sp_histogram_encode(&h);
  struct sp_error error;
  assert_int_equal(sp_histogram_decode(text, &back, &error), SP_OK);
  assert_int_equal(back.n, h.n);
  assert_memory_equal(back.counts, h.counts, SP_HISTOGRAM_SLOTS * sizeof *h.counts);
  assert_int_equal(back.min_ns, 0);
  assert_true(back.max_ns == SP_HISTOGRAM_HIGHEST_NS);
  sp_histogram_reset(&back);
  for (size_t slot = 0; slot < SP_HISTOGRAM_SLOTS; slot++) assert_int_equal(back.counts[slot], 0);
  free(text);
  sp_histogram_done(&h);
  sp_histogram_done(&back);
}

// Written by HdrHistogram 2.1.11: the values 1 to 10.
static const char java_text[] = "HISTFAAAACN42pNpmSzMwMDAzQABzFCaEch0M9ixgMH+A1SECQ4Af8QEag==";

static void what_java_wrote_is_read(void **state) {
  (void)state;
  struct sp_histogram h = histogram_of(NULL, 0);
  struct sp_error error;
  assert_int_equal(sp_histogram_decode(java_text, &h, &error), SP_OK);
  assert_int_equal(h.n, 10);
  for (size_t value = 1; value <= 10; value++) assert_int_equal(h.counts[value], 1);
  assert_int_equal(h.counts[0], 0);
  sp_histogram_done(&h);
}

static void damaged_texts_are_refused_and_leave_it_empty(void **state) {
  (void)state;
  struct sp_histogram h = histogram_of(NULL, 0);
  struct sp_error error;
  for (size_t n = 0; n < strlen(java_text); n++) {
    char cut[sizeof java_text];
    snprintf(cut, sizeof cut, "%.*s", (int)n, java_text);
    assert_int_equal(sp_histogram_decode(cut, &h, &error), SP_ERR_ENVIRONMENT);
    assert_int_equal(h.n, 0);
  }
  // One digit altered anywhere: refused, or (in the last digit's unused bits) without any effect.
  for (size_t i = 0; i < strlen(java_text); i++) {
    char altered[sizeof java_text];
    memcpy(altered, java_text, sizeof altered);
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    enum sp_err err = sp_histogram_decode(altered, &h, &error);
    assert_true(err ? h.n == 0 : h.n == 10);
  }
  assert_int_equal(sp_histogram_decode("\xff\xff\xff\xff", &h, &error), SP_ERR_ENVIRONMENT);
  sp_histogram_done(&h);
}

static void the_percentile_table_is_javas(void **state) {
  (void)state;
  static const char *const expected = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                                      "\n"
                                      "       0.001 0.000000000000          2           1.00\n"
                                      "       0.001 0.500000000000          2           2.00\n"
                                      "       2.001 0.550000000000          3           2.22\n"
                                      "       2.001 0.600000000000          3           2.50\n"
                                      "       2.001 0.650000000000          3           2.86\n"
                                      "       2.001 0.700000000000          3           3.33\n"
                                      "       2.001 0.750000000000          3           4.00\n"
                                      "    1000.447 0.775000000000          4           4.44\n"
                                      "    1000.447 1.000000000000          4\n";
  const int64_t values[] = {1, 1, 2001, 1000000};
  struct sp_histogram h = histogram_of(values, 4);
  char *text = NULL;
  size_t n_text = 0;
  FILE *memory = open_memstream(&text, &n_text);
  sp_histogram_write_hgrm(&h, memory);
  fclose(memory);
  char *first = strstr(text, "       0.001 0.100000000000"); // ticks at 0.1 to 0.4 repeat the first row
  assert_non_null(first);
  char *after = strstr(text, "       0.001 0.500000000000");
  memmove(first, after, strlen(after) + 1);
  assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
  free(text);
  sp_histogram_done(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slots_are_those_of_the_format),
      cmocka_unit_test(slots_cover_every_value_once_within_a_thousandth),
      cmocka_unit_test(percentiles_are_those_of_the_rank),
      cmocka_unit_test(an_empty_one_has_no_figures),
      cmocka_unit_test(values_outside_the_range_are_kept_at_its_edge_and_counted),
      cmocka_unit_test(adding_and_resetting_leave_nothing_behind),
      cmocka_unit_test(a_sample_has_the_percentiles_of_its_distribution),
      cmocka_unit_test(encoding_round_trips),
      cmocka_unit_test(what_java_wrote_is_read),
      cmocka_unit_test(damaged_texts_are_refused_and_leave_it_empty),
      cmocka_unit_test(the_percentile_table_is_javas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
