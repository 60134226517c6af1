// What every transport must do, whatever carries it. A transport joins by one line in the table below.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/gate.h"
#include "stream/direct.h"

#define LONG_NS     (20 * SP_NS_PER_S) // who waits so long has missed something
#define VALUE_BOUND 64

struct transport {
  const char *name;
  // room_events: events that may wait for a worker.
  void *(*open)(size_t room_events, enum sp_wait wait, struct sp_stream *stream);
  void (*free)(void *transport); // after close
};

static void *direct_open(size_t room_events, enum sp_wait wait, struct sp_stream *stream) {
  return sp_direct_new(room_events, VALUE_BOUND, wait, stream);
}
static void direct_free(void *direct) {
  sp_direct_free(direct);
}

static const struct transport transports[] = {{"direct", direct_open, direct_free}};
#define N_TRANSPORTS (sizeof transports / sizeof *transports)

struct line { // an open stream
  const struct transport *transport;
  void *impl;
  struct sp_stream stream;
};

static struct line line_open(const struct transport *transport, size_t room_events, enum sp_wait wait) {
  struct line line = {.transport = transport};
  line.impl = transport->open(room_events, wait, &line.stream);
  return line;
}
static void line_close(struct line *line) {
  sp_stream_close(&line->stream);
  line->transport->free(line->impl);
}

static struct sp_delivery event_of(uint64_t id) {
  static const uint8_t bytes[] = "some event";
  return (struct sp_delivery){.id = id,
                              .intended_ns = 1000 + (int64_t)id,
                              .sent_ns = 2000 + (int64_t)id,
                              .held_ns = 2000 + (int64_t)id,
                              .key = id % 2 ? sp_bytes_of(bytes, 4) : (struct sp_bytes){NULL, 0},
                              .value = sp_bytes_of(bytes, id % sizeof bytes)};
}

static void reply_to(const struct sp_stream *stream, const struct sp_delivery *event, const char *value) {
  struct sp_reply *reply = sp_stream_reply_claim(stream);
  assert_non_null(reply);
  *reply = (struct sp_reply){.id = event->id,
                             .intended_ns = event->intended_ns,
                             .sent_ns = event->sent_ns,
                             .held_ns = event->held_ns,
                             .taken_ns = 3001,
                             .dispatched_ns = 3002,
                             .answered_ns = 3003,
                             .encoded_ns = 3004,
                             .server_ns = 5,
                             .outcome = SP_OUTCOME_ERROR,
                             .code = 13,
                             .value_bytes = strlen(value)};
  snprintf(reply->text, sizeof reply->text, "why");
  memcpy(reply->value, value, reply->value_bytes);
  sp_stream_reply_commit(stream, reply);
}

static int64_t soon(void) {
  return sp_now_ns() + LONG_NS;
}

static void check_events_arrive_as_sent(const struct transport *transport) {
  struct line line = line_open(transport, 64, SP_WAIT_PARK);
  for (uint64_t id = 0; id < 20; id++) {
    struct sp_delivery event = event_of(id);
    assert_true(sp_stream_send(&line.stream, &event));
  }
  struct sp_delivery taken[8];
  for (uint64_t id = 0; id < 20;) {
    size_t n = sp_stream_take(&line.stream, taken, 8, soon());
    assert_in_range(n, 1, 8);
    for (size_t i = 0; i < n; i++, id++) {
      struct sp_delivery event = event_of(id);
      assert_int_equal(taken[i].id, id);
      assert_int_equal(taken[i].sent_ns, event.sent_ns);
      assert_true(taken[i].held_ns >= event.sent_ns);
      assert_true(sp_bytes_equal(taken[i].key, event.key));
      assert_true(sp_bytes_equal(taken[i].value, event.value));
    }
  }
  assert_int_equal(sp_stream_take(&line.stream, taken, 8, 0), 0);
  line_close(&line);
}

