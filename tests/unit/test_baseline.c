// Stored trials: what is kept as the next base, which of them are pairs, what is missing, and how a report names them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "decide/baseline.h"
#include "decide/baseline_keep.h"
#include "decide/forms.h"
#include "decide/pairs.h"
#include "os/files.h"
#include "support/trials.h"

static const struct sp_trials_side side = {"a", 1e6, 3e6, 20, 0, 0, 0};

// A folder of their own for each test, where trials lie and bases are kept.
static int enter_folder(void **state) {
  char *folder = sp_copy_text("/tmp/sp-baseline-XXXXXX");
  *state = folder;
  return !mkdtemp(folder) || chdir(folder) != 0;
}

static int leave_folder(void **state) {
  bool is_gone = chdir("/") == 0 && sp_files_remove(*state);
  free(*state);
  return !is_gone;
}

// Of side 1, with its files: in a folder of its own, though another gate has one of its name.
static void add(struct sp_trials *trials, size_t pair_i) {
  struct sp_error error;
  struct sp_result *r = sp_trials_add(trials, &side, 1, pair_i);
  struct sp_judge_trial *trial = &trials->items[trials->n - 1];
  free((void *)(uintptr_t)trial->dir);
  trial->dir = sp_format("trials/%s", r->run_id);
  assert_int_equal(sp_files_make_dirs(trial->dir, &error), SP_OK);
  assert_int_equal(sp_result_write(r, trial->dir, &error), SP_OK);
}

static size_t keep(const struct sp_trials *trials, bool replaces) {
  struct sp_error error;
  size_t n_saved = 99;
  assert_int_equal(sp_baseline_keep(trials->items, trials->n, 1, "kept", replaces, &n_saved, &error), SP_OK);
  return n_saved;
}

static struct sp_stored read_kept(void) {
  struct sp_stored stored = {0};
  struct sp_error error;
  if (sp_stored_read("kept", NULL, &stored, &error)) fail_msg("%s", error.text);
  if (sp_stored_check_seeds(&stored, &error)) fail_msg("%s", error.text);
  return stored;
}

static bool is_kept(const struct sp_trials *trials, size_t i) {
  struct sp_stored stored = read_kept();
  bool is = false;
  for (size_t k = 0; k < stored.n; k++)
    is |= strcmp(stored.trials[k].result->run_id, trials->items[i].result->run_id) == 0;
  sp_stored_done(&stored);
  return is;
}

static size_t count_kept(void) {
  struct sp_stored stored = read_kept();
  size_t n = stored.n;
  sp_stored_done(&stored);
  return n;
}

static void a_gate_that_is_repeated_keeps_its_trials_once(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t i = 0; i < 3; i++) add(&trials, i);
  assert_int_equal(keep(&trials, true), 3);
  assert_int_equal(keep(&trials, true), 0);
  assert_int_equal(count_kept(), 3);
  for (size_t i = 3; i < 5; i++) add(&trials, i); // more --pairs of the same gate
  assert_int_equal(keep(&trials, false), 2);
  assert_int_equal(count_kept(), 5);
  sp_trials_done(&trials);
}

static void of_a_redone_pair_the_last_trial_is_kept(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  add(&trials, 0);
  add(&trials, 1);
  add(&trials, 1);
  sp_trials_add(&trials, &side, 0, 1); // of the other side
  sp_result_invalid(sp_trials_add(&trials, &side, 1, 0), "steal_share 0.1");
  assert_int_equal(keep(&trials, true), 2);
  assert_true(is_kept(&trials, 0) && is_kept(&trials, 2) && !is_kept(&trials, 1));
  sp_trials_done(&trials);
}

static void another_gate_takes_the_place_of_a_base(void **state) {
  (void)state;
  struct sp_trials first = {0}, second = {0};
  for (size_t i = 0; i < 4; i++) add(&first, i);
  for (size_t i = 0; i < 2; i++) add(&second, i);
  struct sp_result *others = sp_trials_result(&first, 3);
  free(others->side);
  others->side = sp_copy_text("another");
  struct sp_error error;
  assert_int_equal(sp_result_write(others, first.items[3].dir, &error), SP_OK);
  struct sp_trials foreign = {first.items + 3, 1};
  first.n = 3;
  assert_int_equal(keep(&foreign, true), 1);
  assert_int_equal(keep(&first, true), 3);
  assert_int_equal(keep(&second, false), 0); // inconclusive: the base stays
  struct sp_stored stored = {0};
  assert_int_equal(sp_stored_read("kept", "a", &stored, &error), SP_OK);
  assert_int_equal(stored.n, 3);
  sp_stored_done(&stored);
  assert_int_equal(keep(&second, true), 2);
  assert_int_equal(sp_stored_read("kept", "a", &stored, &error), SP_OK);
  assert_int_equal(stored.n, 2);
  sp_stored_done(&stored);
  assert_int_equal(sp_stored_read("kept", "another", &stored, &error), SP_OK); // is nobody's to replace
  assert_int_equal(stored.n, 1);
  sp_stored_done(&stored);
  first.n = 4;
  sp_trials_done(&first);
  sp_trials_done(&second);
}

