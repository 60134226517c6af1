// How an answer finds its event, and order within a key.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "replay/match.h"

#define N_MOST 1000000000

static void check_states(bool is_lazy) {
  struct sp_event_states states;
  sp_event_states_init(&states, 10, is_lazy);
  for (uint64_t id = 0; id < 12; id++)
    assert_int_equal(sp_match_id(&states, id), SP_MATCH_ALIEN); // none was sent
  assert_int_equal(sp_match_id(&states, UINT64_MAX), SP_MATCH_ALIEN);
  sp_event_state_set_sent(&states, 3);
  assert_int_equal(sp_match_id(&states, 3), SP_MATCH_FIRST);
  assert_int_equal(sp_match_id(&states, 2), SP_MATCH_ALIEN);
  assert_int_equal(sp_match_id(&states, 4), SP_MATCH_ALIEN);
  for (int outcome = SP_OUTCOME_OK; outcome < SP_OUTCOME_COUNT; outcome++) {
    sp_event_state_set(&states, 3, (enum sp_outcome)outcome);
    assert_int_equal(sp_event_state(&states, 3), outcome);
    // Nobody can answer what was never handed over; everything else was answered before.
    assert_int_equal(sp_match_id(&states, 3),
                     outcome == SP_OUTCOME_SHED ? SP_MATCH_ALIEN : SP_MATCH_DUPLICATE);
  }
  sp_event_states_done(&states);
}

static void test_states_of_an_event(void **state) {
  (void)state;
  check_states(false);
  check_states(true);
}

// A closed loop's bound is far above what is sent; the memory is there only where it is used.
static void test_lazy_states_of_many_events(void **state) {
  (void)state;
  struct sp_event_states states;
  sp_event_states_init(&states, N_MOST, true);
  sp_event_state_set_sent(&states, (N_MOST)-1);
  assert_int_equal(sp_match_id(&states, N_MOST - 1), SP_MATCH_FIRST);
  assert_int_equal(sp_match_id(&states, N_MOST), SP_MATCH_ALIEN);
  sp_event_states_done(&states);
}

// The memory may end with the last event: nothing is read beyond it.
static void test_states_that_fill_their_memory(void **state) {
  (void)state;
  struct sp_event_states states;
  sp_event_states_init(&states, 1 << 21, false); // a whole number of pages of any size
  assert_int_equal(sp_match_id(&states, (1 << 21) - 1), SP_MATCH_ALIEN);
  assert_int_equal(sp_match_id(&states, 1 << 21), SP_MATCH_ALIEN);
  sp_event_states_done(&states);
}

static void test_schedule_without_events(void **state) {
  (void)state;
  struct sp_event_states states;
  sp_event_states_init(&states, 0, false);
  assert_int_equal(sp_match_id(&states, 0), SP_MATCH_ALIEN);
  sp_event_states_done(&states);
}

#define KEY(text)                                                                                            \
  {                                                                                                          \
    .key = {(const uint8_t *)(text), sizeof(text) - 1 }                                                      \
  }

static void test_order_within_a_key(void **state) {
  (void)state;
  // Two keys, an event without one, and the empty key, which is a key.
  struct sp_event events[] = {KEY("a"), KEY("b"), {0}, KEY("a"), KEY(""), KEY("b")};
  struct sp_recording recording = {.n_events = 6, .events = events};
  struct sp_key_order order;
  sp_key_order_init(&order, &recording);
  assert_false(sp_key_order_is_broken(&order, 3));  // a
  assert_true(sp_key_order_is_broken(&order, 0));   // a, sent before it
  assert_false(sp_key_order_is_broken(&order, 1));  // b: the other key's order is its own
  assert_false(sp_key_order_is_broken(&order, 8));  // no key
  assert_false(sp_key_order_is_broken(&order, 2));  // no key: no order is promised
  assert_false(sp_key_order_is_broken(&order, 10)); // "" of the second round
  assert_true(sp_key_order_is_broken(&order, 4));   // "" of the first
  assert_false(sp_key_order_is_broken(&order, 9));  // a of the second round
  assert_true(sp_key_order_is_broken(&order, 6));   // a of the second round, sent before
  assert_false(sp_key_order_is_broken(&order, 12)); // a of the third
  assert_false(sp_key_order_is_broken(&order, 5));
  assert_false(sp_key_order_is_broken(&order, 7));
  sp_key_order_done(&order);
}

static void test_recording_without_keys(void **state) {
  (void)state;
  struct sp_event events[3] = {{0}};
  struct sp_recording recording = {.n_events = 3, .events = events};
  struct sp_key_order order;
  sp_key_order_init(&order, &recording);
  for (uint64_t id = 10; id-- > 0;) assert_false(sp_key_order_is_broken(&order, id));
  sp_key_order_done(&order);
}

// Keys are bytes: a NUL inside does not end one.
static void test_keys_are_bytes(void **state) {
  (void)state;
  struct sp_event events[] = {KEY("k\0a"), KEY("k\0b")};
  struct sp_recording recording = {.n_events = 2, .events = events};
  struct sp_key_order order;
  sp_key_order_init(&order, &recording);
  assert_false(sp_key_order_is_broken(&order, 1));
  assert_false(sp_key_order_is_broken(&order, 0));
  sp_key_order_done(&order);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_states_of_an_event),
      cmocka_unit_test(test_states_that_fill_their_memory),
      cmocka_unit_test(test_lazy_states_of_many_events),
      cmocka_unit_test(test_schedule_without_events),
      cmocka_unit_test(test_order_within_a_key),
      cmocka_unit_test(test_recording_without_keys),
      cmocka_unit_test(test_keys_are_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
