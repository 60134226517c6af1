// Sweeps: the grammar of axes, the order of cells, and the run itself with a stand-in for comparisons whose truth is known:
// broken off, resumed, and refused for other settings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/quantity.h"
#include "base/units.h"
#include "decide/axes.h"
#include "decide/sweep.h"
#include "os/files.h"

static const struct sp_option options[] = {
    {"--sweep", 0, "AXIS", NULL, "what to vary"}, {"--delta", 0, "SHARE", NULL, "no difference"}, {0}};
static const struct sp_cli_verb verb = {.name = "compare",
                                        .use = "SCENARIO",
                                        .about = "test",
                                        .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_PAIRS,
                                        .options = options};

// --- The grammar ---

static void axis_is(const char *text, const char *key, const char *flag, const char *values) {
  struct sp_sweep_axis axis;
  struct sp_error error = {0};
  char *set_by, *all = sp_copy_text("");
  if (sp_axis_parse(&verb, text, &axis, &set_by, &error)) fail_msg("%s: %s", text, error.text);
  for (size_t i = 0; i < axis.n_values; i++) {
    char *longer = sp_format("%s%s%s", all, i ? " " : "", axis.values[i]);
    free(all);
    all = longer;
  }
  assert_string_equal(all, values);
  assert_string_equal(axis.key, key);
  if (flag)
    assert_string_equal(set_by, flag);
  else
    assert_null(set_by);
  free(all);
  free(set_by);
  struct sp_sweep sweep = {.axes = sp_alloc(sizeof axis), .n_axes = 1};
  sweep.axes[0] = axis;
  sp_sweep_done(&sweep);
}

static void axes_are_read(void **state) {
  (void)state;
  axis_is("rate=500/s..8000/s:x2", "load.rate", "--rate", "500/s 1000/s 2000/s 4000/s 8000/s");
  axis_is("rate=500/s..7000/s:x2", "load.rate", "--rate", "500/s 1000/s 2000/s 4000/s");
  axis_is("batch=1,8,32", "sides.*.batch", "--batch", "1 8 32");
  axis_is("batch=1..9:+4", "sides.*.batch", "--batch", "1 5 9");
  axis_is("batch=1,4..16:x2,64", "sides.*.batch", "--batch", "1 4 8 16 64");
  axis_is("rpc_delay=0us,200us..1ms:+400us", "sides.*.rpc_delay", "--rpc-delay", "0us 200us 600us 1ms");
  axis_is("rpc-delay=1ms", "sides.*.rpc_delay", "--rpc-delay", "1ms");
  axis_is("load.rate=1/s", "load.rate", "--rate", "1/s");
  axis_is("sides.rpc.batch=1,2", "sides.rpc.batch", NULL, "1 2");
  axis_is("model.version=1,2", "model.version", NULL, "1 2");
  axis_is("kafka.producer.linger.ms=0,5", "kafka.producer.linger.ms", NULL, "0 5");
  axis_is("delay=5ms,\"lognormal:median=1ms,p99=10ms\",uniform:1ms..3ms", "sides.*.server.delay", "--delay",
          "5ms lognormal:median=1ms,p99=10ms uniform:1ms..3ms");
  axis_is("expect.not_ok=0.1%..0.4%:x2", "expect.not_ok", NULL, "0.1% 0.2% 0.4%");
}

static void axis_is_refused(const char *text, const char *why) {
  struct sp_sweep_axis axis;
  struct sp_error error = {0};
  char *flag;
  assert_int_equal(sp_axis_parse(&verb, text, &axis, &flag, &error), SP_ERR_USAGE);
  if (!strstr(error.text, why)) fail_msg("%s: %s", text, error.text);
  free(flag);
  struct sp_sweep sweep = {.axes = sp_alloc(sizeof axis), .n_axes = 1};
  sweep.axes[0] = axis;
  sp_sweep_done(&sweep);
}

static void wrong_axes_are_refused(void **state) {
  (void)state;
  axis_is_refused("rate", "is not KEY=VALUES");
  axis_is_refused("=1", "is not KEY=VALUES");
  axis_is_refused("rat=1/s", "did you mean rate?");
  axis_is_refused("sides.rpc.bach=1", "is no key");
  axis_is_refused("rate=", "a value is empty");
  axis_is_refused("rate=1/s,,2/s", "a value is empty");
  axis_is_refused("batch=1,8,1", "1 stands there twice");
  axis_is_refused("batch=1,1..4:x2", "1 stands there twice");
  axis_is_refused("rate=500/s..8000/s", "a range needs a step");
  axis_is_refused("rate=500/s..8000/s:2", "a range needs a step");
  axis_is_refused("rate=500/s..8000/s:x1", "the factor must be above 1");
  axis_is_refused("rate=500/s..8000/s:x2/s", "the factor must be above 1");
  axis_is_refused("rate=500/s..8ms:x2", "the ends are not of one kind");
  axis_is_refused("rate=8000/s..500/s:x2", "it ends before it begins");
  axis_is_refused("rpc_delay=0us..1ms:x2", "no factor leads away from 0");
  axis_is_refused("rpc_delay=0us..1ms:+2", "the step is not of the kind of the ends");
  axis_is_refused("rpc_delay=0us..1ms:+0us", "the step must be above 0");
  axis_is_refused("batch=1..1000:+1", "more than 64 values");
}

