// The collector's books: outcomes, ranks of events without an answer, states of percentiles, stages, flips.
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "meter/meter.h"

#define S SP_NS_PER_S

// An event intended at `at_ns` that spent 1, 2, 3, 4, 5 and 6 us in its stages up to `encode`, and the rest of its response
// on the way back.
static struct sp_stamps stamps_of(int64_t at_ns, int64_t response_ns) {
  return (struct sp_stamps){.intended_ns = at_ns,
                            .sent_ns = at_ns + 1000,
                            .held_ns = at_ns + 3000,
                            .taken_ns = at_ns + 6000,
                            .dispatched_ns = at_ns + 10000,
                            .answered_ns = at_ns + 15000,
                            .encoded_ns = at_ns + 21000,
                            .done_ns = at_ns + response_ns,
                            .server_ns = -1};
}

static void record(struct sp_meter *meter, enum sp_outcome outcome, int64_t response_ns) {
  struct sp_stamps stamps = stamps_of(S, response_ns);
  sp_meter_record(meter, 0, outcome, &stamps);
}

// n events of one response time in each of the seconds first .. last.
static void fill(struct sp_meter *meter, int64_t first, int64_t last, int n, int64_t response_ns) {
  for (int64_t second = first; second <= last; second++) {
    for (int i = 0; i < n; i++) record(meter, SP_OUTCOME_OK, response_ns);
    sp_meter_flip(meter, NULL, 0, 1, second, 0, NULL);
  }
}

static enum sp_percentile_state state_of(const struct sp_meter *meter, int i, int64_t *value_ns) {
  enum sp_percentile_state state;
  *value_ns = sp_meter_percentile(meter, SP_SERIES_RESPONSE, i, &state);
  return state;
}

static void every_outcome_stands_in_its_series(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  for (int outcome = SP_OUTCOME_OK; outcome <= SP_OUTCOME_ERROR; outcome++)
    record(meter, (enum sp_outcome)outcome, 30000);
  sp_meter_flip(meter, NULL, 0, 1, 0, 9, NULL);
  sp_meter_no_answer(meter, SP_OUTCOME_LOST, 0, 3);
  sp_meter_no_answer(meter, SP_OUTCOME_SHED, 0, 2);
  for (int outcome = SP_OUTCOME_OK; outcome <= SP_OUTCOME_ERROR; outcome++) {
    assert_int_equal(sp_meter_count(meter, (enum sp_outcome)outcome), 1);
  }
  assert_int_equal(sp_meter_series(meter, SP_SERIES_RESPONSE)->n, 5);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_RESPONSE_OK)->n, 2);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_FAILURE)->n, 4);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_SERVICE)->n, 5);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_LATENESS)->n, 9);
  assert_int_equal(sp_meter_n_above(meter, SP_SERIES_RESPONSE), 4 + 3 + 2);
  assert_int_equal(sp_meter_answered_in_window(meter), 3);
  struct sp_error error;
  assert_int_equal(sp_meter_check_books(meter, 14, &error), SP_OK);
  assert_int_equal(sp_meter_check_books(meter, 15, &error), SP_ERR_INTERNAL);
  assert_non_null(strstr(error.text, "15 events intended, 14 outcomes"));
  sp_meter_free(meter);
}

static void books_do_not_balance_before_the_last_flip(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  record(meter, SP_OUTCOME_OK, 30000);
  assert_int_equal(sp_meter_check_books(meter, 1, NULL), SP_ERR_INTERNAL);
  sp_meter_flip(meter, NULL, 0, 1, 0, 1, NULL);
  assert_int_equal(sp_meter_check_books(meter, 1, NULL), SP_OK);
  sp_meter_free(meter);
}

static void events_without_an_answer_rank_above_all_others(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  int64_t value_ns;
  fill(meter, 0, 9, 90, 30000);
  sp_meter_no_answer(meter, SP_OUTCOME_LOST, 4, 100);
  assert_int_equal(state_of(meter, SP_P50, &value_ns),
                   SP_PERCENTILE_EPISODIC); // all that exceeds it lies in one second
  assert_int_equal(value_ns, sp_histogram_slot_highest(sp_histogram_slot_of(30000)));
  assert_int_equal(state_of(meter, SP_P90, &value_ns), SP_PERCENTILE_EPISODIC);
  assert_int_equal(state_of(meter, SP_P95, &value_ns), SP_PERCENTILE_NO_ANSWER);
  assert_int_equal(value_ns, -1);
  assert_int_equal(state_of(meter, SP_P99_99, &value_ns), SP_PERCENTILE_NO_ANSWER);
  sp_meter_free(meter);
}

