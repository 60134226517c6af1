// The path rpc through the suite of paths, against the reference server with a real engine in this process: over TCP and a
// unix socket, one thread and two, one connection and several.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/server.h"

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};
static struct sp_rpc_conf conf = {.protocol = "tfs",
                                  .deadline_ns = 30 * SP_NS_PER_S,
                                  .channels = 1,
                                  .connect_timeout_ns = 30 * SP_NS_PER_S};
static struct sp_rpc_conf three_channels = {.protocol = "tfs",
                                            .deadline_ns = 30 * SP_NS_PER_S,
                                            .channels = 3,
                                            .connect_timeout_ns = 30 * SP_NS_PER_S};

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

#define AFFINE(out, channel_conf, rows)                                                                      \
  {                                                                                                          \
    .model_name = "affine", .inputs = affine_in, .n_inputs = 1, .output = out, .max_rows = rows,             \
    .n_workers = 2, .rpc = channel_conf                                                                      \
  }
static struct path_subject sums = {.name = "rpc", .env = AFFINE("sum", &conf, 8), .expected = affine_sum};
static struct path_subject doubles = {
    .name = "rpc", .env = AFFINE("twice", &three_channels, 3), .expected = twice};
static struct path_subject two_inputs = {
    .name = "rpc",
    .env = {.model_name = "two",
            .model_version = 1,
            .inputs = two_in,
            .n_inputs = 2,
            .max_rows = 5,
            .n_workers = 2,
            .rpc = &conf},
    .expected = total,
};
static struct path_subject on_unix = {.name = "rpc", .env = AFFINE(NULL, &conf, 8), .expected = twice};

static struct sp_server *tcp_server, *unix_server;
static char unix_address[64];

static struct sp_server *start(const char *source, const char *address, uint64_t threads) {
  char affine[4096], two[4096];
  snprintf(affine, sizeof affine, "%s/tests/contract/models/affine", source);
  snprintf(two, sizeof two, "%s/tests/contract/models/two_inputs", source);
  const struct sp_server_model models[] = {{"affine", affine}, {"two", two}};
  const struct sp_server_conf server_conf = {
      .threads = threads, .engine = "onnxruntime", .max_batch = 8, .seed = 1};
  const struct sp_server_env env = {
      .conf = &server_conf, .address = address, .models = models, .n_models = 2};
  struct sp_server *server = NULL;
  struct sp_error error;
  if (sp_server_start(&env, &server, &error)) fprintf(stderr, "%s\n", error.text);
  return server;
}

static int start_servers(void **state) {
  (void)state;
  const char *source = getenv("SOURCE_DIR");
  snprintf(unix_address, sizeof unix_address, "unix:/tmp/servepath-test-%d.sock", (int)getpid());
  tcp_server = start(source, "127.0.0.1:0", 1);
  unix_server = start(source, unix_address, 2);
  if (!tcp_server || !unix_server) return -1;
  sums.env.server_address = doubles.env.server_address = two_inputs.env.server_address =
      sp_server_address(tcp_server);
  on_unix.env.server_address = sp_server_address(unix_server);
  on_unix.env.output = "twice";
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  struct sp_server *servers[] = {tcp_server, unix_server};
  bool was_graceful = true;
  for (int i = 0; i < 2; i++) {
    bool this_one = true;
    if (servers[i]) sp_server_stop(servers[i], 30 * SP_NS_PER_S, &this_one, NULL);
    was_graceful = was_graceful && this_one;
  }
  return was_graceful && access(unix_address + strlen("unix:"), F_OK) != 0 ? 0 : -1;
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  const struct CMUnitTest tests[] = {PATH_SUITE(&sums), PATH_SUITE(&doubles), PATH_SUITE(&two_inputs),
                                     PATH_SUITE(&on_unix)};
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
