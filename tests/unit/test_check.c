// The rule of closeness, and answers of every kind against what was expected of them.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "replay/check.h"

static void test_rule_of_closeness(void **state) {
  (void)state;
  assert_true(sp_check_is_close(1.5, 1.0, 0.5, 0)); // the bound itself is close
  assert_false(sp_check_is_close(nextafter(1.5, 2), 1.0, 0.5, 0));
  assert_true(sp_check_is_close(-1.5, -1.0, 0.25, 0.25)); // abs + rel |expected|
  assert_false(sp_check_is_close(-1.75, -1.0, 0.25, 0.25));
  assert_true(sp_check_is_close(2.0, 1.0, 0, 1));
  assert_false(sp_check_is_close(1.0, 0.4, 0, 1)); // relative to what is expected, not to what came
  assert_true(sp_check_is_close(0.0, -0.0, 0, 0));
  assert_true(sp_check_is_close(1e-320, 1e-320, 0, 0));
}

static void test_nan_and_infinities(void **state) {
  (void)state;
  assert_true(sp_check_is_close(NAN, NAN, 0, 0));
  assert_false(sp_check_is_close(NAN, 1, 1e9, 1e9));
  assert_false(sp_check_is_close(1, NAN, 1e9, 1e9));
  assert_true(sp_check_is_close(INFINITY, INFINITY, 0, 0));
  assert_true(sp_check_is_close(-INFINITY, -INFINITY, 0, 0));
  assert_false(sp_check_is_close(INFINITY, -INFINITY, 1e9, 1e9));
  assert_false(sp_check_is_close(INFINITY, 1, 1, 1));
  assert_false(sp_check_is_close(1, INFINITY, 1, 1)); // rel x inf would swallow everything
  assert_false(sp_check_is_close(NAN, INFINITY, 1, 1));
}

// --- Answers -------------------------------------------------------------------------------------------------------------

static const struct sp_expect_conf tolerance = {.abs = 1e-3, .rel = 0};

struct desk {
  struct sp_encoder *encoder;
  struct sp_expected expected;
  struct sp_checker checker;
  struct sp_reason reason;
};

static void desk_open(struct desk *desk, struct sp_output_conf conf, size_t n_values, double *values,
                      unsigned char *known, size_t n_events) {
  struct sp_tensor_spec spec = {
      .name = "y", .dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, (int64_t)n_values}};
  struct sp_error error;
  conf.tensor = "y";
  *desk = (struct desk){
      .expected = {.n_events = n_events, .n_values = n_values, .values = values, .known = known}};
  if (sp_encoder_new(&conf, &spec, &desk->encoder, &error) != SP_OK) fail_msg("%s", error.text);
  desk->checker = (struct sp_checker){.encoder = desk->encoder,
                                      .expected = &desk->expected,
                                      .conf = &tolerance,
                                      .threshold = conf.threshold,
                                      .n_recorded = n_events};
}
static void desk_close(struct desk *desk) {
  sp_encoder_free(desk->encoder);
}

static enum sp_outcome check(struct desk *desk, uint64_t id, const char *answer) {
  return sp_check_answer(&desk->checker, id, sp_bytes_of_text(answer), &desk->reason);
}

static const struct sp_output_conf as_array = {.format = SP_OUTPUT_JSON, .as = SP_OUTPUT_AS_ARRAY};
static const struct sp_output_conf as_probability = {.format = SP_OUTPUT_JSON,
                                                     .as = SP_OUTPUT_AS_PROBABILITY};
static char *words[] = {"NO", "YES"};
static const struct sp_output_conf as_label = {.format = SP_OUTPUT_TEXT,
                                               .as = SP_OUTPUT_AS_LABEL,
                                               .threshold = 0.5,
                                               .labels = {words, 2},
                                               .template_text = "delayed? => {label}"};

static void test_every_score_of_an_array_counts(void **state) {
  (void)state;
  double values[] = {0.25, -3, 7, 1, 2, NAN};
  unsigned char known[] = {1, 1};
  struct desk desk;
  desk_open(&desk, as_array, 3, values, known, 2);
  assert_int_equal(check(&desk, 0, "[0.25,-3,7]"), SP_OUTCOME_OK);
  assert_int_equal(check(&desk, 2, "[0.2505,-3.0005,6.9995]"), SP_OUTCOME_OK); // the second round of event 0
  assert_int_equal(check(&desk, 1, "[1,2,null]"), SP_OUTCOME_OK);              // NaN travels as null
  assert_int_equal(desk.checker.n_mismatched, 0);
  assert_int_equal(check(&desk, 3, "[1,2,3]"), SP_OUTCOME_MISMATCH);
  assert_int_equal(check(&desk, 4, "[0.25,-3,7.5]"), SP_OUTCOME_MISMATCH);
  assert_int_equal(check(&desk, 4, "[null,-3,7]"), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.n_checked, 6);
  assert_int_equal(desk.checker.n_mismatched, 3);
  assert_true(desk.checker.max_abs_error == 0.5);
  assert_int_equal(desk.checker.n_examples, 3);
  assert_int_equal(desk.checker.examples[1].event, 0); // as recorded
  assert_int_equal(desk.checker.examples[1].value_i, 2);
  assert_true(desk.checker.examples[1].expected == 7 && desk.checker.examples[1].got == 7.5);
  desk_close(&desk);
}

