// The path rpc over gRPC through the suite of paths, against the reference server with a real engine in this process: each
// protocol over TCP, a unix socket and TLS, with a token and metadata, with workers that wait for each answer, and with a
// channel for each call.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/server.h"
#include "support/certificates.h"

#define WITHIN_NS (30 * SP_NS_PER_S)

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};

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

// --- The servers ---

enum where { ON_TCP, ON_UNIX, ON_TLS, N_SERVERS };

static struct sp_server *servers[N_SERVERS];
static struct certificates certificates;
static char unix_address[64], localhost_address[64];

static struct sp_server *start(enum where where, const char *source) {
  char affine[4096], two[4096];
  snprintf(affine, sizeof affine, "%s/tests/contract/models/affine", source);
  snprintf(two, sizeof two, "%s/tests/contract/models/two_inputs", source);
  const struct sp_server_model models[] = {{"affine", affine}, {"two", two}};
  struct sp_property label = {"stable", "1"};
  struct sp_server_conf conf = {.threads = where == ON_UNIX ? 2 : 1,
                                .engine = "onnxruntime",
                                .max_batch = 8,
                                .seed = 1,
                                .labels = {.items = &label, .n = 1}};
  if (where == ON_TLS) {
    conf.tls_cert = certificates.server_cert;
    conf.tls_key = certificates.server_key;
    conf.tls_client_ca = certificates.ca;
    conf.token = "open sesame";
  }
  const struct sp_server_env env = {.conf = &conf,
                                    .address = where == ON_UNIX ? unix_address : "127.0.0.1:0",
                                    .models = models,
                                    .n_models = 2};
  struct sp_server *server = NULL;
  struct sp_error error;
  if (sp_server_start(&env, &server, &error)) fprintf(stderr, "%s\n", error.text);
  return server;
}

// --- The subjects ---

enum how { PLAIN, THREE_CHANNELS, SYNC, PER_CALL };

