// The collector: one stamp for all that a receive brought, each answer to its event's plan, everything booked once.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "replay/collector.h"
#include "stream/direct.h"

#define MS       SP_NS_PER_MS
#define ORIGIN   (100 * SP_NS_PER_S)
#define N_EVENTS 1000

struct stand {
  int64_t now_ns;
  struct sp_clock clock;
  int64_t intended_ns[N_EVENTS];
  struct sp_schedule schedule;
  struct sp_event event;
  struct sp_recording recording;
  struct sp_direct *direct;
  struct sp_stream stream;
  struct sp_tally tally;
  struct sp_event_states states;
  struct sp_key_order order;
  struct sp_checker checker;
  struct sp_gate done_gate;
  struct sp_collector collector;
};

// Events every ms, the first ten of them warm-up; all of them sent.
static void stand_open(struct stand *stand) {
  memset(stand, 0, sizeof *stand);
  stand->now_ns = ORIGIN;
  stand->clock.virtual_ns = &stand->now_ns;
  for (int64_t i = 0; i < N_EVENTS; i++) stand->intended_ns[i] = i * MS;
  stand->schedule = (struct sp_schedule){.n_events = N_EVENTS,
                                         .n_warmup = 10,
                                         .intended_ns = stand->intended_ns,
                                         .t0_ns = 10 * MS,
                                         .t1_ns = N_EVENTS * MS};
  stand->recording = (struct sp_recording){.n_events = 1, .events = &stand->event};
  stand->direct = sp_direct_new(16, 0, SP_WAIT_PARK, &stand->stream);
  sp_event_states_init(&stand->states, N_EVENTS, false);
  for (size_t i = 0; i < N_EVENTS; i++) sp_event_state_set_sent(&stand->states, i);
  sp_key_order_init(&stand->order, &stand->recording);
  struct sp_collector *collector = &stand->collector;
  collector->clock = &stand->clock;
  collector->schedule = &stand->schedule;
  collector->stream = &stand->stream;
  collector->tally = &stand->tally;
  collector->states = &stand->states;
  collector->order = &stand->order;
  collector->checker = &stand->checker;
  collector->meter = sp_meter_new();
  collector->done_gate = &stand->done_gate;
  collector->origin_ns = ORIGIN;
}

static void stand_close(struct stand *stand) {
  sp_meter_free(stand->collector.meter);
  sp_key_order_done(&stand->order);
  sp_event_states_done(&stand->states);
  sp_direct_free(stand->direct);
}

// As an application that stamps 1, 2, ... ms after the plan, and whose copy of the plan is of no account.
static void answer(struct stand *stand, uint64_t id, enum sp_outcome outcome, const char *text) {
  struct sp_reply *reply = sp_stream_reply_claim(&stand->stream);
  int64_t at_ns = ORIGIN + (int64_t)(id % N_EVENTS) * MS;
  *reply = (struct sp_reply){.id = id,
                             .intended_ns = 77,
                             .sent_ns = at_ns + 1 * MS,
                             .held_ns = at_ns + 2 * MS,
                             .taken_ns = at_ns + 3 * MS,
                             .dispatched_ns = at_ns + 4 * MS,
                             .answered_ns = at_ns + 5 * MS,
                             .encoded_ns = at_ns + 6 * MS,
                             .server_ns = -1,
                             .outcome = outcome};
  strncpy(reply->text, text, sizeof reply->text - 1);
  sp_stream_reply_commit(&stand->stream, reply);
}

static void flip(struct stand *stand) {
  sp_meter_flip(stand->collector.meter, NULL, 0, 1, 0, N_EVENTS, NULL);
}

static int64_t count(const struct stand *stand, enum sp_outcome outcome) {
  assert_int_equal(sp_tally_get(&stand->tally.outcomes[outcome]),
                   sp_meter_count(stand->collector.meter, outcome));
  return sp_meter_count(stand->collector.meter, outcome);
}

static void test_nothing_came(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  assert_int_equal(sp_collector_step(&stand.collector, 0), 0);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), 0);
  stand_close(&stand);
}

