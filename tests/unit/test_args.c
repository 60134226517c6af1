// Arguments, and the nearest name to one that is unknown.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/args.h"
#include "base/names.h"

static const struct sp_option options[] = {{"--rate", 0, "RATE", NULL, "offered rate"},
                                           {"--rate-to", 0, "RATE", NULL, "last rate"},
                                           {"--raw", 0, NULL, NULL, "keep rows"},
                                           {"--property", 'X', "NAME=VALUE", NULL, "a property"},
                                           {0}};

// Reads all arguments into one line: "rate=5 raw= operand(a) END".
static const char *read_all(char *const *argv, struct sp_error *error) {
  static char line[512];
  int argc = 0;
  while (argv[argc]) argc++;
  struct sp_args args = sp_args_of("run", argc, (char **)argv, options);
  const struct sp_option *option;
  const char *value;
  line[0] = '\0';
  for (;;) {
    size_t n = strlen(line);
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END: strcat(line, "END"); return line;
    case SP_ARG_HELP: strcat(line, "HELP"); return line;
    case SP_ARG_ERROR: strcat(line, "ERROR"); return line;
    case SP_ARG_OPTION: snprintf(line + n, sizeof line - n, "%s=%s ", option->flag + 2, value); break;
    case SP_ARG_OPERAND: snprintf(line + n, sizeof line - n, "(%s) ", value); break;
    }
  }
}
#define READ(error, ...) read_all((char *[]){"run", __VA_ARGS__, NULL}, error)

static void values_stand_beside_or_inside(void **state) {
  (void)state;
  struct sp_error error;
  assert_string_equal(READ(&error, "fraud", "--rate", "5/s", "--raw"), "(fraud) rate=5/s raw= END");
  assert_string_equal(READ(&error, "--rate=5/s", "-"), "rate=5/s (-) END");
  assert_string_equal(READ(&error, "-X", "a=b", "-Xc=d", "--property=e=f"),
                      "property=a=b property=c=d property=e=f END");
  assert_string_equal(READ(&error, "--rate", "-5/s"), "rate=-5/s END");
  assert_string_equal(READ(&error, "a", "--", "--rate", "-X"), "(a) (--rate) (-X) END");
  assert_string_equal(READ(&error, "--", "--"), "(--) END");
  assert_string_equal(READ(&error, "--raw", "--help"), "raw= HELP");
  assert_string_equal(READ(&error, "-h"), "HELP");
}

static void mistakes_are_named(void **state) {
  (void)state;
  static const struct {
    const char *first, *second, *message;
  } cases[] = {
      {"--ratee", "5", "unknown option --ratee; did you mean --rate?"},
      {"--rat", NULL, "unknown option --rat; did you mean --rate?"},
      {"--rate-too=5/s", NULL, "unknown option --rate-too; did you mean --rate-to?"},
      {"--hlep", NULL, "unknown option --hlep; did you mean --help?"},
      {"--frobnicate", NULL, "unknown option --frobnicate; servepath run --help lists them"},
      {"-y", NULL, "unknown option -y; servepath run --help lists them"},
      {"--rate", NULL, "--rate needs a value; write --rate RATE"},
      {"--rate", "--raw", "--rate needs a value; write --rate RATE"},
      {"--rate", "", "--rate is empty; write --rate RATE, or leave it out"},
      {"--rate=", NULL, "--rate is empty; write --rate RATE, or leave it out"},
      {"--raw=yes", NULL, "--raw takes no value; leave out \"yes\""},
      {"-X", NULL, "--property needs a value; write --property NAME=VALUE"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_error error = {0};
    assert_string_equal(READ(&error, (char *)cases[i].first, (char *)cases[i].second), "ERROR");
    assert_string_equal(error.text, cases[i].message);
    assert_int_equal(error.code, SP_ERR_USAGE);
  }
}

static void distance_counts_edits(void **state) {
  (void)state;
  assert_int_equal(sp_names_distance("rate", "rate"), 0);
  assert_int_equal(sp_names_distance("rate", "RATE"), 0);
  assert_int_equal(sp_names_distance("ratee", "rate"), 1);
  assert_int_equal(sp_names_distance("reat", "rate"), 2);
  assert_int_equal(sp_names_distance("raet", "rate"), 1); // swapped neighbours
  assert_int_equal(sp_names_distance("", "abc"), 3);
  assert_int_equal(sp_names_distance("kitten", "sitting"), 3);
  char longest[200];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_int_equal(sp_names_distance(longest, "a"), 64);
}

static void the_nearest_name_is_suggested(void **state) {
  (void)state;
  static const char *const names[] = {"constant", "poisson", "trace", "step"};
  char text[64];
  assert_string_equal(sp_names_nearest("posson", names, 4), "poisson");
  assert_string_equal(sp_names_nearest("const", names, 4), "constant"); // the start of one name
  assert_null(sp_names_nearest("burst", names, 4));
  assert_null(sp_names_nearest("", names, 4));
  assert_string_equal(sp_names_suggest("Trace", names, 4, text, sizeof text), "did you mean trace?");
  assert_string_equal(sp_names_suggest("x", names, 4, text, sizeof text),
                      "one of: constant, poisson, trace, step");
  char small[24];
  assert_string_equal(sp_names_suggest("x", names, 4, small, sizeof small), "one of: constant, ...");
  assert_string_equal(sp_names_suggest("x", names, 0, text, sizeof text), "");
}

static void lists_of_words_are_indexed(void **state) {
  (void)state;
  char text[32];
  assert_int_equal(sp_words_count("a bb  ccc"), 3);
  assert_int_equal(sp_words_count(""), 0);
  assert_int_equal(sp_words_index("a bb ccc", "bb"), 1);
  assert_int_equal(sp_words_index("a bb ccc", "b"), -1);
  assert_int_equal(sp_words_index("a bb ccc", ""), -1);
  assert_string_equal(sp_words_nth("a bb ccc", 2, text, sizeof text), "ccc");
  assert_string_equal(sp_words_nth("a bb ccc", 3, text, sizeof text), "");
  assert_string_equal(sp_words_suggest("park spin hybrid", "spn", text, sizeof text), "did you mean spin?");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_stand_beside_or_inside), cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(distance_counts_edits),         cmocka_unit_test(the_nearest_name_is_suggested),
      cmocka_unit_test(lists_of_words_are_indexed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
