// A search in words, Markdown and JSON, and its line in the history; names that would be markup stay text.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decide/search_forms.h"
#include "decide/search_json.h"
#include "os/files.h"
#include "result/history.h"

struct bed {
  struct sp_scenario scenario;
  struct sp_cli cli;
  struct sp_side side;
  struct sp_search_rate rates[2];
  struct sp_search_probed probed[2];
  struct sp_searches searches;
  struct sp_searches_plan plan;
};

static void make(struct bed *bed) {
  *bed =
      (struct bed){.scenario = {.name = (char *)"a|<b>@all\n", .digest = "xxh3:1"},
                   .side = {.name = (char *)"rpc", .path.path = (char *)"rpc"},
                   .rates = {{.per_s = 4800, .is_answered = true, .n_passed = 1},
                             {.per_s = 5040, .is_answered = true, .verdict = SP_PROBE_FAILED, .n_failed = 2}},
                   .probed = {{.rate_per_s = 4800,
                               .seed = 1,
                               .dir = (char *)"probes/rpc/001-4800",
                               .duration_ns = 10 * SP_NS_PER_S,
                               .p50_ns = 900000,
                               .p99_ns = 9000000,
                               .backlog_at_t1 = 4,
                               .achieved_per_s = 4799.5,
                               .cpu_us_per_event = 24.1},
                              {.rate_per_s = 5040,
                               .seed = 2,
                               .dir = (char *)"probes/rpc/002-5040",
                               .outcome = {SP_PROBE_FAILED, "p99 12.1ms > 10ms"},
                               .duration_ns = 10 * SP_NS_PER_S,
                               .p50_ns = -1,
                               .p99_ns = -1,
                               .backlog_at_t1 = -1,
                               .achieved_per_s = NAN,
                               .cpu_us_per_event = NAN}}};
  bed->scenario.load = (struct sp_load_conf){.arrival = SP_ARRIVAL_POISSON};
  bed->scenario.expect.not_ok = -1;
  bed->scenario.stream.transport = SP_TRANSPORT_DIRECT;
  bed->plan = (struct sp_searches_plan){
      .cli = &bed->cli, .scenario = &bed->scenario, .n_sides = 1, .options = {.precision = 0.05}};
  bed->plan.sides[0] = &bed->side;
  struct sp_searches *searches = &bed->searches;
  strcpy(searches->started_at, "2026-11-21T13:00:00Z");
  searches->n_sides = 1;
  struct sp_side_search *side = &searches->sides[0];
  side->side = &bed->side;
  sp_search_slo_of(&bed->scenario.expect, &bed->side, &side->slo);
  side->search = (struct sp_search){.verdict = SP_SEARCH_BRACKET,
                                    .low_per_s = 4800,
                                    .high_per_s = 5040,
                                    .reason = "p99 12.1ms > 10ms",
                                    .n_trials = 2,
                                    .rates = bed->rates,
                                    .n_rates = 2};
  side->probed = bed->probed;
  side->n_probed = 2;
  side->cpu_s_per_million = 24.1;
  side->first = sp_result_new();
  strcpy(side->co_located, "application and server");
}

static void done(struct bed *bed) {
  sp_result_free(bed->searches.sides[0].first);
}

static void test_words(void **state) {
  (void)state;
  struct bed bed;
  char *text = NULL;
  size_t n = 0;
  make(&bed);
  FILE *to = open_memstream(&text, &n);
  sp_searches_print(&bed.plan, &bed.searches, to);
  fclose(to);
  assert_non_null(strstr(text, "sustainable 4,800/s (next 5,040/s failed: p99 12.1ms > 10ms)\n"));
  assert_non_null(
      strstr(text, "24.1 CPU-s per million events at this rate; co-located (application and server)"));
  assert_non_null(strstr(text, "p99 <= 10ms (standard)"));
  assert_null(strstr(text, "all\n,"));
  free(text);
  text = sp_searches_markdown(&bed.plan, &bed.searches);
  assert_null(strstr(text, "<b>"));
  assert_null(strstr(text, "a|"));
  free(text);
  done(&bed);
}

static void test_wrong_predictions_fail(void **state) {
  (void)state;
  struct bed bed;
  make(&bed);
  assert_int_equal(sp_searches_exit_code(&bed.searches), 0);
  bed.probed[0].mismatched = 1;
  assert_int_equal(sp_searches_exit_code(&bed.searches), 1);
  bed.probed[0].mismatched = 0;
  bed.searches.sides[0].search.verdict = SP_SEARCH_DRIVER_LIMITED;
  assert_int_equal(sp_searches_exit_code(&bed.searches), 4);
  bed.searches.sides[0].search.verdict = SP_SEARCH_NONE;
  assert_int_equal(sp_searches_exit_code(&bed.searches), 1);
  bed.searches.sides[0].search.verdict = SP_SEARCH_UNKNOWN;
  assert_int_equal(sp_searches_exit_code(&bed.searches), 2);
  done(&bed);
}

static const char *folder = NULL;

// DIR/bracket/search.json is what tests/peers/search_schema.py reads.
static void test_files(void **state) {
  (void)state;
  struct bed bed;
  struct sp_error error;
  char own[] = "/tmp/sp-search-XXXXXX";
  make(&bed);
  char *dir = sp_format("%s/bracket", folder ? folder : mkdtemp(own)), *lines = sp_format("%s/history", dir);
  assert_int_equal(sp_files_make_dirs(dir, &error), SP_OK);
  bed.plan.out_dir = dir;
  assert_int_equal(sp_searches_write(&bed.plan, &bed.searches, &error), SP_OK);
  assert_int_equal(sp_searches_note(&bed.searches, &bed.cli, lines, &error), SP_OK);
  bed.searches.sides[0].search.verdict =
      SP_SEARCH_DRIVER_LIMITED; // at least so much: no figure of the system
  assert_int_equal(sp_searches_note(&bed.searches, &bed.cli, lines, &error), SP_OK);
  bed.searches.sides[0].search.verdict = SP_SEARCH_BRACKET;
  // The same command again finds all of it there, and has nothing new to say.
  assert_true(sp_searches_had_ended(dir));
  bed.searches.had_ended = true;
  for (size_t i = 0; i < 2; i++) bed.probed[i].was_found = true;
  assert_int_equal(sp_searches_note(&bed.searches, &bed.cli, lines, &error), SP_OK);
  struct sp_history history = {0};
  assert_int_equal(sp_history_read(lines, &history, &error), SP_OK);
  assert_int_equal(history.n, 1);
  assert_string_equal(history.lines[0].verb, "search");
  assert_true(sp_facts_number_of(&history.lines[0].metrics, "sustainable") == 4800);
  sp_history_done(&history);
  if (!folder) sp_files_remove(own);
  free(dir);
  free(lines);
  done(&bed);
}

int main(int argc, char **argv) {
  if (argc > 1) folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words),
      cmocka_unit_test(test_wrong_predictions_fail),
      cmocka_unit_test(test_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