static void quantities_are_written_as_they_are_read(void **state) {
  (void)state;
  static const char *const texts[] = {"0", "8", "0.5", "1500/s", "0.5/s", "250us", "10ms", "64KiB", "0.1%"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct sp_quantity quantity;
    char text[SP_QUANTITY_TEXT_BYTES];
    assert_true(sp_quantity_parse(texts[i], &quantity));
    assert_string_equal(sp_quantity_write(&quantity, text, sizeof text), texts[i]);
  }
  struct sp_quantity none;
  assert_false(sp_quantity_parse("exp:2ms", &none));
  assert_false(sp_quantity_parse("", &none));
}

// --- The order ---

static void corners_come_first(void **state) {
  (void)state;
  char *values[] = {"1", "2", "3", "4", "5"};
  struct sp_sweep_axis axes[] = {{"a", "a", values, 5}, {"b", "b", values, 3}};
  struct sp_sweep sweep = {.axes = axes, .n_axes = 2};
  struct sp_error error;
  assert_int_equal(sp_axes_cells(&sweep, &error), SP_OK);
  assert_int_equal(sweep.n_cells, 15);
  size_t *order = sp_axes_order(&sweep);
  bool seen[15] = {false};
  for (size_t i = 0; i < 15; i++) {
    assert_false(seen[order[i]]);
    seen[order[i]] = true;
    if (i == 3) assert_true(seen[0] && seen[2] && seen[12] && seen[14]);
    if (i == 8) // then every other value of the first, every one of the second
      assert_true(seen[1] && seen[13] && seen[6] && seen[7] && seen[8]);
  }
  assert_string_equal(sweep.cells[7].name, "a=3,b=2");
  free(order);
  sweep.axes = NULL;
  sweep.n_axes = 0;
  sp_sweep_done(&sweep);
}

// --- The run ---

static char folder[4096] = "/tmp/test-sweep-XXXXXX";

struct world {
  struct sp_supervisor supervisor;
  size_t n_calls, stop_after; // stop_after 0: never
  bool fails_at_8000;
  char *first_name;
};

static void set_verdict(struct sp_comparison *c, double ratio) {
  struct sp_compared *m = sp_comparison_metric(c);
  m->metric = sp_metric_find("response_p50");
  m->side_i = 1;
  m->is_primary = true;
  m->ratio = ratio;
  m->low = ratio * 0.9;
  m->high = ratio * 1.1;
  m->level = 0.99;
  m->verdict = ratio < 0.9 ? SP_VERDICT_BETTER : ratio > 1.1 ? SP_VERDICT_WORSE : SP_VERDICT_INCONCLUSIVE;
}

// The second side is 4 times as slow at 500/s, and its disadvantage goes with the square root of the rate.
static enum sp_err compare(void *context, const struct sp_cli *cli, const struct sp_scenario *scenario,
                           int argc, char **argv, struct sp_comparison **out, struct sp_error *error) {
  struct world *world = context;
  double per_s = sp_rate_per_s(&scenario->load.rate);
  const struct sp_side *rpc = sp_scenario_side(scenario, "rpc");
  assert_true(argc > 1 && strcmp(argv[0], "compare") == 0);
  for (int i = 0; i < argc; i++) assert_null(strstr(argv[i], "--sweep"));
  assert_non_null(strstr(cli->out_dir, "/cells/rate="));
  if (!world->first_name) world->first_name = sp_copy_text(cli->out_dir);
  if (world->fails_at_8000 && per_s > 7000 && rpc->app.batch == 8)
    return sp_fail(error, SP_ERR_INVALID, "overloaded");
  struct sp_comparison *c = sp_comparison_new();
  sp_comparison_side(c, "embedded", NULL);
  sp_comparison_side(c, "rpc", NULL);
  set_verdict(c, 4 / (per_s / 500));
  c->complete = !world->stop_after || ++world->n_calls < world->stop_after;
  if (!world->stop_after) world->n_calls++;
  if (!c->complete) world->supervisor.signal = 2;
  *out = c;
  return sp_comparison_write(c, cli->out_dir, error);
}

