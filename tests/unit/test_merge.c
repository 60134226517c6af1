// Shards merged: the same file of percentiles, byte for byte, and the same counts as one run of everything; sets that are no
// whole are refused. With a decompressed events.csv and a folder as arguments it splits that run instead
// (tests/e2e/merge.sh).
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/prng.h"
#include "result/merge.h"

#define N_SHARDS  4
#define N_SECONDS 6
#define N_EVENTS  6000

static char folder[4000];

struct event {
  uint64_t id;
  enum sp_outcome outcome;
  struct sp_stamps stamps;
};
static struct event *events;
static size_t n_events;

static void make_events(void) {
  struct sp_prng prng;
  sp_prng_init(&prng, 7, SP_PRNG_TEST);
  events = sp_alloc(N_EVENTS * sizeof *events);
  for (n_events = 0; n_events < N_EVENTS; n_events++) {
    int64_t at_ns = SP_NS_PER_S + (int64_t)n_events * (N_SECONDS * SP_NS_PER_S / N_EVENTS);
    int64_t predict_ns = 20000 + (int64_t)(sp_prng_next(&prng) % 3000000);
    enum sp_outcome outcome = n_events % 500 == 17   ? SP_OUTCOME_UNAVAILABLE
                              : n_events % 300 == 11 ? SP_OUTCOME_LOST
                                                     : SP_OUTCOME_OK;
    events[n_events] =
        (struct event){n_events,
                       outcome,
                       {at_ns, at_ns + 300, at_ns + 300, at_ns + 900, at_ns + 2000, at_ns + 2000 + predict_ns,
                        at_ns + 3000 + predict_ns, at_ns + 9000 + predict_ns, -1}};
  }
}

// One result folder of the events whose id leaves `rest` when divided by n_parts.
static void write_part(const char *to, size_t n_parts, size_t rest, const char *shard, double window_s) {
  struct sp_error error;
  struct sp_meter *meter = sp_meter_new();
  struct sp_hlog *log;
  struct sp_result *r = sp_result_new();
  char *log_file = sp_format("%s/latency.hlog", to);
  r->side = sp_copy_text("embedded");
  r->complete = true;
  r->window_s = window_s;
  assert_int_equal(sp_result_write(r, to, &error), SP_OK);
  assert_int_equal(sp_hlog_open(log_file, 0, &log, &error), SP_OK);
  int64_t n_sent = 0;
  size_t i = 0;
  for (int64_t second = 0; i < n_events; second++) {
    for (; i < n_events && events[i].stamps.intended_ns < (second + 2) * SP_NS_PER_S; i++) {
      if (events[i].id % n_parts != rest) continue;
      r->intended++;
      n_sent++;
      if (events[i].outcome == SP_OUTCOME_LOST) {
        sp_meter_no_answer(meter, SP_OUTCOME_LOST, second, 1);
        continue;
      }
      sp_meter_record(meter, events[i].id, events[i].outcome, &events[i].stamps);
      if (events[i].outcome != SP_OUTCOME_OK)
        sp_meter_error(meter, events[i].outcome, 14, "gone", events[i].id);
    }
    struct sp_second row;
    sp_meter_flip(meter, log, (double)second, 1, second, n_sent, &row);
    sp_result_second(r, &row, rest == 1 && second == 2 ? "app 2 joined" : NULL);
  }
  sp_result_from_meter(r, meter);
  sp_facts_text(&r->load, "shard", shard);
  sp_facts_text(&r->recording, "digest", "xxh128:1");
  sp_facts_count(&r->load, "warmup_ns", 0);
  sp_amounts_set(&r->cpu_s, "driver", 1);
  sp_amounts_set(&r->cpu_s, "app", 2);
  sp_result_bound(r, "expect.p50", 1e7, (double)r->response.percentile_ns[SP_P50], SP_MET_YES);
  assert_int_equal(sp_hlog_close(log, &error), SP_OK);
  assert_int_equal(sp_result_write_hgrm(meter, false, to, &error), SP_OK);
  assert_int_equal(sp_result_write(r, to, &error), SP_OK);
  sp_meter_free(meter);
  sp_result_free(r);
  free(log_file);
}

static char *part(size_t i) {
  return sp_format("%s/part%zu", folder, i);
}