static void test_one_stamp_for_a_receive(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  for (uint64_t id = 10; id < 20; id++) answer(&stand, id, SP_OUTCOME_NONE, "");
  stand.now_ns = ORIGIN + 30 * MS;
  assert_int_equal(sp_collector_step(&stand.collector, 0), 10);
  flip(&stand);
  const struct sp_histogram *response = sp_meter_series(stand.collector.meter, SP_SERIES_RESPONSE);
  assert_int_equal(response->n, 10);
  assert_int_equal(response->max_ns, 20 * MS); // from the schedule's instant, not from the reply's
  assert_int_equal(response->min_ns, 11 * MS);
  assert_int_equal(sp_meter_series(stand.collector.meter, SP_SERIES_SERVICE)->max_ns, 16 * MS);
  for (int stage = SP_STAGE_LATENESS; stage <= SP_STAGE_ENCODE; stage++) {
    assert_true(sp_meter_stage_mean(stand.collector.meter, (enum sp_stage)stage) == 1e6);
  }
  assert_true(sp_meter_stage_mean(stand.collector.meter, SP_STAGE_OUTBOUND) == 9.5e6);
  assert_int_equal(count(&stand, SP_OUTCOME_UNCHECKED), 10);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), 10);
  stand_close(&stand);
}

static void test_many_answers_take_several_receives(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  for (uint64_t id = 0; id < N_EVENTS; id++) answer(&stand, id, SP_OUTCOME_NONE, "");
  stand.now_ns = ORIGIN + N_EVENTS * MS;
  size_t n = 0;
  for (size_t got; (got = sp_collector_step(&stand.collector, 0)) > 0;) n += got;
  assert_int_equal(n, N_EVENTS);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), N_EVENTS);
  assert_int_equal(count(&stand, SP_OUTCOME_UNCHECKED),
                   N_EVENTS - 10); // the warm-up has no outcome in the window
  stand_close(&stand);
}

static void test_failures_are_grouped_with_their_reason(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  answer(&stand, 5, SP_OUTCOME_ERROR, "in the warm-up");
  answer(&stand, 20, SP_OUTCOME_UNAVAILABLE, "refused");
  answer(&stand, 21, SP_OUTCOME_UNAVAILABLE, "refused");
  answer(&stand, 22, SP_OUTCOME_MALFORMED, "column x: not a number");
  answer(&stand, 23, SP_OUTCOME_FILTERED, "");
  sp_collector_step(&stand.collector, 0);
  assert_int_equal(count(&stand, SP_OUTCOME_UNAVAILABLE), 2);
  assert_int_equal(count(&stand, SP_OUTCOME_MALFORMED), 1);
  assert_int_equal(count(&stand, SP_OUTCOME_FILTERED), 1);
  assert_int_equal(count(&stand, SP_OUTCOME_ERROR), 0);
  assert_int_equal(sp_tally_get(&stand.tally.n_not_ok), 3);
  size_t n;
  const struct sp_error_group *errors = sp_meter_errors(stand.collector.meter, &n);
  assert_int_equal(n, 2);
  assert_string_equal(errors[0].text, "refused");
  assert_int_equal(errors[0].count, 2);
  assert_int_equal(errors[0].first_event, 20);
  assert_string_equal(errors[1].text, "column x: not a number");
  stand_close(&stand);
}

static void test_second_answers_and_strangers(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  sp_event_state_set(&stand.states, 30, SP_OUTCOME_SHED);
  sp_event_state_set(&stand.states, 31, SP_OUTCOME_NONE); // not sent
  answer(&stand, 20, SP_OUTCOME_NONE, "");
  answer(&stand, 20, SP_OUTCOME_ERROR, "too late to matter");
  answer(&stand, 30, SP_OUTCOME_NONE, "");
  answer(&stand, 31, SP_OUTCOME_NONE, "");
  answer(&stand, N_EVENTS, SP_OUTCOME_NONE, "");
  assert_int_equal(sp_collector_step(&stand.collector, 0), 5);
  assert_int_equal(sp_meter_flag_count(stand.collector.meter, SP_FLAG_DUPLICATE), 1);
  assert_int_equal(sp_meter_flag_count(stand.collector.meter, SP_FLAG_ALIEN), 3);
  assert_int_equal(count(&stand, SP_OUTCOME_UNCHECKED), 1);
  assert_int_equal(count(&stand, SP_OUTCOME_ERROR), 0);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), 1);
  assert_int_equal(sp_event_state(&stand.states, 30), SP_OUTCOME_SHED);
  stand_close(&stand);
}

