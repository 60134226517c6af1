// The driver's half of Kafka against librdkafka's mock cluster, with a plain consumer and producer of the test's own as the
// application: what comes back, what is never matched, and how it ends.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stream/kafka.h"
#include "stream/wire.h"
#include "support/kafka_bed.h"

#define LONG_NS     (20 * SP_NS_PER_S) // who waits so long has missed something
#define VALUE_BOUND 256
#define N_EVENTS    2000

static const uint8_t run[SP_RUN_BYTES] = "run of this test";

// Puts a message on the output topic; `headers` is taken.
static void produce(rd_kafka_t *rk, int32_t partition, const void *value, size_t n,
                    rd_kafka_headers_t *headers) {
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = output},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, n}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
  };
  assert_null(rd_kafka_produceva(rk, parts, sizeof parts / sizeof *parts));
}

static rd_kafka_headers_t *headers_of(const uint8_t *from_run, uint64_t id) {
  uint8_t bytes[8];
  sp_wire_put_id(id, bytes);
  rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
  rd_kafka_header_add(headers, SP_HEADER_ID, -1, bytes, sizeof bytes);
  rd_kafka_header_add(headers, SP_HEADER_RUN, -1, from_run, SP_RUN_BYTES);
  return headers;
}

// --- An application: everything on the input topic goes to the output topic, headers and all ---

struct echo {
  pthread_t thread;
  atomic_bool is_stopped;
  atomic_size_t n_echoed;
  uint8_t boot[SP_BOOT_BYTES];
};

static void echo_one(struct echo *echo, rd_kafka_t *producer, rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  assert_int_equal(rd_kafka_message_detach_headers(message, &headers), 0);
  int64_t now_ns = sp_now_ns();
  struct sp_reply stages = {.held_ns = now_ns,
                            .taken_ns = now_ns + 1,
                            .dispatched_ns = now_ns + 2,
                            .answered_ns = now_ns + 3,
                            .encoded_ns = now_ns + 4,
                            .server_ns = -1};
  uint8_t bytes[SP_STAGES_BYTES];
  sp_wire_put_stages(&stages, echo->boot, bytes);
  rd_kafka_header_add(headers, SP_HEADER_STAGES, -1, bytes, sizeof bytes);
  produce(producer, message->partition, message->payload, message->len, headers);
  rd_kafka_poll(producer, 0);
  atomic_fetch_add(&echo->n_echoed, 1);
}

static void *run_echo(void *context) {
  struct echo *echo = context;
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, NULL), *producer = client(RD_KAFKA_PRODUCER, NULL);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, input, NULL);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
  for (int32_t i = 0; i < N_PARTITIONS; i++)
    rd_kafka_consume_start_queue(topic, i, RD_KAFKA_OFFSET_BEGINNING, queue);
  while (!atomic_load(&echo->is_stopped)) {
    rd_kafka_message_t *message = rd_kafka_consume_queue(queue, 20);
    if (!message) continue;
    if (!message->err) echo_one(echo, producer, message);
    rd_kafka_message_destroy(message);
  }
  for (int32_t i = 0; i < N_PARTITIONS; i++) rd_kafka_consume_stop(topic, i);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(consumer);
  rd_kafka_flush(producer, 5000);
  rd_kafka_destroy(producer);
  return NULL;
}

static void start_echo(struct echo *echo) {
  *echo = (struct echo){.n_echoed = 0};
  sp_wire_boot(echo->boot);
  assert_int_equal(pthread_create(&echo->thread, NULL, run_echo, echo), 0);
}
static void stop_echo(struct echo *echo) {
  atomic_store(&echo->is_stopped, true);
  pthread_join(echo->thread, NULL);
}

// --- The driver under test ---

struct bench {
  struct sp_kafka_driver_env env;
  struct sp_kafka_driver *driver;
  struct sp_stream stream;
  int64_t intended_ns[N_EVENTS];
};