static void check_replies_arrive_in_order(const struct transport *transport) {
  struct line line = line_open(transport, 64, SP_WAIT_PARK);
  char longest[VALUE_BOUND + 1];
  memset(longest, 'x', VALUE_BOUND);
  longest[VALUE_BOUND] = 0;
  for (uint64_t id = 0; id < 20; id++) {
    struct sp_delivery event = event_of(id);
    reply_to(&line.stream, &event, longest + VALUE_BOUND - id * VALUE_BOUND / 19);
  }
  struct sp_reply *replies[8];
  for (uint64_t id = 0; id < 20;) {
    size_t n = sp_stream_receive(&line.stream, replies, 8, soon());
    assert_in_range(n, 1, 8);
    for (size_t i = 0; i < n; i++, id++) { // all of them are valid until the next receive
      assert_int_equal(replies[i]->id, id);
      assert_int_equal(replies[i]->sent_ns, 2000 + id);
      assert_int_equal(replies[i]->taken_ns, 3001);
      assert_int_equal(replies[i]->encoded_ns, 3004);
      assert_int_equal(replies[i]->server_ns, 5);
      assert_int_equal(replies[i]->outcome, SP_OUTCOME_ERROR);
      assert_int_equal(replies[i]->code, 13);
      assert_string_equal(replies[i]->text, "why");
      assert_int_equal(replies[i]->value_bytes, id * VALUE_BOUND / 19);
      assert_memory_equal(replies[i]->value, longest, replies[i]->value_bytes);
    }
  }
  assert_int_equal(sp_stream_receive(&line.stream, replies, 8, 0), 0);
  line_close(&line);
}

// Full: an answer at once, and what was taken before arrives unharmed.
static void check_full_stream_refuses(const struct transport *transport) {
  struct line line = line_open(transport, 8, SP_WAIT_PARK);
  uint64_t n_sent = 0;
  struct sp_delivery event = event_of(0), taken;
  while (n_sent < 1000000 && sp_stream_send(&line.stream, &event)) event = event_of(++n_sent);
  assert_in_range(n_sent, 8, 999999);
  assert_false(sp_stream_send(&line.stream, &event));
  for (uint64_t id = 0; id < n_sent; id++) {
    assert_int_equal(sp_stream_take(&line.stream, &taken, 1, soon()), 1);
    assert_int_equal(taken.id, id);
  }
  assert_true(sp_stream_send(&line.stream, &event));
  line_close(&line);
}

static void check_deadlines_end_waits(const struct transport *transport) {
  static const enum sp_wait waits[] = {SP_WAIT_PARK, SP_WAIT_SPIN, SP_WAIT_HYBRID};
  for (size_t i = 0; i < 3; i++) {
    struct line line = line_open(transport, 8, waits[i]);
    struct sp_delivery taken;
    struct sp_reply *reply;
    int64_t deadline_ns = sp_now_ns() + 2 * SP_NS_PER_MS;
    assert_int_equal(sp_stream_take(&line.stream, &taken, 1, deadline_ns), 0);
    assert_true(sp_now_ns() >= deadline_ns);
    deadline_ns = sp_now_ns() + 2 * SP_NS_PER_MS;
    assert_int_equal(sp_stream_receive(&line.stream, &reply, 1, deadline_ns), 0);
    assert_true(sp_now_ns() >= deadline_ns);
    line_close(&line);
  }
}

// --- Threads -------------------------------------------------------------------------------------------------------------

struct crowd {
  struct line line;
  uint64_t n_events;
  _Atomic bool is_over;
  _Atomic bool was_closed_out; // claim gave NULL
  size_t n_batch;
};

static void *work(void *context) {
  struct crowd *crowd = context;
  struct sp_delivery taken[4];
  while (!crowd->is_over) {
    size_t n = sp_stream_take(&crowd->line.stream, taken, crowd->n_batch, sp_now_ns() + LONG_NS);
    for (size_t i = 0; i < n; i++) {
      struct sp_reply *reply = sp_stream_reply_claim(&crowd->line.stream);
      if (!reply) return NULL;
      *reply = (struct sp_reply){.id = taken[i].id, .value_bytes = taken[i].value.n};
      memcpy(reply->value, taken[i].value.data, taken[i].value.n);
      sp_stream_reply_commit(&crowd->line.stream, reply);
    }
  }
  return NULL;
}

