// The path rpc through the suite of paths over REST: both protocols, TCP and a unix socket, servers that describe their model
// and servers that do not, a connection kept and a connection for each call.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/rest_models.h"

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};
#define CONF(of, how)                                                                                        \
  {                                                                                                          \
    .protocol = of, .deadline_ns = 30 * SP_NS_PER_S, .channels = 1, .connect_timeout_ns = 30 * SP_NS_PER_S,  \
    .link = {                                                                                                \
      .channel = how                                                                                         \
    }                                                                                                        \
  }
static struct sp_rpc_conf tfs = CONF("tfs-rest", SP_RPC_CHANNEL_SHARED);
static struct sp_rpc_conf kserve = CONF("kserve-rest", SP_RPC_CHANNEL_SHARED);
static struct sp_rpc_conf kserve_per_call = CONF("kserve-rest", SP_RPC_CHANNEL_PER_CALL);

static double affine_sum(size_t seed, size_t i) {
  (void)i;
  return path_suite_input(seed, 0, 0) + 10 * path_suite_input(seed, 0, 1) +
         100 * path_suite_input(seed, 0, 2);
}
static double twice(size_t seed, size_t i) {
  return 2 * path_suite_input(seed, 0, i);
}
static double total(size_t seed, size_t i) {
  return path_suite_input(seed, 0, i) + path_suite_input(seed, 1, i);
}

#define SUBJECT(model, in, n_in, out, rows, conf, answer)                                                    \
  {                                                                                                          \
    .name = "rpc", .expected = answer, .env = {                                                              \
      .model_name = model,                                                                                   \
      .inputs = in,                                                                                          \
      .n_inputs = n_in,                                                                                      \
      .output = out,                                                                                         \
      .max_rows = rows,                                                                                      \
      .n_workers = 2,                                                                                        \
      .rpc = conf                                                                                            \
    }                                                                                                        \
  }
static struct path_subject subjects[] = {
    SUBJECT("affine", affine_in, 1, "sum", 8, &tfs, affine_sum),
    SUBJECT("two", two_in, 2, NULL, 5, &tfs, total),
    SUBJECT("affine", affine_in, 1, "twice", 3, &kserve, twice),
    SUBJECT("two", two_in, 2, NULL, 5, &kserve_per_call, total),
};
// On a unix socket, by a server that describes nothing; what it refuses of its own is not the suite's text.
static struct path_subject quiet[] = {
    SUBJECT("affine", affine_in, 1, "twice", 8, &tfs, twice),
    SUBJECT("affine", affine_in, 1, "sum", 8, &kserve, affine_sum),
};

static struct http_server *tcp_server, *unix_server;
static struct rest_models silent = {.tells_nothing = true};

static int start_servers(void **state) {
  (void)state;
  char path[64];
  snprintf(path, sizeof path, "/tmp/servepath-rest-%d.sock", (int)getpid());
  tcp_server = http_server_start(NULL, rest_models_answer, NULL);
  unix_server = http_server_start(path, rest_models_answer, &silent);
  for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
    subjects[i].env.server_address = http_server_address(tcp_server);
  for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++)
    quiet[i].env.server_address = http_server_address(unix_server);
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  http_server_stop(tcp_server);
  http_server_stop(unix_server);
  return 0;
}

#define ANSWERS(subject)                                                                                     \
  PATH_TEST(path_suite_answers_every_batch_size, subject),                                                   \
      PATH_TEST(path_suite_uses_a_request_again, subject),                                                   \
      PATH_TEST(path_suite_answers_many_requests, subject),                                                  \
      PATH_TEST(path_suite_serves_workers_side_by_side, subject),                                            \
      PATH_TEST(path_suite_refuses_another_output, subject)

int main(void) {
  const struct CMUnitTest tests[] = {PATH_SUITE(&subjects[0]), PATH_SUITE(&subjects[1]),
                                     PATH_SUITE(&subjects[2]), PATH_SUITE(&subjects[3]),
                                     ANSWERS(&quiet[0]),       ANSWERS(&quiet[1])};
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
