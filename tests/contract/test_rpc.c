// The client of rpc/ over gRPC against servers that are absent, odd, hostile, late, gone and back, in each protocol.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/kserve.h"
#include "rpc/library.h"
#include "rpc/listener.h"
#include "rpc/rpc.h"
#include "rpc/tfs.h"
#include "rpc/tfs_model.h"
#include "server/server.h"
#include "support/rpc_bed.h"

static const struct sp_tensor_spec input_spec = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
static struct sp_rpc_conf conf = {
    .protocol = "tfs", .deadline_ns = WITHIN_NS, .channels = 1, .connect_timeout_ns = WITHIN_NS};

static bool is_kserve(void) {
  return strcmp(conf.protocol, "kserve") == 0;
}

static struct sp_rpc_env env_of(const char *address) {
  return (struct sp_rpc_env){.conf = &conf,
                             .address = address,
                             .model_name = "echo",
                             .inputs = &input_spec,
                             .n_inputs = 1,
                             .max_rows = 4,
                             .n_queues = 1};
}

// --- A stub server of ours ---

static struct sp_server *start_stub(struct sp_server_conf of, const char *address) {
  static const struct sp_server_model model = {"echo", NULL};
  of.threads = of.threads ? of.threads : 1;
  of.max_batch = 4;
  of.seed = 1;
  of.stub = of.stub ? of.stub : SP_STUB_ECHO;
  const struct sp_server_env env = {.conf = &of,
                                    .address = address,
                                    .models = &model,
                                    .n_models = 1,
                                    .inputs = &input_spec,
                                    .n_inputs = 1,
                                    .outputs = &input_spec,
                                    .n_outputs = 1};
  struct sp_server *server;
  struct sp_error error;
  if (sp_server_start(&env, &server, &error)) fail_msg("%s", error.text);
  return server;
}

static void stop(struct sp_server *server) {
  bool was_graceful;
  assert_int_equal(sp_server_stop(server, WITHIN_NS, &was_graceful, NULL), SP_OK);
  assert_true(was_graceful);
}

static struct rpc_bed *open_bed(const char *address) {
  struct sp_rpc_env env = env_of(address);
  return rpc_bed_open(&env);
}

// --- What goes well ---

static void answers_come_with_stamps_and_the_servers_own_time(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){.delay = "2ms"}, "127.0.0.1:0");
  struct rpc_bed *bed = open_bed(sp_server_address(server));
  assert_string_equal(bed->output_spec.name, "x");
  assert_int_equal(bed->output_spec.shape[0], 1);
  float *x = bed->calls[0].inputs[0]->data;
  for (int i = 0; i < 3; i++) x[i] = (float)i + 0.5F;
  int64_t before_ns = sp_now_ns();
  const struct sp_rpc_result *result = rpc_bed_answer(bed);
  assert_int_equal(result->outcome, SP_OUTCOME_NONE);
  assert_string_equal(result->text, "");
  assert_true(before_ns <= result->issued_ns && result->issued_ns < result->answered_ns &&
              result->answered_ns <= sp_now_ns());
  assert_true(result->server_ns >= 2 * SP_NS_PER_MS &&
              result->server_ns < result->answered_ns - result->issued_ns);
  assert_memory_equal(bed->calls[0].output->data, x, 3 * sizeof *x);
  rpc_bed_close(bed);
  stop(server);
}

static void many_calls_are_answered_each_its_own(void **state) {
  (void)state;
  struct sp_server *server =
      start_stub((struct sp_server_conf){.threads = 2, .delay = "exp:200us"}, "127.0.0.1:0");
  struct sp_rpc_env env = env_of(sp_server_address(server));
  struct sp_rpc_conf three = conf;
  three.channels = 3;
  env.conf = &three;
  struct rpc_bed *bed = rpc_bed_open(&env);
  for (size_t round = 0; round < 20; round++) {
    for (size_t i = 0; i < N_CALLS; i++) {
      float *x = bed->calls[i].inputs[0]->data;
      for (size_t j = 0; j < 12; j++) x[j] = (float)(round * 1000 + i * 12 + j);
      sp_rpc_call_start(bed->calls[i].call, 1 + (i + round) % 4);
    }
    rpc_bed_complete(bed, (round + 1) * N_CALLS);
    for (size_t i = 0; i < N_CALLS; i++) {
      assert_int_equal(bed->calls[i].result.outcome, SP_OUTCOME_NONE);
      assert_int_equal(bed->calls[i].n_done, round + 1);
      assert_memory_equal(bed->calls[i].output->data, bed->calls[i].inputs[0]->data,
                          (1 + (i + round) % 4) * 3 * sizeof(float));
    }
  }
  rpc_bed_close(bed);
  stop(server);
}

