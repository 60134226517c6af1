// Pairs of trials: whose turn it is, what an invalid trial or a signal does to its pair, when it is enough, and what is not run again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "decide/pairs.h"
#include "os/files.h"

static const char *const names[] = {"A", "B", "C"};

// What would run trials: each is valid but those that stand in `invalid` ("A2": side A, seed 2), as often as they stand there, and has all
// its figures but those that stand in `blurred`.
struct bed {
  char dir[32];
  struct sp_supervisor supervisor;
  struct sp_pairs_plan plan;
  struct sp_pairs pairs;
  struct sp_look looks[SP_LOOKS_MAX];
  const char *invalid[32], *blurred[64];
  const char *signal_at, *fails_at, *dies_at; // "B3"; the last once
  char order[512];                            // "A1 B1 B2 A2 "
  size_t enough_at;                           // pairs
  char looked[64];                            // "12 18 "
  size_t n_done;                              // calls after a pair
};

static bool takes(const char **list, size_t n, const char *trial) {
  for (size_t i = 0; i < n; i++) {
    if (!list[i] || strcmp(list[i], trial) != 0) continue;
    list[i] = NULL;
    return true;
  }
  return false;
}

static void fill_response(struct sp_result *r, bool is_blurred) {
  r->response.present = true;
  r->response.count = 1000;
  for (int i = 0; i < SP_PERCENTILES; i++) {
    r->response.percentile_ns[i] = 1000000;
    r->response.state[i] = SP_PERCENTILE_RESOLVED;
  }
  r->response.driver_limited[SP_P99] = is_blurred;
}

static enum sp_err run(void *context, size_t side_i, uint64_t seed, const char *dir,
                       struct sp_result **result, struct sp_error *error) {
  struct bed *bed = context;
  char trial[16];
  snprintf(trial, sizeof trial, "%s%llu", names[side_i], (unsigned long long)seed);
  strcat(strcat(bed->order, trial), " ");
  struct sp_result *r = sp_result_new();
  if (bed->fails_at && strcmp(bed->fails_at, trial) == 0) { // marked when it began, as a trial is
    r->incomplete = sp_copy_text("no server");
    assert_int_equal(sp_result_write(r, dir, error), SP_OK);
    sp_result_free(r);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "no server");
  }
  r->side = sp_copy_text(names[side_i]);
  bool dies = bed->dies_at && strcmp(bed->dies_at, trial) == 0;
  if (dies) bed->dies_at = NULL;
  if (!dies) sp_facts_count(&r->load, "seed", (int64_t)seed);
  if (takes(bed->invalid, sizeof bed->invalid / sizeof bed->invalid[0], trial))
    sp_result_invalid(r, "steal_share 0.1");
  fill_response(r, takes(bed->blurred, sizeof bed->blurred / sizeof bed->blurred[0], trial));
  if (bed->signal_at && strcmp(bed->signal_at, trial) == 0) bed->supervisor.signal = 2;
  r->complete = bed->supervisor.signal == 0 && !dies;
  if (!r->complete) r->incomplete = sp_copy_text(dies ? "the driver was killed" : "ended by signal 2");
  assert_int_equal(sp_result_write(r, dir, error), SP_OK);
  *result = r;
  return SP_OK;
}

static bool is_enough(void *context, const struct sp_pairs *pairs, const struct sp_look *look) {
  struct bed *bed = context;
  char text[16];
  snprintf(text, sizeof text, "%zu ", look->n_pairs);
  strcat(bed->looked, text);
  assert_int_equal(pairs->n_pairs, look->n_pairs);
  return pairs->n_pairs >= bed->enough_at;
}

static void pair_done(void *context, const struct sp_pairs *pairs) {
  (void)pairs;
  ((struct bed *)context)->n_done++;
}

static void init(struct bed *bed, size_t n_sides, size_t n_pairs) {
  *bed = (struct bed){.dir = "/tmp/sp-pairs-XXXXXX", .enough_at = SIZE_MAX};
  assert_non_null(mkdtemp(bed->dir));
  bed->looks[0] = (struct sp_look){n_pairs, 0.01};
  bed->plan = (struct sp_pairs_plan){.dir = bed->dir,
                                     .names = names,
                                     .n_sides = n_sides,
                                     .first_seed = 1,
                                     .key = "key",
                                     .looks = bed->looks,
                                     .n_looks = 1,
                                     .run = run,
                                     .enough = is_enough,
                                     .pair_done = pair_done,
                                     .context = bed,
                                     .supervisor = &bed->supervisor};
}

static void done(struct bed *bed) {
  sp_pairs_done(&bed->pairs);
  assert_true(sp_files_remove(bed->dir));
}

static void go(struct bed *bed) {
  struct sp_error error = {.text = ""};
  if (sp_pairs_go(&bed->plan, &bed->pairs, &error)) fail_msg("%s", error.text);
}