static void prepare(struct bench *bench) {
  memset(bench, 0, sizeof *bench);
  for (int64_t i = 0; i < N_EVENTS; i++) bench->intended_ns[i] = 1000 * i;
  bench->env = (struct sp_kafka_driver_env){.kafka = {.brokers = sp_mock_address(mock),
                                                      .input = input,
                                                      .output = output,
                                                      .connect_timeout_ns = LONG_NS,
                                                      .is_mock = true},
                                            .n_events = N_EVENTS,
                                            .intended_ns = bench->intended_ns,
                                            .value_bound = VALUE_BOUND,
                                            .sends = true,
                                            .collects = true};
  memcpy(bench->env.kafka.run, run, sizeof run);
}
static void open_bench(struct bench *bench) {
  struct sp_error error = {0};
  if (sp_kafka_driver_new(&bench->env, &bench->driver, &bench->stream, &error)) fail_msg("%s", error.text);
  sp_kafka_driver_origin(bench->driver, 1000000);
}
static void close_bench(struct bench *bench) {
  sp_stream_close(&bench->stream);
  sp_kafka_driver_free(bench->driver);
}

static bool send_event(struct bench *bench, uint64_t id, struct sp_bytes key, struct sp_bytes value) {
  struct sp_delivery event = {.id = id, .sent_ns = sp_now_ns(), .partition = -1, .key = key, .value = value};
  return sp_stream_send(&bench->stream, &event);
}

// The next reply, copied, since the next call takes it back.
static struct sp_reply *next_reply(struct bench *bench) {
  static union {
    struct sp_reply reply;
    uint8_t bytes[sizeof(struct sp_reply) + VALUE_BOUND];
  } copy;
  struct sp_reply *reply;
  if (!sp_stream_receive(&bench->stream, &reply, 1, sp_now_ns() + LONG_NS)) fail_msg("no reply came");
  memcpy(&copy, reply, sizeof *reply);
  memcpy(copy.reply.value, reply->value, reply->value_bytes);
  return &copy.reply;
}

static void test_round_trip(void **state) {
  (void)state;
  struct bench bench;
  struct echo echo;
  prepare(&bench);
  open_bench(&bench);
  assert_int_equal(sp_kafka_driver_partitions(bench.driver), N_PARTITIONS);
  start_echo(&echo);
  static char values[N_EVENTS][16];
  for (uint64_t i = 0; i < N_EVENTS; i++) {
    int n = snprintf(values[i], sizeof values[i], "value %u", (unsigned)i);
    struct sp_bytes key = i % 2 ? sp_bytes_of(values[i % 7], 7) : (struct sp_bytes){NULL, 0};
    assert_true(send_event(&bench, i, key, sp_bytes_of(values[i], (size_t)n)));
  }
  static bool seen[N_EVENTS];
  for (size_t n = 0; n < N_EVENTS;) {
    struct sp_reply *replies[64];
    size_t n_got = sp_stream_receive(&bench.stream, replies, 64, sp_now_ns() + LONG_NS);
    assert_true(n_got > 0);
    int64_t now_ns = sp_now_ns();
    for (size_t i = 0; i < n_got; i++, n++) {
      const struct sp_reply *reply = replies[i];
      assert_true(reply->id < N_EVENTS && !seen[reply->id]);
      seen[reply->id] = true;
      assert_int_equal(reply->outcome, SP_OUTCOME_NONE);
      assert_int_equal(reply->value_bytes, strlen(values[reply->id]));
      assert_memory_equal(reply->value, values[reply->id], reply->value_bytes);
      assert_int_equal(reply->intended_ns, 1000000 + 1000 * (int64_t)reply->id);
      assert_true(reply->sent_ns > 0 && reply->sent_ns <= reply->held_ns && reply->held_ns < now_ns);
      assert_int_equal(reply->encoded_ns, reply->held_ns + 4);
      assert_int_equal(reply->server_ns, -1);
    }
  }
  stop_echo(&echo);
  struct sp_reply *none;
  assert_int_equal(sp_stream_receive(&bench.stream, &none, 1, sp_now_ns() + SP_NS_PER_S / 5),
                   0); // acknowledgements
  struct sp_stream_facts facts;
  sp_stream_facts_take(&bench.stream, &facts);
  assert_int_equal(facts.n_acknowledged, N_EVENTS);
  assert_int_equal(facts.n_dropped, 0);
  assert_true(facts.replies_peak < facts.replies_room && facts.replies_room >= 100000);
  close_bench(&bench);
}