static void *wake_soon(void *context) {
  struct rpc_bed *bed = context;
  usleep(20000); // most likely inside the reap; the other order must work too
  sp_rpc_wake(bed->client, 0);
  return NULL;
}

static void a_wake_ends_a_reap(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){0}, "127.0.0.1:0");
  struct rpc_bed *bed = open_bed(sp_server_address(server));
  pthread_t thread;
  pthread_create(&thread, NULL, wake_soon, bed);
  int64_t start_ns = sp_now_ns();
  assert_int_equal(rpc_bed_reap(bed, start_ns + WITHIN_NS), 0);
  assert_true(sp_now_ns() - start_ns < WITHIN_NS);
  pthread_join(thread, NULL);
  sp_rpc_wake(bed->client, 0); // before the reap
  assert_int_equal(rpc_bed_reap(bed, sp_now_ns() + WITHIN_NS), 0);
  rpc_bed_close(bed);
  stop(server);
}

// --- Statuses ---

static void statuses_become_outcomes(void **state) {
  (void)state;
  static const struct {
    const char *fail;
    enum sp_outcome outcome;
    int code;
  } cases[] = {{"UNAVAILABLE:100%", SP_OUTCOME_UNAVAILABLE, 14},
               {"DEADLINE_EXCEEDED:100%", SP_OUTCOME_DEADLINE, 4},
               {"RESOURCE_EXHAUSTED:100%", SP_OUTCOME_REJECTED, 8},
               {"INTERNAL:100%", SP_OUTCOME_ERROR, 13},
               {"INVALID_ARGUMENT:100%", SP_OUTCOME_ERROR, 3},
               {"UNKNOWN:100%", SP_OUTCOME_ERROR, 2},
               {"CANCELLED:100%", SP_OUTCOME_ERROR, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_server *server =
        start_stub((struct sp_server_conf){.fail = (char *)(uintptr_t)cases[i].fail}, "127.0.0.1:0");
    struct rpc_bed *bed = open_bed(sp_server_address(server));
    const struct sp_rpc_result *result = rpc_bed_answer(bed);
    assert_int_equal(result->outcome, cases[i].outcome);
    assert_int_equal(result->code, cases[i].code);
    assert_string_equal(result->text, "failing as told (--fail)");
    assert_true(result->server_ns >= 0);
    rpc_bed_close(bed);
    stop(server);
  }
}

static void a_late_answer_is_a_deadline(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){.delay = "600ms"}, "127.0.0.1:0");
  struct sp_rpc_env env = env_of(sp_server_address(server));
  struct sp_rpc_conf hasty = conf;
  hasty.deadline_ns = 100 * SP_NS_PER_MS;
  env.conf = &hasty;
  struct rpc_bed *bed = rpc_bed_open(&env);
  const struct sp_rpc_result *result = rpc_bed_answer(bed);
  assert_int_equal(result->outcome, SP_OUTCOME_DEADLINE);
  assert_true(result->answered_ns - result->issued_ns >= 100 * SP_NS_PER_MS);
  rpc_bed_close(bed);
  stop(server);
}

static void what_is_under_way_is_cancelled_at_the_end(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){.delay = "60s"}, "127.0.0.1:0");
  struct rpc_bed *bed = open_bed(sp_server_address(server));
  for (size_t i = 0; i < N_CALLS; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  int64_t start_ns = sp_now_ns();
  rpc_bed_close(bed);
  assert_true(sp_now_ns() - start_ns < WITHIN_NS);
  bool was_graceful;
  sp_server_stop(server, 0, &was_graceful, NULL);
}

// --- A server that goes and comes back ---

