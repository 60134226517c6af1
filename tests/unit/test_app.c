// The application's threads: every event is answered once, and stopping in the midst of the traffic leaves nothing behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/app.h"
#include "base/ring.h"
#include "stream/direct.h"

// An asynchronous path without a server: what is submitted waits for the completion thread.
struct echo {
  struct sp_path_env env;
  struct sp_ring submitted;
  struct sp_gate gate;
  _Atomic int64_t n_submitted, n_answered, n_requests, most_under_way;
};

static enum sp_err echo_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                             struct sp_error *error) {
  (void)output, (void)error;
  struct echo *echo = (struct echo *)(uintptr_t)env->rpc;
  echo->env = *env;
  sp_ring_init(&echo->submitted, 1024, sizeof(struct sp_request *));
  *path = echo;
  return SP_OK;
}
static enum sp_err echo_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  (void)request, (void)error;
  atomic_fetch_add(&((struct echo *)path)->n_requests, 1);
  return SP_OK;
}
static void echo_submit(void *path, struct sp_request *request) {
  struct echo *echo = path;
  request->dispatched_ns = sp_clock_now(echo->env.clock);
  int64_t under_way = atomic_fetch_add(&echo->n_submitted, 1) + 1 - atomic_load(&echo->n_answered);
  if (under_way > atomic_load(&echo->most_under_way)) atomic_store(&echo->most_under_way, under_way);
  struct sp_request **cell = sp_ring_claim(&echo->submitted);
  SP_ASSERT(cell);
  *cell = request;
  sp_ring_commit(cell);
  sp_gate_wake(&echo->gate, INT32_MAX);
}
static size_t echo_reap(void *path, unsigned worker_i, int64_t deadline_ns) {
  (void)worker_i;
  struct echo *echo = path;
  uint32_t seen = sp_gate_look(&echo->gate);
  struct sp_request **cell = sp_ring_take(&echo->submitted);
  if (!cell) {
    sp_gate_wait(&echo->gate, seen, SP_WAIT_PARK, deadline_ns);
    return 0;
  }
  struct sp_request *request = *cell;
  sp_ring_release(&echo->submitted, cell);
  request->answered_ns = sp_clock_now(echo->env.clock);
  atomic_fetch_add(&echo->n_answered, 1);
  echo->env.done(request, echo->env.context);
  return 1;
}
static void echo_wake(void *path, unsigned worker_i) {
  (void)worker_i;
  sp_gate_wake(&((struct echo *)path)->gate, INT32_MAX);
}
static void echo_request_done(void *path, struct sp_request *request) {
  (void)request;
  atomic_fetch_sub(&((struct echo *)path)->n_requests, 1);
}
static void echo_close(void *path) {
  sp_ring_done(&((struct echo *)path)->submitted);
}

static const struct sp_path_ops echo_ops = {
    .name = "echo",
    .is_async = true,
    .open = echo_open,
    .request_init = echo_request_init,
    .submit = echo_submit,
    .reap = echo_reap,
    .wake = echo_wake,
    .request_done = echo_request_done,
    .close = echo_close,
};

struct stand {
  struct echo echo;
  struct sp_clock clock;
  struct sp_app_conf conf;
  struct sp_app *app;
  struct sp_direct *direct;
  struct sp_stream stream;
};

static struct stand *stand_open(const char *named_path, uint64_t threads, uint64_t in_flight,
                                uint64_t batch) {
  struct stand *stand = aligned_alloc(64, (sizeof *stand + 63) / 64 * 64);
  SP_ASSERT(stand);
  memset(stand, 0, sizeof *stand);
  stand->conf = (struct sp_app_conf){.threads = threads, .batch = batch};
  struct sp_app_env env = {.clock = &stand->clock,
                           .conf = &stand->conf,
                           .path = named_path,
                           .path_ops = named_path ? NULL : &echo_ops,
                           .in_flight = in_flight,
                           .path_env = {.rpc = (const struct sp_rpc_conf *)(const void *)&stand->echo}};
  struct sp_error error;
  if (sp_app_new(&env, &stand->app, &error) != SP_OK) fail_msg("%s", error.text);
  stand->direct = sp_direct_new(256, sp_app_value_bound(stand->app), SP_WAIT_PARK, &stand->stream);
  sp_app_set_stream(stand->app, &stand->stream);
  if (sp_app_start(stand->app, NULL, &error) != SP_OK) fail_msg("%s", error.text);
  return stand;
}

