// What scripts/peers/kafka needs of topics, the same for both sides of a comparison: fill one, wait until another has so many
// messages, and read it back. Rates are those of the broker's own clock (message.timestamp.type=LogAppendTime).
//   kafka_topic create BROKER TOPIC PARTITIONS
//   kafka_topic delete BROKER TOPIC
//   kafka_topic fill   BROKER TOPIC RECORDING N      headers sp-id 0..N-1 and sp-run
//   kafka_topic wait   BROKER TOPIC N SECONDS        prints {"n":…}, how many there are; exit 1 if it does not get there
//   kafka_topic span   BROKER TOPIC N [WARM]         prints {"n":…,"distinct":…,"per_s":…,"digest":"…"}: per_s between the first WARM
//                                                    per cent (10) and the last ten; digest of all ids and values, in whatever order
#include <unistd.h>
#include <xxhash.h>

#include "bare_kafka.h"
#include "recording/recording.h"

static int make(const char *broker, const char *topic, int partitions, bool removes) {
  rd_kafka_t *rk = bare_client(broker, SP_KAFKA_PRODUCER, NULL, 0);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  char why[256];
  rd_kafka_event_t *event;
  size_t n;
  rd_kafka_resp_err_t err;
  if (removes) {
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, 10000);
    if (!event) bare_die(topic, "no answer within 10 s");
    const rd_kafka_topic_result_t **results =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
    err = n == 1 ? rd_kafka_topic_result_error(results[0]) : rd_kafka_event_error(event);
  } else {
    rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, partitions, 1, why, sizeof why);
    if (!new) bare_die(topic, why);
    rd_kafka_NewTopic_set_config(new, "message.timestamp.type", "LogAppendTime");
    rd_kafka_CreateTopics(rk, &new, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, 10000);
    if (!event) bare_die(topic, "no answer within 10 s");
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    err = n == 1 ? rd_kafka_topic_result_error(results[0]) : rd_kafka_event_error(event);
  }
  if (err) bare_die(topic, rd_kafka_err2str(err));
  if (!removes) rd_kafka_topic_destroy(bare_topic(rk, topic, NULL));
  return 0;
}

static int fill(const char *broker, const char *name, const char *file, long n) {
  const struct sp_kafka_setting settings[] = {{"linger.ms", "20", false}};
  struct sp_recording *recording;
  struct sp_error error;
  int32_t n_partitions;
  uint8_t id[8], run[SP_RUN_BYTES] = "bare";
  if (sp_recording_load(file, &recording, &error)) bare_die(file, error.text);
  rd_kafka_t *rk = bare_client(broker, SP_KAFKA_PRODUCER, settings, 1);
  rd_kafka_topic_t *topic = bare_topic(rk, name, &n_partitions);
  for (long i = 0; i < n; i++) {
    const struct sp_event *event = &recording->events[(size_t)i % recording->n_events];
    sp_wire_put_id((uint64_t)i, id);
    rd_kafka_resp_err_t err;
    while (
        (err = rd_kafka_producev(rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION((int32_t)(i % n_partitions)),
                                 RD_KAFKA_V_VALUE((void *)(uintptr_t)event->value.data, event->value.n),
                                 RD_KAFKA_V_HEADER(SP_HEADER_ID, id, sizeof id),
                                 RD_KAFKA_V_HEADER(SP_HEADER_RUN, run, sizeof run), RD_KAFKA_V_END)) ==
        RD_KAFKA_RESP_ERR__QUEUE_FULL)
      rd_kafka_poll(rk, 10);
    if (err) bare_die(name, rd_kafka_err2str(err));
    rd_kafka_poll(rk, 0);
  }
  rd_kafka_flush(rk, 60000);
  if (bare_n_delivered != n) bare_die(name, "not every message was delivered");
  return 0;
}

