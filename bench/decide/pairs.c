// Trials in turns, pair after pair; each try of a pair is whole and valid, or moved aside.
#include "decide/pairs.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/files.h"

#define TRIES     3
#define KEY_BYTES 4096

enum state { STATE_WHOLE, STATE_INVALID, STATE_ENDED }; // ended: by a signal

// --- The list ---

// Takes the trial's result and texts.
static void add(struct sp_pairs *pairs, const struct sp_judge_trial *trial) {
  pairs->trials = sp_realloc(pairs->trials, (pairs->n_trials + 1) * sizeof *pairs->trials);
  pairs->trials[pairs->n_trials++] = *trial;
}

static void free_trial(struct sp_judge_trial *trial) {
  sp_result_free((struct sp_result *)trial->result); // both are ours, and only shown as borrowed
  free((char *)trial->dir);
  free((char *)trial->failure);
}

void sp_pairs_done(struct sp_pairs *pairs) {
  for (size_t i = 0; i < pairs->n_trials; i++) free_trial(&pairs->trials[i]);
  free(pairs->trials);
  *pairs = (struct sp_pairs){0};
}

const struct sp_judge_trial *sp_pairs_find(const struct sp_pairs *pairs, size_t side_i, size_t pair_i) {
  for (size_t i = pairs->n_trials; i-- > 0;) {
    const struct sp_judge_trial *trial = &pairs->trials[i];
    if (trial->side_i != side_i || trial->pair_i != pair_i || trial->is_set_aside) continue;
    if (sp_result_is_usable(trial->result)) return trial;
  }
  return NULL;
}

// --- Folders ---

static const char *kind_of(const struct sp_pairs_plan *plan) {
  return plan->is_confirming ? "fresh" : "pairs";
}

static char *pair_dir(const struct sp_pairs_plan *plan, size_t pair_i) {
  return sp_format("%s/%s/%03zu", plan->dir, kind_of(plan), pair_i + 1);
}

static char *invalid_dir(const struct sp_pairs_plan *plan, size_t pair_i, int attempt) {
  return sp_format("%s/invalid/%s%03zu-%d", plan->dir, plan->is_confirming ? "fresh-" : "", pair_i + 1,
                   attempt);
}

static bool exists(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0;
}

// Whether a folder holds what a call of another key would take for its own: a trial that was marked when it began and came to nothing
// is none.
static int stop_at_trial(const char *path, const struct stat *facts, int kind, struct FTW *place) {
  (void)facts;
  if (kind == FTW_D || strcmp(path + place->base, SP_RESULT_FILE) != 0) return 0;
  char *dir = sp_format("%.*s", place->base, path);
  struct sp_result *r = NULL;
  struct sp_error ignored; // what cannot be read is not ours to overwrite
  enum sp_err err = sp_result_read(dir, &r, &ignored);
  bool is_trial = err || r->complete;
  sp_result_free(r);
  free(dir);
  return is_trial;
}

static bool holds(const char *folder) {
  return exists(folder) && nftw(folder, stop_at_trial, 8, 0) != 0;
}

static bool holds_trials(const struct sp_pairs_plan *plan, const char *folder) {
  char *invalid = sp_format("%s/invalid", plan->dir);
  bool is_so = holds(folder) || holds(invalid);
  free(invalid);
  return is_so;
}

// Pairs of something else in the same folder would be judged as one. A start that came to no trial binds nobody.
static enum sp_err check_key(const struct sp_pairs_plan *plan, struct sp_error *error) {
  char *folder = sp_format("%s/%s", plan->dir, kind_of(plan)), *path = sp_format("%s/key", folder),
       *key = NULL;
  size_t n;
  enum sp_err err = sp_files_make_dirs(folder, error);
  if (!err && exists(path)) err = sp_files_read(path, KEY_BYTES, &key, &n, error);
  bool is_ours = key && strcmp(key, plan->key) == 0;
  if (!err && key && !is_ours && holds_trials(plan, folder))
    err = sp_fail(error, SP_ERR_USAGE,
                  "%s holds trials of another scenario, recording, build, choice of sides or (--calibrate) "
                  "blocks; name another folder with --out",
                  plan->dir);
  else if (!err && !is_ours)
    err = sp_files_write(path, sp_bytes_of_text(plan->key), error);
  free(key);
  free(path);
  free(folder);
  return err;
}

// --- One try of a pair ---

// A try's trials until it is known what becomes of them, in the order in which they were run.
struct attempt {
  struct sp_judge_trial trials[SP_COMPARISON_SIDES];
  size_t n;
};

static void keep(struct sp_pairs *pairs, struct attempt *attempt) {
  for (size_t i = 0; i < attempt->n; i++) add(pairs, &attempt->trials[i]);
  attempt->n = 0;
}

