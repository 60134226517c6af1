// Axes from text, cells from axes.
#include "decide/axes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/quantity.h"
#include "scenario/flags.h"
#include "scenario/setting.h"

#define NAME_BYTES_MAX 180

// --- The key ---

// "rpc_delay" and "--rpc-delay" are written alike.
static bool is_same_name(const char *name, const char *flag) {
  for (; *name && *flag; name++, flag++) {
    if ((*name == '_' ? '-' : *name) != *flag) return false;
  }
  return *name == *flag;
}

static enum sp_err refuse_key(const struct sp_flags *flags, const char *name, struct sp_error *error) {
  const char **names = sp_alloc((flags->n + 1) * sizeof *names);
  char suggestion[256];
  size_t n = 0;
  for (size_t i = 0; i < flags->n; i++) {
    if (flags->keys[i]) names[n++] = flags->options[i].flag + 2;
  }
  sp_fail(error, SP_ERR_USAGE, "--sweep: \"%.60s\" is no key of a scenario; %s", name,
          sp_names_suggest(name, names, n, suggestion, sizeof suggestion));
  free(names);
  return SP_ERR_USAGE;
}

struct full_key {
  const char *name;
  bool is_found;
};

// "sides.rpc.batch" is "sides.*.batch".
static void look_for_key(void *context, const struct sp_key *key, const char *path) {
  struct full_key *wanted = context;
  const char *name = wanted->name;
  (void)key;
  while (*path && *name) {
    if (*path == '*') {
      name += strcspn(name, ".");
      path++;
    } else if (*path++ != *name++) {
      return;
    }
  }
  wanted->is_found |= *path == '\0' && *name == '\0';
}

static enum sp_err find_key(const struct sp_cli_verb *verb, const char *name, struct sp_sweep_axis *axis,
                            char **flag, struct sp_error *error) {
  struct sp_flags flags;
  struct full_key full = {name, false};
  enum sp_err err = SP_OK;
  sp_flags_init(&flags, verb);
  for (size_t i = 0; i < flags.n && !axis->key; i++) {
    if (!flags.keys[i] ||
        (!is_same_name(name, flags.options[i].flag + 2) && strcmp(name, flags.keys[i]) != 0))
      continue;
    axis->key = sp_copy_text(flags.keys[i]);
    if (flags.options[i].value) *flag = sp_copy_text(flags.options[i].flag);
  }
  if (!axis->key) sp_keys_each(&sp_scenario_table, look_for_key, &full);
  if (full.is_found || strncmp(name, "kafka.", 6) == 0)
    axis->key = sp_copy_text(name); // properties have free names
  if (!axis->key) err = refuse_key(&flags, name, error);
  sp_flags_done(&flags);
  return err;
}

// --- Values ---

static enum sp_err add_value(struct sp_sweep_axis *axis, const char *value, struct sp_error *error) {
  if (*value == '\0')
    return sp_fail(error, SP_ERR_USAGE, "--sweep %s: a value is empty; write for example %s=1,8,32",
                   axis->name, axis->name);
  for (size_t i = 0; i < axis->n_values; i++) {
    if (strcmp(axis->values[i], value) == 0)
      return sp_fail(error, SP_ERR_USAGE, "--sweep %s: %.60s stands there twice", axis->name, value);
  }
  if (axis->n_values == SP_AXIS_VALUES_MAX)
    return sp_fail(error, SP_ERR_USAGE, "--sweep %s: more than %d values; take larger steps", axis->name,
                   SP_AXIS_VALUES_MAX);
  axis->values = sp_realloc(axis->values, (axis->n_values + 1) * sizeof *axis->values);
  axis->values[axis->n_values++] = sp_copy_text(value);
  return SP_OK;
}

struct range {
  struct sp_quantity from, to, step;
  bool is_geometric;
};

static enum sp_err add_range(struct sp_sweep_axis *axis, const struct range *range, struct sp_error *error) {
  char text[SP_QUANTITY_TEXT_BYTES];
  enum sp_err err = SP_OK;
  double end = range->to.value * (1 + 1e-9); // the last step may miss it by rounding
  struct sp_quantity at = range->from;
  for (size_t i = 0; at.value <= end && !err; i++) {
    err = add_value(axis, sp_quantity_write(&at, text, sizeof text), error);
    double steps = (double)(i + 1);
    at.value = range->is_geometric ? range->from.value * pow(range->step.value, steps)
                                   : range->from.value + range->step.value * steps;
  }
  return err;
}

static enum sp_err refuse_range(const struct sp_sweep_axis *axis, const char *item, const char *why,
                                struct sp_error *error) {
  return sp_fail(error, SP_ERR_USAGE,
                 "--sweep %s: %.60s: %s; write A..B:xN or A..B:+N, as in 500/s..8000/s:x2 or 1..9:+4",
                 axis->name, item, why);
}

