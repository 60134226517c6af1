// Finds columns by name or number, and takes them out of rows.
#include "import/columns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"
#include "base/units.h"
#include "import/csv.h"

#define COLUMNS_MAX 65536 // of a header row; more is no table

struct sp_columns {
  const struct sp_import_conf *conf;
  char **names; // of the header row; NULL without
  size_t n_names;
  uint8_t *header_row;
  size_t header_bytes;
  // Column indexes; SIZE_MAX: not taken.
  size_t key_i, time_i;
  size_t *value_i; // NULL: the whole row
  size_t n_values;
  struct sp_bytes *fields; // of the row at hand, up to the last column that is taken
  size_t n_fields;
  uint8_t *text, *value; // what a field of the row at hand says; the chosen columns
  size_t text_capacity, value_capacity;
};

static char *text_of(struct sp_bytes field) {
  uint8_t *text = sp_alloc(field.n + 1);
  sp_csv_unquote(field, text);
  return (char *)text;
}

static enum sp_err read_names(struct sp_columns *columns, struct sp_rows *rows, struct sp_error *error) {
  struct sp_row row;
  bool end;
  enum sp_err err = sp_rows_next(rows, &row, &end, error);
  if (err) return err;
  if (end) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s is empty: there is not even a header row; give a file with rows", sp_rows_name(rows));
  }
  size_t n = sp_csv_fields(row.bytes, NULL, 0);
  if (n > COLUMNS_MAX) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s:%llu: a header row of %zu columns; check that this is a CSV file", sp_rows_name(rows),
                   (unsigned long long)row.line_number, n);
  }
  struct sp_bytes *fields = sp_alloc(n * sizeof *fields);
  sp_csv_fields(row.bytes, fields, n);
  columns->names = sp_alloc(n * sizeof *columns->names);
  columns->n_names = n;
  for (size_t i = 0; i < n; i++) columns->names[i] = text_of(fields[i]);
  free(fields);
  columns->header_row = sp_alloc(row.bytes.n);
  columns->header_bytes = row.bytes.n;
  memcpy(columns->header_row, row.bytes.data, row.bytes.n);
  return SP_OK;
}

// By name, else by number.
static enum sp_err find_column(const struct sp_columns *columns, const char *option, const char *name,
                               size_t *column_i, struct sp_error *error) {
  for (size_t i = 0; i < columns->n_names; i++) {
    if (strcmp(columns->names[i], name) == 0) {
      *column_i = i;
      return SP_OK;
    }
  }
  uint64_t number;
  size_t last = columns->names ? columns->n_names : COLUMNS_MAX;
  if (sp_units_parse_count(name, &number, NULL) == SP_OK && number >= 1 && number <= last) {
    *column_i = (size_t)number - 1;
    return SP_OK;
  }
  if (!columns->names) {
    return sp_fail(error, SP_ERR_USAGE, "%s %s: with --no-header columns have numbers, 1 to %d", option, name,
                   COLUMNS_MAX);
  }
  char suggestion[512];
  sp_names_suggest(name, (const char *const *)columns->names, columns->n_names, suggestion,
                   sizeof suggestion);
  return sp_fail(error, SP_ERR_USAGE, "%s %s: the header row of %s has no such column; %s", option, name,
                 columns->conf->input, suggestion);
}

// "A,B,C", quoted as in a CSV file where a name holds a comma.
static enum sp_err find_values(struct sp_columns *columns, struct sp_error *error) {
  if (!columns->conf->columns) return SP_OK;
  struct sp_bytes list = sp_bytes_of_text(columns->conf->columns);
  size_t n = sp_csv_fields(list, NULL, 0);
  struct sp_bytes *fields = sp_alloc(n * sizeof *fields);
  sp_csv_fields(list, fields, n);
  columns->value_i = sp_alloc(n * sizeof *columns->value_i);
  columns->n_values = n;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n && !err; i++) {
    char *name = text_of(fields[i]);
    err = find_column(columns, "--columns", name, &columns->value_i[i], error);
    free(name);
  }
  free(fields);
  return err;
}

static size_t last_column(const struct sp_columns *columns) {
  size_t n = 0;
  if (columns->key_i != SIZE_MAX) n = columns->key_i + 1;
  if (columns->time_i != SIZE_MAX && columns->time_i + 1 > n) n = columns->time_i + 1;
  for (size_t i = 0; i < columns->n_values; i++) {
    if (columns->value_i[i] + 1 > n) n = columns->value_i[i] + 1;
  }
  return n;
}

