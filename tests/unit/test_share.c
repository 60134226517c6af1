// Shares of a load: every event is exactly one driver's, placed as Kafka's clients place keys, and the pacer passes over the rest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "replay/pacer.h"
#include "replay/share.h"
#include "stream/kafka.h"

#define N_EVENTS     1000
#define N_WARMUP     100
#define N_RECORDED   7
#define N_PARTITIONS 10

static struct sp_event events[N_RECORDED];
static int64_t intended_ns[N_EVENTS];
static const struct sp_recording recording = {.n_events = N_RECORDED, .events = events};
static const struct sp_schedule schedule = {
    .n_events = N_EVENTS, .n_warmup = N_WARMUP, .intended_ns = intended_ns, .t1_ns = INT64_MAX / 2};

static int make_events(void **state) {
  (void)state;
  static const char *const keys[N_RECORDED] = {"alice", "bob", NULL, "carol", "dave", NULL, "erin"};
  for (int i = 0; i < N_RECORDED; i++) {
    events[i].value = sp_bytes_of_text("x");
    if (keys[i]) events[i].key = sp_bytes_of_text(keys[i]);
  }
  for (int i = 0; i < N_EVENTS; i++) intended_ns[i] = i * SP_NS_PER_US;
  return 0;
}

static void the_shares_are_the_whole(void **state) {
  (void)state;
  struct sp_error error;
  unsigned owners[N_EVENTS] = {0};
  size_t n_own = 0, n_warmup = 0, n_partitions = 0;
  for (unsigned number = 1; number <= 4; number++) {
    struct sp_share share;
    assert_int_equal(
        sp_share_init(&share, (struct sp_shard){number, 4}, &schedule, &recording, N_PARTITIONS, &error),
        SP_OK);
    for (size_t i = 0; i < N_EVENTS; i++) {
      uint32_t partition = (uint32_t)sp_partition_of(events[i % N_RECORDED].key, i, N_PARTITIONS);
      assert_int_equal(share.is_own[i], partition % 4 == number - 1);
      owners[i] += share.is_own[i];
    }
    for (size_t k = 0; k < share.n_partitions; k++) assert_int_equal(share.partitions[k] % 4, number - 1);
    n_own += share.n_own;
    n_warmup += share.n_own_warmup;
    n_partitions += share.n_partitions;
    sp_share_done(&share);
  }
  for (size_t i = 0; i < N_EVENTS; i++) assert_int_equal(owners[i], 1);
  assert_true(n_own == N_EVENTS && n_warmup == N_WARMUP && n_partitions == N_PARTITIONS);
}

static void one_of_one_is_all(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_share share;
  assert_int_equal(sp_share_init(&share, (struct sp_shard){1, 1}, &schedule, &recording, 3, &error), SP_OK);
  assert_null(share.is_own);
  assert_null(share.partitions);
  assert_true(share.n_own == N_EVENTS && share.n_own_warmup == N_WARMUP);
  sp_share_done(&share);
}

static void a_share_without_events_is_refused(void **state) {
  (void)state;
  struct sp_error error;
  struct sp_share share;
  struct sp_event only_alice = {.key = sp_bytes_of_text("alice"), .value = sp_bytes_of_text("x")};
  const struct sp_recording lonely = {.n_events = 1, .events = &only_alice};
  unsigned owner = (unsigned)sp_partition_of(only_alice.key, 0, 4) + 1;
  for (unsigned number = 1; number <= 4; number++) {
    enum sp_err err = sp_share_init(&share, (struct sp_shard){number, 4}, &schedule, &lonely, 4, &error);
    assert_int_equal(err, number == owner ? SP_OK : SP_ERR_USAGE);
    if (err) assert_non_null(strstr(error.text, "no event of the window falls into the 1 of 4 partitions"));
    sp_share_done(&share);
  }
}

// --- The pacer ---

struct sent {
  size_t n;
  uint64_t ids[N_EVENTS];
};
static bool remember(void *impl, const struct sp_delivery *delivery) {
  struct sent *sent = impl;
  sent->ids[sent->n++] = delivery->id;
  return true;
}