static const char *why_no_range(const struct range *range) {
  if (range->from.kind != range->to.kind) return "the ends are not of one kind";
  if (range->from.value > range->to.value) return "it ends before it begins";
  if (range->is_geometric) {
    if (range->step.kind != SP_QUANTITY_NUMBER || range->step.value <= 1) return "the factor must be above 1";
    return range->from.value > 0 ? NULL : "no factor leads away from 0";
  }
  if (range->step.kind != range->from.kind) return "the step is not of the kind of the ends";
  return range->step.value > 0 ? NULL : "the step must be above 0";
}

// "500/s..8000/s:x2"; what only looks like one (a path, "lognormal:median=1ms") is a value.
static enum sp_err add_item(struct sp_sweep_axis *axis, const char *item, struct sp_error *error) {
  const char *dots = strstr(item, ".."), *colon = dots ? strrchr(dots, ':') : NULL;
  struct range range;
  if (!dots) return add_value(axis, item, error);
  char *from = sp_format("%.*s", (int)(dots - item), item);
  char *to = colon ? sp_format("%.*s", (int)(colon - dots - 2), dots + 2) : sp_copy_text(dots + 2);
  bool has_ends = sp_quantity_parse(from, &range.from) && sp_quantity_parse(to, &range.to);
  free(from);
  free(to);
  if (!has_ends) return add_value(axis, item, error);
  if (!colon || (colon[1] != 'x' && colon[1] != '+') || !sp_quantity_parse(colon + 2, &range.step))
    return refuse_range(axis, item, "a range needs a step", error);
  range.is_geometric = colon[1] == 'x';
  const char *why = why_no_range(&range);
  return why ? refuse_range(axis, item, why, error) : add_range(axis, &range, error);
}

// To the next comma outside of brackets and quotes.
static size_t item_length(const char *text) {
  int depth = 0;
  bool is_quoted = false;
  size_t n = 0;
  for (; text[n] && (text[n] != ',' || depth > 0 || is_quoted); n++) {
    if (text[n] == '"') is_quoted = !is_quoted;
    depth += (text[n] == '[' || text[n] == '{') - (text[n] == ']' || text[n] == '}');
  }
  return n;
}

static enum sp_err add_items(struct sp_sweep_axis *axis, const char *text, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (bool has_more = true; has_more && !err;) {
    size_t n = item_length(text);
    bool is_quoted = n >= 2 && text[0] == '"' && text[n - 1] == '"';
    char *item = is_quoted ? sp_format("%.*s", (int)n - 2, text + 1) : sp_format("%.*s", (int)n, text);
    err = is_quoted ? add_value(axis, item, error) : add_item(axis, item, error);
    free(item);
    has_more = text[n] == ',';
    text += n + has_more;
  }
  return err;
}

enum sp_err sp_axis_parse(const struct sp_cli_verb *verb, const char *text, struct sp_sweep_axis *axis,
                          char **flag, struct sp_error *error) {
  const char *equals = strchr(text, '=');
  *axis = (struct sp_sweep_axis){0};
  *flag = NULL;
  if (!equals || equals == text)
    return sp_fail(error, SP_ERR_USAGE,
                   "--sweep: \"%.60s\" is not KEY=VALUES; write for example --sweep rate=500/s..8000/s:x2",
                   text);
  axis->name = sp_format("%.*s", (int)(equals - text), text);
  enum sp_err err = find_key(verb, axis->name, axis, flag, error);
  return err ? err : add_items(axis, equals + 1, error);
}

// --- Beside the rest of the command line ---

// Whether setting `wide` ("sides.*.batch") sets `key` ("sides.rpc.batch") too.
static bool covers(const char *wide, const char *key) {
  struct full_key found = {key, false};
  look_for_key(&found, NULL, wide);
  return found.is_found;
}

static enum sp_err check_axis(const struct sp_cli *cli, const struct sp_sweep_axis *axis,
                              struct sp_error *error) {
  for (size_t i = 0; i < cli->n_settings; i++) {
    if (strcmp(cli->settings[i].key, axis->key) == 0)
      return sp_fail(error, SP_ERR_USAGE, "--sweep %s and %s set the same key; leave one of them out",
                     axis->name, cli->settings[i].origin);
  }
  for (size_t i = 0; i < cli->n_sides; i++) {
    for (size_t k = 0; k < cli->sides[i].n_keys; k++) {
      if (!covers(axis->key, cli->sides[i].keys[k].key)) continue;
      return sp_fail(
          error, SP_ERR_USAGE,
          "--sweep %s would change nothing for side %s, whose own value wins; leave it out there, or "
          "sweep one side's: --sweep sides.NAME.%s=...",
          axis->name, cli->sides[i].name, strrchr(axis->key, '.') + 1);
    }
  }
  return SP_OK;
}

