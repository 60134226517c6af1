// Results: filled from a meter, written whole, read back the same; damaged ones refused. With a folder as argument it leaves
// its results there for tests/peers/result_schema.py.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "result/result.h"

static char folder[4096];

static struct sp_meter *meter_of(int n_seconds, int n_per_second) {
  struct sp_meter *meter = sp_meter_new();
  for (int second = 0; second < n_seconds; second++) {
    for (int i = 0; i < n_per_second; i++) {
      int64_t at_ns = (second + 1) * SP_NS_PER_S;
      struct sp_stamps stamps = {at_ns,
                                 at_ns + 500,
                                 at_ns + 500,
                                 at_ns + 900,
                                 at_ns + 1500,
                                 at_ns + 9000,
                                 at_ns + 9500,
                                 at_ns + 10000 + 10 * i,
                                 i % 2 ? 4000 : -1};
      sp_meter_record(meter, (uint64_t)i, SP_OUTCOME_OK, &stamps);
    }
    sp_meter_flip(meter, NULL, second, 1, second, (second + 1) * n_per_second, NULL);
  }
  return meter;
}

static struct sp_result *full_result(void) {
  struct sp_result *r = sp_result_new();
  struct sp_meter *meter = meter_of(6, 500);
  char *command[] = {"servepath", "run", "fixtures/fraud", "--set", "a=\"b\""};
  sp_meter_no_answer(meter, SP_OUTCOME_LOST, 2, 7);
  sp_meter_flag(meter, SP_FLAG_DUPLICATE);
  sp_meter_error(meter, SP_OUTCOME_UNAVAILABLE, 14, "connection refused \xff", 3);
  r->intended = 3007;
  r->window_s = 6;
  r->drain_s = 0.25;
  r->backlog_at_t1 = 3;
  sp_result_from_meter(r, meter);
  sp_meter_free(meter);
  r->complete = true;
  r->side = sp_copy_text("rpc");
  r->path = sp_copy_text("rpc");
  r->transport = sp_copy_text("direct");
  sp_facts_text(&r->tags, "branch", "main \"quoted\" µ");
  sp_facts_text(&r->scenario, "name", "fraud");
  sp_facts_json(&r->scenario, "resolved", "{\"load\": {\"rate\": \"2000/s\"}, \"sides\": [1, 2.5, null]}");
  sp_facts_text(&r->server, "address", "unix:/tmp/s");
  sp_facts_count(&r->load, "seed", INT64_MAX);
  sp_facts_real(&r->load, "rate_per_s", 2000);
  sp_facts_real(&r->load, "speed", NAN);
  sp_facts_flag(&r->machine, "co_located", true);
  sp_result_command(r, 5, command);
  sp_result_check(r, "late_share", 0.001, 0.01, true, NULL, NULL);
  sp_result_check(r, "poll_gap_ns", 3e7, 1e7, false, "poll gap of 30 ms, limit 10 ms", "servepath doctor");
  sp_result_bound(r, "expect.p99", 1e7, 12345, SP_MET_YES);
  sp_result_bound(r, "expect.p99_9", 1e7, NAN, SP_MET_UNKNOWN);
  sp_result_bound(r, "expect.not_ok", 0, 0.002, SP_MET_NO);
  sp_result_second(r, &(struct sp_second){-1, 100, 99, 0, 10000, 12000, 13000, 1}, NULL);
  sp_result_second(r, &(struct sp_second){0, 500, 501, 2, -1, -1, -1, 0}, "server stopped");
  sp_amounts_set(&r->cpu_s, "driver", 1.5);
  sp_amounts_set(&r->cpu_us_per_event, "app", 6.25);
  sp_amounts_set(&r->cpu_us_per_event, "server", NAN);
  sp_amounts_set(&r->rss_bytes, "driver", 31457280);
  r->predictions.checked = 3000;
  r->predictions.max_abs_error = 1.25e-7;
  r->predictions.source = sp_copy_text("reference");
  for (uint64_t i = 0; i < 20; i++) sp_result_example(r, i, "probability[0]: 0.25 instead of 0.31");
  return r;
}

static void write_full(const char *name, struct sp_result *r) {
  char path[4200];
  struct sp_error error;
  snprintf(path, sizeof path, "%s/a/b/%s", folder, name);
  assert_int_equal(sp_result_write(r, path, &error), SP_OK);
}

