// The application's half of Kafka against librdkafka's mock cluster, with a producer and a consumer of the test's own as the
// world around it: what answers carry, what is committed when, and what happens to events when members come, go or die.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stream/kafka_app.h"
#include "stream/wire.h"
#include "support/kafka_bed.h"

#define LONG_NS     (30 * SP_NS_PER_S) // who waits so long has missed something
#define VALUE_BOUND ((size_t)2 << 20)
#define ID_MAX      4096

static void produce(rd_kafka_t *rk, int32_t partition, const char *key, const void *value, size_t n,
                    rd_kafka_headers_t *headers) {
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = input},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, n}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
  };
  assert_null(rd_kafka_produceva(rk, parts, sizeof parts / sizeof *parts - (headers ? 0 : 1)));
}

static rd_kafka_headers_t *headers_of(uint64_t id) {
  uint8_t bytes[8];
  sp_wire_put_id(id, bytes);
  rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
  rd_kafka_header_add(headers, SP_HEADER_ID, -1, bytes, sizeof bytes);
  return headers;
}

// Events from..to-1 in turn over the partitions, numbered.
static void produce_events(uint64_t from, uint64_t to) {
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  for (uint64_t id = from; id < to; id++)
    produce(rk, (int32_t)(id % N_PARTITIONS), "key", "value", 5, headers_of(id));
  assert_int_equal(rd_kafka_flush(rk, 20000), 0);
  rd_kafka_destroy(rk);
}

static int64_t committed(int32_t partition) {
  rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, group);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, input, partition);
  assert_int_equal(rd_kafka_committed(rk, list, 20000), 0);
  int64_t offset = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(rk);
  return offset < 0 ? 0 : offset;
}

// --- What came out ---

struct sink {
  rd_kafka_t *rk;
  rd_kafka_topic_t *topic;
  rd_kafka_queue_t *queue;
};

static void sink_open(struct sink *sink) {
  sink->rk = client(RD_KAFKA_CONSUMER, NULL);
  sink->topic = rd_kafka_topic_new(sink->rk, output, NULL);
  sink->queue = rd_kafka_queue_new(sink->rk);
  for (int32_t i = 0; i < N_PARTITIONS; i++)
    assert_int_equal(rd_kafka_consume_start_queue(sink->topic, i, RD_KAFKA_OFFSET_BEGINNING, sink->queue), 0);
}
static void sink_close(struct sink *sink) {
  for (int32_t i = 0; i < N_PARTITIONS; i++) rd_kafka_consume_stop(sink->topic, i);
  rd_kafka_queue_destroy(sink->queue);
  rd_kafka_topic_destroy(sink->topic);
  rd_kafka_destroy(sink->rk);
}

// The next message within wait_ns; NULL: none.
static rd_kafka_message_t *sink_next(struct sink *sink, int64_t wait_ns) {
  int64_t until_ns = sp_now_ns() + wait_ns;
  while (sp_now_ns() < until_ns) {
    rd_kafka_message_t *message = rd_kafka_consume_queue(sink->queue, 50);
    if (message && !message->err) return message;
    if (message) rd_kafka_message_destroy(message);
  }
  return NULL;
}

static struct sp_bytes header_of(const rd_kafka_message_t *message, const char *name) {
  rd_kafka_headers_t *headers;
  const void *value = NULL;
  size_t n = 0;
  if (rd_kafka_message_headers(message, &headers) || rd_kafka_header_get_last(headers, name, &value, &n))
    return (struct sp_bytes){NULL, 0};
  return sp_bytes_of(value, n);
}

// Reads until each of n events was answered at least once; returns how many answers were there before a quiet moment.
static size_t read_answers(struct sink *sink, uint8_t *seen, uint64_t n) {
  size_t n_answers = 0;
  uint64_t n_seen = 0;
  while (n_seen < n) {
    rd_kafka_message_t *message = sink_next(sink, LONG_NS);
    if (!message) {
      fail_msg("%zu answers to %llu of %llu events", n_answers, (unsigned long long)n_seen,
               (unsigned long long)n);
      return 0;
    }
    uint64_t id;
    assert_true(sp_wire_get_id(header_of(message, SP_HEADER_ID), &id));
    assert_true(id < n);
    assert_int_equal(message->partition, id % N_PARTITIONS);
    if (!seen[id]++) n_seen++;
    n_answers++;
    rd_kafka_message_destroy(message);
  }
  for (rd_kafka_message_t *message; (message = sink_next(sink, 200 * SP_NS_PER_MS)) != NULL; n_answers++)
    rd_kafka_message_destroy(message);
  return n_answers;
}