// The chosen columns of the fields at hand, joined.
static struct sp_bytes join_values(const struct sp_columns *columns, uint8_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < columns->n_values; i++) {
    struct sp_bytes field = columns->fields[columns->value_i[i]];
    if (i > 0) out[n++] = ',';
    if (field.n > 0) memcpy(out + n, field.data, field.n);
    n += field.n;
  }
  return sp_bytes_of(out, n);
}

// Room for the chosen columns of the fields at hand.
static size_t joined_bytes(const struct sp_columns *columns) {
  size_t n = columns->n_values;
  for (size_t i = 0; i < columns->n_values; i++) n += columns->fields[columns->value_i[i]].n;
  return n;
}

static void choose_header_row(struct sp_columns *columns) {
  if (!columns->header_row || !columns->value_i) return;
  struct sp_bytes row = sp_bytes_of(columns->header_row, columns->header_bytes);
  sp_csv_fields(row, columns->fields, columns->n_fields);
  uint8_t *chosen = sp_alloc(joined_bytes(columns));
  columns->header_bytes = join_values(columns, chosen).n;
  free(columns->header_row);
  columns->header_row = chosen;
}

enum sp_err sp_columns_new(const struct sp_import_conf *conf, struct sp_rows *rows, struct sp_columns **out,
                           struct sp_error *error) {
  struct sp_columns *columns = sp_alloc(sizeof *columns);
  *columns = (struct sp_columns){.conf = conf, .key_i = SIZE_MAX, .time_i = SIZE_MAX};
  *out = NULL;
  enum sp_err err = conf->has_header_row ? read_names(columns, rows, error) : SP_OK;
  if (!err && conf->key) err = find_column(columns, "--key", conf->key, &columns->key_i, error);
  if (!err && conf->time) err = find_column(columns, "--time", conf->time, &columns->time_i, error);
  if (!err) err = find_values(columns, error);
  if (err) {
    sp_columns_free(columns);
    return err;
  }
  columns->n_fields = last_column(columns);
  columns->fields = sp_alloc(columns->n_fields * sizeof *columns->fields);
  choose_header_row(columns);
  *out = columns;
  return SP_OK;
}

void sp_columns_free(struct sp_columns *columns) {
  if (!columns) return;
  for (size_t i = 0; i < columns->n_names; i++) free(columns->names[i]);
  free(columns->names);
  free(columns->header_row);
  free(columns->value_i);
  free(columns->fields);
  free(columns->text);
  free(columns->value);
  free(columns);
}

struct sp_bytes sp_columns_header_row(const struct sp_columns *columns) {
  return sp_bytes_of(columns->header_row, columns->header_bytes);
}

static void make_room(uint8_t **bytes, size_t *capacity, size_t n) {
  if (n <= *capacity) return;
  *capacity = n + n / 4;
  *bytes = sp_realloc(*bytes, *capacity);
}

bool sp_columns_map(struct sp_columns *columns, struct sp_row row, struct sp_event *event, int64_t *time_ns,
                    char why[SP_MAPPER_WHY_BYTES]) {
  event->value = row.bytes;
  if (columns->n_fields == 0) return true;
  size_t n = sp_csv_fields(row.bytes, columns->fields, columns->n_fields);
  if (n < columns->n_fields) {
    snprintf(why, SP_MAPPER_WHY_BYTES, "%zu columns, and column %zu is wanted", n, columns->n_fields);
    return false;
  }
  make_room(&columns->text, &columns->text_capacity, row.bytes.n);
  if (columns->time_i != SIZE_MAX) {
    struct sp_bytes field = columns->fields[columns->time_i];
    struct sp_bytes text = sp_bytes_of(columns->text, sp_csv_unquote(field, columns->text));
    if (!sp_when_parse(text, columns->conf->time_unit, time_ns)) {
      snprintf(why, SP_MAPPER_WHY_BYTES, "column %.60s: \"%.*s\" is not a time in the unit of --time-unit",
               columns->conf->time, (int)(text.n < 40 ? text.n : 40), (const char *)text.data);
      return false;
    }
  }
  if (columns->key_i != SIZE_MAX) {
    event->key = sp_bytes_of(columns->text, sp_csv_unquote(columns->fields[columns->key_i], columns->text));
  }
  if (columns->value_i) {
    make_room(&columns->value, &columns->value_capacity,
              joined_bytes(columns) + 1); // never NULL: that is absent
    event->value = join_values(columns, columns->value);
  }
  return true;
}
