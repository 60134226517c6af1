// Roles by name and content, then columns into tensors: by name, or in order where their number fits exactly.
#include "import/new_guess.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/names.h"
#include "base/printable.h"
#include "import/csv.h"

#define UNIX_FROM_S 946684800.0  // the year 2000
#define UNIX_TO_S   4102444800.0 // the year 2100

// ---- roles

static bool ends_in(const char *text, const char *end) {
  size_t n = strlen(text), n_end = strlen(end);
  return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static bool is_one_of(const char *text, const char *words) {
  char lower[64] = "";
  for (size_t i = 0; text[i] && i + 1 < sizeof lower; i++)
    lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
  return lower[0] && !strchr(lower, ' ') && sp_words_index(words, lower) >= 0;
}

static bool is_time_name(const char *name) {
  return is_one_of(name, "time timestamp ts t date datetime epoch when seconds") || ends_in(name, "_time") ||
         ends_in(name, "_ts") || ends_in(name, "_at") || ends_in(name, "timestamp");
}

static bool is_id_name(const char *name) {
  return is_one_of(name, "id key uuid guid") || ends_in(name, "_id") || ends_in(name, "Id") ||
         ends_in(name, "ID") || ends_in(name, "_key") || ends_in(name, "Key") || ends_in(name, "_KEY");
}

static bool is_target_name(const char *name) {
  return is_one_of(name, "class target label labels y outcome is_fraud isfraud fraud churn churned "
                         "ground_truth truth expected prediction");
}

// s, ms, us or ns by the size of Unix times of this century; -1: none of them.
static int unix_unit(const struct sp_column_profile *column) {
  double factor = 1;
  for (int unit = SP_WHEN_S; unit <= SP_WHEN_NS; unit++, factor *= 1000) {
    if (column->min >= UNIX_FROM_S * factor && column->max < UNIX_TO_S * factor) return unit;
  }
  return -1;
}

// Steps back that sorting mends: rows of several writers are a little out of order, features wholly.
static bool is_rising(const struct sp_instants *instants, uint64_t n_rows) {
  return instants->n == n_rows && instants->n_backward * 100 <= n_rows;
}

static bool is_time(const struct sp_column_profile *column, uint64_t n_rows, enum sp_when_unit *unit,
                    const char **as) {
  if (is_rising(&column->iso8601, n_rows)) {
    *unit = SP_WHEN_ISO8601;
    *as = "every value is an ISO 8601 time";
    return true;
  }
  if (!is_rising(&column->numbers, n_rows)) return false;
  int of_unix = unix_unit(column);
  *unit = of_unix >= 0 ? (enum sp_when_unit)of_unix : SP_WHEN_S;
  *as = of_unix >= 0 ? "every value is a Unix time" : "its name, and numbers that never fall: seconds";
  return of_unix >= 0 || (is_time_name(column->name) && column->numbers.n_backward == 0 && column->min >= 0);
}

static void guess_time(const struct sp_profile *profile, uint64_t n_rows, struct sp_guess *guess) {
  for (size_t i = 0; i < profile->n_columns; i++) {
    const struct sp_column_profile *column = &profile->columns[i];
    const char *as;
    if (!is_time(column, n_rows, &guess->time_unit, &as)) continue;
    guess->time.i = i;
    snprintf(guess->time.why, sizeof guess->time.why, "time is column %s: %s", column->name, as);
    return;
  }
  snprintf(guess->time.why, sizeof guess->time.why, "no column rises like a time: events evenly spaced");
}

static void guess_key(const struct sp_profile *profile, uint64_t n_rows, struct sp_guess *guess) {
  for (size_t i = 0; i < profile->n_columns; i++) {
    const struct sp_column_profile *column = &profile->columns[i];
    size_t n_levels = column->levels.n;
    bool repeats = !column->levels.is_over && n_levels >= 2 && n_levels * 2 <= n_rows;
    if (!guess->is_id[i] || !repeats || i == guess->time.i) continue;
    guess->key.i = i;
    snprintf(guess->key.why, sizeof guess->key.why, "key is column %s: its name, and only %zu values",
             column->name, n_levels);
    return;
  }
  snprintf(guess->key.why, sizeof guess->key.why, "no key");
}

static void guess_targets(const struct sp_profile *profile, struct sp_guess *guess) {
  bool is_named = false;
  for (size_t i = 0; i < profile->n_columns; i++)
    is_named |= guess->is_target[i] = is_target_name(profile->columns[i].name);
  size_t last = profile->n_columns - 1;
  const struct sp_levels *levels = &profile->columns[last].levels;
  if (!is_named && !levels->is_over && levels->n <= 2) guess->is_target[last] = true;
}

// ---- what was said

static enum sp_err find(const struct sp_profile *profile, const char *flag, const char *name, size_t *i,
                        struct sp_error *error) {
  *i = sp_profile_find(profile, name);
  if (*i != SIZE_MAX || strcmp(name, "none") == 0) return SP_OK;
  char suggestion[400];
  const char **names = sp_alloc(profile->n_columns * sizeof *names);
  for (size_t k = 0; k < profile->n_columns; k++) names[k] = profile->columns[k].name;
  enum sp_err err = sp_fail(error, SP_ERR_USAGE, "%s %.100s: there is no such column; %s", flag, name,
                            sp_names_suggest(name, names, profile->n_columns, suggestion, sizeof suggestion));
  free(names);
  return err;
}

static enum sp_err take_time(const struct sp_profile *profile, const char *name, struct sp_guess *guess,
                             struct sp_error *error) {
  enum sp_err err = find(profile, "--time", name, &guess->time.i, error);
  if (err || guess->time.i == SIZE_MAX) return err;
  const struct sp_column_profile *column = &profile->columns[guess->time.i];
  int of_unix = unix_unit(column);
  guess->time_unit = column->iso8601.n > column->numbers.n ? SP_WHEN_ISO8601
                     : of_unix >= 0                        ? (enum sp_when_unit)of_unix
                                                           : SP_WHEN_S;
  return SP_OK;
}

static enum sp_err take_targets(const struct sp_profile *profile, const char *names, struct sp_guess *guess,
                                struct sp_error *error) {
  struct sp_bytes list = sp_bytes_of_text(names);
  size_t n = sp_csv_fields(list, NULL, 0), column_i;
  struct sp_bytes *fields = sp_alloc(n * sizeof *fields);
  enum sp_err err = SP_OK;
  sp_csv_fields(list, fields, n);
  for (size_t i = 0; i < n && !err; i++) {
    char *name = sp_alloc(fields[i].n + 1);
    if (fields[i].n) sp_csv_unquote(fields[i], (uint8_t *)name);
    err = find(profile, "--target", name, &column_i, error);
    if (!err && column_i != SIZE_MAX) guess->is_target[column_i] = true;
    free(name);
  }
  free(fields);
  return err;
}

static enum sp_err find_roles(const struct sp_profile *profile, const struct sp_guess_hints *hints,
                              struct sp_guess *guess, struct sp_error *error) {
  uint64_t n_rows = profile->n_rows - profile->n_odd_rows;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < profile->n_columns; i++) guess->is_id[i] = is_id_name(profile->columns[i].name);
  if (hints->time)
    err = take_time(profile, hints->time, guess, error);
  else
    guess_time(profile, n_rows, guess);
  if (!err && hints->key)
    err = find(profile, "--key", hints->key, &guess->key.i, error);
  else if (!err)
    guess_key(profile, n_rows, guess);
  if (!err && hints->target)
    err = take_targets(profile, hints->target, guess, error);
  else if (!err)
    guess_targets(profile, guess);
  return err;
}

