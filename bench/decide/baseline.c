// Stored trials: found, read and put into pairs.
#include "decide/baseline.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/pairs.h"
#include "os/files.h"
#include "result/whole.h"

#define DEPTH 3 // DIR/pairs/003/candidate

// --- Reading ---

static enum sp_err add_result(struct sp_stored *stored, const char *dir, struct sp_error *error) {
  struct sp_result *result = NULL;
  enum sp_err err = sp_result_read(dir, &result, error);
  if (!err) err = sp_result_check_log(result, dir, error);
  if (err) {
    sp_result_free(result);
    return err;
  }
  double seed = sp_facts_number_of(&result->load, "seed");
  stored->trials = sp_realloc(stored->trials, (stored->n + 1) * sizeof *stored->trials);
  stored->trials[stored->n++] =
      (struct sp_stored_trial){sp_copy_text(dir), result, seed >= 0 ? (uint64_t)seed : 0};
  return SP_OK;
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

// What a pair of a gate has beside its candidate, and what a gate put aside, is nobody's baseline.
static bool is_passed_over(const char *dir, const char *name) {
  return strcmp(name, "invalid") == 0 || (strcmp(name, "base") == 0 && sp_files_holds(dir, "candidate"));
}

static enum sp_err search(struct sp_stored *stored, const char *dir, int depth, struct sp_error *error) {
  if (sp_files_holds(dir, SP_RESULT_FILE)) return add_result(stored, dir, error);
  if (depth == 0) return SP_OK;
  struct dirent **entries;
  int n = scandir(dir, &entries, is_visible, alphasort);
  if (n < 0 && (errno == ENOENT || depth < DEPTH)) return SP_OK; // missing, or a file among the folders
  if (n < 0)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); name a folder of trials", dir,
                   strerror(errno));
  enum sp_err err = SP_OK;
  for (int i = 0; i < n; i++) {
    char *path = sp_format("%s/%s", dir, entries[i]->d_name);
    if (!err && !is_passed_over(dir, entries[i]->d_name)) err = search(stored, path, depth - 1, error);
    free(path);
    free(entries[i]);
  }
  free(entries);
  return err;
}

static void free_trial(struct sp_stored_trial *trial) {
  free(trial->dir);
  sp_result_free(trial->result);
}

static const char *side_of(const struct sp_result *result) {
  return result->side ? result->side : "-";
}

static enum sp_err keep_side(struct sp_stored *stored, const char *dir, const char *side,
                             struct sp_error *error) {
  size_t n_kept = 0;
  const char *other = NULL;
  for (size_t i = 0; i < stored->n; i++) {
    struct sp_stored_trial trial = stored->trials[i];
    const char *first = side_of(stored->trials[0].result), *own = side_of(trial.result);
    if (!side && strcmp(first, own) != 0)
      return sp_fail(error, SP_ERR_USAGE, "%s: holds trials of the sides %s and %s; name one with --side",
                     dir, first, own);
    if (side && strcmp(side, own) != 0) {
      other = own;
      continue;
    }
    stored->trials[i] = stored->trials[n_kept];
    stored->trials[n_kept++] = trial;
  }
  if (n_kept == 0 && other)
    return sp_fail(error, SP_ERR_USAGE, "%s: holds no trial of side %s, but of %s", dir, side, other);
  for (size_t i = n_kept; i < stored->n; i++) free_trial(&stored->trials[i]);
  stored->n = n_kept;
  return SP_OK;
}

static int compare_times(const void *left, const void *right) {
  const struct sp_stored_trial *a = left, *b = right;
  int order = strcmp(a->result->started_at ? a->result->started_at : "",
                     b->result->started_at ? b->result->started_at : "");
  return order ? order : strcmp(a->dir, b->dir);
}

bool sp_stored_is_one_run(const struct sp_result *a, const struct sp_result *b) {
  return a->run_id && b->run_id && strcmp(a->run_id, b->run_id) == 0;
}

bool sp_stored_has(const struct sp_stored *stored, const char *run_id) {
  for (size_t i = 0; i < stored->n && run_id; i++) {
    const char *id = stored->trials[i].result->run_id;
    if (id && strcmp(id, run_id) == 0) return true;
  }
  return false;
}

static enum sp_err check_run_ids(const struct sp_stored *stored, struct sp_error *error) {
  for (size_t i = 0; i < stored->n; i++) {
    for (size_t k = 0; k < i; k++) {
      const struct sp_stored_trial *a = &stored->trials[k], *b = &stored->trials[i];
      if (sp_stored_is_one_run(a->result, b->result))
        return sp_fail(error, SP_ERR_USAGE, "%s and %s hold one trial (run id %s); take one of them away",
                       a->dir, b->dir, a->result->run_id);
    }
  }
  return SP_OK;
}

enum sp_err sp_stored_read(const char *dir, const char *side, struct sp_stored *stored,
                           struct sp_error *error) {
  size_t n_dir = strlen(dir);
  while (n_dir > 1 && dir[n_dir - 1] == '/') n_dir--;
  char *path = sp_format("%.*s", (int)n_dir, dir);
  enum sp_err err = search(stored, path, DEPTH, error);
  if (!err) err = keep_side(stored, path, side, error);
  if (!err && stored->n) qsort(stored->trials, stored->n, sizeof *stored->trials, compare_times);
  if (!err) err = check_run_ids(stored, error);
  free(path);
  return err;
}

