// What verify says of a side: which events differ, are missing or came twice, without their values unless asked for; and the
// same as JUnit.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decide/verify_cases.h"

#define EVENTS 12
static struct sp_scenario scenario = {
    .name = "fraud", .output = {.tensor = "score"}, .expect = {.abs = 1e-5, .rel = 1e-4}};
static const struct sp_verify_show hidden = {.scenario = &scenario};

// Every event of two values answered as expected: {0.25, i}.
static struct sp_verify *all_right(void) {
  struct sp_verify *v = sp_alloc(sizeof *v);
  struct sp_verify_side *side = &v->sides[0];
  v->n_events = EVENTS;
  v->n_sides = 1;
  v->has_reference = true;
  side->name = "embedded";
  side->result = sp_result_new();
  side->result->complete = true;
  side->result->transport = sp_copy_text("kafka");
  side->result->intended = side->result->outcomes[SP_OUTCOME_OK] = EVENTS;
  sp_answers_init(&side->answers, EVENTS, 2);
  for (size_t i = 0; i < EVENTS; i++) {
    side->answers.values[2 * i] = side->answers.expected[2 * i] = 0.25;
    side->answers.values[2 * i + 1] = side->answers.expected[2 * i + 1] = (double)i;
    side->answers.answered[i] = side->answers.known[i] = 1;
    side->answers.outcomes[i] = SP_OUTCOME_OK;
  }
  return v;
}

static void done(struct sp_verify *v) {
  sp_verify_done(v);
  free(v);
}

static void becomes(struct sp_verify *v, size_t event, enum sp_outcome outcome) {
  struct sp_verify_side *side = &v->sides[0];
  side->result->outcomes[side->answers.outcomes[event]]--;
  side->result->outcomes[outcome]++;
  side->answers.outcomes[event] = (unsigned char)outcome;
  if (outcome == SP_OUTCOME_MISMATCH) side->result->predictions.mismatched++;
}

// The state of a case; its lines joined by '|'.
static enum sp_case_state case_of(const struct sp_verify *v, const struct sp_verify_show *show,
                                  const char *name, char lines[1024]) {
  struct sp_suite suite;
  enum sp_case_state state = SP_CASE_SKIPPED;
  bool is_there = false;
  sp_verify_cases(v, 0, show, &suite);
  lines[0] = '\0';
  for (size_t i = 0; i < suite.n_cases; i++) {
    if (strcmp(suite.cases[i].name, name) != 0) continue;
    is_there = true;
    state = suite.cases[i].state;
    for (size_t k = 0; k < suite.cases[i].n_lines; k++) {
      strcat(lines, suite.cases[i].lines[k]);
      strcat(lines, "|");
    }
  }
  sp_suite_done(&suite);
  assert_true(is_there);
  return state;
}

static void expect_case(const struct sp_verify *v, const char *name, enum sp_case_state state,
                        const char *lines) {
  char told[1024];
  assert_int_equal(case_of(v, &hidden, name, told), state);
  assert_string_equal(told, lines);
}

static void test_all_right(void **state) {
  (void)state;
  static const char *const names[] = {"predictions", "answered", "duplicates", "order", "application"};
  struct sp_verify *v = all_right();
  for (size_t i = 0; i < 5; i++) expect_case(v, names[i], SP_CASE_PASSED, "");
  assert_int_equal(sp_verify_exit_code(v), 1); // n_alike is still to be found
  v->n_alike = EVENTS;
  assert_int_equal(sp_verify_exit_code(v), 0);
  done(v);
}

