// Rows by a key, and the forms of a report that other programs read.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/by.h"
#include "report/forms.h"

static struct sp_result *trial(const char *side, const char *branch, double p99_ns) {
  struct sp_result *r = sp_result_new();
  r->complete = true;
  r->side = sp_copy_text(side);
  r->path = sp_copy_text("embedded");
  r->transport = sp_copy_text("direct");
  sp_facts_text(&r->scenario, "name", "fraud");
  sp_facts_json(&r->scenario, "resolved",
                "{\"load\": {\"rate\": \"500/s\"}, \"sides\": {\"rpc\": {\"in_flight\": 64, \"rpc\": "
                "{\"sync\": true}}}}");
  sp_facts_text(&r->load, "arrival", "constant");
  sp_facts_real(&r->load, "rate_per_s", 500);
  sp_facts_text(&r->build, "version", "v1");
  if (branch) sp_facts_text(&r->tags, "branch", branch);
  r->intended = r->outcomes[SP_OUTCOME_OK] = 100;
  r->response.present = true;
  r->response.percentile_ns[SP_P99] = isfinite(p99_ns) ? (int64_t)p99_ns : -1;
  r->response.state[SP_P99] = isfinite(p99_ns) ? SP_PERCENTILE_RESOLVED : SP_PERCENTILE_NO_ANSWER;
  return r;
}

// Takes the results over.
static struct sp_report report_of(struct sp_result **results, size_t n, const char *by) {
  struct sp_report report = {.trials = sp_alloc(n * sizeof *report.trials), .n_trials = n, .by = by};
  for (size_t i = 0; i < n; i++)
    report.trials[i] = (struct sp_report_trial){sp_format("t/%zu", i), results[i]};
  sp_report_group(&report);
  return report;
}

static void test_values_of_keys(void **state) {
  (void)state;
  static const char *const expected[][2] = {
      {"branch", "main"},    {"tags.branch", "main"}, {"build.version", "v1"},
      {"rate_per_s", "500"}, {"rate", "500/s"},       {"load.rate", "500/s"},
      {"in_flight", "64"},   {"rpc.sync", "yes"},     {"side", "rpc"},
  };
  char text[64];
  struct sp_result *r = trial("rpc", "main", 1000);
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_true(sp_by_value(r, expected[i][0], text, sizeof text));
    assert_string_equal(text, expected[i][1]);
  }
  assert_false(sp_by_value(r, "nothing.such", text, sizeof text));
  assert_string_equal(text, "-");
  assert_true(sp_by_compare("500/s", "8000/s") < 0 && sp_by_compare("8000/s", "500/s") > 0);
  assert_true(sp_by_compare("10", "9") > 0 && sp_by_compare("a10", "a9") < 0 &&
              sp_by_compare("2ms", "10us") > 0);
  sp_result_free(r);
}

static void test_rows_by_a_tag(void **state) {
  (void)state;
  struct sp_result *results[] = {trial("rpc", "b", 1), trial("rpc", "a", 2), trial("rpc", "b", 3)};
  struct sp_report report = report_of(results, 3, "branch");
  assert_int_equal(report.n_rows, 2);
  assert_string_equal(report.rows[0].by, "a");
  assert_int_equal(report.rows[1].n_trials, 2);
  sp_report_done(&report);
  struct sp_result *again[] = {trial("rpc", "b", 1), trial("rpc", "a", 2)};
  report = report_of(again, 2, NULL);
  assert_int_equal(report.n_rows, 1); // a tag alone is no other measurement
  sp_report_done(&report);
}

static void test_csv(void **state) {
  (void)state;
  struct sp_result *results[] = {trial("=cmd,\"x\"", NULL, 31000), trial("rpc", NULL, INFINITY)};
  sp_facts_text(&results[1]->load, "arrival", "=1,\n"); // a file that somebody made
  struct sp_report report = report_of(results, 2, NULL);
  char *text = NULL;
  size_t n = 0;
  FILE *memory = open_memstream(&text, &n);
  sp_report_write_csv(&report, memory);
  fclose(memory);
  assert_non_null(
      strstr(text, "case,via,side,rate_per_s,arrival,metric,unit,trials,median,min,max,state\r\n"));
  assert_non_null(strstr(
      text,
      "fraud,direct,\"'=cmd,\"\"x\"\"\",500,constant,response_p99,ns,1,31000,31000,31000,resolved\r\n"));
  assert_non_null(strstr(text, "fraud,direct,rpc,500,\"'=1,\\n\",response_p99,ns,1,,,,no_answer\r\n"));
  free(text);
  sp_report_done(&report);
}

static void test_junit(void **state) {
  (void)state;
  struct sp_result *results[] = {trial("rpc", NULL, 31000), trial("rpc", NULL, 31000)};
  sp_result_bound(results[0], "expect.p99", 20000, 31000, SP_MET_NO);
  sp_result_bound(results[1], "expect.p99", 20000, 19000, SP_MET_YES);
  sp_result_bound(results[1], "expect.p50", 20000, 1, SP_MET_YES);
  struct sp_report report = report_of(results, 2, NULL);
  char *text = sp_report_junit(&report);
  assert_non_null(strstr(text, "t/0: 31"));
  assert_null(strstr(text, "t/1"));
  const char *failure = strstr(text, "<failure");
  assert_non_null(failure);
  assert_null(strstr(failure + 1, "<failure"));
  assert_non_null(strstr(text, "expect.p50"));
  assert_non_null(strstr(text, "<skipped")); // predictions: nothing to compare with
  free(text);
  sp_report_done(&report);
}

static void test_file_names(void **state) {
  (void)state;
  struct sp_result *results[] = {trial("../a b/<x>", NULL, 1), trial("..*a b/<x>", NULL, 1)};
  struct sp_report report = report_of(results, 2, NULL);
  char *first = sp_report_hgrm_name(&report, 0), *second = sp_report_hgrm_name(&report, 1);
  assert_string_equal(first, "fraud-direct-..-a-b-x-500.hgrm");
  assert_string_equal(second, "fraud-direct-..-a-b-x-500-2.hgrm");
  free(first);
  free(second);
  sp_report_done(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_of_keys), cmocka_unit_test(test_rows_by_a_tag), cmocka_unit_test(test_csv),
      cmocka_unit_test(test_junit),          cmocka_unit_test(test_file_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
