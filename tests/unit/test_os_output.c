// What a child writes: read without end, kept within bounds, quoted so that it can be read.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "os/files.h"
#include "os/process.h"

#define LONG_NS (30 * SP_NS_PER_S)
#define MS      SP_NS_PER_MS

static struct sp_supervisor supervisor;
static char folder[] = "/tmp/sp-output-XXXXXX";

static void start(struct sp_child *child, const char *script, const char *log) {
  struct sp_error error;
  const char *const argv[] = {"sh", "-c", script, NULL};
  struct sp_child_options options = {.name = "child", .argv = argv, .reads_stdout = true, .stderr_file = log};
  if (sp_child_start(child, &options, &error) != SP_OK) fail_msg("%s", error.text);
}

static const char *await_line(struct sp_child *child) {
  const char *line;
  while (!(line = sp_child_next_line(child)) && child->out_fd >= 0)
    sp_supervisor_wait(&supervisor, &child, 1, sp_now_ns() + LONG_NS);
  return line;
}

static void test_a_long_line_is_whole(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, "printf '%0300000d\\nend\\n' 5", NULL);
  const char *line = await_line(&child);
  assert_non_null(line);
  assert_int_equal(strlen(line), 300000);
  assert_int_equal(line[299999], '5');
  line = await_line(&child);
  assert_non_null(line);
  assert_string_equal(line, "end");
  sp_child_free(&child);
}

// A flood on stdout keeps nobody from looking elsewhere, and one on stderr is cut down to its end.
static void test_floods_are_bounded(void **state) {
  (void)state;
  struct sp_child child, *children[] = {&child};
  char *log = sp_format("%s/flood.log", folder), words[64];
  struct stat facts = {0};
  start(&child, "yes no end & head -c 40000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2; wait",
        log);
  int64_t until_ns = sp_now_ns() + LONG_NS;
  for (bool is_last = false; !is_last && sp_now_ns() < until_ns;) {
    size_t n_bytes = 0;
    for (const char *line; (line = sp_child_next_line(&child));) n_bytes += strlen(line) + 1;
    assert_true(n_bytes <= (size_t)2 << 20);
    sp_supervisor_wait(&supervisor, children, 1, sp_now_ns() + 10 * MS);
    is_last = strcmp(sp_child_last_words(&child, words, sizeof words), "last") == 0;
  }
  assert_string_equal(words, "last");
  sp_supervisor_wait(&supervisor, children, 1, sp_now_ns());
  assert_int_equal(stat(log, &facts), 0);
  assert_true(facts.st_size < 17 << 20);
  assert_string_equal(sp_child_last_words(&child, words, sizeof words), "last");
  sp_child_free(&child);
  free(log);
}

static void test_last_words_are_printable(void **state) {
  (void)state;
  struct sp_child child;
  char *log = sp_format("%s/words.log", folder), words[64], few[8];
  start(&child, "printf 'a\\\\x\\nb\\377\\033c\\n' >&2", log);
  struct sp_child *children[] = {&child};
  while (!sp_child_poll(&child)) sp_supervisor_wait(&supervisor, children, 1, sp_now_ns() + 10 * MS);
  assert_string_equal(sp_child_last_words(&child, words, sizeof words), "b\\xff\\x1bc");
  sp_child_last_words(&child, few, sizeof few);
  assert_string_equal(few, "b…");
  sp_child_free(&child);
  free(log);
}

static int set_up(void **state) {
  (void)state;
  return !mkdtemp(folder) || sp_supervisor_init(&supervisor, NULL) != SP_OK;
}

static int tear_down(void **state) {
  (void)state;
  sp_supervisor_done(&supervisor);
  return !sp_files_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_long_line_is_whole),
      cmocka_unit_test(test_floods_are_bounded),
      cmocka_unit_test(test_last_words_are_printable),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
