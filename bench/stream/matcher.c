// Classes of events that cannot be told apart, and a cursor in each.
#include "stream/matcher.h"

#include <stdlib.h>
#include <uthash.h>

#include "stream/kafka.h"

// Of one class: its recorded events in order, over and over. By order a class is a partition, and its list is not used.
struct class {
  uint32_t first, n; // of matcher->list
  uint32_t i;        // in the list: the next event is round_id + list[first + i]
  uint64_t round_id; // of recorded event 0
  uint64_t next_id;  // by order: where to look on
  int64_t n_matched, n_surplus;
  int64_t n_unknown; // sends of which nobody knows
  int64_t n_sent;    // sp_matcher_facts
  UT_hash_handle hh;
};

struct sp_matcher {
  struct sp_matcher_conf conf;
  struct class *classes; // by order: of partition p the p-th
  size_t n_classes;
  struct class *by_token;
  uint32_t *list;     // recorded events, class by class
  uint32_t *class_of; // per recorded event; by order: its partition, or NO_KEY
};
#define NO_KEY UINT32_MAX

// --- Classes ---

static uint32_t class_of_token(struct sp_matcher *m, struct sp_bytes token) {
  struct class *class = NULL;
  SP_ASSERT(token.data);
  HASH_FIND(hh, m->by_token, token.data, token.n, class);
  if (!class) {
    class = &m->classes[m->n_classes++];
    HASH_ADD_KEYPTR(hh, m->by_token, token.data, token.n, class);
  }
  return (uint32_t)(class - m->classes);
}

static void list_by_class(struct sp_matcher *m) {
  size_t n = m->conf.n_recorded;
  m->list = sp_alloc(n * sizeof *m->list);
  for (size_t i = 0; i < n; i++) m->classes[m->class_of[i]].n++;
  uint32_t first = 0;
  for (size_t c = 0; c < m->n_classes; first += m->classes[c++].n) m->classes[c].first = first;
  for (size_t i = 0; i < n; i++) {
    struct class *class = &m->classes[m->class_of[i]];
    m->list[class->first + class->i++] = (uint32_t)i;
  }
  for (size_t c = 0; c < m->n_classes; c++) m->classes[c].i = 0;
}

static void classify_by_token(struct sp_matcher *m) {
  m->classes = sp_alloc(m->conf.n_recorded * sizeof *m->classes);
  for (size_t i = 0; i < m->conf.n_recorded; i++) m->class_of[i] = class_of_token(m, m->conf.tokens[i]);
  list_by_class(m);
}

static void classify_by_partition(struct sp_matcher *m) {
  SP_ASSERT(m->conf.n_partitions > 0);
  m->n_classes = m->conf.n_partitions;
  m->classes = sp_alloc(m->n_classes * sizeof *m->classes);
  for (size_t i = 0; i < m->conf.n_recorded; i++) {
    struct sp_bytes key = m->conf.tokens[i];
    m->class_of[i] = key.data ? (uint32_t)sp_partition_of(key, 0, m->conf.n_partitions) : NO_KEY;
  }
}

struct sp_matcher *sp_matcher_new(const struct sp_matcher_conf *conf) {
  SP_ASSERT(conf->n_recorded > 0 && conf->n_recorded < NO_KEY);
  struct sp_matcher *m = sp_alloc(sizeof *m);
  m->conf = *conf;
  m->class_of = sp_alloc(conf->n_recorded * sizeof *m->class_of);
  if (conf->by == SP_MATCHER_ORDER)
    classify_by_partition(m);
  else
    classify_by_token(m);
  return m;
}

void sp_matcher_free(struct sp_matcher *m) {
  if (!m) return;
  HASH_CLEAR(hh, m->by_token);
  free(m->classes);
  free(m->list);
  free(m->class_of);
  free(m);
}

enum sp_matcher_by sp_matcher_by(const struct sp_matcher *m) {
  return m->conf.by;
}

// Of any event of the schedule.
static struct class *class_of_event(const struct sp_matcher *m, uint64_t id) {
  uint32_t class = m->class_of[id % m->conf.n_recorded];
  if (class == NO_KEY)
    class = (uint32_t)sp_partition_of((struct sp_bytes){NULL, 0}, id, m->conf.n_partitions);
  return &m->classes[class];
}

// --- Cursors ---

