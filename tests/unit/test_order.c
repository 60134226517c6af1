// --order key: answers to events of one key leave in their order although a path gives them back in the reverse one, with
// several workers, several calls under way, batches, and events that cannot be decoded; and without it they do not.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/app.h"
#include "stream/direct.h"

#define LONG_NS  (30 * SP_NS_PER_S) // who waits so long has missed something
#define N_KEYS   7
#define HOLD_MAX 64

// An asynchronous path that keeps requests until several wait, or a moment has passed, and gives them back last first.
struct reverse {
  struct sp_path_env env;
  pthread_mutex_t lock;
  struct sp_request *held[HOLD_MAX];
  size_t n_held;
  size_t hold; // give them back when so many wait
};

static enum sp_err reverse_open(const struct sp_path_env *env, void **path, struct sp_tensor_spec *output,
                                struct sp_error *error) {
  (void)error;
  struct reverse *reverse = (struct reverse *)(uintptr_t)env->rpc;
  reverse->env = *env;
  pthread_mutex_init(&reverse->lock, NULL);
  (void)output;
  *path = reverse;
  return SP_OK;
}
static enum sp_err reverse_request_init(void *path, struct sp_request *request, struct sp_error *error) {
  (void)error;
  struct reverse *reverse = path;
  request->inputs = sp_alloc(reverse->env.n_inputs * sizeof(struct sp_tensor *) + 1);
  for (size_t i = 0; i < reverse->env.n_inputs; i++) {
    request->inputs[i] = sp_alloc(sizeof(struct sp_tensor));
    sp_tensor_init(request->inputs[i], &reverse->env.inputs[i], reverse->env.max_rows);
  }
  return SP_OK;
}
static void reverse_submit(void *path, struct sp_request *request) {
  struct reverse *reverse = path;
  request->dispatched_ns = sp_clock_now(reverse->env.clock);
  pthread_mutex_lock(&reverse->lock);
  SP_ASSERT(reverse->n_held < HOLD_MAX);
  reverse->held[reverse->n_held++] = request;
  pthread_mutex_unlock(&reverse->lock);
}
// Several completion threads: only what is each one's own.
static size_t reverse_reap(void *path, unsigned worker_i, int64_t deadline_ns) {
  (void)deadline_ns;
  struct reverse *reverse = path;
  struct sp_request *mine[HOLD_MAX];
  size_t n = 0, n_left = 0;
  for (int i = 0; i < 20; i++) { // until enough wait, 1 ms at most
    pthread_mutex_lock(&reverse->lock);
    bool is_enough = reverse->n_held >= reverse->hold;
    pthread_mutex_unlock(&reverse->lock);
    if (is_enough) break;
    nanosleep(&(struct timespec){.tv_nsec = 50 * SP_NS_PER_US}, NULL);
  }
  pthread_mutex_lock(&reverse->lock);
  for (size_t i = 0; i < reverse->n_held; i++) {
    if (reverse->held[i]->worker_i == worker_i)
      mine[n++] = reverse->held[i];
    else
      reverse->held[n_left++] = reverse->held[i];
  }
  reverse->n_held = n_left;
  pthread_mutex_unlock(&reverse->lock);
  for (size_t i = n; i-- > 0;) {
    mine[i]->answered_ns = sp_clock_now(reverse->env.clock);
    mine[i]->outcome = SP_OUTCOME_ERROR; // no tensor to encode
    reverse->env.done(mine[i], reverse->env.context);
  }
  return n;
}
static void reverse_request_done(void *path, struct sp_request *request) {
  struct reverse *reverse = path;
  for (size_t i = 0; i < reverse->env.n_inputs; i++) {
    sp_tensor_done(request->inputs[i]);
    free(request->inputs[i]);
  }
  free(request->inputs);
}
static void reverse_close(void *path) {
  pthread_mutex_destroy(&((struct reverse *)path)->lock);
}

static const struct sp_path_ops reverse_ops = {
    .name = "reverse",
    .is_async = true,
    .open = reverse_open,
    .request_init = reverse_request_init,
    .submit = reverse_submit,
    .reap = reverse_reap,
    .request_done = reverse_request_done,
    .close = reverse_close,
};

// One number an event.
static char x[] = "x";
static char *header[] = {x};
static int64_t shape[] = {1, 1};
static char float32[] = "float32", malformed[] = "malformed";
static struct sp_column_conf column = {.column = x, .missing = malformed, .unknown = malformed};
static struct sp_input_tensor_conf tensor = {
    .name = x, .dtype = float32, .shape = {shape, 2}, .columns = {&column, 1}};
static const struct sp_input_conf input = {
    .format = SP_INPUT_CSV, .header = {header, 1}, .tensors = {&tensor, 1}};

struct stand {
  struct reverse reverse;
  struct sp_clock clock;
  struct sp_app_conf conf;
  struct sp_app *app;
  struct sp_direct *direct;
  struct sp_stream stream;
};

