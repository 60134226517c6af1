// Answers of an application that keeps no headers, over librdkafka's mock cluster and through the production collector: what is
// swapped, dropped or doubled shows as what it is, and never as ok.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "replay/collector.h"
#include "stream/kafka.h"
#include "stream/wire.h"
#include "support/kafka_bed.h"
#include "trial/field.h"

#define LONG_NS    (20 * SP_NS_PER_S) // who waits so long has missed something
#define N_RECORDED 20                 // replayed twice
#define N_EVENTS   40
#define N_KEYS     4 // event i has key i % 4: ten of each

static const uint8_t run[SP_RUN_BYTES] = "run of this test", other_run[SP_RUN_BYTES] = "run of yesterday";
static const struct sp_bytes none = {NULL, 0};

// --- The application: reads every event, then answers them as the test wants, without our headers ---

struct answer {
  int32_t partition;
  struct sp_bytes key;
  char value[32];
};
struct application {
  rd_kafka_t *producer;
  rd_kafka_topic_t *topic;         // of producer
  struct answer answers[N_EVENTS]; // what it would say, [event, 100 + event], and where
  size_t n_produced;
};

// A first produce to a topic that the client does not know stalls.
static void open_producer(struct application *app) {
  const struct rd_kafka_metadata *metadata;
  app->producer = client(RD_KAFKA_PRODUCER, NULL);
  app->topic = rd_kafka_topic_new(app->producer, output, NULL);
  assert_int_equal(rd_kafka_metadata(app->producer, 0, app->topic, &metadata, 20000), 0);
  rd_kafka_metadata_destroy(metadata);
}

static void read_event(struct application *app, rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  const void *bytes;
  size_t n_bytes;
  uint64_t id;
  assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
  assert_int_equal(rd_kafka_header_get_last(headers, SP_HEADER_ID, &bytes, &n_bytes), 0);
  assert_true(sp_wire_get_id(sp_bytes_of(bytes, n_bytes), &id) && id < N_EVENTS);
  struct answer *answer = &app->answers[id];
  assert_int_equal(answer->value[0], '\0');
  answer->partition = message->partition;
  if (message->key) {
    void *key = sp_alloc(message->key_len);
    answer->key = sp_bytes_of(memcpy(key, message->key, message->key_len), message->key_len);
  }
  unsigned recorded = (unsigned)(id % N_RECORDED);
  snprintf(answer->value, sizeof answer->value, "[%u,%u]", recorded, 100 + recorded);
}

static void read_events(struct application *app) {
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, NULL);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, input, NULL);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
  for (int32_t i = 0; i < N_PARTITIONS; i++)
    rd_kafka_consume_start_queue(topic, i, RD_KAFKA_OFFSET_BEGINNING, queue);
  for (size_t n = 0; n < N_EVENTS;) {
    rd_kafka_message_t *message = rd_kafka_consume_queue(queue, 20000);
    assert_non_null(message);
    if (!message->err) { // otherwise of the partition
      read_event(app, message);
      n++;
    }
    rd_kafka_message_destroy(message);
  }
  for (int32_t i = 0; i < N_PARTITIONS; i++) rd_kafka_consume_stop(topic, i);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(consumer);
}

static void produce(struct application *app, const struct answer *answer, const uint8_t *of_run) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
  rd_kafka_header_add(headers, "their-own", -1, "x", 1);
  if (of_run) rd_kafka_header_add(headers, SP_HEADER_RUN, -1, of_run, SP_RUN_BYTES);
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = app->topic},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = answer->partition},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)answer->key.data, answer->key.n}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)answer->value, strlen(answer->value)}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
  };
  assert_null(rd_kafka_produceva(app->producer, parts, sizeof parts / sizeof *parts));
  app->n_produced++;
}
static void answer(struct application *app, size_t event) {
  produce(app, &app->answers[event], NULL);
}
// In the order of events, that of `dropped` not and that of `doubled` twice; N_EVENTS: none.
static void answer_all(struct application *app, size_t dropped, size_t doubled) {
  for (size_t i = 0; i < N_EVENTS; i++) {
    if (i != dropped) answer(app, i);
    if (i == doubled) answer(app, i);
  }
}
// The answers to two events, each with the other's scores: what a batch that is mixed up would say.
static void swap_scores(struct application *app, size_t a, size_t b) {
  size_t ra = a % N_RECORDED, rb = b % N_RECORDED;
  snprintf(app->answers[a].value, sizeof app->answers[a].value, "[%zu,%zu]", ra, 100 + rb);
  snprintf(app->answers[b].value, sizeof app->answers[b].value, "[%zu,%zu]", rb, 100 + ra);
}

