// librdkafka's mock cluster, held by a client that connects to nothing.
#include "stream/mock.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h> // needs the one above
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_conf.h"

#define WATCH_NS (2 * SP_NS_PER_S)

struct watched { // a partition
  char topic[250];
  int32_t partition;
  int64_t low;
};

struct sp_mock {
  rd_kafka_t *rk;
  rd_kafka_mock_cluster_t *cluster;
  struct sp_kafka_client client; // of the watch, opened by the first
  struct watched *watched;
  size_t n_watched;
};

static void drop_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
  (void)rk, (void)level, (void)facility, (void)text; // of connections that come and go
}

enum sp_err sp_mock_new(struct sp_mock **result, struct sp_error *error) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, drop_log);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!rk) {
    rd_kafka_conf_destroy(conf);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot start the mock broker (%s)", why);
  }
  rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
  if (!cluster) {
    rd_kafka_destroy(rk);
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot start the mock broker (no port of 127.0.0.1 to listen on); look at ulimit -n");
  }
  struct sp_mock *mock = sp_alloc(sizeof *mock);
  mock->rk = rk;
  mock->cluster = cluster;
  *result = mock;
  return SP_OK;
}

const char *sp_mock_address(const struct sp_mock *mock) {
  return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

enum sp_err sp_mock_topic(struct sp_mock *mock, const char *topic, int partitions, struct sp_error *error) {
  rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
  if (!err) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot create topic %.250s with %d partitions (%s)", topic,
                 partitions, rd_kafka_err2str(err));
}

static struct watched *find_watched(struct sp_mock *mock, const char *topic, int32_t partition) {
  for (size_t i = 0; i < mock->n_watched; i++) {
    struct watched *watched = &mock->watched[i];
    if (watched->partition == partition && strcmp(watched->topic, topic) == 0) return watched;
  }
  mock->watched = sp_realloc(mock->watched, (mock->n_watched + 1) * sizeof *mock->watched);
  struct watched *watched = &mock->watched[mock->n_watched++];
  *watched = (struct watched){.partition = partition};
  snprintf(watched->topic, sizeof watched->topic, "%s", topic);
  return watched;
}

enum sp_err sp_mock_watch(struct sp_mock *mock, sp_mock_dropped *tell, void *context,
                          struct sp_error *error) {
  const struct sp_kafka_env env = {.brokers = sp_mock_address(mock), .is_mock = true};
  int64_t deadline_ns = sp_now_ns() + WATCH_NS;
  enum sp_err err = SP_OK;
  if (!mock->client.rk)
    err = sp_kafka_client_new(&mock->client, &env, SP_KAFKA_CONSUMER, NULL, 0, NULL, error);
  if (err) return err;
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t answer =
      rd_kafka_metadata(mock->client.rk, 1, NULL, &metadata, sp_kafka_ms_until(deadline_ns, 60000));
  if (answer) return sp_kafka_client_fail(&mock->client, "list the topics", answer, error);
  for (int i = 0; i < metadata->topic_cnt && !err; i++) {
    const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
    for (int32_t k = 0; k < topic->partition_cnt && !err; k++) {
      int64_t low, high;
      err = sp_kafka_client_offsets(&mock->client, topic->topic, k, deadline_ns, &low, &high, error);
      struct watched *watched = find_watched(mock, topic->topic, k);
      if (!err && low > watched->low) tell(context, topic->topic, k, low - watched->low);
      if (!err) watched->low = low;
    }
  }
  rd_kafka_metadata_destroy(metadata);
  return err;
}

void sp_mock_free(struct sp_mock *mock) {
  if (!mock) return;
  sp_kafka_client_close(&mock->client);
  rd_kafka_mock_cluster_destroy(mock->cluster);
  rd_kafka_destroy(mock->rk);
  free(mock->watched);
  free(mock);
}