static void twenty_exceedances_are_needed(void **state) {
  (void)state;
  int64_t value_ns;
  for (int n = 199; n <= 200; n++) {
    struct sp_meter *meter = sp_meter_new();
    fill(meter, 0, 9, 16, 30000);
    fill(meter, 10, 18, 4, 50000);
    fill(meter, 19, 19, n - 196, 50000);
    assert_int_equal(state_of(meter, SP_P90, &value_ns),
                     n == 200 ? SP_PERCENTILE_EPISODIC : SP_PERCENTILE_UNRESOLVED);
    assert_true((value_ns == -1) == (n == 199));
    sp_meter_free(meter);
  }
}

static void exceedances_must_fall_in_five_seconds(void **state) {
  (void)state;
  int64_t value_ns;
  for (int n_seconds = 4; n_seconds <= 5; n_seconds++) {
    struct sp_meter *meter = sp_meter_new();
    fill(meter, 0, 99, 98, 30000);
    fill(meter, 100, 99 + n_seconds, 25, 80000);
    assert_int_equal(state_of(meter, SP_P90, &value_ns),
                     n_seconds == 5 ? SP_PERCENTILE_RESOLVED : SP_PERCENTILE_EPISODIC);
    assert_true(value_ns >= 30000 && value_ns < 30030);
    sp_meter_free(meter);
  }
}

static void a_second_without_answers_holds_exceedances(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  int64_t value_ns;
  fill(meter, 0, 99, 100, 30000);
  for (int second = 10; second < 14; second++) sp_meter_no_answer(meter, SP_OUTCOME_LOST, second, 5);
  assert_int_equal(state_of(meter, SP_P99, &value_ns), SP_PERCENTILE_EPISODIC);
  record(meter, SP_OUTCOME_UNAVAILABLE, 90000);
  sp_meter_flip(meter, NULL, 0, 1, 100, 0, NULL);
  assert_int_equal(state_of(meter, SP_P99, &value_ns), SP_PERCENTILE_RESOLVED);
  sp_meter_free(meter);
}

static void stages_add_up_to_the_response(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  for (int i = 1; i <= 1000; i++) record(meter, SP_OUTCOME_OK, 22000 + 1000 * i);
  sp_meter_flip(meter, NULL, 0, 1, 0, 1000, NULL);
  double sum_ns = 0;
  for (int stage = 0; stage < SP_STAGE_SUMMED; stage++) {
    if (stage < SP_STAGE_OUTBOUND)
      assert_true(sp_meter_stage_mean(meter, (enum sp_stage)stage) == 1000 * (stage + 1));
    sum_ns += sp_meter_stage_mean(meter, (enum sp_stage)stage);
  }
  assert_true(fabs(sum_ns - sp_histogram_mean(sp_meter_series(meter, SP_SERIES_RESPONSE))) < 1e-3);
  assert_true(fabs(sp_meter_residual_mean(meter)) < 1e-3);
  assert_true(isnan(sp_meter_stage_mean(meter, SP_STAGE_SERVER)));
  assert_int_equal(sp_meter_series(meter, SP_SERIES_STAGES + SP_STAGE_SERVER)->n, 0);
  // The slowest: 990 .. 1000, whose time is all in `outbound`: 1000 x i + 1000.
  assert_true(sp_meter_stage_mean_above_p99(meter, SP_STAGE_PREDICT) == 5000);
  assert_true(fabs(sp_meter_stage_mean_above_p99(meter, SP_STAGE_OUTBOUND) - 996000) < 1000);
  sp_meter_free(meter);
}

static void a_stage_that_did_not_happen_is_residual(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_stamps stamps = stamps_of(S, 30000);
  stamps.dispatched_ns = stamps.answered_ns = 0; // a malformed event: decode failed
  sp_meter_record(meter, 0, SP_OUTCOME_MALFORMED, &stamps);
  sp_meter_flip(meter, NULL, 0, 1, 0, 1, NULL);
  assert_true(sp_meter_residual_mean(meter) == 4000 + 5000 + 6000);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_SERVICE)->n, 0);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_STAGES + SP_STAGE_DECODE)->n, 0);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_STAGES + SP_STAGE_QUEUE)->n, 1);
  sp_meter_free(meter);
}