static struct stand *stand_open(enum sp_order order, uint64_t threads, uint64_t in_flight, uint64_t batch) {
  struct stand *stand = sp_alloc(sizeof *stand);
  struct sp_error error;
  stand->conf = (struct sp_app_conf){.threads = threads, .batch = batch, .order = (int)order};
  stand->reverse.hold = in_flight < 4 ? in_flight : 4;
  struct sp_app_env env = {.clock = &stand->clock,
                           .conf = &stand->conf,
                           .input = &input,
                           .path_ops = &reverse_ops,
                           .in_flight = in_flight,
                           .path_env = {.rpc = (const struct sp_rpc_conf *)(const void *)&stand->reverse}};
  if (sp_app_new(&env, &stand->app, &error)) fail_msg("%s", error.text);
  stand->direct = sp_direct_new(4096, sp_app_value_bound(stand->app), SP_WAIT_PARK, &stand->stream);
  sp_app_set_stream(stand->app, &stand->stream);
  if (sp_app_start(stand->app, NULL, &error)) fail_msg("%s", error.text);
  return stand;
}
static void stand_close(struct stand *stand) {
  sp_stream_close(&stand->stream);
  sp_app_stop(stand->app);
  sp_app_free(stand->app);
  sp_direct_free(stand->direct);
  free(stand);
}

// Event id has key id % N_KEYS; every eleventh has none, every fifth is no number. Returns how many answers came before one of an earlier event of
// their key.
static size_t exchange(struct stand *stand, uint64_t n_events) {
  static const char keys[N_KEYS + 1] = "abcdefg";
  uint64_t n_sent = 0, n_seen = 0, last[N_KEYS] = {0};
  size_t n_overtaken = 0;
  int64_t until_ns = sp_now_ns() + LONG_NS;
  while (n_seen < n_events) {
    bool has_key = n_sent % 11 != 0;
    struct sp_delivery event = {.id = n_sent,
                                .key = sp_bytes_of(has_key ? &keys[n_sent % N_KEYS] : NULL, has_key),
                                .value = sp_bytes_of_text(n_sent % 5 ? "1.5" : "one")};
    if (n_sent < n_events && sp_stream_send(&stand->stream, &event)) n_sent++;
    struct sp_reply *replies[64];
    size_t n =
        sp_stream_receive(&stand->stream, replies, 64, n_sent == n_events ? sp_now_ns() + SP_NS_PER_S : 0);
    assert_true(sp_now_ns() < until_ns);
    for (size_t i = 0; i < n; i++, n_seen++) {
      uint64_t id = replies[i]->id;
      assert_int_equal(replies[i]->outcome, id % 5 ? SP_OUTCOME_ERROR : SP_OUTCOME_MALFORMED);
      if (id % 11 == 0) continue;
      n_overtaken += last[id % N_KEYS] > id + 1;
      if (last[id % N_KEYS] < id + 1) last[id % N_KEYS] = id + 1;
    }
  }
  return n_overtaken;
}

static void test_order_is_kept(void **state) {
  (void)state;
  const struct {
    uint64_t threads, in_flight, batch;
  } shapes[] = {{1, 8, 1}, {3, 8, 1}, {1, 8, 5}, {2, 12, 3}, {1, 1, 4}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    struct stand *stand = stand_open(SP_ORDER_KEY, shapes[i].threads, shapes[i].in_flight, shapes[i].batch);
    assert_int_equal(exchange(stand, 2000), 0);
    stand_close(stand);
  }
}

// The path of this test does overtake, so that the one above says something.
static void test_without_it_answers_overtake(void **state) {
  (void)state;
  struct stand *stand = stand_open(SP_ORDER_NONE, 2, 12, 1);
  assert_true(exchange(stand, 2000) > 0);
  stand_close(stand);
}

// Of one key alone: everything waits for everything, more of it than there is room for.
static void test_one_key_for_all(void **state) {
  (void)state;
  struct stand *stand = stand_open(SP_ORDER_KEY, 2, 4, 1);
  uint64_t n_sent = 0, next = 0;
  int64_t until_ns = sp_now_ns() + LONG_NS;
  while (next < 3000) {
    struct sp_delivery event = {.id = n_sent, .key = sp_bytes_of_text("k"), .value = sp_bytes_of_text("1")};
    while (n_sent < 3000 && sp_stream_send(&stand->stream, &event)) event.id = ++n_sent;
    struct sp_reply *replies[64];
    size_t n = sp_stream_receive(&stand->stream, replies, 64, sp_now_ns() + SP_NS_PER_S);
    assert_true(sp_now_ns() < until_ns);
    for (size_t i = 0; i < n; i++) assert_int_equal(replies[i]->id, next++);
  }
  stand_close(stand);
}

static void test_stop_in_the_midst(void **state) {
  (void)state;
  for (uint64_t round = 0; round < 50; round++) {
    struct stand *stand = stand_open(SP_ORDER_KEY, 2, 4, 1 + round % 2);
    for (uint64_t id = 0; id < 100; id++) {
      struct sp_delivery event = {.id = id, .key = sp_bytes_of_text("k"), .value = sp_bytes_of_text("1")};
      sp_stream_send(&stand->stream, &event);
    }
    stand_close(stand);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_is_kept),
      cmocka_unit_test(test_without_it_answers_overtake),
      cmocka_unit_test(test_one_key_for_all),
      cmocka_unit_test(test_stop_in_the_midst),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
