// One pass over a CSV file: names, and what kind of values stands in each column.
#include "import/new_profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/number.h"
#include "base/printable.h"
#include "base/units.h"
#include "import/csv.h"
#include "import/rows.h"

#define NAME_BYTES_MAX 100
#define SLOTS          2048 // twice SP_PROFILE_LEVELS_MAX
#define PROGRESS_EVERY 4096

// ---- levels

static void drop_levels(struct sp_levels *levels) {
  for (size_t i = 0; i < levels->n; i++) free(levels->items[i]);
  free(levels->items);
  free(levels->slots);
  *levels = (struct sp_levels){0};
}

// A level is a line of a vocabulary file: it starts and ends as it stands there.
static bool is_line(struct sp_bytes text) {
  for (size_t i = 0; i < text.n; i++) {
    if (text.data[i] == '\n' || text.data[i] == '\r') return false;
  }
  return text.n > 0 && text.n <= SP_PROFILE_LEVEL_BYTES_MAX;
}

static void add_level(struct sp_levels *levels, struct sp_bytes text) {
  if (levels->is_over) return;
  if (!is_line(text)) {
    drop_levels(levels);
    levels->is_over = true;
    return;
  }
  if (!levels->slots) {
    levels->slots = sp_alloc(SLOTS * sizeof *levels->slots);
    levels->items = sp_alloc(SP_PROFILE_LEVELS_MAX * sizeof *levels->items);
  }
  uint32_t hash = 2166136261U; // FNV-1a
  for (size_t i = 0; i < text.n; i++) hash = (hash ^ text.data[i]) * 16777619U;
  size_t at = hash % SLOTS;
  for (; levels->slots[at]; at = (at + 1) % SLOTS) {
    const char *there = levels->items[levels->slots[at] - 1];
    if (strlen(there) == text.n && memcmp(there, text.data, text.n) == 0) return;
  }
  if (levels->n == SP_PROFILE_LEVELS_MAX) {
    drop_levels(levels);
    levels->is_over = true;
    return;
  }
  levels->items[levels->n] = sp_format("%.*s", (int)text.n, (const char *)text.data);
  levels->slots[at] = (uint16_t)++levels->n;
}

// ---- fields

static bool is_na_word(struct sp_bytes text) {
  static const char *const words[] = {"nan", "null", "none", "n/a", "?", "-", "<na>", "missing"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strlen(words[i]) == text.n && strncasecmp(words[i], (const char *)text.data, text.n) == 0)
      return true;
  }
  return false;
}

static void add_instant(struct sp_instants *instants, double value) {
  if (instants->n > 0 && value < instants->last) instants->n_backward++;
  instants->last = value;
  instants->n++;
}

static void add_number(struct sp_column_profile *column, struct sp_bytes text, double value) {
  int64_t whole;
  bool is_whole = sp_number_scan_int64(text.data, text.data + text.n, &whole) == text.n ||
                  (value == trunc(value) && fabs(value) < 0x1p63);
  if (column->n_numbers == 0) {
    column->is_whole = true;
    column->min = column->max = value;
  }
  column->is_whole &= is_whole;
  column->min = fmin(column->min, value);
  column->max = fmax(column->max, value);
  column->n_numbers++;
  add_instant(&column->numbers, value);
}

static void add_field(struct sp_column_profile *column, struct sp_bytes text) {
  double value;
  int64_t ns;
  // What the codec takes for missing (codec/codec.h).
  if (text.n == 0 || (text.n == 2 && memcmp(text.data, "NA", 2) == 0)) {
    column->n_missing++;
    return;
  }
  add_level(&column->levels, text);
  if (sp_number_scan(text.data, text.data + text.n, &value) == text.n) {
    add_number(column, text, value);
    return;
  }
  if (sp_when_parse(text, SP_WHEN_ISO8601, &ns)) add_instant(&column->iso8601, (double)ns);
  if (is_na_word(text))
    column->n_na_words++;
  else
    column->n_texts++;
}

// ---- rows

struct reading {
  const struct sp_import_conf *file;
  struct sp_profile *profile;
  struct sp_rows *rows;
  struct sp_bytes *fields;
  uint8_t *text;
  size_t text_capacity;
  struct sp_error *error;
};

static enum sp_err check_text(const struct reading *reading, struct sp_row row) {
  const uint8_t *found = memchr(row.bytes.data, 0, row.bytes.n);
  if (!found) return SP_OK;
  return sp_fail(reading->error, SP_ERR_ENVIRONMENT,
                 "%s:%llu: byte %zu is zero, so this is no text; give a CSV file in UTF-8",
                 sp_rows_name(reading->rows), (unsigned long long)row.line_number,
                 (size_t)(found - row.bytes.data) + 1);
}

static struct sp_bytes text_of(struct reading *reading, struct sp_bytes field) {
  if (field.n > reading->text_capacity) {
    reading->text_capacity = 2 * field.n;
    reading->text = sp_realloc(reading->text, reading->text_capacity);
  }
  return sp_bytes_of(reading->text, field.n ? sp_csv_unquote(field, reading->text) : 0);
}

static enum sp_err add_row(struct reading *reading, struct sp_row row) {
  struct sp_profile *profile = reading->profile;
  enum sp_err err = check_text(reading, row);
  if (err) return err;
  profile->n_rows++;
  size_t n = sp_csv_fields(row.bytes, reading->fields, profile->n_columns);
  if (n != profile->n_columns) {
    if (profile->n_odd_rows++ == 0) profile->first_odd_line = row.line_number;
    return SP_OK;
  }
  for (size_t i = 0; i < n; i++) add_field(&profile->columns[i], text_of(reading, reading->fields[i]));
  return SP_OK;
}

