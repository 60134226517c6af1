// Starting, stopping and calling the reference model server in tests.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/server_bed.h"

struct sp_server *server_start(const struct sp_server_env *env) {
  struct sp_server *server;
  struct sp_error error;
  if (sp_server_start(env, &server, &error)) fail_msg("%s", error.text);
  return server;
}

void server_stop(struct sp_server *server) {
  bool was_graceful;
  struct sp_error error;
  if (sp_server_stop(server, WITHIN_NS, &was_graceful, &error)) fail_msg("%s", error.text);
  assert_true(was_graceful);
}

void server_refused(const struct sp_server_env *env, enum sp_err code, const char *said) {
  struct sp_server *server = NULL;
  struct sp_error error = {0};
  assert_int_equal(sp_server_start(env, &server, &error), code);
  assert_null(server);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
}

void folder_make(char dir[64]) {
  strcpy(dir, "/tmp/servepath-versions-XXXXXX");
  assert_non_null(mkdtemp(dir));
}

void folder_remove(const char *dir) {
  shell("rm -rf %s", dir);
}

void shell(const char *format, ...) {
  char command[9000];
  va_list args;
  va_start(args, format);
  vsnprintf(command, sizeof command, format, args);
  va_end(args);
  if (system(command) != 0) fail_msg("%s", command);
}

// --- One call at a time ---

struct caller caller_open(const struct sp_server *server) {
  sp_grpc_start();
  struct caller caller = {.channel = sp_channel_new(sp_server_address(server), NULL)};
  struct sp_error error;
  if (sp_channels_connect(&caller.channel, 1, sp_server_address(server), NULL, WITHIN_NS, &error))
    fail_msg("%s", error.text);
  return caller;
}

void caller_close(struct caller *caller) {
  free(caller->last.reply);
  grpc_channel_destroy(caller->channel);
  sp_grpc_end();
}

int caller_call(struct caller *caller, const char *method, const void *bytes, size_t n) {
  free(caller->last.reply);
  sp_channel_call(caller->channel, NULL, method, sp_bytes_of(bytes, n), WITHIN_NS, &caller->last);
  return caller->last.code;
}

void caller_expect(const struct caller *caller, int code, const char *said) {
  assert_int_equal(caller->last.code, code);
  if (!strstr(caller->last.text, said)) fail_msg("\"%s\" does not say \"%s\"", caller->last.text, said);
}

int caller_predict(struct caller *caller, const char *model, uint64_t version, const char *input,
                   size_t n_rows, size_t n_columns) {
  struct sp_tensor_spec spec = {.dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, (int64_t)n_columns}};
  strcpy(spec.name, input);
  uint8_t *bytes = sp_alloc(2 * SP_TFS_MODEL_NAME_BYTES + SP_TFS_HEAD_BYTES + n_rows * n_columns * 4);
  size_t n = sp_tfs_write_request_spec(model, version, NULL, NULL, bytes);
  n += sp_tfs_write_input_head(&spec, n_rows, bytes + n);
  for (size_t i = 0; i < n_rows * n_columns; i++, n += 4) memcpy(bytes + n, &(float){(float)i}, 4);
  int code = caller_call(caller, SP_TFS_PREDICT, bytes, n);
  free(bytes);
  return code;
}

float *caller_output(struct caller *caller, const char *name, size_t n_rows, size_t n_columns,
                     uint64_t version) {
  struct sp_tfs_predict reply;
  const char *reason;
  struct sp_tensor_spec spec = {.dtype = SP_DTYPE_FLOAT32, .rank = 2, .shape = {1, (int64_t)n_columns}};
  assert_true(sp_tfs_read_reply(sp_bytes_of(caller->last.reply, caller->last.n_reply), &reply, &reason));
  assert_int_equal(reply.spec.version, version);
  const struct sp_tfs_tensor *tensor = sp_tfs_find(&reply, name);
  assert_non_null(tensor);
  assert_int_equal(sp_tfs_rows(tensor, &spec), n_rows);
  float *values = malloc(n_rows * n_columns * sizeof *values);
  assert_true(sp_tfs_read_values(tensor, n_rows * n_columns, values));
  return values;
}

// --- Many in flight ---

struct rpc_bed *crowd_open(const struct sp_server *server, const char *protocol, const char *model,
                           const char *output) {
  static const struct sp_tensor_spec x = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
  const struct sp_rpc_conf conf = {.protocol = (char *)(uintptr_t)protocol,
                                   .deadline_ns = WITHIN_NS,
                                   .channels = 1,
                                   .connect_timeout_ns = WITHIN_NS};
  const struct sp_rpc_env env = {.conf = &conf,
                                 .address = sp_server_address(server),
                                 .model_name = model,
                                 .inputs = &x,
                                 .n_inputs = 1,
                                 .output = output,
                                 .max_rows = CROWD_ROWS,
                                 .n_queues = 1};
  return rpc_bed_open(&env);
}
