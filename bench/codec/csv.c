// CSV records into tensors: the columns' plan is made once; an event is walked once, from its first column to its last.
#include "codec/csv.h"

#include <stdlib.h>

#include "base/names.h"
#include "codec/dictionary.h"
#include "codec/element.h"
#include "codec/reason.h"

// What becomes of a field that is missing or unknown.
struct policy {
  enum { POLICY_MALFORMED, POLICY_VALUE, POLICY_OWN_CODE } kind;
  double value; // POLICY_VALUE
  size_t code;  // POLICY_OWN_CODE
};

// One column's way into a tensor; a column may have several.
struct use {
  struct use *next; // of the same column
  const char *column;
  enum { USE_NUMBER, USE_VOCABULARY, USE_ONE_HOT } kind;
  enum sp_dtype dtype;
  size_t tensor_i;
  size_t slot;  // first element of the row
  size_t width; // elements
  struct sp_dictionary *levels;
  struct policy missing, unknown;
};

struct sp_csv {
  size_t n_columns;
  struct column {
    struct use *uses; // NULL: not used
  } * columns;
};

// ---- the plan

static const char *const policy_names[] = {"malformed", "nan", "own_code"};

static enum sp_err read_policy(const char *text, const char *key, const struct use *use,
                               struct policy *policy, struct sp_error *error) {
  *policy = (struct policy){.kind = POLICY_MALFORMED};
  if (!text || strcmp(text, "malformed") == 0) return SP_OK;
  if (strcmp(text, "own_code") == 0) {
    policy->kind = POLICY_OWN_CODE;
    if (use->kind != USE_NUMBER) return SP_OK;
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: own_code needs levels, and column %s is a number; write nan or a number", key,
                   use->column);
  }
  policy->kind = POLICY_VALUE;
  size_t n = strlen(text);
  if (strcmp(text, "nan") == 0) {
    policy->value = NAN;
  } else if (sp_number_scan((const uint8_t *)text, (const uint8_t *)text + n, &policy->value) != n ||
             n == 0) {
    char suggestion[128];
    return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\" is neither a number nor a policy; %s", key, text,
                   sp_names_suggest(text, policy_names, 3, suggestion, sizeof suggestion));
  }
  int64_t element;
  if (sp_element_store(use->dtype, &element, 0, policy->value)) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s: %s cannot hold %s; write a whole number within its range", key,
                 sp_dtype_name(use->dtype), text);
}

static bool holds_code(enum sp_dtype dtype, size_t code) {
  union {
    float real;
    int64_t whole;
  } element;
  if (!sp_element_store(dtype, &element, 0, (double)code)) return false;
  return dtype != SP_DTYPE_FLOAT32 || (double)element.real == (double)code;
}

static enum sp_err read_policies(const struct sp_column_conf *conf, const char *key, struct use *use,
                                 struct sp_error *error) {
  char *name = sp_format("%s.missing", key);
  enum sp_err err = read_policy(conf->missing, name, use, &use->missing, error);
  free(name);
  name = sp_format("%s.unknown", key);
  if (!err) err = read_policy(conf->unknown, name, use, &use->unknown, error);
  free(name);
  return err;
}

