// What a gate measured, kept as the next one's base.
#include "decide/baseline_keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decide/baseline.h"
#include "os/files.h"

#define FILE_BYTES_MAX ((size_t)256 << 20)

struct keeping {
  const char *dir;
  const struct sp_judge_trial **trials; // what DIR is to hold
  size_t n;
  struct sp_stored there; // what it holds, of their case and side
};

// --- What DIR is to hold ---

static bool is_of(const struct sp_judge_trial *trial, size_t side_i) {
  return trial->side_i == side_i && !trial->is_set_aside && sp_result_is_usable(trial->result);
}

// The last of a seed: a pair that was redone has an earlier one, and the next gate pairs by seed.
static bool is_last(const struct sp_judge_trial *trials, size_t n, size_t i) {
  for (size_t k = i + 1; k < n; k++) {
    if (is_of(&trials[k], trials[i].side_i) && trials[k].seed == trials[i].seed) return false;
  }
  return true;
}

static void choose(struct keeping *keeping, const struct sp_judge_trial *trials, size_t n, size_t side_i) {
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
  keeping->trials = sp_alloc((n + 1) * sizeof *keeping->trials);
  for (size_t i = 0; i < n; i++) {
    if (is_of(&trials[i], side_i) && is_last(trials, n, i)) keeping->trials[keeping->n++] = &trials[i];
  }
}

// --- What it holds ---

static int is_number(const struct dirent *entry) {
  return entry->d_name[strspn(entry->d_name, "0123456789")] == '\0';
}

static bool is_like(const struct sp_result *a, const struct sp_result *b) {
  return strcmp(a->side ? a->side : "-", b->side ? b->side : "-") == 0 &&
         strcmp(sp_facts_text_of(&a->scenario, "name", "-"), sp_facts_text_of(&b->scenario, "name", "-")) ==
             0;
}

static void look_at(struct keeping *keeping, const char *path) {
  struct sp_result *result = NULL;
  struct sp_error ignored; // what cannot be read is not ours to replace
  if (sp_result_read(path, &result, &ignored) != SP_OK || !is_like(result, keeping->trials[0]->result)) {
    sp_result_free(result);
    return;
  }
  struct sp_stored *there = &keeping->there;
  there->trials = sp_realloc(there->trials, (there->n + 1) * sizeof *there->trials);
  there->trials[there->n++] = (struct sp_stored_trial){.dir = sp_copy_text(path), .result = result};
}

static void look_around(struct keeping *keeping) {
  struct dirent **entries;
  int n = scandir(keeping->dir, &entries, is_number, alphasort);
  for (int i = 0; i < n; i++) {
    char *path = sp_format("%s/%s", keeping->dir, entries[i]->d_name);
    look_at(keeping, path);
    free(path);
    free(entries[i]);
  }
  if (n >= 0) free(entries);
}

static bool lies_there(const struct keeping *keeping, const struct sp_result *result) {
  for (size_t i = 0; i < keeping->there.n; i++) {
    if (sp_stored_is_one_run(keeping->there.trials[i].result, result)) return true;
  }
  return false;
}

static bool is_wanted(const struct keeping *keeping, const struct sp_result *result) {
  for (size_t i = 0; i < keeping->n; i++) {
    if (sp_stored_is_one_run(keeping->trials[i]->result, result)) return true;
  }
  return false;
}

static bool has_another_base(const struct keeping *keeping) {
  for (size_t i = 0; i < keeping->there.n; i++) {
    if (!is_wanted(keeping, keeping->there.trials[i].result)) return true;
  }
  return false;
}

// --- Copying ---

static enum sp_err copy_file(const char *from, const char *to, const char *name, struct sp_error *error) {
  char *source = sp_format("%s/%s", from, name), *target = sp_format("%s/%s", to, name), *text = NULL;
  size_t n = 0;
  enum sp_err err = sp_files_read(source, FILE_BYTES_MAX, &text, &n, error);
  if (!err) err = sp_files_write(target, sp_bytes_of(text, n), error);
  free(text);
  free(source);
  free(target);
  return err;
}

// The result comes last: a folder with one is whole.
static enum sp_err copy_trial(const char *from, const char *to, struct sp_error *error) {
  static const char *const logs[] = {"latency.hgrm", "latency.hlog"}; // of trials that answered anything
  enum sp_err err = SP_OK;
  for (size_t i = 0; !err && i < sizeof logs / sizeof logs[0]; i++) {
    if (sp_files_holds(from, logs[i])) err = copy_file(from, to, logs[i], error);
  }
  return err ? err : copy_file(from, to, SP_RESULT_FILE, error);
}

// DIR/NNN, of a number that is free.
static char *new_folder(const char *dir, size_t *number) {
  char *folder = NULL;
  do {
    free(folder);
    folder = sp_format("%s/%03zu", dir, ++*number);
  } while (mkdir(folder, 0777) != 0 && errno == EEXIST);
  return folder;
}

// All that are missing, or none: half a base would be taken for a whole one.
static enum sp_err add_missing(const struct keeping *keeping, size_t *n_saved, struct sp_error *error) {
  char **made = sp_alloc((keeping->n + 1) * sizeof *made);
  size_t n_made = 0, number = 0;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < keeping->n && !err; i++) {
    if (lies_there(keeping, keeping->trials[i]->result)) continue;
    made[n_made] = new_folder(keeping->dir, &number);
    err = copy_trial(keeping->trials[i]->dir, made[n_made++], error);
  }
  for (size_t i = 0; i < n_made; i++) {
    if (err) sp_files_remove(made[i]);
    free(made[i]);
  }
  free(made);
  *n_saved = err ? 0 : n_made;
  return err;
}

static void remove_older(const struct keeping *keeping) {
  for (size_t i = 0; i < keeping->there.n; i++) {
    const struct sp_stored_trial *trial = &keeping->there.trials[i];
    if (!is_wanted(keeping, trial->result)) sp_files_remove(trial->dir);
  }
}

enum sp_err sp_baseline_keep(const struct sp_judge_trial *trials, size_t n, size_t side_i, const char *dir,
                             bool replaces, size_t *n_saved, struct sp_error *error) {
  struct keeping keeping = {.dir = dir};
  *n_saved = 0;
  choose(&keeping, trials, n, side_i);
  enum sp_err err = sp_files_make_dirs(dir, error);
  if (!err && keeping.n) {
    look_around(&keeping);
    bool may_keep = replaces || !has_another_base(&keeping);
    if (may_keep) err = add_missing(&keeping, n_saved, error);
    if (may_keep && !err) remove_older(&keeping);
  }
  sp_stored_done(&keeping.there);
  free(keeping.trials);
  return err;
}
