// librdkafka's mock cluster, held by a client that connects to nothing.
#include "stream/mock.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

struct sp_mock {
  rd_kafka_t *rk;
  rd_kafka_mock_cluster_t *cluster;
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
  *mock = (struct sp_mock){rk, cluster};
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

void sp_mock_free(struct sp_mock *mock) {
  if (!mock) return;
  rd_kafka_mock_cluster_destroy(mock->cluster);
  rd_kafka_destroy(mock->rk);
  free(mock);
}
