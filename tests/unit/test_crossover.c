// The crossover map against worlds whose truth is known: symbols of cells, crossings and their brackets, and names that would be
// markup.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>

#include "report/crossover_maps.h"

#define METRIC "response_p50"

static char **texts_of(const char *const *texts, size_t n) {
  char **copy = sp_alloc((n + 1) * sizeof *copy);
  for (size_t i = 0; i < n; i++) copy[i] = sp_copy_text(texts[i]);
  return copy;
}

static void set_axis(struct sp_sweep *sweep, size_t i, const char *name, const char *const *values,
                     size_t n) {
  sweep->axes[i] = (struct sp_sweep_axis){sp_copy_text(name), sp_copy_text(name), texts_of(values, n), n};
}

// rate by batch, embedded (reference) and rpc; every cell done, its verdict open.
static struct sp_sweep make_sweep(const char *rpc) {
  static const char *const rates[] = {"500/s", "1000/s", "2000/s", "4000/s"}, *const batches[] = {"1", "8"};
  const char *const sides[] = {"embedded", rpc};
  struct sp_sweep sweep = {.scenario = sp_copy_text("fraud"),
                           .reference = sp_copy_text("embedded"),
                           .sides = texts_of(sides, 2),
                           .n_sides = 2,
                           .n_axes = 2,
                           .n_cells = 8};
  sweep.axes = sp_alloc(2 * sizeof *sweep.axes);
  set_axis(&sweep, 0, "rate", rates, 4);
  set_axis(&sweep, 1, "batch", batches, 2);
  sweep.cells = sp_alloc(8 * sizeof *sweep.cells);
  for (size_t i = 0; i < 8; i++) {
    const char *const values[] = {rates[i / 2], batches[i % 2]};
    struct sp_sweep_cell *cell = &sweep.cells[i];
    *cell = (struct sp_sweep_cell){.name = sp_format("cell%zu", i),
                                   .values = texts_of(values, 2),
                                   .n_values = 2,
                                   .state = SP_SWEEP_DONE,
                                   .n_sides = 2,
                                   .n_figures = 1};
    cell->sides = sp_alloc(2 * sizeof *cell->sides);
    for (size_t s = 0; s < 2; s++)
      cell->sides[s] = (struct sp_sweep_side){sp_copy_text(sides[s]), SP_MET_YES};
    cell->figures = sp_alloc(sizeof *cell->figures);
    cell->figures[0] = (struct sp_sweep_figure){sp_copy_text(METRIC),   sp_copy_text(rpc), 1, 0.9, 1.1, 0.99,
                                                SP_VERDICT_INCONCLUSIVE};
  }
  return sweep;
}

static void set(struct sp_sweep *sweep, size_t rate_i, size_t batch_i, double ratio,
                enum sp_verdict verdict) {
  struct sp_sweep_figure *figure = sweep->cells[rate_i * 2 + batch_i].figures;
  figure->ratio = ratio;
  figure->verdict = verdict;
}

static enum sp_cross cross_at(const struct sp_sweep *sweep, size_t cell_i) {
  return sp_cross_of(sweep, &sweep->cells[cell_i], METRIC).cross;
}

static void cells_say_what_is_known(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_OPEN);
  set(&sweep, 0, 0, 1.4, SP_VERDICT_WORSE);
  struct sp_cross_cell cell = sp_cross_of(&sweep, &sweep.cells[0], METRIC);
  assert_int_equal(cell.cross, SP_CROSS_WINS);
  assert_string_equal(cell.side, "embedded");
  set(&sweep, 0, 0, 0.7, SP_VERDICT_BETTER);
  cell = sp_cross_of(&sweep, &sweep.cells[0], METRIC);
  assert_string_equal(cell.side, "rpc");
  assert_false(cell.misses_bound);
  set(&sweep, 0, 0, 1.01, SP_VERDICT_SAME);
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_SAME);
  set(&sweep, 0, 0, 1.01, SP_VERDICT_VOID);
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_OPEN);
  sweep.cells[0].state = SP_SWEEP_FAILED;
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_FAILED);
  sweep.cells[0].state = SP_SWEEP_PENDING;
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_PENDING);
  assert_int_equal(sp_cross_of(&sweep, &sweep.cells[1], "cpu_per_event").cross, SP_CROSS_FAILED);
  sp_sweep_done(&sweep);
}

