// The command line of verbs that take a scenario.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario/cli.h"
#include "scenario/flags.h"

static const struct sp_option own[] = {
    {"--update", 0, NULL, NULL, "write what is found"}, {"--at", 0, "N", NULL, "where"}, {0}};
static const struct sp_cli_verb verb = {
    "run",  "SCENARIO",
    "runs", SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT | SP_CLI_RAW | SP_CLI_PAIRS | SP_CLI_COMMAND,
    own,    NULL};
static const struct sp_cli_verb plain = {"plain", "SCENARIO", "runs", 0, NULL, NULL};

static struct sp_cli *parse(const struct sp_cli_verb *of, char *const *argv, struct sp_error *error) {
  struct sp_cli *cli;
  int argc = 0;
  while (argv[argc]) argc++;
  error->text[0] = '\0';
  sp_cli_parse(of, argc, (char **)argv, &cli, error);
  return cli;
}
#define PARSE(error, ...) parse(&verb, (char *[]){"run", __VA_ARGS__, NULL}, error)

static char *fraud(void) {
  return sp_format("%s/fixtures/fraud", getenv("SOURCE_DIR"));
}

static struct sp_scenario *load(char *const *argv, struct sp_error *error) {
  struct sp_scenario *scenario = NULL;
  struct sp_cli *cli = parse(&verb, argv, error);
  if (!cli) return NULL;
  sp_cli_load(cli, &scenario, error);
  sp_cli_free(cli);
  return scenario;
}
#define LOAD(error, path, ...) load((char *[]){"run", path, __VA_ARGS__, NULL}, error)

static void what_is_no_key_is_kept(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_cli *cli =
      PARSE(&error, "fraud", "--out", "dir", "--tag", "a=b", "--tag=c=d=e", "--json", "--raw", "-q",
            "--pairs", "12", "--export-json=x", "--export-markdown", "y", "--overlay", "o.yaml", "--update",
            "--at", "3", "--at=4", "--", "sleep", "--rate");
  assert_non_null(cli);
  assert_string_equal(cli->scenario, "fraud");
  assert_string_equal(cli->out_dir, "dir");
  assert_int_equal(cli->tags.n, 2);
  assert_string_equal(cli->tags.items[1].name, "c");
  assert_string_equal(cli->tags.items[1].value, "d=e");
  assert_true(cli->json && cli->raw && cli->quiet && !cli->help);
  assert_int_equal(cli->pairs, 12);
  assert_string_equal(cli->export_json, "x");
  assert_string_equal(cli->export_markdown, "y");
  assert_string_equal(cli->overlays[0], "o.yaml");
  assert_string_equal(sp_cli_value(cli, "--update"), "");
  assert_string_equal(sp_cli_value(cli, "--at"), "4");
  assert_null(sp_cli_value(cli, "--gone"));
  assert_string_equal(cli->command[0], "sleep");
  assert_string_equal(cli->command[1], "--rate");
  assert_null(cli->command[2]);
  assert_int_equal(cli->n_settings, 0);
  sp_cli_free(cli);
}

static void flags_become_settings_in_order(void **state) {
  (void)state;
  static const char *const want[][3] = {{"load.rate", "5/s", "--rate"},
                                        {"sides.*.threads", "2", "--threads"},
                                        {"load.rate", "6/s", "--set"},
                                        {"kafka.producer.linger.ms", "0", "-X"},
                                        {"kafka.consumer.linger.ms", "0", "-X"},
                                        {"kafka.consumer.a", "b", "-X"},
                                        {"sides.*.address", "unix:/x", "--server"},
                                        {"sides.*.server.stub", "fixed", "--stub"}};
  struct sp_error error;
  struct sp_cli *cli = PARSE(&error, "--rate=5/s", "--threads", "2", "x", "--set", "load.rate=6/s",
                             "-Xlinger.ms=0", "-X", "consumer:a=b", "--server", "unix:/x", "--stub", "fixed");
  assert_non_null(cli);
  assert_int_equal(cli->n_settings, 8);
  for (size_t i = 0; i < 8; i++) {
    assert_string_equal(cli->settings[i].key, want[i][0]);
    assert_string_equal(cli->settings[i].value, want[i][1]);
    assert_string_equal(cli->settings[i].origin, want[i][2]);
  }
  sp_cli_free(cli);
}

static void sides_hold_their_own_values(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_cli *cli =
      PARSE(&error, "x", "--side", "rpc,threads=2,server.delay=\"lognormal:median=1ms,p99=10ms\"",
            "--side=new,path=noop");
  assert_non_null(cli);
  assert_int_equal(cli->n_sides, 2);
  assert_string_equal(cli->sides[0].name, "rpc");
  assert_int_equal(cli->sides[0].n_keys, 2);
  assert_string_equal(cli->sides[0].keys[0].key, "sides.rpc.threads");
  assert_string_equal(cli->sides[0].keys[1].value, "lognormal:median=1ms,p99=10ms");
  assert_string_equal(cli->sides[1].keys[0].key, "sides.new.path");
  sp_cli_free(cli);
}