// Whatever is on the topic already is not received, and what an application answers to another run is alien.
static void test_forged(void **state) {
  (void)state;
  struct bench bench;
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  produce(rk, 0, "old", 3, headers_of(run, 0));
  assert_int_equal(rd_kafka_flush(rk, 10000), 0);
  prepare(&bench);
  open_bench(&bench);
  assert_true(send_event(&bench, 5, (struct sp_bytes){NULL, 0}, sp_bytes_of_text("sent")));

  uint8_t other[SP_RUN_BYTES] = "another test run";
  rd_kafka_headers_t *twice = headers_of(run, 5), *short_id = rd_kafka_headers_new(2),
                     *no_run = rd_kafka_headers_new(1);
  uint8_t bytes[8];
  sp_wire_put_id(5, bytes);
  rd_kafka_header_add(twice, SP_HEADER_ID, -1, bytes, sizeof bytes);
  rd_kafka_header_add(short_id, SP_HEADER_ID, -1, bytes, 7);
  rd_kafka_header_add(short_id, SP_HEADER_RUN, -1, run, sizeof run);
  rd_kafka_header_add(no_run, SP_HEADER_ID, -1, bytes, sizeof bytes);
  produce(rk, 0, "v", 1, rd_kafka_headers_new(1));     // none at all
  produce(rk, 0, "v", 1, headers_of(other, 5));        // another run
  produce(rk, 0, "v", 1, headers_of(run, N_EVENTS));   // no event of the schedule
  produce(rk, 0, "v", 1, headers_of(run, UINT64_MAX)); //
  produce(rk, 0, "v", 1, headers_of(run, 6));          // not sent yet
  produce(rk, 0, "v", 1, twice);
  produce(rk, 0, "v", 1, short_id);
  produce(rk, 0, "v", 1, no_run);
  produce(rk, 0, "mine", 4, headers_of(run, 5));
  for (int i = 0; i < 8; i++) assert_true(next_reply(&bench)->id == SP_REPLY_ALIEN);
  const struct sp_reply *mine = next_reply(&bench);
  assert_int_equal(mine->id, 5);
  assert_memory_equal(mine->value, "mine", 4);
  assert_int_equal(mine->held_ns, 0); // no stages
  rd_kafka_flush(rk, 10000);
  rd_kafka_destroy(rk);
  close_bench(&bench);
}

static rd_kafka_headers_t *with(uint64_t id, const char *name, const void *bytes, size_t n) {
  rd_kafka_headers_t *headers = headers_of(run, id);
  rd_kafka_header_add(headers, name, -1, bytes, (ssize_t)n);
  return headers;
}