static void bounds_come_before_speed(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  struct sp_sweep_cell *cell = &sweep.cells[0];
  set(&sweep, 0, 0, 0.7, SP_VERDICT_BETTER);
  cell->sides[0].meets = cell->sides[1].meets = SP_MET_NO;
  assert_int_equal(cross_at(&sweep, 0), SP_CROSS_NEITHER);
  cell->sides[0].meets = SP_MET_YES;
  struct sp_cross_cell cross = sp_cross_of(&sweep, cell, METRIC);
  assert_int_equal(cross.cross, SP_CROSS_ONLY);
  assert_string_equal(cross.side, "embedded");
  cell->sides[0].meets = SP_MET_UNKNOWN; // then nobody knows whether the other does
  cross = sp_cross_of(&sweep, cell, METRIC);
  assert_int_equal(cross.cross, SP_CROSS_WINS);
  assert_true(cross.misses_bound);
  sp_sweep_done(&sweep);
}

// ratio = sqrt(2000/s / rate): 1 at 2000/s.
static void a_crossing_is_found_where_it_is(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  set(&sweep, 0, 0, 2, SP_VERDICT_WORSE);
  set(&sweep, 1, 0, sqrt(2), SP_VERDICT_WORSE);
  set(&sweep, 2, 0, 1, SP_VERDICT_INCONCLUSIVE);
  set(&sweep, 3, 0, sqrt(0.5), SP_VERDICT_BETTER);
  size_t n;
  struct sp_crossing *crossings = sp_crossings(&sweep, &n);
  assert_int_equal(n, 1);
  assert_int_equal(crossings[0].axis_i, 0);
  assert_int_equal(crossings[0].low_i, 1); // past the inconclusive one: an honest bracket
  assert_int_equal(crossings[0].high_i, 3);
  assert_int_equal(crossings[0].at[1], 0);
  assert_true(crossings[0].side_wins_above);
  assert_true(fabs(crossings[0].estimate - 2000) < 1e-6);
  assert_string_equal(crossings[0].text, "2000/s");
  char *text = sp_crossing_text(&sweep, &crossings[0]); // what else is fixed, too
  assert_string_equal(
      text, "response p50, batch=1: embedded wins at rate=1000/s, rpc at rate=4000/s; about equal at 2000/s");
  free(text);
  char *json = sp_crossover_json(&sweep);
  assert_non_null(strstr(json, "\"text\":\"response p50, batch=1: embedded wins"));
  free(json);
  free(crossings);
  sp_sweep_done(&sweep);
}

static void no_crossing_is_invented(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  size_t n;
  for (size_t i = 0; i < 4; i++) set(&sweep, i, 0, i < 2 ? 1.05 : 0.95, SP_VERDICT_INCONCLUSIVE);
  free(sp_crossings(&sweep, &n));
  assert_int_equal(n, 0);
  for (size_t i = 0; i < 4; i++) set(&sweep, i, 0, 1.5, SP_VERDICT_WORSE);
  free(sp_crossings(&sweep, &n));
  assert_int_equal(n, 0);
  set(&sweep, 3, 0, 0.5, SP_VERDICT_BETTER);
  sweep.cells[6].state = SP_SWEEP_PENDING;
  free(sp_crossings(&sweep, &n));
  assert_int_equal(n, 0);
  sp_sweep_done(&sweep);
}

static void values_that_are_no_quantities_have_a_bracket_alone(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  set(&sweep, 0, 0, 1.5, SP_VERDICT_WORSE);
  set(&sweep, 1, 0, 0, SP_VERDICT_BETTER);
  size_t n;
  struct sp_crossing *crossings = sp_crossings(&sweep, &n);
  assert_int_equal(n, 1); // a ratio of 0 has no logarithm
  assert_true(isnan(crossings[0].estimate));
  free(crossings);
  set(&sweep, 1, 0, 0.5, SP_VERDICT_BETTER);
  free(sweep.axes[0].values[1]);
  sweep.axes[0].values[1] = sp_copy_text("trace");
  crossings = sp_crossings(&sweep, &n);
  assert_int_equal(n, 1);
  assert_true(isnan(crossings[0].estimate));
  free(crossings);
  sp_sweep_done(&sweep);
}

