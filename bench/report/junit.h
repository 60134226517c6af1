// What a verdict has to say, case by case, and as JUnit XML for build servers: the same lines on both.
// One thread; texts belong to the suite.
#ifndef SP_REPORT_JUNIT_H
#define SP_REPORT_JUNIT_H

#include <stddef.h>

enum sp_case_state {
  SP_CASE_PASSED,
  SP_CASE_FAILED,  // the system answered wrongly
  SP_CASE_ERROR,   // it did not come to an answer: something died, or never became ready
  SP_CASE_SKIPPED, // there was nothing to compare with
};
struct sp_case {
  const char *name; // borrowed
  enum sp_case_state state;
  char **lines; // raw: whoever shows them makes them printable; of a passed case only worth knowing
  size_t n_lines;
};
struct sp_suite {
  char *name;
  double duration_s;
  struct sp_case *cases;
  size_t n_cases;
};

// Adds a passed case without a word. Valid until the next one is added.
struct sp_case *sp_suite_case(struct sp_suite *suite, const char *name);
// Adds a line, and a state that is not forgotten: of several the gravest, error before failed before skipped.
void sp_case_say(struct sp_case *one, enum sp_case_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sp_suite_done(struct sp_suite *suite); // zeroed is allowed

const char *sp_case_state_name(enum sp_case_state state); // "passed", "failed", "error", "skipped"

// JUnit XML: valid UTF-8 and XML 1.0 whatever the lines hold, control characters as \xNN; the message of a failure is its first
// line, its text all of them. With a final line end; free with free().
char *sp_junit(const char *name, const struct sp_suite *suites, size_t n_suites);

#endif