static struct sp_judge_trial trial_of(const struct sp_pairs_plan *plan, size_t pair_i, size_t turn,
                                      const char *folder) {
  size_t side_i = (pair_i + turn) % plan->n_sides; // A B B A; ABC BCA CAB
  return (struct sp_judge_trial){.side_i = side_i,
                                 .pair_i = pair_i,
                                 .seed = plan->seeds ? plan->seeds[pair_i] : plan->first_seed + pair_i,
                                 .is_confirming = plan->is_confirming,
                                 .dir = sp_format("%s/%s", folder, plan->names[side_i])};
}

static bool has_ended(const struct sp_pairs_plan *plan) {
  return plan->supervisor && plan->supervisor->signal;
}

static bool blurs(const struct sp_pairs_plan *plan, const struct sp_result *result) {
  return sp_judge_blurs(result, plan->family, plan->n_family, NULL);
}

// is_choosy: a trial without a figure ends it as an invalid one does.
static enum sp_err run_sides(const struct sp_pairs_plan *plan, size_t pair_i, bool is_choosy,
                             const char *folder, struct attempt *attempt, struct sp_error *error) {
  enum sp_err err = SP_OK;
  bool is_over = false; // the rest of the pair would be run for nothing
  for (size_t turn = 0; turn < plan->n_sides && !err && !is_over && !has_ended(plan); turn++) {
    struct sp_judge_trial trial = trial_of(plan, pair_i, turn, folder);
    struct sp_result *result = NULL;
    err = plan->run(plan->context, trial.side_i, trial.seed, trial.dir, &result, error);
    trial.result = result;
    if (result)
      attempt->trials[attempt->n++] = trial;
    else
      free_trial(&trial);
    if (result) is_over = !sp_result_is_usable(result) || (is_choosy && blurs(plan, result));
  }
  return err;
}

static enum sp_err move_aside(const struct sp_pairs_plan *plan, size_t pair_i, int attempt_i,
                              const char *folder, struct attempt *attempt, struct sp_error *error) {
  char *parent = sp_format("%s/invalid", plan->dir), *to = invalid_dir(plan, pair_i, attempt_i);
  enum sp_err err = sp_files_make_dirs(parent, error);
  if (!err && rename(folder, to) != 0)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot move %s to %s (%s)", folder, to, strerror(errno));
  for (size_t i = 0; i < attempt->n && !err; i++) {
    free((char *)attempt->trials[i].dir);
    attempt->trials[i].dir = sp_format("%s/%s", to, plan->names[attempt->trials[i].side_i]);
    attempt->trials[i].is_set_aside = true;
  }
  free(parent);
  free(to);
  return err;
}

static bool is_whole(const struct sp_pairs_plan *plan, const struct attempt *attempt) {
  bool whole = attempt->n == plan->n_sides;
  for (size_t i = 0; i < attempt->n; i++) whole &= sp_result_is_usable(attempt->trials[i].result);
  return whole;
}

// All that is wrong with it is that a figure is missing.
static bool is_blurred(const struct sp_pairs_plan *plan, const struct attempt *attempt) {
  bool is_so = false;
  for (size_t i = 0; i < attempt->n; i++) {
    if (!sp_result_is_usable(attempt->trials[i].result)) return false;
    is_so |= blurs(plan, attempt->trials[i].result);
  }
  return is_so;
}

static enum sp_err try_pair(const struct sp_pairs_plan *plan, size_t pair_i, int attempt_i,
                            struct sp_pairs *pairs, enum state *state, struct sp_error *error) {
  struct attempt attempt = {.n = 0};
  char *folder = pair_dir(plan, pair_i);
  sp_files_remove(folder); // broken off earlier
  bool is_choosy = attempt_i < TRIES && sp_pairs_may_redo(pairs->n_blurred, pairs->n_started);
  enum sp_err err = run_sides(plan, pair_i, is_choosy, folder, &attempt, error);
  bool blurred = is_choosy && is_blurred(plan, &attempt),
       whole = !err && !blurred && is_whole(plan, &attempt);
  *state = whole ? STATE_WHOLE : has_ended(plan) ? STATE_ENDED : STATE_INVALID;
  if (*state == STATE_ENDED) err = SP_OK; // what the signal broke is no failure
  pairs->n_blurred += *state == STATE_INVALID && blurred;
  if (!err && *state == STATE_INVALID) err = move_aside(plan, pair_i, attempt_i, folder, &attempt, error);
  keep(pairs, &attempt);
  free(folder);
  return err;
}

// --- What lies there ---

