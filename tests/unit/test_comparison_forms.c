// What people and build servers read of a comparison: layout, words, and nothing of a foreign text but text. With a folder as
// argument it leaves every form of every comparison there for tests/peers/comparison_forms.py.
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/compared.h"
#include "report/comparison.h"
#include "report/escape.h"
#include "support/comparison_bed.h"

typedef void write_form(const struct sp_comparison *c, FILE *to);

static void write_junit(const struct sp_comparison *c, FILE *to) {
  char *text = sp_comparison_junit(c);
  fputs(text, to);
  free(text);
}

// The form of a comparison that is freed after it.
static char *form_of(write_form *write, struct sp_comparison *c) {
  char *text = NULL;
  size_t n = 0;
  FILE *to = open_memstream(&text, &n);
  assert_non_null(to);
  write(c, to);
  assert_int_equal(fclose(to), 0);
  sp_comparison_free(c);
  return text;
}

// Each line of `lines` (ended by \n) stands in the text, in this order.
static void expect_lines(const char *text, const char *lines) {
  const char *at = text;
  while (*lines) {
    size_t n = strcspn(lines, "\n");
    char *line = sp_format("%.*s\n", (int)n, lines), *found = strstr(at, line);
    bool is_line = found && (found == text || found[-1] == '\n');
    if (!is_line) fail_msg("no line \"%.*s\" in:\n%s", (int)n, lines, at);
    SP_ASSERT(is_line); // for those who do not know that the above does not return
    at = found + strlen(line);
    free(line);
    lines += n + 1;
  }
}

static void expect_no(const char *text, const char *part) {
  if (strstr(text, part)) fail_msg("\"%s\" stands in:\n%s", part, text);
}

static size_t columns_of(const char *line) {
  size_t n = 0;
  for (; *line && *line != '\n'; line++) n += ((unsigned char)*line & 0xc0) != 0x80;
  return n;
}

static void expect_narrow(const char *text) {
  for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
    if (columns_of(line) > 110) fail_msg("%zu columns: %.200s", columns_of(line), line);
  }
}

static void two_sides_are_two_columns(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_print, comparison_bed_two());
  expect_narrow(text);
  expect_lines(
      text,
      "fraud, 2,000/s poisson, Kafka 4.3.1, 12 pairs, 4 min 58 s\n"
      "rpc            rpc, delay 200µs emulated\n"
      "               embedded      rpc  rpc ÷ embedded [99 %]  detects\n"
      "response p50      420µs    560µs  1.33 [1.29, 1.38]        8.0 %  slower\n"
      "response p99      2.1ms    2.9ms  1.38 [0.94, 1.90]        8.0 %  inconclusive (needs ~18 pairs)\n"
      "cpu per event      24µs     77µs  3.21 [3.10, 3.30]        8.0 %  dearer\n"
      "exploratory, without a verdict:\n"
      "response p90      900µs    1.1ms  1.22 [1.10, 1.30]\n"
      "cost by process:\n"
      "cpu app            24µs     25µs  1.04 [1.00, 1.10]\n"
      "cpu server            -     52µs\n"
      "bounds of the scenario:\n"
      "p99 ≤ 10ms      ✓ 2.1ms  ✓ 2.9ms\n"
      "not_ok ≤ 0.1%      ✓ 0%     ✓ 0%\n"
      "response p99   the interval reaches from faster to slower\n"
      "why +140µs     rpc other +96µs, server +31µs, encode +9µs, residual +4µs\n"
      "predictions    240,000 checked, 0 wrong (max 2e-07); 240,000 compared across sides, 0 differ (max "
      "2e-07)\n"
      "differences    path: embedded, rpc\n"
      "remarks        co-located: application and server shared a core\n"
      "left out       invalid/001-1/rpc: stolen CPU of 4%, limit 2%\n"
      "VERDICT  embedded faster at p50, 3.2 × cheaper; both meet p99 ≤ 10ms\n");
  free(text);
}

static void many_sides_are_rows_below_their_reference(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_print, comparison_bed_three());
  expect_narrow(text);
  expect_lines(
      text, "fraud, 2,000/s poisson, direct, 12 pairs, 4 min 58 s\n"
            "                                    ÷ rpc [99 %]            detects\n"
            "response p50   rpc           560µs\n"
            "               embedded      420µs  0.75 [0.70, 0.80]         8.0 %  faster\n"
            "               triton        565µs  1.01 [0.99, 1.02]         8.0 %  no difference beyond 5 %\n"
            "response p99   rpc           2.9ms\n"
            "               embedded          -\n"
            "               triton    no answer  ∞ [4.00, ∞] at 93.75 %    8.0 %  slower\n"
            "cpu per event  rpc            77µs\n"
            "VERDICT  embedded fastest\n");
  free(text);
}