static void stand_close(struct stand *stand) {
  sp_stream_close(&stand->stream);
  sp_app_stop(stand->app);
  assert_int_equal(stand->echo.n_answered, stand->echo.n_submitted); // every request came back
  sp_app_free(stand->app);
  assert_int_equal(stand->echo.n_requests, 0);
  sp_direct_free(stand->direct);
  free(stand);
}

// Sends n_events, receives until n_answers came, and looks at each.
static void exchange(struct stand *stand, uint64_t n_events, uint64_t n_answers) {
  uint8_t *seen = calloc(n_events, 1);
  uint64_t n_sent = 0, n_seen = 0;
  while (n_seen < n_answers) {
    struct sp_delivery event = {.id = n_sent, .sent_ns = sp_now_ns(), .value = sp_bytes_of_text("event")};
    if (n_sent < n_events && sp_stream_send(&stand->stream, &event)) n_sent++;
    struct sp_reply *replies[64];
    int64_t deadline_ns = n_sent == n_events ? sp_now_ns() + 20 * SP_NS_PER_S : 0;
    size_t n = sp_stream_receive(&stand->stream, replies, 64, deadline_ns);
    assert_true(n > 0 || n_sent < n_events || sp_now_ns() < deadline_ns);
    for (size_t i = 0; i < n; i++, n_seen++) {
      assert_true(replies[i]->id < n_sent);
      assert_int_equal(seen[replies[i]->id]++, 0);
      assert_int_equal(replies[i]->outcome, SP_OUTCOME_NONE);
      assert_true(replies[i]->sent_ns <= replies[i]->taken_ns &&
                  replies[i]->taken_ns <= replies[i]->dispatched_ns);
      assert_true(replies[i]->dispatched_ns <= replies[i]->answered_ns);
      assert_true(replies[i]->answered_ns <= replies[i]->encoded_ns);
    }
  }
  free(seen);
}

static void test_synchronous_path(void **state) {
  (void)state;
  struct stand *stand = stand_open("noop", 2, 1, 1);
  exchange(stand, 10000, 10000);
  stand_close(stand);
}

static void test_asynchronous_path_in_batches(void **state) {
  (void)state;
  struct stand *stand = stand_open(NULL, 2, 8, 4);
  exchange(stand, 10000, 10000);
  stand_close(stand);
}

// The bound is on all workers together, also where it does not divide by them.
static void test_in_flight_is_a_bound_over_all_workers(void **state) {
  (void)state;
  struct stand *stand = stand_open(NULL, 3, 7, 1);
  assert_int_equal(stand->echo.n_requests, 7);
  exchange(stand, 5000, 5000);
  assert_true(stand->echo.most_under_way <= 7);
  stand_close(stand);
  stand = stand_open(NULL, 3, 1, 1); // each worker needs one
  assert_int_equal(stand->echo.n_requests, 3);
  stand_close(stand);
}

// Stopped while events wait and requests are under way, many times: whoever submits last is still answered.
static void test_stop_in_the_midst(void **state) {
  (void)state;
  for (uint64_t round = 0; round < 100; round++) {
    struct stand *stand = stand_open(NULL, 2, 4, 1 + round % 2);
    exchange(stand, 200, round);
    stand_close(stand);
  }
}

static void test_stop_without_any_event(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) stand_close(stand_open(NULL, 2, 4, 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_synchronous_path),
      cmocka_unit_test(test_asynchronous_path_in_batches),
      cmocka_unit_test(test_in_flight_is_a_bound_over_all_workers),
      cmocka_unit_test(test_stop_in_the_midst),
      cmocka_unit_test(test_stop_without_any_event),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