static void split(void) {
  char *whole = sp_format("%s/whole", folder);
  write_part(whole, 1, 0, "", N_SECONDS);
  for (size_t i = 0; i < N_SHARDS; i++) {
    char *to = part(i), *shard = sp_format("%zu/%d", i + 1, N_SHARDS);
    write_part(to, N_SHARDS, i, shard, N_SECONDS);
    free(to);
    free(shard);
  }
  free(whole);
}

static char *text_of(const char *name, const char *file) {
  char *path = sp_format("%s/%s/%s", folder, name, file), *text = sp_alloc(1 << 20);
  FILE *from = fopen(path, "r");
  assert_non_null(from);
  text[fread(text, 1, (1 << 20) - 1, from)] = '\0';
  fclose(from);
  free(path);
  return text;
}

static enum sp_err merge(size_t n, const size_t *order, struct sp_result **merged, struct sp_error *error) {
  char *folders[8], *out = sp_format("%s/merged", folder), *command[] = {"merge"};
  for (size_t i = 0; i < n; i++) folders[i] = part(order[i]);
  enum sp_err err = sp_result_merge((const char *const *)folders, n, out, 1, command, merged, error);
  for (size_t i = 0; i < n; i++) free(folders[i]);
  free(out);
  return err;
}

static void check_against_whole(void) {
  const size_t order[] = {2, 0, 3, 1};
  struct sp_result *merged, *whole;
  struct sp_error error;
  char *path = sp_format("%s/whole", folder);
  if (merge(N_SHARDS, order, &merged, &error)) fail_msg("%s", error.text);
  assert_int_equal(sp_result_read(path, &whole, &error), SP_OK);
  char *a = text_of("merged", "latency.hgrm"), *b = text_of("whole", "latency.hgrm");
  assert_string_equal(a, b);
  assert_true(strlen(a) > 500);
  assert_int_equal(merged->intended, whole->intended);
  assert_memory_equal(merged->outcomes, whole->outcomes, sizeof whole->outcomes);
  for (int i = 0; i < SP_PERCENTILES; i++) {
    assert_int_equal(merged->response.percentile_ns[i], whole->response.percentile_ns[i]);
    assert_int_equal(merged->response.state[i], whole->response.state[i]);
  }
  assert_string_equal(merged->response.hdr, whole->response.hdr);
  assert_true(fabs(merged->response.mean_ns - whole->response.mean_ns) < 1);
  assert_true(fabs(merged->stages[SP_STAGE_PREDICT].mean_ns - whole->stages[SP_STAGE_PREDICT].mean_ns) < 1);
  assert_int_equal(merged->n_timeline, whole->n_timeline);
  assert_int_equal(merged->timeline[1].figures.n_done, whole->timeline[1].figures.n_done);
  assert_true(fabs(merged->completion - whole->completion) < 1e-9);
  free(a);
  free(b);
  free(path);
  sp_result_free(merged);
  sp_result_free(whole);
}

static void test_four_shards_are_one_run(void **state) {
  (void)state;
  split();
  check_against_whole();
}

static void test_what_is_shared_is_counted_once(void **state) {
  (void)state;
  const size_t order[] = {0, 1, 2, 3};
  struct sp_result *merged;
  struct sp_error error;
  split();
  assert_int_equal(merge(N_SHARDS, order, &merged, &error), SP_OK);
  assert_float_equal(sp_amounts_get(&merged->cpu_s, "driver"), 4, 1e-9);
  assert_float_equal(sp_amounts_get(&merged->cpu_s, "app"), 2, 1e-9);
  assert_string_equal(merged->timeline[2].mark, "app 2 joined");
  assert_int_equal(merged->n_errors, 1);
  assert_int_equal(merged->errors[0].count, merged->outcomes[SP_OUTCOME_UNAVAILABLE]);
  assert_true(sp_result_is_valid(merged));
  assert_int_equal(merged->bounds[0].met, SP_MET_YES);
  assert_true(sp_amounts_get(&merged->cpu_us_per_event, "total") > 0);
  sp_result_free(merged);
}