// As a later call of the same command: nothing of the first is in memory.
static void go_again(struct bed *bed) {
  sp_pairs_done(&bed->pairs);
  bed->supervisor.signal = 0;
  bed->signal_at = NULL;
  bed->order[0] = '\0';
  go(bed);
}

static bool is_there(const struct bed *bed, const char *name) {
  struct stat facts;
  char *path = sp_format("%s/%s", bed->dir, name);
  bool there = stat(path, &facts) == 0;
  free(path);
  return there;
}

static void two_sides_alternate_with_one_seed_a_pair(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 4);
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 B2 A2 A3 B3 B4 A4 ");
  assert_int_equal(bed.pairs.n_pairs, 4);
  assert_int_equal(bed.pairs.n_trials, 8);
  assert_int_equal(bed.n_done, 4);
  assert_int_equal(bed.pairs.trials[3].side_i, 0);
  assert_int_equal(bed.pairs.trials[3].pair_i, 1);
  assert_int_equal(bed.pairs.trials[3].seed, 2);
  assert_true(is_there(&bed, "pairs/004/B/result.json"));
  done(&bed);
}

static void three_sides_rotate(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 3, 4);
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 C1 B2 C2 A2 C3 A3 B3 A4 B4 C4 ");
  done(&bed);
}

static void an_invalid_trial_redoes_its_whole_pair(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  bed.invalid[0] = "B1"; // second of its pair
  bed.invalid[1] = "B2"; // first of its pair: the other one is not run for nothing
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 A1 B1 B2 B2 A2 ");
  assert_int_equal(bed.pairs.n_pairs, 2);
  assert_int_equal(bed.pairs.n_redone, 2);
  assert_int_equal(bed.pairs.n_trials, 7);
  assert_string_equal(bed.pairs.trials[1].dir + strlen(bed.dir), "/invalid/001-1/B");
  assert_true(is_there(&bed, "invalid/001-1/A/result.json"));
  assert_true(is_there(&bed, "invalid/002-1/B/result.json"));
  assert_false(is_there(&bed, "invalid/002-1/A"));
  assert_string_equal(sp_pairs_find(&bed.pairs, 1, 0)->dir + strlen(bed.dir), "/pairs/001/B");
  done(&bed);
}

static void a_pair_that_stays_invalid_gives_its_place_to_the_next_seed(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  bed.invalid[0] = bed.invalid[1] = bed.invalid[2] = "A1";
  go(&bed);
  assert_string_equal(bed.order, "A1 A1 A1 B2 A2 A3 B3 ");
  assert_int_equal(bed.pairs.n_pairs, 2);
  assert_int_equal(bed.pairs.n_left_out, 1);
  assert_null(sp_pairs_find(&bed.pairs, 0, 0));
  assert_true(is_there(&bed, "invalid/001-3/A/result.json"));
  assert_false(is_there(&bed, "pairs/001"));
  done(&bed);
}

static void too_many_invalid_pairs_end_them(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 12);
  static const char *const trials[] = {"A1", "B2", "A3"}; // 3 of them are more than max(2, 1.2)
  for (size_t i = 0; i < 9; i++) bed.invalid[i] = trials[i / 3];
  go(&bed);
  assert_int_equal(bed.pairs.n_left_out, 3);
  assert_int_equal(bed.pairs.n_pairs, 0);
  assert_int_equal(bed.pairs.n_started, 3);
  assert_int_equal(bed.pairs.n_trials, 9);
  assert_string_equal(bed.looked, "");
  done(&bed);
}

static void they_end_at_the_first_look_that_is_enough(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  bed.looks[1] = (struct sp_look){4, 0.015};
  bed.looks[2] = (struct sp_look){6, 0.025};
  bed.plan.n_looks = 3;
  bed.enough_at = 4;
  go(&bed);
  assert_string_equal(bed.looked, "2 4 ");
  assert_int_equal(bed.pairs.n_pairs, 4);
  done(&bed);
}

static void a_signal_keeps_what_was_measured_and_the_next_call_goes_on(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 3);
  bed.signal_at = "A2"; // the second of its pair
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 B2 A2 ");
  assert_int_equal(bed.pairs.n_pairs, 1);
  assert_int_equal(bed.pairs.n_trials, 4);
  assert_false(bed.pairs.trials[3].result->complete);
  assert_int_equal(bed.n_done, 1);
  go_again(&bed);
  assert_string_equal(bed.order, "B2 A2 A3 B3 ");
  assert_int_equal(bed.pairs.n_pairs, 3);
  assert_int_equal(bed.pairs.n_found, 1);
  assert_int_equal(bed.pairs.n_trials, 6);
  assert_false(is_there(&bed, "invalid"));
  go_again(&bed); // nothing is left to do
  assert_string_equal(bed.order, "");
  assert_int_equal(bed.pairs.n_pairs, 3);
  done(&bed);
}