void sp_stored_drop(struct sp_stored *stored, const struct sp_stored *those) {
  size_t n_left = 0;
  for (size_t i = 0; i < stored->n; i++) {
    struct sp_stored_trial trial = stored->trials[i];
    bool is_one = false;
    for (size_t k = 0; k < those->n && !is_one; k++)
      is_one = sp_stored_is_one_run(trial.result, those->trials[k].result);
    if (is_one)
      free_trial(&trial);
    else
      stored->trials[n_left++] = trial;
  }
  stored->n = n_left;
}

void sp_stored_done(struct sp_stored *stored) {
  for (size_t i = 0; i < stored->n; i++) free_trial(&stored->trials[i]);
  free(stored->trials);
  *stored = (struct sp_stored){0};
}

// --- Pairs ---

static bool has_own_seeds(const struct sp_stored *stored) {
  for (size_t i = 0; i < stored->n; i++) {
    for (size_t k = 0; k < i; k++) {
      if (stored->trials[k].seed == stored->trials[i].seed) return false;
    }
  }
  return true;
}

enum sp_err sp_stored_check_seeds(const struct sp_stored *stored, struct sp_error *error) {
  for (size_t i = 0; i < stored->n; i++) {
    for (size_t k = 0; k < i; k++) {
      const struct sp_stored_trial *a = &stored->trials[k], *b = &stored->trials[i];
      if (a->seed == b->seed)
        return sp_fail(error, SP_ERR_USAGE,
                       "%s and %s have one seed; the candidate's trials are paired by it: take one of them "
                       "away, or measure both sides now with --base-cmd",
                       a->dir, b->dir);
    }
  }
  return SP_OK;
}

static size_t find_seed(const struct sp_stored *stored, uint64_t seed) {
  size_t i = 0;
  while (i < stored->n && stored->trials[i].seed != seed) i++;
  return i;
}

static struct sp_judge_trial trial_of(const struct sp_stored_trial *stored, size_t side_i, size_t pair_i) {
  return (struct sp_judge_trial){
      .result = stored->result, .dir = stored->dir, .side_i = side_i, .pair_i = pair_i, .seed = stored->seed};
}

static void add_pair(const struct sp_stored_trial *base, const struct sp_stored_trial *candidate,
                     size_t pair_i, struct sp_judge_trial *trials) {
  trials[2 * pair_i] = trial_of(base, 0, pair_i);
  trials[2 * pair_i + 1] = trial_of(candidate, 1, pair_i);
}

size_t sp_stored_pair(const struct sp_stored *base, const struct sp_stored *candidate, size_t n_confirm,
                      struct sp_judge_trial *trials) {
  size_t n = 0;
  if (has_own_seeds(base) && has_own_seeds(candidate)) {
    for (size_t i = 0; i < base->n; i++) {
      size_t k = find_seed(candidate, base->trials[i].seed);
      if (k < candidate->n) add_pair(&base->trials[i], &candidate->trials[k], n++, trials);
    }
  }
  if (n == 0) {
    n = base->n < candidate->n ? base->n : candidate->n;
    for (size_t i = 0; i < n; i++) add_pair(&base->trials[i], &candidate->trials[i], i, trials);
  }
  bool confirms = n_confirm > 0 && n >= 2 * n_confirm;
  for (size_t i = confirms ? 2 * (n - n_confirm) : 2 * n; i < 2 * n; i++) trials[i].is_confirming = true;
  return 2 * n;
}

static uint64_t lowest_seed(const struct sp_stored *a, const struct sp_stored *b) {
  uint64_t seed = a->n ? a->trials[0].seed : b->trials[0].seed;
  for (size_t i = 0; i < a->n + b->n; i++) {
    uint64_t own = i < a->n ? a->trials[i].seed : b->trials[i - a->n].seed;
    if (own < seed) seed = own;
  }
  return seed;
}

// Within the pairs, or within the fresh ones: a row that ended early ends before the other begins, and there is no gap between them.
static bool is_inside(const struct sp_stored *stored, uint64_t seed, uint64_t lowest) {
  bool has_lower = false, has_higher = false;
  uint64_t row = (seed - lowest) / SP_PAIRS_FRESH_SEEDS;
  for (size_t i = 0; i < stored->n; i++) {
    if ((stored->trials[i].seed - lowest) / SP_PAIRS_FRESH_SEEDS != row) continue;
    has_lower |= stored->trials[i].seed < seed;
    has_higher |= stored->trials[i].seed > seed;
  }
  return has_lower && has_higher && find_seed(stored, seed) == stored->n;
}

size_t sp_stored_gaps(const struct sp_stored *stored, const struct sp_stored *other, size_t side_i,
                      size_t first_pair_i, struct sp_judge_trial *trials) {
  size_t n = 0;
  if (!has_own_seeds(stored) || !has_own_seeds(other) || other->n == 0) return 0;
  uint64_t lowest = lowest_seed(stored, other);
  for (size_t i = 0; i < other->n; i++) {
    const struct sp_stored_trial *partner = &other->trials[i];
    if (!is_inside(stored, partner->seed, lowest)) continue;
    trials[n] = trial_of(partner, side_i, first_pair_i + n);
    trials[n].result = NULL;
    trials[n++].failure = "the other side has no trial of its seed";
  }
  return n;
}

// Both are in order of time.
bool sp_stored_is_one_after_other(const struct sp_stored *base, const struct sp_stored *candidate) {
  if (base->n == 0 || candidate->n == 0) return false;
  return compare_times(&base->trials[base->n - 1], &candidate->trials[0]) < 0 ||
         compare_times(&candidate->trials[candidate->n - 1], &base->trials[0]) < 0;
}
