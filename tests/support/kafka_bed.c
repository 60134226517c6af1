#include "support/kafka_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct sp_mock *mock;
char input[32], output[32], group[32];

int start_mock(void **state) {
  (void)state;
  return sp_mock_new(&mock, &(struct sp_error){0}) ? -1 : 0;
}

int end_mock(void **state) {
  (void)state;
  sp_mock_free(mock);
  return 0;
}

int make_topics(void **state) {
  (void)state;
  static int n;
  snprintf(input, sizeof input, "in-%d", ++n);
  snprintf(output, sizeof output, "out-%d", n);
  snprintf(group, sizeof group, "group-%d", n);
  if (sp_mock_topic(mock, input, N_PARTITIONS, &(struct sp_error){0})) return -1;
  return sp_mock_topic(mock, output, N_PARTITIONS, &(struct sp_error){0}) ? -1 : 0;
}

rd_kafka_t *client(rd_kafka_type_t type, const char *of_group) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", sp_mock_address(mock), why, sizeof why);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set(conf, "fetch.wait.max.ms", "1", why, sizeof why);
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof why);
  if (of_group) rd_kafka_conf_set(conf, "group.id", of_group, why, sizeof why);
  rd_kafka_conf_set(conf, "message.max.bytes", "10000000", why, sizeof why);
  rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
  assert_non_null(rk);
  return rk;
}
