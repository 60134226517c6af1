// Topics of librdkafka's mock cluster to recordings: what stands in them, in which order, and what is left out.
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "import/record.h"
#include "recording/recording.h"
#include "stream/mock.h"
#include "stream/wire.h"

#define N_PARTITIONS 3
#define START_MS     INT64_C(1700000000000)

static struct sp_mock *mock;
static rd_kafka_t *producer;
static char topic[24], output[96];

static int start_mock(void **state) {
  (void)state;
  char why[256];
  if (sp_mock_new(&mock, &(struct sp_error){0})) return -1;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", sp_mock_address(mock), why, sizeof why);
  rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof why);
  producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  return producer ? 0 : -1;
}
static int make_topic(void **state) {
  (void)state;
  static int n;
  snprintf(topic, sizeof topic, "live-%d", ++n);
  snprintf(output, sizeof output, "/tmp/servepath-record-%d-%d.sprec", (int)getpid(), n);
  return sp_mock_topic(mock, topic, N_PARTITIONS, &(struct sp_error){0}) ? -1 : 0;
}
static int remove_output(void **state) {
  (void)state;
  unlink(output);
  return 0;
}
static int end_mock(void **state) {
  (void)state;
  rd_kafka_destroy(producer);
  sp_mock_free(mock);
  return 0;
}