// Without the server's share the sum would be taken for that of both.
static void test_a_server_that_nobody_accounts_for_leaves_no_total(void **state) {
  (void)state;
  const size_t order[] = {0, 1, 2, 3};
  struct sp_result *shard, *merged;
  struct sp_error error;
  split();
  for (size_t i = 0; i < N_SHARDS; i++) {
    char *to = part(i);
    assert_int_equal(sp_result_read(to, &shard, &error), SP_OK);
    free(shard->path);
    shard->path = sp_copy_text("rpc");
    assert_int_equal(sp_result_write(shard, to, &error), SP_OK);
    sp_result_free(shard);
    free(to);
  }
  assert_int_equal(merge(N_SHARDS, order, &merged, &error), SP_OK);
  assert_true(sp_amounts_get(&merged->cpu_us_per_event, "app") > 0);
  assert_true(isnan(sp_amounts_get(&merged->cpu_us_per_event, "total")));
  sp_result_free(merged);
}

// The application shares a machine with the first driver; by the clocks of the others there are no service times.
static void test_shards_of_two_hosts_weigh_alike(void **state) {
  (void)state;
  const size_t order[] = {0, 1, 2, 3};
  struct sp_result *shard, *merged, *whole;
  struct sp_error error;
  split();
  for (size_t i = 0; i < N_SHARDS; i++) {
    char *to = part(i);
    assert_int_equal(sp_result_read(to, &shard, &error), SP_OK);
    if (i > 0) shard->service.count = 0;
    if (i > 0) shard->stages[SP_STAGE_PREDICT].mean_ns = 5e6;
    sp_facts_text(&shard->broker, "kind", "mock");
    sp_facts_count(&shard->broker, "dropped", 0);
    sp_facts_count(&shard->delivery, "driver_acknowledged", 100);
    shard->bounds[0].met = SP_MET_UNKNOWN;
    shard->response.state[SP_P50] = SP_PERCENTILE_UNRESOLVED;
    assert_int_equal(sp_result_write(shard, to, &error), SP_OK);
    sp_result_free(shard);
    free(to);
  }
  char *path = sp_format("%s/whole", folder);
  assert_int_equal(sp_result_read(path, &whole, &error), SP_OK);
  assert_int_equal(merge(N_SHARDS, order, &merged, &error), SP_OK);
  double n = (double)whole->service.count;
  assert_true(fabs(sp_amounts_get(&merged->cpu_us_per_event, "app") - 2e6 / n) < 1);
  assert_true(merged->stages[SP_STAGE_PREDICT].mean_ns > 4e6);
  assert_int_equal(sp_facts_number_of(&merged->delivery, "driver_acknowledged"), 400);
  assert_int_equal(merged->bounds[0].met,
                   SP_MET_UNKNOWN); // a mock's latency is no latency, however many answers
  free(path);
  sp_result_free(whole);
  sp_result_free(merged);
}

static void refused(size_t n, const size_t *order, const char *why) {
  struct sp_result *merged;
  struct sp_error error;
  assert_int_equal(merge(n, order, &merged, &error), SP_ERR_USAGE);
  if (!strstr(error.text, why)) fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

// The whole in the place of a part would be the end of that part.
static void test_a_shard_is_not_written_over(void **state) {
  (void)state;
  split();
  char *folders[] = {part(0), part(1), part(2), part(3)}, *command[] = {"merge"};
  char *out = sp_format("%s/../part2", folders[2]);
  struct sp_result *merged;
  struct sp_error error;
  assert_int_equal(sp_result_merge((const char *const *)folders, 4, out, 1, command, &merged, &error),
                   SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "part2 is one of the shards"));
  free(out);
  for (size_t i = 0; i < 4; i++) free(folders[i]);
}

static void test_no_whole_is_refused(void **state) {
  (void)state;
  split();
  refused(3, (const size_t[]){0, 1, 3}, "shard 3 of 4 is missing");
  refused(4, (const size_t[]){0, 1, 2, 2}, "both shard 3 of 4");
  char *third = part(2);
  write_part(third, N_SHARDS, 2, "3/4", N_SECONDS * 1.02);
  refused(4, (const size_t[]){0, 1, 2, 3}, "differ by over 1 %");
  write_part(third, N_SHARDS, 2, "3/5", N_SECONDS);
  refused(4, (const size_t[]){0, 1, 2, 3}, "one of 5");
  write_part(third, N_SHARDS, 2, "", N_SECONDS);
  refused(4, (const size_t[]){0, 1, 2, 3}, "is no shard");
  write_part(third, N_SHARDS, 2, "3/4", N_SECONDS);
  struct sp_result *shard;
  struct sp_error error;
  assert_int_equal(sp_result_read(third, &shard, &error), SP_OK);
  sp_facts_count(&shard->broker, "partitions", 5);
  assert_int_equal(sp_result_write(shard, third, &error), SP_OK);
  sp_result_free(shard);
  refused(4, (const size_t[]){0, 1, 2, 3}, "partitions differs");
  free(third);
}

