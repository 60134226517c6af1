// Tap, topics and the watch of the mock's limits, against librdkafka's mock cluster.
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stream/admin.h"
#include "stream/mock.h"
#include "stream/tap.h"

#define LONG_NS (20 * SP_NS_PER_S) // who waits so long has missed something

static struct sp_mock *mock;
static char topic[32]; // of the test that runs
static rd_kafka_t *producer;

static int start_mock(void **state) {
  (void)state;
  char why[256];
  if (sp_mock_new(&mock, &(struct sp_error){0})) return -1;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", sp_mock_address(mock), why, sizeof why);
  producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  return producer ? 0 : -1;
}
static int end_mock(void **state) {
  (void)state;
  rd_kafka_destroy(producer);
  sp_mock_free(mock);
  return 0;
}
static int make_topic(void **state) {
  (void)state;
  static int n;
  snprintf(topic, sizeof topic, "live-%d", ++n);
  return sp_mock_topic(mock, topic, 2, &(struct sp_error){0}) ? -1 : 0;
}

static struct sp_kafka_env env_of_mock(void) {
  return (struct sp_kafka_env){
      .brokers = sp_mock_address(mock), .input = topic, .connect_timeout_ns = LONG_NS, .is_mock = true};
}

// `headers` may be NULL and is taken.
static void produce(int32_t partition, const char *key, const void *value, size_t n, int64_t timestamp_ms,
                    rd_kafka_headers_t *headers) {
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, n}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers ? headers : rd_kafka_headers_new(1)},
  };
  assert_null(rd_kafka_produceva(producer, parts, sizeof parts / sizeof *parts));
}
static void flush(void) {
  assert_int_equal(rd_kafka_flush(producer, 10000), 0);
}

static struct sp_tap *open_tap(const struct sp_tap_start *start) {
  struct sp_kafka_env env = env_of_mock();
  struct sp_error error;
  struct sp_tap *tap;
  if (sp_tap_new(&env, start, &tap, &error)) fail_msg("%s", error.text);
  return tap;
}
static const struct sp_tap_message *next(struct sp_tap *tap, bool *at_end) {
  const struct sp_tap_message *message;
  struct sp_error error;
  if (sp_tap_next(tap, sp_now_ns() + LONG_NS, &message, at_end, &error)) fail_msg("%s", error.text);
  return message;
}

static void test_messages(void **state) {
  (void)state;
  rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
  rd_kafka_header_add(headers, "trace", -1, "\0\1", 2);
  rd_kafka_header_add(headers, "nothing", -1, NULL, 0);
  produce(1, "key", "value", 5, 1700000000123, headers);
  flush();
  produce(1, NULL, NULL, 0, 1700000000456, NULL); // tombstone
  flush();
  produce(1, NULL, "", 0, 1700000000789, NULL);
  flush();
  struct sp_tap *tap = open_tap(&(struct sp_tap_start){.from_beginning = true});
  bool at_end;
  const struct sp_tap_message *message = next(tap, &at_end);
  assert_non_null(message);
  assert_true(message->partition == 1 && message->offset == 0 && message->timestamp_ms == 1700000000123);
  assert_true(sp_bytes_equal(message->key, sp_bytes_of_text("key")));
  assert_true(sp_bytes_equal(message->value, sp_bytes_of_text("value")));
  assert_int_equal(message->n_headers, 2);
  assert_string_equal(message->headers[0].name, "trace");
  assert_true(sp_bytes_equal(message->headers[0].value, sp_bytes_of("\0\1", 2)));
  assert_string_equal(message->headers[1].name, "nothing");
  assert_null(message->headers[1].value.data);
  assert_false(at_end);
  message = next(tap, &at_end);
  assert_true(message && !message->value.data && !message->key.data && message->n_headers == 0 && !at_end);
  message = next(tap, &at_end);
  assert_true(message && message->value.data && message->value.n == 0 &&
              message->timestamp_ms == 1700000000789);
  assert_true(at_end);
  // Beyond what was the end: it is told when it comes.
  produce(0, NULL, "later", 5, 0, NULL);
  flush();
  message = next(tap, &at_end);
  assert_true(message && message->partition == 0 && at_end);
  sp_tap_free(tap);
}

