// Bare driver: a pacer (sleep, then 60 us of spinning) that sends the events of a recording at a constant rate, and a collector
// that reads the answers. Response time is counted from the planned instant, as servepath counts it.
//   bare_kafka_pair BROKER INPUT OUTPUT RECORDING RATE_PER_S WARMUP_S SECONDS
// Prints {"n":…,"received":…,"duplicates":…,"refused":…,"p50_ns":…,"p99_ns":…,"lateness_p99_ns":…,"late_share":…}, of the
// events after the warm-up.
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "bare_kafka.h"
#include "recording/recording.h"

#define SPIN_NS  60000
#define DRAIN_NS (5 * SP_NS_PER_S)
#define BATCH    1024

struct pair {
  rd_kafka_t *consumer, *producer;
  rd_kafka_topic_t *input;
  int32_t n_partitions;
  struct sp_recording *recording;
  uint8_t run[SP_RUN_BYTES];
  long n_events, n_warmup;
  double period_ns;
  int64_t origin_ns;
  int64_t *response_ns; // per event; 0: none yet
  int64_t *late_ns;
  long n_duplicates;
  _Atomic long n_received;
  _Atomic int64_t end_ns;
};

static int64_t intended_ns(const struct pair *pair, long i) {
  return pair->origin_ns + (int64_t)((double)i * pair->period_ns);
}

static void collect(struct pair *pair, const rd_kafka_message_t *message, int64_t now_ns) {
  rd_kafka_headers_t *headers;
  struct sp_bytes id = {0}, run = {0};
  uint64_t i;
  if (message->err || rd_kafka_message_headers(message, &headers)) return;
  if (rd_kafka_header_get_last(headers, SP_HEADER_ID, (const void **)&id.data, &id.n)) return;
  if (rd_kafka_header_get_last(headers, SP_HEADER_RUN, (const void **)&run.data, &run.n)) return;
  if (run.n != SP_RUN_BYTES || memcmp(run.data, pair->run, SP_RUN_BYTES) != 0) return;
  if (!sp_wire_get_id(id, &i) || i >= (uint64_t)pair->n_events) return;
  if (pair->response_ns[i]) {
    pair->n_duplicates++;
    return;
  }
  pair->response_ns[i] = now_ns - intended_ns(pair, (long)i);
  pair->n_received++;
}

static void *collector(void *context) {
  struct pair *pair = context;
  static rd_kafka_message_t *messages[BATCH];
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(pair->consumer);
  while (pair->n_received < pair->n_events && sp_now_ns() < pair->end_ns) {
    ssize_t n = rd_kafka_consume_batch_queue(queue, 100, messages, 1);
    int64_t now_ns = sp_now_ns();
    for (ssize_t i = 0; i < n; i++) {
      collect(pair, messages[i], now_ns);
      rd_kafka_message_destroy(messages[i]);
    }
  }
  rd_kafka_queue_destroy(queue);
  return NULL;
}

static void send_event(struct pair *pair, long i) {
  const struct sp_event *event = &pair->recording->events[(size_t)i % pair->recording->n_events];
  uint8_t id[8];
  sp_wire_put_id((uint64_t)i, id);
  rd_kafka_resp_err_t err = rd_kafka_producev(
      pair->producer, RD_KAFKA_V_RKT(pair->input), RD_KAFKA_V_PARTITION((int32_t)(i % pair->n_partitions)),
      RD_KAFKA_V_VALUE((void *)(uintptr_t)event->value.data, event->value.n),
      RD_KAFKA_V_HEADER(SP_HEADER_ID, id, sizeof id),
      RD_KAFKA_V_HEADER(SP_HEADER_RUN, pair->run, SP_RUN_BYTES), RD_KAFKA_V_END);
  if (err) bare_die("produce", rd_kafka_err2str(err));
}

static void pace(struct pair *pair) {
  for (long i = 0; i < pair->n_events; i++) {
    int64_t at_ns = intended_ns(pair, i), sleep_ns = at_ns - SPIN_NS;
    struct timespec until = {sleep_ns / SP_NS_PER_S, sleep_ns % SP_NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    int64_t now_ns;
    while ((now_ns = sp_now_ns()) < at_ns) {
    }
    pair->late_ns[i] = now_ns - at_ns;
    send_event(pair, i);
    rd_kafka_poll(pair->producer, 0);
  }
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void print(struct pair *pair) {
  size_t n = (size_t)(pair->n_events - pair->n_warmup);
  int64_t *response_ns = pair->response_ns + pair->n_warmup, *late_ns = pair->late_ns + pair->n_warmup;
  long n_late = 0;
  for (size_t i = 0; i < n; i++) {
    if (!response_ns[i]) response_ns[i] = INT64_MAX; // no answer ranks above every answer
    n_late += late_ns[i] > SP_NS_PER_MS;
  }
  qsort(response_ns, n, sizeof *response_ns, ascending);
  qsort(late_ns, n, sizeof *late_ns, ascending);
  printf("{\"n\":%ld,\"received\":%ld,\"duplicates\":%ld,\"refused\":%ld,\"p50_ns\":%lld,\"p99_ns\":%lld,"
         "\"lateness_p99_ns\":%lld,\"late_share\":%.5f}\n",
         pair->n_events, pair->n_received, pair->n_duplicates, pair->n_events - bare_n_delivered,
         (long long)response_ns[n / 2], (long long)response_ns[n * 99 / 100],
         (long long)late_ns[n * 99 / 100], (double)n_late / (double)n);
}

int main(int argc, char **argv) {
  if (argc != 8) return 64;
  struct pair pair = {.period_ns = 1e9 / atof(argv[5]), .end_ns = INT64_MAX};
  pair.n_warmup = (long)(atof(argv[5]) * atof(argv[6]));
  pair.n_events = pair.n_warmup + (long)(atof(argv[5]) * atof(argv[7]));
  snprintf((char *)pair.run, sizeof pair.run, "bare%ld", (long)getpid());
  pair.response_ns = calloc((size_t)pair.n_events, sizeof *pair.response_ns);
  pair.late_ns = calloc((size_t)pair.n_events, sizeof *pair.late_ns);
  if (!pair.response_ns || !pair.late_ns) return 70;
  struct sp_error error;
  if (sp_recording_load(argv[4], &pair.recording, &error)) bare_die(argv[4], error.text);
  const struct sp_kafka_setting settings[] = {{"group.id", "bare-pair", true},
                                              {"enable.auto.commit", "false", true},
                                              {"isolation.level", "read_uncommitted", true}};
  pair.consumer = bare_client(argv[1], SP_KAFKA_CONSUMER, settings, 3);
  pair.producer = bare_client(argv[1], SP_KAFKA_PRODUCER, NULL, 0);
  pair.input = bare_topic(pair.producer, argv[2], &pair.n_partitions);
  int32_t n_output;
  rd_kafka_topic_destroy(bare_topic(pair.consumer, argv[3], &n_output));
  rd_kafka_poll_set_consumer(pair.consumer);
  bare_assign(pair.consumer, argv[3], n_output, RD_KAFKA_OFFSET_END);
  pair.origin_ns = sp_now_ns() + SP_NS_PER_S / 2;
  pthread_t thread;
  if (pthread_create(&thread, NULL, collector, &pair)) return 70;
  pace(&pair);
  pair.end_ns = sp_now_ns() + DRAIN_NS;
  rd_kafka_flush(pair.producer, 5000);
  pthread_join(thread, NULL);
  print(&pair);
  rd_kafka_consumer_close(pair.consumer);
  return 0;
}