static void more_pairs_go_on_behind_the_first(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  go(&bed);
  bed.looks[0].n_pairs = 2;
  go_again(&bed);
  assert_string_equal(bed.order, "B2 A2 ");
  done(&bed);
}

static void a_pair_without_a_figure_is_redone(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  bed.blurred[0] = "B1";
  bed.blurred[1] = "B2"; // first of its pair: the other one is not run for nothing
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 A1 B1 B2 B2 A2 ");
  assert_int_equal(bed.pairs.n_pairs, 2);
  assert_int_equal(bed.pairs.n_redone, 2);
  assert_int_equal(bed.pairs.n_blurred, 2);
  assert_int_equal(bed.pairs.n_trials, 7);
  assert_true(bed.pairs.trials[0].is_set_aside && bed.pairs.trials[1].is_set_aside);
  assert_string_equal(bed.pairs.trials[1].dir + strlen(bed.dir), "/invalid/001-1/B");
  assert_ptr_equal(sp_pairs_find(&bed.pairs, 0, 0), &bed.pairs.trials[2]);
  go_again(&bed);
  assert_string_equal(bed.order, "");
  assert_int_equal(bed.pairs.n_blurred, 2);
  assert_true(bed.pairs.trials[0].is_set_aside && !bed.pairs.trials[2].is_set_aside);
  done(&bed);
}

static void one_that_never_has_a_figure_is_kept_as_it_is(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 12);
  for (size_t i = 0; i < 3; i++) bed.blurred[i] = "A1"; // the third try is the last
  go(&bed);
  assert_int_equal(strncmp(bed.order, "A1 A1 A1 B1 B2 ", 15), 0);
  assert_int_equal(bed.pairs.n_pairs, 12);
  assert_int_equal(bed.pairs.n_left_out, 0);
  done(&bed);
}

// Not for ever: then the judge says what is missing.
static void only_so_many_are_redone_for_want_of_a_figure(void **state) {
  static char names_of[24][8];
  struct bed bed;
  (void)state;
  init(&bed, 1, 24);
  for (size_t i = 0; i < 24; i++) {
    snprintf(names_of[i], sizeof names_of[i], "A%zu", i + 1);
    bed.blurred[2 * i] = bed.blurred[2 * i + 1] = names_of[i];
  }
  go(&bed);
  assert_int_equal(bed.pairs.n_pairs, 24);
  assert_int_equal(bed.pairs.n_blurred, 6);
  done(&bed);
}

static void a_metric_that_nobody_asks_for_redoes_nothing(void **state) {
  const struct sp_metric *family[] = {sp_metric_find("response_p50")};
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  bed.plan.family = family;
  bed.plan.n_family = 1;
  bed.blurred[0] = "B1";
  go(&bed);
  assert_string_equal(bed.order, "A1 B1 ");
  done(&bed);
}

// Its driver was killed: what is left knows no seed, and is a try all the same, now and later.
static void what_was_broken_off_is_redone_and_counts(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  bed.dies_at = "A1";
  go(&bed);
  assert_string_equal(bed.order, "A1 A1 B1 ");
  assert_int_equal(bed.pairs.n_redone, 1);
  assert_int_equal(bed.pairs.n_trials, 3);
  go_again(&bed);
  assert_string_equal(bed.order, "");
  assert_int_equal(bed.pairs.n_redone, 1);
  assert_int_equal(bed.pairs.n_trials, 3);
  done(&bed);
}

static void invalid_tries_of_an_earlier_call_count(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  bed.invalid[0] = bed.invalid[1] = "A1";
  bed.signal_at = "B1";
  go(&bed);
  assert_string_equal(bed.order, "A1 A1 A1 B1 ");
  bed.invalid[0] = "A1";
  go_again(&bed); // the third try is the last
  assert_string_equal(bed.order, "A1 B2 A2 ");
  assert_int_equal(bed.pairs.n_left_out, 1);
  assert_int_equal(bed.pairs.n_trials, 5);
  done(&bed);
}

static void what_lies_there_counts_only_whole_and_of_its_seed(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  go(&bed);
  char *cut = sp_format("%s/pairs/001/B/result.json", bed.dir);
  assert_int_equal(truncate(cut, 100), 0);
  free(cut);
  char *from = sp_format("%s/pairs/002", bed.dir), *to = sp_format("%s/pairs/003", bed.dir);
  assert_int_equal(rename(from, to), 0); // seed 2 where seed 3 belongs
  free(from);
  free(to);
  bed.looks[0].n_pairs = 3;
  go_again(&bed);
  assert_string_equal(bed.order, "A1 B1 B2 A2 A3 B3 ");
  done(&bed);
}

