// Trials that lie in folders already, as pairs.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decide/pairs.h"

#define DEPTH_MOST 4 // DIR/pairs/003/rpc

struct found {
  struct sp_result *result;
  char *dir;
  bool is_confirming, is_aside; // below fresh/, below invalid/
};
struct finder {
  struct found *items;
  size_t n;
  struct sp_error *error;
};

// --- Finding ---

static int is_wanted(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static enum sp_err take(struct finder *finder, const char *dir, bool is_confirming, bool is_aside) {
  struct sp_result *result = NULL;
  enum sp_err err = sp_result_read(dir, &result, finder->error);
  if (err) return err;
  // The partner of an invalid trial is no measurement of anything.
  if (is_aside && result->complete && sp_result_is_valid(result)) {
    sp_result_free(result);
    return SP_OK;
  }
  finder->items = sp_realloc(finder->items, (finder->n + 1) * sizeof *finder->items);
  finder->items[finder->n++] = (struct found){result, sp_copy_text(dir), is_confirming, is_aside};
  return SP_OK;
}

static bool has_result(const char *dir) {
  struct stat facts;
  char *path = sp_format("%s/%s", dir, SP_RESULT_FILE);
  bool is_there = stat(path, &facts) == 0;
  free(path);
  return is_there;
}

static enum sp_err find(struct finder *finder, const char *dir, int depth, bool is_confirming,
                        bool is_aside) {
  struct dirent **entries = NULL;
  enum sp_err err = SP_OK;
  if (has_result(dir)) return take(finder, dir, is_confirming, is_aside);
  int n = depth < DEPTH_MOST ? scandir(dir, &entries, is_wanted, alphasort) : 0;
  for (int i = 0; i < n; i++) {
    const char *name = entries[i]->d_name;
    char *below = sp_format("%s/%s", dir, name);
    bool aside = is_aside || strcmp(name, "invalid") == 0;
    bool confirming =
        is_confirming || strcmp(name, "fresh") == 0 || (aside && strncmp(name, "fresh-", 6) == 0);
    if (!err) err = find(finder, below, depth + 1, confirming, aside);
    free(below);
    free(entries[i]);
  }
  free(entries);
  return err;
}

static int by_time(const void *a, const void *b) {
  const struct found *x = a, *y = b;
  const char *first = x->result->started_at, *second = y->result->started_at;
  int order = strcmp(first ? first : "", second ? second : "");
  return order ? order : strcmp(x->dir, y->dir);
}

// --- Sides ---

struct names {
  const char *const *given;
  size_t n_given;
  char **found;
  size_t n_found;
};

// SIZE_MAX: not one of those asked for.
static size_t side_of(struct names *names, const char *side) {
  size_t n = names->n_given ? names->n_given : names->n_found;
  if (!side) return SIZE_MAX;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(names->n_given ? names->given[i] : names->found[i], side) == 0) return i;
  }
  if (names->n_given || n == SP_COMPARISON_SIDES) return SIZE_MAX;
  names->found = sp_realloc(names->found, (n + 1) * sizeof *names->found);
  names->found[names->n_found++] = sp_copy_text(side);
  return n;
}

// --- Pairs: trials of one seed; the k-th of a side with the k-th of the other ---

struct slot {
  uint64_t seed;
  size_t k;
  bool is_confirming;
};
struct slots {
  struct slot *items;
  size_t n;
};

static size_t slot_of(struct slots *slots, struct slot wanted) {
  for (size_t i = 0; i < slots->n; i++) {
    const struct slot *slot = &slots->items[i];
    if (slot->seed == wanted.seed && slot->k == wanted.k && slot->is_confirming == wanted.is_confirming)
      return i;
  }
  slots->items = sp_realloc(slots->items, (slots->n + 1) * sizeof *slots->items);
  slots->items[slots->n] = wanted;
  return slots->n++;
}

static size_t n_good_before(const struct sp_pairs *pairs, const struct sp_judge_trial *trial) {
  size_t n = 0;
  for (size_t i = 0; i < pairs->n_trials; i++) {
    const struct sp_judge_trial *other = &pairs->trials[i];
    n += other->side_i == trial->side_i && other->seed == trial->seed &&
         other->is_confirming == trial->is_confirming && other->result->complete &&
         sp_result_is_valid(other->result);
  }
  return n;
}

static void add(struct sp_pairs *pairs, struct slots *slots, struct found *found, size_t side_i) {
  double seed = sp_facts_number_of(&found->result->load, "seed");
  struct sp_judge_trial trial = {.result = found->result,
                                 .dir = found->dir,
                                 .side_i = side_i,
                                 .seed = seed >= 0 ? (uint64_t)seed
                                                   : 0, // NAN: broken off before its load was known
                                 .is_confirming = found->is_confirming};
  struct slot slot = {trial.seed, n_good_before(pairs, &trial), trial.is_confirming};
  trial.pair_i = slot_of(slots, slot);
  sp_pairs_add(pairs, &trial);
  *found = (struct found){0};
}

static void count(struct sp_pairs *pairs, size_t n_slots, size_t n_sides) {
  pairs->n_started = n_slots;
  for (size_t i = 0; i < n_slots; i++) {
    size_t n = 0;
    for (size_t side_i = 0; side_i < n_sides; side_i++) n += sp_pairs_find(pairs, side_i, i) != NULL;
    pairs->n_pairs += n_sides > 0 && n == n_sides;
  }
  pairs->n_found = pairs->n_pairs;
}

enum sp_err sp_pairs_read(const char *dir, const char *const *names, size_t n_names, struct sp_pairs *pairs,
                          char ***names_found, size_t *n_found, struct sp_error *error) {
  struct finder finder = {.error = error};
  struct names sides = {.given = names, .n_given = n_names};
  struct slots slots = {0};
  *pairs = (struct sp_pairs){0};
  enum sp_err err = find(&finder, dir, 0, false, false);
  if (!err && finder.n == 0)
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "%s holds no results; name a folder that run, compare or gate wrote", dir);
  if (finder.n) qsort(finder.items, finder.n, sizeof *finder.items, by_time);
  for (size_t i = 0; i < finder.n && !err; i++) {
    size_t side_i = side_of(&sides, finder.items[i].result->side);
    if (side_i != SIZE_MAX) add(pairs, &slots, &finder.items[i], side_i);
  }
  if (!err) count(pairs, slots.n, n_names ? n_names : sides.n_found);
  for (size_t i = 0; i < finder.n; i++) {
    sp_result_free(finder.items[i].result);
    free(finder.items[i].dir);
  }
  free(finder.items);
  free(slots.items);
  if (err) sp_pairs_done(pairs);
  if (names_found && !err) {
    *names_found = sides.found;
    *n_found = sides.n_found;
    return SP_OK;
  }
  for (size_t i = 0; i < sides.n_found; i++) free(sides.found[i]);
  free(sides.found);
  return err;
}