static void a_meter_fills_it(void **state) {
  (void)state;
  struct sp_result *r = full_result();
  assert_int_equal(r->outcomes[SP_OUTCOME_OK], 3000);
  assert_int_equal(r->outcomes[SP_OUTCOME_LOST], 7);
  assert_int_equal(r->response.count, 3007);
  assert_int_equal(r->response.max_ns, -1); // the slowest are lost
  assert_int_equal(r->response_ok.count, 3000);
  assert_int_equal(r->response_ok.max_ns, 14990);
  assert_true(r->offered_per_s == 3007.0 / 6 && r->achieved_per_s == 500);
  assert_true(r->completion == 3000.0 / 3007);
  assert_int_equal(r->response.state[SP_P50], SP_PERCENTILE_RESOLVED);
  assert_int_equal(r->response.state[SP_P99_9], SP_PERCENTILE_NO_ANSWER);
  assert_int_equal(r->response_ok.state[SP_P99_9], SP_PERCENTILE_UNRESOLVED);
  assert_false(r->response.driver_limited[SP_P50]); // 0.5 us late of 12.5 us
  assert_true(r->stages[SP_STAGE_PREDICT].mean_ns == 7500 && r->stages[SP_STAGE_SERVER].mean_ns == 4000);
  assert_true(fabs(r->residual_ns) < 1e-6);
  assert_false(sp_result_is_valid(r));
  assert_int_equal(r->predictions.n_examples, SP_RESULT_EXAMPLES);
  assert_true(fabs(sp_result_not_ok_share(r) - 7.0 / 3007) < 1e-12);
  assert_int_equal(sp_result_check_books(r, NULL), SP_OK);
  sp_result_free(r);
}

static void late_sends_mark_a_percentile(void **state) {
  (void)state;
  struct sp_meter *meter = meter_of(6, 500);
  struct sp_histogram lateness;
  struct sp_result *r = sp_result_new();
  sp_histogram_init(&lateness);
  for (int i = 0; i < 3000; i++) sp_histogram_record(&lateness, i < 100 ? 1400 : 100);
  sp_meter_set_lateness(meter, &lateness);
  r->intended = 3000;
  sp_result_from_meter(r, meter);
  assert_false(r->response.driver_limited[SP_P50]);
  assert_false(r->response.driver_limited[SP_P95]);
  assert_false(r->response.driver_limited[SP_P99]); // 1.4 us of 14.95 us
  sp_histogram_reset(&lateness);
  for (int i = 0; i < 3000; i++) sp_histogram_record(&lateness, i < 100 ? 1600 : 100);
  sp_meter_set_lateness(meter, &lateness);
  sp_result_from_meter(r, meter);
  assert_false(r->response.driver_limited[SP_P95]);
  assert_true(r->response.driver_limited[SP_P99]);
  sp_histogram_done(&lateness);
  sp_result_free(r);
  sp_meter_free(meter);
}

static void books_that_do_not_balance_are_named(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_result *r = full_result();
  r->outcomes[SP_OUTCOME_LOST]--;
  assert_int_equal(sp_result_check_books(r, &error), SP_ERR_INTERNAL);
  assert_string_equal(error.text, "the outcomes sum to 3006 of 3007 events intended");
  r->outcomes[SP_OUTCOME_LOST]++;
  r->response.count--;
  assert_int_equal(sp_result_check_books(r, &error), SP_ERR_INTERNAL);
  sp_result_free(r);
}

static void a_closed_loop_has_no_response(void **state) {
  (void)state;
  struct sp_result *r = sp_result_new();
  struct sp_meter *meter = meter_of(6, 100);
  r->closed_loop = true;
  r->intended = 600;
  r->window_s = 6;
  sp_result_from_meter(r, meter);
  char *text = sp_result_json(r);
  json_t *json = json_loads(text, 0, NULL);
  free(text);
  assert_true(json_is_null(json_object_get(json, "response_ns")));
  assert_true(json_is_null(json_object_get(json, "lateness_ns")));
  assert_true(json_is_null(json_object_get(json_object_get(json, "rate_per_s"), "offered")));
  assert_true(json_is_object(json_object_get(json, "service_ns")));
  json_decref(json);
  write_full("closed", r);
  sp_meter_free(meter);
  sp_result_free(r);
}

