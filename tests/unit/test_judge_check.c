// Trials that cannot be compared are refused, with both folders and what differs.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/trials.h"

static const char *const names[] = {"a", "b"};
static const struct sp_judge_plan plan = {.side_names = names, .n_sides = 2, .alpha = 0.01, .delta = 0.05};

// Four pairs that agree; trial 3 is of side b and pair 1.
static struct sp_trials made(void) {
  struct sp_trials trials = {0};
  for (size_t p = 0; p < 4; p++) {
    for (size_t s = 0; s < 2; s++) {
      const struct sp_trials_side side = {names[s], 400000, 2000000, 24, 0, 0, 0};
      sp_trials_add(&trials, &side, s, p);
    }
  }
  return trials;
}

static void recording(struct sp_result *r) {
  sp_facts_text(&r->recording, "digest", "xxh128:other");
}
static void arrival(struct sp_result *r) {
  sp_facts_text(&r->load, "arrival", "constant");
}
static void rate(struct sp_result *r) {
  sp_facts_real(&r->load, "rate_per_s", 2000);
}
static void duration(struct sp_result *r) {
  sp_facts_count(&r->load, "duration_ns", 1);
}
static void awake(struct sp_result *r) {
  sp_facts_count(&r->load, "wake_latency_ns", 0);
}
static void seed(struct sp_result *r) {
  sp_facts_count(&r->load, "seed", 77);
}
static void events(struct sp_result *r) {
  r->intended = r->response.count = r->outcomes[SP_OUTCOME_OK] = SP_TRIALS_EVENTS + 1;
}
static void expect(struct sp_result *r) {
  sp_facts_json(&r->scenario, "resolved", "{\"expect\":{\"abs\":0.1,\"p99\":\"10ms\"}}");
}
static void source(struct sp_result *r) {
  free(r->predictions.source);
  r->predictions.source = sp_copy_text("self");
}
static void machine(struct sp_result *r) {
  sp_facts_text(&r->machine, "fingerprint", "xxh128:elsewhere");
}
static void build(struct sp_result *r) {
  sp_facts_text(&r->build, "version", "2.0");
}
static void threads(struct sp_result *r) {
  sp_facts_count(&r->load, "threads", 8);
}
static void transport(struct sp_result *r) {
  free(r->transport);
  r->transport = sp_copy_text("elsewhere");
}
static void broker(struct sp_result *r) {
  sp_facts_text(&r->broker, "kind", "mock");
}
static void model(struct sp_result *r) {
  sp_facts_text(&r->model, "digest", "xxh128:better");
}
static void half_written(struct sp_result *r) {
  r->complete = false;
  r->incomplete = sp_copy_text("ended by SIGKILL");
}
static void no_events(struct sp_result *r) {
  r->intended = r->response.count = r->outcomes[SP_OUTCOME_OK] = 0;
  r->response.mean_ns = NAN;
}
static void nan_mean(struct sp_result *r) {
  r->response.mean_ns = NAN;
}
static void nan_cpu(struct sp_result *r) {
  sp_amounts_set(&r->cpu_us_per_event, "total", NAN);
}
static void infinite_rate(struct sp_result *r) {
  r->achieved_per_s = INFINITY;
}
static void nan_completion(struct sp_result *r) {
  r->completion = NAN;
}
static void no_p99(struct sp_result *r) {
  r->response.percentile_ns[SP_P99] = -1;
}
static void lost_in_the_books(struct sp_result *r) {
  r->outcomes[SP_OUTCOME_OK] -= 5;
}