static void test_odd_answers(void **state) {
  (void)state;
  struct bench bench;
  prepare(&bench);
  open_bench(&bench);
  for (uint64_t i = 0; i < 10; i++)
    assert_true(send_event(&bench, i, (struct sp_bytes){NULL, 0}, sp_bytes_of_text("sent")));
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  size_t n_large = 1 << 20;
  char *large = sp_alloc(n_large);
  uint8_t boot[SP_BOOT_BYTES], future[SP_STAGES_BYTES], long_away[SP_STAGES_BYTES], half[SP_STAGES_BYTES],
      outcome[SP_OUTCOME_BYTES];
  sp_wire_boot(boot);
  int64_t late_ns = sp_now_ns() + 3600 * SP_NS_PER_S;
  sp_wire_put_stages(&(struct sp_reply){.held_ns = late_ns, .encoded_ns = late_ns + 5}, boot, future);
  // Another machine's: an hour of prediction within an instant. This one's: taken in an hour, and nothing behind.
  sp_wire_put_stages(&(struct sp_reply){.held_ns = 1, .dispatched_ns = 2, .answered_ns = 3600 * SP_NS_PER_S},
                     (const uint8_t *)"another machine.", long_away);
  sp_wire_put_stages(&(struct sp_reply){.held_ns = sp_now_ns(), .taken_ns = late_ns}, boot, half);
  struct sp_reply failed = {.outcome = SP_OUTCOME_REJECTED, .code = 8, .text = "too many"};
  size_t n_outcome = sp_wire_put_outcome(&failed, outcome);
  produce(rk, 0, NULL, 0, headers_of(run, 0));
  produce(rk, 0, large, n_large, headers_of(run, 1));
  produce(rk, 0, "", 0, with(2, SP_HEADER_OUTCOME, "ok\0000\0", 5)); // nobody but the driver says ok
  produce(rk, 0, "", 0, with(3, SP_HEADER_OUTCOME, outcome, n_outcome));
  produce(rk, 0, "v", 1, with(4, SP_HEADER_STAGES, "garbled", 7));
  produce(rk, 0, "v", 1, with(5, SP_HEADER_STAGES, future, sizeof future));
  produce(rk, 0, large, VALUE_BOUND, headers_of(run, 6));
  produce(rk, 0, "", 0, headers_of(run, 7));
  produce(rk, 0, "v", 1, with(8, SP_HEADER_STAGES, long_away, sizeof long_away));
  produce(rk, 0, "v", 1, with(9, SP_HEADER_STAGES, half, sizeof half));

  const struct sp_reply *reply = next_reply(&bench);
  assert_true(reply->id == 0 && reply->outcome == SP_OUTCOME_MALFORMED && strstr(reply->text, "tombstone"));
  reply = next_reply(&bench);
  assert_true(reply->id == 1 && reply->outcome == SP_OUTCOME_MALFORMED &&
              strstr(reply->text, "1048576 bytes"));
  reply = next_reply(&bench);
  assert_true(reply->id == 2 && reply->outcome == SP_OUTCOME_MALFORMED && strstr(reply->text, "sp-outcome"));
  reply = next_reply(&bench);
  assert_true(reply->id == 3 && reply->outcome == SP_OUTCOME_REJECTED && reply->code == 8);
  assert_string_equal(reply->text, "too many");
  for (uint64_t id = 4; id < 6; id++) {
    reply = next_reply(&bench);
    assert_true(reply->id == id && reply->outcome == SP_OUTCOME_NONE && reply->held_ns == 0);
  }
  reply = next_reply(&bench);
  assert_true(reply->id == 6 && reply->outcome == SP_OUTCOME_NONE && reply->value_bytes == VALUE_BOUND);
  reply = next_reply(&bench);
  assert_true(reply->id == 7 && reply->outcome == SP_OUTCOME_NONE && reply->value_bytes == 0);
  for (uint64_t id = 8; id < 10; id++) {
    reply = next_reply(&bench);
    assert_true(reply->id == id && !reply->held_ns && !reply->taken_ns && !reply->answered_ns);
  }
  rd_kafka_flush(rk, 10000);
  rd_kafka_destroy(rk);
  free(large);
  close_bench(&bench);
}

// 1 MiB goes out and comes back; what the client refuses at once comes back as an answer too.
static void test_large(void **state) {
  (void)state;
  struct bench bench;
  struct echo echo;
  size_t n_large = 1 << 20, n_huge = 11 << 20;
  char *large = sp_alloc(n_huge);
  memset(large, 'x', n_huge);
  prepare(&bench);
  bench.env.value_bound = n_large;
  open_bench(&bench);
  start_echo(&echo);
  struct sp_reply *reply;
  assert_true(send_event(&bench, 0, (struct sp_bytes){NULL, 0}, sp_bytes_of(large, n_huge)));
  assert_int_equal(sp_stream_receive(&bench.stream, &reply, 1, sp_now_ns() + LONG_NS), 1);
  assert_true(reply->id == 0 && reply->outcome == SP_OUTCOME_UNAVAILABLE && strstr(reply->text, "large"));
  assert_true(send_event(&bench, 1, (struct sp_bytes){NULL, 0}, sp_bytes_of(large, n_large)));
  assert_int_equal(sp_stream_receive(&bench.stream, &reply, 1, sp_now_ns() + LONG_NS), 1);
  assert_true(reply->id == 1 && reply->outcome == SP_OUTCOME_NONE && reply->value_bytes == n_large);
  assert_memory_equal(reply->value, large, n_large);
  stop_echo(&echo);
  close_bench(&bench);
  free(large);
}

