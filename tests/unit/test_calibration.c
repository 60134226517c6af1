// Files of calibrations: each case, side and machine has one of its own, which a gate of theirs finds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "decide/calibration.h"
#include "support/trials.h"

#define NOW_S 1795262400 // 2026-11-21, noon

struct of { // what trials are of, and the margin that is measured there
  const char *case_name, *side, *fingerprint;
  double margin;
};

// Neighbours here differ by little: by the side alone, by where a name ends, by the machine.
static const struct of all[] = {
    {"fraud", "embedded", "xxh128:1", 0.01}, {"fraud", "rpc", "xxh128:1", 0.02},
    {"fraud", "rpc-new", "xxh128:1", 0.03},  {"fraud-rpc", "new", "xxh128:1", 0.04},
    {"fraud", "rpc", "xxh128:2", 0.05},
};
#define N_ALL (sizeof all / sizeof all[0])

static struct sp_result *trial_of(struct sp_trials *trials, const struct of *of) {
  const struct sp_trials_side side = {.name = of->side, .p50_ns = 1e6, .p99_ns = 2e6, .cpu_us = 10};
  struct sp_result *result = sp_trials_add(trials, &side, 0, 0);
  sp_facts_text(&result->scenario, "name", of->case_name);
  sp_facts_text(&result->machine, "fingerprint", of->fingerprint);
  free(result->started_at);
  result->started_at = sp_copy_text("2026-11-21T10:00:00.000Z");
  return result;
}

static void measure(const struct sp_result *result, double margin) {
  struct sp_calibration made = {0};
  struct sp_error error;
  char *path = sp_calibration_file(result, 1);
  sp_calibration_of(result, &made);
  sp_facts_real(&made.margins, "response_p50", margin);
  if (sp_calibration_write(&made, path, &error)) fail_msg("%s", error.text);
  sp_calibration_done(&made);
  free(path);
}

static void assert_found(const struct sp_result *result, double margin) {
  struct sp_calibration found = {0};
  struct sp_error error;
  char why[256], *path = sp_calibration_file(result, 1);
  if (sp_calibration_read(path, &found, &error)) fail_msg("%s", error.text);
  if (!sp_calibration_fits(&found, result, 1, NOW_S, why, sizeof why)) fail_msg("%s: %s", path, why);
  assert_true(sp_calibration_margin(&found, sp_metric_find("response_p50")) == margin);
  assert_false(sp_calibration_fits(&found, result, 6, NOW_S, why, sizeof why));
  assert_string_equal(why, "for --mean-of 1, not 6");
  found.mean_of = 0; // of a file from before there were means
  assert_true(sp_calibration_fits(&found, result, 1, NOW_S, why, sizeof why));
  assert_false(sp_calibration_fits(&found, result, 6, NOW_S, why, sizeof why));
  assert_string_equal(why, "for --mean-of 1, not 6");
  sp_calibration_done(&found);
  free(path);
}

static void calibrations_live_beside_each_other(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t i = 0; i < N_ALL; i++) measure(trial_of(&trials, &all[i]), all[i].margin);
  for (size_t i = 0; i < N_ALL; i++) assert_found(sp_trials_result(&trials, i), all[i].margin);
  measure(sp_trials_result(&trials, 1), 0.06); // again: it alone is replaced
  for (size_t i = 0; i < N_ALL; i++)
    assert_found(sp_trials_result(&trials, i), i == 1 ? 0.06 : all[i].margin);
  sp_trials_done(&trials);
}

static void the_files_name_says_whose_it_is(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  char *path = sp_calibration_file(
      trial_of(&trials, &(struct of){"fraud", "rpc", "xxh128:0123456789abcdef0123456789abcdef", 0}), 1);
  assert_string_equal(path, "results/calibration-fraud.rpc-0123456789ab.json");
  free(path);
  path = sp_calibration_file(sp_trials_result(&trials, 0), 6);
  assert_string_equal(path, "results/calibration-fraud.rpc-0123456789ab-mean6.json");
  free(path);
  sp_trials_done(&trials);
}

static char folder[] = "/tmp/sp-test-calibration-XXXXXX";

static int enter_folder(void **state) {
  (void)state;
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  struct sp_trials trials = {0};
  for (size_t i = 0; i < N_ALL; i++) {
    char *path = sp_calibration_file(trial_of(&trials, &all[i]), 1);
    unlink(path); // one that is not there: the test has said so
    free(path);
  }
  sp_trials_done(&trials);
  return rmdir("results") || chdir("/") || rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calibrations_live_beside_each_other),
      cmocka_unit_test(the_files_name_says_whose_it_is),
  };
  return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