static void mistakes_are_named(void **state) {
  (void)state;
  static const struct {
    const char *args[4];
    const char *message;
  } cases[] = {
      {{NULL}, "needs a SCENARIO: a folder or a YAML file, as in servepath run fixtures/fraud"},
      {{"a", "b"}, "b is too much: the scenario is a already"},
      {{"a", "--ratee", "5/s"}, "unknown option --ratee; did you mean --rate?"},
      {{"a", "--set", "load.rate"},
       "--set: \"load.rate\" is not KEY=VALUE; write for example --set load.rate=2000/s"},
      {{"a", "--set", "=5"}, "--set: \"=5\" is not KEY=VALUE; write for example --set load.rate=2000/s"},
      {{"a", "-X", "linger"}, "-X: \"linger\" is not KEY=VALUE; write for example -X linger.ms=0"},
      {{"a", "--tag", "x"}, "--tag: \"x\" is not KEY=VALUE; write for example --tag branch=main"},
      {{"a", "--pairs", "0"}, "--pairs: must be at least 1"},
      {{"a", "--pairs", "many"},
       "--pairs: \"many\" is not a whole number; write digits only, for example 64"},
      {{"a", "--side", "a b"}, "--side: \"a b\" is no name; write letters, digits, - and _"},
      {{"a", "--side", "rpc,threads"},
       "--side: \"threads\" is not KEY=VALUE; write for example --side rpc,threads=2"},
      {{"a", "--side=rpc", "--side=rpc"}, "--side rpc stands here twice; give the second a name of its own"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_error error;
    char *argv[6] = {"run"};
    for (size_t j = 0; j < 4; j++) argv[j + 1] = (char *)cases[i].args[j];
    assert_null(parse(&verb, argv, &error));
    assert_string_equal(error.text, cases[i].message);
    assert_int_equal(error.code, SP_ERR_USAGE);
  }
  struct sp_error error;
  assert_null(parse(&plain, (char *[]){"plain", "a", "--out", "x", NULL}, &error)); // not one of its options
  assert_non_null(strstr(error.text, "unknown option --out"));
}

static void help_needs_no_scenario(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_cli *cli = PARSE(&error, "--help");
  assert_non_null(cli);
  assert_true(cli->help);
  sp_cli_free(cli);
}

static void a_side_wins_over_flags_and_a_new_one_gets_them(void **state) {
  (void)state;
  struct sp_error error;
  char *path = fraud();
  struct sp_scenario *scenario = LOAD(&error, path, "--side", "rpc,threads=3", "--threads", "2", "--side",
                                      "new,path=noop,batch=8", "--rate=7/s", "--set", "load.rate=9/s");
  if (!scenario) fail_msg("%s", error.text);
  assert_int_equal(scenario->load.rate.n, 9);
  assert_int_equal(sp_scenario_side(scenario, "embedded")->app.threads, 2);
  assert_int_equal(sp_scenario_side(scenario, "rpc")->app.threads, 3);
  assert_int_equal(sp_scenario_side(scenario, "new")->app.threads, 2);
  assert_int_equal(sp_scenario_side(scenario, "new")->app.batch, 8);
  sp_scenario_free(scenario);
  free(path);
}

static void loading_names_the_flag(void **state) {
  (void)state;
  static const struct {
    const char *first, *second, *message;
  } cases[] = {
      {"--rate", "2000", "--rate: load.rate: \"2000\" has no unit; write 2000/s"},
      {"--threads", "0", "--threads: sides.embedded.threads: must be 1 to 1024"},
      {"--side", "rcp",
       "--side: the scenario has no rcp; did you mean rpc? (a new side names its path: rcp,path=rpc)"},
      {"--side", "rcp,threads=2", "--side: sides.rcp.threads: the scenario has no rcp; did you mean rpc?"},
      {"--side", "rpc,thread=2", "--side: sides.rpc.thread: unknown key thread; did you mean threads?"},
      {"--drain", "1s",
       "--drain: load.drain: is less than 2 deadlines; write 10s or more, or a shorter deadline"},
  };
  char *path = fraud();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_error error;
    assert_null(LOAD(&error, path, (char *)cases[i].first, (char *)cases[i].second));
    assert_string_equal(error.text, cases[i].message);
  }
  free(path);
}

static void only_measured_sides_bound_the_drain(void **state) {
  (void)state;
  struct sp_error error;
  char *path = fraud();
  struct sp_scenario *scenario = LOAD(&error, path, "--side", "embedded", "--drain", "1s");
  if (!scenario) fail_msg("%s", error.text);
  assert_int_equal(scenario->load.drain_ns, INT64_C(1000000000));
  sp_scenario_free(scenario);
  assert_null(LOAD(&error, path, "--side", "rpc", "--drain", "1s"));
  free(path);
}

static void every_flag_is_unique_and_listed_by_help(void **state) {
  (void)state;
  struct sp_flags flags;
  char *page = NULL;
  size_t n_page;
  FILE *to = open_memstream(&page, &n_page);
  sp_cli_help(to, &verb);
  fclose(to);
  sp_flags_init(&flags, &verb);
  for (size_t i = 0; i < flags.n; i++) {
    for (size_t j = 0; j < i; j++) assert_string_not_equal(flags.options[i].flag, flags.options[j].flag);
    if (!strstr(page, flags.options[i].flag)) fail_msg("%s is not in the help", flags.options[i].flag);
    if (flags.keys[i] && !strstr(page, flags.keys[i])) fail_msg("%s is not in the help", flags.keys[i]);
  }
  sp_flags_done(&flags);
  free(page);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_no_key_is_kept),
      cmocka_unit_test(flags_become_settings_in_order),
      cmocka_unit_test(sides_hold_their_own_values),
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(help_needs_no_scenario),
      cmocka_unit_test(a_side_wins_over_flags_and_a_new_one_gets_them),
      cmocka_unit_test(loading_names_the_flag),
      cmocka_unit_test(only_measured_sides_bound_the_drain),
      cmocka_unit_test(every_flag_is_unique_and_listed_by_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