static void a_linear_axis_has_a_zero(void **state) {
  (void)state;
  struct sp_sweep sweep = make_sweep("rpc");
  free(sweep.axes[0].values[0]);
  sweep.axes[0].values[0] = sp_copy_text("0us");
  free(sweep.axes[0].values[1]);
  sweep.axes[0].values[1] = sp_copy_text("200us");
  set(&sweep, 0, 0, 0.5, SP_VERDICT_BETTER);
  set(&sweep, 1, 0, 2, SP_VERDICT_WORSE);
  size_t n;
  struct sp_crossing *crossings = sp_crossings(&sweep, &n);
  assert_int_equal(n, 1);
  assert_string_equal(crossings[0].text, "100µs");
  assert_false(crossings[0].side_wins_above);
  free(crossings);
  sp_sweep_done(&sweep);
}

static char *printed(const struct sp_sweep *sweep, void (*print)(const struct sp_sweep *, FILE *)) {
  char *text = NULL;
  size_t n = 0;
  FILE *to = open_memstream(&text, &n);
  assert_non_null(to);
  print(sweep, to);
  fclose(to);
  return text;
}

// With batches of 8 the side wins from the third rate on; the first cell failed.
static struct sp_sweep make_crossing(const char *side, const char *error) {
  struct sp_sweep sweep = make_sweep(side);
  for (size_t i = 0; i < 4; i++)
    set(&sweep, i, 1, i < 2 ? 2 : 0.5, i < 2 ? SP_VERDICT_WORSE : SP_VERDICT_BETTER);
  sweep.cells[0].state = SP_SWEEP_FAILED;
  sweep.cells[0].error = sp_copy_text(error);
  return sweep;
}

static void the_map_is_readable(void **state) {
  (void)state;
  struct sp_sweep sweep = make_crossing("rpc", "too many invalid trials");
  sweep.cells[6].state = SP_SWEEP_PENDING;
  char *text = printed(&sweep, sp_crossover_print);
  static const char *const wanted[] = {
      "fraud: crossover map, 7 of 8 cells, against embedded\n",
      "response p50: rate to the right, downward batch\n",
      "   500/s     1000/s    2000/s    4000/s\n",
      "1  !         ?         ?         .\n",
      "8  embedded  embedded  rpc       rpc\n",
      "! cell0: too many invalid trials\n",
      "crossing: response p50, batch=8: embedded wins at rate=1000/s, rpc at ",
      ", rpc at rate=2000/s; about equal at 1410/s\n"};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    if (!strstr(text, wanted[i])) fail_msg("no %s in:\n%s", wanted[i], text);
  }
  free(text);
  sp_sweep_done(&sweep);
}

static void names_are_never_markup(void **state) {
  (void)state;
  struct sp_sweep sweep = make_crossing("<b>|`x`\n\x1b[31m@team", "<script>|");
  char *text = printed(&sweep, sp_crossover_print);
  assert_null(strchr(text, '\x1b'));
  free(text);
  text = printed(&sweep, sp_crossover_write_markdown);
  assert_null(strchr(text, '\x1b'));
  assert_null(strchr(text, '<'));
  assert_null(strstr(text, "@team"));
  for (const char *at = text; (at = strchr(at, '`')); at++) assert_int_equal(at[-1], '\\');
  free(text);
  char *json = sp_crossover_json(&sweep);
  json_t *object = json_loads(json, 0, NULL);
  assert_non_null(object);
  assert_int_equal(json_array_size(json_object_get(object, "maps")), 1);
  assert_int_equal(json_array_size(json_object_get(object, "crossings")), 1);
  json_decref(object);
  free(json);
  sp_sweep_done(&sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells_say_what_is_known),
      cmocka_unit_test(bounds_come_before_speed),
      cmocka_unit_test(a_crossing_is_found_where_it_is),
      cmocka_unit_test(no_crossing_is_invented),
      cmocka_unit_test(values_that_are_no_quantities_have_a_bracket_alone),
      cmocka_unit_test(a_linear_axis_has_a_zero),
      cmocka_unit_test(the_map_is_readable),
      cmocka_unit_test(names_are_never_markup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