static void it_reads_back_the_same(void **state) {
  (void)state;
  struct sp_result *r = full_result(), *back = NULL;
  struct sp_error error;
  char path[4200];
  write_full("full", r);
  snprintf(path, sizeof path, "%s/a/b/full/", folder);
  assert_int_equal(sp_result_read(path, &back, &error), SP_OK);
  char *before = sp_result_json(r), *after = sp_result_json(back);
  assert_string_equal(before, after);
  assert_string_equal(back->reasons[0], "poll gap of 30 ms, limit 10 ms");
  assert_string_equal(back->errors[0].text, "connection refused ?");
  assert_true(sp_facts_number_of(&back->load, "seed") == (double)INT64_MAX);
  assert_string_equal(sp_facts_text_of(&back->tags, "branch", ""), "main \"quoted\" µ");
  assert_string_equal(sp_facts_text_of(&back->tags, "absent", "standard"), "standard");
  assert_int_equal(back->bounds[1].met, SP_MET_UNKNOWN);
  assert_string_equal(back->timeline[1].mark, "server stopped");
  assert_int_equal(back->response.percentile_ns[SP_P99_9], -1);
  struct sp_histogram h;
  sp_histogram_init(&h);
  assert_int_equal(sp_histogram_decode(back->response.hdr, &h, &error), SP_OK);
  assert_int_equal(h.n, 3000);
  sp_histogram_done(&h);
  free(before);
  free(after);
  sp_result_free(r);
  sp_result_free(back);
}

static void one_that_has_just_begun_is_marked_incomplete(void **state) {
  (void)state;
  struct sp_result *r = sp_result_new(), *back = NULL;
  struct sp_error error;
  char path[4200];
  write_full("begun", r);
  snprintf(path, sizeof path, "%s/a/b/begun", folder);
  assert_int_equal(sp_result_read(path, &back, &error), SP_OK);
  assert_false(back->complete);
  assert_int_equal(strlen(back->run_id), 32);
  sp_result_free(r);
  sp_result_free(back);
}

static enum sp_err read_text(const char *text, size_t n, struct sp_error *error) {
  char path[4200];
  struct sp_result *back = NULL;
  snprintf(path, sizeof path, "%s/damaged.json", folder);
  FILE *file = fopen(path, "w");
  fwrite(text, 1, n, file);
  fclose(file);
  enum sp_err err = sp_result_read(path, &back, error);
  sp_result_free(back);
  unlink(path);
  return err;
}

static void half_a_file_is_refused(void **state) {
  (void)state;
  struct sp_result *r = full_result();
  struct sp_error error;
  char *text = sp_result_json(r);
  size_t n = strlen(text);
  for (size_t cut = 0; cut < n - 2; cut += 97)
    assert_int_equal(read_text(text, cut, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "damaged.json:"));
  assert_int_equal(read_text(text, n, &error), SP_OK);
  free(text);
  sp_result_free(r);
}

// Each value of the tree replaced by one of another type: refused with a reason, or of no consequence, and never a crash.
static void values_of_other_types_are_refused(void **state) {
  (void)state;
  struct sp_result *r = full_result();
  struct sp_error error;
  char *text = sp_result_json(r);
  json_t *json = json_loads(text, 0, NULL);
  static const char *const names[] = {"complete",    "run_id",    "side",        "command", "window_s",
                                      "validity",    "bounds",    "counts",      "errors",  "rate_per_s",
                                      "response_ns", "stages_ns", "residual_ns", "cpu_s",   "predictions",
                                      "timeline",    "scenario",  "server"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    json_t *kept = json_incref(json_object_get(json, names[i]));
    assert_non_null(kept);
    json_object_set_new(json, names[i], json_pack("[[{si}]]", "x", 1));
    char *altered = json_dumps(json, 0);
    assert_int_equal(read_text(altered, strlen(altered), &error), SP_ERR_ENVIRONMENT);
    free(altered);
    json_object_set_new(json, names[i], kept);
  }
  json_t *counts = json_object_get(json, "counts"), *ok = json_incref(json_object_get(counts, "ok"));
  json_object_set_new(counts, "ok", json_integer(INT64_MAX)); // a sum over shards would overflow
  char *huge = json_dumps(json, 0);
  assert_int_equal(read_text(huge, strlen(huge), &error), SP_ERR_ENVIRONMENT);
  free(huge);
  json_object_set_new(counts, "ok", ok);
  json_object_set_new(json, "a_later_field", json_integer(1));
  json_object_del(json, "drain_s");
  char *later = json_dumps(json, 0);
  assert_int_equal(read_text(later, strlen(later), &error), SP_OK);
  free(later);
  json_object_set_new(json_object_get(json, "response_ns"), "p99", json_string("fast"));
  char *altered = json_dumps(json, 0);
  assert_int_equal(read_text(altered, strlen(altered), &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "p99: whole ns or null is needed"));
  free(altered);
  json_decref(json);
  free(text);
  sp_result_free(r);
}

