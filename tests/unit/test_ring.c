// The ring: full, empty, wrap, order, and many threads that lose and double nothing.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"

static void push(struct sp_ring *ring, uint64_t value) {
  uint64_t *cell = sp_ring_claim(ring);
  assert_non_null(cell);
  *cell = value;
  sp_ring_commit(cell);
}

static uint64_t pop(struct sp_ring *ring) {
  uint64_t *cell = sp_ring_take(ring);
  assert_non_null(cell);
  uint64_t value = *cell;
  sp_ring_release(ring, cell);
  return value;
}

static void test_empty_and_full_are_answers(void **state) {
  (void)state;
  struct sp_ring ring;
  sp_ring_init(&ring, 5, sizeof(uint64_t)); // at least: the next power of two
  assert_null(sp_ring_take(&ring));
  for (uint64_t i = 0; i < 8; i++) push(&ring, i);
  assert_null(sp_ring_claim(&ring));
  assert_int_equal(sp_ring_length(&ring), 8);
  assert_int_equal(pop(&ring), 0);
  push(&ring, 8);
  assert_null(sp_ring_claim(&ring));
  for (uint64_t i = 1; i <= 8; i++) assert_int_equal(pop(&ring), i);
  assert_null(sp_ring_take(&ring));
  assert_int_equal(sp_ring_length(&ring), 0);
  sp_ring_done(&ring);
}

static void test_one_cell_asked_for(void **state) {
  (void)state;
  struct sp_ring ring;
  sp_ring_init(&ring, 1, 1);
  push(&ring, 7);
  assert_int_equal(pop(&ring), 7);
  sp_ring_done(&ring);
}

static void test_wraps_in_order(void **state) {
  (void)state;
  struct sp_ring ring;
  sp_ring_init(&ring, 4, sizeof(uint64_t));
  uint64_t pushed = 0, popped = 0;
  for (int round = 0; round < 1000; round++) {
    for (int i = 0; i < round % 4 + 1; i++) push(&ring, pushed++);
    for (int i = 0; i < round % 4 + 1; i++) assert_int_equal(pop(&ring), popped++);
  }
  sp_ring_done(&ring);
}

// What was claimed first comes first, however late it is committed; a taken cell is not reused before its release.
static void test_claims_keep_their_places(void **state) {
  (void)state;
  struct sp_ring ring;
  sp_ring_init(&ring, 2, sizeof(uint64_t));
  uint64_t *a = sp_ring_claim(&ring), *b = sp_ring_claim(&ring);
  *a = 1;
  *b = 2;
  sp_ring_commit(b);
  assert_null(sp_ring_take(&ring));
  sp_ring_commit(a);
  uint64_t *first = sp_ring_take(&ring), *second = sp_ring_take(&ring);
  assert_ptr_equal(first, a);
  assert_ptr_equal(second, b);
  assert_null(sp_ring_claim(&ring));
  sp_ring_release(&ring, second);
  assert_null(sp_ring_claim(&ring)); // the place of the first comes before
  sp_ring_release(&ring, first);
  assert_ptr_equal(sp_ring_claim(&ring), a);
  sp_ring_done(&ring);
}

static void test_cells_do_not_overlap(void **state) {
  (void)state;
  enum { N_CELLS = 16, N_BYTES = 113 };
  struct sp_ring ring;
  sp_ring_init(&ring, N_CELLS, N_BYTES);
  for (int i = 0; i < N_CELLS; i++) {
    uint8_t *cell = sp_ring_claim(&ring);
    assert_non_null(cell);
    memset(cell, i, N_BYTES);
    sp_ring_commit(cell);
  }
  for (int i = 0; i < N_CELLS; i++) {
    uint8_t *cell = sp_ring_take(&ring);
    assert_non_null(cell);
    for (size_t k = 0; k < N_BYTES; k++) assert_int_equal(cell[k], i);
    sp_ring_release(&ring, cell);
  }
  sp_ring_done(&ring);
}

enum { N_SIDE = 4, N_EACH = 50000 };

struct crowd {
  struct sp_ring ring;
  _Atomic uint64_t n_popped;
  _Atomic uint8_t seen[N_SIDE * N_EACH];
  _Atomic int n_out_of_order;
};
struct member {
  struct crowd *crowd;
  uint64_t i;
};

static void *produce(void *context) {
  struct member *member = context;
  for (uint64_t k = 0; k < N_EACH;) {
    uint64_t *cell = sp_ring_claim(&member->crowd->ring);
    if (!cell) {
      sched_yield();
      continue;
    }
    *cell = member->i * N_EACH + k++;
    sp_ring_commit(cell);
  }
  return NULL;
}

static void *consume(void *context) {
  struct crowd *crowd = ((struct member *)context)->crowd;
  uint64_t latest_1[N_SIDE] = {0}; // of each producer: one consumer sees each one's values in order
  while (atomic_load(&crowd->n_popped) < N_SIDE * N_EACH) {
    uint64_t *cell = sp_ring_take(&crowd->ring);
    if (!cell) {
      sched_yield();
      continue;
    }
    uint64_t value = *cell, from = value / N_EACH;
    sp_ring_release(&crowd->ring, cell);
    atomic_fetch_add(&crowd->seen[value], 1);
    atomic_fetch_add(&crowd->n_popped, 1);
    if (value + 1 <= latest_1[from]) atomic_fetch_add(&crowd->n_out_of_order, 1);
    latest_1[from] = value + 1;
  }
  return NULL;
}

static void test_four_by_four_threads(void **state) {
  (void)state;
  struct crowd *crowd = aligned_alloc(64, (sizeof *crowd + 63) / 64 * 64);
  assert_non_null(crowd);
  memset(crowd, 0, sizeof *crowd);
  sp_ring_init(&crowd->ring, 64, sizeof(uint64_t));
  pthread_t threads[2 * N_SIDE];
  struct member members[2 * N_SIDE];
  for (uint64_t i = 0; i < 2 * N_SIDE; i++) {
    members[i] = (struct member){crowd, i % N_SIDE};
    assert_int_equal(pthread_create(&threads[i], NULL, i < N_SIDE ? produce : consume, &members[i]), 0);
  }
  for (int i = 0; i < 2 * N_SIDE; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < N_SIDE * N_EACH; i++) assert_int_equal(atomic_load(&crowd->seen[i]), 1);
  assert_int_equal(atomic_load(&crowd->n_out_of_order), 0);
  assert_int_equal(sp_ring_length(&crowd->ring), 0);
  assert_null(sp_ring_take(&crowd->ring));
  sp_ring_done(&crowd->ring);
  free(crowd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty_and_full_are_answers),
      cmocka_unit_test(test_one_cell_asked_for),
      cmocka_unit_test(test_wraps_in_order),
      cmocka_unit_test(test_claims_keep_their_places),
      cmocka_unit_test(test_cells_do_not_overlap),
      cmocka_unit_test(test_four_by_four_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