static void *pace(void *context) {
  struct crowd *crowd = context;
  for (uint64_t id = 0; id < crowd->n_events; id++) {
    struct sp_delivery event = event_of(id);
    while (!sp_stream_send(&crowd->line.stream, &event)) sched_yield();
  }
  return NULL;
}

static void collect_all(struct crowd *crowd, uint8_t *seen) {
  struct sp_reply *replies[64];
  for (uint64_t n_seen = 0; n_seen < crowd->n_events;) {
    size_t n = sp_stream_receive(&crowd->line.stream, replies, 64, soon());
    if (n == 0) fail_msg("nothing came after %llu answers", (unsigned long long)n_seen);
    for (size_t i = 0; i < n; i++, n_seen++) {
      assert_true(replies[i]->id < crowd->n_events);
      assert_int_equal(seen[replies[i]->id]++, 0);
      assert_int_equal(replies[i]->value_bytes, event_of(replies[i]->id).value.n);
    }
  }
}

// One pacer, four workers, one collector, little room: each event is answered exactly once.
static void run_crowd(const struct transport *transport, enum sp_wait wait, uint64_t n_events,
                      size_t n_batch) {
  struct crowd crowd = {.line = line_open(transport, 32, wait), .n_events = n_events, .n_batch = n_batch};
  uint8_t *seen = calloc(n_events, 1);
  pthread_t threads[5];
  for (int i = 0; i < 5; i++) assert_int_equal(pthread_create(&threads[i], NULL, i ? work : pace, &crowd), 0);
  collect_all(&crowd, seen);
  pthread_join(threads[0], NULL);
  crowd.is_over = true;
  sp_stream_close(&crowd.line.stream);
  for (int i = 1; i < 5; i++) pthread_join(threads[i], NULL);
  free(seen);
  line_close(&crowd.line); // closing twice is fine
}

static void check_crowds(const struct transport *transport) {
  run_crowd(transport, SP_WAIT_PARK, 20000, 1);
  run_crowd(transport, SP_WAIT_PARK, 20000, 4);
  run_crowd(transport, SP_WAIT_HYBRID, 20000, 1);
  run_crowd(transport, SP_WAIT_SPIN, 200, 1); // on one processor each turn costs a time slice
}

static void *wait_to_take(void *context) {
  struct crowd *crowd = context;
  struct sp_delivery taken;
  while (!crowd->is_over) sp_stream_take(&crowd->line.stream, &taken, 1, INT64_MAX);
  return NULL;
}
static void *wait_to_receive(void *context) {
  struct crowd *crowd = context;
  struct sp_reply *reply;
  while (!crowd->is_over) sp_stream_receive(&crowd->line.stream, &reply, 1, INT64_MAX);
  return NULL;
}
static void *wait_for_room(void *context) {
  struct crowd *crowd = context;
  for (struct sp_reply *reply; (reply = sp_stream_reply_claim(&crowd->line.stream)) != NULL;) {
    *reply = (struct sp_reply){.id = 0};
    sp_stream_reply_commit(&crowd->line.stream, reply);
  }
  crowd->was_closed_out = true;
  return NULL;
}

// Each wait that never ends by itself ends when the stream is closed; the room for replies is used up, nobody receives.
static void check_close_ends_waits(const struct transport *transport) {
  void *(*const waiters[])(void *) = {wait_to_take, wait_to_receive, wait_for_room};
  for (int i = 0; i < 30; i++) {
    struct crowd crowd = {.line = line_open(transport, 8, i % 2 ? SP_WAIT_PARK : SP_WAIT_HYBRID)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, waiters[i % 3], &crowd), 0);
    for (int k = 0; k < i; k++) sched_yield(); // closed before, while and after it begins to wait
    crowd.is_over = true;
    sp_stream_close(&crowd.line.stream);
    pthread_join(thread, NULL);
    assert_int_equal(crowd.was_closed_out, i % 3 == 2);
    crowd.line.transport->free(crowd.line.impl);
  }
}

