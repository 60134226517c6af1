// Requests that are gathered and run together: how many, in what order, how long they wait, and who fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/server_bed.h"

#define NEVER_NS (3600 * SP_NS_PER_S) // only a full batch is run

static char source[4096];

static struct sp_server *start(const struct sp_server_conf *conf, const char *model,
                               struct sp_server_counts *counts) {
  char dir[4200];
  snprintf(dir, sizeof dir, "%s/tests/contract/models/%s", source, model);
  const struct sp_server_model of = {model, dir};
  const struct sp_server_env env = {
      .conf = conf, .address = "127.0.0.1:0", .models = &of, .n_models = 1, .counts = counts};
  return server_start(&env);
}

static struct sp_server_conf conf_of(uint64_t max_batch, int64_t delay_ns) {
  return (struct sp_server_conf){
      .threads = 2, .engine = "onnxruntime", .max_batch = max_batch, .batch_delay_ns = delay_ns};
}

static void fill(struct rpc_bed *crowd, size_t i) {
  float *x = crowd->calls[i].inputs[0]->data;
  for (size_t k = 0; k < 3 * CROWD_ROWS; k++) x[k] = (float)(100 * i + k);
}

static void answered(const struct rpc_bed *crowd) {
  if (crowd->n_failed) fail_msg("%zu failed: %s", crowd->n_failed, crowd->failure);
}

// The model says how many rows were run with each: as many as a batch may have, whoever sent them.
static void full_batches_are_run_together(void **state) {
  (void)state;
  const struct sp_server_conf conf = conf_of(16, NEVER_NS);
  struct sp_server_counts counts;
  struct sp_server *server = start(&conf, "together", &counts);
  struct rpc_bed *crowd = crowd_open(server, "tfs", "together", "rows");
  for (size_t i = 0; i < 16; i++) {
    fill(crowd, i);
    sp_rpc_call_start(crowd->calls[i].call, 1);
  }
  rpc_bed_complete(crowd, 16);
  answered(crowd);
  for (size_t i = 0; i < 16; i++) assert_true(*(const float *)crowd->calls[i].output->data == 16);
  rpc_bed_close(crowd);
  server_stop(server);
  assert_int_equal(counts.n_predictions, 16);
  assert_int_equal(counts.n_requests, 16);
}

static void what_has_waited_long_enough_is_run(void **state) {
  (void)state;
  const struct sp_server_conf conf = conf_of(16, 20 * SP_NS_PER_MS);
  struct sp_server *server = start(&conf, "together", NULL);
  struct rpc_bed *crowd = crowd_open(server, "tfs", "together", "rows");
  sp_rpc_call_start(crowd->calls[0].call, 3);
  rpc_bed_complete(crowd, 1);
  answered(crowd);
  const float *rows = crowd->calls[0].output->data;
  assert_true(rows[0] == 3 && rows[1] == 3 && rows[2] == 3);
  assert_true(crowd->calls[0].result.server_ns >= 20 * SP_NS_PER_MS);
  rpc_bed_close(crowd);
  server_stop(server);
}

static void own_rows_come_back(const char *protocol) {
  const struct sp_server_conf conf = conf_of(5, SP_NS_PER_MS);
  struct sp_server_counts counts;
  struct sp_server *server = start(&conf, "together", &counts);
  struct rpc_bed *crowd = crowd_open(server, protocol, "together", "twice");
  size_t n_rows = 0;
  for (size_t round = 1; round <= 20; round++) {
    for (size_t i = 0; i < N_CALLS; i++) {
      fill(crowd, i);
      n_rows += 1 + (i + round) % CROWD_ROWS;
      sp_rpc_call_start(crowd->calls[i].call, 1 + (i + round) % CROWD_ROWS);
    }
    rpc_bed_complete(crowd, round * N_CALLS);
    answered(crowd);
    for (size_t i = 0; i < N_CALLS; i++) {
      const float *twice = crowd->calls[i].output->data;
      for (size_t k = 0; k < 3 * (1 + (i + round) % CROWD_ROWS); k++)
        assert_true(twice[k] == 2 * (float)(100 * i + k));
    }
  }
  rpc_bed_close(crowd);
  server_stop(server);
  assert_int_equal(counts.n_predictions, n_rows);
  assert_int_equal(counts.n_requests, 20 * N_CALLS);
}

static void each_gets_its_own_rows_back(void **state) {
  (void)state;
  own_rows_come_back("tfs");
  own_rows_come_back("kserve");
}

// --- A model that fails for some values: table[i], of which there are three ---

static size_t write_gather(uint8_t *bytes, int64_t i) {
  const struct sp_tensor_spec spec = {"i", SP_DTYPE_INT64, 2, {1, 1}};
  size_t n = sp_tfs_write_request_spec("gather", 0, NULL, NULL, bytes);
  n += sp_tfs_write_input_head(&spec, 1, bytes + n);
  memcpy(bytes + n, &i, sizeof i);
  return n + sizeof i;
}

struct one {
  struct sp_server *server;
  int64_t i;
  pthread_t thread;
  int code;
  float y;
};

static void *ask_gather(void *context) {
  struct one *one = context;
  struct caller caller = caller_open(one->server);
  uint8_t bytes[1024];
  one->code = caller_call(&caller, SP_TFS_PREDICT, bytes, write_gather(bytes, one->i));
  if (!one->code) {
    float *y = caller_output(&caller, "y", 1, 1, 1);
    one->y = *y;
    free(y);
  }
  caller_close(&caller);
  return NULL;
}

