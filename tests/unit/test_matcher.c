// Answers without an id, matched by hand: equal keys, a short recording repeated, what was shed, copies and losses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "stream/kafka.h"
#include "stream/matcher.h"

#define N_EVENTS 64

static struct sp_bytes of(const char *text) {
  return text ? sp_bytes_of_text(text) : (struct sp_bytes){NULL, 0};
}

// --- The pacer, by hand ---

struct fixture {
  struct sp_sent sent;
  _Atomic int64_t at_ns[N_EVENTS];
  struct sp_bytes tokens[16];
  struct sp_matcher *matcher;
};

static bool take_first_letter(void *context, struct sp_bytes value, struct sp_bytes *field) {
  (void)context;
  *field = sp_bytes_of(value.data, 1);
  return value.n > 0;
}

// tokens: a letter an event, '-' for none.
static void start(struct fixture *f, enum sp_matcher_by by, const char *tokens, uint32_t n_partitions) {
  *f = (struct fixture){.sent = {.n_events = N_EVENTS}};
  f->sent.at_ns = f->at_ns;
  size_t n = strlen(tokens);
  for (size_t i = 0; i < n; i++) f->tokens[i] = tokens[i] == '-' ? of(NULL) : sp_bytes_of(tokens + i, 1);
  f->matcher = sp_matcher_new(&(struct sp_matcher_conf){.by = by,
                                                        .tokens = f->tokens,
                                                        .n_recorded = n,
                                                        .n_partitions = n_partitions,
                                                        .take_field = take_first_letter});
}
static void end(struct fixture *f) {
  sp_matcher_free(f->matcher);
}

static void send(struct fixture *f, uint64_t id) {
  sp_sent_begin(&f->sent, id, 1000 + (int64_t)id);
  assert_true(sp_sent_end(&f->sent, id, 1000 + (int64_t)id, true));
}
static void send_all(struct fixture *f, uint64_t from, uint64_t to) {
  for (uint64_t id = from; id < to; id++) send(f, id);
}
static void shed(struct fixture *f, uint64_t id) {
  sp_sent_begin(&f->sent, id, 1000 + (int64_t)id);
  assert_true(sp_sent_end(&f->sent, id, 1000 + (int64_t)id, false));
}

static uint64_t by_key(struct fixture *f, const char *key) {
  return sp_matcher_find(f->matcher, &f->sent, &(struct sp_matcher_answer){0, of(key), of("x")});
}
static uint64_t by_value(struct fixture *f, const char *value) {
  return sp_matcher_find(f->matcher, &f->sent, &(struct sp_matcher_answer){0, of("key"), of(value)});
}
static uint64_t in_partition(struct fixture *f, int32_t partition) {
  return sp_matcher_find(f->matcher, &f->sent, &(struct sp_matcher_answer){partition, of(NULL), of(NULL)});
}
static struct sp_matcher_facts facts_of(struct fixture *f) {
  struct sp_matcher_facts facts;
  sp_matcher_facts(f->matcher, &f->sent, &facts);
  return facts;
}

// --- Key and field ---

static void equal_keys_are_answered_in_order(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "abacab", 0);
  send_all(&f, 0, 6);
  assert_int_equal(by_key(&f, "c"), 3); // other keys may overtake
  assert_int_equal(by_key(&f, "a"), 0);
  assert_int_equal(by_key(&f, "b"), 1);
  assert_int_equal(by_key(&f, "a"), 2);
  assert_int_equal(by_key(&f, "a"), 4);
  assert_int_equal(by_key(&f, "b"), 5);
  struct sp_matcher_facts facts = facts_of(&f);
  assert_int_equal(facts.n_matched, 6);
  assert_int_equal(facts.n_surplus, 0);
  assert_int_equal(facts.n_unsure, 0);
  end(&f);
}

static void a_short_recording_comes_again(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "aba", 0);
  send_all(&f, 0, 9); // aba aba aba
  static const uint64_t of_a[] = {0, 2, 3, 5, 6, 8}, of_b[] = {1, 4, 7};
  for (size_t i = 0; i < 6; i++) assert_int_equal(by_key(&f, "a"), of_a[i]);
  for (size_t i = 0; i < 3; i++) assert_int_equal(by_key(&f, "b"), of_b[i]);
  end(&f);
}

static void what_no_event_has_is_alien(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "ab", 0);
  send_all(&f, 0, 2);
  assert_true(by_key(&f, "c") == SP_REPLY_ALIEN);
  assert_true(by_key(&f, "") == SP_REPLY_ALIEN);
  assert_true(by_key(&f, NULL) == SP_REPLY_ALIEN);
  assert_true(by_key(&f, "ab") == SP_REPLY_ALIEN);
  assert_int_equal(facts_of(&f).n_surplus, 0);
  end(&f);
}