static const struct {
  const char *name, *protocol;
  enum where where;
  enum how how;
  bool has_two_inputs;
  const char *output, *label;
  size_t max_rows;
} kinds[] = {
    {"tfs", "tfs", ON_TCP, PLAIN, false, "sum", NULL, 8},
    {"tfs, three channels, by label", "tfs", ON_TCP, THREE_CHANNELS, false, "twice", "stable", 3},
    {"tfs, unix socket", "tfs", ON_UNIX, PLAIN, true, NULL, NULL, 5},
    {"tfs, TLS", "tfs", ON_TLS, PLAIN, false, "sum", NULL, 8},
    {"tfs, sync", "tfs", ON_TCP, SYNC, false, "twice", NULL, 4},
    {"tfs, TLS, a channel per call", "tfs", ON_TLS, PER_CALL, false, "sum", NULL, 2},
    {"kserve", "kserve", ON_TCP, PLAIN, false, "sum", NULL, 8},
    {"kserve, three channels", "kserve", ON_TCP, THREE_CHANNELS, true, NULL, NULL, 5},
    {"kserve, unix socket", "kserve", ON_UNIX, PLAIN, false, "twice", NULL, 8},
    {"kserve, TLS", "kserve", ON_TLS, PLAIN, true, NULL, NULL, 8},
    {"kserve, unix socket, sync", "kserve", ON_UNIX, SYNC, true, NULL, NULL, 4},
    {"kserve, a channel per call, sync", "kserve", ON_UNIX, PER_CALL, false, "twice", NULL, 3},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static struct path_subject subjects[N_KINDS];
static struct sp_rpc_conf confs[N_KINDS];
static struct sp_property metadata[] = {{"x-tenant", "blue"}, {"x-trace-bin", "AAECAw=="}};

static void describe(size_t i) {
  confs[i] = (struct sp_rpc_conf){.protocol = (char *)(uintptr_t)kinds[i].protocol,
                                  .deadline_ns = WITHIN_NS,
                                  .channels = kinds[i].how == THREE_CHANNELS ? 3 : 1,
                                  .connect_timeout_ns = WITHIN_NS};
  struct sp_rpc_link_conf *link = &confs[i].link;
  link->sync = kinds[i].how == SYNC || strstr(kinds[i].name, "sync");
  link->channel = kinds[i].how == PER_CALL ? SP_RPC_CHANNEL_PER_CALL : SP_RPC_CHANNEL_SHARED;
  if (kinds[i].where == ON_TLS) {
    link->tls = true;
    link->ca = certificates.ca;
    link->cert = certificates.client_cert;
    link->key = certificates.client_key;
    link->server_name = kinds[i].has_two_inputs ? NULL : CERTIFICATE_NAME;
    link->token = "open sesame";
    link->metadata = (struct sp_properties){.items = metadata, .n = 2};
  }
  static const char *addresses[N_SERVERS];
  addresses[kinds[i].where] = sp_server_address(servers[kinds[i].where]);
  // The name that the certificate has, where none is told.
  snprintf(localhost_address, sizeof localhost_address, "localhost%s",
           strrchr(sp_server_address(servers[ON_TLS]), ':'));
  bool has_two = kinds[i].has_two_inputs;
  subjects[i] = (struct path_subject){
      .name = "rpc",
      .env = {.model_name = has_two ? "two" : "affine",
              .model_version = kinds[i].label ? 0 : has_two,
              .version_label = kinds[i].label,
              .inputs = has_two ? two_in : affine_in,
              .n_inputs = has_two ? 2 : 1,
              .output = kinds[i].output,
              .max_rows = kinds[i].max_rows,
              .n_workers = 2,
              .rpc = &confs[i],
              .server_address = kinds[i].where == ON_TLS && !link->server_name ? localhost_address
                                                                               : addresses[kinds[i].where]},
      .expected = has_two ? total : (kinds[i].output[0] == 's' ? affine_sum : twice)};
}

static int start_servers(void **state) {
  (void)state;
  if (certificates_make(&certificates)) return -1;
  snprintf(unix_address, sizeof unix_address, "unix:/tmp/servepath-test-%d.sock", (int)getpid());
  for (enum where where = 0; where < N_SERVERS; where++) {
    servers[where] = start(where, getenv("SOURCE_DIR"));
    if (!servers[where]) return -1;
  }
  for (size_t i = 0; i < N_KINDS; i++) describe(i);
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  bool was_graceful = true;
  for (enum where where = 0; where < N_SERVERS; where++) {
    bool this_one = true;
    if (servers[where]) sp_server_stop(servers[where], WITHIN_NS, &this_one, NULL);
    was_graceful = was_graceful && this_one;
  }
  certificates_remove(&certificates);
  return was_graceful && access(unix_address + strlen("unix:"), F_OK) != 0 ? 0 : -1;
}

// --- What the suite does not ask ---

static void only_those_that_wait_are_synchronous(void **state) {
  (void)state;
  for (size_t i = 0; i < N_KINDS; i++) {
    struct sp_path_env env = subjects[i].env;
    env.done = (sp_request_done)abort; // never called: nothing is submitted
    struct sp_path *path;
    struct sp_error error;
    if (sp_path_open("rpc", &env, &path, &error)) fail_msg("%s: %s", kinds[i].name, error.text);
    assert_int_equal(sp_path_is_async(path), !confs[i].link.sync);
    assert_string_equal(sp_path_server_facts(path)->stub, "");
    assert_int_equal(strncmp(sp_path_server_facts(path)->software, "servepath ", 10), 0);
    assert_int_equal(strncmp(sp_path_library(path), "grpc core ", 10), 0);
    sp_path_close(path);
  }
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  static struct CMUnitTest tests[N_KINDS * PATH_SUITE_TESTS_MAX + 1];
  size_t n = 0;
  for (size_t i = 0; i < N_KINDS; i++) n += path_suite_add(&subjects[i], kinds[i].name, tests + n);
  tests[n++] = (struct CMUnitTest)cmocka_unit_test(only_those_that_wait_are_synchronous);
  return _cmocka_run_group_tests("path rpc", tests, n, start_servers, stop_servers);
}
