// The inside of kafka_app.h, for its files alone: kafka_app.c (made, drained, freed), kafka_poller.c (the poller's thread:
// group, arrivals, commits), kafka_answer.c (take and answer; the confirmer's thread), kafka_transaction.c (exactly-once).
#ifndef SP_STREAM_KAFKA_MEMBER_H
#define SP_STREAM_KAFKA_MEMBER_H

#include <pthread.h>

#include "base/ring.h"
#include "stream/kafka_app.h"
#include "stream/kafka_conf.h"
#include "stream/kafka_offsets.h"
#include "stream/wire.h"

#define SP_KAFKA_HELD_BYTES ((size_t)64 << 20) // of messages that are not yet answered and confirmed

struct sp_kafka_answer { // exactly-once: waits for its transaction
  uint8_t stages[SP_STAGES_BYTES];
  size_t outcome_bytes; // 0: none
  uint8_t outcome[SP_OUTCOME_BYTES];
  size_t value_bytes;
  uint8_t value[];
};

struct sp_kafka_event {        // a delivery's token; from a pool
  struct sp_offsets_item item; // first
  struct sp_offsets *offsets;  // of its partition
  rd_kafka_message_t *message; // until it was answered (exactly-once: until its answer is committed)
  struct sp_kafka_answer *answer;
  int64_t held_ns;
  size_t bytes;     // of the message
  uint32_t n_given; // offsets->n_given when it came
};

struct sp_kafka_transaction {
  pthread_mutex_t lock;          // held through a transaction: committing thread, poller (revoke)
  struct sp_offsets_item *batch; // its events: kept until they are committed, whatever it takes
  enum { SP_KAFKA_IDLE, SP_KAFKA_BEGUN, SP_KAFKA_PRODUCED, SP_KAFKA_OFFSETS_SENT } phase;
  bool must_abort;
};

struct sp_kafka_app {
  struct sp_kafka_app_env env;
  struct sp_kafka_client consumer, producer;
  rd_kafka_queue_t *group_queue;    // rebalances, errors
  rd_kafka_queue_t *commit_queue;   // results of commits
  rd_kafka_queue_t *message_queue;  // of every partition that is ours
  rd_kafka_queue_t *producer_queue; // delivery reports
  rd_kafka_topic_t *output;
  uint8_t boot[SP_BOOT_BYTES];

  struct sp_ring events; // struct sp_kafka_event *: held, not yet taken
  struct sp_gate event_gate;
  struct sp_ring replies; // struct sp_reply *: free buffers
  struct sp_gate reply_gate;
  uint8_t *reply_memory;

  pthread_mutex_t lock; // of the pool and the partitions' lists; held for short
  struct sp_kafka_event *pool;
  struct sp_offsets_item *free_events;
  size_t n_events, n_free;
  size_t held_bytes;        // of the events that are not free
  struct sp_offsets **ours; // by partition number, NULL: never given; the list is grown by the poller alone
  int32_t n_partitions;     // of that list
  pthread_mutex_t error_lock;
  struct sp_error why_stopped; // code SP_OK while it can go on

  struct sp_gate poller_gate; // messages, group events, room
  struct sp_gate idle_gate;   // every event is free
  struct sp_gate commit_gate; // the committing thread: stop, drain
  struct sp_gate room_gate;   // room in the producer's queue
  atomic_int poller_wants;    // enum sp_kafka_wants
  atomic_bool has_assignment, has_stopped, is_closed, is_draining, is_leaving, commits_on_leave;
  atomic_bool is_ending_transactions, is_ending, has_closed; // committing thread; confirmer; the consumer
  _Atomic int64_t leave_by_ns;

  pthread_t poller, confirmer, committer;
  bool has_poller, has_confirmer, has_committer;
  rd_kafka_message_t **batch;           // poller
  int64_t next_commit_ns, next_poll_ns; // poller
  bool is_committing;                   // poller: a commit is under way
  bool is_unfinished;                   // poller: left before all that was under way was committed
  bool has_forgotten;                   // poller: what waited when the end began
  struct sp_kafka_transaction transaction;
  _Atomic uint64_t n_received, n_answered, n_acknowledged, n_refused, n_commits, n_aborts, n_rebalances,
      n_dropped;
};

enum sp_kafka_wants { // when the poller's gate is woken by events that become free
  SP_KAFKA_WANTS_NOTHING,
  SP_KAFKA_WANTS_ROOM, // a good part of the pool is free
  SP_KAFKA_WANTS_EACH, // something finished
};

// --- kafka_app.c ---

// It cannot go on: kept for sp_kafka_app_state, the first reason wins. Any thread.
void sp_kafka_app_stop_for(struct sp_kafka_app *app, const char *what, rd_kafka_resp_err_t err,
                           const char *text);
// Notes a fatal error of a client, once it has one.
void sp_kafka_app_check_fatal(struct sp_kafka_app *app, struct sp_kafka_client *client);
// Back to the pool, with what they hold. The lock is held / is not held.
void sp_kafka_app_release_locked(struct sp_kafka_app *app, struct sp_offsets_item *chain);
void sp_kafka_app_release(struct sp_kafka_app *app, struct sp_offsets_item *chain);

static inline void sp_kafka_count(_Atomic uint64_t *counter, uint64_t n) {
  atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
static inline bool sp_kafka_is(atomic_bool *flag) {
  return atomic_load_explicit(flag, memory_order_acquire);
}

// --- kafka_poller.c ---
void *sp_kafka_poll(void *app); // the thread

// --- kafka_answer.c ---
extern const struct sp_stream_ops sp_kafka_app_ops;
void *sp_kafka_confirm(void *app); // the thread
// Produces an answer with its event's key and headers. `headers` are given away, whatever it returns.
rd_kafka_resp_err_t sp_kafka_produce(struct sp_kafka_app *app, const rd_kafka_message_t *to,
                                     rd_kafka_headers_t *headers, const struct sp_kafka_answer *answer,
                                     const void *value, void *opaque);

// --- kafka_transaction.c ---
void *sp_kafka_commit_transactions(void *app); // the thread
// One transaction of all that is answered now. False: not done by deadline_ns, or it cannot go on. Committing thread, poller.
bool sp_kafka_transact(struct sp_kafka_app *app, int64_t deadline_ns);
// Poller, before partitions go: an open transaction must not commit what it holds of them later.
void sp_kafka_transaction_give_up(struct sp_kafka_app *app);

#endif
