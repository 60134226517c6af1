// A trial by another program: what it is called with, and what its exit code, its words and a signal come to.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decide/runner.h"
#include "os/files.h"

static char folder[] = "/tmp/sp-runner-XXXXXX";
static char *script, *out_dir;
static struct sp_supervisor supervisor;
static int64_t limit_ns = 60 * SP_NS_PER_S;
static const char *const args[] = {"fixtures/fraud", "--rate", "500/s", NULL};

// A program that notes its arguments, and then does as told.
static const char *does(const char *what) {
  char *text = sp_format("#!/bin/sh\nprintf '%%s|' \"$@\" >%s/arguments\n%s\n", folder, what);
  struct sp_error error;
  assert_int_equal(sp_files_write(script, sp_bytes_of_text(text), &error), SP_OK);
  assert_int_equal(chmod(script, 0700), 0);
  free(text);
  return script;
}

// A result as a trial leaves it, put where it belongs by the program.
static char *leaves_result(int64_t seed, const char *then) {
  struct sp_result *result = sp_result_new();
  struct sp_error error;
  result->side = sp_copy_text("rpc");
  sp_facts_count(&result->load, "seed", seed);
  result->complete = true;
  char *made = sp_format("%s/made", folder);
  assert_int_equal(sp_result_write(result, made, &error), SP_OK);
  sp_result_free(result);
  char *what = sp_format("cp %s/result.json %s/\n%s", made, out_dir, then);
  free(made);
  return what;
}

static enum sp_err run(const char *command, struct sp_result **result, struct sp_error *error) {
  const struct sp_program program = {
      .command = command, .args = args, .side = "rpc", .limit_ns = limit_ns, .supervisor = &supervisor};
  *result = NULL;
  sp_files_remove(out_dir);
  return sp_program_run(&program, 7, out_dir, result, error);
}

static int make_folder(void **state) {
  struct sp_error error;
  (void)state;
  if (!mkdtemp(folder) || sp_supervisor_init(&supervisor, &error)) return 1;
  script = sp_format("%s/servepath", folder);
  out_dir = sp_format("%s/pairs/001/rpc", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  sp_supervisor_done(&supervisor);
  free(script);
  free(out_dir);
  return !sp_files_remove(folder);
}

static void it_is_the_verb_run_with_side_seed_and_folder(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  char *what = leaves_result(7, "exit 0");
  assert_int_equal(run(does(what), &result, &error), SP_OK);
  assert_string_equal(result->side, "rpc");
  sp_result_free(result);
  char *path = sp_format("%s/arguments", folder), *given;
  char *wanted = sp_format("run|fixtures/fraud|--rate|500/s|--side|rpc|--seed|7|--out|%s|--quiet|", out_dir);
  size_t n;
  assert_int_equal(sp_files_read(path, 4096, &given, &n, &error), SP_OK);
  assert_string_equal(given, wanted);
  free(given);
  free(wanted);
  free(path);
  free(what);
}

static void a_command_is_read_by_the_shell(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  char *what = leaves_result(7, "[ \"$WORD\" = 'two words' ]");
  char *command = sp_format("env WORD='two words' '%s'", does(what));
  assert_int_equal(run(command, &result, &error), SP_OK);
  sp_result_free(result);
  free(command);
  free(what);
}

static void an_invalid_trial_a_missed_bound_and_an_open_one_are_results(void **state) {
  (void)state;
  static const char *const ends[] = {"exit 1", "exit 2", "exit 4"};
  for (size_t i = 0; i < 3; i++) {
    struct sp_result *result;
    struct sp_error error;
    char *what = leaves_result(7, ends[i]);
    assert_int_equal(run(does(what), &result, &error), SP_OK);
    assert_non_null(result);
    sp_result_free(result);
    free(what);
  }
}

static void other_exit_codes_are_errors_in_the_programs_words(void **state) {
  (void)state;
  static const struct {
    const char *does, *says;
    enum sp_err err;
  } cases[] = {{"echo first >&2; echo 'cannot reach broker' >&2; exit 3",
                "exited with code 3: cannot reach broker", SP_ERR_ENVIRONMENT},
               {"echo 'no such key' >&2; exit 64", "exited with code 64: no such key", SP_ERR_USAGE},
               {"exit 70", "exited with code 70", SP_ERR_INTERNAL},
               {"kill -9 $$", "killed by signal 9", SP_ERR_ENVIRONMENT},
               {"exit 0", "result.json", SP_ERR_ENVIRONMENT}}; // though it left no result
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_result *result;
    struct sp_error error = {.text = ""};
    assert_int_equal(run(does(cases[i].does), &result, &error), cases[i].err);
    if (!strstr(error.text, cases[i].says)) fail_msg("\"%s\" does not say %s", error.text, cases[i].says);
    assert_null(result);
  }
}

static void a_program_that_is_not_there_is_named(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  assert_int_equal(run("/nowhere/servepath", &result, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/nowhere/servepath"));
}

// Copies of one trial would be a base without any noise.
static void a_trial_of_another_seed_is_refused(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  char *what = leaves_result(8, "exit 0");
  assert_int_equal(run(does(what), &result, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "seed 8, was asked for --seed 7"));
  assert_null(result);
  free(what);
}

// As the driver's death leaves it: marked when it began, before anything was known of it.
static void a_trial_that_was_broken_off_is_a_result(void **state) {
  struct sp_result *made = sp_result_new(), *result;
  struct sp_error error;
  (void)state;
  made->incomplete = sp_copy_text("the driver was killed by signal 9");
  char *folder_made = sp_format("%s/made", folder);
  assert_int_equal(sp_result_write(made, folder_made, &error), SP_OK);
  char *what = sp_format("cp %s/result.json %s/\nexit 2", folder_made, out_dir);
  assert_int_equal(run(does(what), &result, &error), SP_OK);
  assert_false(result->complete);
  sp_result_free(result);
  sp_result_free(made);
  free(folder_made);
  free(what);
}

static void what_hangs_is_ended_and_named(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  limit_ns = SP_NS_PER_S / 5;
  assert_int_equal(run(does("while :; do sleep 0.05; done"), &result, &error), SP_ERR_ENVIRONMENT);
  limit_ns = 60 * SP_NS_PER_S;
  assert_non_null(strstr(error.text, "did not end in"));
  assert_null(result);
}

// It is told to stop, and what it then writes is taken.
static void a_signal_is_passed_on(void **state) {
  struct sp_result *result;
  struct sp_error error;
  (void)state;
  char *write = leaves_result(7, "exit 143");
  char *what = sp_format("trap '%s' TERM\nkill -INT %d\nwhile :; do sleep 0.05; done", write, (int)getpid());
  assert_int_equal(run(does(what), &result, &error), SP_OK);
  assert_int_equal(supervisor.signal, SIGINT);
  assert_string_equal(result->side, "rpc");
  sp_result_free(result);
  free(what);
  free(write);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_the_verb_run_with_side_seed_and_folder),
      cmocka_unit_test(a_command_is_read_by_the_shell),
      cmocka_unit_test(an_invalid_trial_a_missed_bound_and_an_open_one_are_results),
      cmocka_unit_test(other_exit_codes_are_errors_in_the_programs_words),
      cmocka_unit_test(a_program_that_is_not_there_is_named),
      cmocka_unit_test(a_trial_of_another_seed_is_refused),
      cmocka_unit_test(a_trial_that_was_broken_off_is_a_result),
      cmocka_unit_test(what_hangs_is_ended_and_named),
      cmocka_unit_test(a_signal_is_passed_on), // last: the supervisor has then been told to end
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