// --- The application ---

struct member {
  struct sp_kafka_app *app;
  struct sp_stream stream;
  pthread_t thread;
  bool has_thread;
  atomic_bool is_stopped;
  atomic_size_t n_assigned; // partitions now
};

static void on_assignment(void *context, bool is_given, const int32_t *partitions, size_t n) {
  (void)partitions;
  atomic_size_t *n_assigned = &((struct member *)context)->n_assigned;
  if (is_given)
    atomic_fetch_add(n_assigned, n);
  else
    atomic_fetch_sub(n_assigned, n);
}

static void fill_reply(struct sp_reply *reply, const struct sp_delivery *event) {
  int64_t now_ns = sp_now_ns();
  reply->id = event->id;
  reply->token = event->token;
  reply->held_ns = event->held_ns;
  reply->taken_ns = reply->dispatched_ns = reply->answered_ns = reply->encoded_ns = now_ns;
  reply->server_ns = -1;
  reply->outcome = SP_OUTCOME_NONE;
  reply->code = 0;
  reply->text[0] = 0;
  reply->value_bytes = event->value.n;
  if (event->value.n) memcpy(reply->value, event->value.data, event->value.n);
}

static void answer(struct member *member, const struct sp_delivery *event) {
  struct sp_reply *reply = sp_stream_reply_claim(&member->stream);
  assert_non_null(reply);
  fill_reply(reply, event);
  sp_stream_reply_commit(&member->stream, reply);
}

static void *echo(void *context) {
  struct member *member = context;
  struct sp_delivery events[16];
  while (!atomic_load(&member->is_stopped)) {
    size_t n = sp_stream_take(&member->stream, events, 16, sp_now_ns() + SP_NS_PER_S);
    for (size_t i = 0; i < n; i++) answer(member, &events[i]);
  }
  return NULL;
}

// The mock waits 3 s for the first member of a group, and when it rebalances for almost a session.
static void member_join(struct member *member, size_t fifo_events, const char *strategy) {
  struct sp_property properties[] = {
      {sp_copy_text("session.timeout.ms"), sp_copy_text("4000")},
      {sp_copy_text("heartbeat.interval.ms"), sp_copy_text("100")},
      {sp_copy_text("partition.assignment.strategy"), sp_copy_text(strategy)},
  };
  struct sp_properties none = {NULL, 0}, consumer = {properties, 3};
  struct sp_kafka_app_env env = {
      .kafka = {.brokers = sp_mock_address(mock),
                .producer = &none,
                .consumer = &consumer,
                .input = input,
                .output = output,
                .connect_timeout_ns = LONG_NS},
      .group = group,
      .client_id = "servepath-app-1",
      .commit_interval_ns = 20 * SP_NS_PER_MS,
      .fifo_events = fifo_events,
      .value_bound = VALUE_BOUND,
      .on_assignment = on_assignment,
      .context = member,
  };
  struct sp_error error;
  *member = (struct member){0};
  if (sp_kafka_app_new(&env, &member->app, &member->stream, &error)) fail_msg("%s", error.text);
  for (size_t i = 0; i < 3; i++) {
    free(properties[i].name);
    free(properties[i].value);
  }
  if (sp_kafka_app_wait_assigned(member->app, LONG_NS, &error)) fail_msg("%s", error.text);
}
static void member_work(struct member *member) {
  pthread_create(&member->thread, NULL, echo, member);
  member->has_thread = true;
}
// Without a drain it is as if it were killed, but for the session that need not time out.
static bool member_end(struct member *member, bool drains) {
  bool was_drained = drains && sp_kafka_app_drain(member->app, LONG_NS);
  sp_stream_close(&member->stream);
  atomic_store(&member->is_stopped, true);
  if (member->has_thread) pthread_join(member->thread, NULL);
  sp_kafka_app_free(member->app);
  return was_drained;
}

static void await(const char *what, bool (*is)(void *), void *context) {
  int64_t until_ns = sp_now_ns() + LONG_NS;
  while (!is(context)) {
    if (sp_now_ns() > until_ns) fail_msg("%s: not within the time", what);
    nanosleep(&(struct timespec){.tv_nsec = SP_NS_PER_MS}, NULL);
  }
}

static struct sp_kafka_app_counts counts_of(struct member *member) {
  struct sp_kafka_app_counts counts;
  sp_kafka_app_counts(member->app, &counts);
  return counts;
}