static void a_gate_says_its_limits(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_print, comparison_bed_gate());
  expect_narrow(text);
  expect_lines(
      text, "fraud, 2,000/s poisson, direct, 12 pairs and 12 fresh ones, 4 min 58 s\n"
            "                base  candidate  times worse ≥       ≤   limit\n"
            "response p50   420µs      460µs           1.07    1.11    1.05  fail\n"
            "response p99   2.1ms      2.9ms           0.93    1.90    1.05  inconclusive (needs ~18 pairs)\n"
            "cpu per event   24µs     24.1µs           0.99    1.01  1.05 c  pass\n"
            "served          100%       100%         1.0000  1.0002  1.0010  pass\n"
            "c              limit calibrated on this machine\n"
            "response p50   12 fresh pairs agree\n"
            "VERDICT  FAIL: response p50 is at least 7.5 % slower\n");
  free(text);
}

static void a_missed_bound_and_a_broken_off_one_say_so(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  c->sides[1].bounds[0].met = SP_MET_NO;
  c->sides[1].bounds[0].value = NAN;
  c->sides[0].bounds[0].met = SP_MET_UNKNOWN;
  c->complete = false;
  c->incomplete = sp_copy_text("ended by SIGINT");
  free(c->verdict);
  c->verdict = NULL;
  char *text = form_of(sp_comparison_print, c);
  expect_lines(text, "p99 ≤ 10ms      ? 2.1ms  ✗ no answer\nVERDICT  INCOMPLETE: ended by SIGINT\n");
  free(text);
}

static void an_artefact_is_not_shown(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  for (size_t i = 0; i < 2; i++) {
    c->sides[i].is_mock = true;
    c->sides[i].bounds[0].met = SP_MET_UNKNOWN;
  }
  sp_facts_text(&c->broker, "kind", "mock");
  char *text = form_of(sp_comparison_print, c);
  expect_lines(text, "fraud, 2,000/s poisson, mock broker, 12 pairs, 4 min 58 s\n"
                     "p99 ≤ 10ms          ? -      ? -\nnot_ok ≤ 0.1%      ✓ 0%     ✓ 0%\n");
  free(text);
}

static void nothing_is_said_twice(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  c->metrics[0].why = sp_copy_text("episodic in 4 of 4 trials");
  c->metrics[2].why = sp_copy_text("episodic in 4 of 4 trials");
  sp_comparison_remark(c, "the machine was not quiet");
  free(c->verdict);
  c->verdict = sp_copy_text("no verdict: the machine was not quiet");
  char *text = form_of(sp_comparison_print, c);
  expect_lines(text, "response p50, cpu per event episodic in 4 of 4 trials\n"
                     "response p99   the interval reaches from faster to slower\n"
                     "VERDICT  no verdict: the machine was not quiet\n");
  expect_no(strstr(text, "quiet") + 1, "quiet");
  free(text);
}

static void one_without_figures_is_printed(void **state) {
  (void)state;
  static write_form *const forms[] = {sp_comparison_print, sp_comparison_write_markdown,
                                      sp_comparison_write_csv, write_junit};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    free(form_of(forms[i], sp_comparison_new()));
    struct sp_comparison *c = sp_comparison_new();
    sp_comparison_side(c, "candidate", NULL);
    c->complete = true;
    c->gate.verdict = SP_GATE_NO_BASELINE;
    c->verdict = sp_copy_text("no baseline yet");
    char *text = form_of(forms[i], c);
    if (i == 0) expect_lines(text, "VERDICT  NO-BASELINE: no baseline yet\n");
    if (i == 1) expect_lines(text, "## NO-BASELINE: servepath gate of -\n");
    free(text);
  }
}

// --- Where the time goes ---