// ---- the first row

static bool is_taken(const struct sp_profile *profile, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(profile->columns[i].name, name) == 0) return true;
  }
  return false;
}

static char *name_of(const struct sp_profile *profile, size_t i, struct sp_bytes text) {
  if (!profile->has_header || text.n == 0) text = (struct sp_bytes){0};
  char *name = text.n ? sp_printable(text.data, text.n, NAME_BYTES_MAX) : sp_format("column_%zu", i + 1);
  for (size_t k = 2; is_taken(profile, i, name); k++) { // "a", "a": a, a_2
    char *other = sp_format("%s_%zu", name, k);
    if (is_taken(profile, i, other)) {
      free(other);
      continue;
    }
    free(name);
    return other;
  }
  return name;
}

// A row with a number in it is data.
static bool looks_like_names(struct reading *reading) {
  for (size_t i = 0; i < reading->profile->n_columns; i++) {
    struct sp_bytes text = text_of(reading, reading->fields[i]);
    double value;
    if (text.n > 0 && sp_number_scan(text.data, text.data + text.n, &value) == text.n) return false;
  }
  return true;
}

static enum sp_err check_width(const struct reading *reading, struct sp_row row, size_t n) {
  const char *name = sp_rows_name(reading->rows);
  if (n > SP_PROFILE_COLUMNS_MAX)
    return sp_fail(reading->error, SP_ERR_ENVIRONMENT, "%s: %zu columns, and at most %d can be described",
                   name, n, SP_PROFILE_COLUMNS_MAX);
  if (row.bytes.data[0] == '{')
    return sp_fail(
        reading->error, SP_ERR_ENVIRONMENT,
        "%s:%llu: looks like JSON lines, and guesses are made from CSV only; write the scenario by hand "
        "(format: json, pointers of the values) after servepath import",
        name, (unsigned long long)row.line_number);
  static const char others[] = ";\t|";
  for (const char *other = others; n == 1 && *other; other++) {
    if (!memchr(row.bytes.data, *other, row.bytes.n)) continue;
    return sp_fail(reading->error, SP_ERR_ENVIRONMENT,
                   "%s:%llu: the fields look parted by \"%s\"; only commas are read: convert the file", name,
                   (unsigned long long)row.line_number,
                   *other == '\t'  ? "\\t"
                   : *other == ';' ? ";"
                                   : "|");
  }
  return SP_OK;
}

static enum sp_err read_first(struct reading *reading, enum sp_profile_header header, struct sp_row row) {
  struct sp_profile *profile = reading->profile;
  size_t n = sp_csv_fields(row.bytes, NULL, 0);
  enum sp_err err = check_text(reading, row);
  if (!err) err = check_width(reading, row, n);
  if (err) return err;
  profile->n_columns = n;
  profile->columns = sp_alloc(n * sizeof *profile->columns);
  reading->fields = sp_alloc(n * sizeof *reading->fields);
  sp_csv_fields(row.bytes, reading->fields, n);
  profile->has_header =
      header == SP_PROFILE_HEADER_THERE || (header == SP_PROFILE_HEADER_GUESSED && looks_like_names(reading));
  for (size_t i = 0; i < n; i++)
    profile->columns[i].name = name_of(profile, i, text_of(reading, reading->fields[i]));
  return profile->has_header ? SP_OK : add_row(reading, row);
}

static enum sp_err read_rows(struct reading *reading, enum sp_profile_header header) {
  const struct sp_import_conf *file = reading->file;
  for (uint64_t i = 0;; i++) {
    struct sp_row row;
    bool end;
    enum sp_err err = sp_rows_next(reading->rows, &row, &end, reading->error);
    if (err || end) return err;
    err = i == 0 ? read_first(reading, header, row) : add_row(reading, row);
    if (err) return err;
    if (file->progress && i % PROGRESS_EVERY == 0)
      file->progress(file->progress_context, sp_rows_n_bytes(reading->rows),
                     sp_rows_file_bytes(reading->rows), i);
  }
}

enum sp_err sp_profile_read(const struct sp_import_conf *file, enum sp_profile_header header,
                            struct sp_profile *profile, struct sp_error *error) {
  struct reading reading = {.file = file, .profile = profile, .error = error};
  *profile = (struct sp_profile){0};
  enum sp_err err = sp_rows_new(file->input, SP_ROWS_CSV, file->stop, &reading.rows, error);
  if (!err) err = read_rows(&reading, header);
  if (!err && profile->n_rows == profile->n_odd_rows)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "%s holds no events%s; give a file with rows", file->input,
                  profile->n_columns ? " below its header row" : ": it is empty");
  sp_rows_free(reading.rows);
  free(reading.fields);
  free(reading.text);
  return err;
}

void sp_profile_done(struct sp_profile *profile) {
  for (size_t i = 0; i < profile->n_columns; i++) {
    drop_levels(&profile->columns[i].levels);
    free(profile->columns[i].name);
  }
  free(profile->columns);
  *profile = (struct sp_profile){0};
}

size_t sp_profile_find(const struct sp_profile *profile, const char *name) {
  uint64_t number;
  for (size_t i = 0; i < profile->n_columns; i++) {
    if (strcmp(profile->columns[i].name, name) == 0) return i;
  }
  bool is_number = sp_units_parse_count(name, &number, NULL) == SP_OK;
  return is_number && number >= 1 && number <= profile->n_columns ? (size_t)number - 1 : SIZE_MAX;
}

bool sp_profile_is_number(const struct sp_column_profile *column) {
  return column->n_numbers > 0 && column->n_texts == 0;
}
