// A topic's messages as they stand there, by plain assignment.
#include "stream/tap.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_conf.h"

#define TAKE_MAX 256
#define POLL_MS  100

struct tap_partition {
  int64_t end;  // the offset after the last, when the tap was made
  int64_t next; // to be read
  bool is_read;
};

struct sp_tap {
  struct sp_kafka_client client;
  char topic_name[250];
  rd_kafka_topic_t *topic;
  rd_kafka_queue_t *queue;
  struct tap_partition *partitions;
  int32_t n_partitions, n_at_end;
  bool has_told_end;
  rd_kafka_message_t *taken[TAKE_MAX];
  size_t n_taken, next_taken;
  rd_kafka_message_t *held; // given out last
  struct sp_tap_message message;
  struct sp_tap_header *headers;
  size_t headers_room;
};

// --- Where to begin ---

static enum sp_err offset_at_time(struct sp_tap *tap, int32_t partition, int64_t time_ms, int64_t deadline_ns,
                                  int64_t *offset, struct sp_error *error) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, tap->topic_name, partition)->offset = time_ms;
  rd_kafka_resp_err_t err =
      rd_kafka_offsets_for_times(tap->client.rk, list, sp_kafka_ms_until(deadline_ns, 60000));
  if (!err) err = list->elems[0].err;
  *offset = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  return err ? sp_kafka_client_fail(&tap->client, "find an offset by its time", err, error) : SP_OK;
}

static enum sp_err begin_of(struct sp_tap *tap, const struct sp_tap_start *start, int32_t partition,
                            int64_t deadline_ns, struct sp_error *error) {
  int64_t low, high, from;
  enum sp_err err =
      sp_kafka_client_offsets(&tap->client, tap->topic_name, partition, deadline_ns, &low, &high, error);
  if (err) return err;
  if (start->from_beginning)
    from = low;
  else if (start->has_offset)
    from = start->offset;
  else if (!start->time_ms)
    from = high;
  else if ((err = offset_at_time(tap, partition, start->time_ms, deadline_ns, &from, error)) != SP_OK)
    return err;
  if (from < 0 || from > high) from = high; // by time: none is that late
  if (from < low) from = low;
  tap->partitions[partition] = (struct tap_partition){.end = high, .next = from};
  return SP_OK;
}

static enum sp_err start_reading(struct sp_tap *tap, struct sp_error *error) {
  tap->topic = rd_kafka_topic_new(tap->client.rk, tap->topic_name, NULL);
  tap->queue = rd_kafka_queue_new(tap->client.rk);
  for (int32_t i = 0; i < tap->n_partitions; i++) {
    struct tap_partition *partition = &tap->partitions[i];
    if (rd_kafka_consume_start_queue(tap->topic, i, partition->next, tap->queue) != 0)
      return sp_kafka_client_fail(&tap->client, "read the topic", rd_kafka_last_error(), error);
    partition->is_read = true;
    if (partition->next >= partition->end) tap->n_at_end++;
  }
  return SP_OK;
}

enum sp_err sp_tap_new(const struct sp_kafka_env *env, const struct sp_tap_start *start,
                       struct sp_tap **result, struct sp_error *error) {
  const struct sp_kafka_setting settings[] = {
      {"enable.auto.commit", "false", true},
      {"enable.auto.offset.store", "false", true},
      {"enable.partition.eof", "true", true}, // the end of a topic with transactions is seen by it alone
      {"isolation.level", "read_committed", true},
  };
  int64_t deadline_ns = sp_now_ns() + env->connect_timeout_ns;
  struct sp_tap *tap = sp_alloc(sizeof *tap);
  snprintf(tap->topic_name, sizeof tap->topic_name, "%s", env->input);
  enum sp_err err = sp_kafka_client_new(&tap->client, env, SP_KAFKA_CONSUMER, settings,
                                        sizeof settings / sizeof *settings, tap, error);
  if (!err) err = sp_kafka_client_wait(&tap->client, env->input, deadline_ns, &tap->n_partitions, error);
  tap->partitions = sp_alloc((size_t)tap->n_partitions * sizeof *tap->partitions);
  for (int32_t i = 0; i < tap->n_partitions && !err; i++) err = begin_of(tap, start, i, deadline_ns, error);
  if (!err) err = start_reading(tap, error);
  if (err) {
    sp_tap_free(tap);
    return err;
  }
  *result = tap;
  return SP_OK;
}

// --- Reading ---

