// Every path x engine x protocol that the tables hold, through the suite of paths: embedded with each engine, its model loaded
// once and for each event; rpc with each protocol, against the reference server with each engine where it speaks that
// protocol; noop. A path, engine or protocol that is new in its table and of which this file knows nothing fails.
#include "support/path_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engines.h"
#include "path/ops.h"
#include "server/server.h"
#include "support/rest_models.h"

#define SUBJECTS_MAX 64
#define ENGINES_MAX  8

static const struct sp_tensor_spec affine_in[] = {{"x", SP_DTYPE_FLOAT32, 2, {1, 3}}};
// In another order than the model has them.
static const struct sp_tensor_spec two_in[] = {{"b", SP_DTYPE_FLOAT32, 2, {1, 2}},
                                               {"a", SP_DTYPE_INT64, 2, {1, 2}}};

static char affine_dir[4096], two_dir[4096];
static struct sp_server *servers[ENGINES_MAX]; // the reference server with the engine of the same index
static struct http_server *rest_server;

static struct path_subject subjects[SUBJECTS_MAX];
static struct sp_engine_conf engines[SUBJECTS_MAX];
static struct sp_rpc_conf calls[SUBJECTS_MAX];
static size_t n_subjects;
static struct CMUnitTest tests[SUBJECTS_MAX * PATH_SUITE_TESTS_MAX];
static size_t n_tests;

static double affine_sum(size_t seed, size_t i) {
  (void)i;
  return path_suite_input(seed, 0, 0) + 10 * path_suite_input(seed, 0, 1) +
         100 * path_suite_input(seed, 0, 2);
}
static double total(size_t seed, size_t i) {
  return path_suite_input(seed, 0, i) + path_suite_input(seed, 1, i);
}
static double zero(size_t seed, size_t i) {
  (void)seed;
  (void)i;
  return 0;
}

// Room for one more; its tests are added under `name` once it is filled in.
static struct path_subject *new_subject(const char *path) {
  SP_ASSERT(n_subjects < SUBJECTS_MAX);
  struct path_subject *subject = &subjects[n_subjects];
  *subject = (struct path_subject){.name = path, .env = {.n_workers = 2}};
  subject->env.engine = &engines[n_subjects];
  subject->env.rpc = &calls[n_subjects++];
  return subject;
}

static void take_affine(struct path_subject *subject, size_t max_rows) {
  subject->env.model_name = "affine";
  subject->env.version_dir = affine_dir;
  subject->env.inputs = affine_in;
  subject->env.n_inputs = 1;
  subject->env.output = "sum";
  subject->env.max_rows = max_rows;
  subject->expected = affine_sum;
}

static void take_two(struct path_subject *subject, size_t max_rows) {
  subject->env.model_name = "two";
  subject->env.version_dir = two_dir;
  subject->env.inputs = two_in;
  subject->env.n_inputs = 2;
  subject->env.max_rows = max_rows;
  subject->expected = total;
}

static void add(struct path_subject *subject, const char *name) {
  n_tests += path_suite_add(subject, name, tests + n_tests);
}

// ---- embedded

static void add_embedded(const struct sp_engine_ops *engine, int model_load) {
  static void (*const models[])(struct path_subject *, size_t) = {take_affine, take_two};
  for (size_t i = 0; i < 2; i++) {
    struct path_subject *subject = new_subject("embedded");
    bool is_once = model_load == SP_MODEL_LOAD_ONCE;
    engines[n_subjects - 1] = (struct sp_engine_conf){
        .engine = (char *)(uintptr_t)engine->name, .intra_threads = 1, .model_load = model_load};
    models[i](subject, is_once ? 8 : 2);
    subject->is_slow = !is_once;
    char *name = sp_format("embedded, %s, %s, %s", engine->name, is_once ? "once" : "per-event",
                           subject->env.model_name);
    add(subject, name);
    free(name);
  }
}

static void add_embedded_path(void) {
  for (size_t i = 0; sp_engine_nth(i); i++) {
    add_embedded(sp_engine_nth(i), SP_MODEL_LOAD_ONCE);
    add_embedded(sp_engine_nth(i), SP_MODEL_LOAD_PER_EVENT);
  }
}

// ---- rpc