// --- What an answer carries ---

static void assert_bytes(struct sp_bytes bytes, const char *text) {
  assert_true(sp_bytes_equal(bytes, sp_bytes_of_text(text)));
}

static void test_answers_carry_key_partition_and_headers(void **state) {
  (void)state;
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  rd_kafka_headers_t *headers = headers_of(7);
  rd_kafka_header_add(headers, SP_HEADER_RUN, -1, "run of this test", SP_RUN_BYTES);
  rd_kafka_header_add(headers, "trace", -1, "abc", 3);
  rd_kafka_header_add(headers, "trace", -1, "def", 3); // twice: both travel
  rd_kafka_header_add(headers, SP_HEADER_STAGES, -1, "of an earlier hop", -1);
  rd_kafka_header_add(headers, SP_HEADER_OUTCOME, -1, "error\0001\0x", 9);
  produce(rk, 2, "the key", "hello", 5, headers);
  assert_int_equal(rd_kafka_flush(rk, 20000), 0);
  rd_kafka_destroy(rk);
  struct member member;
  struct sink sink;
  member_join(&member, 64, "cooperative-sticky");
  member_work(&member);
  sink_open(&sink);
  rd_kafka_message_t *message = sink_next(&sink, LONG_NS);
  assert_non_null(message);
  assert_int_equal(message->partition, 2);
  assert_bytes(sp_bytes_of(message->key, message->key_len), "the key");
  assert_bytes(sp_bytes_of(message->payload, message->len), "hello");
  uint64_t id;
  assert_true(sp_wire_get_id(header_of(message, SP_HEADER_ID), &id) && id == 7);
  assert_bytes(header_of(message, SP_HEADER_RUN), "run of this test");
  assert_bytes(header_of(message, "trace"), "def");
  assert_null(header_of(message, SP_HEADER_OUTCOME).data);
  rd_kafka_headers_t *all;
  rd_kafka_message_headers(message, &all);
  assert_int_equal(rd_kafka_header_cnt(all), 5); // id, run, trace, trace, stages
  uint8_t boot[SP_BOOT_BYTES];
  struct sp_reply *reply = sp_alloc(sizeof *reply);
  sp_wire_boot(boot);
  assert_true(sp_wire_get_stages(header_of(message, SP_HEADER_STAGES), boot, reply));
  assert_true(reply->held_ns > 0 && reply->held_ns <= reply->taken_ns && reply->taken_ns <= sp_now_ns());
  free(reply);
  rd_kafka_message_destroy(message);
  sink_close(&sink);
  assert_true(member_end(&member, true));
}

// What others put there: no headers, no key, no value, and as much as the broker takes.
static void test_foreign_messages(void **state) {
  (void)state;
  const size_t n_large = 1 << 20;
  char *large = calloc(n_large, 1);
  memset(large, 'x', n_large);
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  produce(rk, 0, NULL, "bare", 4, NULL);
  produce(rk, 0, "tombstone", NULL, 0, NULL);
  produce(rk, 0, "empty", "", 0, NULL);
  produce(rk, 0, NULL, large, n_large, NULL);
  assert_int_equal(rd_kafka_flush(rk, 20000), 0);
  rd_kafka_destroy(rk);
  struct member member;
  struct sink sink;
  member_join(&member, 64, "cooperative-sticky");
  struct sp_delivery events[4];
  for (size_t n = 0; n < 4;) n += sp_stream_take(&member.stream, events + n, 4 - n, sp_now_ns() + LONG_NS);
  for (size_t i = 0; i < 4; i++) assert_true(events[i].id == SP_REPLY_ALIEN && events[i].partition == 0);
  assert_true(!events[0].key.data && events[1].key.data && !events[1].value.data &&
              events[3].value.n == n_large);
  for (size_t i = 0; i < 4; i++) answer(&member, &events[i]);
  sink_open(&sink);
  const size_t n_bytes[] = {4, 0, 0, n_large};
  for (size_t i = 0; i < 4; i++) {
    rd_kafka_message_t *message = sink_next(&sink, LONG_NS);
    assert_non_null(message);
    assert_int_equal(message->len, n_bytes[i]);
    assert_int_equal(message->key != NULL, i == 1 || i == 2);
    assert_null(header_of(message, SP_HEADER_ID).data);
    assert_int_equal(header_of(message, SP_HEADER_STAGES).n, SP_STAGES_BYTES);
    rd_kafka_message_destroy(message);
  }
  sink_close(&sink);
  assert_true(member_end(&member, true));
  assert_int_equal(committed(0), 4);
  free(large);
}