static void for_each(void (*check)(const struct transport *)) {
  for (size_t i = 0; i < N_TRANSPORTS; i++) {
    print_message("  %s\n", transports[i].name);
    check(&transports[i]);
  }
}

static void test_events_arrive_as_sent(void **state) {
  (void)state;
  for_each(check_events_arrive_as_sent);
}
static void test_replies_arrive_in_order(void **state) {
  (void)state;
  for_each(check_replies_arrive_in_order);
}
static void test_full_stream_refuses(void **state) {
  (void)state;
  for_each(check_full_stream_refuses);
}
static void test_deadlines_end_waits(void **state) {
  (void)state;
  for_each(check_deadlines_end_waits);
}
static void test_each_event_is_answered_once(void **state) {
  (void)state;
  for_each(check_crowds);
}
static void test_close_ends_waits(void **state) {
  (void)state;
  for_each(check_close_ends_waits);
}

// Of the direct transport alone: the lengths that the driver judges itself by.
static void test_direct_counts_what_waits(void **state) {
  (void)state;
  struct sp_stream stream;
  struct sp_direct *direct = sp_direct_new(16, 0, SP_WAIT_PARK, &stream);
  struct sp_delivery event = event_of(0);
  struct sp_reply *replies[8];
  for (int i = 0; i < 5; i++) reply_to(&stream, &event, "");
  assert_int_equal(sp_direct_replies_peak(direct), 0);
  sp_stream_receive(&stream, replies, 8, 0);
  reply_to(&stream, &event, "");
  sp_stream_receive(&stream, replies, 8, 0);
  assert_int_equal(sp_direct_replies_peak(direct), 5);
  assert_true(sp_direct_replies_room(direct) > 5);
  sp_direct_free(direct);
}

static void *flood(void *context) {
  const struct sp_stream *stream = context;
  uintptr_t n = 0;
  for (struct sp_reply *reply; (reply = sp_stream_reply_claim(stream)) != NULL; n++) {
    *reply = (struct sp_reply){.id = 666};
    sp_stream_reply_commit(stream, reply);
  }
  return (void *)n;
}

// Of the direct transport alone, whose room is known: what the collector holds is not written over, however many follow.
static void test_direct_keeps_what_was_received(void **state) {
  (void)state;
  struct sp_stream stream;
  struct sp_direct *direct = sp_direct_new(16, VALUE_BOUND, SP_WAIT_PARK, &stream);
  struct sp_reply *replies[8];
  for (uint64_t id = 0; id < 8; id++) {
    struct sp_delivery event = event_of(id);
    reply_to(&stream, &event, "kept");
  }
  assert_int_equal(sp_stream_receive(&stream, replies, 8, 0), 8);
  pthread_t thread;
  void *n_flooded;
  assert_int_equal(pthread_create(&thread, NULL, flood, &stream), 0);
  sp_stream_close(&stream); // a closed stream still fills its room
  pthread_join(thread, &n_flooded);
  assert_int_equal((uintptr_t)n_flooded, sp_direct_replies_room(direct) - 8);
  for (uint64_t id = 0; id < 8; id++) assert_int_equal(replies[id]->id, id);
  sp_stream_receive(&stream, replies, 8, 0);
  assert_int_equal(sp_direct_replies_peak(direct), sp_direct_replies_room(direct)); // workers found no room
  sp_direct_free(direct);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_events_arrive_as_sent),
      cmocka_unit_test(test_replies_arrive_in_order),
      cmocka_unit_test(test_full_stream_refuses),
      cmocka_unit_test(test_deadlines_end_waits),
      cmocka_unit_test(test_each_event_is_answered_once),
      cmocka_unit_test(test_close_ends_waits),
      cmocka_unit_test(test_direct_counts_what_waits),
      cmocka_unit_test(test_direct_keeps_what_was_received),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