static void add_calls(const char *protocol, const char *address, const char *what) {
  static void (*const models[])(struct path_subject *, size_t) = {take_affine, take_two};
  for (size_t i = 0; i < 2; i++) {
    struct path_subject *subject = new_subject("rpc");
    calls[n_subjects - 1] = (struct sp_rpc_conf){.protocol = (char *)(uintptr_t)protocol,
                                                 .deadline_ns = 30 * SP_NS_PER_S,
                                                 .channels = 1,
                                                 .connect_timeout_ns = 30 * SP_NS_PER_S};
    models[i](subject, 8);
    subject->env.server_address = address;
    char *name = sp_format("rpc, %s, %s, %s", protocol, what, subject->env.model_name);
    add(subject, name);
    free(name);
  }
}

static void add_reference_server(const char *protocol) {
  for (size_t i = 0; sp_engine_nth(i); i++)
    add_calls(protocol, sp_server_address(servers[i]), sp_engine_nth(i)->name);
}

static void add_rest_server(const char *protocol) {
  add_calls(protocol, http_server_address(rest_server), "rest server");
}

static void add_rpc_path(void) {
  static const struct {
    const char *protocol;
    void (*add)(const char *protocol);
  } known[] = {{"tfs", add_reference_server},
               {"kserve", add_reference_server},
               {"tfs-rest", add_rest_server},
               {"kserve-rest", add_rest_server}};
  const char *protocol;
  for (size_t i = 0; (protocol = sp_rpc_protocol_nth(i)) != NULL; i++) {
    size_t k = 0, n_known = sizeof known / sizeof known[0];
    while (k < n_known && strcmp(known[k].protocol, protocol) != 0) k++;
    if (k == n_known) {
      fprintf(stderr, "protocol %s has no row in the table of this test\n", protocol);
      exit(1);
    }
    known[k].add(protocol);
  }
}

// ---- noop

static void add_noop_path(void) {
  struct path_subject *subject = new_subject("noop");
  subject->env.engine = NULL;
  take_affine(subject, 8);
  subject->expected = zero;
  add(subject, "noop");
  subject = new_subject("noop");
  subject->env.engine = NULL;
  subject->env.max_rows = 8;
  subject->expected = zero;
  add(subject, "noop without tensors");
}

// ---- all

static void add_path(const char *path) {
  static const struct {
    const char *path;
    void (*add)(void);
  } known[] = {{"embedded", add_embedded_path}, {"rpc", add_rpc_path}, {"noop", add_noop_path}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(known[i].path, path) != 0) continue;
    known[i].add();
    return;
  }
  fprintf(stderr, "path %s has no row in the table of this test\n", path);
  exit(1);
}

static void start_servers(const char *source) {
  char *affine = sp_format("%s/tests/contract/models/affine", source),
       *two = sp_format("%s/tests/contract/models/two_inputs", source);
  const struct sp_server_model models[] = {{"affine", affine}, {"two", two}};
  for (size_t i = 0; sp_engine_nth(i); i++) {
    SP_ASSERT(i < ENGINES_MAX);
    const struct sp_server_conf conf = {
        .threads = 1, .engine = (char *)(uintptr_t)sp_engine_nth(i)->name, .max_batch = 8, .seed = 1};
    const struct sp_server_env env = {
        .conf = &conf, .address = "127.0.0.1:0", .models = models, .n_models = 2};
    struct sp_error error;
    if (sp_server_start(&env, &servers[i], &error)) {
      fprintf(stderr, "%s\n", error.text);
      exit(1);
    }
  }
  rest_server = http_server_start(NULL, rest_models_answer, NULL);
  free(affine);
  free(two);
}

static int stop_servers(void **state) {
  (void)state;
  bool is_graceful = true;
  for (size_t i = 0; i < ENGINES_MAX && servers[i]; i++) {
    bool this_one = false;
    sp_server_stop(servers[i], 30 * SP_NS_PER_S, &this_one, NULL);
    is_graceful = is_graceful && this_one;
  }
  http_server_stop(rest_server);
  return is_graceful ? 0 : -1;
}

int main(void) {
  const char *source = getenv("SOURCE_DIR");
  if (!source) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(affine_dir, sizeof affine_dir, "%s/tests/contract/models/affine/1", source);
  snprintf(two_dir, sizeof two_dir, "%s/tests/contract/models/two_inputs/1", source);
  start_servers(source);
#define ADD(name) add_path(#name);
  SP_PATHS(ADD)
#undef ADD
  return _cmocka_run_group_tests("every path, engine and protocol", tests, n_tests, NULL, stop_servers);
}