// A broker that goes away while events are under way: each comes back, in bounded time.
static void test_broker_goes(void **state) {
  (void)state;
  struct bench bench;
  struct sp_property timeout = {(char[]){"message.timeout.ms"}, (char[]){"300"}};
  struct sp_properties producer = {&timeout, 1};
  struct sp_mock *own;
  struct sp_error error;
  assert_int_equal(sp_mock_new(&own, &error), 0);
  assert_int_equal(sp_mock_topic(own, input, 1, &error), 0);
  assert_int_equal(sp_mock_topic(own, output, 1, &error), 0);
  prepare(&bench);
  bench.env.kafka.brokers = sp_mock_address(own);
  bench.env.kafka.producer = &producer;
  open_bench(&bench);
  sp_mock_free(own);
  for (uint64_t i = 0; i < 100; i++)
    assert_true(send_event(&bench, i, (struct sp_bytes){NULL, 0}, sp_bytes_of_text("sent")));
  uint64_t sum = 0;
  for (int i = 0; i < 100; i++) {
    const struct sp_reply *reply = next_reply(&bench);
    assert_int_equal(reply->outcome, SP_OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(reply->text, "imed out"));
    assert_true(reply->sent_ns > 0);
    sum += reply->id;
  }
  assert_int_equal(sum, 99 * 100 / 2);
  close_bench(&bench);
}

static void test_full_queue_sheds(void **state) {
  (void)state;
  struct bench bench;
  struct sp_property properties[] = {{(char[]){"queue.buffering.max.messages"}, (char[]){"10"}},
                                     {(char[]){"linger.ms"}, (char[]){"60000"}},
                                     {(char[]){"message.timeout.ms"}, (char[]){"90000"}}};
  struct sp_properties producer = {properties, 3};
  prepare(&bench);
  bench.env.kafka.producer = &producer;
  open_bench(&bench);
  size_t n_sent = 0;
  int64_t begun_ns = sp_now_ns();
  for (uint64_t i = 0; i < 100; i++)
    n_sent += send_event(&bench, i, (struct sp_bytes){NULL, 0}, sp_bytes_of_text("sent"));
  assert_int_equal(n_sent, 10);
  assert_true(sp_now_ns() - begun_ns < 5 * SP_NS_PER_S); // it never waited for room
  close_bench(&bench);
}

// --only: one process sends, another reads its share of the partitions.
static void test_halves(void **state) {
  (void)state;
  struct bench sender, reader;
  struct echo echo;
  const int32_t share[] = {2, 0};
  prepare(&sender);
  prepare(&reader);
  sender.env.collects = false;
  reader.env.sends = false;
  reader.env.partitions = share;
  reader.env.n_partitions = 2;
  open_bench(&reader);
  open_bench(&sender);
  assert_int_equal(sp_kafka_driver_partitions(reader.driver), N_PARTITIONS);
  start_echo(&echo);
  for (uint64_t i = 0; i < 30; i++)
    assert_true(send_event(&sender, i, (struct sp_bytes){NULL, 0}, sp_bytes_of_text("sent")));
  int64_t begun_ns = sp_now_ns();
  for (int i = 0; i < 20; i++) {
    const struct sp_reply *reply = next_reply(&reader);
    assert_true(sp_now_ns() - begun_ns < LONG_NS); // messages wake it; it does not find them at its deadline
    assert_true(reply->id < 30 && reply->id % N_PARTITIONS != 1); // without a key the id says where
    assert_int_equal(reply->intended_ns, 1000000 + 1000 * (int64_t)reply->id);
    assert_int_equal(reply->sent_ns, reply->intended_ns);
  }
  struct sp_reply *none;
  struct sp_stream_facts facts;
  assert_int_equal(sp_stream_receive(&reader.stream, &none, 1, sp_now_ns() + SP_NS_PER_S / 10), 0);
  assert_int_equal(sp_stream_receive(&sender.stream, &none, 1, sp_now_ns() + SP_NS_PER_S / 10), 0);
  sp_stream_facts_take(&sender.stream, &facts);
  assert_int_equal(facts.n_acknowledged, 30);
  sp_stream_facts_take(&reader.stream, &facts);
  assert_int_equal(facts.n_acknowledged, -1);
  stop_echo(&echo);
  close_bench(&sender);
  close_bench(&reader);
}

