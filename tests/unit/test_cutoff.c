// The end of the drain: what nothing came back for is booked once, as lost or shed, warm-up and answered events not at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/cutoff.h"

#define N_EVENTS 40
#define ORIGIN   (100 * SP_NS_PER_S)

struct stand {
  struct sp_schedule schedule;
  int64_t intended_ns[N_EVENTS];
  struct sp_tally tally;
  struct sp_event_states states;
  struct sp_pacer pacer;
  struct sp_meter *meter;
};

// Four events a second; the first eight are warm-up. Of each four: answered, lost, shed, lost.
static struct stand *stand_new(bool is_closed) {
  struct stand *stand = sp_alloc(sizeof *stand);
  for (size_t i = 0; i < N_EVENTS; i++) stand->intended_ns[i] = (int64_t)i * SP_NS_PER_S / 4;
  stand->schedule = (struct sp_schedule){.n_events = N_EVENTS, .t0_ns = 2 * SP_NS_PER_S};
  stand->schedule.t1_ns = 10 * SP_NS_PER_S;
  if (!is_closed) {
    stand->schedule.intended_ns = stand->intended_ns;
    stand->schedule.n_warmup = 8;
  }
  sp_tally_set(&stand->tally.n_warmup, 8);
  sp_event_states_init(&stand->states, N_EVENTS, false);
  for (size_t i = 0; i < N_EVENTS; i++) {
    if (i % 2) sp_event_state_set_sent(&stand->states, i);
    if (i % 4 == 0) sp_event_state_set(&stand->states, i, SP_OUTCOME_OK);
    if (i % 4 == 2) sp_event_state_set(&stand->states, i, SP_OUTCOME_SHED);
  }
  stand->pacer = (struct sp_pacer){.schedule = &stand->schedule, .tally = &stand->tally};
  stand->pacer.states = &stand->states;
  stand->pacer.origin_ns = ORIGIN;
  stand->pacer.next_event = N_EVENTS;
  stand->meter = sp_meter_new();
  return stand;
}

static void stand_free(struct stand *stand) {
  sp_meter_free(stand->meter);
  sp_event_states_done(&stand->states);
  free(stand);
}

static void assert_booked(const struct stand *stand, int64_t n_lost, int64_t n_shed) {
  assert_int_equal(sp_meter_count(stand->meter, SP_OUTCOME_LOST), n_lost);
  assert_int_equal(sp_meter_count(stand->meter, SP_OUTCOME_SHED), n_shed);
  assert_int_equal(sp_meter_count(stand->meter, SP_OUTCOME_OK), 0);
  assert_int_equal(sp_meter_n_above(stand->meter, SP_SERIES_RESPONSE), n_lost + n_shed);
}

static void test_window_only(void **state) {
  (void)state;
  for (int is_closed = 0; is_closed < 2; is_closed++) {
    struct stand *stand = stand_new(is_closed);
    sp_cutoff_book(&stand->pacer, stand->meter, NULL);
    assert_booked(stand, 16, 8);
    stand_free(stand);
  }
}

// What the pacer never came to is not booked, whatever its byte says.
static void test_up_to_the_pacer(void **state) {
  (void)state;
  struct stand *stand = stand_new(false);
  stand->pacer.next_event = 12;
  sp_cutoff_book(&stand->pacer, stand->meter, NULL);
  assert_booked(stand, 2, 1);
  stand_free(stand);
}

static void test_nothing_left(void **state) {
  (void)state;
  struct stand *stand = stand_new(false);
  for (size_t i = 0; i < N_EVENTS; i++) sp_event_state_set(&stand->states, i, SP_OUTCOME_OK);
  sp_cutoff_book(&stand->pacer, stand->meter, NULL);
  assert_booked(stand, 0, 0);
  stand_free(stand);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_window_only),
      cmocka_unit_test(test_up_to_the_pacer),
      cmocka_unit_test(test_nothing_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
