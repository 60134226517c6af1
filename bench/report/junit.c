// Cases and their lines; JUnit XML.
#include "report/junit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/printable.h"
#include "base/text_stream.h"

struct sp_case *sp_suite_case(struct sp_suite *suite, const char *name) {
  suite->cases = sp_realloc(suite->cases, (suite->n_cases + 1) * sizeof *suite->cases);
  struct sp_case *one = &suite->cases[suite->n_cases++];
  *one = (struct sp_case){.name = name};
  return one;
}

static int gravity(enum sp_case_state state) {
  static const int of[] = {
      [SP_CASE_PASSED] = 0, [SP_CASE_SKIPPED] = 1, [SP_CASE_FAILED] = 2, [SP_CASE_ERROR] = 3};
  return of[state];
}

void sp_case_say(struct sp_case *one, enum sp_case_state state, const char *format, ...) {
  va_list args;
  char *line;
  va_start(args, format);
  SP_ASSERT(vasprintf(&line, format, args) >= 0);
  va_end(args);
  one->lines = sp_realloc(one->lines, (one->n_lines + 1) * sizeof *one->lines);
  one->lines[one->n_lines++] = line;
  if (gravity(state) > gravity(one->state)) one->state = state;
}

const char *sp_case_state_name(enum sp_case_state state) {
  static const char *const names[] = {[SP_CASE_PASSED] = "passed",
                                      [SP_CASE_FAILED] = "failed",
                                      [SP_CASE_ERROR] = "error",
                                      [SP_CASE_SKIPPED] = "skipped"};
  return names[state];
}

void sp_suite_done(struct sp_suite *suite) {
  for (size_t i = 0; i < suite->n_cases; i++) {
    for (size_t k = 0; k < suite->cases[i].n_lines; k++) free(suite->cases[i].lines[k]);
    free(suite->cases[i].lines);
  }
  free(suite->cases);
  free(suite->name);
  *suite = (struct sp_suite){0};
}

// --- XML ---

// U+FFFE and U+FFFF are characters of UTF-8, but not of XML.
static bool is_no_character(const char *at) {
  return (unsigned char)at[0] == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe;
}

static void print_escaped(FILE *to, const char *text) {
  char *clean = sp_printable_text(text);
  for (const char *at = clean; *at; at++) {
    switch (*at) {
    case '&': fputs("&amp;", to); break;
    case '<': fputs("&lt;", to); break;
    case '>': fputs("&gt;", to); break; // "]]>" may not stand in a text
    case '"': fputs("&quot;", to); break;
    default:
      if (!is_no_character(at)) {
        fputc(*at, to);
        break;
      }
      fprintf(to, "\\xef\\xbf\\x%02x", (unsigned char)at[2]);
      at += 2;
    }
  }
  free(clean);
}

static void print_lines(FILE *to, const struct sp_case *one) {
  for (size_t i = 0; i < one->n_lines; i++) {
    if (i) fputc('\n', to);
    print_escaped(to, one->lines[i]);
  }
}

static void print_case(FILE *to, const struct sp_suite *suite, const struct sp_case *one) {
  static const char *const elements[] = {[SP_CASE_PASSED] = "system-out",
                                         [SP_CASE_FAILED] = "failure",
                                         [SP_CASE_ERROR] = "error",
                                         [SP_CASE_SKIPPED] = "skipped"};
  fputs("    <testcase classname=\"", to);
  print_escaped(to, suite->name);
  fputs("\" name=\"", to);
  print_escaped(to, one->name);
  if (!one->n_lines) {
    fputs("\"/>\n", to);
    return;
  }
  fprintf(to, "\">\n      <%s", elements[one->state]);
  if (one->state != SP_CASE_PASSED) {
    fputs(" message=\"", to);
    print_escaped(to, one->lines[0]);
    fputc('"', to);
  }
  fputc('>', to);
  print_lines(to, one);
  fprintf(to, "</%s>\n    </testcase>\n", elements[one->state]);
}

static size_t count(const struct sp_suite *suites, size_t n_suites, enum sp_case_state state) {
  size_t n = 0;
  for (size_t i = 0; i < n_suites; i++) {
    for (size_t k = 0; k < suites[i].n_cases; k++) n += suites[i].cases[k].state == state;
  }
  return n;
}

static void print_counts(FILE *to, const struct sp_suite *suites, size_t n_suites) {
  size_t n_cases = 0;
  double duration_s = 0;
  for (size_t i = 0; i < n_suites; i++) {
    n_cases += suites[i].n_cases;
    duration_s += suites[i].duration_s;
  }
  fprintf(to, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n", n_cases,
          count(suites, n_suites, SP_CASE_FAILED), count(suites, n_suites, SP_CASE_ERROR),
          count(suites, n_suites, SP_CASE_SKIPPED), duration_s);
}

char *sp_junit(const char *name, const struct sp_suite *suites, size_t n_suites) {
  struct sp_text_stream text;
  FILE *to = sp_text_stream_open(&text);
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", to);
  print_escaped(to, name);
  fputc('"', to);
  print_counts(to, suites, n_suites);
  for (size_t i = 0; i < n_suites; i++) {
    fputs("  <testsuite name=\"", to);
    print_escaped(to, suites[i].name);
    fputc('"', to);
    print_counts(to, &suites[i], 1);
    for (size_t k = 0; k < suites[i].n_cases; k++) print_case(to, &suites[i], &suites[i].cases[k]);
    fputs("  </testsuite>\n", to);
  }
  fputs("</testsuites>\n", to);
  return sp_text_stream_close(&text);
}