// Nobody reads, and the broker keeps about 5 MB: what it drops is counted.
static void test_dropped(void **state) {
  (void)state;
  struct bench bench;
  size_t n_large = 1 << 19;
  char *large = sp_alloc(n_large);
  prepare(&bench);
  open_bench(&bench);
  struct sp_stream_facts facts;
  struct sp_reply *none;
  for (uint64_t i = 0; i < 16; i++) {
    struct sp_delivery event = {
        .id = i, .sent_ns = sp_now_ns(), .partition = 1, .value = sp_bytes_of(large, n_large)};
    assert_true(sp_stream_send(&bench.stream, &event));
    // One batch each: the mock drops whole batches.
    do {
      assert_int_equal(sp_stream_receive(&bench.stream, &none, 1, sp_now_ns() + SP_NS_PER_MS), 0);
      sp_stream_facts_take(&bench.stream, &facts);
    } while (facts.n_acknowledged <= (int64_t)i);
  }
  assert_true(facts.n_dropped >= 5 && facts.n_dropped < 16);
  close_bench(&bench);
  free(large);
}

// Copies of one answer do not stand for the answers to events that the broker dropped.
static void test_copies_hide_nothing(void **state) {
  (void)state;
  struct bench bench;
  size_t n_large = 1 << 19;
  char *large = sp_alloc(n_large);
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, NULL);
  prepare(&bench);
  open_bench(&bench);
  struct sp_stream_facts facts;
  for (uint64_t i = 0; i < 16; i++) {
    struct sp_delivery event = {
        .id = i, .sent_ns = sp_now_ns(), .partition = 1, .value = sp_bytes_of(large, n_large)};
    assert_true(sp_stream_send(&bench.stream, &event));
    produce(rk, 0, "answer", 6, headers_of(run, 0)); // always to the first
    assert_int_equal(next_reply(&bench)->id, 0);
    do {
      struct sp_reply *none;
      assert_int_equal(sp_stream_receive(&bench.stream, &none, 1, sp_now_ns() + SP_NS_PER_MS), 0);
      sp_stream_facts_take(&bench.stream, &facts);
    } while (facts.n_acknowledged <= (int64_t)i);
  }
  assert_true(facts.n_dropped >= 5 && facts.n_dropped < 16);
  assert_int_equal(rd_kafka_flush(rk, 10000), 0);
  rd_kafka_destroy(rk);
  close_bench(&bench);
  free(large);
}

static void *close_soon(void *context) {
  struct bench *bench = context;
  usleep(50000);
  sp_stream_close(&bench->stream);
  return NULL;
}

static void test_close_wakes(void **state) {
  (void)state;
  struct bench bench;
  pthread_t closer;
  struct sp_reply *reply;
  prepare(&bench);
  open_bench(&bench);
  int64_t begun_ns = sp_now_ns();
  assert_int_equal(pthread_create(&closer, NULL, close_soon, &bench), 0);
  assert_int_equal(sp_stream_receive(&bench.stream, &reply, 1, INT64_MAX), 0);
  assert_true(sp_now_ns() - begun_ns < LONG_NS);
  pthread_join(closer, NULL);
  assert_int_equal(sp_stream_receive(&bench.stream, &reply, 1, INT64_MAX), 0); // and those to come
  sp_kafka_driver_free(bench.driver);
}

// --- Refusals ---

static void refused(struct bench *bench, enum sp_err expected, const char *part, int64_t within_ns) {
  struct sp_error error = {0};
  int64_t begun_ns = sp_now_ns();
  assert_int_equal(sp_kafka_driver_new(&bench->env, &bench->driver, &bench->stream, &error), expected);
  if (!strstr(error.text, part)) fail_msg("\"%s\" does not say \"%s\"", error.text, part);
  if (sp_now_ns() - begun_ns > within_ns) fail_msg("took too long: %s", error.text);
}

