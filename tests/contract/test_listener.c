// The listener's streams: what is no request is refused, who leaves is forgotten, and a drain ends those that are open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/channel.h"
#include "rpc/library.h"
#include "rpc/listener.h"

#define WITHIN_NS (30 * SP_NS_PER_S) // a bound for what is broken, not a measure
#define STREAM    "/test.Service/Stream"
#define N_CALLERS 8

struct bed {
  struct sp_listener *listener;
  pthread_t thread;
  _Atomic unsigned seen; // a bit for each caller
  _Atomic unsigned char now;
};

// Tells a byte of the bed's, to a request of one byte: which caller.
static size_t look(void *context, struct sp_bytes request, uint8_t *to) {
  struct bed *bed = context;
  if (request.n != 1) return SIZE_MAX;
  atomic_fetch_or(&bed->seen, 1U << request.data[0]);
  to[0] = atomic_load(&bed->now);
  return 1;
}

static void *serve(void *context) {
  sp_listener_serve(((struct bed *)context)->listener, 0);
  return NULL;
}

static void start(struct bed *bed, const struct sp_listener_security *security) {
  const struct sp_listener_method method = {STREAM, 1, NULL, look};
  struct sp_error error;
  *bed = (struct bed){0};
  if (sp_listener_new("127.0.0.1:0", 1, &method, 1, security, bed, &bed->listener, &error))
    fail_msg("%s", error.text);
  pthread_create(&bed->thread, NULL, serve, bed);
}

static bool stop(struct bed *bed) {
  bool is_drained = sp_listener_drain(bed->listener, WITHIN_NS);
  sp_listener_end(bed->listener);
  pthread_join(bed->thread, NULL);
  sp_listener_free(bed->listener);
  return is_drained;
}

struct caller {
  const struct bed *bed;
  uint8_t i;
  size_t n_request;
  int64_t timeout_ns;
  struct sp_unary unary;
  pthread_t thread;
};

// Reads one message at most, and waits for the end.
static void *call(void *context) {
  struct caller *caller = context;
  uint8_t request[2048] = {caller->i};
  sp_grpc_start();
  grpc_channel *channel = sp_channel_new(sp_listener_address(caller->bed->listener), NULL);
  sp_channel_call(channel, NULL, STREAM, sp_bytes_of(request, caller->n_request), caller->timeout_ns,
                  &caller->unary);
  free(caller->unary.reply);
  grpc_channel_destroy(channel);
  sp_grpc_end();
  return NULL;
}

static void what_is_no_request_is_refused(void **state) {
  (void)state;
  static const size_t lengths[] = {0, 2, 2000};
  struct bed bed;
  start(&bed, NULL);
  for (size_t i = 0; i < 3; i++) {
    struct caller caller = {.bed = &bed, .n_request = lengths[i], .timeout_ns = WITHIN_NS};
    call(&caller);
    assert_int_equal(caller.unary.code, SP_STATUS_INVALID_ARGUMENT);
  }
  assert_true(stop(&bed));
}

static void a_stream_wants_the_token_too(void **state) {
  (void)state;
  const struct sp_listener_security security = {.token = "open sesame"};
  struct bed bed;
  start(&bed, &security);
  struct caller caller = {.bed = &bed, .n_request = 1, .timeout_ns = WITHIN_NS};
  call(&caller);
  assert_int_equal(caller.unary.code, sp_status_of_name("UNAUTHENTICATED"));
  assert_int_equal(atomic_load(&bed.seen), 0);
  assert_true(stop(&bed));
}

static void a_drain_ends_those_that_are_open(void **state) {
  (void)state;
  struct bed bed;
  start(&bed, NULL);
  struct caller callers[N_CALLERS];
  for (uint8_t i = 0; i < N_CALLERS; i++) {
    callers[i] = (struct caller){.bed = &bed, .i = i, .n_request = 1, .timeout_ns = WITHIN_NS};
    pthread_create(&callers[i].thread, NULL, call, &callers[i]);
  }
  while (atomic_load(&bed.seen) != (1U << N_CALLERS) - 1) sched_yield(); // until all are open
  sp_listener_changed(bed.listener); // to nothing else: nobody is told anything
  assert_true(sp_listener_drain(bed.listener, WITHIN_NS));
  for (size_t i = 0; i < N_CALLERS; i++) {
    pthread_join(callers[i].thread, NULL);
    if (callers[i].unary.code != SP_STATUS_UNAVAILABLE)
      fail_msg("%d: %s", callers[i].unary.code, callers[i].unary.text);
  }
  sp_listener_end(bed.listener);
  pthread_join(bed.thread, NULL);
  sp_listener_free(bed.listener);
}

static void a_caller_who_leaves_is_forgotten(void **state) {
  (void)state;
  struct bed bed;
  start(&bed, NULL);
  struct caller caller = {.bed = &bed, .n_request = 1, .timeout_ns = 20 * SP_NS_PER_MS};
  call(&caller);
  assert_int_equal(caller.unary.code, sp_status_of_name("DEADLINE_EXCEEDED"));
  atomic_store(&bed.now, 1);
  sp_listener_changed(bed.listener);
  assert_true(stop(&bed));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_no_request_is_refused),
      cmocka_unit_test(a_stream_wants_the_token_too),
      cmocka_unit_test(a_drain_ends_those_that_are_open),
      cmocka_unit_test(a_caller_who_leaves_is_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
