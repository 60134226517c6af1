// What a child of a trial reads of a side is what the user wrote.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trial/arguments.h"

static const struct sp_cli_verb verb = {.name = "run", .use = "", .about = "", .takes = SP_CLI_SIDE};

static struct sp_cli *parsed(const char *side) {
  const char *argv[] = {"run", "fixtures/fraud", "--side", side, NULL};
  struct sp_cli *cli;
  struct sp_error error = {0};
  if (sp_cli_parse(&verb, 4, (char **)(uintptr_t)argv, &cli, &error)) fail_msg("%s", error.text);
  return cli;
}

// `given` and what is handed on must be read as the same keys.
static void expect_same_keys(const char *given) {
  struct sp_cli *cli = parsed(given);
  struct sp_side side = {.name = cli->sides[0].name};
  const struct sp_trial_plan plan = {.cli = cli, .side = &side};
  struct sp_arguments arguments = {0};
  sp_arguments_sides(&arguments, &plan, true);
  assert_int_equal(arguments.n, 2);
  struct sp_cli *again = parsed(arguments.items[1]);
  assert_int_equal(again->sides[0].n_keys, cli->sides[0].n_keys);
  for (size_t k = 0; k < cli->sides[0].n_keys; k++) {
    assert_string_equal(again->sides[0].keys[k].key, cli->sides[0].keys[k].key);
    assert_string_equal(again->sides[0].keys[k].value, cli->sides[0].keys[k].value);
  }
  sp_arguments_done(&arguments);
  sp_cli_free(again);
  sp_cli_free(cli);
}

static void a_side_is_handed_on_as_it_was_given(void **state) {
  (void)state;
  expect_same_keys("a");
  expect_same_keys("a,path=rpc,threads=2");
  expect_same_keys("a,broker=\"h1:9092,h2:9092\",threads=2");
  expect_same_keys("a,model={dir: models/fraud, version: 2},threads=2");
}

static void a_broker_takes_the_place_of_the_sides_own(void **state) {
  (void)state;
  struct sp_cli *cli = parsed("a,path=embedded,broker=kafka");
  const struct sp_side own = {.name = "a"}, other = {.name = "b"};
  char *text = sp_arguments_side(cli, &own, "h:1"), *bare = sp_arguments_side(cli, &other, "h:1,h:2");
  assert_string_equal(text, "a,path=embedded,broker=kafka,transport=kafka,broker=h:1"); // the last one holds
  assert_string_equal(bare, "b,transport=kafka,broker=\"h:1,h:2\"");
  free(text);
  free(bare);
  sp_cli_free(cli);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_side_is_handed_on_as_it_was_given),
      cmocka_unit_test(a_broker_takes_the_place_of_the_sides_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