// The event at the cursor, or UINT64_MAX: the pacer has not come to it.
static uint64_t at_cursor(const struct sp_matcher *m, struct class *class, uint64_t n_seen) {
  if (m->conf.by != SP_MATCHER_ORDER) {
    uint64_t id = class->round_id + m->list[class->first + class->i];
    return id < n_seen ? id : UINT64_MAX;
  }
  while (class->next_id < n_seen && class_of_event(m, class->next_id) != class) class->next_id++;
  return class->next_id < n_seen ? class->next_id : UINT64_MAX;
}

static void move_on(const struct sp_matcher *m, struct class *class) {
  class->next_id++;
  if (++class->i < class->n) return;
  class->i = 0;
  class->round_id += m->conf.n_recorded;
}

// True: it was sent, and is answered now. One that is being handed over is claimed, so that it cannot be shed any more.
static bool take(struct sp_sent *sent, uint64_t id) {
  int64_t at_ns = atomic_load_explicit(&sent->at_ns[id], memory_order_acquire);
  if (at_ns >= 0) return at_ns > 0;
  // Otherwise the pacer has decided meanwhile.
  return atomic_compare_exchange_strong_explicit(&sent->at_ns[id], &at_ns, -at_ns, memory_order_acq_rel,
                                                 memory_order_acquire) ||
         at_ns > 0;
}

static uint64_t take_next(const struct sp_matcher *m, struct class *class, struct sp_sent *sent) {
  uint64_t n_seen = atomic_load_explicit(&sent->n_seen, memory_order_acquire), id;
  while ((id = at_cursor(m, class, n_seen)) != UINT64_MAX) {
    bool is_taken = take(sent, id);
    if (!is_taken && id + 1 == n_seen) break; // a closed loop tries it again
    move_on(m, class);
    if (is_taken) return id;
  }
  return SP_REPLY_ALIEN;
}

static struct class *class_of_answer(const struct sp_matcher *m, const struct sp_matcher_answer *answer) {
  struct sp_bytes token = answer->key;
  struct class *class = NULL;
  if (m->conf.by == SP_MATCHER_ORDER) {
    bool is_known = answer->partition >= 0 && (uint32_t)answer->partition < m->conf.n_partitions;
    return is_known ? &m->classes[answer->partition] : NULL;
  }
  if (m->conf.by == SP_MATCHER_FIELD && !m->conf.take_field(m->conf.context, answer->value, &token))
    return NULL;
  if (token.data) HASH_FIND(hh, m->by_token, token.data, token.n, class);
  return class;
}

uint64_t sp_matcher_find(struct sp_matcher *m, struct sp_sent *sent, const struct sp_matcher_answer *answer) {
  struct class *class = class_of_answer(m, answer);
  if (!class) return SP_REPLY_ALIEN;
  uint64_t id = take_next(m, class, sent);
  class->n_matched += id != SP_REPLY_ALIEN;
  class->n_surplus += id == SP_REPLY_ALIEN;
  return id;
}

void sp_matcher_withdraw(struct sp_matcher *m, struct sp_sent *sent, uint64_t id, bool may_be_there) {
  atomic_store_explicit(&sent->at_ns[id], 0, memory_order_release);
  class_of_event(m, id)->n_unknown += may_be_there;
}

// --- Facts ---

static bool is_unsure(const struct class *class) {
  return class->n_matched != class->n_sent || class->n_surplus || class->n_unknown;
}

void sp_matcher_facts(struct sp_matcher *m, const struct sp_sent *sent, struct sp_matcher_facts *facts) {
  uint64_t n_seen = atomic_load_explicit(&sent->n_seen, memory_order_acquire);
  *facts = (struct sp_matcher_facts){.n_classes = (int64_t)m->n_classes, .partition = -1};
  for (size_t c = 0; c < m->n_classes; c++) m->classes[c].n_sent = 0;
  for (uint64_t id = 0; id < n_seen; id++) class_of_event(m, id)->n_sent += sp_sent_at(sent, id) != 0;
  for (size_t c = 0; c < m->n_classes; c++) {
    const struct class *class = &m->classes[c];
    facts->n_matched += class->n_matched;
    facts->n_surplus += class->n_surplus;
    if (!class->n_matched || !is_unsure(class)) continue;
    facts->n_unsure += class->n_matched;
    if (m->conf.by != SP_MATCHER_ORDER || facts->partition >= 0) continue;
    facts->partition = (int32_t)c;
    facts->n_sent = class->n_sent + class->n_unknown;
    facts->n_answers = class->n_matched + class->n_surplus;
  }
}