static void test_an_outcome_travels_with_an_empty_value(void **state) {
  (void)state;
  produce_events(0, 1);
  struct member member;
  struct sink sink;
  member_join(&member, 64, "cooperative-sticky");
  struct sp_delivery event;
  while (!sp_stream_take(&member.stream, &event, 1, sp_now_ns() + SP_NS_PER_S)) {
  }
  struct sp_reply *reply = sp_stream_reply_claim(&member.stream);
  fill_reply(reply, &event);
  reply->outcome = SP_OUTCOME_DEADLINE;
  reply->code = 4;
  snprintf(reply->text, sizeof reply->text, "Deadline Exceeded");
  sp_stream_reply_commit(&member.stream, reply);
  sink_open(&sink);
  rd_kafka_message_t *message = sink_next(&sink, LONG_NS);
  assert_non_null(message);
  assert_int_equal(message->len, 0);
  struct sp_reply *told = sp_alloc(sizeof *told);
  assert_true(sp_wire_get_outcome(header_of(message, SP_HEADER_OUTCOME), told));
  assert_true(told->outcome == SP_OUTCOME_DEADLINE && told->code == 4);
  assert_string_equal(told->text, "Deadline Exceeded");
  free(told);
  rd_kafka_message_destroy(message);
  sink_close(&sink);
  assert_true(member_end(&member, true));
}

// --- What is committed when ---

static bool has_acknowledged_nine(void *member) {
  return counts_of(member).n_acknowledged == 9;
}
static bool has_committed(void *member) {
  return counts_of(member).n_commits > 0;
}

// All but the second event of partition 0 are answered, and it is killed: that one and what was read after it come again, and
// nothing of the other partitions.
static void test_offsets_stop_at_what_is_unfinished(void **state) {
  (void)state;
  produce_events(0, 9);
  produce_events(9, 10); // the fourth of partition 0
  struct member member;
  member_join(&member, 64, "cooperative-sticky");
  struct sp_delivery events[10];
  for (size_t n = 0; n < 10;) n += sp_stream_take(&member.stream, events + n, 10 - n, sp_now_ns() + LONG_NS);
  for (size_t i = 10; i-- > 0;) {
    if (events[i].id != 3) answer(&member, &events[i]);
  }
  await("acknowledgements", has_acknowledged_nine, &member);
  await("a commit", has_committed, &member);
  int64_t until_ns = sp_now_ns() + LONG_NS;
  while (committed(0) != 1 || committed(1) != 3 || committed(2) != 3) assert_true(sp_now_ns() < until_ns);
  assert_false(member_end(&member, false));
  assert_int_equal(committed(0), 1);

  struct member again;
  struct sink sink;
  uint8_t seen[10] = {0};
  member_join(&again, 64, "cooperative-sticky");
  member_work(&again);
  sink_open(&sink);
  assert_int_equal(read_answers(&sink, seen, 10), 9 + 3);
  assert_true(seen[3] == 1 && seen[0] == 1);
  sink_close(&sink);
  assert_true(member_end(&again, true));
  assert_int_equal(committed(0), 4);
}

// More events than may be held at once, answered by a worker while the poller waits for room.
static void test_a_full_fifo_waits(void **state) {
  (void)state;
  enum { N = 3000 };
  produce_events(0, N);
  struct member member;
  struct sink sink;
  uint8_t *seen = calloc(N, 1);
  member_join(&member, 64, "cooperative-sticky");
  nanosleep(&(struct timespec){.tv_nsec = 200 * SP_NS_PER_MS}, NULL); // full before anybody takes
  assert_true(counts_of(&member).n_received <= 64);
  member_work(&member);
  sink_open(&sink);
  assert_int_equal(read_answers(&sink, seen, N), N);
  sink_close(&sink);
  assert_true(member_end(&member, true));
  for (int32_t i = 0; i < N_PARTITIONS; i++) assert_int_equal(committed(i), N / N_PARTITIONS);
  free(seen);
}