static void only_the_one_to_blame_fails(void **state) {
  (void)state;
  const struct sp_server_conf conf = conf_of(4, NEVER_NS);
  struct sp_server_counts counts;
  struct sp_server *server = start(&conf, "gather", &counts);
  struct one ones[4] = {{.i = 0}, {.i = 7}, {.i = 1}, {.i = 2}};
  for (size_t i = 0; i < 4; i++) ones[i].server = server;
  for (size_t i = 0; i < 4; i++) pthread_create(&ones[i].thread, NULL, ask_gather, &ones[i]);
  for (size_t i = 0; i < 4; i++) pthread_join(ones[i].thread, NULL);
  assert_int_equal(ones[1].code, SP_STATUS_INTERNAL);
  assert_true(ones[0].code == 0 && ones[0].y == 1.5F);
  assert_true(ones[2].code == 0 && ones[2].y == 2.5F);
  assert_true(ones[3].code == 0 && ones[3].y == 3.5F);
  server_stop(server);
  assert_int_equal(counts.n_predictions, 3);
  assert_int_equal(counts.n_requests, 4);
}

static void refusals_do_not_wait(void **state) {
  (void)state;
  struct sp_server_conf conf = conf_of(4, NEVER_NS);
  conf.fail = "UNAVAILABLE:at=4";
  struct sp_server *server = start(&conf, "together", NULL);
  struct caller caller = caller_open(server);
  caller_predict(&caller, "together", 0, "x", 1, 4);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT, "float32 [1, 4]");
  caller_predict(&caller, "together", 2, "x", 1, 3);
  caller_expect(&caller, SP_STATUS_NOT_FOUND, "that version");
  caller_predict(&caller, "together", 0, "x", 5, 3);
  caller_expect(&caller, SP_STATUS_INVALID_ARGUMENT, "5 rows");
  caller_predict(&caller, "together", 0, "x", 1, 3);
  caller_expect(&caller, SP_STATUS_UNAVAILABLE, "as told");
  assert_int_equal(caller_predict(&caller, "together", 0, "x", 4, 3), 0);
  caller_close(&caller);
  server_stop(server);
}

// A serial delay is the time of a run: eight rows that are run together take it once.
static void a_run_takes_its_delay_once(void **state) {
  (void)state;
  struct sp_server_conf conf = conf_of(8, NEVER_NS);
  conf.threads = 1;
  conf.delay = "serial:100ms";
  struct sp_server *server = start(&conf, "together", NULL);
  struct rpc_bed *crowd = crowd_open(server, "tfs", "together", "rows");
  int64_t start_ns = sp_now_ns();
  for (size_t i = 0; i < 8; i++) sp_rpc_call_start(crowd->calls[i].call, 1);
  rpc_bed_complete(crowd, 8);
  int64_t took_ns = sp_now_ns() - start_ns;
  answered(crowd);
  assert_true(took_ns >= 100 * SP_NS_PER_MS && took_ns < 800 * SP_NS_PER_MS);
  rpc_bed_close(crowd);
  server_stop(server);
}

static void what_is_gathered_ends_with_the_server(void **state) {
  (void)state;
  const struct sp_server_conf conf = conf_of(16, NEVER_NS);
  struct sp_server *server = start(&conf, "together", NULL);
  struct rpc_bed *crowd = crowd_open(server, "tfs", "together", "rows");
  for (size_t i = 0; i < 5; i++) sp_rpc_call_start(crowd->calls[i].call, 1);
  struct caller caller = caller_open(server); // what comes later on a thread comes later in its queue
  for (int i = 0; i < 50; i++) caller_call(&caller, SP_HEALTH_CHECK, "", 0);
  caller_close(&caller);
  bool was_graceful = true;
  int64_t start_ns = sp_now_ns();
  assert_int_equal(sp_server_stop(server, 10 * SP_NS_PER_MS, &was_graceful, NULL), SP_OK);
  assert_false(was_graceful);
  assert_true(sp_now_ns() - start_ns < WITHIN_NS);
  rpc_bed_complete(crowd, 5);
  assert_int_equal(crowd->n_failed, 5);
  rpc_bed_close(crowd);
}

static void what_cannot_be_gathered_is_refused(void **state) {
  (void)state;
  char dir[4200];
  snprintf(dir, sizeof dir, "%s/tests/contract/models/single_row", source);
  const struct sp_server_model model = {"single", dir};
  struct sp_server_conf conf = conf_of(16, SP_NS_PER_MS);
  const struct sp_server_env env = {.conf = &conf, .address = "127.0.0.1:0", .models = &model, .n_models = 1};
  server_refused(&env, SP_ERR_USAGE,
                 "model single version 1: input x takes one row at a time, so requests cannot be gathered");
  conf.max_batch = 1;
  server_refused(&env, SP_ERR_USAGE, "batch_delay: with max_batch 1 there is nothing to gather");
  conf.max_batch = 16;
  conf.delay = "5ms";
  server_refused(&env, SP_ERR_USAGE, "write serial:5ms");
}

int main(void) {
  if (!getenv("SOURCE_DIR")) {
    fprintf(stderr, "SOURCE_DIR is not set; run it through ctest\n");
    return 3;
  }
  snprintf(source, sizeof source, "%s", getenv("SOURCE_DIR"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_batches_are_run_together),
      cmocka_unit_test(what_has_waited_long_enough_is_run),
      cmocka_unit_test(each_gets_its_own_rows_back),
      cmocka_unit_test(only_the_one_to_blame_fails),
      cmocka_unit_test(refusals_do_not_wait),
      cmocka_unit_test(a_run_takes_its_delay_once),
      cmocka_unit_test(what_is_gathered_ends_with_the_server),
      cmocka_unit_test(what_cannot_be_gathered_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