static void the_way_to_a_server_costs_what_is_no_prediction(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  struct sp_explained turned = c->explained[0], *e = &c->explained[0];
  char total[SP_COMPARED_BYTES];
  for (int i = 0; i < SP_STAGE_COUNT; i++) {
    turned.reference_ns[i] = e->side_ns[i];
    turned.side_ns[i] = e->reference_ns[i];
  }
  turned.reference_total_ns = e->side_total_ns;
  turned.side_total_ns = e->reference_total_ns;
  turned.residual_ns = -e->residual_ns;
  char *text = sp_compared_why(&turned, false, total);
  assert_string_equal(text, "rpc other -96µs, server -31µs, encode -9µs, residual -4µs");
  assert_string_equal(total, "-140µs");
  free(text);
  e->side_ns[SP_STAGE_RPC_OTHER] += 2e3; // of nearly all events: what is said must add up all the same
  text = sp_compared_why(e, false, total);
  assert_string_equal(text, "rpc other +96µs, server +31µs, encode +9µs, residual +4µs");
  free(text);
  e->residual_ns = -3e-11;
  text = sp_compared_why(e, false, total);
  assert_string_equal(text, "rpc other +96µs, server +31µs, encode +9µs, residual 0ns");
  free(text);
  e->residual_ns = 4e3;
  e->side_ns[SP_STAGE_SERVER] = 4e3; // known of few events: its mean is of other events
  text = sp_compared_why(e, false, total);
  assert_string_equal(text, "predict +127µs, encode +9µs, residual +4µs");
  free(text);
  e->side_total_ns = NAN; // closed loop
  assert_null(sp_compared_why(e, false, total));
  sp_comparison_free(c);
}

static void unknown_stages_explain_nothing(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  struct sp_explained *e = &c->explained[0];
  char total[SP_COMPARED_BYTES];
  for (int i = SP_STAGE_INBOUND; i < SP_STAGE_COUNT; i++) e->side_ns[i] = e->side_slow_ns[i] = NAN;
  assert_null(sp_compared_why(e, false, total));
  assert_null(sp_compared_why(e, true, total));
  sp_comparison_free(c);
}

static void small_parts_are_summed(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  struct sp_explained *e = &c->explained[0];
  char total[SP_COMPARED_BYTES];
  e->side_ns[SP_STAGE_QUEUE] += 10e6;
  e->side_ns[SP_STAGE_DECODE] += 1e3;
  e->side_total_ns += 10e6 + 1e3;
  char *text = sp_compared_why(e, false, total);
  assert_string_equal(text, "queue +10ms, others +137µs, residual +4µs");
  assert_string_equal(total, "+10.1ms");
  free(text);
  sp_comparison_free(c);
}

static void figures_are_short(void **state) {
  (void)state;
  static const struct {
    double ratio;
    const char *text;
  } cases[] = {{1, "1.00"},     {0.0312, "0.031"}, {9.99, "9.99"}, {12.34, "12.3"}, {250, "250"},
               {INFINITY, "∞"}, {NAN, "-"},        {0.1, "0.10"},  {0, "0"}};
  char cell[SP_COMPARED_BYTES];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_string_equal(sp_compared_times(cases[i].ratio, cell), cases[i].text);
  assert_string_equal(sp_compared_percent(0.05, cell), "5 %");
  assert_string_equal(sp_compared_percent(0.985, cell), "98.5 %");
}

// --- Foreign text ---

static void a_terminal_is_not_driven(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_print, comparison_bed_hostile());
  for (const char *at = text; *at; at++) assert_true(*at == '\n' || !iscntrl((unsigned char)*at));
  expect_no(text, "\xff");
  assert_non_null(strstr(text, "\\x1b[31m"));
  free(text);
}

static void markdown_stays_text(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_write_markdown, comparison_bed_hostile());
  expect_no(text, "\x1b");
  expect_no(text, "\xff");
  expect_no(text, "\r");
  // Outside of code, where these mean nothing, only our own tags are tags, and nothing is a mention or an address.
  char *command = strstr(text, "- command: "), *after = strchr(command, '\n');
  memmove(command, after, strlen(after) + 1);
  for (const char *at = text; (at = strchr(at, '<')); at++) {
    bool is_ours = strncmp(at, "<details><summary>", 18) == 0 || strncmp(at, "<summary>", 9) == 0 ||
                   strncmp(at, "</summary>", 10) == 0 || strncmp(at, "</details>", 10) == 0;
    if (!is_ours) fail_msg("a tag: %.40s", at);
  }
  static const char *const no[] = {"@team", "#1 ", "://", "www.e", " **b", " `x", "| `", "](", "~~"};
  for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) expect_no(text, no[i]);
  free(text);
}

static void words_that_start_blocks_are_not_first(void **state) {
  (void)state;
  static const char *const starts[] = {"- item", "1. item", "# title", "    code", "> quote", "---", "==="};
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    struct sp_comparison *c = comparison_bed_hostile();
    char **texts[] = {&c->sides[0].name, &c->sides[0].label, &c->remarks[0], &c->verdict};
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
      free(*texts[k]);
      *texts[k] = sp_copy_text(starts[i]);
    }
    sp_facts_text(&c->scenario, "name", starts[i]);
    char *text = form_of(sp_comparison_write_markdown, c), *line = sp_format("\n%s", starts[i]);
    expect_no(text, line);
    free(line);
    line = sp_format("\n- %s", starts[i]);
    expect_no(text, line);
    free(line);
    free(text);
  }
}