// ---- columns into tensors

static bool has_levels(const struct sp_column_profile *column) {
  return column->n_texts > 0 && !column->levels.is_over && column->levels.n <= SP_GUESS_LEVELS_MAX;
}

enum { WITH_TIME = 1, WITH_IDS = 2, WITH_TARGETS = 4, WITH_LEVELS = 8, WAYS = 16 };

struct feeding {
  const struct sp_profile *profile;
  const struct sp_model_io *io;
  struct sp_guess *guess;
  bool *is_used;
  size_t n_wanted; // elements of the tensors that are not fed by name
};

static bool is_candidate(const struct feeding *feeding, size_t i, int way) {
  const struct sp_guess *guess = feeding->guess;
  const struct sp_column_profile *column = &feeding->profile->columns[i];
  if (feeding->is_used[i]) return false;
  if (i == guess->time.i && !(way & WITH_TIME)) return false;
  if ((i == guess->key.i || guess->is_id[i]) && !(way & WITH_IDS)) return false;
  if (guess->is_target[i] && !(way & WITH_TARGETS)) return false;
  return sp_profile_is_number(column) || ((way & WITH_LEVELS) && has_levels(column));
}

static bool can_hold(const struct sp_tensor_spec *spec, const struct sp_column_profile *column) {
  if (spec->dtype == SP_DTYPE_FLOAT32 || spec->dtype == SP_DTYPE_FLOAT64) return true;
  if (!sp_profile_is_number(column)) return true; // a level's index
  if (!column->is_whole) return false;
  if (spec->dtype == SP_DTYPE_BOOL) return column->min >= 0 && column->max <= 1;
  if (spec->dtype == SP_DTYPE_UINT8) return column->min >= 0 && column->max <= UINT8_MAX;
  if (spec->dtype == SP_DTYPE_INT32) return column->min >= INT32_MIN && column->max <= INT32_MAX;
  return true;
}