static enum sp_err sweep_with(struct world *world, const char *rate, const char *name, struct sp_sweep *sweep,
                              struct sp_error *error) {
  static const char *const sides[] = {"embedded", "rpc"};
  char *scenario = sp_format("%s/fixtures/fraud", getenv("SOURCE_DIR"));
  char *out = sp_format("%s/%s", folder, name), *axis = sp_format("--sweep=rate=%s", rate);
  char *argv[] = {"compare", scenario, axis, "--sweep", "batch=1,8", "--duration", "1s", "--out", out, NULL};
  struct sp_cli *cli;
  *sweep = (struct sp_sweep){0};
  enum sp_err err = sp_cli_parse(&verb, 9, argv, &cli, error);
  assert_int_equal(err, SP_OK);
  const struct sp_sweep_plan plan = {.cli = cli,
                                     .argc = 9,
                                     .argv = argv,
                                     .scenario = "fraud",
                                     .sides = sides,
                                     .n_sides = 2,
                                     .n_pairs = 12,
                                     .dir = out,
                                     .compare = compare,
                                     .context = world,
                                     .supervisor = &world->supervisor,
                                     .is_quiet = true};
  err = sp_sweep_run(&plan, sweep, error);
  sp_cli_free(cli);
  free(scenario);
  free(out);
  free(axis);
  return err;
}

static void a_sweep_goes_on_where_it_was_broken_off(void **state) {
  (void)state;
  struct world world = {.stop_after = 3};
  struct sp_sweep sweep, stored;
  struct sp_error error = {0};
  if (sweep_with(&world, "500/s..8000/s:x4", "resumed", &sweep, &error)) fail_msg("%s", error.text);
  assert_int_equal(world.n_calls, 3);
  assert_false(sweep.complete);
  assert_int_equal(sweep.n_cells, 6);
  assert_int_equal(sp_sweep_exit_code(&sweep, 2), 130);
  assert_non_null(strstr(world.first_name, "/cells/rate=500_s,batch=1"));
  free(world.first_name);
  sp_sweep_done(&sweep);

  world = (struct world){0};
  if (sweep_with(&world, "500/s..8000/s:x4", "resumed", &sweep, &error)) fail_msg("%s", error.text);
  assert_int_equal(world.n_calls, 4); // two were done
  assert_true(sweep.complete);
  assert_int_equal(sp_sweep_exit_code(&sweep, 0), 0);
  char *page = sp_format("%s/resumed/report.html", folder), *text = NULL;
  size_t n_text = 0;
  if (sp_files_read(page, 1 << 26, &text, &n_text, &error)) fail_msg("%s", error.text);
  assert_non_null(strstr(text, "<title>servepath compare --sweep "));
  free(text);
  free(page);
  char *path = sp_format("%s/resumed", folder);
  if (sp_sweep_read(path, &stored, &error)) fail_msg("%s", error.text);
  char *told = sp_sweep_json(&sweep), *read = sp_sweep_json(&stored);
  assert_string_equal(told, read);
  assert_string_equal(stored.cells[0].comparison, "cells/rate=500_s,batch=1/comparison.json");
  free(told);
  free(read);
  free(path);
  free(world.first_name);
  sp_sweep_done(&stored);
  sp_sweep_done(&sweep);
}

static void more_values_keep_what_is_done(void **state) {
  (void)state;
  struct world world = {0};
  struct sp_sweep sweep;
  struct sp_error error = {0};
  assert_int_equal(sweep_with(&world, "500/s,8000/s", "grown", &sweep, &error), SP_OK);
  assert_int_equal(world.n_calls, 4);
  sp_sweep_done(&sweep);
  assert_int_equal(sweep_with(&world, "500/s,2000/s,8000/s", "grown", &sweep, &error), SP_OK);
  assert_int_equal(world.n_calls, 6);
  sp_sweep_done(&sweep);
  free(world.first_name);
}

static void a_failing_cell_ends_nothing(void **state) {
  (void)state;
  struct world world = {.fails_at_8000 = true};
  struct sp_sweep sweep;
  struct sp_error error = {0};
  assert_int_equal(sweep_with(&world, "500/s,8000/s", "failing", &sweep, &error), SP_OK);
  assert_true(sweep.complete);
  assert_int_equal(sweep.cells[3].state, SP_SWEEP_FAILED);
  assert_string_equal(sweep.cells[3].error, "overloaded");
  assert_int_equal(sweep.cells[2].state, SP_SWEEP_DONE);
  assert_int_equal(sp_sweep_exit_code(&sweep, 0), 0);
  sp_sweep_done(&sweep);
  world.fails_at_8000 = false;
  world.n_calls = 0;
  assert_int_equal(sweep_with(&world, "500/s,8000/s", "failing", &sweep, &error), SP_OK);
  assert_int_equal(world.n_calls, 1); // the one that had failed
  assert_int_equal(sweep.cells[3].state, SP_SWEEP_DONE);
  sp_sweep_done(&sweep);
  free(world.first_name);
}

