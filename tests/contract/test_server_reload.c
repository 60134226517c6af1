// Versions that come and go under a server that is never without calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/server_bed.h"

#define PERIOD_NS (10 * SP_NS_PER_MS)

static char source[4096];

static struct sp_server *start(const struct sp_server_conf *conf, const char *dir) {
  const struct sp_server_model model = {"affine", dir};
  const struct sp_server_env env = {.conf = conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1};
  return server_start(&env);
}

static const struct sp_server_conf watching = {
    .threads = 2, .engine = "onnxruntime", .max_batch = 4, .reload_ns = PERIOD_NS};

static void put_version(const char *dir, uint64_t version) {
  shell("cp -r %s/tests/contract/models/affine/1 %s/%llu", source, dir, (unsigned long long)version);
}

// Asks until the answer has that status; fails the test if it never does.
static void await(struct caller *caller, uint64_t version, int code) {
  int64_t deadline_ns = sp_now_ns() + WITHIN_NS;
  while (caller_predict(caller, "affine", version, "x", 1, 3) != code) {
    if (sp_now_ns() > deadline_ns) fail_msg("version %llu: %d", (unsigned long long)version, code);
    usleep(1000);
  }
}

// What the server says on stderr, into a file.
struct said {
  char path[32];
  int real_fd;
};

static struct said listen_in(void) {
  struct said said = {.path = "/tmp/servepath-said-XXXXXX"};
  int fd = mkstemp(said.path);
  fflush(stderr);
  said.real_fd = dup(2);
  assert_true(fd >= 0 && dup2(fd, 2) == 2);
  close(fd);
  return said;
}

static unsigned n_said(const struct said *said, const char *what) {
  unsigned n = 0;
  char line[2048];
  FILE *file = fopen(said->path, "r");
  while (fgets(line, sizeof line, file)) n += strstr(line, what) != NULL;
  fclose(file);
  return n;
}

static void await_said(const struct said *said, const char *what) {
  int64_t deadline_ns = sp_now_ns() + WITHIN_NS;
  while (!n_said(said, what)) {
    assert_true(sp_now_ns() < deadline_ns);
    usleep(1000);
  }
}

static void listen_no_more(struct said *said) {
  fflush(stderr);
  dup2(said->real_fd, 2);
  close(said->real_fd);
  unlink(said->path);
}

// --- Calls that never stop ---

struct traffic {
  struct rpc_bed *crowd;
  pthread_t thread;
  _Atomic bool ends;
};

static void *keep_calling(void *context) {
  struct traffic *traffic = context;
  struct rpc_bed *crowd = traffic->crowd;
  crowd->goes_on_until = SIZE_MAX;
  for (size_t i = 0; i < N_CALLS; i++) {
    for (size_t k = 0; k < 3; k++) ((float *)crowd->calls[i].inputs[0]->data)[k] = (float)(i + k);
    sp_rpc_call_start(crowd->calls[i].call, 1);
  }
  size_t n = 0;
  while (!atomic_load(&traffic->ends)) rpc_bed_complete(crowd, n += N_CALLS);
  crowd->goes_on_until = 0;
  rpc_bed_complete(crowd, crowd->n_done + N_CALLS);
  return NULL;
}

static void begin_traffic(struct traffic *traffic, const struct sp_server *server, const char *protocol) {
  *traffic = (struct traffic){.crowd = crowd_open(server, protocol, "affine", "twice")};
  assert_int_equal(pthread_create(&traffic->thread, NULL, keep_calling, traffic), 0);
}

static void end_traffic(struct traffic *traffic) {
  atomic_store(&traffic->ends, true);
  pthread_join(traffic->thread, NULL);
  struct rpc_bed *crowd = traffic->crowd;
  if (crowd->n_failed) fail_msg("%zu of %zu failed: %s", crowd->n_failed, crowd->n_done, crowd->failure);
  for (size_t i = 0; i < N_CALLS; i++) {
    const float *twice = crowd->calls[i].output->data;
    for (size_t k = 0; k < 3; k++) assert_true(twice[k] == 2 * (float)(i + k));
  }
  rpc_bed_close(crowd);
}

static void churn(const struct sp_server_conf *conf, const char *protocol) {
  char dir[64];
  folder_make(dir);
  put_version(dir, 1);
  struct sp_server *server = start(conf, dir);
  struct caller caller = caller_open(server);
  struct traffic traffic;
  begin_traffic(&traffic, server, protocol);
  for (uint64_t version = 2; version <= 8; version++) {
    put_version(dir, version);
    await(&caller, version, 0);
    assert_int_equal(caller_predict(&caller, "affine", 0, "x", 1, 3), 0);
    free(caller_output(&caller, "sum", 1, 1, version)); // the highest is the default
    shell("rm -rf %s/%llu", dir, (unsigned long long)version - 1);
    await(&caller, version - 1, SP_STATUS_NOT_FOUND);
  }
  end_traffic(&traffic);
  caller_close(&caller);
  server_stop(server);
  folder_remove(dir);
}