static void note_position(struct sp_tap *tap, int32_t partition_i, int64_t next) {
  struct tap_partition *partition = &tap->partitions[partition_i];
  if (partition->next < partition->end && next >= partition->end) tap->n_at_end++;
  if (next > partition->next) partition->next = next;
}

static void fill_headers(struct sp_tap *tap, rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  tap->message.n_headers = 0;
  if (rd_kafka_message_headers(message, &headers)) return;
  size_t n = rd_kafka_header_cnt(headers);
  if (n > tap->headers_room) {
    tap->headers = sp_realloc(tap->headers, n * sizeof *tap->headers);
    tap->headers_room = n;
  }
  for (size_t i = 0; i < n; i++) {
    const void *value;
    struct sp_tap_header *header = &tap->headers[i];
    rd_kafka_header_get_all(headers, i, &header->name, &value, &header->value.n);
    header->value.data = value;
  }
  tap->message.headers = tap->headers;
  tap->message.n_headers = n;
}

static const struct sp_tap_message *give(struct sp_tap *tap, rd_kafka_message_t *message) {
  rd_kafka_timestamp_type_t type;
  int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
  tap->held = message;
  tap->message = (struct sp_tap_message){
      .partition = message->partition,
      .offset = message->offset,
      .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
      .key = sp_bytes_of(message->key, message->key_len),
      .value = sp_bytes_of(message->payload, message->len),
  };
  fill_headers(tap, message);
  note_position(tap, message->partition, message->offset + 1);
  return &tap->message;
}

// What a partition reports instead of a message.
static enum sp_err take_event(struct sp_tap *tap, const rd_kafka_message_t *message, struct sp_error *error) {
  switch (message->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    note_position(tap, message->partition, message->offset);
    return SP_OK;
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
  case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: {
    char what[300];
    snprintf(what, sizeof what, "go on reading topic %s", tap->topic_name);
    return sp_kafka_client_fail(&tap->client, what, message->err, error);
  }
  default: return SP_OK; // librdkafka tries again by itself
  }
}

static void release(rd_kafka_message_t **message) {
  if (*message) rd_kafka_message_destroy(*message);
  *message = NULL;
}

// The next message or event. NULL: none by the deadline.
static rd_kafka_message_t *take(struct sp_tap *tap, int64_t deadline_ns) {
  for (;;) {
    if (tap->next_taken < tap->n_taken) return tap->taken[tap->next_taken++];
    ssize_t n = rd_kafka_consume_batch_queue(tap->queue, 0, tap->taken, TAKE_MAX);
    tap->n_taken = n > 0 ? (size_t)n : 0;
    tap->next_taken = 0;
    if (tap->n_taken) continue;
    int wait_ms = sp_kafka_ms_until(deadline_ns, POLL_MS);
    if (!wait_ms) return NULL;
    rd_kafka_poll(tap->client.rk, 0); // errors would pile up otherwise
    rd_kafka_message_t *message = rd_kafka_consume_queue(tap->queue, wait_ms);
    if (message) return message;
  }
}

static bool is_at_end(const struct sp_tap *tap) {
  return tap->n_at_end == tap->n_partitions;
}

enum sp_err sp_tap_next(struct sp_tap *tap, int64_t deadline_ns, const struct sp_tap_message **message,
                        bool *at_end, struct sp_error *error) {
  enum sp_err err = SP_OK;
  *message = NULL;
  release(&tap->held);
  // Being at the end is news once, and not waited past: the caller may want no more.
  while (!err && !*message && (tap->has_told_end || !is_at_end(tap))) {
    rd_kafka_message_t *next = take(tap, deadline_ns);
    if (!next) break;
    if (!next->err) {
      *message = give(tap, next);
      break;
    }
    err = take_event(tap, next, error);
    rd_kafka_message_destroy(next);
  }
  *at_end = tap->has_told_end = is_at_end(tap);
  return err;
}

void sp_tap_free(struct sp_tap *tap) {
  if (!tap) return;
  release(&tap->held);
  while (tap->next_taken < tap->n_taken) release(&tap->taken[tap->next_taken++]);
  for (int32_t i = 0; i < tap->n_partitions; i++) {
    if (tap->partitions[i].is_read) rd_kafka_consume_stop(tap->topic, i);
  }
  if (tap->queue) rd_kafka_queue_destroy(tap->queue);
  if (tap->topic) rd_kafka_topic_destroy(tap->topic);
  sp_kafka_client_close(&tap->client);
  free(tap->partitions);
  free(tap->headers);
  free(tap);
}
