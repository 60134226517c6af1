// Answers that carry no id of ours find their events by what both have in common (--match key, payload, order). The schedule is
// fixed, so that no queue is kept: of every class of events that cannot be told apart, the k-th answer is taken for that to the
// k-th event that was really sent. Events that were shed are passed over; no answer runs ahead of an event that is yet to be sent.
//
// What such matching cannot see: a copy of an answer is taken for that to the next event of its class, and after an answer that
// never came those of its class are one off, until the end. Its last event is the one without an answer then (or the surplus
// answer is alien). How many answers that may concern is told by sp_matcher_facts.
#ifndef SP_STREAM_MATCHER_H
#define SP_STREAM_MATCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

// --- What was sent: written by the pacer, read by the collector ---

struct sp_sent {
  _Atomic int64_t *at_ns;  // per event; 0: not sent; below 0: being handed over since -at_ns
  _Atomic uint64_t n_seen; // the latest event that the pacer came to, plus 1: those before it are decided
  size_t n_events;
};

// Before the send call, since the answer may come before it returns. at_ns > 0.
static inline void sp_sent_begin(struct sp_sent *sent, uint64_t id, int64_t at_ns) {
  atomic_store_explicit(&sent->at_ns[id], -at_ns, memory_order_release);
  atomic_store_explicit(&sent->n_seen, id + 1, memory_order_release);
}
// After it, handed over or not. False: it was not, and yet an answer (a surplus one, of its class) was matched to it meanwhile.
static inline bool sp_sent_end(struct sp_sent *sent, uint64_t id, int64_t at_ns, bool is_sent) {
  int64_t expected = -at_ns;
  bool is_ours = atomic_compare_exchange_strong_explicit(&sent->at_ns[id], &expected, is_sent ? at_ns : 0,
                                                         memory_order_acq_rel, memory_order_acquire);
  return is_ours || is_sent;
}
// When it was sent, 0: it was not (yet).
static inline int64_t sp_sent_at(const struct sp_sent *sent, uint64_t id) {
  int64_t at_ns = atomic_load_explicit((_Atomic int64_t *)&sent->at_ns[id], memory_order_acquire);
  return at_ns < 0 ? -at_ns : at_ns;
}

// --- Matching ---

enum sp_matcher_by { SP_MATCHER_KEY, SP_MATCHER_FIELD, SP_MATCHER_ORDER };

struct sp_matcher_conf {
  enum sp_matcher_by by;
  // Per recorded event: its key, or its field; order: its key, which says where it goes (data NULL: none). Borrowed. Event `id`
  // of the schedule is recorded event id % n_recorded.
  const struct sp_bytes *tokens;
  size_t n_recorded;     // at least 1, fewer than 2^32
  uint32_t n_partitions; // order: of either topic
  // field: takes the field out of an answer's value; false: it has none. *field is valid until the next call.
  bool (*take_field)(void *context, struct sp_bytes value, struct sp_bytes *field);
  void *context;
};
struct sp_matcher;

// Every token must be there, unless by order.
struct sp_matcher *sp_matcher_new(const struct sp_matcher_conf *conf);
void sp_matcher_free(struct sp_matcher *matcher); // NULL is allowed
enum sp_matcher_by sp_matcher_by(const struct sp_matcher *matcher);

struct sp_matcher_answer {
  int32_t partition; // of the output topic
  struct sp_bytes key, value;
};
// The event that it answers, whose matter it is now, or SP_REPLY_ALIEN: no event is like it, or none of those that are like it
// is without an answer. Collector thread; allocates nothing; takes constant time, apart from events passed over (once each).
uint64_t sp_matcher_find(struct sp_matcher *matcher, struct sp_sent *sent,
                         const struct sp_matcher_answer *answer);
// The broker does not have the event, which has no answer yet: none will come. may_be_there: nobody knows. Collector thread.
void sp_matcher_withdraw(struct sp_matcher *matcher, struct sp_sent *sent, uint64_t id, bool may_be_there);

struct sp_matcher_facts {
  int64_t n_classes; // of recorded events that cannot be told apart
  int64_t n_matched;
  int64_t n_surplus;         // answers like events that all had theirs
  int64_t n_unsure;          // matched answers of classes whose answers are not as many as the events sent
  int32_t partition;         // order: the first of those that have matched answers; -1: none
  int64_t n_sent, n_answers; // there
};
// After pacer and collector have ended.
void sp_matcher_facts(struct sp_matcher *matcher, const struct sp_sent *sent, struct sp_matcher_facts *facts);

#endif
