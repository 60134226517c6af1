// Shared by the bare Kafka programs: clients with the properties that servepath's own have (made by the same function), and
// nothing else of ours between them and librdkafka.
#ifndef BARE_KAFKA_H
#define BARE_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/kafka_conf.h"
#include "stream/wire.h"

static _Atomic int bare_ends;
static _Atomic long bare_n_delivered, bare_n_refused;

static inline void bare_on_signal(int signal) {
  (void)signal;
  atomic_store(&bare_ends, 1);
}

static inline void bare_die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(3);
}

static inline void bare_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk;
  (void)opaque;
  if (message->err)
    bare_n_refused++;
  else
    bare_n_delivered++;
}

static inline rd_kafka_t *bare_client(const char *broker, enum sp_kafka_role role,
                                      const struct sp_kafka_setting *settings, size_t n) {
  struct sp_kafka_env env = {.brokers = broker};
  struct sp_error error;
  rd_kafka_conf_t *conf;
  char why[256];
  if (sp_kafka_conf_new(&env, role, settings, n, &conf, &error)) bare_die("properties", error.text);
  if (role == SP_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, bare_on_delivery);
  rd_kafka_t *rk =
      rd_kafka_new(role == SP_KAFKA_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) bare_die("client", why);
  return rk;
}

// Partitions of a topic, asked until the broker knows it and each has a leader.
static inline int32_t bare_partitions(rd_kafka_t *rk, rd_kafka_topic_t *topic) {
  for (int64_t end_ns = sp_now_ns() + 10 * SP_NS_PER_S; sp_now_ns() < end_ns;) {
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(rk, 0, topic, &metadata, 5000)) continue;
    int32_t n = metadata->topic_cnt == 1 && !metadata->topics[0].err ? metadata->topics[0].partition_cnt : 0;
    for (int i = 0; i < n; i++) {
      if (metadata->topics[0].partitions[i].leader < 0) n = 0;
    }
    rd_kafka_metadata_destroy(metadata);
    if (n > 0) return n;
  }
  bare_die(rd_kafka_topic_name(topic), "the broker does not know it");
  return 0;
}

static inline rd_kafka_topic_t *bare_topic(rd_kafka_t *rk, const char *name, int32_t *n_partitions) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
  if (!topic) bare_die(name, rd_kafka_err2str(rd_kafka_last_error()));
  int32_t n = bare_partitions(rk, topic);
  if (n_partitions) *n_partitions = n;
  return topic;
}

// Every partition of a topic by assignment, from `offset`.
static inline void bare_assign(rd_kafka_t *rk, const char *topic, int32_t n_partitions, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n_partitions);
  for (int32_t i = 0; i < n_partitions; i++) {
    int64_t low, high, from = offset;
    // "The end" is what is the end now, not when the first fetch is answered.
    if (offset == RD_KAFKA_OFFSET_END) {
      rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, 10000);
      if (err) bare_die(topic, rd_kafka_err2str(err));
      from = high;
    }
    rd_kafka_topic_partition_list_add(list, topic, i)->offset = from;
  }
  rd_kafka_resp_err_t err = rd_kafka_assign(rk, list);
  if (err) bare_die(topic, rd_kafka_err2str(err));
  rd_kafka_topic_partition_list_destroy(list);
}

#endif