static const struct {
  const char *name;
  void (*spoil)(struct sp_result *r);
  enum sp_err err;
  const char *what;
  bool is_alone; // one folder is at fault, not a pair of them
} cases[] = {
    {"recording", recording, SP_ERR_USAGE, "recording.digest xxh128:recording and xxh128:other", false},
    {"arrival", arrival, SP_ERR_USAGE, "load.arrival poisson and constant", false},
    {"rate", rate, SP_ERR_USAGE, "load.rate_per_s 1000 and 2000", false},
    {"duration", duration, SP_ERR_USAGE, "load.duration_ns 10000000000 and 1", false},
    {"wake_latency", awake, SP_ERR_USAGE, "load.wake_latency_ns none and 0", false},
    {"seed", seed, SP_ERR_USAGE, "seeds 2 and 77 in one pair", false},
    {"schedule", events, SP_ERR_USAGE, "10000 and 10001 events in schedules of one seed", false},
    {"expect", expect, SP_ERR_USAGE, "expect.abs differs", false},
    {"source", source, SP_ERR_USAGE, "predictions were checked against reference and self", false},
    {"machine", machine, SP_ERR_USAGE, "measured on two machines, xxh128:machine and xxh128:elsewhere",
     false},
    {"build", build, SP_ERR_USAGE, "build.version 1.0 and 2.0", false},
    {"threads", threads, SP_ERR_USAGE, "load.threads none and 8", false},
    {"transport", transport, SP_ERR_USAGE, " and elsewhere", false},
    {"broker", broker, SP_ERR_USAGE, "broker.kind none and mock", false},
    {"model", model, SP_ERR_USAGE, "model.digest ", false},
    {"half written", half_written, SP_ERR_ENVIRONMENT, "incomplete (ended by SIGKILL)", true},
    {"no events", no_events, SP_ERR_USAGE, "no event in the measured window", true},
    {"NaN mean", nan_mean, SP_ERR_ENVIRONMENT, "the mean response is no number", true},
    {"NaN cpu", nan_cpu, SP_ERR_ENVIRONMENT, "cpu_us_per_event is no number", true},
    {"infinite rate", infinite_rate, SP_ERR_ENVIRONMENT, "rate_per_s.achieved is no number", true},
    {"NaN completion", nan_completion, SP_ERR_ENVIRONMENT, "completion is no number", true},
    {"no p99", no_p99, SP_ERR_ENVIRONMENT, "p99 is no time", true},
    {"books", lost_in_the_books, SP_ERR_ENVIRONMENT, "the outcomes sum to 9995 of 10000", true},
};

static void test_each_difference_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_trials trials = made();
    struct sp_error error = {0};
    cases[i].spoil(sp_trials_result(&trials, 3));
    enum sp_err err = sp_judge_check(&plan, trials.items, trials.n, false, &error);
    bool names_own = strstr(error.text, "pairs/001-4/b") != NULL,
         names_other = strstr(error.text, " and pairs/") != NULL;
    if (err != cases[i].err || !strstr(error.text, cases[i].what) || !names_own ||
        names_other == cases[i].is_alone)
      fail_msg("%s: %d, %s", cases[i].name, err, error.text);
    sp_trials_done(&trials);
  }
}

// The same in an invalid trial is no reason: it does not count. But one that was broken off is.
static void test_invalid_trials_are_no_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_trials trials = made();
    struct sp_error error = {0};
    cases[i].spoil(sp_trials_result(&trials, 3));
    sp_result_invalid(sp_trials_result(&trials, 3), "late");
    enum sp_err err = sp_judge_check(&plan, trials.items, trials.n, false, &error);
    if ((err != SP_OK) != (cases[i].spoil == half_written))
      fail_msg("%s: %d, %s", cases[i].name, err, error.text);
    sp_trials_done(&trials);
  }
}

// Of trials that were just run: a driver that was killed once, or every time, ends in what the others say.
static void test_what_was_redone_is_no_reason(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  half_written(sp_trials_result(&trials, 3));
  assert_int_equal(sp_judge_check_live(&plan, trials.items, trials.n, false, &error), SP_OK);
  build(sp_trials_result(&trials, 5));
  assert_int_equal(sp_judge_check_live(&plan, trials.items, trials.n, false, &error), SP_ERR_USAGE);
  for (size_t i = 1; i < 8; i += 2) {
    if (i != 3) half_written(sp_trials_result(&trials, i)); // that is half written already
  }
  assert_int_equal(sp_judge_check_live(&plan, trials.items, trials.n, false, &error), SP_OK);
  sp_trials_done(&trials);
}

static void test_what_may_differ(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  for (size_t p = 0; p < 4;
       p++) { // side b as a whole: a candidate of another build, with another number of threads
    build(sp_trials_result(&trials, 2 * p + 1));
    threads(sp_trials_result(&trials, 2 * p + 1));
  }
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_OK);
  for (size_t p = 0; p < 4; p++) machine(sp_trials_result(&trials, 2 * p + 1));
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_ERR_USAGE);
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, true, &error), SP_OK);
  machine(sp_trials_result(&trials, 0)); // one trial of a
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, true, &error), SP_OK);
  build(sp_trials_result(&trials, 0));
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, true, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "build.version 2.0 and 1.0"));
  sp_trials_done(&trials);
}