static bool is_fed(const struct feeding *feeding, size_t tensor_i) {
  return feeding->guess->tensors[tensor_i].n > 0;
}

// Tensors of one element that are called as a column is.
static void feed_by_name(struct feeding *feeding) {
  for (size_t t = 0; t < feeding->io->n_inputs; t++) {
    const struct sp_tensor_spec *spec = &feeding->io->inputs[t];
    struct sp_guessed_tensor *tensor = &feeding->guess->tensors[t];
    if (sp_tensor_row_elements(spec) != 1) continue;
    for (size_t i = 0; i < feeding->profile->n_columns && tensor->n == 0; i++) {
      const struct sp_column_profile *column = &feeding->profile->columns[i];
      bool is_usable = sp_profile_is_number(column) || has_levels(column);
      if (strcasecmp(column->name, spec->name) != 0 || !is_usable || !can_hold(spec, column)) continue;
      tensor->columns = sp_alloc(sizeof *tensor->columns);
      tensor->columns[tensor->n++] = i;
      feeding->is_used[i] = true;
      snprintf(tensor->why, sizeof tensor->why, "the column of that name");
    }
  }
}

static size_t list_candidates(const struct feeding *feeding, int way, size_t *columns) {
  size_t n = 0;
  for (size_t i = 0; i < feeding->profile->n_columns; i++) {
    if (is_candidate(feeding, i, way)) columns[n++] = i;
  }
  return n;
}

// Whether the candidates fill the tensors left, in order, each with numbers that it can hold.
static bool fits(const struct feeding *feeding, const size_t *columns, size_t n) {
  if (n != feeding->n_wanted) return false;
  size_t at = 0;
  for (size_t t = 0; t < feeding->io->n_inputs; t++) {
    if (is_fed(feeding, t)) continue;
    size_t end = at + sp_tensor_row_elements(&feeding->io->inputs[t]);
    for (; at < end; at++) {
      if (!can_hold(&feeding->io->inputs[t], &feeding->profile->columns[columns[at]])) return false;
    }
  }
  return true;
}

static void say_fitting(const struct feeding *feeding, int way, char why[SP_GUESS_WHY_BYTES]) {
  const char *kind = way & WITH_LEVELS ? "columns of numbers or of few words" : "columns of numbers";
  int n = snprintf(why, SP_GUESS_WHY_BYTES, "the %zu %s, in the file's order", feeding->n_wanted, kind);
  const struct sp_guess *guess = feeding->guess;
  const char *separator = "; left out: ";
  for (size_t i = 0; i < feeding->profile->n_columns && n < SP_GUESS_WHY_BYTES / 2; i++) {
    bool has_role = i == guess->time.i || i == guess->key.i || guess->is_id[i] || guess->is_target[i];
    bool is_left = has_role && !is_candidate(feeding, i, way) && !feeding->is_used[i];
    if (!is_left) continue;
    n += snprintf(why + n, (size_t)(SP_GUESS_WHY_BYTES - n), "%s%s (%s)", separator,
                  feeding->profile->columns[i].name,
                  i == guess->time.i    ? "time"
                  : guess->is_target[i] ? "looks like what is predicted"
                                        : "key");
    separator = ", ";
  }
}

static void feed_in_order(struct feeding *feeding, const size_t *columns, int way) {
  size_t at = 0;
  char why[SP_GUESS_WHY_BYTES];
  say_fitting(feeding, way, why);
  for (size_t t = 0; t < feeding->io->n_inputs; t++) {
    struct sp_guessed_tensor *tensor = &feeding->guess->tensors[t];
    if (is_fed(feeding, t)) continue;
    tensor->n = sp_tensor_row_elements(&feeding->io->inputs[t]);
    tensor->columns = sp_alloc(tensor->n * sizeof *tensor->columns);
    memcpy(tensor->columns, columns + at, tensor->n * sizeof *tensor->columns);
    memcpy(tensor->why, why, sizeof why);
    at += tensor->n;
  }
}