// One that was broken off may not have known its seed yet: it counts among the tries all the same.
static bool is_of_seed(const struct sp_result *result, uint64_t seed) {
  double told = sp_facts_number_of(&result->load, "seed");
  return told == (double)seed || (isnan(told) && !result->complete);
}

static void read_sides(const struct sp_pairs_plan *plan, size_t pair_i, const char *folder,
                       struct attempt *attempt) {
  for (size_t turn = 0; turn < plan->n_sides; turn++) {
    struct sp_judge_trial trial = trial_of(plan, pair_i, turn, folder);
    struct sp_result *result = NULL;
    struct sp_error ignored; // what cannot be read is run again
    if (sp_result_read(trial.dir, &result, &ignored) == SP_OK && is_of_seed(result, trial.seed)) {
      trial.result = result;
      attempt->trials[attempt->n++] = trial;
      continue;
    }
    sp_result_free(result);
    free_trial(&trial);
  }
}

static bool take_found(const struct sp_pairs_plan *plan, size_t pair_i, struct sp_pairs *pairs) {
  struct attempt attempt = {.n = 0};
  char *folder = pair_dir(plan, pair_i);
  read_sides(plan, pair_i, folder, &attempt);
  bool whole = is_whole(plan, &attempt);
  if (whole) keep(pairs, &attempt);
  for (size_t i = 0; i < attempt.n; i++) free_trial(&attempt.trials[i]);
  pairs->n_found += whole;
  free(folder);
  return whole;
}

// Tries of an earlier call that were moved aside; how many.
static int take_invalid(const struct sp_pairs_plan *plan, size_t pair_i, struct sp_pairs *pairs) {
  int n = 0;
  for (; n < TRIES; n++) {
    char *folder = invalid_dir(plan, pair_i, n + 1);
    bool is_there = exists(folder);
    if (is_there) {
      struct attempt attempt = {.n = 0};
      read_sides(plan, pair_i, folder, &attempt);
      for (size_t i = 0; i < attempt.n; i++) attempt.trials[i].is_set_aside = true;
      pairs->n_blurred += is_blurred(plan, &attempt);
      keep(pairs, &attempt);
    }
    free(folder);
    if (!is_there) break;
  }
  return n;
}

// --- Pair after pair ---

static enum sp_err next_pair(const struct sp_pairs_plan *plan, struct sp_pairs *pairs, enum state *state,
                             struct sp_error *error) {
  size_t pair_i = pairs->n_started++;
  int n_tries = take_invalid(plan, pair_i, pairs);
  enum sp_err err = SP_OK;
  pairs->was_last_found = take_found(plan, pair_i, pairs);
  *state = pairs->was_last_found ? STATE_WHOLE : STATE_INVALID;
  if (n_tries) pairs->n_redone++;
  while (*state == STATE_INVALID && n_tries < TRIES && !err) {
    n_tries++;
    err = try_pair(plan, pair_i, n_tries, pairs, state, error);
    if (n_tries == 1 && *state == STATE_INVALID) pairs->n_redone++;
  }
  pairs->n_pairs += *state == STATE_WHOLE;
  pairs->n_left_out += !err && *state == STATE_INVALID;
  return err;
}

static bool are_too_many_left_out(const struct sp_pairs_plan *plan, const struct sp_pairs *pairs) {
  size_t tenth = plan->looks[plan->n_looks - 1].n_pairs / 10;
  return pairs->n_left_out > (tenth > 2 ? tenth : 2);
}

static bool are_seeds_used_up(const struct sp_pairs_plan *plan, const struct sp_pairs *pairs) {
  return plan->seeds && pairs->n_started >= plan->n_seeds;
}

bool sp_pairs_may_redo(size_t n_blurred, size_t n_started) {
  return n_blurred < 2 || 4 * n_blurred < n_started;
}

enum sp_err sp_pairs_go(const struct sp_pairs_plan *plan, struct sp_pairs *pairs, struct sp_error *error) {
  SP_ASSERT(plan->n_sides > 0 && plan->n_sides <= SP_COMPARISON_SIDES && plan->n_looks > 0);
  enum state state = STATE_WHOLE;
  enum sp_err err = check_key(plan, error);
  for (size_t look_i = 0; look_i < plan->n_looks && !err; look_i++) {
    const struct sp_look *look = &plan->looks[look_i];
    while (pairs->n_pairs < look->n_pairs && !err) {
      if (has_ended(plan) || are_too_many_left_out(plan, pairs) || are_seeds_used_up(plan, pairs))
        return SP_OK;
      err = next_pair(plan, pairs, &state, error);
      if (!err && state != STATE_ENDED && plan->pair_done) plan->pair_done(plan->context, pairs);
    }
    if (!err && plan->enough && plan->enough(plan->context, pairs, look)) break;
  }
  return err;
}