static void foreign_files_are_refused(void **state) {
  (void)state;
  struct sp_error error;
  static const char *const texts[] = {"",
                                      "{}",
                                      "[]",
                                      "null",
                                      "{\"schema\": \"servepath.result/2\"}",
                                      "{\"schema\": \"servepath.result/1\"}",
                                      "{\"a\": 1, \"a\": 2}",
                                      "\xff\xfe"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(read_text(texts[i], strlen(texts[i]), &error), SP_ERR_ENVIRONMENT);
  }
  struct sp_result *back = NULL;
  assert_int_equal(sp_result_read("/nowhere", &back, &error), SP_ERR_ENVIRONMENT);
  assert_int_equal(sp_result_read("/", &back, &error), SP_ERR_ENVIRONMENT);
  assert_int_equal(sp_result_read("/dev/zero", &back, &error), SP_ERR_ENVIRONMENT);
  assert_null(back);
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
  (void)state;
  struct sp_result *r = sp_result_new();
  struct sp_error error;
  assert_int_equal(sp_result_write(r, "/proc/servepath/x", &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "/proc/servepath"));
  assert_int_equal(sp_result_write(r, "/dev/null/x", &error), SP_ERR_ENVIRONMENT);
  sp_result_free(r);
}

static void the_table_of_percentiles_is_written(void **state) {
  (void)state;
  struct sp_meter *meter = meter_of(1, 10);
  struct stat about;
  char path[4200];
  snprintf(path, sizeof path, "%s/a", folder);
  assert_int_equal(sp_result_write_hgrm(meter, false, path, NULL), SP_OK);
  snprintf(path, sizeof path, "%s/a/latency.hgrm", folder);
  assert_int_equal(stat(path, &about), 0);
  assert_true(about.st_size > 300);
  unlink(path);
  sp_meter_free(meter);
}

static void remove_files(void) {
  static const char *const names[] = {"a/b/full/result.json",
                                      "a/b/closed/result.json",
                                      "a/b/begun/result.json",
                                      "a/b/full",
                                      "a/b/closed",
                                      "a/b/begun",
                                      "a/b",
                                      "a",
                                      ""};
  char path[4300];
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    remove(path); // fails where a temporary file was left: the last assertion
  }
}

// A full disk, as a limit on the size of files: libc writes what is larger than its buffer at once, and forgets that it failed.
static void a_disk_that_is_full_leaves_no_half_result(void **state) {
  (void)state;
  struct sp_result *r = full_result();
  struct sp_error error;
  char path[4200], file[4300];
  snprintf(path, sizeof path, "%s/full", folder);
  snprintf(file, sizeof file, "%s/" SP_RESULT_FILE, path);
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, before.rlim_max});
  enum sp_err err = sp_result_write(r, path, &error);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  sp_result_free(r);
  assert_int_equal(err, SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "File too large"));
  assert_int_equal(access(file, F_OK), -1);
  assert_int_equal(rmdir(path), 0); // nor a temporary file
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_meter_fills_it),
      cmocka_unit_test(late_sends_mark_a_percentile),
      cmocka_unit_test(books_that_do_not_balance_are_named),
      cmocka_unit_test(a_closed_loop_has_no_response),
      cmocka_unit_test(it_reads_back_the_same),
      cmocka_unit_test(one_that_has_just_begun_is_marked_incomplete),
      cmocka_unit_test(half_a_file_is_refused),
      cmocka_unit_test(values_of_other_types_are_refused),
      cmocka_unit_test(foreign_files_are_refused),
      cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
      cmocka_unit_test(the_table_of_percentiles_is_written),
      cmocka_unit_test(a_disk_that_is_full_leaves_no_half_result),
  };
  snprintf(folder, sizeof folder, "%s", argc > 1 ? argv[1] : "/tmp/servepath-result-XXXXXX");
  if (argc < 2 && !mkdtemp(folder)) return 1;
  int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (argc < 2) {
    remove_files();
    if (access(folder, F_OK) == 0) return fprintf(stderr, "%s: something was left behind\n", folder), 1;
  }
  return n_failed;
}