static void test_differing(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  struct sp_answers *a = &v->sides[0].answers;
  a->values[2 * 3 + 1] = 3.5;
  a->values[2 * 7] = NAN;
  a->known[9] = 2;
  for (size_t event = 3; event < 11; event += event == 3 ? 4 : 2) becomes(v, event, SP_OUTCOME_MISMATCH);
  v->sides[0].result->predictions.mismatched++; // a copy
  expect_case(v, "predictions", SP_CASE_FAILED,
              "3 of 12 events differ from what is expected|event 3: score[1] differs by 0.5|"
              "event 7: score[0] is not a number|event 9: answered, but it should be refused as malformed|"
              "1 further answer to an event differs|");
  struct sp_bytes keys[EVENTS] = {{0}};
  keys[3] = sp_bytes_of("a\n", 2);
  const struct sp_verify_show open = {.scenario = &scenario, .keys = keys};
  char told[1024];
  case_of(v, &open, "predictions", told);
  assert_non_null(strstr(told, "event 3 (key a\\n): score[1]: 3.5 instead of 3, differs by 0.5|"));
  done(v);
}

static void test_labels(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->sides[0].answers.are_labels = true;
  becomes(v, 0, SP_OUTCOME_MISMATCH);
  expect_case(v, "predictions", SP_CASE_FAILED,
              "1 of 12 events differ from what is expected|event 0: another label than expected|");
  done(v);
}

static void test_many_differ(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  char told[1024];
  for (size_t i = 0; i < EVENTS; i++) {
    v->sides[0].answers.values[2 * i] = 1;
    becomes(v, i, SP_OUTCOME_MISMATCH);
  }
  case_of(v, &hidden, "predictions", told);
  assert_non_null(strstr(told, "event 4: score[0] differs by 0.75|and 7 more|"));
  assert_null(strstr(told, "event 5"));
  done(v);
}

static void test_missing(void **state) {
  (void)state;
  static const size_t lost[] = {0, 2, 3, 5, 6, 7, 11};
  struct sp_verify *v = all_right();
  for (size_t i = 0; i < 7; i++) becomes(v, lost[i], SP_OUTCOME_LOST);
  expect_case(v, "answered", SP_CASE_FAILED, "7 of 12 events got no answer: 0, 2, 3, 5-7, 11|");
  expect_case(v, "predictions", SP_CASE_PASSED, "");
  v->sides[0].result->flags[SP_FLAG_ALIEN] = 7;
  char told[1024];
  assert_int_equal(case_of(v, &hidden, "answered", told), SP_CASE_FAILED);
  assert_non_null(strstr(told, "7 answers match no event: let the application copy all headers"));
  v->sides[0].result->intended = 5;
  case_of(v, &hidden, "answered", told);
  assert_non_null(strstr(told, "7 events were never sent"));
  done(v);
}

static void test_ranges_are_few(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  for (size_t i = 0; i < EVENTS; i += 2) becomes(v, i, SP_OUTCOME_LOST);
  expect_case(v, "answered", SP_CASE_FAILED, "6 of 12 events got no answer: 0, 2, 4, 6, 8, ...|");
  done(v);
}

static void test_copies_and_order(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->n_alike = EVENTS;
  v->sides[0].answers.copies[4] = 2;
  v->sides[0].result->flags[SP_FLAG_DUPLICATE] = 2;
  expect_case(v, "duplicates", SP_CASE_FAILED, "2 answers too many, to: 4|");
  assert_int_equal(sp_verify_exit_code(v), 1);
  v->sides[0].result->flags[SP_FLAG_DUPLICATE] = 0;
  v->sides[0].result->flags[SP_FLAG_ALIEN] = 1;
  expect_case(v, "duplicates", SP_CASE_FAILED, "1 answer matches no event (alien)|");
  assert_int_equal(sp_verify_exit_code(v), 1);
  v->sides[0].result->flags[SP_FLAG_ALIEN] = 0;
  v->sides[0].result->flags[SP_FLAG_REORDERED] = 3;
  expect_case(v, "order", SP_CASE_PASSED, "3 answers came after that to a later event of the same key|");
  assert_int_equal(sp_verify_exit_code(v), 0);
  v->sides[0].keeps_order = true;
  expect_case(v, "order", SP_CASE_FAILED, "3 answers came after that to a later event of the same key|");
  assert_int_equal(sp_verify_exit_code(v), 1);
  done(v);
}