// An answer that has no event left does not wait for one that is yet to be sent.
static void nothing_runs_ahead(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "aa", 0);
  assert_true(by_key(&f, "a") == SP_REPLY_ALIEN);
  send(&f, 0);
  assert_int_equal(by_key(&f, "a"), 0);
  assert_true(by_key(&f, "a") == SP_REPLY_ALIEN); // a copy, before the next event
  send(&f, 1);
  assert_int_equal(by_key(&f, "a"), 1);
  struct sp_matcher_facts facts = facts_of(&f);
  assert_int_equal(facts.n_surplus, 2);
  assert_int_equal(facts.n_unsure, 2); // one of them may have been the copy
  end(&f);
}

static void what_was_shed_is_passed_over(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "aab", 0);
  send(&f, 0);
  shed(&f, 1);
  assert_int_equal(by_key(&f, "a"), 0);
  assert_true(by_key(&f, "a") == SP_REPLY_ALIEN); // 1 was the last one that the pacer came to
  send(&f, 2);
  shed(&f, 3);
  send(&f, 4);
  assert_int_equal(by_key(&f, "a"), 4);
  assert_int_equal(by_key(&f, "b"), 2);
  end(&f);
}

// A closed loop that found no room comes to the same event again.
static void an_event_that_is_tried_again_is_not_passed_over(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "a", 0);
  shed(&f, 0);
  assert_true(by_key(&f, "a") == SP_REPLY_ALIEN);
  send(&f, 0);
  assert_int_equal(by_key(&f, "a"), 0);
  end(&f);
}

static void an_answer_may_come_before_the_send_call_returns(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "a", 0);
  sp_sent_begin(&f.sent, 0, 77);
  assert_int_equal(sp_sent_at(&f.sent, 0), 77);
  assert_int_equal(by_key(&f, "a"), 0);
  assert_true(sp_sent_end(&f.sent, 0, 77, true));
  assert_int_equal(sp_sent_at(&f.sent, 0), 77);
  // A surplus answer took it: it stays sent, and the pacer is told.
  sp_sent_begin(&f.sent, 1, 78);
  assert_int_equal(by_key(&f, "a"), 1);
  assert_false(sp_sent_end(&f.sent, 1, 78, false));
  assert_int_equal(sp_sent_at(&f.sent, 1), 78);
  end(&f);
}

static void what_the_broker_refused_is_passed_over(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "aaa", 0);
  send_all(&f, 0, 3);
  sp_matcher_withdraw(f.matcher, &f.sent, 0, false);
  assert_int_equal(by_key(&f, "a"), 1);
  assert_int_equal(by_key(&f, "a"), 2);
  assert_int_equal(facts_of(&f).n_unsure, 0);
  end(&f);
}

static void a_loss_makes_its_key_unsure_and_no_other(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_KEY, "abab", 0);
  send_all(&f, 0, 8);
  for (int i = 0; i < 4; i++) assert_true(by_key(&f, "b") != SP_REPLY_ALIEN);
  for (int i = 0; i < 3; i++) assert_true(by_key(&f, "a") != SP_REPLY_ALIEN);
  struct sp_matcher_facts facts = facts_of(&f);
  assert_int_equal(facts.n_matched, 7);
  assert_int_equal(facts.n_unsure, 3);
  end(&f);
}

static void a_field_of_the_answer_says_which(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_FIELD, "xyx", 0);
  send_all(&f, 0, 3);
  assert_int_equal(by_value(&f, "y: YES"), 1);
  assert_int_equal(by_value(&f, "x: NO"), 0);
  assert_int_equal(by_value(&f, "x: NO"), 2);
  assert_true(by_value(&f, "") == SP_REPLY_ALIEN); // no field
  assert_true(by_value(&f, "z") == SP_REPLY_ALIEN);
  end(&f);
}

// --- Order ---

// Without keys event i goes to partition i % 2; "k" goes where its hash says.
static void the_nth_answer_of_a_partition_is_to_its_nth_event(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_ORDER, "--k", 2);
  int32_t of_k = sp_partition_of(of("k"), 0, 2);
  send_all(&f, 0, 9);
  uint64_t expected[2][9];
  size_t n[2] = {0, 0};
  for (uint64_t id = 0; id < 9; id++) {
    int32_t p = id % 3 == 2 ? of_k : (int32_t)(id % 2);
    expected[p][n[p]++] = id;
  }
  for (int32_t p = 1; p >= 0; p--) {
    for (size_t i = 0; i < n[p]; i++) {
      assert_int_equal(facts_of(&f).partition, i == 0 ? -1 : p); // without answers none is mistaken
      assert_int_equal(in_partition(&f, p), expected[p][i]);
    }
    assert_int_equal(facts_of(&f).partition, -1);
  }
  assert_true(in_partition(&f, 2) == SP_REPLY_ALIEN);
  assert_true(in_partition(&f, -1) == SP_REPLY_ALIEN);
  end(&f);
}

