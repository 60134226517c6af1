// The gate: no wake-up is lost, whoever waits and however; deadlines end a wait.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/gate.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define N_ROUNDS 5000 // sanitizers look at the order of accesses, not at how often a race is won
#endif
#endif
#ifndef N_ROUNDS
#define N_ROUNDS 50000 // two turns each
#endif

// Far beyond what a loaded machine needs: who waits so long has lost a wake-up.
#define LOST_NS (20 * SP_NS_PER_S)

struct match { // two players and whose turn it is
  struct sp_gate gates[2];
  _Atomic int turn;
  _Atomic bool is_lost;
  enum sp_wait mode;
  int n_rounds;
};
struct player {
  struct match *match;
  int i;
};

static void *play(void *context) {
  const struct player *player = context;
  struct match *match = player->match;
  for (int round = 0; round < match->n_rounds && !match->is_lost; round++) {
    int64_t deadline_ns = sp_now_ns() + LOST_NS;
    for (;;) {
      uint32_t seen = sp_gate_look(&match->gates[player->i]);
      if (atomic_load(&match->turn) == player->i) break;
      sp_gate_wait(&match->gates[player->i], seen, match->mode, deadline_ns);
      if (sp_now_ns() < deadline_ns) continue;
      match->is_lost = true;
      return NULL;
    }
    atomic_store(&match->turn, 1 - player->i);
    sp_gate_wake(&match->gates[1 - player->i], 1);
  }
  return NULL;
}

static void play_match(enum sp_wait mode, int n_rounds) {
  struct match match = {.mode = mode, .n_rounds = n_rounds};
  struct player players[2] = {{&match, 0}, {&match, 1}};
  pthread_t other;
  assert_int_equal(pthread_create(&other, NULL, play, &players[1]), 0);
  play(&players[0]);
  pthread_join(other, NULL);
  assert_false(match.is_lost);
}

static void test_ping_pong_parked(void **state) {
  (void)state;
  play_match(SP_WAIT_PARK, N_ROUNDS);
}
static void test_ping_pong_hybrid(void **state) {
  (void)state;
  play_match(SP_WAIT_HYBRID, N_ROUNDS);
}
// Fewer: on one processor each turn costs a time slice.
static void test_ping_pong_spinning(void **state) {
  (void)state;
  play_match(SP_WAIT_SPIN, 1000);
}

enum { N_WAITERS = 4, N_TICKETS = 20000 };
struct office {
  struct sp_gate gate;
  _Atomic int n_given, n_taken;
  _Atomic bool is_lost;
};

static bool take_ticket(struct office *office) {
  int n = atomic_load(&office->n_taken);
  while (n < atomic_load(&office->n_given)) {
    if (atomic_compare_exchange_weak(&office->n_taken, &n, n + 1)) return true;
  }
  return false;
}

static void *wait_for_tickets(void *context) {
  struct office *office = context;
  while (atomic_load(&office->n_taken) < N_TICKETS && !office->is_lost) {
    int64_t deadline_ns = sp_now_ns() + LOST_NS;
    uint32_t seen = sp_gate_look(&office->gate);
    if (take_ticket(office) || atomic_load(&office->n_taken) == N_TICKETS) continue;
    sp_gate_wait(&office->gate, seen, SP_WAIT_PARK, deadline_ns);
    if (sp_now_ns() >= deadline_ns) office->is_lost = true;
  }
  sp_gate_wake(&office->gate, INT32_MAX); // the last ticket is gone: let the others see it
  return NULL;
}

// One is woken for each ticket: none may stay while somebody sleeps.
static void test_one_woken_for_each_ticket(void **state) {
  (void)state;
  struct office office = {0};
  pthread_t waiters[N_WAITERS];
  for (int i = 0; i < N_WAITERS; i++)
    assert_int_equal(pthread_create(&waiters[i], NULL, wait_for_tickets, &office), 0);
  for (int i = 0; i < N_TICKETS; i++) {
    atomic_fetch_add(&office.n_given, 1);
    sp_gate_wake(&office.gate, 1);
  }
  for (int i = 0; i < N_WAITERS; i++) pthread_join(waiters[i], NULL);
  assert_false(office.is_lost);
  assert_int_equal(office.n_taken, N_TICKETS);
  assert_int_equal(office.gate.n_sleeping, 0);
}

static const enum sp_wait modes[] = {SP_WAIT_PARK, SP_WAIT_SPIN, SP_WAIT_HYBRID};

static void test_deadline_ends_the_wait(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    struct sp_gate gate = {0};
    int64_t deadline_ns = sp_now_ns() + 5 * SP_NS_PER_MS;
    while (sp_now_ns() < deadline_ns) sp_gate_wait(&gate, sp_gate_look(&gate), modes[i], deadline_ns);
    sp_gate_wait(&gate, sp_gate_look(&gate), modes[i], deadline_ns); // long past: returns at once
    sp_gate_wait(&gate, sp_gate_look(&gate), modes[i], 0);
    assert_int_equal(gate.n_sleeping, 0);
  }
}

// Woken between the look and the wait: does not sleep, though nothing else would ever wake it.
static void test_wake_before_the_wait_counts(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    struct sp_gate gate = {0};
    uint32_t seen = sp_gate_look(&gate);
    sp_gate_wake(&gate, 1);
    sp_gate_wait(&gate, seen, modes[i], INT64_MAX);
    assert_int_not_equal(sp_gate_look(&gate), seen);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ping_pong_parked),       cmocka_unit_test(test_ping_pong_hybrid),
      cmocka_unit_test(test_ping_pong_spinning),     cmocka_unit_test(test_one_woken_for_each_ticket),
      cmocka_unit_test(test_deadline_ends_the_wait), cmocka_unit_test(test_wake_before_the_wait_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