static void a_command_is_one_piece_of_code(void **state) {
  (void)state;
  char *words[] = {"compare", "a b", "x`y", "p=\"q r\"", "it's $1"};
  char *text = NULL;
  size_t n = 0;
  FILE *to = open_memstream(&text, &n);
  sp_markdown_command(to, words, sizeof words / sizeof words[0]);
  assert_int_equal(fclose(to), 0);
  assert_string_equal(text, "`servepath compare \"a b\" \"x'y\" 'p=\"q r\"' \"it's $1\"`");
  free(text);
}

// --- Build servers and spreadsheets ---

static void a_slower_side_fails_no_build(void **state) {
  (void)state;
  char *text = form_of(write_junit, comparison_bed_two());
  assert_non_null(strstr(text, "failures=\"0\" errors=\"0\" skipped=\"1\""));
  assert_non_null(strstr(text, "slower: rpc 560µs, embedded 420µs; ratio 1.33 [1.29, 1.38]"));
  free(text);
}

static void a_missed_bound_or_a_wrong_answer_does(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  c->sides[0].bounds[0].met = SP_MET_NO;
  c->sides[1].bounds[0].met = SP_MET_UNKNOWN;
  c->sides[1].n_mismatched = 3;
  c->predictions.differing = 3;
  char *text = form_of(write_junit, c);
  assert_non_null(strstr(text, "failures=\"3\" errors=\"0\" skipped=\"2\""));
  assert_non_null(strstr(text, "3 of 120000 answers were wrong"));
  free(text);
}

static void wrong_answers_that_do_not_count_are_told_apart(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  c->sides[1].n_mismatched_left_out = 3;
  char *text = sp_compared_predictions(c);
  assert_string_equal(text, "240,000 checked, 0 wrong (max 2e-07); 3 wrong in trials that do not count; "
                            "240,000 compared across sides, 0 differ (max 2e-07)");
  free(text);
  c->sides[0].n_checked = c->sides[1].n_checked = c->predictions.compared = 0; // no trial counts
  text = sp_compared_predictions(c);
  assert_string_equal(text, "none checked; 3 wrong in trials that do not count");
  free(text);
  text = form_of(write_junit, c);
  assert_non_null(
      strstr(text, "<failure message=\"answers that were wrong in trials that do not count: 3\""));
  free(text);
}

// The interval of one pair is that pair: it holds the truth by chance.
static void one_pair_has_no_level(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_two();
  for (size_t i = 0; i < c->n_metrics; i++) {
    c->metrics[i].n_pairs = 1;
    c->metrics[i].level = 0;
    c->metrics[i].low = c->metrics[i].high = c->metrics[i].ratio;
  }
  char *text = form_of(sp_comparison_print, c);
  expect_lines(text, "               embedded      rpc  rpc ÷ embedded  detects\n"
                     "response p50      420µs    560µs  1.33              8.0 %  slower\n");
  expect_no(text, "0 %]");
  free(text);
  c = comparison_bed_two();
  c->metrics[1].level = 0; // one metric alone: what stands in the heading is not its level
  c->metrics[1].low = c->metrics[1].high = c->metrics[1].ratio;
  char *table = form_of(sp_comparison_print, c);
  expect_lines(table,
               "response p50      420µs    560µs  1.33 [1.29, 1.38]        8.0 %  slower\n"
               "response p99      2.1ms    2.9ms  1.38                     8.0 %  inconclusive (needs ~18 "
               "pairs)\n");
  free(table);
  c = comparison_bed_two();
  c->metrics[0].level = 0;
  text = form_of(sp_comparison_write_csv, c);
  assert_non_null(strstr(text, ",1.29,1.38,,0.0004,"));
  free(text);
}

static void a_gate_fails_by_its_own_metrics(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_gate();
  sp_comparison_bound(&c->sides[0], "expect.p99", 1e6, 2e6,
                      SP_MET_NO); // of the base: no fault of the candidate
  char *text = form_of(write_junit, c);
  assert_non_null(strstr(text, "<testsuites name=\"servepath gate\" tests=\"7\" failures=\"1\" errors=\"0\" "
                               "skipped=\"1\""));
  assert_non_null(strstr(text, "limit 1.05: 12 fresh pairs agree"));
  free(text);
}

