// Lines "PARTITION TIMESTAMP_MS KEY VALUE" of standard input to a Kafka topic, exactly so stamped. Built by the test:
//   cc _produce.c -lrdkafka -o produce; ./produce BROKER TOPIC
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  char why[256], line[65536], key[256];
  if (argc != 3) return 64;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof why);
  rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof why);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!rk) return 3;
  while (fgets(line, sizeof line, stdin)) {
    long long at_ms;
    int partition, n = 0;
    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "%d %lld %255s %n", &partition, &at_ms, key, &n) != 3 || !n) return 64;
    rd_kafka_resp_err_t err = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(argv[2]), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_TIMESTAMP(at_ms),
        RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(line + n, strlen(line + n)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADER("trace", "t", 1),
        RD_KAFKA_V_HEADER("sp-id", "12345678", 8), RD_KAFKA_V_END);
    if (err) return 3;
  }
  rd_kafka_resp_err_t err = rd_kafka_flush(rk, 20000);
  rd_kafka_destroy(rk);
  return err ? 3 : 0;
}