// Levels, and the codes after them: first that of unknown, then that of missing.
static enum sp_err read_levels(const struct sp_column_conf *conf, const char *key, struct use *use,
                               struct sp_error *error) {
  if (conf->vocabulary && conf->one_hot) {
    return sp_fail(error, SP_ERR_USAGE, "%s: column %s has both vocabulary and one_hot; keep one", key,
                   conf->column);
  }
  use->kind = conf->one_hot ? USE_ONE_HOT : conf->vocabulary ? USE_VOCABULARY : USE_NUMBER;
  use->width = 1;
  enum sp_err err = read_policies(conf, key, use, error);
  if (err || use->kind == USE_NUMBER) return err;
  const char *file = conf->one_hot ? conf->one_hot : conf->vocabulary;
  err = sp_dictionary_load(file, SP_DICTIONARY_INDEX, key, &use->levels, error);
  if (err) return err;
  size_t n_codes = sp_dictionary_lines(use->levels);
  if (use->unknown.kind == POLICY_OWN_CODE) use->unknown.code = n_codes++;
  if (use->missing.kind == POLICY_OWN_CODE) use->missing.code = n_codes++;
  if (use->kind == USE_ONE_HOT) {
    use->width = n_codes;
  } else if (!holds_code(use->dtype, n_codes - 1)) {
    return sp_fail(error, SP_ERR_USAGE, "%s: %s cannot hold the code %zu of %s; use a wider dtype", key,
                   sp_dtype_name(use->dtype), n_codes - 1, file);
  }
  return SP_OK;
}

static enum sp_err add_column(struct sp_csv *csv, const struct sp_input_conf *conf,
                              const struct sp_column_conf *column, const char *key, struct use *use,
                              struct sp_error *error) {
  const char *name = column->column;
  if (!name) return sp_fail(error, SP_ERR_USAGE, "%s: no column is named; write {column: NAME, ...}", key);
  size_t i = 0;
  while (i < csv->n_columns && strcmp(conf->header.items[i], name) != 0) i++;
  if (i == csv->n_columns) {
    char suggestion[400];
    return sp_fail(error, SP_ERR_USAGE, "%s: input.header has no column \"%s\"; %s", key, name,
                   sp_names_suggest(name, (const char *const *)conf->header.items, conf->header.n, suggestion,
                                    sizeof suggestion));
  }
  struct use *added = sp_alloc(sizeof *added);
  *added = *use;
  added->next = csv->columns[i].uses;
  added->column = conf->header.items[i];
  csv->columns[i].uses = added;
  enum sp_err err = read_levels(column, key, added, error);
  use->slot += added->width;
  return err;
}

static enum sp_err add_tensor(struct sp_csv *csv, const struct sp_input_conf *conf, size_t tensor_i,
                              const struct sp_tensor_spec *spec, struct sp_error *error) {
  const struct sp_input_tensor_conf *tensor =
      &((const struct sp_input_tensor_conf *)conf->tensors.items)[tensor_i];
  const struct sp_column_conf *columns = tensor->columns.items;
  struct use use = {.dtype = spec->dtype, .tensor_i = tensor_i};
  for (size_t i = 0; i < tensor->columns.n; i++) {
    char *key = sp_format("input.tensors[%s].columns[%zu]", spec->name, i);
    enum sp_err err = add_column(csv, conf, &columns[i], key, &use, error);
    free(key);
    if (err) return err;
  }
  size_t wanted = sp_tensor_row_elements(spec);
  if (use.slot == wanted) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE,
                 "input.tensors[%s]: columns fill %zu elements of a row, but shape says %zu; correct one",
                 spec->name, use.slot, wanted);
}

static enum sp_err check_header(const struct sp_texts *header, struct sp_error *error) {
  if (header->n == 0)
    return sp_fail(error, SP_ERR_USAGE, "input.header: is empty; name the CSV columns in order");
  for (size_t i = 0; i < header->n; i++) {
    for (size_t k = 0; k < i; k++) {
      if (strcmp(header->items[i], header->items[k]) != 0) continue;
      return sp_fail(error, SP_ERR_USAGE,
                     "input.header: column %zu is named \"%s\" as column %zu is; rename one", i + 1,
                     header->items[i], k + 1);
    }
  }
  return SP_OK;
}