// Sides may have a transport, a broker and a model of their own, on purpose; builds of one deployment may not differ in how events travel.
static void test_what_a_side_has_of_its_own(void **state) {
  (void)state;
  static const struct {
    void (*change)(struct sp_result *r);
    const char *what; // NULL: builds may differ in it
  } own[] = {{transport, " and elsewhere"}, {broker, "broker.kind none and mock"}, {model, NULL}};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    struct sp_trials trials = made();
    struct sp_error error = {0};
    struct sp_judge_plan builds = plan;
    builds.are_builds = true;
    for (size_t p = 0; p < 4; p++) own[i].change(sp_trials_result(&trials, 2 * p + 1));
    if (sp_judge_check(&plan, trials.items, trials.n, false, &error)) fail_msg("%s", error.text);
    enum sp_err err = sp_judge_check(&builds, trials.items, trials.n, false, &error);
    assert_int_equal(err, own[i].what ? SP_ERR_USAGE : SP_OK);
    if (own[i].what && !strstr(error.text, own[i].what)) fail_msg("%s", error.text);
    sp_trials_done(&trials);
  }
}

// Its bytes may be those of another version: each has a file of expectations.
static void test_a_copy_of_a_model_has_its_own_expectations(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  for (size_t i = 0; i < trials.n; i++) {
    struct sp_facts *facts = &sp_trials_result(&trials, i)->model;
    sp_facts_count(facts, "version", i % 2 ? 2 : 1);
    sp_facts_text(facts, "expected_digest", i % 2 ? "xxh128:two" : "xxh128:one");
  }
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_OK);
  sp_trials_done(&trials);
}

static void test_another_model_may_have_other_expectations(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  for (size_t p = 0; p < 4; p++) {
    source(sp_trials_result(&trials, 2 * p + 1));
    sp_facts_text(&sp_trials_result(&trials, 2 * p + 1)->model, "digest", "xxh128:better");
  }
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_OK);
  sp_trials_done(&trials);
}

static void test_one_model_has_one_file_of_expectations(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  for (size_t i = 0; i < trials.n; i++)
    sp_facts_text(&sp_trials_result(&trials, i)->model, "expected_digest", "xxh128:one");
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_OK);
  sp_facts_text(&sp_trials_result(&trials, 3)->model, "expected_digest", "xxh128:other");
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "against expectations xxh128:one and xxh128:other"));
  sp_trials_done(&trials);
}

static void test_one_run_twice(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  struct sp_result *copy = sp_trials_result(&trials, 6);
  free(copy->run_id);
  copy->run_id = sp_copy_text(trials.items[2].result->run_id);
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "pairs/001-3/a and pairs/003-7/a cannot be compared: both are run "));
  sp_trials_done(&trials);
}

static void test_one_trial_or_one_side_is_nothing_to_compare(void **state) {
  (void)state;
  struct sp_trials trials = made();
  struct sp_error error = {0};
  assert_int_equal(sp_judge_check(&plan, trials.items, 1, false, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "pairs/000-1/a: one trial alone"));
  for (size_t p = 0; p < 4; p++) sp_result_invalid(sp_trials_result(&trials, 2 * p + 1), "late");
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error),
                   SP_OK); // measured, and judged
  for (size_t p = 0; p < 4; p++) trials.items[2 * p + 1].side_i = 0;
  assert_int_equal(sp_judge_check(&plan, trials.items, trials.n, false, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "side b has no trial"));
  assert_int_equal(sp_judge_check(&plan, trials.items, 0, false, &error), SP_ERR_USAGE);
  sp_trials_done(&trials);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_difference_is_refused),
      cmocka_unit_test(test_invalid_trials_are_no_reason),
      cmocka_unit_test(test_what_was_redone_is_no_reason),
      cmocka_unit_test(test_what_may_differ),
      cmocka_unit_test(test_what_a_side_has_of_its_own),
      cmocka_unit_test(test_a_copy_of_a_model_has_its_own_expectations),
      cmocka_unit_test(test_another_model_may_have_other_expectations),
      cmocka_unit_test(test_one_model_has_one_file_of_expectations),
      cmocka_unit_test(test_one_run_twice),
      cmocka_unit_test(test_one_trial_or_one_side_is_nothing_to_compare),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