static void the_pacer_passes_over_what_is_not_its_own(void **state) {
  (void)state;
  static const struct sp_stream_ops ops = {.name = "remember", .send = remember};
  struct sp_error error;
  struct sp_share share;
  static struct sent sent;
  struct sp_stream stream = {&ops, &sent, 0};
  struct sp_load_conf conf = {0};
  struct sp_tally tally = {0};
  struct sp_event_states states;
  int64_t now_ns = SP_NS_PER_S;
  struct sp_clock clock = {.virtual_ns = &now_ns};
  assert_int_equal(
      sp_share_init(&share, (struct sp_shard){2, 3}, &schedule, &recording, N_PARTITIONS, &error), SP_OK);
  sp_event_states_init(&states, N_EVENTS, false);
  struct sp_pacer pacer = {.clock = &clock,
                           .conf = &conf,
                           .schedule = &schedule,
                           .recording = &recording,
                           .stream = &stream,
                           .tally = &tally,
                           .states = &states,
                           .is_own = share.is_own};
  sp_pacer_init(&pacer);
  assert_true(sp_pacer_step(&pacer) == INT64_MAX); // all are due
  assert_int_equal(sent.n, share.n_own);
  for (size_t i = 0, k = 0; i < N_EVENTS; i++) {
    if (share.is_own[i]) assert_int_equal(sent.ids[k++], i); // by its index in the whole schedule
    assert_int_equal(sp_event_state(&states, i), share.is_own[i] ? SP_STATE_SENT : 0);
  }
  sp_pacer_done(&pacer);
  sp_event_states_done(&states);
  sp_share_done(&share);
}

// --- How they are written ---

static void shards_are_written_as_i_of_n(void **state) {
  (void)state;
  struct sp_shard shard;
  struct sp_error error;
  assert_int_equal(sp_shard_parse("2/4", &shard, &error), SP_OK);
  assert_true(shard.number == 2 && shard.of == 4);
  static const char *const wrong[] = {"", "2", "0/4", "5/4", "2/4x", "-1/4", "2/0", "2 /4", "a/b", "1/2/3"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(sp_shard_parse(wrong[i], &shard, &error), SP_ERR_USAGE);
    assert_non_null(strstr(error.text, "as in 2/4"));
  }
}

static void starts_are_instants(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t unix_ns;
  } right[] = {{"1700000000", INT64_C(1700000000000000000)},
               {"1700000000.25", INT64_C(1700000000250000000)},
               {"2023-11-14T22:13:20Z", INT64_C(1700000000000000000)},
               {"2023-11-14T22:13:20.5Z", INT64_C(1700000000500000000)},
               {"2023-11-15T00:13:20+02:00", INT64_C(1700000000000000000)},
               {"2023-11-14T16:43:20-05:30", INT64_C(1700000000000000000)}};
  static const char *const wrong[] = {"",
                                      "soon",
                                      "17",
                                      "2023-11-14",
                                      "2023-11-14T22:13:20",
                                      "2023-13-01T00:00:00Z",
                                      "1700000000s",
                                      "9999999999",
                                      "9999-12-31T23:59:59Z",
                                      "1066-10-14T09:00:00Z",
                                      "2023-11-14T22:13:20+2"};
  struct sp_error error;
  int64_t unix_ns;
  for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
    assert_int_equal(sp_start_at_parse(right[i].text, &unix_ns, &error), SP_OK);
    assert_true(unix_ns == right[i].unix_ns);
  }
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(sp_start_at_parse(wrong[i], &unix_ns, &error), SP_ERR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_shares_are_the_whole),
      cmocka_unit_test(one_of_one_is_all),
      cmocka_unit_test(a_share_without_events_is_refused),
      cmocka_unit_test(the_pacer_passes_over_what_is_not_its_own),
      cmocka_unit_test(shards_are_written_as_i_of_n),
      cmocka_unit_test(starts_are_instants),
  };
  return cmocka_run_group_tests(tests, make_events, NULL);
}
