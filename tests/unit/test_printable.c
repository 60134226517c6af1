// Foreign bytes are shown as text, whatever they are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/printable.h"

static void assert_shown(const char *bytes, size_t n, size_t max, const char *wanted) {
  char *text = sp_printable(bytes, n, max);
  assert_string_equal(text, wanted);
  free(text);
}

static void test_printable(void **state) {
  (void)state;
  assert_shown("plain é 😀", 13, 100, "plain é 😀");
  assert_shown("\x1b[2J\r\n\t\\\0\x7f", 10, 100, "\\x1b[2J\\r\\n\\t\\\\\\x00\\x7f");
  assert_shown("\xff\xc3", 2, 100, "\\xff\\xc3");
  assert_shown("\xc2\x9b", 2, 100, "\\xc2\\x9b");               // C1: an escape sequence to some terminals
  static const char override[] = {'\xe2', '\x80', '\xae', 'x'}; // U+202E turns the text around
  assert_shown(override, 4, 100, "\\xe2\\x80\\xaex");
  assert_shown("\xed\xa0\x80", 3, 100, "\\xed\\xa0\\x80");
  assert_shown("abcdef", 6, 4, "abcd…");
  assert_shown("abcé", 5, 4, "abc…");
  assert_shown("", 0, 4, "");
}

static void test_whole_text(void **state) {
  (void)state;
  char *text = sp_printable_text("\x1b]0;title\x07 and the rest");
  assert_string_equal(text, "\\x1b]0;title\\x07 and the rest");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printable),
      cmocka_unit_test(test_whole_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