// All that could be meant goes to the first tensor that is left; the others get what is moved there.
static void leave_open(struct feeding *feeding, const size_t *columns, size_t n) {
  bool is_first = true;
  for (size_t t = 0; t < feeding->io->n_inputs; t++) {
    struct sp_guessed_tensor *tensor = &feeding->guess->tensors[t];
    size_t n_wanted = sp_tensor_row_elements(&feeding->io->inputs[t]);
    if (is_fed(feeding, t)) continue;
    tensor->is_open = true;
    if (!is_first) {
      snprintf(tensor->why, sizeof tensor->why, "%zu columns, from those listed above", n_wanted);
      continue;
    }
    is_first = false;
    tensor->n = n;
    tensor->columns = sp_alloc(n * sizeof *tensor->columns);
    memcpy(tensor->columns, columns, n * sizeof *columns);
    const char *what = n > n_wanted ? "in the order in which the model was trained"
                                    : "and no more columns hold numbers or few words";
    if (n == feeding->n_wanted) what = "whose values in the file's order do not fit the element types";
    snprintf(tensor->why, sizeof tensor->why, "%zu of the %zu here, %s", n_wanted, n, what);
  }
}

static void feed(struct feeding *feeding) {
  size_t *columns = sp_alloc(feeding->profile->n_columns * sizeof *columns);
  feed_by_name(feeding);
  for (size_t t = 0; t < feeding->io->n_inputs; t++)
    feeding->n_wanted += is_fed(feeding, t) ? 0 : sp_tensor_row_elements(&feeding->io->inputs[t]);
  int way = feeding->n_wanted ? 0 : WAYS;
  for (; way < WAYS; way++) {
    size_t n = list_candidates(feeding, way, columns);
    if (!fits(feeding, columns, n)) continue;
    feed_in_order(feeding, columns, way);
    break;
  }
  if (way == WAYS && feeding->n_wanted) {
    size_t n = list_candidates(feeding, WITH_LEVELS, columns);
    if (n < feeding->n_wanted) n = list_candidates(feeding, WAYS - 1, columns);
    leave_open(feeding, columns, n);
  }
  free(columns);
}

enum sp_err sp_guess_make(const struct sp_profile *profile, const struct sp_model_io *io,
                          const struct sp_guess_hints *hints, struct sp_guess *guess,
                          struct sp_error *error) {
  *guess = (struct sp_guess){.time = {.i = SIZE_MAX}, .key = {.i = SIZE_MAX}, .n_tensors = io->n_inputs};
  guess->is_target = sp_alloc(profile->n_columns * sizeof *guess->is_target);
  guess->is_id = sp_alloc(profile->n_columns * sizeof *guess->is_id);
  enum sp_err err = find_roles(profile, hints, guess, error);
  if (err) return err;
  struct feeding feeding = {.profile = profile, .io = io, .guess = guess};
  feeding.is_used = sp_alloc(profile->n_columns * sizeof *feeding.is_used);
  feed(&feeding);
  free(feeding.is_used);
  return SP_OK;
}

void sp_guess_done(struct sp_guess *guess) {
  for (size_t i = 0; i < guess->n_tensors; i++) free(guess->tensors[i].columns);
  free(guess->is_target);
  free(guess->is_id);
  *guess = (struct sp_guess){0};
}

// An autoencoder's score beside its reconstruction, a probability beside its features.
size_t sp_guess_output(const struct sp_model_io *io, char why[SP_GUESS_WHY_BYTES]) {
  size_t best = SIZE_MAX;
  *why = '\0';
  for (size_t i = 0; i < io->n_outputs; i++) {
    if (io->outputs[i].dtype != SP_DTYPE_FLOAT32 && io->outputs[i].dtype != SP_DTYPE_FLOAT64) continue;
    if (best == SIZE_MAX ||
        sp_tensor_row_elements(&io->outputs[i]) < sp_tensor_row_elements(&io->outputs[best]))
      best = i;
  }
  bool has_reals = best != SIZE_MAX;
  if (!has_reals) best = 0;
  if (io->n_outputs == 1) return best;
  int n = snprintf(why, SP_GUESS_WHY_BYTES,
                   "%s; others:", has_reals ? "the shortest output of real numbers" : "the first output");
  for (size_t i = 0; i < io->n_outputs && n < SP_GUESS_WHY_BYTES - 1; i++) {
    if (i == best) continue;
    char *name = sp_printable(io->outputs[i].name, strlen(io->outputs[i].name), 60);
    n += snprintf(why + n, (size_t)(SP_GUESS_WHY_BYTES - n), " %s", name);
    free(name);
  }
  return best;
}
