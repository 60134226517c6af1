// What carries events from the driver to the application and answers back. One table of functions per transport: the
// driver's half (send, receive) and the application's half (take, answer) may live in different processes.
#ifndef SP_STREAM_STREAM_H
#define SP_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/outcome.h"

// An event on its way to a worker. key and value are borrowed from the transport until the event was answered.
struct sp_delivery {
  uint64_t id;         // index in the schedule
  int64_t intended_ns; // 0 where the transport does not carry it
  int64_t sent_ns;
  int64_t held_ns;  // the application's poller holds it
  int64_t taken_ns; // a worker took it
  int32_t
      partition; // where it shall go (driver) or came from (application); -1: the transport chooses, or has none
  struct sp_bytes key;
  struct sp_bytes value;
  void *token; // the transport's own; the answer must carry it back
};

#define SP_REPLY_ALIEN      UINT64_MAX
#define SP_REPLY_TEXT_BYTES 120
// An answer on its way to the collector.
struct sp_reply {
  uint64_t id; // SP_REPLY_ALIEN: belongs to no event of this run
  void *token; // of the delivery that it answers; application's half only
  int64_t intended_ns, sent_ns, held_ns, taken_ns;
  int64_t dispatched_ns, answered_ns, encoded_ns;
  int64_t server_ns;       // -1: unknown
  enum sp_outcome outcome; // SP_OUTCOME_NONE: `value` is an answer; otherwise why there is none
  int code;
  char text[SP_REPLY_TEXT_BYTES]; // why, where outcome is not NONE
  size_t value_bytes;
  uint8_t value[]; // at most the transport's value_bound
};

// What the driver's half of a transport has counted so far.
struct sp_stream_facts {
  size_t replies_peak,
      replies_room;       // most answers that ever waited in this process for the collector, and how many fit
  int64_t n_acknowledged; // sends that the broker confirmed; -1: the transport confirms none
  int64_t n_dropped;      // messages of this run that the broker dropped before they were read; 0
};

struct sp_stream_ops {
  const char *name;
  // Driver. send: pacer thread, never blocks; false: no room (shed). receive: collector thread; waits until deadline_ns
  // (CLOCK_MONOTONIC) for at least one reply, gives at most `max` in arrival order, valid until the next receive.
  bool (*send)(void *stream, const struct sp_delivery *delivery);
  size_t (*receive)(void *stream, struct sp_reply **replies, size_t max, int64_t deadline_ns);
  // Application. take: a worker thread; at most `max` of what waits, waits until deadline_ns for the first; does not stamp
  // taken_ns. reply_claim / reply_commit: any thread of the application; claim blocks while the collector is behind, and
  // returns NULL once the stream is closed.
  size_t (*take)(void *stream, struct sp_delivery *deliveries, size_t max, int64_t deadline_ns);
  struct sp_reply *(*reply_claim)(void *stream);
  void (*reply_commit)(void *stream, struct sp_reply *reply);
  // Any thread: every wait under way and to come returns at once.
  void (*close)(void *stream);
  void (*facts)(void *stream,
                struct sp_stream_facts *facts); // driver; collector thread, or after it has ended
};

struct sp_stream {
  const struct sp_stream_ops *ops;
  void *impl;
  size_t value_bound; // bytes of the longest answer value
};

static inline bool sp_stream_send(const struct sp_stream *s, const struct sp_delivery *delivery) {
  return s->ops->send(s->impl, delivery);
}
static inline size_t sp_stream_receive(const struct sp_stream *s, struct sp_reply **replies, size_t max,
                                       int64_t deadline_ns) {
  return s->ops->receive(s->impl, replies, max, deadline_ns);
}
static inline size_t sp_stream_take(const struct sp_stream *s, struct sp_delivery *deliveries, size_t max,
                                    int64_t deadline_ns) {
  return s->ops->take(s->impl, deliveries, max, deadline_ns);
}
static inline struct sp_reply *sp_stream_reply_claim(const struct sp_stream *s) {
  return s->ops->reply_claim(s->impl);
}
static inline void sp_stream_reply_commit(const struct sp_stream *s, struct sp_reply *reply) {
  s->ops->reply_commit(s->impl, reply);
}
static inline void sp_stream_facts_take(const struct sp_stream *s, struct sp_stream_facts *facts) {
  s->ops->facts(s->impl, facts);
}
static inline void sp_stream_close(const struct sp_stream *s) {
  s->ops->close(s->impl);
}

#endif