static void test_starts(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) produce(0, NULL, "old", 3, 0, NULL);
  flush();
  struct sp_tap *from_offset = open_tap(&(struct sp_tap_start){.has_offset = true, .offset = 7});
  struct sp_tap *from_end = open_tap(&(struct sp_tap_start){0});
  struct sp_tap *from_beyond = open_tap(&(struct sp_tap_start){.has_offset = true, .offset = 1000});
  bool at_end;
  assert_int_equal(next(from_offset, &at_end)->offset, 7);
  assert_false(at_end);
  const struct sp_tap_message *none;
  int64_t begun_ns = sp_now_ns();
  assert_int_equal(sp_tap_next(from_end, begun_ns + LONG_NS, &none, &at_end, NULL), SP_OK);
  assert_true(!none && at_end && sp_now_ns() - begun_ns < LONG_NS); // nothing to wait for
  assert_int_equal(sp_tap_next(from_end, sp_now_ns() + SP_NS_PER_S / 10, &none, &at_end, NULL), SP_OK);
  assert_true(!none && at_end);
  assert_null(next(from_beyond, &at_end));
  assert_true(at_end);
  produce(0, NULL, "new", 3, 0, NULL);
  flush();
  assert_int_equal(next(from_end, &at_end)->offset, 10);
  assert_int_equal(next(from_beyond, &at_end)->offset, 10);
  sp_tap_free(from_offset);
  sp_tap_free(from_end);
  sp_tap_free(from_beyond);
}

static void test_tap_refused(void **state) {
  (void)state;
  struct sp_kafka_env env = env_of_mock();
  struct sp_tap *tap;
  struct sp_error error;
  env.input = "nobody-made-this";
  assert_int_equal(sp_tap_new(&env, &(struct sp_tap_start){0}, &tap, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "has no topic nobody-made-this"));
}

static void test_topics(void **state) {
  (void)state;
  struct sp_kafka_env env = env_of_mock();
  struct sp_error error;
  struct sp_topic *topics;
  size_t n, found = 0;
  for (int i = 0; i < 5; i++) produce(i % 2, NULL, "v", 1, 0, NULL);
  flush();
  assert_int_equal(sp_admin_list(&env, LONG_NS, &topics, &n, &error), SP_OK);
  for (size_t i = 0; i < n; i++) {
    if (strcmp(topics[i].name, topic) != 0) continue;
    found++;
    assert_true(topics[i].partitions == 2 && topics[i].n_messages == 5 && topics[i].n_dropped == 0);
  }
  assert_int_equal(found, 1);
  free(topics);
  assert_int_equal(sp_admin_create(&env, topic, 2, true, LONG_NS, &error), SP_OK);
  assert_int_equal(sp_admin_create(&env, topic, 2, false, LONG_NS, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "exists"));
  assert_int_equal(sp_admin_create(&env, topic, 3, true, LONG_NS, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "has 2 partitions, not 3"));
  assert_int_equal(sp_admin_create(&env, "more", 3, false, LONG_NS, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "servepath broker --topic more:3"));
  assert_int_equal(sp_admin_delete(&env, topic, LONG_NS, &error), SP_ERR_ENVIRONMENT);
}

struct told {
  int64_t n_messages;
  int32_t partition;
};
static void on_dropped(void *context, const char *name, int32_t partition, int64_t n_messages) {
  struct told *told = context;
  if (strcmp(name, topic) != 0) return;
  told->n_messages += n_messages;
  told->partition = partition;
}

// The mock keeps about 5 MB: of 8 MiB it must have dropped some, and say so once.
static void test_watch(void **state) {
  (void)state;
  struct told told = {0};
  struct sp_error error;
  assert_int_equal(sp_mock_watch(mock, on_dropped, &told, &error), SP_OK);
  assert_int_equal(told.n_messages, 0);
  size_t n = 1 << 19;
  char *value = sp_alloc(n);
  for (int i = 0; i < 16; i++) {
    produce(1, NULL, value, n, 0, NULL);
    flush(); // one batch each: the mock drops whole batches
  }
  free(value);
  assert_int_equal(sp_mock_watch(mock, on_dropped, &told, &error), SP_OK);
  assert_true(told.n_messages >= 5 && told.n_messages < 16 && told.partition == 1);
  int64_t n_told = told.n_messages;
  assert_int_equal(sp_mock_watch(mock, on_dropped, &told, &error), SP_OK);
  assert_int_equal(told.n_messages, n_told);
  // What is gone shows in the list, and a tap begins with what is left.
  struct sp_kafka_env env = env_of_mock();
  struct sp_topic *topics;
  size_t n_topics;
  assert_int_equal(sp_admin_list(&env, LONG_NS, &topics, &n_topics, &error), SP_OK);
  for (size_t i = 0; i < n_topics; i++) {
    if (strcmp(topics[i].name, topic) == 0) assert_int_equal(topics[i].n_dropped, n_told);
  }
  free(topics);
  bool at_end;
  struct sp_tap *tap = open_tap(&(struct sp_tap_start){.has_offset = true, .offset = 0});
  assert_int_equal(next(tap, &at_end)->offset, n_told);
  sp_tap_free(tap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_messages, make_topic),    cmocka_unit_test_setup(test_starts, make_topic),
      cmocka_unit_test_setup(test_tap_refused, make_topic), cmocka_unit_test_setup(test_topics, make_topic),
      cmocka_unit_test_setup(test_watch, make_topic),
  };
  return cmocka_run_group_tests_name("kafka_tap", tests, start_mock, end_mock);
}