// at_ms: after START_MS. NULL: no key, a tombstone. headers is taken; may be NULL.
static void produce_with(int32_t partition, int64_t at_ms, const char *key, const char *value,
                         rd_kafka_headers_t *headers) {
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = START_MS + at_ms},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, value ? strlen(value) : 0}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
  };
  assert_null(rd_kafka_produceva(producer, parts, sizeof parts / sizeof *parts - (headers ? 0 : 1)));
}
static void produce(int32_t partition, int64_t at_ms, const char *key, const char *value) {
  produce_with(partition, at_ms, key, value, NULL);
}
static void flush(void) {
  assert_int_equal(rd_kafka_flush(producer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static struct sp_record_conf conf_of(void) {
  return (struct sp_record_conf){
      .kafka = {.brokers = sp_mock_address(mock), .input = topic, .connect_timeout_ns = 20 * SP_NS_PER_S},
      .start = {.from_beginning = true},
      .output = output};
}

static struct sp_record_report record(const struct sp_record_conf *conf) {
  struct sp_record_report report;
  struct sp_error error;
  if (sp_record(conf, &report, &error)) fail_msg("%s", error.text);
  return report;
}

static struct sp_recording *load(void) {
  struct sp_recording *recording;
  struct sp_error error;
  if (sp_recording_load(output, &recording, &error)) fail_msg("%s", error.text);
  return recording;
}

static void is_text(struct sp_bytes bytes, const char *text) {
  bool is_same = text ? sp_bytes_equal(bytes, sp_bytes_of_text(text)) : !bytes.data;
  if (!is_same)
    fail_msg("\"%.*s\", not \"%s\"", (int)bytes.n, (const char *)bytes.data, text ? text : "(none)");
}

static void is_event(const struct sp_recording *recording, size_t i, int64_t at_ms, const char *key,
                     const char *value) {
  assert_true(i < recording->n_events);
  assert_int_equal(recording->events[i].offset_ns, at_ms * SP_NS_PER_MS);
  is_text(recording->events[i].key, key);
  is_text(recording->events[i].value, value);
}

// --- What is recorded ---

static void partitions_come_in_one_order_of_time(void **state) {
  (void)state;
  produce(2, 30, "c", "four");
  produce(0, 10, "a", "one");
  produce(1, 10, NULL, "two");
  produce(0, 20, "a", NULL);
  produce(0, 25, "", "");
  flush();
  produce(2, 900, "c", "five");
  flush();
  struct sp_record_conf conf = conf_of();
  conf.licence = "CC0";
  struct sp_record_report report = record(&conf);
  assert_int_equal(report.n_events, 6);
  assert_int_equal(report.n_partitions, 3);
  assert_int_equal(report.n_clamped + report.n_untimed + report.n_unreadable + report.n_own_headers, 0);
  assert_int_equal(report.duration_ns, 890 * SP_NS_PER_MS);
  struct sp_recording *recording = load();
  assert_int_equal(recording->n_events, 6);
  bool is_a_first = recording->events[0].key.data != NULL; // of equal times either may be first
  is_event(recording, is_a_first ? 0 : 1, 0, "a", "one");
  is_event(recording, is_a_first ? 1 : 0, 0, NULL, "two");
  is_event(recording, 2, 10, "a", NULL);
  is_event(recording, 3, 15, "", "");
  is_event(recording, 4, 20, "c", "four");
  is_event(recording, 5, 890, "c", "five");
  assert_true(recording->header.times_are_real);
  assert_int_equal(recording->header.start_unix_ns, (START_MS + 10) * SP_NS_PER_MS);
  assert_string_equal(recording->header.licence, "CC0");
  assert_non_null(strstr(recording->header.source, topic));
  sp_recording_free(recording);
}

static void times_that_run_backwards_are_clamped_within_their_partition(void **state) {
  (void)state;
  produce(0, 100, NULL, "0a");
  produce(0, 50, NULL, "0b"); // 50 ms too early: an own clock, a retry
  produce(0, 120, NULL, "0c");
  produce(1, 60, NULL, "1a");
  flush();
  struct sp_record_conf conf = conf_of();
  struct sp_record_report report = record(&conf);
  assert_int_equal(report.n_clamped, 1);
  struct sp_recording *recording = load();
  is_event(recording, 0, 0, NULL, "1a");
  is_event(recording, 1, 40, NULL, "0a");
  is_event(recording, 2, 40, NULL, "0b");
  is_event(recording, 3, 60, NULL, "0c");
  sp_recording_free(recording);
}

static void headers_are_kept_but_ours(void **state) {
  (void)state;
  rd_kafka_headers_t *headers = rd_kafka_headers_new(6);
  rd_kafka_header_add(headers, "trace", -1, "abc", 3);
  rd_kafka_header_add(headers, SP_HEADER_ID, -1, "12345678", 8);
  rd_kafka_header_add(headers, SP_HEADER_RUN, -1, "1234567812345678", 16);
  rd_kafka_header_add(headers, "trace", -1, NULL, 0);
  rd_kafka_header_add(headers, "caf\xe9", -1, "x", 1); // Latin 1
  produce_with(0, 0, "k", "v", headers);
  flush();
  struct sp_record_conf conf = conf_of();
  assert_int_equal(record(&conf).n_own_headers, 2);
  struct sp_recording *recording = load();
  const struct sp_event *event = &recording->events[0];
  assert_int_equal(event->n_headers, 3);
  assert_string_equal(event->headers[0].name, "trace");
  is_text(event->headers[0].value, "abc");
  assert_string_equal(event->headers[1].name, "trace");
  assert_string_equal(event->headers[2].name, "caf\\xe9");
  sp_recording_free(recording);
}

// --- From where to where ---

static void begins_at_an_offset_or_a_time(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) {
    char value[8];
    snprintf(value, sizeof value, "%d", i);
    produce(0, 100 * i, NULL, value);
    flush();
  }
  struct sp_record_conf conf = conf_of();
  conf.start = (struct sp_tap_start){.has_offset = true, .offset = 7};
  assert_int_equal(record(&conf).n_events, 3);
  struct sp_recording *recording = load();
  is_event(recording, 0, 0, NULL, "7");
  sp_recording_free(recording);
  conf.start = (struct sp_tap_start){.from_beginning = true};
  conf.limit = 4;
  assert_int_equal(record(&conf).n_events, 4);
}

struct writer {
  volatile sig_atomic_t stop;
  size_t n_told;
};

static void write_two(void *context) {
  (void)context;
  produce(0, 5000, NULL, "new");
  produce(1, 5001, NULL, "newer");
  flush();
}

static void stop_at_two(void *context, uint64_t n_bytes, uint64_t total_bytes, uint64_t n_events) {
  (void)n_bytes, (void)total_bytes;
  struct writer *writer = context;
  writer->n_told++;
  if (n_events == 2) writer->stop = SIGINT;
}

static void from_the_end_only_what_is_new_until_it_is_stopped(void **state) {
  (void)state;
  for (int32_t i = 0; i < N_PARTITIONS; i++) produce(i, 0, NULL, "old");
  flush();
  struct writer writer = {0};
  struct sp_record_conf conf = conf_of();
  conf.start = (struct sp_tap_start){0};
  conf.on_listening = write_two;
  conf.progress = stop_at_two;
  conf.progress_context = &writer;
  conf.stop = &writer.stop;
  assert_int_equal(record(&conf).n_events, 2);
  struct sp_recording *recording = load();
  is_event(recording, 0, 0, NULL, "new");
  is_event(recording, 1, 1, NULL, "newer");
  sp_recording_free(recording);
}

static void a_duration_ends_it_and_following_goes_on(void **state) {
  (void)state;
  produce(0, 0, NULL, "old");
  flush();
  struct sp_record_conf conf = conf_of();
  conf.follows = true;
  conf.on_listening = write_two;
  conf.limit = 3;
  assert_int_equal(record(&conf).n_events, 3);
  conf = conf_of();
  conf.start = (struct sp_tap_start){0};
  conf.duration_ns = 50 * SP_NS_PER_MS;
  struct sp_error error;
  struct sp_record_report report;
  unlink(output);
  assert_int_equal(sp_record(&conf, &report, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "no message to record"));
  assert_int_not_equal(access(output, F_OK), 0); // no empty recording is left
}

// --- What is left out ---

static void fields_are_dropped_and_hashed(void **state) {
  (void)state;
  produce(0, 0, "alice", "{\"user\": {\"name\": \"Alice\", \"id\": 7}, \"amount\": 1.50}");
  produce(0, 1, "alice", "{\"user\":{\"id\":7},\"amount\":2}");
  produce(0, 2, "bob", "not JSON, may say Bob");
  produce(0, 3, "bob", NULL);
  flush();
  const struct sp_redaction redactions[] = {{"/user/name", false}, {"/user/id", true}};
  struct sp_record_conf conf = conf_of();
  conf.redactions = redactions;
  conf.n_redactions = 2;
  conf.hashes_key = true;
  struct sp_record_report report = record(&conf);
  assert_int_equal(report.n_events, 3);
  assert_int_equal(report.n_unreadable, 1);
  struct sp_recording *recording = load();
  struct sp_redactor *redactor;
  char seven[SP_PSEUDONYM_TEXT_BYTES], alice[SP_PSEUDONYM_TEXT_BYTES], expected[128];
  assert_int_equal(sp_redactor_new(NULL, 0, NULL, &redactor, NULL), SP_OK);
  sp_redactor_pseudonym(redactor, sp_bytes_of_text("7"), seven);
  sp_redactor_pseudonym(redactor, sp_bytes_of_text("alice"), alice);
  sp_redactor_free(redactor);
  snprintf(expected, sizeof expected, "{\"user\":{\"id\":\"%s\"},\"amount\":1.50}", seven);
  is_event(recording, 0, 0, alice, expected);
  is_text(recording->events[2].value, NULL);
  assert_non_null(strstr(recording->header.note, "pseudonyms"));
  sp_recording_free(recording);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  struct sp_record_conf conf = conf_of();
  struct sp_record_report report;
  struct sp_error error;
  conf.kafka.input = "no-such-topic";
  assert_int_equal(sp_record(&conf, &report, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "no-such-topic"));
  conf = conf_of();
  const struct sp_redaction mixed[] = {{"/a", false}, {"3", true}};
  conf.redactions = mixed;
  conf.n_redactions = 2;
  assert_int_equal(sp_record(&conf, &report, &error), SP_ERR_USAGE);
  conf = conf_of();
  conf.output = "/no/such/folder/x.sprec";
  assert_int_equal(sp_record(&conf, &report, &error), SP_ERR_ENVIRONMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_topic, remove_output)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(partitions_come_in_one_order_of_time),
      TEST(times_that_run_backwards_are_clamped_within_their_partition),
      TEST(headers_are_kept_but_ours),
      TEST(begins_at_an_offset_or_a_time),
      TEST(from_the_end_only_what_is_new_until_it_is_stopped),
      TEST(a_duration_ends_it_and_following_goes_on),
      TEST(fields_are_dropped_and_hashed),
      TEST(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, start_mock, end_mock);
}