static void a_server_that_goes_away_is_unavailable_and_found_again(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){.delay = "60s"}, "127.0.0.1:0");
  char address[64];
  snprintf(address, sizeof address, "%s", sp_server_address(server));
  struct rpc_bed *bed = open_bed(address);
  for (size_t i = 0; i < N_CALLS; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  // They must have been taken before the server leaves: the last calls may still be on their way.
  rpc_bed_reap(bed, sp_now_ns() + 200 * SP_NS_PER_MS);
  bool was_graceful;
  sp_server_stop(server, 0, &was_graceful, NULL);
  assert_false(was_graceful);
  rpc_bed_complete(bed, N_CALLS);
  for (size_t i = 0; i < N_CALLS; i++) {
    enum sp_outcome outcome = bed->calls[i].result.outcome;
    if (outcome != SP_OUTCOME_UNAVAILABLE && outcome != SP_OUTCOME_ERROR)
      fail_msg("%s", sp_outcome_name(outcome));
  }
  // Nobody there: every call ends, and at once.
  assert_int_equal(rpc_bed_answer(bed)->outcome, SP_OUTCOME_UNAVAILABLE);
  assert_true(bed->calls[0].result.text[0]);
  server = start_stub((struct sp_server_conf){0}, address);
  int64_t back_ns = sp_now_ns();
  while (rpc_bed_answer(bed)->outcome != SP_OUTCOME_NONE) {
    assert_int_equal(bed->calls[0].result.outcome, SP_OUTCOME_UNAVAILABLE);
    assert_true(sp_now_ns() - back_ns < WITHIN_NS);
    rpc_bed_reap(bed, sp_now_ns() + 10 * SP_NS_PER_MS);
  }
  rpc_bed_close(bed);
  stop(server);
}

// Each call connects anew: nothing is left of a connection that broke.
static void a_channel_per_call_fails_alone(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){0}, "127.0.0.1:0");
  char address[64];
  snprintf(address, sizeof address, "%s", sp_server_address(server));
  struct sp_rpc_conf of = conf;
  of.link.channel = SP_RPC_CHANNEL_PER_CALL;
  struct sp_rpc_env env = env_of(address);
  env.conf = &of;
  struct rpc_bed *bed = rpc_bed_open(&env);
  for (int i = 0; i < 3; i++) assert_int_equal(rpc_bed_answer(bed)->outcome, SP_OUTCOME_NONE);
  stop(server);
  assert_int_equal(rpc_bed_answer(bed)->outcome, SP_OUTCOME_UNAVAILABLE);
  server = start_stub((struct sp_server_conf){0}, address);
  assert_int_equal(rpc_bed_answer(bed)->outcome, SP_OUTCOME_NONE);
  for (size_t i = 0; i < N_CALLS; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  rpc_bed_complete(bed, 5 + N_CALLS);
  for (size_t i = 0; i < N_CALLS; i++) assert_int_equal(bed->calls[i].result.outcome, SP_OUTCOME_NONE);
  sp_rpc_call_start(bed->calls[0].call, 1); // under way at the end
  rpc_bed_close(bed);
  stop(server);
}

// --- Servers that cannot be used ---

static void is_refused(const struct sp_rpc_env *env, enum sp_err code, const char *said) {
  struct sp_rpc_client *client = NULL;
  struct sp_tensor_spec output;
  struct sp_error error = {0};
  int64_t start_ns = sp_now_ns();
  assert_int_equal(sp_rpc_client_new(env, &client, &output, &error), code);
  assert_true(sp_now_ns() - start_ns < env->conf->connect_timeout_ns + WITHIN_NS);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
  assert_null(strchr(error.text, '\n'));
}

static struct sp_rpc_conf impatient(void) {
  struct sp_rpc_conf of = conf;
  of.connect_timeout_ns = 500 * SP_NS_PER_MS;
  return of;
}

// A port that takes connections, answers the first bytes with `greeting` (NULL: never), and its address.
static int listen_on(char *address, size_t n) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof name;
  assert_int_equal(bind(fd, (struct sockaddr *)&name, length), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
  snprintf(address, n, "127.0.0.1:%d", ntohs(name.sin_port));
  return fd;
}

static void an_absent_server_is_named(void **state) {
  (void)state;
  char address[64], expected[256];
  int fd = listen_on(address, sizeof address); // bound, but nobody listens
  struct sp_rpc_conf of = impatient();
  struct sp_rpc_env env = env_of(address);
  env.conf = &of;
  snprintf(expected, sizeof expected,
           "cannot reach model server %s (connection refused, tried for 0.5 s); start one with", address);
  is_refused(&env, SP_ERR_ENVIRONMENT, expected);
  env.address = "unix:/nonexistent/socket";
  is_refused(&env, SP_ERR_ENVIRONMENT, "cannot reach model server unix:/nonexistent/socket");
  close(fd);
}

static void a_silent_server_is_named(void **state) {
  (void)state;
  char address[64];
  int fd = listen_on(address, sizeof address);
  assert_int_equal(listen(fd, 8), 0); // the kernel takes connections, nobody answers
  struct sp_rpc_conf of = impatient();
  struct sp_rpc_env env = env_of(address);
  env.conf = &of;
  is_refused(&env, SP_ERR_ENVIRONMENT, "what listens there does not answer");
  close(fd);
}

