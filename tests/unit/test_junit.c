// JUnit XML: the counts, the states, and whatever stands in a line. With FILE it writes one that a parser of others reads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "report/junit.h"

static const char hostile[] =
    "<a b=\"c\">&amp; ]]> \x01\x1b[31m \xff\xfe \xef\xbf\xbe \xef\xbf\xbf ü\n\t\\ end";

static char *some(void) {
  struct sp_suite suites[2] = {{.name = sp_copy_text("fraud.<&>\x02"), .duration_s = 1.5},
                               {.name = sp_copy_text("fraud.rpc"), .duration_s = 0.25}};
  sp_suite_case(&suites[0], "passed");
  sp_case_say(sp_suite_case(&suites[0], "told"), SP_CASE_PASSED, "worth knowing");
  struct sp_case *failed = sp_suite_case(&suites[0], "failed");
  sp_case_say(failed, SP_CASE_FAILED, "%s", hostile);
  sp_case_say(failed, SP_CASE_PASSED, "second line");
  struct sp_case *error = sp_suite_case(&suites[1], "error");
  sp_case_say(error, SP_CASE_ERROR, "died");
  sp_case_say(error, SP_CASE_FAILED, "and failed");
  sp_case_say(sp_suite_case(&suites[1], "skipped"), SP_CASE_SKIPPED, "nothing to compare with");
  char *xml = sp_junit("verify \"x\"", suites, 2);
  sp_suite_done(&suites[0]);
  sp_suite_done(&suites[1]);
  return xml;
}

static void has(const char *xml, const char *part) {
  if (!strstr(xml, part)) fail_msg("no %s in %s", part, xml);
}

static void test_junit(void **state) {
  (void)state;
  char *xml = some();
  has(xml, "<testsuites name=\"verify &quot;x&quot;\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\" "
           "time=\"1.750\">");
  has(xml,
      "<testsuite name=\"fraud.&lt;&amp;&gt;\\x02\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" "
      "time=\"1.500\">");
  has(xml, "name=\"passed\"/>");
  has(xml, "<system-out>worth knowing</system-out>");
  has(xml, "&lt;a b=&quot;c&quot;&gt;&amp;amp; ]]&gt; \\x01\\x1b[31m \\xff\\xfe \\xef\\xbf\\xbe "
           "\\xef\\xbf\\xbf ü\\n\\t"
           "\\\\ end\nsecond line</failure>");
  has(xml, "<error message=\"died\">died\nand failed</error>");
  has(xml, "<skipped message=\"nothing to compare with\">nothing to compare with</skipped>");
  free(xml);
}

static void test_nothing(void **state) {
  (void)state;
  char *xml = sp_junit("", NULL, 0);
  has(xml, "<testsuites name=\"\" tests=\"0\"");
  free(xml);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_junit), cmocka_unit_test(test_nothing)};
  if (argc < 2) return cmocka_run_group_tests(tests, NULL, NULL);
  FILE *file = fopen(argv[1], "w");
  char *xml = some();
  int is_written = file && fputs(xml, file) >= 0;
  free(xml);
  return file && fclose(file) == 0 && is_written ? 0 : 1;
}
