// grpc.health.v1 as a balancer uses it: checked per model, watched while versions come and go, and to the server's end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/server_bed.h"

enum { ENDED = -1, SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

static char source[4096];

static struct sp_server *start(const char *dir) {
  static const struct sp_server_conf conf = {
      .threads = 2, .engine = "onnxruntime", .max_batch = 4, .reload_ns = 10 * SP_NS_PER_MS};
  const struct sp_server_model model = {"affine", dir};
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1};
  return server_start(&env);
}

static void make_version(char dir[64]) {
  folder_make(dir);
  shell("cp -r %s/tests/contract/models/affine/1 %s/1", source, dir);
}

// --- One stream ---

struct watcher {
  grpc_completion_queue *queue;
  grpc_call *call;
  grpc_metadata_array initial, trailing;
  grpc_byte_buffer *message;
  grpc_slice details;
  grpc_status_code status;
  bool has_status;
};

static size_t write_request(const char *service, uint8_t *to) {
  struct sp_bytes name = sp_bytes_of_text(service);
  to[0] = 0x0a;
  to[1] = (uint8_t)name.n;
  memcpy(to + 2, name.data, name.n);
  return name.n ? name.n + 2 : 0;
}

static void start_batch(struct watcher *watcher, const grpc_op *ops, size_t n, void *tag) {
  assert_int_equal(grpc_call_start_batch(watcher->call, ops, n, tag, NULL), GRPC_CALL_OK);
}

static struct watcher *watch(const struct caller *caller, const char *service) {
  struct watcher *watcher = sp_alloc(sizeof *watcher);
  watcher->queue = grpc_completion_queue_create_for_next(NULL);
  watcher->call = grpc_channel_create_call(caller->channel, NULL, GRPC_PROPAGATE_DEFAULTS, watcher->queue,
                                           grpc_slice_from_static_string(SP_HEALTH_WATCH), NULL,
                                           gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  uint8_t bytes[300];
  grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes, write_request(service, bytes));
  grpc_byte_buffer *request = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                    {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
                    {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                    {.op = GRPC_OP_RECV_INITIAL_METADATA,
                     .data.recv_initial_metadata.recv_initial_metadata = &watcher->initial}};
  const grpc_op last = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                        .data.recv_status_on_client = {.trailing_metadata = &watcher->trailing,
                                                       .status = &watcher->status,
                                                       .status_details = &watcher->details}};
  start_batch(watcher, ops, 4, ops);
  start_batch(watcher, &last, 1, &watcher->status);
  grpc_byte_buffer_destroy(request);
  grpc_slice_unref(slice);
  return watcher;
}

// Waits for the end of the batch with that tag; the status may come before the last message is known to be.
static void await_tag(struct watcher *watcher, const void *tag) {
  gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(30, GPR_TIMESPAN));
  for (bool is_there = tag == &watcher->status && watcher->has_status; !is_there;) {
    grpc_event event = grpc_completion_queue_next(watcher->queue, deadline, NULL);
    assert_int_equal(event.type, GRPC_OP_COMPLETE);
    watcher->has_status = watcher->has_status || event.tag == &watcher->status;
    is_there = event.tag == tag;
  }
}

// The next status that is told; ENDED with the stream, whose gRPC status is in watcher->status then.
static int next(struct watcher *watcher) {
  grpc_op receive;
  memset(&receive, 0, sizeof receive);
  receive.op = GRPC_OP_RECV_MESSAGE;
  receive.data.recv_message.recv_message = &watcher->message;
  start_batch(watcher, &receive, 1, &watcher->message);
  await_tag(watcher, &watcher->message);
  if (!watcher->message) return ENDED;
  grpc_slice copy = grpc_empty_slice();
  struct sp_bytes bytes = sp_message_bytes(watcher->message, &copy);
  assert_int_equal(bytes.n, 2);
  assert_int_equal(bytes.data[0], 0x08);
  int told = bytes.data[1];
  grpc_slice_unref(copy);
  grpc_byte_buffer_destroy(watcher->message);
  return told;
}

// What a stream still says, to its end; its gRPC status.
static grpc_status_code end(struct watcher *watcher) {
  while (next(watcher) != ENDED) continue;
  await_tag(watcher, &watcher->status);
  return watcher->status;
}

static void leave(struct watcher *watcher) {
  grpc_call_cancel(watcher->call, NULL);
  grpc_call_unref(watcher->call);
  grpc_completion_queue_shutdown(watcher->queue);
  while (grpc_completion_queue_next(watcher->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
         GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(watcher->queue);
  grpc_metadata_array_destroy(&watcher->initial);
  grpc_metadata_array_destroy(&watcher->trailing);
  grpc_slice_unref(watcher->details);
  free(watcher);
}

static void *stop(void *server) {
  server_stop(server);
  return NULL;
}

// --- Tests ---

static int check(struct caller *caller, const char *service) {
  uint8_t bytes[300];
  if (caller_call(caller, SP_HEALTH_CHECK, bytes, write_request(service, bytes))) return -caller->last.code;
  assert_int_equal(caller->last.n_reply, 2);
  return caller->last.reply[1];
}

static void versions_that_come_and_go_are_told(void **state) {
  (void)state;
  char dir[64];
  make_version(dir);
  struct sp_server *server = start(dir);
  struct caller caller = caller_open(server);
  struct watcher *model = watch(&caller, "affine"), *all = watch(&caller, ""),
                 *none = watch(&caller, "other");
  assert_int_equal(next(model), SERVING);
  assert_int_equal(next(all), SERVING);
  assert_int_equal(next(none), SERVICE_UNKNOWN);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(check(&caller, "affine"), SERVING);
    shell("rm -rf %s/1", dir);
    assert_int_equal(next(model), NOT_SERVING);
    assert_int_equal(check(&caller, "affine"), NOT_SERVING);
    assert_int_equal(check(&caller, ""), SERVING);
    shell("cp -r %s/tests/contract/models/affine/1 %s/1", source, dir);
    assert_int_equal(next(model), SERVING);
  }
  assert_int_equal(check(&caller, "other"), -SP_STATUS_NOT_FOUND);
  pthread_t thread;
  pthread_create(&thread, NULL, stop, server);
  assert_int_equal(next(model), NOT_SERVING);
  assert_int_equal(next(all), NOT_SERVING);
  assert_int_equal(end(model), GRPC_STATUS_UNAVAILABLE);
  assert_int_equal(end(all), GRPC_STATUS_UNAVAILABLE);
  assert_int_equal(end(none), GRPC_STATUS_UNAVAILABLE);
  leave(model);
  leave(all);
  leave(none);
  caller_close(&caller);
  pthread_join(thread, NULL);
  folder_remove(dir);
}

static void streams_that_were_left_hold_up_nothing(void **state) {
  (void)state;
  char dir[64];
  make_version(dir);
  struct sp_server *server = start(dir);
  struct caller caller = caller_open(server);
  for (int round = 0; round < 3; round++) {
    struct watcher *watchers[32];
    for (size_t i = 0; i < 32; i++) watchers[i] = watch(&caller, i % 2 ? "" : "affine");
    for (size_t i = 0; i < 32; i += 3) assert_int_equal(next(watchers[i]), SERVING);
    for (size_t i = 0; i < 32; i++) leave(watchers[i]); // some before they were told anything
    assert_int_equal(caller_predict(&caller, "affine", 0, "x", 1, 3), 0);
  }
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(source, sizeof source, "%s", getenv("SOURCE_DIR"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_that_come_and_go_are_told),
      cmocka_unit_test(streams_that_were_left_hold_up_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