static void close_application(struct application *app) {
  rd_kafka_flush(app->producer, 10000);
  rd_kafka_topic_destroy(app->topic);
  rd_kafka_destroy(app->producer);
  for (size_t i = 0; i < N_EVENTS; i++) free((void *)(uintptr_t)app->answers[i].key.data);
}

// --- The driver: production matcher, collector and books ---

struct bench {
  char values[N_RECORDED][32], keys[N_KEYS][8];
  struct sp_event events[N_RECORDED];
  struct sp_recording recording;
  struct sp_bytes tokens[N_RECORDED];
  char fields[N_RECORDED][8];
  struct sp_field *field, *value; // of answers; value NULL: the prediction is all of it
  struct sp_matcher *matcher;
  int64_t intended_ns[N_EVENTS];
  struct sp_schedule schedule;
  struct sp_kafka_driver *driver;
  struct sp_stream stream;
  struct sp_clock clock;
  struct sp_tally tally;
  struct sp_event_states states;
  struct sp_key_order order;
  double scores[2 * N_RECORDED];
  unsigned char known[N_RECORDED];
  struct sp_expected expected;
  struct sp_expect_conf conf;
  struct sp_checker checker;
  struct sp_gate done_gate;
  struct sp_collector collector;
  struct application app;
};

static bool take_field(void *field, struct sp_bytes value, struct sp_bytes *taken) {
  return sp_field_take(field, value, taken);
}

static bool take_value(void *field, struct sp_bytes value, struct sp_bytes *taken) {
  return sp_field_take_raw(field, value, taken);
}

static void record(struct bench *b, bool has_keys) {
  for (unsigned i = 0; i < N_KEYS; i++) snprintf(b->keys[i], sizeof b->keys[i], "key-%u", i);
  for (unsigned i = 0; i < N_RECORDED; i++) {
    snprintf(b->values[i], sizeof b->values[i], "{\"id\": \"%u\"}", i);
    snprintf(b->fields[i], sizeof b->fields[i], "%u", i);
    b->events[i] = (struct sp_event){.key = has_keys ? sp_bytes_of_text(b->keys[i % N_KEYS]) : none,
                                     .value = sp_bytes_of_text(b->values[i])};
    b->scores[2 * i] = i;
    b->scores[2 * i + 1] = 100 + i;
    b->known[i] = 1;
  }
  b->recording = (struct sp_recording){.n_events = N_RECORDED, .events = b->events};
  b->expected =
      (struct sp_expected){.n_events = N_RECORDED, .n_values = 2, .values = b->scores, .known = b->known};
}

static void open_matcher(struct bench *b, enum sp_matcher_by by) {
  struct sp_field *of_events;
  struct sp_error error;
  assert_int_equal(sp_field_new("/id", NULL, "match_input", &of_events, &error), 0);
  for (unsigned i = 0; i < N_RECORDED; i++) {
    struct sp_bytes taken;
    assert_true(sp_field_take(of_events, b->events[i].value, &taken));
    assert_true(sp_bytes_equal(taken, sp_bytes_of_text(b->fields[i])));
    b->tokens[i] = by == SP_MATCHER_FIELD ? sp_bytes_of_text(b->fields[i]) : b->events[i].key;
  }
  sp_field_free(of_events);
  b->matcher = sp_matcher_new(&(struct sp_matcher_conf){.by = by,
                                                        .tokens = b->tokens,
                                                        .n_recorded = N_RECORDED,
                                                        .n_partitions = N_PARTITIONS,
                                                        .take_field = take_field,
                                                        .context = b->field});
}