static int wait_for(const char *broker, const char *name, long n, double seconds) {
  rd_kafka_t *rk = bare_client(broker, SP_KAFKA_PRODUCER, NULL, 0);
  int32_t n_partitions;
  long found = 0;
  bare_topic(rk, name, &n_partitions);
  for (int64_t end_ns = sp_now_ns() + (int64_t)(seconds * 1e9); found < n && sp_now_ns() < end_ns;
       usleep(100000)) {
    found = 0;
    for (int32_t i = 0; i < n_partitions; i++) {
      int64_t low = 0, high = 0;
      if (!rd_kafka_query_watermark_offsets(rk, name, i, &low, &high, 5000)) found += high - low;
    }
  }
  printf("{\"n\":%ld}\n", found);
  return found < n;
}

struct span {
  long n, n_distinct, n_wanted;
  uint8_t *seen;
  int64_t *times_ms;
  uint64_t digest;
};

static void note(struct span *span, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  struct sp_bytes id = {0};
  uint64_t i;
  if (rd_kafka_message_headers(message, &headers)) return;
  if (rd_kafka_header_get_last(headers, SP_HEADER_ID, (const void **)&id.data, &id.n)) return;
  if (!sp_wire_get_id(id, &i) || i >= (uint64_t)span->n_wanted) return;
  if (span->n < span->n_wanted) span->times_ms[span->n] = rd_kafka_message_timestamp(message, NULL);
  span->n++;
  if (span->seen[i]) return;
  span->seen[i] = 1;
  span->n_distinct++;
  span->digest += XXH64(message->payload, message->len, i);
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int read_back(const char *broker, const char *name, long n_wanted, size_t warm_percent) {
  const struct sp_kafka_setting settings[] = {{"group.id", "span", true},
                                              {"enable.auto.commit", "false", true}};
  struct span span = {.n_wanted = n_wanted,
                      .seen = calloc((size_t)n_wanted, 1),
                      .times_ms = calloc((size_t)n_wanted, sizeof(int64_t))};
  if (!span.seen || !span.times_ms) return 70;
  rd_kafka_t *rk = bare_client(broker, SP_KAFKA_CONSUMER, settings, 2);
  int32_t n_partitions;
  rd_kafka_topic_destroy(bare_topic(rk, name, &n_partitions));
  rd_kafka_poll_set_consumer(rk);
  bare_assign(rk, name, n_partitions, RD_KAFKA_OFFSET_BEGINNING);
  // Until nothing comes for a second: what is there twice shall be seen too.
  for (rd_kafka_message_t *message; (message = rd_kafka_consumer_poll(rk, span.n ? 1000 : 10000));) {
    if (!message->err) note(&span, message);
    rd_kafka_message_destroy(message);
  }
  size_t n = (size_t)(span.n < n_wanted ? span.n : n_wanted);
  qsort(span.times_ms, n, sizeof(int64_t), ascending);
  double span_s = n ? (double)(span.times_ms[n * 9 / 10] - span.times_ms[n * warm_percent / 100]) / 1e3 : 0;
  printf("{\"n\":%ld,\"distinct\":%ld,\"per_s\":%.1f,\"digest\":\"%016llx\"}\n", span.n, span.n_distinct,
         span_s > 0 ? (double)(90 - warm_percent) / 100 * (double)n / span_s : 0,
         (unsigned long long)span.digest);
  rd_kafka_consumer_close(rk);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "create") == 0) return make(argv[2], argv[3], atoi(argv[4]), false);
  if (argc == 4 && strcmp(argv[1], "delete") == 0) return make(argv[2], argv[3], 0, true);
  if (argc == 6 && strcmp(argv[1], "fill") == 0) return fill(argv[2], argv[3], argv[4], atol(argv[5]));
  if (argc == 6 && strcmp(argv[1], "wait") == 0)
    return wait_for(argv[2], argv[3], atol(argv[4]), atof(argv[5]));
  if ((argc == 5 || argc == 6) && strcmp(argv[1], "span") == 0) {
    long warm = argc == 6 ? atol(argv[5]) : 10;
    if (warm < 0 || warm > 80) warm = 10;
    return read_back(argv[2], argv[3], atol(argv[4]), (size_t)warm);
  }
  fprintf(stderr, "usage: kafka_topic create|delete|fill|wait|span BROKER TOPIC ...; see its source\n");
  return 64;
}