static void a_base_is_kept_whole_or_not_at_all(void **state) {
  (void)state;
  struct sp_trials first = {0}, second = {0};
  struct sp_error error;
  size_t n_saved = 99;
  add(&first, 0);
  for (size_t i = 0; i < 3; i++) add(&second, i);
  assert_int_equal(keep(&first, true), 1);
  assert_true(sp_files_remove(second.items[2].dir));
  assert_int_equal(sp_baseline_keep(second.items, second.n, 1, "kept", true, &n_saved, &error),
                   SP_ERR_ENVIRONMENT);
  assert_int_equal(n_saved, 0);
  assert_true(is_kept(&first, 0));
  assert_int_equal(count_kept(), 1);
  sp_trials_done(&first);
  sp_trials_done(&second);
}

// --- Seeds ---

static struct sp_stored stored_of(struct sp_stored_trial *trials, size_t n) {
  for (size_t i = 0; i < n; i++) trials[i].dir = "dir";
  return (struct sp_stored){trials, n};
}

static void two_of_a_seed_are_found_wherever_they_lie(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_stored_trial trials[] = {{.seed = 1}, {.seed = 2}, {.seed = 3}, {.seed = 1}};
  struct sp_stored stored = stored_of(trials, 3);
  assert_int_equal(sp_stored_check_seeds(&stored, &error), SP_OK);
  stored.n = 4;
  trials[3].dir = "dir";
  assert_int_equal(sp_stored_check_seeds(&stored, &error), SP_ERR_USAGE);
}

// Fresh pairs begin 1000 seeds on: what lies between was not asked for.
static void only_a_hole_in_a_row_is_a_gap(void **state) {
  (void)state;
  struct sp_stored_trial base[] = {{.seed = 1}, {.seed = 3}, {.seed = 4}, {.seed = 1001}, {.seed = 1003}};
  struct sp_stored_trial candidate[] = {{.seed = 1}, {.seed = 2}, {.seed = 5}, {.seed = 6}, {.seed = 1002}};
  struct sp_stored left = stored_of(base, 5), right = stored_of(candidate, 5);
  struct sp_judge_trial gaps[5];
  assert_int_equal(sp_stored_gaps(&left, &right, 0, 10, gaps), 2);
  assert_int_equal(gaps[0].seed, 2);
  assert_int_equal(gaps[1].seed, 1002);
}

static void the_seeds_of_a_base_end_with_the_base(void **state) {
  (void)state;
  struct sp_stored_trial base[24], candidate[24];
  struct sp_judge_trial pairs[48];
  size_t n_confirming = 0;
  for (size_t i = 0; i < 24; i++) {
    uint64_t seed = i < 12 ? 1 + i : 1 + SP_PAIRS_FRESH_SEEDS + i - 12;
    base[i] = (struct sp_stored_trial){.seed = seed};
    candidate[i] = (struct sp_stored_trial){.seed = seed};
  }
  struct sp_stored left = stored_of(base, 24), right = stored_of(candidate, 24);
  assert_int_equal(sp_stored_pair(&left, &right, 12, pairs), 48);
  for (size_t i = 0; i < 48; i++) {
    n_confirming += pairs[i].is_confirming;
    assert_int_equal(pairs[i].is_confirming, pairs[i].seed > SP_PAIRS_FRESH_SEEDS);
  }
  assert_int_equal(n_confirming, 24);
}

// --- Names ---

static void expect_place(const char *dir, const char *trial, const char *place) {
  struct sp_comparison *c = sp_comparison_new();
  c->trials = sp_alloc(sizeof *c->trials);
  c->n_trials = 1;
  c->trials[0] = (struct sp_compared_trial){.dir = sp_copy_text(trial)};
  sp_forms_relative(c, dir);
  assert_string_equal(c->trials[0].dir, place);
  sp_comparison_free(c);
}

static void trials_are_named_from_the_folder_of_their_comparison(void **state) {
  struct sp_error error;
  static const char *const folders[] = {"out/pairs/001", "base/001", "deep/er/out", "output/001"};
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
    assert_int_equal(sp_files_make_dirs(folders[i], &error), SP_OK);
  assert_int_equal(symlink("deep/er/out", "link"), 0);
  expect_place("out", "out/pairs/001", "pairs/001");
  expect_place("out/", "out/pairs/001", "pairs/001");
  expect_place("out", "base/001", "../base/001");
  expect_place("out", "./base//001", "../base/001");
  expect_place("out", "output/001", "../output/001");
  expect_place("deep/er/out", "base/001", "../../../base/001");
  expect_place("link", "base/001", "../../../base/001"); // from where it really lies
  expect_place("base/001", "base", "..");
  expect_place(".", "base/001", "base/001");
  expect_place("out", "gone/001", "gone/001");
  char *absolute = sp_format("%s/base/001", (char *)*state);
  expect_place("out", absolute, "../base/001");
  free(absolute);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_gate_that_is_repeated_keeps_its_trials_once, enter_folder,
                                      leave_folder),
      cmocka_unit_test_setup_teardown(of_a_redone_pair_the_last_trial_is_kept, enter_folder, leave_folder),
      cmocka_unit_test_setup_teardown(another_gate_takes_the_place_of_a_base, enter_folder, leave_folder),
      cmocka_unit_test_setup_teardown(a_base_is_kept_whole_or_not_at_all, enter_folder, leave_folder),
      cmocka_unit_test(two_of_a_seed_are_found_wherever_they_lie),
      cmocka_unit_test(only_a_hole_in_a_row_is_a_gap),
      cmocka_unit_test(the_seeds_of_a_base_end_with_the_base),
      cmocka_unit_test_setup_teardown(trials_are_named_from_the_folder_of_their_comparison, enter_folder,
                                      leave_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
