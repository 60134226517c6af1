// The history: lines come back as they were written, whoever else writes; a broken line is named, and does no harm to the next.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "result/history.h"

#define N_WRITERS 4
#define N_EACH    50

static char path[] = "/tmp/sp-test-history-XXXXXX";

static int make_file(void **state) {
  (void)state;
  strcpy(path + strlen(path) - 6, "XXXXXX");
  int fd = mkstemp(path);
  if (fd < 0) return -1;
  return close(fd);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

static void put(const char *text) {
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void add_to(const char *file, const char *id, double p50) {
  struct sp_history history = {0};
  struct sp_error error;
  struct sp_history_line *line = sp_history_line(&history);
  line->at = sp_copy_text("2026-11-21T10:00:00.000Z");
  line->id = sp_copy_text(id);
  line->verb = sp_copy_text("gate");
  line->case_name = sp_copy_text("fraud");
  line->side = sp_copy_text("embedded");
  line->verdict = sp_copy_text("pass");
  line->n_trials = 12;
  sp_facts_text(&line->tags, "branch", "a \"b\"\n");
  sp_facts_real(&line->metrics, "response_p50", p50);
  sp_facts_real(&line->metrics, "served", NAN);
  assert_int_equal(sp_history_append(file, &history, &error), SP_OK);
  sp_history_done(&history);
}

static void add(const char *id, double p50) {
  add_to(path, id, p50);
}

static void test_lines_come_back(void **state) {
  (void)state;
  struct sp_history history = {0};
  struct sp_error error;
  add("one", 420.5);
  put("\n");
  add("two", 1e9);
  assert_int_equal(sp_history_read(path, &history, &error), SP_OK);
  assert_int_equal(history.n, 2);
  assert_string_equal(history.lines[0].id, "one");
  assert_string_equal(history.lines[1].id, "two");
  assert_string_equal(history.lines[0].verdict, "pass");
  assert_string_equal(sp_facts_text_of(&history.lines[0].tags, "branch", ""), "a \"b\"\n");
  assert_true(sp_facts_number_of(&history.lines[0].metrics, "response_p50") == 420.5);
  assert_true(isnan(sp_facts_number_of(&history.lines[0].metrics, "served")));
  assert_null(history.lines[0].fingerprint);
  assert_int_equal(history.lines[0].n_trials, 12);
  sp_history_done(&history);
}

static void write_many(int writer) {
  char id[32];
  for (int i = 0; i < N_EACH; i++) {
    snprintf(id, sizeof id, "%d-%d", writer, i);
    add(id, i);
  }
}

static void test_writers_take_turns(void **state) {
  (void)state;
  struct sp_history history = {0};
  struct sp_error error;
  pid_t writers[N_WRITERS];
  for (int w = 0; w < N_WRITERS; w++) {
    writers[w] = fork();
    assert_true(writers[w] >= 0);
    if (writers[w] == 0) {
      write_many(w);
      _exit(0);
    }
  }
  for (int w = 0; w < N_WRITERS; w++) {
    int status = 1;
    assert_int_equal(waitpid(writers[w], &status, 0), writers[w]);
    assert_int_equal(status, 0);
  }
  assert_int_equal(sp_history_read(path, &history, &error), SP_OK);
  assert_int_equal(history.n, N_WRITERS * N_EACH);
  sp_history_done(&history);
}

// A full disk of somebody else's program, say: the next line begins on its own.
static void test_a_broken_line_is_named(void **state) {
  (void)state;
  struct sp_history history = {0};
  struct sp_error error;
  add("one", 1);
  put("{\"schema\":\"servepath.hist");
  add("two", 2);
  assert_int_equal(sp_history_read(path, &history, &error), SP_ERR_ENVIRONMENT);
  assert_int_equal(history.n, 1);
  assert_non_null(strstr(error.text, path));
  assert_non_null(strstr(error.text, ":2: "));
  sp_history_done(&history);
}

static void test_other_lines_are_refused(void **state) {
  (void)state;
  static const char *const lines[] = {
      "[]\n",
      "{\"schema\":\"servepath.history/"
      "2\",\"at\":\"x\",\"id\":\"x\",\"case\":\"x\",\"side\":\"x\",\"metrics\":{}}\n",
      "{\"schema\":\"servepath.history/1\",\"id\":\"x\",\"case\":\"x\",\"side\":\"x\",\"metrics\":{}}\n",
      "{\"schema\":\"servepath.history/"
      "1\",\"at\":7,\"id\":\"x\",\"case\":\"x\",\"side\":\"x\",\"metrics\":{}}\n",
      "{\"schema\":\"servepath.history/"
      "1\",\"at\":\"x\",\"id\":\"x\",\"case\":\"x\",\"side\":\"x\",\"metrics\":NaN}\n",
  };
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    struct sp_history history = {0};
    struct sp_error error;
    assert_int_equal(truncate(path, 0), 0);
    put(lines[i]);
    assert_int_equal(sp_history_read(path, &history, &error), SP_ERR_ENVIRONMENT);
    assert_non_null(strstr(error.text, ":1"));
    sp_history_done(&history);
  }
}

static void test_files_that_cannot_be_used(void **state) {
  (void)state;
  struct sp_history history = {0};
  struct sp_error error;
  assert_int_equal(sp_history_read("/nowhere/history.jsonl", &history, &error), SP_ERR_ENVIRONMENT);
  assert_int_equal(sp_history_append("/nowhere/history.jsonl", &history, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/nowhere/history.jsonl"));
  sp_history_line(&history)->id = sp_copy_text("x");
  assert_int_equal(sp_history_append("/dev/full", &history, &error), SP_ERR_ENVIRONMENT);
  sp_history_done(&history);
}

static void test_a_load_is_the_same_for_every_seed(void **state) {
  (void)state;
  struct sp_result *a = sp_result_new(), *b = sp_result_new();
  char one[SP_DIGEST_TEXT_BYTES], other[SP_DIGEST_TEXT_BYTES];
  sp_facts_real(&a->load, "rate_per_s", 2000);
  sp_facts_count(&a->load, "seed", 1);
  sp_facts_count(&b->load, "seed", 2);
  sp_facts_real(&b->load, "rate_per_s", 2000); // in another order
  sp_load_digest(&a->recording, &a->broker, &a->load, one);
  sp_load_digest(&b->recording, &b->broker, &b->load, other);
  assert_string_equal(one, other);
  sp_facts_real(&b->load, "rate_per_s", 2001);
  sp_load_digest(&b->recording, &b->broker, &b->load, other);
  assert_string_not_equal(one, other);
  sp_facts_real(&b->load, "rate_per_s", 2000);
  sp_facts_text(&b->recording, "digest", "xxh128:1");
  sp_load_digest(&b->recording, &b->broker, &b->load, other);
  assert_string_not_equal(one, other);
  sp_result_free(a);
  sp_result_free(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

// For tests/peers/history_schema.py: all that a line may say, and the least.
static int write_lines(const char *dir) {
  struct sp_history bare = {0};
  struct sp_history_line *line = sp_history_line(&bare);
  char *file = sp_format("%s/full/history.jsonl", dir), *least = sp_format("%s/bare/history.jsonl", dir);
  line->at = sp_copy_text("2026-11-21T10:00:00.000Z");
  line->id = sp_copy_text("one");
  line->case_name = sp_copy_text("fraud");
  line->side = sp_copy_text("rpc");
  *strrchr(file, '/') = *strrchr(least, '/') = '\0';
  bool is_made = mkdir(file, 0777) == 0 && mkdir(least, 0777) == 0;
  file[strlen(file)] = least[strlen(least)] = '/';
  if (is_made) add_to(file, "one", 420.5);
  is_made = is_made && sp_history_append(least, &bare, NULL) == SP_OK;
  sp_history_done(&bare);
  free(file);
  free(least);
  return is_made ? 0 : 3;
}

int main(int argc, char **argv) {
  if (argc > 1) return write_lines(argv[1]);
  const struct CMUnitTest tests[] = {
      TEST(test_lines_come_back),           TEST(test_writers_take_turns),
      TEST(test_a_broken_line_is_named),    TEST(test_other_lines_are_refused),
      TEST(test_files_that_cannot_be_used), TEST(test_a_load_is_the_same_for_every_seed),
  };
  return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