// From another machine come durations only: there and back are one stage, and the sum still holds.
static void on_another_clock_there_and_back_are_one_stage(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_stamps stamps = {.intended_ns = S,
                             .sent_ns = S + 1000,
                             .taken_ns = 3000, // since it was held
                             .dispatched_ns = 7000,
                             .answered_ns = 12000,
                             .encoded_ns = 18000,
                             .done_ns = S + 100000,
                             .server_ns = -1};
  sp_meter_record(meter, 0, SP_OUTCOME_OK, &stamps);
  sp_meter_flip(meter, NULL, 0, 1, 0, 1, NULL);
  static const struct {
    enum sp_stage stage;
    double ns;
  } wanted[] = {{SP_STAGE_LATENESS, 1000}, {SP_STAGE_QUEUE, 3000},  {SP_STAGE_DECODE, 4000},
                {SP_STAGE_PREDICT, 5000},  {SP_STAGE_ENCODE, 6000}, {SP_STAGE_TRANSIT, 81000}};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
    assert_true(sp_meter_stage_mean(meter, wanted[i].stage) == wanted[i].ns);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_STAGES + SP_STAGE_INBOUND)->n, 0);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_STAGES + SP_STAGE_OUTBOUND)->n, 0);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_SERVICE)->n,
                   0); // nobody knows when it was dispatched here
  assert_true(sp_meter_residual_mean(meter) == 0);
  sp_meter_free(meter);
}

static void the_servers_own_time_splits_predict(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_stamps stamps = stamps_of(S, 30000);
  sp_meter_record(meter, 0, SP_OUTCOME_OK, &stamps);
  stamps.server_ns = 2000;
  sp_meter_record(meter, 1, SP_OUTCOME_OK, &stamps);
  stamps.server_ns = 5001; // longer than the call
  sp_meter_record(meter, 2, SP_OUTCOME_OK, &stamps);
  sp_meter_flip(meter, NULL, 0, 1, 0, 3, NULL);
  assert_true(sp_meter_stage_mean(meter, SP_STAGE_SERVER) == 2000);
  assert_true(sp_meter_stage_mean(meter, SP_STAGE_RPC_OTHER) == 3000);
  assert_true(sp_meter_stage_mean(meter, SP_STAGE_PREDICT) == 5000);
  assert_true(sp_meter_residual_mean(meter) == 0);
  sp_meter_free(meter);
}

static void the_timeline_sees_warm_up_and_backlog(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_stamps stamps = stamps_of(S, 40000);
  struct sp_second row;
  sp_meter_window(meter, S + 35000, 2 * S);
  for (int i = 0; i < 7; i++) sp_meter_record_warmup(meter, SP_OUTCOME_OK, &stamps);
  sp_meter_record_warmup(meter, SP_OUTCOME_UNAVAILABLE, &stamps);
  sp_meter_flip(meter, NULL, 0, 1, -1, 10, &row);
  assert_int_equal(row.second, -1);
  assert_int_equal(row.n_sent, 10);
  assert_int_equal(row.n_done, 8);
  assert_int_equal(row.n_not_ok, 1);
  assert_int_equal(row.backlog, 2);
  assert_int_equal(row.max_ns, 40000);
  record(meter, SP_OUTCOME_OK, 30000); // done before the window began
  sp_meter_flip(meter, NULL, 0, 1, 0, 11, &row);
  assert_int_equal(row.n_sent, 1);
  assert_int_equal(row.backlog, 2);
  assert_true(row.p50_ns >= 30000 && row.p99_ns < 30030);
  sp_meter_flip(meter, NULL, 0, 1, 1, 11, &row);
  assert_int_equal(row.p50_ns, -1);
  assert_int_equal(row.max_ns, -1);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_RESPONSE)->n, 1);
  assert_int_equal(sp_meter_answered_in_window(meter), 7);
  assert_int_equal(sp_meter_check_books(meter, 1, NULL), SP_OK);
  sp_meter_free(meter);
}

static void the_pacers_lateness_takes_the_place_of_the_collectors(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_histogram lateness;
  sp_histogram_init(&lateness);
  for (int i = 0; i < 3; i++) sp_histogram_record(&lateness, 77);
  record(meter, SP_OUTCOME_OK, 30000);
  sp_meter_flip(meter, NULL, 0, 1, 0, 3, NULL);
  sp_meter_set_lateness(meter, &lateness);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_LATENESS)->n, 3);
  assert_int_equal(sp_meter_series(meter, SP_SERIES_LATENESS)->max_ns, 77);
  sp_histogram_done(&lateness);
  sp_meter_free(meter);
}