static void pairs_of_something_else_are_refused(void **state) {
  struct bed bed;
  struct sp_error error;
  (void)state;
  init(&bed, 2, 1);
  go(&bed);
  sp_pairs_done(&bed.pairs);
  bed.plan.key = "another";
  assert_int_equal(sp_pairs_go(&bed.plan, &bed.pairs, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, bed.dir));
  assert_int_equal(bed.pairs.n_trials, 0);
  done(&bed);
}

// As another build does it: nothing of the first call is in memory.
static enum sp_err go_as(struct bed *bed, const char *key) {
  struct sp_error error;
  sp_pairs_done(&bed->pairs);
  bed->order[0] = '\0';
  bed->plan.key = key;
  return sp_pairs_go(&bed->plan, &bed->pairs, &error);
}

static void a_start_without_a_trial_binds_nobody(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  bed.fails_at = "A1";
  assert_int_equal(go_as(&bed, "first"), SP_ERR_ENVIRONMENT);
  assert_true(is_there(&bed, "pairs/key"));
  bed.fails_at = "B1"; // with one trial it is bound
  assert_int_equal(go_as(&bed, "another"), SP_ERR_ENVIRONMENT);
  assert_string_equal(bed.order, "A1 B1 ");
  assert_int_equal(go_as(&bed, "first"), SP_ERR_USAGE);
  assert_string_equal(bed.order, "");
  assert_int_equal(go_as(&bed, "another"), SP_ERR_ENVIRONMENT);
  done(&bed);
}

static void an_invalid_trial_binds_too(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 1);
  bed.invalid[0] = bed.invalid[1] = bed.invalid[2] = "A1";
  bed.fails_at = "B2";
  assert_int_equal(go_as(&bed, "first"), SP_ERR_ENVIRONMENT);
  assert_string_equal(bed.order, "A1 A1 A1 B2 ");
  assert_int_equal(go_as(&bed, "another"), SP_ERR_USAGE);
  done(&bed);
}

static void an_error_ends_them_and_keeps_the_pairs_before(void **state) {
  struct bed bed;
  struct sp_error error;
  (void)state;
  init(&bed, 2, 3);
  bed.fails_at = "A2";
  assert_int_equal(sp_pairs_go(&bed.plan, &bed.pairs, &error), SP_ERR_ENVIRONMENT);
  assert_string_equal(error.text, "no server");
  assert_string_equal(bed.order, "A1 B1 B2 A2 ");
  assert_int_equal(bed.pairs.n_pairs, 1);
  done(&bed);
}

static void fresh_pairs_lie_apart(void **state) {
  struct bed bed;
  (void)state;
  init(&bed, 2, 2);
  go(&bed);
  bed.plan.is_confirming = true;
  bed.plan.first_seed = 101;
  bed.invalid[0] = "A101";
  go_again(&bed);
  assert_string_equal(bed.order, "A101 A101 B101 B102 A102 ");
  assert_true(bed.pairs.trials[0].is_confirming);
  assert_true(is_there(&bed, "fresh/002/A/result.json"));
  assert_true(is_there(&bed, "invalid/fresh-001-1/A/result.json"));
  done(&bed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_sides_alternate_with_one_seed_a_pair),
      cmocka_unit_test(three_sides_rotate),
      cmocka_unit_test(an_invalid_trial_redoes_its_whole_pair),
      cmocka_unit_test(a_pair_that_stays_invalid_gives_its_place_to_the_next_seed),
      cmocka_unit_test(too_many_invalid_pairs_end_them),
      cmocka_unit_test(they_end_at_the_first_look_that_is_enough),
      cmocka_unit_test(a_signal_keeps_what_was_measured_and_the_next_call_goes_on),
      cmocka_unit_test(more_pairs_go_on_behind_the_first),
      cmocka_unit_test(a_pair_without_a_figure_is_redone),
      cmocka_unit_test(one_that_never_has_a_figure_is_kept_as_it_is),
      cmocka_unit_test(only_so_many_are_redone_for_want_of_a_figure),
      cmocka_unit_test(a_metric_that_nobody_asks_for_redoes_nothing),
      cmocka_unit_test(what_was_broken_off_is_redone_and_counts),
      cmocka_unit_test(invalid_tries_of_an_earlier_call_count),
      cmocka_unit_test(what_lies_there_counts_only_whole_and_of_its_seed),
      cmocka_unit_test(pairs_of_something_else_are_refused),
      cmocka_unit_test(a_start_without_a_trial_binds_nobody),
      cmocka_unit_test(an_invalid_trial_binds_too),
      cmocka_unit_test(an_error_ends_them_and_keeps_the_pairs_before),
      cmocka_unit_test(fresh_pairs_lie_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
