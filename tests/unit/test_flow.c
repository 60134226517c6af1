// Delayed bytes: order, due times, bounds, the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fault/flow.h"

static void put(struct sp_flow *flow, const char *text, int64_t due_ns) {
  for (size_t n = strlen(text), room; n > 0; text += room, n -= room) {
    uint8_t *to;
    room = sp_flow_room(flow, &to);
    assert_true(room > 0);
    if (room > n) room = n;
    memcpy(to, text, room);
    sp_flow_put(flow, room, due_ns);
  }
}

// What is due at now_ns, all of it, must be `text`.
static void gives(struct sp_flow *flow, int64_t now_ns, const char *text) {
  const uint8_t *from;
  size_t n, n_all = strlen(text), n_given = 0;
  while ((n = sp_flow_due(flow, now_ns, &from)) > 0) {
    assert_true(n_given + n <= n_all);
    assert_memory_equal(from, text + n_given, n);
    sp_flow_take(flow, n);
    n_given += n;
  }
  assert_int_equal(n_given, n_all);
}

static void bytes_come_out_when_they_are_due(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  assert_int_equal(sp_flow_next_ns(&flow), INT64_MAX);
  gives(&flow, 100, "");
  put(&flow, "one", 10);
  put(&flow, "two", 20);
  put(&flow, "three", 20);
  gives(&flow, 9, "");
  assert_int_equal(sp_flow_next_ns(&flow), 10);
  gives(&flow, 10, "one");
  assert_int_equal(sp_flow_next_ns(&flow), 20);
  gives(&flow, 25, "twothree");
  assert_int_equal(sp_flow_next_ns(&flow), INT64_MAX);
  sp_flow_done(&flow);
}

static void a_shorter_delay_overtakes_nothing(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  put(&flow, "slow", 100);
  put(&flow, "fast", 50);
  gives(&flow, 99, "");
  gives(&flow, 100, "slowfast");
  sp_flow_done(&flow);
}

static void part_of_what_is_due_may_be_taken(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  const uint8_t *from;
  put(&flow, "abc", 1);
  put(&flow, "def", 2);
  assert_int_equal(sp_flow_due(&flow, 1, &from), 3);
  sp_flow_take(&flow, 2);
  assert_int_equal(sp_flow_next_ns(&flow), 1);
  gives(&flow, 1, "c");
  gives(&flow, 2, "def");
  sp_flow_done(&flow);
}

static void the_end_comes_last(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  put(&flow, "last", 10);
  sp_flow_end(&flow, 12);
  assert_false(sp_flow_is_over(&flow, 100));
  gives(&flow, 11, "last");
  assert_false(sp_flow_is_over(&flow, 11));
  assert_int_equal(sp_flow_next_ns(&flow), 12);
  assert_true(sp_flow_is_over(&flow, 12));
  sp_flow_done(&flow);
  sp_flow_end(&flow, 3); // nothing was ever sent
  assert_int_equal(sp_flow_next_ns(&flow), 3);
  assert_true(sp_flow_is_over(&flow, 3));
}

// Far more than it holds goes through it, in pieces of odd lengths, without a byte changed.
static void the_ring_goes_round(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  uint64_t n_in = 0, n_out = 0;
  int64_t now_ns = 0;
  while (n_out < 5 * SP_FLOW_BYTES) {
    uint8_t *to;
    const uint8_t *from;
    now_ns++;
    for (int i = 0; i < 3; i++) {
      size_t n = sp_flow_room(&flow, &to);
      n = n < 70001 ? n : 70001;
      for (size_t k = 0; k < n; k++) to[k] = (uint8_t)((n_in + k) * 31 >> 3);
      if (n) sp_flow_put(&flow, n, now_ns + 2);
      n_in += n;
    }
    for (size_t n; (n = sp_flow_due(&flow, now_ns, &from)) > 0; n_out += n) {
      n = n < 65537 ? n : 65537;
      for (size_t k = 0; k < n; k++) assert_int_equal(from[k], (uint8_t)((n_out + k) * 31 >> 3));
      sp_flow_take(&flow, n);
    }
  }
  sp_flow_done(&flow);
}

static void it_holds_no_more_than_it_may(void **state) {
  (void)state;
  struct sp_flow flow = {0};
  uint8_t *to;
  assert_int_equal(sp_flow_room(&flow, &to), SP_FLOW_BYTES);
  sp_flow_put(&flow, SP_FLOW_BYTES, 5);
  assert_int_equal(sp_flow_room(&flow, &to), 0);
  sp_flow_take(&flow, 10);
  assert_int_equal(sp_flow_room(&flow, &to), 10);
  sp_flow_done(&flow);
  for (size_t i = 0; i < SP_FLOW_MARKS; i++) put(&flow, "x", (int64_t)i);
  assert_int_equal(sp_flow_room(&flow, &to), 0); // as many pieces as it can tell apart
  sp_flow_take(&flow, 1);
  assert_true(sp_flow_room(&flow, &to) > 0);
  sp_flow_done(&flow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_come_out_when_they_are_due),
      cmocka_unit_test(a_shorter_delay_overtakes_nothing),
      cmocka_unit_test(part_of_what_is_due_may_be_taken),
      cmocka_unit_test(the_end_comes_last),
      cmocka_unit_test(the_ring_goes_round),
      cmocka_unit_test(it_holds_no_more_than_it_may),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