struct greeter {
  int fd;
  const char *greeting;
};

static void *greet(void *context) {
  struct greeter *greeter = context;
  for (int fd; (fd = accept(greeter->fd, NULL, NULL)) >= 0; close(fd)) {
    char bytes[64];
    if (read(fd, bytes, sizeof bytes) > 0) (void)!write(fd, greeter->greeting, strlen(greeter->greeting));
  }
  return NULL;
}

static void what_speaks_something_else_is_named(void **state) {
  (void)state;
  static const struct {
    const char *greeting, *said;
  } cases[] = {{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "speaks HTTP/1, not gRPC"},
               {"SSH-2.0-OpenSSH_9.2p1\r\n", "does not speak gRPC"}};
  for (size_t i = 0; i < 2; i++) {
    char address[64];
    struct greeter greeter = {listen_on(address, sizeof address), cases[i].greeting};
    assert_int_equal(listen(greeter.fd, 8), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, greet, &greeter);
    struct sp_rpc_conf of = impatient();
    of.connect_timeout_ns = 2 * SP_NS_PER_S; // that something answers must be seen, on a busy machine too
    struct sp_rpc_env env = env_of(address);
    env.conf = &of;
    is_refused(&env, SP_ERR_ENVIRONMENT, cases[i].said);
    shutdown(greeter.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(greeter.fd);
  }
}

static void addresses_and_protocols_that_make_no_sense_are_refused(void **state) {
  (void)state;
  static const char *const addresses[] = {
      "localhost", "localhost:", ":80",   "127.0.0.1:port", "127.0.0.1:70000",
      "::1:80",    "",           "unix:", "127.0.0.1:80x"};
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
    struct sp_rpc_env env = env_of(addresses[i]);
    is_refused(&env, SP_ERR_USAGE, "server: ");
  }
  struct sp_rpc_conf of = conf;
  of.protocol = "tsf";
  struct sp_rpc_env env = env_of("127.0.0.1:1");
  env.conf = &of;
  is_refused(&env, SP_ERR_USAGE,
             "protocol: \"tsf\" is unknown; use one of: tfs, kserve, tfs-rest, kserve-rest");
}

static void models_and_tensors_that_differ_are_named(void **state) {
  (void)state;
  struct sp_server *server = start_stub((struct sp_server_conf){0}, "127.0.0.1:0");
  struct sp_rpc_env env = env_of(sp_server_address(server));
  env.model_name = "fraud";
  is_refused(&env, SP_ERR_ENVIRONMENT,
             "does not serve model fraud (NOT_FOUND: that model is not served; this server has echo 1)");
  env = env_of(sp_server_address(server));
  env.model_version = 9;
  is_refused(&env, SP_ERR_ENVIRONMENT, "model echo version 9");
  struct sp_tensor_spec spec = input_spec;
  env = env_of(sp_server_address(server));
  env.inputs = &spec;
  spec.shape[1] = 4;
  is_refused(&env, SP_ERR_USAGE, "x is float32 [1, 4], but model echo");
  spec = input_spec;
  spec.dtype = SP_DTYPE_INT64;
  is_refused(&env, SP_ERR_USAGE, "takes float32 [N, 3]");
  strcpy(spec.name, "y");
  is_refused(&env, SP_ERR_USAGE, "has no input y; it has x");
  env = env_of(sp_server_address(server));
  env.output = "z";
  is_refused(&env, SP_ERR_USAGE, "has no output z; it has x");
  stop(server);
}

// --- Servers of nobody's making ---

enum { ODD_GARBAGE, ODD_OTHER_SHAPE, ODD_OTHER_NAME, ODD_SHORT, ODD_EMPTY, ODD_COUNT };

struct odd { // predicts and nothing else, and after the first call badly
  struct sp_listener *listener;
  pthread_t thread;
  _Atomic int n_calls;
  int how;
};

static void odd_reply(struct sp_incoming *call, int how, bool is_first) {
  struct sp_tensor_spec spec = input_spec;
  uint8_t bytes[2048];
  if (!is_first && how == ODD_OTHER_SHAPE) spec.shape[1] = 4;
  if (!is_first && how == ODD_OTHER_NAME) strcpy(spec.name, "y");
  struct sp_tensor tensor;
  sp_tensor_init(&tensor, &spec, 1);
  size_t n = is_kserve()
                 ? sp_kserve_write_reply("echo", 1, (struct sp_bytes){0}, &tensor, &(bool){true}, 1, 1, bytes)
                 : sp_tfs_write_reply("echo", 1, &tensor, &(bool){true}, 1, 1, bytes);
  sp_tensor_done(&tensor);
  if (!is_first && how == ODD_GARBAGE) memset(bytes, 0xff, n);
  if (!is_first && how == ODD_SHORT) n -= 9;
  if (!is_first && how == ODD_EMPTY) n = 0;
  sp_incoming_reply(call, sp_bytes_of(bytes, n));
}

