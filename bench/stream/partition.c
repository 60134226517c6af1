// Where a key goes.
#include <librdkafka/rdkafka.h>

#include "stream/kafka.h"

int32_t sp_partition_of(struct sp_bytes key, uint64_t id, uint32_t n_partitions) {
  SP_ASSERT(n_partitions > 0 && n_partitions <= INT32_MAX);
  if (!key.data) return (int32_t)(id % n_partitions);
  return rd_kafka_msg_partitioner_murmur2(NULL, key.data, key.n, (int32_t)n_partitions, NULL, NULL);
}