static void open_collector(struct bench *b) {
  const struct sp_output_conf output_conf = {
      .format = SP_OUTPUT_JSON, .as = SP_OUTPUT_AS_ARRAY, .tensor = "y"};
  const struct sp_tensor_spec spec = {.name = "y", .dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, 2}};
  struct sp_encoder *encoder;
  assert_int_equal(sp_encoder_new(&output_conf, &spec, &encoder, &(struct sp_error){0}), 0);
  b->conf = (struct sp_expect_conf){.abs = 1e-3};
  b->checker = (struct sp_checker){
      .encoder = encoder, .expected = &b->expected, .conf = &b->conf, .n_recorded = N_RECORDED};
  sp_event_states_init(&b->states, N_EVENTS, false);
  sp_key_order_init(&b->order, &b->recording);
  b->collector = (struct sp_collector){.clock = &b->clock,
                                       .schedule = &b->schedule,
                                       .stream = &b->stream,
                                       .tally = &b->tally,
                                       .states = &b->states,
                                       .order = &b->order,
                                       .checker = &b->checker,
                                       .meter = sp_meter_new(),
                                       .done_gate = &b->done_gate};
}

static enum sp_err open_driver(struct bench *b, struct sp_error *error) {
  struct sp_kafka_driver_env env = {.kafka = {.brokers = sp_mock_address(mock),
                                              .input = input,
                                              .output = output,
                                              .connect_timeout_ns = LONG_NS,
                                              .is_mock = true},
                                    .n_events = N_EVENTS,
                                    .intended_ns = b->intended_ns,
                                    .value_bound = 256,
                                    .sends = true,
                                    .collects = true,
                                    .matcher = b->matcher,
                                    .take_value = b->value ? take_value : NULL,
                                    .take_context = b->value};
  memcpy(env.kafka.run, run, sizeof run);
  return sp_kafka_driver_new(&env, &b->driver, &b->stream, error);
}

// Every event is sent, and the application has them all.
static struct bench *start_with(enum sp_matcher_by by, bool has_keys, const char *of_answer,
                                const char *of_prediction) {
  struct bench *b = sp_alloc(sizeof *b);
  struct sp_error error;
  record(b, has_keys);
  assert_int_equal(sp_field_new(of_answer, NULL, "match_output", &b->field, &error), 0);
  if (of_prediction) assert_int_equal(sp_field_new(of_prediction, NULL, "match_value", &b->value, &error), 0);
  b->schedule = (struct sp_schedule){.n_events = N_EVENTS, .intended_ns = b->intended_ns, .t1_ns = 1};
  open_matcher(b, by);
  if (open_driver(b, &error)) fail_msg("%s", error.text);
  open_collector(b);
  b->collector.origin_ns = sp_now_ns();
  sp_kafka_driver_origin(b->driver, b->collector.origin_ns);
  for (uint64_t i = 0; i < N_EVENTS; i++) {
    const struct sp_event *event = &b->events[i % N_RECORDED];
    const struct sp_delivery delivery = {
        .id = i, .sent_ns = sp_now_ns(), .partition = -1, .key = event->key, .value = event->value};
    sp_event_state_set_sent(&b->states, i);
    assert_true(sp_stream_send(&b->stream, &delivery));
  }
  read_events(&b->app);
  open_producer(&b->app);
  return b;
}

static struct bench *start(enum sp_matcher_by by, bool has_keys) {
  return start_with(by, has_keys, "/0", NULL);
}

// Until every answer that was produced has come.
static struct sp_matcher_facts collect(struct bench *b) {
  struct sp_matcher_facts facts;
  int64_t deadline_ns = sp_now_ns() + LONG_NS;
  for (size_t n = 0; n < b->app.n_produced;) {
    n += sp_collector_step(&b->collector, deadline_ns);
    if (sp_now_ns() >= deadline_ns) fail_msg("%zu of %zu answers came", n, b->app.n_produced);
  }
  sp_kafka_driver_matched(b->driver, &facts);
  return facts;
}

static void end(struct bench *b) {
  close_application(&b->app);
  sp_stream_close(&b->stream);
  sp_kafka_driver_free(b->driver);
  sp_matcher_free(b->matcher);
  sp_field_free(b->field);
  sp_field_free(b->value);
  sp_encoder_free((struct sp_encoder *)(uintptr_t)b->checker.encoder);
  sp_meter_free(b->collector.meter);
  sp_key_order_done(&b->order);
  sp_event_states_done(&b->states);
  free(b);
}