static void test_answers_that_cannot_be_read(void **state) {
  (void)state;
  double values[] = {0.25, -3, 7};
  unsigned char known[] = {1};
  static const char *const broken[] = {"",     "[0.25,-3", "[0.25,-3]", "[0.25,-3,7,8]",
                                       "0.25", "{}",       "\xff\xfe"};
  struct desk desk;
  desk_open(&desk, as_array, 3, values, known, 1);
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    desk.reason.text[0] = 0;
    assert_int_equal(check(&desk, 0, broken[i]), SP_OUTCOME_MALFORMED);
    assert_true(desk.reason.text[0] != 0);
  }
  assert_int_equal(sp_check_answer(&desk.checker, 0, sp_bytes_of(NULL, 0), &desk.reason),
                   SP_OUTCOME_MALFORMED);
  assert_int_equal(desk.checker.n_checked, 0);
  desk_close(&desk);
}

// A first answer that was right excuses no garbage behind it.
static void test_copies(void **state) {
  (void)state;
  double values[] = {0.25, 0};
  unsigned char known[] = {1, 0}, copies[2] = {0};
  struct desk desk;
  desk_open(&desk, as_probability, 1, values, known, 2);
  desk.checker.copies = copies;
  assert_int_equal(check(&desk, 0, "0.25"), SP_OUTCOME_OK);
  sp_check_copy(&desk.checker, 0, check(&desk, 0, "0.25"));
  assert_int_equal(desk.checker.n_mismatched, 0);
  sp_check_copy(&desk.checker, 0, check(&desk, 0, "garbage"));
  assert_int_equal(desk.checker.n_mismatched, 1);
  sp_check_copy(&desk.checker, 0, check(&desk, 0, "0.5"));
  assert_int_equal(desk.checker.n_mismatched, 2);
  sp_check_copy(&desk.checker, 0, SP_OUTCOME_UNAVAILABLE);     // tried again in vain
  sp_check_copy(&desk.checker, 1, check(&desk, 1, "garbage")); // nothing is known of it
  assert_int_equal(desk.checker.n_mismatched, 2);
  assert_int_equal(desk.checker.n_checked, 4);
  assert_int_equal(copies[0], 4);
  desk_close(&desk);
}