// In a closed loop an event is intended when it is sent: the reply's own stamp is all there is.
static void test_closed_loop_has_no_plan(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  stand.schedule.intended_ns = NULL;
  for (int i = 0; i < 2; i++) {
    struct sp_reply *reply = sp_stream_reply_claim(&stand.stream);
    int64_t sent_ns = ORIGIN + 9 * MS + i * MS; // one before t0, one at it
    *reply =
        (struct sp_reply){.id = (uint64_t)i, .intended_ns = sent_ns, .sent_ns = sent_ns, .server_ns = -1};
    sp_stream_reply_commit(&stand.stream, reply);
  }
  stand.now_ns = ORIGIN + 12 * MS;
  sp_collector_step(&stand.collector, 0);
  flip(&stand);
  assert_int_equal(sp_meter_series(stand.collector.meter, SP_SERIES_RESPONSE)->n, 1);
  assert_int_equal(sp_meter_series(stand.collector.meter, SP_SERIES_RESPONSE)->max_ns, 2 * MS);
  stand_close(&stand);
}

// The driver's own slowness: from one receive to the next while answers come, not while nothing happens.
static void test_gap_between_receives(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  stand.now_ns += 500 * MS;
  sp_collector_step(&stand.collector, 0);
  answer(&stand, 20, SP_OUTCOME_NONE, "");
  sp_collector_step(&stand.collector, 0);
  assert_int_equal(stand.collector.max_gap_ns, 0);
  stand.now_ns += 3 * MS;
  sp_collector_step(&stand.collector, 0); // came back after 3 ms, finds nothing, would wait from here on
  stand.now_ns += 500 * MS;
  answer(&stand, 21, SP_OUTCOME_NONE, "");
  sp_collector_step(&stand.collector, 0);
  assert_int_equal(stand.collector.max_gap_ns, 3 * MS);
  stand_close(&stand);
}

static void *run(void *context) {
  sp_collector_run(context);
  return NULL;
}

static void test_thread_collects_until_it_is_stopped(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  stand.clock.virtual_ns = NULL;
  stand.collector.origin_ns = sp_now_ns();
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run, &stand.collector), 0);
  for (uint64_t id = 0; id < N_EVENTS; id++) {
    uint32_t seen = sp_gate_look(&stand.done_gate);
    answer(&stand, id, SP_OUTCOME_NONE, "");
    while (sp_tally_get(&stand.tally.n_done) != (int64_t)id + 1) {
      sp_gate_wait(&stand.done_gate, seen, SP_WAIT_PARK, sp_now_ns() + SP_NS_PER_S);
      seen = sp_gate_look(&stand.done_gate);
    }
  }
  atomic_store(&stand.collector.is_stopped, true);
  sp_stream_close(&stand.stream);
  pthread_join(thread, NULL);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), N_EVENTS);
  stand_close(&stand);
}

// Where somebody else sends: answers have no response time, and those of any run may count.
static void test_half_a_driver(void **state) {
  (void)state;
  struct stand stand;
  stand_open(&stand);
  stand.collector.is_blind = stand.collector.counts_foreign = true;
  stand.collector.deadline_ns = 1;
  answer(&stand, 20, SP_OUTCOME_NONE, "");
  answer(&stand, SP_REPLY_ALIEN, SP_OUTCOME_NONE, "");
  answer(&stand, 21, SP_OUTCOME_ERROR, "broken");
  stand.now_ns = ORIGIN + 500 * MS;
  assert_int_equal(sp_collector_step(&stand.collector, 0), 3);
  flip(&stand);
  assert_int_equal(count(&stand, SP_OUTCOME_UNCHECKED), 2);
  assert_int_equal(count(&stand, SP_OUTCOME_ERROR), 1);
  assert_int_equal(sp_meter_flag_count(stand.collector.meter, SP_FLAG_ALIEN), 0);
  assert_int_equal(sp_meter_flag_count(stand.collector.meter, SP_FLAG_LATE), 0);
  assert_int_equal(sp_tally_get(&stand.tally.n_foreign), 1);
  assert_int_equal(sp_tally_get(&stand.tally.n_done), 3);
  assert_int_equal(sp_tally_get(&stand.tally.n_predicted), 1); // of this run, with a value
  assert_int_equal(sp_meter_series(stand.collector.meter, SP_SERIES_RESPONSE)->max_ns, 0);
  assert_int_equal(sp_meter_series(stand.collector.meter, SP_SERIES_STAGES + SP_STAGE_INBOUND)->n, 0);
  stand_close(&stand);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_came),
      cmocka_unit_test(test_half_a_driver),
      cmocka_unit_test(test_one_stamp_for_a_receive),
      cmocka_unit_test(test_many_answers_take_several_receives),
      cmocka_unit_test(test_failures_are_grouped_with_their_reason),
      cmocka_unit_test(test_second_answers_and_strangers),
      cmocka_unit_test(test_closed_loop_has_no_plan),
      cmocka_unit_test(test_gap_between_receives),
      cmocka_unit_test(test_thread_collects_until_it_is_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