static void test_unknown_topic(void **state) {
  (void)state;
  struct bench bench;
  prepare(&bench);
  bench.env.kafka.output = "nobody-made-this";
  refused(&bench, SP_ERR_ENVIRONMENT, "has no topic nobody-made-this", 10 * SP_NS_PER_S);
}

static void test_no_broker(void **state) {
  (void)state;
  struct bench bench;
  prepare(&bench);
  bench.env.kafka.brokers = "127.0.0.1:1";
  bench.env.kafka.connect_timeout_ns = SP_NS_PER_S;
  refused(&bench, SP_ERR_ENVIRONMENT,
          "cannot reach broker 127.0.0.1:1 (Connect to ipv4#127.0.0.1:1 failed: Connection refused",
          5 * SP_NS_PER_S);
}

static void refuse_property(const char *name, const char *value, bool is_producer, const char *part) {
  struct bench bench;
  struct sp_property property = {(char *)(uintptr_t)name, (char *)(uintptr_t)value};
  struct sp_properties properties = {&property, 1};
  prepare(&bench);
  *(is_producer ? &bench.env.kafka.producer : &bench.env.kafka.consumer) = &properties;
  refused(&bench, SP_ERR_USAGE, part, 10 * SP_NS_PER_S);
}

static void test_properties(void **state) {
  (void)state;
  refuse_property("linger.sm", "1", true,
                  "kafka.producer.linger.sm: librdkafka has no such property; did you mean linger.ms?");
  refuse_property("linger.ms", "soon", true, "kafka.producer.linger.ms: librdkafka refuses the value");
  refuse_property("metadata.broker.list", "elsewhere:9092", true, "servepath sets this itself");
  refuse_property("group.id", "mine", false, "servepath sets this itself");
  refuse_property("acks", "1", true, "lay enable.idempotence=false over them");
  refuse_property("linger.ms", "1", false, "kafka.consumer.linger.ms: a property of producers");
  struct sp_property linger = {(char[]){"linger.ms"}, (char[]){"1"}};
  struct sp_properties both = {&linger, 1}; // as -X linger.ms=1 does
  struct bench meant;
  prepare(&meant);
  meant.env.kafka.producer = meant.env.kafka.consumer = &both;
  open_bench(&meant);
  close_bench(&meant);
  struct sp_property login[] = {{(char[]){"sasl.password"}, (char[]){"hush"}},
                                {(char[]){"max.in.flight"}, (char[]){"5"}}};
  struct sp_properties producer = {login, 2};
  struct bench bench;
  prepare(&bench);
  bench.env.kafka.producer = &producer;
  char *json = sp_kafka_properties_json(&bench.env.kafka);
  assert_null(strstr(json, "hush"));
  assert_non_null(strstr(json, "\"sasl.password\":\"***\""));
  assert_non_null(strstr(json, "\"max.in.flight\":\"5\""));
  assert_non_null(strstr(json, "\"fetch.wait.max.ms\":\"1\""));
  free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_round_trip, make_topics),
      cmocka_unit_test_setup(test_forged, make_topics),
      cmocka_unit_test_setup(test_odd_answers, make_topics),
      cmocka_unit_test_setup(test_large, make_topics),
      cmocka_unit_test_setup(test_broker_goes, make_topics),
      cmocka_unit_test_setup(test_full_queue_sheds, make_topics),
      cmocka_unit_test_setup(test_halves, make_topics),
      cmocka_unit_test_setup(test_dropped, make_topics),
      cmocka_unit_test_setup(test_copies_hide_nothing, make_topics),
      cmocka_unit_test_setup(test_close_wakes, make_topics),
      cmocka_unit_test_setup(test_unknown_topic, make_topics),
      cmocka_unit_test_setup(test_no_broker, make_topics),
      cmocka_unit_test_setup(test_properties, make_topics),
  };
  return cmocka_run_group_tests_name("kafka_driver", tests, start_mock, end_mock);
}