static void an_open_metric_fails_where_that_was_asked_for(void **state) {
  (void)state;
  struct sp_comparison *c = comparison_bed_gate();
  c->gate.inconclusive_fails = true;
  char *text = form_of(write_junit, c);
  assert_non_null(strstr(text, "tests=\"7\" failures=\"2\" errors=\"0\" skipped=\"0\""));
  free(text);
}

static void no_measurement_is_an_error(void **state) {
  (void)state;
  static const struct {
    int exit_code;
    const char *counts;
  } cases[] = {{0, "errors=\"0\""},
               {1, "errors=\"0\""},
               {2, "errors=\"1\""},
               {3, "errors=\"1\""},
               {4, "errors=\"0\""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_comparison *c = comparison_bed_two();
    c->exit_code = cases[i].exit_code;
    char *text = form_of(write_junit, c);
    assert_non_null(strstr(text, cases[i].counts));
    free(text);
  }
}

static void a_spreadsheet_gets_every_digit(void **state) {
  (void)state;
  char *text = form_of(sp_comparison_write_csv, comparison_bed_three());
  assert_non_null(strstr(
      text, "\r\nresponse_p50,ns,embedded,rpc,420000,560000,0.75,0.7,0.8,0.99,0.0004,0.0012,0.08,12,yes,"
            "better,0,,,,,,,1\r\n"));
  assert_non_null(strstr(text, ",inf,2900000,inf,4,inf,0.9375,"));
  free(text);
  text = form_of(sp_comparison_write_csv, comparison_bed_hostile());
  for (const char *at = text; *at; at++) {
    assert_true(!iscntrl((unsigned char)*at) || *at == '\n' || (*at == '\r' && at[1] == '\n'));
  }
  assert_non_null(strstr(text, "\"\"q\"\""));
  free(text);
  struct sp_comparison *c = comparison_bed_two();
  free(c->sides[1].name);
  c->sides[1].name = sp_copy_text("=cmd()");
  text = form_of(sp_comparison_write_csv, c);
  assert_non_null(strstr(text, "response_p50,ns,\"'=cmd()\",embedded,")); // no formula
  free(text);
}

// --- For the peers ---

static int leave_in(const char *folder) {
  static const struct {
    const char *name;
    struct sp_comparison *(*make)(void);
  } beds[] = {{"two", comparison_bed_two},
              {"three", comparison_bed_three},
              {"gate", comparison_bed_gate},
              {"hostile", comparison_bed_hostile}};
  static const struct {
    const char *ending;
    write_form *write;
  } forms[] = {{"md", sp_comparison_write_markdown}, {"csv", sp_comparison_write_csv}, {"xml", write_junit}};
  for (size_t i = 0; i < sizeof beds / sizeof beds[0]; i++) {
    for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
      char *path = sp_format("%s/%s.%s", folder, beds[i].name, forms[k].ending);
      FILE *to = fopen(path, "w");
      free(path);
      if (!to) return 1;
      struct sp_comparison *c = beds[i].make();
      forms[k].write(c, to);
      sp_comparison_free(c);
      if (fclose(to) != 0) return 1;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_sides_are_two_columns),
      cmocka_unit_test(many_sides_are_rows_below_their_reference),
      cmocka_unit_test(a_gate_says_its_limits),
      cmocka_unit_test(a_missed_bound_and_a_broken_off_one_say_so),
      cmocka_unit_test(an_artefact_is_not_shown),
      cmocka_unit_test(nothing_is_said_twice),
      cmocka_unit_test(one_without_figures_is_printed),
      cmocka_unit_test(the_way_to_a_server_costs_what_is_no_prediction),
      cmocka_unit_test(unknown_stages_explain_nothing),
      cmocka_unit_test(small_parts_are_summed),
      cmocka_unit_test(figures_are_short),
      cmocka_unit_test(a_terminal_is_not_driven),
      cmocka_unit_test(markdown_stays_text),
      cmocka_unit_test(words_that_start_blocks_are_not_first),
      cmocka_unit_test(a_command_is_one_piece_of_code),
      cmocka_unit_test(a_slower_side_fails_no_build),
      cmocka_unit_test(a_missed_bound_or_a_wrong_answer_does),
      cmocka_unit_test(wrong_answers_that_do_not_count_are_told_apart),
      cmocka_unit_test(one_pair_has_no_level),
      cmocka_unit_test(a_gate_fails_by_its_own_metrics),
      cmocka_unit_test(an_open_metric_fails_where_that_was_asked_for),
      cmocka_unit_test(no_measurement_is_an_error),
      cmocka_unit_test(a_spreadsheet_gets_every_digit),
  };
  return argc > 1 ? leave_in(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