enum sp_err sp_axes_check(const struct sp_cli *cli, const struct sp_sweep_axis *axes, size_t n,
                          struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n && !err; i++) {
    err = check_axis(cli, &axes[i], error);
    for (size_t k = 0; k < i && !err; k++) {
      if (covers(axes[k].key, axes[i].key) || covers(axes[i].key, axes[k].key))
        err =
            sp_fail(error, SP_ERR_USAGE, "--sweep %s and --sweep %s set the same key; leave one of them out",
                    axes[k].name, axes[i].name);
    }
  }
  return err;
}

// --- Cells ---

// "rate=500_s,batch=8": a folder's name, the same for the same values.
static char *cell_name(const struct sp_sweep *sweep, size_t cell_i) {
  const struct sp_sweep_cell *cell = &sweep->cells[cell_i];
  char *name = sp_copy_text("");
  for (size_t i = 0; i < sweep->n_axes; i++) {
    char *longer = sp_format("%s%s%s=%s", name, i ? "," : "", sweep->axes[i].name, cell->values[i]);
    free(name);
    name = longer;
  }
  for (char *at = name; *at; at++) {
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=,.-_", *at)) *at = '_';
  }
  bool is_taken = strlen(name) > NAME_BYTES_MAX;
  for (size_t i = 0; i < cell_i; i++) is_taken |= strcmp(sweep->cells[i].name, name) == 0;
  if (!is_taken) return name;
  char *unique = sp_format("%.*s,cell=%zu", NAME_BYTES_MAX, name, cell_i + 1);
  free(name);
  return unique;
}

enum sp_err sp_axes_cells(struct sp_sweep *sweep, struct sp_error *error) {
  size_t n = 1;
  for (size_t i = 0; i < sweep->n_axes; i++) {
    n *= sweep->axes[i].n_values;
    if (n > SP_SWEEP_CELLS_MAX)
      return sp_fail(error, SP_ERR_USAGE, "--sweep: more than %d cells; take fewer values",
                     SP_SWEEP_CELLS_MAX);
  }
  sweep->cells = sp_alloc(n * sizeof *sweep->cells);
  for (sweep->n_cells = 0; sweep->n_cells < n; sweep->n_cells++) {
    struct sp_sweep_cell *cell = &sweep->cells[sweep->n_cells];
    size_t rest = sweep->n_cells;
    cell->values = sp_alloc(sweep->n_axes * sizeof *cell->values);
    cell->n_values = sweep->n_axes;
    for (size_t i = sweep->n_axes; i-- > 0; rest /= sweep->axes[i].n_values)
      cell->values[i] = sp_copy_text(sweep->axes[i].values[rest % sweep->axes[i].n_values]);
    cell->name = cell_name(sweep, sweep->n_cells);
  }
  return SP_OK;
}

// --- Order ---

// When halving of [0, n - 1] reaches i: 0 for the ends.
static unsigned level_of(size_t i, size_t n) {
  size_t low = 0, high = n - 1;
  unsigned level = 0;
  while (i != low && i != high) {
    size_t middle = low + (high - low) / 2;
    level++;
    if (i == middle) break;
    if (i < middle)
      high = middle;
    else
      low = middle;
  }
  return level;
}

struct rank {
  unsigned deepest, sum;
  size_t cell_i;
};

static int compare_ranks(const void *left, const void *right) {
  const struct rank *a = left, *b = right;
  if (a->deepest != b->deepest) return a->deepest < b->deepest ? -1 : 1;
  if (a->sum != b->sum) return a->sum < b->sum ? -1 : 1;
  return a->cell_i < b->cell_i ? -1 : a->cell_i > b->cell_i;
}

size_t *sp_axes_order(const struct sp_sweep *sweep) {
  struct rank *ranks = sp_alloc(sweep->n_cells * sizeof *ranks);
  size_t *order = sp_alloc(sweep->n_cells * sizeof *order);
  for (size_t c = 0; c < sweep->n_cells; c++) {
    size_t rest = c;
    ranks[c].cell_i = c;
    for (size_t i = sweep->n_axes; i-- > 0; rest /= sweep->axes[i].n_values) {
      unsigned level = level_of(rest % sweep->axes[i].n_values, sweep->axes[i].n_values);
      ranks[c].sum += level;
      if (level > ranks[c].deepest) ranks[c].deepest = level;
    }
  }
  qsort(ranks, sweep->n_cells, sizeof *ranks, compare_ranks);
  for (size_t c = 0; c < sweep->n_cells; c++) order[c] = ranks[c].cell_i;
  free(ranks);
  return order;
}