static void versions_come_and_go_under_calls(void **state) {
  (void)state;
  churn(&watching, "tfs");
}

static void versions_come_and_go_while_requests_are_gathered(void **state) {
  (void)state;
  struct sp_server_conf conf = watching;
  conf.batch_delay_ns = SP_NS_PER_MS;
  churn(&conf, "kserve");
}

static void *ask_two(void *context) {
  caller_predict(context, "affine", 2, "x", 2, 3);
  return NULL;
}

static void a_call_that_came_before_keeps_its_version(void **state) {
  (void)state;
  char dir[64];
  folder_make(dir);
  put_version(dir, 1);
  put_version(dir, 2);
  struct sp_server_conf conf = watching;
  conf.delay = "500ms";
  struct sp_server *server = start(&conf, dir);
  struct caller early = caller_open(server), late = caller_open(server);
  pthread_t thread;
  pthread_create(&thread, NULL, ask_two, &early);
  usleep(
      200000); // the call is with the server by now; were it not, it would be refused and the test fail, not pass
  shell("rm -rf %s/2", dir);
  await(&late, 2, SP_STATUS_NOT_FOUND);
  pthread_join(thread, NULL);
  assert_int_equal(early.last.code, 0);
  float *sum = caller_output(&early, "sum", 2, 1, 2);
  assert_true(sum[0] == 210 && sum[1] == 543);
  free(sum);
  caller_close(&early);
  caller_close(&late);
  server_stop(server);
  folder_remove(dir);
}

// --- Folders that are not whole ---

static void half_a_file_is_left_out_until_it_is_whole(void **state) {
  (void)state;
  char dir[64];
  folder_make(dir);
  put_version(dir, 1);
  struct said said = listen_in();
  struct sp_server *server = start(&watching, dir);
  struct caller caller = caller_open(server);
  // Each as it is from its first instant on: every change would be said again.
  shell("cd %s && mkdir half && head -c 100 1/model.onnx >half/model.onnx && mv half 2 && mkdir 3", dir);
  await_said(&said, "model affine version 2 is left out until its files change: ");
  await_said(&said, "model affine version 3 is left out until its files change: ");
  put_version(dir, 4); // the others go on
  await(&caller, 4, 0);
  await(&caller, 2, SP_STATUS_NOT_FOUND);
  shell("cd %s && tail -c +101 1/model.onnx >>2/model.onnx", dir);
  await(&caller, 2, 0);
  assert_int_equal(n_said(&said, "version 2 is left out"), 1);
  assert_int_equal(n_said(&said, "version 3 is left out"), 1);
  // A version that is served and spoilt is served as it was; an unreadable folder changes nothing.
  shell("echo rubbish >%s/4/model.onnx", dir);
  await_said(&said, "model affine version 4 is left out");
  assert_int_equal(caller_predict(&caller, "affine", 4, "x", 1, 3), 0);
  shell("mv %s %s.away", dir, dir);
  await_said(&said, "model affine stays as it is: cannot read model folder");
  assert_int_equal(caller_predict(&caller, "affine", 4, "x", 1, 3), 0);
  shell("mv %s.away %s && rm -rf %s/1 %s/2 %s/4", dir, dir, dir, dir, dir);
  await(&caller, 0, SP_STATUS_NOT_FOUND);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "this server has affine (no version)");
  put_version(dir, 9);
  await(&caller, 0, 0);
  caller_close(&caller);
  server_stop(server);
  listen_no_more(&said);
  folder_remove(dir);
}

static void a_version_that_is_replaced_is_loaded_anew(void **state) {
  (void)state;
  char dir[64];
  folder_make(dir);
  put_version(dir, 1);
  struct sp_server *server = start(&watching, dir);
  struct caller caller = caller_open(server);
  struct sp_tfs_message request = sp_tfs_write_status_request("affine", 1, NULL);
  assert_int_equal(caller_call(&caller, SP_TFS_GET_MODEL_STATUS, request.data, request.n), 0);
  char before[64];
  strcpy(before, sp_unary_note(&caller.last, SP_TFS_NOTE_MODEL_DIGEST));
  shell("printf '\\062\\005other' >>%s/1/model.onnx", dir); // a doc_string
  int64_t deadline_ns = sp_now_ns() + WITHIN_NS;
  do {
    assert_true(sp_now_ns() < deadline_ns);
    assert_int_equal(caller_call(&caller, SP_TFS_GET_MODEL_STATUS, request.data, request.n), 0);
  } while (strcmp(before, sp_unary_note(&caller.last, SP_TFS_NOTE_MODEL_DIGEST)) == 0);
  free(request.data);
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
      cmocka_unit_test(versions_come_and_go_under_calls),
      cmocka_unit_test(versions_come_and_go_while_requests_are_gathered),
      cmocka_unit_test(a_call_that_came_before_keeps_its_version),
      cmocka_unit_test(half_a_file_is_left_out_until_it_is_whole),
      cmocka_unit_test(a_version_that_is_replaced_is_loaded_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