static void test_few_examples_of_many(void **state) {
  (void)state;
  double values[10] = {0};
  unsigned char known[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  struct desk desk;
  desk_open(&desk, as_probability, 1, values, known, 10);
  for (uint64_t id = 0; id < 100; id++) assert_int_equal(check(&desk, id, "0.75"), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.n_mismatched, 100);
  assert_int_equal(desk.checker.n_examples, SP_CHECK_EXAMPLES);
  for (uint64_t i = 0; i < SP_CHECK_EXAMPLES; i++) assert_int_equal(desk.checker.examples[i].event, i);
  desk_close(&desk);
}

// Within the tolerance of the threshold either label is right; beyond it only one.
static void test_labels(void **state) {
  (void)state;
  double values[] = {0.4, 0.6, 0.4995, 0.5005, 0.5};
  unsigned char known[] = {1, 1, 1, 1, 1};
  struct desk desk;
  desk_open(&desk, as_label, 1, values, known, 5);
  const char *no = "delayed? => NO", *yes = "delayed? => YES";
  assert_int_equal(check(&desk, 0, no), SP_OUTCOME_OK);
  assert_int_equal(check(&desk, 1, yes), SP_OUTCOME_OK);
  for (uint64_t id = 2; id < 5; id++) {
    assert_int_equal(check(&desk, id, no), SP_OUTCOME_OK);
    assert_int_equal(check(&desk, id, yes), SP_OUTCOME_OK);
  }
  assert_int_equal(check(&desk, 0, yes), SP_OUTCOME_MISMATCH);
  assert_int_equal(check(&desk, 1, no), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.examples[1].event, 1);
  assert_true(desk.checker.examples[1].expected == 0.6 && desk.checker.examples[1].got == 0);
  assert_int_equal(check(&desk, 1, "delayed? => MAYBE"), SP_OUTCOME_MALFORMED);
  desk_close(&desk);
}

static void test_score_and_label_must_both_be_right(void **state) {
  (void)state;
  double values[] = {0.75};
  unsigned char known[] = {1};
  struct sp_output_conf conf = as_label;
  conf.template_text = "{label} {score}";
  struct desk desk;
  desk_open(&desk, conf, 1, values, known, 1);
  assert_int_equal(check(&desk, 0, "YES 0.75"), SP_OUTCOME_OK);
  assert_int_equal(check(&desk, 0, "NO 0.75"), SP_OUTCOME_MISMATCH);
  assert_int_equal(check(&desk, 0, "YES 0.85"), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.n_examples, 2);
  desk_close(&desk);
}

static void test_nothing_to_compare_with(void **state) {
  (void)state;
  double values[] = {0, 0.5, 0};
  unsigned char known[] = {0, 1, 2};
  struct desk desk;
  desk_open(&desk, as_probability, 1, values, known, 3);
  assert_int_equal(check(&desk, 0, "0.9"), SP_OUTCOME_UNCHECKED);
  assert_int_equal(check(&desk, 1, "0.5"), SP_OUTCOME_OK);
  assert_int_equal(check(&desk, 2, "0.5"), SP_OUTCOME_MISMATCH); // should have been refused
  assert_int_equal(desk.checker.n_checked, 2);
  desk.checker.expected = NULL;
  assert_int_equal(check(&desk, 1, "0.9"), SP_OUTCOME_UNCHECKED);
  desk.checker.encoder = NULL;
  assert_int_equal(check(&desk, 1, "anything"), SP_OUTCOME_UNCHECKED);
  desk_close(&desk);
}

static void test_first_answer_of_each_event_is_kept(void **state) {
  (void)state;
  double answers[] = {NAN, NAN, NAN};
  struct desk desk;
  desk_open(&desk, as_probability, 1, NULL, NULL, 3);
  desk.checker.expected = NULL;
  desk.checker.answers = answers;
  desk.checker.n_scores = 1;
  assert_int_equal(check(&desk, 1, "0.5"), SP_OUTCOME_UNCHECKED);
  assert_int_equal(check(&desk, 4, "0.75"), SP_OUTCOME_UNCHECKED);
  assert_int_equal(check(&desk, 5, "0.25"), SP_OUTCOME_UNCHECKED);
  assert_int_equal(check(&desk, 0, "what"), SP_OUTCOME_MALFORMED);
  assert_true(isnan(answers[0]) && answers[1] == 0.5 && answers[2] == 0.25);
  desk_close(&desk);
}

// The first 64 scores are compared; a longer answer is neither wrong for its length nor read beyond them.
static void test_more_scores_than_are_compared(void **state) {
  (void)state;
  enum { N = 100 };
  double values[N], answers[64];
  unsigned char known[] = {1};
  char answer[N * 4 + 2] = "[";
  for (int i = 0; i < N; i++) {
    values[i] = i;
    snprintf(answer + strlen(answer), sizeof answer - strlen(answer), i < N - 1 ? "%d," : "%d]", i);
  }
  for (int i = 0; i < 64; i++) answers[i] = NAN;
  struct desk desk;
  desk_open(&desk, as_array, N, values, known, 1);
  desk.checker.answers = answers;
  desk.checker.n_scores = 64;
  assert_int_equal(check(&desk, 0, answer), SP_OUTCOME_OK);
  assert_true(answers[63] == 63);
  values[63] = 64;
  assert_int_equal(check(&desk, 0, answer), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.examples[0].value_i, 63);
  desk_close(&desk);
}

// Expectations of another shape than the answers: a mismatch that says where the two part.
static void test_expectations_of_another_shape(void **state) {
  (void)state;
  double values[] = {1, 2, 3};
  unsigned char known[] = {1};
  struct desk desk;
  desk_open(&desk, as_array, 3, values, known, 1);
  desk.expected.n_values = 2;
  assert_int_equal(check(&desk, 0, "[1,2,3]"), SP_OUTCOME_MISMATCH);
  assert_int_equal(desk.checker.n_examples, 1);
  assert_int_equal(desk.checker.examples[0].value_i, 2);
  assert_true(isnan(desk.checker.examples[0].expected) && desk.checker.examples[0].got == 3);
  desk_close(&desk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rule_of_closeness),
      cmocka_unit_test(test_nan_and_infinities),
      cmocka_unit_test(test_every_score_of_an_array_counts),
      cmocka_unit_test(test_answers_that_cannot_be_read),
      cmocka_unit_test(test_few_examples_of_many),
      cmocka_unit_test(test_copies),
      cmocka_unit_test(test_labels),
      cmocka_unit_test(test_score_and_label_must_both_be_right),
      cmocka_unit_test(test_nothing_to_compare_with),
      cmocka_unit_test(test_first_answer_of_each_event_is_kept),
      cmocka_unit_test(test_more_scores_than_are_compared),
      cmocka_unit_test(test_expectations_of_another_shape),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