// Outcomes of the sent events; those under way have no answer. And how many answers were of no event.
static void expect(const struct bench *b, int n_ok, int n_mismatch, int n_unanswered, int n_alien) {
  int n[256] = {0};
  for (size_t i = 0; i < N_EVENTS; i++) n[sp_event_state(&b->states, i)]++;
  assert_int_equal(n[SP_OUTCOME_OK], n_ok);
  assert_int_equal(n[SP_OUTCOME_MISMATCH], n_mismatch);
  assert_int_equal(n[SP_STATE_SENT], n_unanswered);
  assert_int_equal(n_ok + n_mismatch + n_unanswered, N_EVENTS);
  assert_int_equal(sp_meter_flag_count(b->collector.meter, SP_FLAG_ALIEN), n_alien);
  assert_int_equal(sp_meter_flag_count(b->collector.meter, SP_FLAG_DUPLICATE), 0);
}

// --- By key ---

static void keys_may_overtake_each_other(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_KEY, true);
  for (size_t key = N_KEYS; key-- > 0;) {
    for (size_t i = key; i < N_EVENTS; i += N_KEYS) answer(&b->app, i);
  }
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS, 0, 0, 0);
  assert_int_equal(facts.n_matched, N_EVENTS);
  assert_int_equal(facts.n_unsure, 0);
  end(b);
}

static void answers_swapped_across_keys_are_mismatches(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_KEY, true);
  swap_scores(&b->app, 5, 6);
  answer_all(&b->app, N_EVENTS, N_EVENTS);
  collect(b);
  expect(b, N_EVENTS - 2, 2, 0, 0);
  assert_int_equal(sp_event_state(&b->states, 5), SP_OUTCOME_MISMATCH);
  assert_int_equal(sp_event_state(&b->states, 6), SP_OUTCOME_MISMATCH);
  end(b);
}

// Events 1, 5, 9, ... 37 have one key. From the loss on its answers are one off, and it says for how many that may be so.
static void a_loss_shifts_its_key_alone(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_KEY, true);
  answer_all(&b->app, 5, N_EVENTS);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS - 9, 8, 1, 0);
  assert_int_equal(sp_event_state(&b->states, 1), SP_OUTCOME_OK);
  assert_int_equal(sp_event_state(&b->states, 5), SP_OUTCOME_MISMATCH);
  assert_int_equal(sp_event_state(&b->states, 37), SP_STATE_SENT);
  assert_int_equal(facts.n_unsure, 9);
  end(b);
}

static void a_copy_is_taken_for_the_next_answer(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_KEY, true);
  answer_all(&b->app, N_EVENTS, 33);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS - 1, 1, 0, 1); // 37 got the copy of 33's answer, and its own was one too many
  assert_int_equal(sp_event_state(&b->states, 37), SP_OUTCOME_MISMATCH);
  assert_int_equal(facts.n_surplus, 1);
  assert_int_equal(facts.n_unsure, 10);
  end(b);
}

static void answers_of_others_are_alien(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_KEY, true);
  struct answer stray = {0, sp_bytes_of_text("key-99"), "[0,100]"};
  produce(&b->app, &stray, NULL);
  stray.key = none;
  produce(&b->app, &stray, NULL);
  produce(&b->app, &b->app.answers[0], other_run); // left over from an earlier run
  produce(&b->app, &b->app.answers[0], run);
  for (size_t i = 1; i < N_EVENTS; i++) answer(&b->app, i);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS, 0, 0, 3);
  assert_int_equal(facts.n_unsure, 0);
  end(b);
}

// --- By a field ---

static void a_field_finds_its_event_in_any_order(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_FIELD, false);
  swap_scores(&b->app, 11, 31 - 1);
  for (size_t i = N_EVENTS; i-- > 0;) answer(&b->app, i);
  struct answer without = {0, none, "{}"};
  produce(&b->app, &without, NULL);
  collect(b);
  // Each recorded event was sent twice: of the two wrong answers one is to the other round's event.
  expect(b, N_EVENTS - 2, 2, 0, 1);
  end(b);
}

static void a_field_that_is_lost_or_doubled_touches_no_other(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_FIELD, false);
  answer_all(&b->app, 7, 12 + N_RECORDED);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS - 1, 0, 1, 1); // 27's answer is like 7's: it counts for the first of them
  assert_int_equal(sp_event_state(&b->states, 27), SP_STATE_SENT);
  assert_int_equal(facts.n_unsure, 1 + 2);
  end(b);
}