enum sp_err sp_csv_new(const struct sp_input_conf *conf, const struct sp_tensor_spec *specs,
                       struct sp_csv **csv, struct sp_error *error) {
  enum sp_err err = check_header(&conf->header, error);
  if (err) return err;
  struct sp_csv *new = sp_alloc(sizeof *new);
  new->n_columns = conf->header.n;
  new->columns = sp_alloc(new->n_columns * sizeof *new->columns);
  for (size_t i = 0; !err && i < conf->tensors.n; i++) err = add_tensor(new, conf, i, &specs[i], error);
  for (size_t i = 0; i < new->n_columns; i++) { // reasons name columns after the scenario is gone
    for (struct use *use = new->columns[i].uses; use; use = use->next)
      use->column = sp_copy_text(use->column);
  }
  if (err) {
    sp_csv_free(new);
    return err;
  }
  *csv = new;
  return SP_OK;
}

void sp_csv_free(struct sp_csv *csv) {
  if (!csv) return;
  for (size_t i = 0; i < csv->n_columns; i++) {
    while (csv->columns[i].uses) {
      struct use *use = csv->columns[i].uses;
      csv->columns[i].uses = use->next;
      sp_dictionary_free(use->levels);
      free((char *)use->column);
      free(use);
    }
  }
  free(csv->columns);
  free(csv);
}

// ---- fields

static bool ends_field(uint8_t c) {
  return c == ',' || c == '\n' || c == '\r';
}

// Behind a field: over the comma, or over the line end.
static enum sp_csv_field end_field(const uint8_t **at, const uint8_t *end) {
  if (*at < end && **at == ',') {
    ++*at;
    return SP_CSV_FIELD;
  }
  if (*at < end) {
    if (!ends_field(**at)) return SP_CSV_FIELD_BROKEN;
    bool is_return = **at == '\r';
    ++*at;
    if (is_return && *at < end && **at == '\n') ++*at;
  }
  return SP_CSV_FIELD_LAST;
}

// At the opening quote. Only a field with doubled quotes is copied.
static enum sp_csv_field quoted_field(const uint8_t **at, const uint8_t *end, struct sp_scratch *scratch,
                                      struct sp_bytes *field) {
  const uint8_t *start = ++*at;
  uint8_t *copy = NULL;
  size_t n = 0;
  for (;;) {
    const uint8_t *quote = memchr(*at, '"', (size_t)(end - *at));
    if (!quote) return SP_CSV_FIELD_BROKEN;
    bool doubled = quote + 1 < end && quote[1] == '"';
    if (doubled && !copy) copy = sp_scratch_bytes(scratch, (size_t)(end - start));
    size_t n_part = (size_t)(quote - *at) + doubled;
    if (copy) memcpy(copy + n, *at, n_part);
    n += n_part;
    *at = quote + 1 + doubled;
    if (doubled) continue;
    *field = sp_bytes_of(copy ? copy : start, n);
    return end_field(at, end);
  }
}

enum sp_csv_field sp_csv_next(const uint8_t **at, const uint8_t *end, struct sp_scratch *scratch,
                              struct sp_bytes *field) {
  if (*at < end && **at == '"') return quoted_field(at, end, scratch, field);
  const uint8_t *start = *at;
  while (*at < end && !ends_field(**at)) ++*at;
  *field = sp_bytes_of(start, (size_t)(*at - start));
  return end_field(at, end);
}

// ---- values

static void fill(const struct use *use, void *row, double value) {
  for (size_t i = 0; i < use->width; i++) sp_element_store(use->dtype, row, use->slot + i, value);
}

static void write_code(const struct use *use, void *row, size_t code) {
  if (use->kind == USE_VOCABULARY) {
    sp_element_store(use->dtype, row, use->slot, (double)code);
    return;
  }
  fill(use, row, 0);
  sp_element_store(use->dtype, row, use->slot + code, 1);
}

static enum sp_outcome by_policy(const struct use *use, const struct policy *policy, const char *what,
                                 void *row, struct sp_reason *reason) {
  switch (policy->kind) {
  case POLICY_VALUE: fill(use, row, policy->value); return SP_OUTCOME_NONE;
  case POLICY_OWN_CODE: write_code(use, row, policy->code); return SP_OUTCOME_NONE;
  case POLICY_MALFORMED: break;
  }
  return sp_malformed(reason, "column %.60s: %s", use->column, what);
}