// Nothing sent is nothing verified, however well all of it was answered.
static void test_nothing_sent(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->sides[0].result->intended = v->sides[0].result->outcomes[SP_OUTCOME_OK] = 0;
  expect_case(v, "answered", SP_CASE_ERROR, "no event was sent, so that nothing is verified|");
  assert_int_equal(sp_verify_exit_code(v), 2);
  done(v);
}

static void test_application(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->n_alike = EVENTS;
  sp_facts_text(&v->sides[0].result->delivery, "app_ended", "app 1 exited with code 0");
  expect_case(v, "application", SP_CASE_PASSED, "app 1 exited with code 0|");
  assert_int_equal(sp_verify_exit_code(v), 0);
  v->sides[0].has_died = true;
  expect_case(v, "application", SP_CASE_ERROR, "app 1 exited with code 0|");
  assert_int_equal(sp_verify_exit_code(v), 3);
  sp_result_free(v->sides[0].result);
  v->sides[0].result = NULL;
  v->sides[0].failure = sp_copy_text("no broker");
  expect_case(v, "application", SP_CASE_ERROR, "no broker|");
  done(v);
}

static void test_nothing_expected(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->n_alike = EVENTS;
  becomes(v, 1, SP_OUTCOME_UNCHECKED);
  expect_case(v, "predictions", SP_CASE_FAILED, "nothing is expected of 1 event|");
  v->has_reference = false;
  expect_case(v, "predictions", SP_CASE_SKIPPED,
              "nothing to compare with; servepath verify --update keeps these answers|");
  assert_int_equal(sp_verify_exit_code(v), 4);
  done(v);
}

// Texts of applications may quote data.
static void test_hiding(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  struct sp_result *r = v->sides[0].result;
  static const char *const texts[] = {"column a: \"4711\" is no number", "it is 5\" wide", "\"a\" and \"b\"",
                                      ""};
  static const char *const shown[] = {"column a: \"\" is no number", "it is 5\" wide", "\"\" and \"\"", ""};
  sp_result_example(r, 3, "score[1]: 3.5 instead of 3");
  for (size_t i = 0; i < 4; i++) strcpy(r->errors[i].text, texts[i]);
  r->n_errors = 4;
  sp_verify_hide(v);
  assert_string_equal(r->predictions.examples[0].text, "score[1] differs");
  for (size_t i = 0; i < 4; i++) assert_string_equal(r->errors[i].text, shown[i]);
  done(v);
}

static void test_findings_json(void **state) {
  (void)state;
  struct sp_verify *v = all_right();
  v->sides[0].answers.values[2 * 3 + 1] = 3.5;
  becomes(v, 3, SP_OUTCOME_MISMATCH);
  becomes(v, 5, SP_OUTCOME_LOST);
  v->sides[0].answers.copies[8] = 1;
  char *json = sp_verify_findings_json(v, 0, &hidden);
  assert_string_equal(json, "{\"differing\":[{\"event\":3,\"value\":1,\"kind\":\"value\",\"difference\":0.5,"
                            "\"text\":\"score[1] differs by 0.5\"}],\"missing\":[5],\"duplicated\":[8],"
                            "\"n_differing\":1,\"n_missing\":1,\"n_duplicated\":1}");
  free(json);
  done(v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_right),        cmocka_unit_test(test_differing),
      cmocka_unit_test(test_labels),           cmocka_unit_test(test_many_differ),
      cmocka_unit_test(test_missing),          cmocka_unit_test(test_ranges_are_few),
      cmocka_unit_test(test_copies_and_order), cmocka_unit_test(test_application),
      cmocka_unit_test(test_nothing_expected), cmocka_unit_test(test_hiding),
      cmocka_unit_test(test_findings_json),    cmocka_unit_test(test_nothing_sent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