// A drain that cannot finish says so, in the time that it was given.
static void test_a_drain_is_bounded(void **state) {
  (void)state;
  produce_events(0, 6);
  struct member member;
  member_join(&member, 64, "cooperative-sticky");
  struct sp_delivery events[6];
  for (size_t n = 0; n < 6;) n += sp_stream_take(&member.stream, events + n, 6 - n, sp_now_ns() + LONG_NS);
  answer(&member, &events[0]);
  int64_t begun_ns = sp_now_ns();
  assert_false(sp_kafka_app_drain(member.app, 300 * SP_NS_PER_MS));
  assert_true(sp_now_ns() - begun_ns < 10 * SP_NS_PER_S);
  for (size_t i = 1; i < 6; i++) answer(&member, &events[i]); // too late: not produced
  assert_int_equal(counts_of(&member).n_dropped_at_rebalance, 5);
  member_end(&member, false);
  int64_t n_committed = 0;
  for (int32_t i = 0; i < N_PARTITIONS; i++) n_committed += committed(i);
  assert_int_equal(n_committed, 1);
}

static bool has_received_all(void *member) {
  return counts_of(member).n_received == 30;
}

// What no worker had yet when the end began goes to the next member, at once and once.
static void test_a_drain_leaves_what_waits(void **state) {
  (void)state;
  produce_events(0, 30);
  struct member member, next;
  struct sink sink;
  uint8_t seen[30] = {0};
  member_join(&member, 64, "cooperative-sticky");
  await("all is read", has_received_all, &member);
  struct sp_delivery events[5];
  assert_int_equal(sp_stream_take(&member.stream, events, 5, 0), 5);
  for (size_t i = 0; i < 5; i++) answer(&member, &events[i]);
  assert_true(member_end(&member, true));
  member_join(&next, 64, "cooperative-sticky");
  member_work(&next);
  sink_open(&sink);
  assert_int_equal(read_answers(&sink, seen, 30), 30);
  sink_close(&sink);
  assert_true(member_end(&next, true));
  for (int32_t i = 0; i < N_PARTITIONS; i++) assert_int_equal(committed(i), 10);
}

// --- Members come and go ---

static bool has_some(void *member) {
  return atomic_load(&((struct member *)member)->n_assigned) > 0;
}
static bool has_all(void *member) {
  return atomic_load(&((struct member *)member)->n_assigned) == N_PARTITIONS;
}
static bool lacks_some(void *member) {
  return !has_all(member);
}

static void lose_nothing(const char *strategy, bool is_killed) {
  enum { N = 3000 };
  struct member first, second;
  struct sink sink;
  uint8_t *seen = calloc(N, 1);
  produce_events(0, N / 3);
  member_join(&first, 256, strategy);
  member_work(&first);
  assert_true(has_all(&first));
  member_join(&second, 256, strategy);
  member_work(&second);
  produce_events(N / 3, 2 * (N / 3));
  await("the second has partitions", has_some, &second);
  await("the first gave some away", lacks_some, &first);
  bool was_drained = member_end(&second, !is_killed);
  produce_events(2 * (N / 3), N);
  await("the first has all again", has_all, &first);
  sink_open(&sink);
  size_t n_answers = read_answers(&sink, seen, N);
  assert_true(n_answers >=
              N); // the mock refuses commits while a group rebalances: what was answered then comes again
  assert_true(is_killed || was_drained);
  sink_close(&sink);
  assert_true(counts_of(&first).n_rebalances >= 2);
  assert_true(member_end(&first, true));
  for (int32_t i = 0; i < N_PARTITIONS; i++) assert_int_equal(committed(i), N / N_PARTITIONS);
  free(seen);
}

static void test_members_come_and_go(void **state) {
  (void)state;
  lose_nothing("cooperative-sticky", false);
}
// The one that comes dies, too.
static void test_members_come_and_go_eagerly(void **state) {
  (void)state;
  lose_nothing("range", true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_answers_carry_key_partition_and_headers, make_topics),
      cmocka_unit_test_setup(test_foreign_messages, make_topics),
      cmocka_unit_test_setup(test_an_outcome_travels_with_an_empty_value, make_topics),
      cmocka_unit_test_setup(test_offsets_stop_at_what_is_unfinished, make_topics),
      cmocka_unit_test_setup(test_a_full_fifo_waits, make_topics),
      cmocka_unit_test_setup(test_a_drain_is_bounded, make_topics),
      cmocka_unit_test_setup(test_a_drain_leaves_what_waits, make_topics),
      cmocka_unit_test_setup(test_members_come_and_go, make_topics),
      cmocka_unit_test_setup(test_members_come_and_go_eagerly, make_topics),
  };
  return cmocka_run_group_tests(tests, start_mock, end_mock);
}