// An answer that names its event and says more than the prediction.
static void the_prediction_is_taken_out_of_the_answer(void **state) {
  (void)state;
  struct bench *b = start_with(SP_MATCHER_FIELD, false, "/id", "/y");
  for (size_t i = 0; i < N_EVENTS; i++) {
    struct answer wrapped = b->app.answers[i];
    const char *format = i == 9 ? "{\"id\":%zu,\"x\":%s}" : "{\"id\":%zu,\"y\":%s}";
    snprintf(wrapped.value, sizeof wrapped.value, format, i % N_RECORDED, b->app.answers[i].value);
    produce(&b->app, &wrapped, NULL);
  }
  collect(b);
  // 29 is like it, and in another partition: whichever answer came first is taken for that to 9.
  size_t broken = sp_event_state(&b->states, 9) == SP_OUTCOME_MALFORMED ? 9 : 29;
  assert_int_equal(sp_event_state(&b->states, broken), SP_OUTCOME_MALFORMED);
  sp_event_state_set(&b->states, broken, SP_OUTCOME_OK);
  expect(b, N_EVENTS, 0, 0, 0);
  end(b);
}

// --- By order ---

static void order_holds_within_a_partition(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_ORDER, false);
  for (int32_t p = 0; p < N_PARTITIONS; p++) { // one partition after the other
    for (size_t i = 0; i < N_EVENTS; i++) {
      if (b->app.answers[i].partition == p) answer(&b->app, i);
    }
  }
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS, 0, 0, 0);
  assert_int_equal(facts.partition, -1);
  assert_int_equal(facts.n_unsure, 0);
  end(b);
}

// Without keys event i goes to partition i % 3: 14, 13, 13 of them.
static void an_order_with_a_loss_names_its_partition(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_ORDER, false);
  answer_all(&b->app, 4, N_EVENTS);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS - 12, 11, 1, 0);
  assert_int_equal(facts.partition, 1);
  assert_int_equal(facts.n_sent, 13);
  assert_int_equal(facts.n_answers, 12);
  assert_int_equal(facts.n_unsure, 12);
  end(b);
}

static void an_order_that_is_swapped_is_a_mismatch(void **state) {
  (void)state;
  struct bench *b = start(SP_MATCHER_ORDER, false);
  for (size_t i = 0; i < N_EVENTS; i++) answer(&b->app, i == 10 ? 13 : i == 13 ? 10 : i);
  struct sp_matcher_facts facts = collect(b);
  expect(b, N_EVENTS - 2, 2, 0, 0);
  assert_int_equal(facts.n_unsure, 0); // the numbers fit: only the predictions tell
  end(b);
}

static void order_needs_as_many_partitions(void **state) {
  (void)state;
  struct bench *b = sp_alloc(sizeof *b);
  struct sp_error error;
  record(b, false);
  open_matcher(b, SP_MATCHER_ORDER);
  snprintf(output, sizeof output, "out-of-two");
  assert_int_equal(sp_mock_topic(mock, output, 2, &error), 0);
  assert_int_equal(open_driver(b, &error), SP_ERR_USAGE);
  if (!strstr(error.text, "has 3 partitions and out-of-two has 2")) fail_msg("%s", error.text);
  sp_matcher_free(b->matcher);
  sp_field_free(b->field);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(keys_may_overtake_each_other, make_topics),
      cmocka_unit_test_setup(answers_swapped_across_keys_are_mismatches, make_topics),
      cmocka_unit_test_setup(a_loss_shifts_its_key_alone, make_topics),
      cmocka_unit_test_setup(a_copy_is_taken_for_the_next_answer, make_topics),
      cmocka_unit_test_setup(answers_of_others_are_alien, make_topics),
      cmocka_unit_test_setup(a_field_finds_its_event_in_any_order, make_topics),
      cmocka_unit_test_setup(a_field_that_is_lost_or_doubled_touches_no_other, make_topics),
      cmocka_unit_test_setup(the_prediction_is_taken_out_of_the_answer, make_topics),
      cmocka_unit_test_setup(order_holds_within_a_partition, make_topics),
      cmocka_unit_test_setup(an_order_with_a_loss_names_its_partition, make_topics),
      cmocka_unit_test_setup(an_order_that_is_swapped_is_a_mismatch, make_topics),
      cmocka_unit_test_setup(order_needs_as_many_partitions, make_topics),
  };
  return cmocka_run_group_tests(tests, start_mock, end_mock);
}
