// The Kafka transport. What both halves need to reach a broker; the driver's half (producer on the input topic, consumer
// of the output topic by assignment) is here, the application's in kafka_app.h. Headers on the wire: wire.h (DESIGN §4).
#ifndef SP_STREAM_KAFKA_H
#define SP_STREAM_KAFKA_H

#include "base/gate.h"
#include "stream/conf.h"
#include "stream/matcher.h"
#include "stream/stream.h"

#define SP_RUN_BYTES 16

// Strings are borrowed and outlive what is made from them.
struct sp_kafka_env {
  const char *brokers;                  // "127.0.0.1:9092[,...]"
  const struct sp_properties *producer; // laid over our defaults (kafka_conf.c), which are printed in results
  const struct sp_properties *consumer;
  const char *input, *output; // topics
  uint8_t run[SP_RUN_BYTES];  // sp-run of every message sent
  int64_t connect_timeout_ns; // until the broker answers; 10 s
  bool is_mock;               // fetch.wait.max.ms = 1: the mock does not wake a fetch when messages come
};

struct sp_kafka_driver_env {
  struct sp_kafka_env kafka;
  size_t n_events; // of the schedule (closed loop: an upper bound; memory is touched as it is used)
  const int64_t
      *intended_ns;     // per event, offset from the origin; NULL: closed loop, where sent_ns stands for it
  size_t value_bound;   // bytes of the longest answer; longer ones arrive as malformed
  enum sp_wait wait;    // of the collector
  bool sends, collects; // --only
  bool reads_committed; // exactly-once
  const int32_t *partitions; // its share of the output topic's partitions; NULL: all
  size_t n_partitions;
  struct sp_matcher *matcher; // how answers find their events, where both halves are here; NULL: by header
  // Takes the prediction out of an answer's value; false: it is not there. NULL: all of it. *taken lives until the next call.
  bool (*take_value)(void *context, struct sp_bytes value, struct sp_bytes *taken);
  void *take_context;
};

struct sp_kafka_driver;

// Connects, waits until both topics are known (a first produce would stall), and reads every output partition (of its share)
// from what is its end now, by assignment: what comes after this call is received. SP_ERR_ENVIRONMENT, one line naming broker
// and reason, within connect_timeout: absent, wrong port, not Kafka, TLS against plain, wrong password, topic unknown.
// SP_ERR_USAGE: a property that librdkafka refuses; matching by order between topics of other numbers of partitions. *stream
// borrows the result.
//
// send: to delivery->partition, or where that is -1 to sp_partition_of. The value's bytes are not copied: they must live until
// sp_kafka_driver_free. Its one cost is rd_kafka_produceva; false: the local queue is full. A send that the broker refuses or
// does not confirm within message.timeout.ms (8 s unless the user says otherwise) comes back from receive as an answer with
// outcome unavailable, librdkafka's code and text.
// receive: id is SP_REPLY_ALIEN where sp-run is not ours, or sp-id is missing, there twice, no number of an event of this
// schedule, or of one not yet sent. With a matcher neither is asked for (matcher.h), but an answer that has another run's
// sp-run is alien all the same. Stages that cannot be read, or that lie before the send or in the future, are unknown (0).
// Malformed, with a text: a null value without sp-outcome, an sp-outcome that cannot be read, a value above value_bound, or one
// that take_value finds nothing in.
// Where this process does not send, sent_ns is intended_ns.
enum sp_err sp_kafka_driver_new(const struct sp_kafka_driver_env *env, struct sp_kafka_driver **driver,
                                struct sp_stream *stream, struct sp_error *error);
// The schedule's origin, CLOCK_MONOTONIC: replies get their intended_ns from it. Before the first send.
void sp_kafka_driver_origin(struct sp_kafka_driver *driver, int64_t origin_ns);
// Partitions of the input topic (output where only collecting).
uint32_t sp_kafka_driver_partitions(const struct sp_kafka_driver *driver);
// The broker is librdkafka's mock cluster, wherever it came from: its times mean nothing.
bool sp_kafka_driver_is_mock(struct sp_kafka_driver *driver);
// What the matcher did, where there is one; after pacer and collector have ended.
void sp_kafka_driver_matched(struct sp_kafka_driver *driver, struct sp_matcher_facts *facts);
// facts: replies_peak is the longest local queue seen, replies_room where librdkafka stops fetching. n_dropped asks the broker
// (blocks for at most 1 s): messages gone from both topics since the start, but never more than confirmed sends still without
// an answer, so that what was read before it went does not count.
void sp_kafka_driver_free(struct sp_kafka_driver *driver); // after every thread has left; NULL is allowed

// Partition of an event, as Java clients and `partitioner=murmur2_random` place keys; an event without a key goes by its id.
int32_t sp_partition_of(struct sp_bytes key, uint64_t id, uint32_t n_partitions);

const char *sp_kafka_library(void); // "librdkafka 2.0.2"
// Properties that clients of this env really use and that matter for a comparison, as JSON; free().
char *sp_kafka_properties_json(const struct sp_kafka_env *env);

#endif