static void order_names_the_partition_that_lost(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_ORDER, "-", 3);
  send_all(&f, 0, 4); // 0 and 3, 1, 2
  shed(&f, 4);
  send_all(&f, 5, 8); // 6, 7, 5
  assert_int_equal(in_partition(&f, 1), 1);
  assert_int_equal(in_partition(&f, 1), 7); // 4 was shed
  for (int i = 0; i < 3; i++) assert_true(in_partition(&f, 0) != SP_REPLY_ALIEN);
  assert_int_equal(in_partition(&f, 2), 2); // and 5 has none
  struct sp_matcher_facts facts = facts_of(&f);
  assert_int_equal(facts.partition, 2);
  assert_int_equal(facts.n_sent, 2);
  assert_int_equal(facts.n_answers, 1);
  assert_int_equal(facts.n_unsure, 1);
  assert_int_equal(in_partition(&f, 2), 5);
  assert_int_equal(facts_of(&f).partition, -1);
  assert_true(in_partition(&f, 0) == SP_REPLY_ALIEN); // one too many
  facts = facts_of(&f);
  assert_int_equal(facts.partition, 0);
  assert_int_equal(facts.n_sent, 3);
  assert_int_equal(facts.n_answers, 4);
  end(&f);
}

static void a_send_that_may_have_arrived_voids_the_order(void **state) {
  (void)state;
  struct fixture f;
  start(&f, SP_MATCHER_ORDER, "-", 1);
  send_all(&f, 0, 3);
  sp_matcher_withdraw(f.matcher, &f.sent, 0, false);
  assert_int_equal(in_partition(&f, 0), 1);
  sp_matcher_withdraw(f.matcher, &f.sent, 2, true);
  struct sp_matcher_facts facts = facts_of(&f);
  assert_int_equal(facts.partition, 0);
  assert_int_equal(facts.n_sent, 2);
  assert_int_equal(facts.n_answers, 1);
  end(&f);
}

// --- Many ---

// Were an answer's cost in proportion to keys or events, this would not end in the test's time.
static void many_keys_and_events(void **state) {
  (void)state;
  enum { N = 200000, N_KEYS = 20000 };
  static char keys[N_KEYS][16];
  struct sp_bytes *tokens = sp_alloc(N_KEYS * sizeof *tokens);
  for (int i = 0; i < N_KEYS; i++)
    tokens[i] = sp_bytes_of(keys[i], (size_t)snprintf(keys[i], sizeof keys[i], "customer-%d", i));
  struct sp_sent sent = {.at_ns = sp_alloc(N * sizeof *sent.at_ns), .n_events = N};
  for (uint64_t id = 0; id < N; id++) {
    sp_sent_begin(&sent, id, 1);
    assert_true(sp_sent_end(&sent, id, 1, true));
  }
  static const enum sp_matcher_by ways[] = {SP_MATCHER_KEY, SP_MATCHER_ORDER};
  for (size_t way = 0; way < 2; way++) {
    struct sp_matcher *matcher = sp_matcher_new(&(struct sp_matcher_conf){
        .by = ways[way], .tokens = tokens, .n_recorded = N_KEYS, .n_partitions = 12});
    for (uint64_t id = 0; id < N; id++) {
      struct sp_bytes key = tokens[id % N_KEYS];
      struct sp_matcher_answer answer = {sp_partition_of(key, id, 12), key, {NULL, 0}};
      assert_true(sp_matcher_find(matcher, &sent, &answer) == id);
    }
    sp_matcher_free(matcher);
  }
  free((void *)sent.at_ns);
  free(tokens);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_keys_are_answered_in_order),
      cmocka_unit_test(a_short_recording_comes_again),
      cmocka_unit_test(what_no_event_has_is_alien),
      cmocka_unit_test(nothing_runs_ahead),
      cmocka_unit_test(what_was_shed_is_passed_over),
      cmocka_unit_test(an_event_that_is_tried_again_is_not_passed_over),
      cmocka_unit_test(an_answer_may_come_before_the_send_call_returns),
      cmocka_unit_test(what_the_broker_refused_is_passed_over),
      cmocka_unit_test(a_loss_makes_its_key_unsure_and_no_other),
      cmocka_unit_test(a_field_of_the_answer_says_which),
      cmocka_unit_test(the_nth_answer_of_a_partition_is_to_its_nth_event),
      cmocka_unit_test(order_names_the_partition_that_lost),
      cmocka_unit_test(a_send_that_may_have_arrived_voids_the_order),
      cmocka_unit_test(many_keys_and_events),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
