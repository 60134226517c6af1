// The application's half of the Kafka transport: a consumer-group member whose poller never predicts, and a producer.
//
// The poller stamps arrivals and puts them into a bounded FIFO that workers take from; while it is full the poller waits.
// An answer goes to the partition of the output topic that its input came from, with the input's key and headers, and
// sp-stages or sp-outcome. An offset is committed only when every earlier event of its partition is finished: answered, and
// the answer confirmed by the broker. Exactly-once: answers wait in memory; every commit_interval those of finished
// prefixes, and the offsets, go out in one transaction.
#ifndef SP_STREAM_KAFKA_APP_H
#define SP_STREAM_KAFKA_APP_H

#include "base/gate.h"
#include "stream/kafka.h"

struct sp_kafka_app;

struct sp_kafka_app_counts { // so far
  uint64_t n_received, n_answered, n_acknowledged,
      n_refused; // refused: answers that the broker did not confirm
  uint64_t n_commits, n_aborts, n_rebalances;
  uint64_t n_dropped_at_rebalance; // answers to events of partitions that were taken away meanwhile
};

struct sp_kafka_app_env {
  struct sp_kafka_env kafka; // run is not used: sp-run is copied from each event
  const char *group;
  const char *client_id; // "servepath-app-2"
  bool exactly_once;
  const char
      *transactional_id; // exactly-once: the same again after a restart, so that a killed one is fenced
  int64_t commit_interval_ns;
  size_t fifo_events;
  size_t value_bound; // bytes of the longest answer
  enum sp_wait wait;
  // Poller thread: partitions given or taken away. NULL: not told.
  void (*on_assignment)(void *context, bool is_given, const int32_t *partitions, size_t n);
  void *context;
};

// Connects and waits until both topics are known, then joins the group. Errors as sp_kafka_driver_new; SP_ERR_ENVIRONMENT
// also where transactions are not possible. *stream (take, reply_claim, reply_commit, close) borrows the result.
enum sp_err sp_kafka_app_new(const struct sp_kafka_app_env *env, struct sp_kafka_app **app,
                             struct sp_stream *stream, struct sp_error *error);
// Waits until the group has given it its share (which may be none). SP_ERR_ENVIRONMENT at the timeout.
enum sp_err sp_kafka_app_wait_assigned(struct sp_kafka_app *app, int64_t timeout_ns, struct sp_error *error);
// Why it cannot go on (fenced, group gone, authorization lost), in *error; SP_OK while it can. Any thread.
enum sp_err sp_kafka_app_state(struct sp_kafka_app *app, struct sp_error *error);
// Polls no more, waits at most grace_ns until everything that workers have taken is answered and confirmed, commits, leaves the
// group: what still waits in the FIFO is for others. The workers still run meanwhile. False: something that was taken was left
// unfinished (it will be delivered again).
bool sp_kafka_app_drain(struct sp_kafka_app *app, int64_t grace_ns);
// After sp_stream_close and the workers' end; NULL is allowed. Without a drain before, nothing more is committed. Where
// librdkafka does not come to an end within 5 s (its topic went away), its threads are left to the process's end.
void sp_kafka_app_free(struct sp_kafka_app *app);
void sp_kafka_app_counts(struct sp_kafka_app *app, struct sp_kafka_app_counts *counts); // any thread

#endif