static void test_an_invalid_shard_makes_the_whole_invalid(void **state) {
  (void)state;
  struct sp_result *shard, *merged;
  struct sp_error error;
  split();
  char *second = part(1);
  assert_int_equal(sp_result_read(second, &shard, &error), SP_OK);
  sp_result_check(shard, "late_share", 0.2, 0.01, false, "events sent late: 0.2, limit 0.01", NULL);
  assert_int_equal(sp_result_write(shard, second, &error), SP_OK);
  assert_int_equal(merge(4, (const size_t[]){0, 1, 2, 3}, &merged, &error), SP_OK);
  assert_false(sp_result_is_valid(merged));
  assert_string_equal(merged->reasons[0], "shard 2/4: events sent late: 0.2, limit 0.01");
  sp_result_free(shard);
  sp_result_free(merged);
  free(second);
}

// event,outcome,intended_ns,sent_ns,held_ns,taken_ns,dispatched_ns,answered_ns,encoded_ns,done_ns,server_ns
static bool read_row(char *line, struct event *event) {
  char *fields[11];
  for (int i = 0; i < 11; i++) {
    fields[i] = strsep(&line, ",\n");
    if (!fields[i]) return false;
  }
  int64_t at_ns[9];
  for (int i = 0; i < 9; i++) at_ns[i] = *fields[i + 2] ? strtoll(fields[i + 2], NULL, 10) + SP_NS_PER_S : 0;
  *event = (struct event){.id = strtoull(fields[0], NULL, 10),
                          .stamps = {at_ns[0], at_ns[1], at_ns[2], at_ns[3], at_ns[4], at_ns[5], at_ns[6],
                                     at_ns[7], *fields[10] ? at_ns[8] - SP_NS_PER_S : -1}};
  for (int i = 0; i < SP_OUTCOME_COUNT; i++) {
    if (strcmp(fields[1], sp_outcome_name((enum sp_outcome)i)) == 0) event->outcome = (enum sp_outcome)i;
  }
  return event->outcome != SP_OUTCOME_NONE;
}

static int by_intended(const void *a, const void *b) {
  const struct event *x = a, *y = b;
  return (x->stamps.intended_ns > y->stamps.intended_ns) - (x->stamps.intended_ns < y->stamps.intended_ns);
}

// A real run's rows in place of made ones; its own latency.hgrm must come out of the four merged parts.
static int split_run(const char *csv) {
  char line[512];
  FILE *file = fopen(csv, "r");
  if (!file || !fgets(line, sizeof line, file)) return 3;
  while (fgets(line, sizeof line, file)) {
    events = sp_realloc(events, (n_events + 1) * sizeof *events);
    if (!read_row(line, &events[n_events])) return 1;
    n_events++;
  }
  fclose(file);
  qsort(events, n_events, sizeof *events, by_intended);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_four_shards_are_one_run)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv) {
  char made[] = "/tmp/servepath-merge-XXXXXX";
  if (argc == 3) {
    snprintf(folder, sizeof folder, "%s", argv[2]);
    return split_run(argv[1]);
  }
  snprintf(folder, sizeof folder, "%s", mkdtemp(made) ? made : ".");
  make_events();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_four_shards_are_one_run),
      cmocka_unit_test(test_what_is_shared_is_counted_once),
      cmocka_unit_test(test_a_server_that_nobody_accounts_for_leaves_no_total),
      cmocka_unit_test(test_shards_of_two_hosts_weigh_alike),
      cmocka_unit_test(test_a_shard_is_not_written_over),
      cmocka_unit_test(test_no_whole_is_refused),
      cmocka_unit_test(test_an_invalid_shard_makes_the_whole_invalid),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(events);
  char *remove_all = sp_format("rm -rf %s", folder);
  if (system(remove_all)) failed++;
  free(remove_all);
  return failed;
}