static enum sp_outcome write_number(const struct use *use, struct sp_bytes text, void *row,
                                    struct sp_reason *reason) {
  bool fits = true;
  size_t n = sp_element_scan(use->dtype, text.data, text.data + text.n, row, use->slot, &fits);
  if (n == 0 || n != text.n) return by_policy(use, &use->unknown, "not a number", row, reason);
  if (fits) return SP_OUTCOME_NONE;
  return sp_malformed(reason, "column %.60s: no %s", use->column, sp_dtype_name(use->dtype));
}

static enum sp_outcome write_field(const struct use *use, struct sp_bytes text, void *row,
                                   struct sp_reason *reason) {
  if (text.n == 0 || (text.n == 2 && memcmp(text.data, "NA", 2) == 0)) {
    return by_policy(use, &use->missing, "missing", row, reason);
  }
  if (use->kind == USE_NUMBER) return write_number(use, text, row, reason);
  int64_t code = sp_dictionary_find(use->levels, text);
  if (code < 0) return by_policy(use, &use->unknown, "unknown level", row, reason);
  write_code(use, row, (size_t)code);
  return SP_OUTCOME_NONE;
}

// ---- events

// The usual case, a bare number into one float32, without finding the field's end first. False: nothing was done.
static bool fast_number(const struct use *use, const uint8_t **at, const uint8_t *end, void *const *rows) {
  if (use->kind != USE_NUMBER || use->dtype != SP_DTYPE_FLOAT32 || use->next) return false;
  double value;
  size_t n = sp_number_scan(*at, end, &value);
  if (n == 0 || (*at + n < end && !ends_field((*at)[n]))) return false;
  ((float *)rows[use->tensor_i])[use->slot] = (float)value;
  *at += n;
  return true;
}

static enum sp_outcome wrong_count(const struct sp_csv *csv, struct sp_scratch *scratch,
                                   struct sp_bytes value, struct sp_reason *reason) {
  const uint8_t *at = value.data, *end = at + value.n;
  struct sp_bytes field;
  for (size_t n = 1;; n++) {
    enum sp_csv_field kind = sp_csv_next(&at, end, scratch, &field);
    if (kind == SP_CSV_FIELD_BROKEN) return sp_malformed(reason, "not CSV: quotes");
    if (kind == SP_CSV_FIELD_LAST)
      return sp_malformed(reason, "%zu columns instead of %zu", n, csv->n_columns);
  }
}

enum sp_outcome sp_csv_decode(const struct sp_csv *csv, struct sp_scratch *scratch, struct sp_bytes value,
                              void *const *rows, struct sp_reason *reason) {
  const uint8_t *at = value.data, *end = at + value.n;
  if (at == end || *at == '\n' || *at == '\r') return sp_malformed(reason, "an empty line");
  enum sp_csv_field kind = SP_CSV_FIELD;
  for (size_t i = 0; i < csv->n_columns; i++) {
    if (kind == SP_CSV_FIELD_LAST) return wrong_count(csv, scratch, value, reason);
    const struct use *use = csv->columns[i].uses;
    if (use && fast_number(use, &at, end, rows)) {
      kind = end_field(&at, end);
      continue;
    }
    struct sp_bytes field;
    kind = sp_csv_next(&at, end, scratch, &field);
    if (kind == SP_CSV_FIELD_BROKEN) return sp_malformed(reason, "not CSV: quotes");
    for (; use; use = use->next) {
      enum sp_outcome outcome = write_field(use, field, rows[use->tensor_i], reason);
      if (outcome) return outcome;
    }
  }
  if (kind != SP_CSV_FIELD_LAST) return wrong_count(csv, scratch, value, reason);
  while (at < end && (*at == '\n' || *at == '\r')) at++;
  return at == end ? SP_OUTCOME_NONE : sp_malformed(reason, "more than one line");
}
