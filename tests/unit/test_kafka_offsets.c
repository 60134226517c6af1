// What may be committed: never past an unfinished event, whatever the order in which events finish, and nothing once a
// partition was taken away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "stream/kafka_offsets.h"

#define N 64

static struct sp_offsets offsets;
static struct sp_offsets_item items[N];

static int give(void **state) {
  (void)state;
  memset(&offsets, 0, sizeof offsets);
  sp_offsets_give(&offsets);
  return 0;
}

// n events from offset 100 on, with a gap after each (transaction markers, compaction).
static void admit(size_t n) {
  for (size_t i = 0; i < n; i++) sp_offsets_admit(&offsets, &items[i], 100 + 2 * (int64_t)i);
}
static void set(size_t i, int state) {
  atomic_store(&items[i].state, state);
}
static size_t length(const struct sp_offsets_item *chain) {
  size_t n = 0;
  for (; chain; chain = chain->next) n++;
  return n;
}

static void test_nothing_is_committed_before_anything_is_finished(void **state) {
  (void)state;
  assert_int_equal(offsets.finished, -1);
  admit(3);
  assert_null(sp_offsets_advance(&offsets));
  set(1, SP_OFFSETS_FINISHED);
  set(2, SP_OFFSETS_FINISHED);
  assert_null(sp_offsets_advance(&offsets));
  assert_int_equal(offsets.finished, -1);
  set(0, SP_OFFSETS_FINISHED);
  assert_int_equal(length(sp_offsets_advance(&offsets)), 3);
  assert_int_equal(offsets.finished, 105);
  assert_null(offsets.first);
  assert_null(offsets.last);
}

static void test_a_refused_event_holds_its_partition(void **state) {
  (void)state;
  admit(4);
  set(0, SP_OFFSETS_FINISHED);
  set(1, SP_OFFSETS_REFUSED);
  set(2, SP_OFFSETS_FINISHED);
  assert_int_equal(length(sp_offsets_advance(&offsets)), 3); // their memory comes back all the same
  assert_int_equal(offsets.finished, 101);
  set(3, SP_OFFSETS_FINISHED);
  assert_int_equal(length(sp_offsets_advance(&offsets)), 1);
  assert_int_equal(offsets.finished, 101);
  sp_offsets_give(&offsets); // it comes again with the next assignment
  admit(1);
  set(0, SP_OFFSETS_FINISHED);
  sp_offsets_advance(&offsets);
  assert_int_equal(offsets.finished, 101);
}

// Against the plain rule: the first unfinished event of all that were admitted.
static void test_random_orders(void **state) {
  (void)state;
  struct sp_prng prng;
  sp_prng_init(&prng, 5, SP_PRNG_TEST);
  for (int round = 0; round < 200; round++) {
    size_t order[N], n_back = 0;
    give(NULL);
    admit(N);
    for (size_t i = 0; i < N; i++) order[i] = i;
    for (size_t i = N - 1; i > 0; i--) {
      size_t k = (size_t)(sp_prng_next(&prng) % (i + 1)), swapped = order[i];
      order[i] = order[k];
      order[k] = swapped;
    }
    for (size_t i = 0; i < N; i++) {
      size_t first = 0;
      set(order[i], SP_OFFSETS_FINISHED);
      n_back += length(sp_offsets_advance(&offsets));
      while (first < N && atomic_load(&items[first].state) == SP_OFFSETS_FINISHED) first++;
      assert_int_equal(offsets.finished, first ? 100 + 2 * (int64_t)(first - 1) + 1 : -1);
      assert_int_equal(n_back, first);
    }
  }
}

static void test_transactions_take_what_is_answered(void **state) {
  (void)state;
  admit(4);
  set(0, SP_OFFSETS_ANSWERED);
  set(1, SP_OFFSETS_ANSWERED);
  set(2, SP_OFFSETS_TAKEN);
  set(3, SP_OFFSETS_ANSWERED);
  assert_false(sp_offsets_all_answered(&offsets));
  assert_int_equal(length(sp_offsets_take(&offsets)), 2);
  assert_int_equal(offsets.finished, 103);
  assert_null(sp_offsets_take(&offsets));
  set(2, SP_OFFSETS_ANSWERED);
  assert_true(sp_offsets_all_answered(&offsets));
  assert_int_equal(length(sp_offsets_take(&offsets)), 2);
}

// A worker took 2 before another, slower one marked 1 as taken: 1 is forgotten, and 2 must not close over it.
static void test_what_waits_is_forgotten_with_all_behind_it(void **state) {
  (void)state;
  admit(5);
  set(0, SP_OFFSETS_ANSWERED);
  set(2, SP_OFFSETS_TAKEN);
  set(3, SP_OFFSETS_FINISHED);
  struct sp_offsets_item *chain = sp_offsets_forget_waiting(&offsets, true);
  assert_ptr_equal(chain, &items[3]); // nobody holds it
  assert_null(chain->next);
  assert_int_equal(atomic_load(&items[1].state), SP_OFFSETS_FORGOTTEN);
  assert_false(sp_offsets_move(&items[2], SP_OFFSETS_TAKEN, SP_OFFSETS_ANSWERED));
  assert_false(sp_offsets_move(&items[4], SP_OFFSETS_WAITING, SP_OFFSETS_TAKEN));
  assert_true(sp_offsets_move(&items[0], SP_OFFSETS_ANSWERED, SP_OFFSETS_FINISHED));
  assert_int_equal(length(sp_offsets_advance(&offsets)), 1);
  assert_int_equal(offsets.finished, 101);
  assert_null(offsets.first);
  assert_true(offsets.is_ours);
}

static void test_a_partition_taken_away(void **state) {
  (void)state;
  admit(4);
  set(1, SP_OFFSETS_TAKEN);
  set(2, SP_OFFSETS_ANSWERED);
  set(3, SP_OFFSETS_FINISHED);
  assert_int_equal(length(sp_offsets_forget(&offsets, true)), 1); // 3; a delivery report will come for 2
  assert_false(offsets.is_ours);
  assert_null(offsets.first);
  give(NULL);
  admit(4);
  set(1, SP_OFFSETS_TAKEN);
  set(2, SP_OFFSETS_ANSWERED);
  set(3, SP_OFFSETS_FINISHED);
  assert_int_equal(length(sp_offsets_forget(&offsets, false)),
                   2); // an answer that waited here for its transaction, too
}

static void test_given_again_is_another_time(void **state) {
  (void)state;
  admit(1);
  set(0, SP_OFFSETS_FINISHED);
  sp_offsets_advance(&offsets);
  uint32_t n_given = offsets.n_given;
  sp_offsets_forget(&offsets, true);
  sp_offsets_give(&offsets);
  assert_int_equal(offsets.n_given, n_given + 1);
  assert_int_equal(offsets.finished, -1);
  assert_true(offsets.is_ours);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_nothing_is_committed_before_anything_is_finished, give),
      cmocka_unit_test_setup(test_a_refused_event_holds_its_partition, give),
      cmocka_unit_test_setup(test_random_orders, give),
      cmocka_unit_test_setup(test_transactions_take_what_is_answered, give),
      cmocka_unit_test_setup(test_what_waits_is_forgotten_with_all_behind_it, give),
      cmocka_unit_test_setup(test_a_partition_taken_away, give),
      cmocka_unit_test_setup(test_given_again_is_another_time, give),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
