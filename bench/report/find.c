// Finds results, comparisons and sweeps in folders.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"

#define DEPTH            2
#define DEPTH_COMPARISON 3           // pairs/003/SIDE, cells/NAME/...
#define LEVELS           8           // DIR/cells/NAME/pairs/003/SIDE has five
#define PAIRS_KEY        "pairs/key" // of pairs without a comparison: a calibration, or a gate that was broken off

static bool has_run(const struct sp_report *report, const char *run_id) {
  for (size_t i = 0; i < report->n_trials; i++) {
    if (strcmp(report->trials[i].result->run_id, run_id) == 0) return true;
  }
  return false;
}

static enum sp_err add_result(struct sp_report *report, const char *dir, struct sp_error *error) {
  struct sp_result *result;
  enum sp_err err = sp_result_read(dir, &result, error);
  if (err) return err;
  if (!result->run_id || has_run(report, result->run_id)) {
    sp_result_free(result);
    return SP_OK;
  }
  report->trials = sp_realloc(report->trials, (report->n_trials + 1) * sizeof *report->trials);
  report->trials[report->n_trials++] = (struct sp_report_trial){sp_copy_text(dir), result};
  return SP_OK;
}

static bool has_comparison(const struct sp_report *report, const char *id) {
  for (size_t i = 0; i < report->n_comparisons; i++) {
    if (strcmp(report->comparisons[i].comparison->id, id) == 0) return true;
  }
  return false;
}

static enum sp_err add_comparison(struct sp_report *report, const char *dir, struct sp_error *error) {
  struct sp_comparison *comparison;
  enum sp_err err = sp_comparison_read(dir, &comparison, error);
  if (err) return err;
  if (!comparison->id || has_comparison(report, comparison->id)) {
    sp_comparison_free(comparison);
    return SP_OK;
  }
  report->comparisons =
      sp_realloc(report->comparisons, (report->n_comparisons + 1) * sizeof *report->comparisons);
  report->comparisons[report->n_comparisons++] = (struct sp_report_comparison){sp_copy_text(dir), comparison};
  return SP_OK;
}

static enum sp_err add_sweep(struct sp_report *report, const char *dir, struct sp_error *error) {
  struct sp_sweep sweep = {0};
  for (size_t i = 0; i < report->n_sweeps; i++) {
    if (strcmp(report->sweeps[i].dir, dir) == 0) return SP_OK;
  }
  enum sp_err err = sp_sweep_read(dir, &sweep, error);
  if (err) return err;
  report->sweeps = sp_realloc(report->sweeps, (report->n_sweeps + 1) * sizeof *report->sweeps);
  report->sweeps[report->n_sweeps++] = (struct sp_report_sweep){sp_copy_text(dir), sweep};
  return SP_OK;
}

static bool holds(const char *dir, const char *name) {
  char *file = sp_format("%s/%s", dir, name);
  bool is_there = access(file, F_OK) == 0;
  free(file);
  return is_there;
}

// What stands in the folder itself. Counts what was found in *n_found, and says how deep to look on.
static enum sp_err look(struct sp_report *report, const char *dir, int *depth, size_t *n_found,
                        struct sp_error *error) {
  bool is_comparison = holds(dir, SP_COMPARISON_FILE), is_sweep = holds(dir, SP_SWEEP_FILE);
  enum sp_err err = SP_OK;
  if (holds(dir, SP_RESULT_FILE)) {
    ++*n_found;
    *depth = 0;
    return add_result(report, dir, error);
  }
  if (is_comparison) err = add_comparison(report, dir, error);
  if (!err && is_sweep) err = add_sweep(report, dir, error);
  *n_found += is_comparison || is_sweep;
  if (is_comparison || is_sweep || holds(dir, PAIRS_KEY)) *depth = DEPTH_COMPARISON;
  return err;
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

// The copies that a calibration made of its program, among links to what lay beside it, which may lead back to here.
static bool is_passed_over(const char *dir, const char *name) {
  return strcmp(name, "programs") == 0 && holds(dir, PAIRS_KEY);
}

// depth: how deep to look on; level: how deep this is, for folders that link to themselves.
static enum sp_err search(struct sp_report *report, const char *dir, int depth, int level, size_t *n_found,
                          struct sp_error *error) {
  enum sp_err err = look(report, dir, &depth, n_found, error);
  if (err || depth == 0 || level == LEVELS) return err;
  struct dirent **entries;
  int n = scandir(dir, &entries, is_visible, alphasort);
  if (n < 0 && level > 0) return SP_OK; // a file among the folders
  if (n < 0)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); name the folder of a run", dir,
                   strerror(errno));
  for (int i = 0; i < n; i++) {
    char *path = sp_format("%s/%s", dir, entries[i]->d_name);
    if (!err && !is_passed_over(dir, entries[i]->d_name))
      err = search(report, path, depth - 1, level + 1, n_found, error);
    free(path);
    free(entries[i]);
  }
  free(entries);
  return err;
}

// A gate over stored trials names folders that lie elsewhere. One that is gone is no reason to show less of the rest.
static void add_named_trials(struct sp_report *report, const struct sp_report_comparison *one) {
  for (size_t i = 0; i < one->comparison->n_trials; i++) {
    const struct sp_compared_trial *trial = &one->comparison->trials[i];
    if (!trial->dir || !trial->run_id || has_run(report, trial->run_id)) continue;
    char *dir = *trial->dir == '/' ? sp_copy_text(trial->dir) : sp_format("%s/%s", one->dir, trial->dir);
    struct sp_error ignored;
    if (holds(dir, SP_RESULT_FILE)) (void)add_result(report, dir, &ignored);
    free(dir);
  }
}

enum sp_err sp_report_add(struct sp_report *report, const char *dir, struct sp_error *error) {
  size_t n_found = 0, n_dir = strlen(dir), n_before = report->n_comparisons;
  while (n_dir > 1 && dir[n_dir - 1] == '/') n_dir--;
  char *path = sp_format("%.*s", (int)n_dir, dir);
  enum sp_err err = search(report, path, DEPTH, 0, &n_found, error);
  for (size_t i = n_before; !err && i < report->n_comparisons; i++)
    add_named_trials(report, &report->comparisons[i]);
  if (!err && n_found == 0) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%s: no " SP_RESULT_FILE
                  " here or in the two levels of folders below; measure first: servepath run "
                  "SCENARIO --out %s",
                  path, path);
  }
  free(path);
  return err;
}