static void a_damaged_cell_is_run_again(void **state) {
  (void)state;
  struct world world = {0};
  struct sp_sweep sweep;
  struct sp_error error = {0};
  assert_int_equal(sweep_with(&world, "500/s", "damaged", &sweep, &error), SP_OK);
  sp_sweep_done(&sweep);
  char *path = sp_format("%s/damaged/cells/rate=500_s,batch=8/comparison.json", folder);
  assert_int_equal(truncate(path, 100), 0);
  world.n_calls = 0;
  assert_int_equal(sweep_with(&world, "500/s", "damaged", &sweep, &error), SP_OK);
  assert_int_equal(world.n_calls, 1);
  sp_sweep_done(&sweep);
  free(path);
  free(world.first_name);
}

static void other_settings_are_refused(void **state) {
  (void)state;
  struct world world = {0};
  struct sp_sweep sweep;
  struct sp_error error = {0};
  char *name = sp_copy_text("fixed");
  assert_int_equal(sweep_with(&world, "500/s", name, &sweep, &error), SP_OK);
  char *old = sweep.cells[0].digest;
  sweep.cells[0].digest = sp_copy_text("xxh128:of-another-scenario");
  free(old);
  char *path = sp_format("%s/%s", folder, name);
  assert_int_equal(sp_sweep_write(&sweep, path, &error), SP_OK);
  sp_sweep_done(&sweep);
  assert_int_equal(sweep_with(&world, "500/s", name, &sweep, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "holds cell rate=500_s,batch=1 of a sweep with other settings"));
  sp_sweep_done(&sweep);
  free(path);
  free(name);
  free(world.first_name);
}

static void slips_are_found_before_anything_runs(void **state) {
  (void)state;
  struct world world = {0};
  struct sp_sweep sweep;
  struct sp_error error = {0};
  assert_int_equal(sweep_with(&world, "500/s,1000", "slip", &sweep, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "cell rate=1000,batch=1: --rate: load.rate: \"1000\" has no unit"));
  assert_int_equal(world.n_calls, 0);
  sp_sweep_done(&sweep);
}

static void the_same_key_twice_is_refused(void **state) {
  (void)state;
  char *argv[] = {"compare", "nowhere", "--rate", "5/s", "--side", "rpc,batch=4", NULL};
  char *one = "1";
  struct sp_cli *cli;
  struct sp_error error;
  assert_int_equal(sp_cli_parse(&verb, 6, argv, &cli, &error), SP_OK);
  struct sp_sweep_axis rate = {"rate", "load.rate", &one, 1}, batch = {"batch", "sides.*.batch", &one, 1};
  struct sp_sweep_axis both[] = {{"threads", "sides.*.threads", &one, 1},
                                 {"own", "sides.rpc.threads", &one, 1}};
  assert_int_equal(sp_axes_check(cli, &rate, 1, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "--sweep rate and --rate set the same key"));
  assert_int_equal(sp_axes_check(cli, &batch, 1, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "would change nothing for side rpc"));
  assert_int_equal(sp_axes_check(cli, both, 2, &error), SP_ERR_USAGE);
  assert_int_equal(sp_axes_check(cli, both, 1, &error), SP_OK);
  sp_cli_free(cli);
}

// With a folder as argument it leaves its sweeps there, for tests/peers/sweep_schema.py.
int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axes_are_read),
      cmocka_unit_test(wrong_axes_are_refused),
      cmocka_unit_test(quantities_are_written_as_they_are_read),
      cmocka_unit_test(corners_come_first),
      cmocka_unit_test(a_sweep_goes_on_where_it_was_broken_off),
      cmocka_unit_test(more_values_keep_what_is_done),
      cmocka_unit_test(a_failing_cell_ends_nothing),
      cmocka_unit_test(a_damaged_cell_is_run_again),
      cmocka_unit_test(other_settings_are_refused),
      cmocka_unit_test(slips_are_found_before_anything_runs),
      cmocka_unit_test(the_same_key_twice_is_refused),
  };
  if (argc > 1) snprintf(folder, sizeof folder, "%s", argv[1]);
  if (argc <= 1 && !mkdtemp(folder)) return 1;
  int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (argc <= 1 && !sp_files_remove(folder)) return 1;
  return n_failed;
}