static void flags_are_not_outcomes(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  sp_meter_flag(meter, SP_FLAG_DUPLICATE);
  sp_meter_flag(meter, SP_FLAG_DUPLICATE);
  sp_meter_flag(meter, SP_FLAG_ALIEN);
  assert_int_equal(sp_meter_flag_count(meter, SP_FLAG_DUPLICATE), 2);
  assert_int_equal(sp_meter_flag_count(meter, SP_FLAG_ALIEN), 1);
  assert_int_equal(sp_meter_flag_count(meter, SP_FLAG_LATE), 0);
  assert_int_equal(sp_meter_check_books(meter, 0, NULL), SP_OK);
  sp_meter_free(meter);
}

static void errors_are_grouped_and_bounded(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  char text[400];
  size_t n;
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  sp_meter_error(meter, SP_OUTCOME_ERROR, 13, text, 5);
  sp_meter_error(meter, SP_OUTCOME_ERROR, 13, text, 6);
  sp_meter_error(meter, SP_OUTCOME_UNAVAILABLE, 14, "a\x1b[31mb\n", 7);
  for (int i = 0; i < 100; i++) {
    snprintf(text, sizeof text, "reason %d", i);
    sp_meter_error(meter, SP_OUTCOME_MALFORMED, 0, text, 100 + (uint64_t)i);
  }
  const struct sp_error_group *groups = sp_meter_errors(meter, &n);
  assert_int_equal(n, SP_METER_ERROR_GROUPS + 1);
  assert_int_equal(groups[0].count, 2);
  assert_int_equal(groups[0].first_event, 5);
  assert_int_equal(strlen(groups[0].text), sizeof groups[0].text - 1);
  assert_string_equal(groups[1].text, "a?[31mb?");
  assert_string_equal(groups[n - 1].text, "other");
  assert_int_equal(groups[n - 1].count, 100 - (SP_METER_ERROR_GROUPS - 2));
  int64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += groups[i].count;
  assert_int_equal(sum, 103);
  sp_meter_free(meter);
}

#define N_RACED 300000

static void *write_events(void *context) {
  struct sp_meter *meter = context;
  for (int i = 0; i < N_RACED; i++)
    record(meter, i % 3 ? SP_OUTCOME_OK : SP_OUTCOME_MISMATCH, 30000 + i % 1000);
  return NULL;
}

static void flips_lose_nothing_while_the_writer_writes(void **state) {
  (void)state;
  struct sp_meter *meter = sp_meter_new();
  struct sp_second row = {0};
  pthread_t writer;
  int64_t n_done = 0;
  assert_int_equal(pthread_create(&writer, NULL, write_events, meter), 0);
  for (int64_t second = 0; n_done < N_RACED; second++) {
    sp_meter_flip(meter, NULL, 0, 1, second, N_RACED, &row);
    n_done += row.n_done;
  }
  pthread_join(writer, NULL);
  assert_int_equal(row.backlog, 0);
  assert_int_equal(n_done, N_RACED);
  assert_int_equal(sp_meter_check_books(meter, N_RACED, NULL), SP_OK);
  assert_int_equal(sp_meter_count(meter, SP_OUTCOME_MISMATCH), N_RACED / 3);
  sp_meter_free(meter);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_outcome_stands_in_its_series),
      cmocka_unit_test(books_do_not_balance_before_the_last_flip),
      cmocka_unit_test(events_without_an_answer_rank_above_all_others),
      cmocka_unit_test(twenty_exceedances_are_needed),
      cmocka_unit_test(exceedances_must_fall_in_five_seconds),
      cmocka_unit_test(a_second_without_answers_holds_exceedances),
      cmocka_unit_test(stages_add_up_to_the_response),
      cmocka_unit_test(a_stage_that_did_not_happen_is_residual),
      cmocka_unit_test(on_another_clock_there_and_back_are_one_stage),
      cmocka_unit_test(the_servers_own_time_splits_predict),
      cmocka_unit_test(the_timeline_sees_warm_up_and_backlog),
      cmocka_unit_test(the_pacers_lateness_takes_the_place_of_the_collectors),
      cmocka_unit_test(flags_are_not_outcomes),
      cmocka_unit_test(errors_are_grouped_and_bounded),
      cmocka_unit_test(flips_lose_nothing_while_the_writer_writes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