static void odd_handle(void *context, unsigned thread_i, struct sp_incoming *call, struct sp_bytes request) {
  (void)thread_i;
  (void)request;
  struct odd *odd = context;
  odd_reply(call, odd->how, atomic_fetch_add(&odd->n_calls, 1) == 0);
}

static void *odd_serve(void *context) {
  sp_listener_serve(((struct odd *)context)->listener, 0);
  return NULL;
}

static void odd_start(struct odd *odd, int how) {
  const struct sp_listener_method method = {is_kserve() ? SP_KSERVE_MODEL_INFER : SP_TFS_PREDICT, 1,
                                            odd_handle, NULL};
  struct sp_error error;
  *odd = (struct odd){.how = how};
  if (sp_listener_new("127.0.0.1:0", 1, &method, 1, NULL, odd, &odd->listener, &error))
    fail_msg("%s", error.text);
  pthread_create(&odd->thread, NULL, odd_serve, odd);
}

static void odd_stop(struct odd *odd) {
  assert_true(sp_listener_drain(odd->listener, WITHIN_NS));
  sp_listener_end(odd->listener);
  pthread_join(odd->thread, NULL);
  sp_listener_free(odd->listener);
}

// Without status and metadata the client learns the output from one prediction.
static void unreadable_replies_are_malformed(void **state) {
  (void)state;
  for (int how = 0; how < ODD_COUNT; how++) {
    struct odd odd;
    odd_start(&odd, how);
    struct rpc_bed *bed = open_bed(sp_listener_address(odd.listener));
    assert_string_equal(bed->output_spec.name, "x");
    assert_int_equal(bed->output_spec.shape[1], 3);
    const struct sp_rpc_result *result = rpc_bed_answer(bed);
    if (result->outcome != SP_OUTCOME_MALFORMED) fail_msg("%d is %s", how, sp_outcome_name(result->outcome));
    assert_memory_equal(result->text, "reply: ", 7);
    assert_int_equal(result->code, 0);
    rpc_bed_close(bed);
    odd_stop(&odd);
  }
}

// One that speaks neither protocol answers each question with UNIMPLEMENTED.
static void another_protocol_is_named(void **state) {
  (void)state;
  struct odd odd;
  odd_start(&odd, ODD_EMPTY);
  struct sp_rpc_conf of = conf;
  of.protocol = is_kserve() ? "tfs" : "kserve";
  struct sp_rpc_env env = env_of(sp_listener_address(odd.listener));
  env.conf = &of;
  char expected[64];
  snprintf(expected, sizeof expected, "does it speak protocol %s?", of.protocol);
  is_refused(&env, SP_ERR_ENVIRONMENT, expected);
  odd_stop(&odd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_come_with_stamps_and_the_servers_own_time),
      cmocka_unit_test(many_calls_are_answered_each_its_own),
      cmocka_unit_test(a_wake_ends_a_reap),
      cmocka_unit_test(statuses_become_outcomes),
      cmocka_unit_test(a_late_answer_is_a_deadline),
      cmocka_unit_test(what_is_under_way_is_cancelled_at_the_end),
      cmocka_unit_test(a_server_that_goes_away_is_unavailable_and_found_again),
      cmocka_unit_test(an_absent_server_is_named),
      cmocka_unit_test(a_silent_server_is_named),
      cmocka_unit_test(what_speaks_something_else_is_named),
      cmocka_unit_test(addresses_and_protocols_that_make_no_sense_are_refused),
      cmocka_unit_test(models_and_tensors_that_differ_are_named),
      cmocka_unit_test(unreadable_replies_are_malformed),
      cmocka_unit_test(another_protocol_is_named),
      cmocka_unit_test(a_channel_per_call_fails_alone),
  };
  int n_failed = 0;
  char *const protocols[] = {"tfs", "kserve"};
  for (size_t i = 0; i < 2; i++) {
    conf.protocol = protocols[i];
    n_failed += _cmocka_run_group_tests(protocols[i], tests, sizeof tests / sizeof tests[0], NULL, NULL);
  }
  return n_failed;
}
