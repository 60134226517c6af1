// Connecting over HTTP: what is absent, not ready, of another kind, or set so that it cannot be, is named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/listener.h"
#include "rpc/rpc.h"
#include "support/rest_bed.h"
#include "support/rest_models.h"

static void refused(const struct sp_rpc_env *env, enum sp_err code, const char *said) {
  struct sp_rpc_client *client;
  struct sp_tensor_spec output;
  struct sp_error error = {.code = SP_OK};
  int64_t start_ns = sp_now_ns();
  assert_int_equal(sp_rpc_client_new(env, &client, &output, &error), code);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
  assert_true(sp_now_ns() - start_ns < WITHIN_NS);
}

static void absent_and_other_servers_are_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.connect_timeout_ns = 300 * SP_NS_PER_MS;
  struct http_server *gone = http_server_start(NULL, as_told, NULL);
  char address[64];
  snprintf(address, sizeof address, "%s", http_server_address(gone));
  http_server_stop(gone);
  struct sp_rpc_env env = env_of(&conf, address);
  refused(&env, SP_ERR_ENVIRONMENT, "(connection refused, tried for 0.");
  struct told told = {.asks_for_all = true, .body = "220 mail.example.com ESMTP\r\n"};
  struct http_server *server = http_server_start(NULL, as_told, &told);
  env.address = http_server_address(server);
  atomic_store(&told.mode, HANGS);
  refused(&env, SP_ERR_ENVIRONMENT, "(it does not answer, tried for 0.");
  atomic_store(&told.mode, CUTS);
  refused(&env, SP_ERR_ENVIRONMENT, "does not speak HTTP");
  told.status = 503;
  told.body = "{\"error\": \"still loading\"}";
  atomic_store(&told.mode, SAYS);
  refused(&env, SP_ERR_ENVIRONMENT, "is not ready (HTTP 503: still loading");
  told.status = 401;
  told.body = "{\"error\": \"who are you\"}";
  refused(&env, SP_ERR_ENVIRONMENT, "lets us not in (HTTP 401: who are you); set rpc.token");
  http_server_stop(server);
}

static void *serve(void *listener) {
  sp_listener_serve(listener, 0);
  return NULL;
}

static void a_grpc_server_is_recognized(void **state) {
  (void)state;
  struct sp_listener *listener;
  struct sp_error error;
  pthread_t thread;
  assert_int_equal(sp_listener_new("127.0.0.1:0", 1, NULL, 0, NULL, NULL, &listener, &error), SP_OK);
  pthread_create(&thread, NULL, serve, listener);
  struct sp_rpc_env env = env_of(&standard, sp_listener_address(listener));
  refused(&env, SP_ERR_ENVIRONMENT, "speaks HTTP/2, as gRPC does; use protocol tfs or kserve");
  sp_listener_drain(listener, SP_NS_PER_S);
  sp_listener_cancel(listener);
  sp_listener_end(listener);
  pthread_join(thread, NULL);
  sp_listener_free(listener);
}

// As KServe's own server does.
static void knows_no_versions(struct http_exchange *exchange, void *context) {
  struct told *told = context;
  if (strstr(exchange->path, "/versions/"))
    http_answer(exchange, 501, "", "{\"error\":\"Model versioning not supported yet.\"}");
  else
    as_told(exchange, told);
}

static void a_version_is_left_out_where_a_server_knows_none(void **state) {
  (void)state;
  struct bed *bed = calloc(1, sizeof *bed);
  bed->server = http_server_start(NULL, knows_no_versions, &bed->told);
  bed->conf = standard;
  struct sp_rpc_env env = env_of(&bed->conf, http_server_address(bed->server));
  env.model_version = 1;
  bed->rpc = rpc_bed_open(&env);
  is_good(bed);
  assert_non_null(strstr(bed->told.seen, "/v2/models/affine/infer "));
  assert_int_equal(env.model_version, 1); // the caller's own
  env.version_label = "stable";           // asked for by name, so it is not left out
  refused(&env, SP_ERR_ENVIRONMENT, "HTTP 501: Model versioning not supported yet.");
  close_bed(bed);
}

static void models_that_are_not_there_are_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  struct http_server *server = http_server_start(NULL, rest_models_answer, NULL);
  struct sp_rpc_env env = env_of(&conf, http_server_address(server));
  env.model_name = "no such/model";
  refused(&env, SP_ERR_ENVIRONMENT, "does not serve model no such/model (HTTP 404: Model is not found)");
  conf.protocol = "tfs-rest";
  refused(&env, SP_ERR_ENVIRONMENT, "(HTTP 404: Could not find any versions of that model)");
  env.model_name = "affine";
  env.output = NULL;
  refused(&env, SP_ERR_USAGE, "has 2 outputs");
  http_server_stop(server);
  struct rest_models silent = {.tells_nothing = true};
  server = http_server_start(NULL, rest_models_answer, &silent);
  const struct sp_tensor_spec wide = {"x", SP_DTYPE_FLOAT32, 2, {1, 4}};
  env = env_of(&conf, http_server_address(server));
  env.inputs = &wide;
  refused(&env, SP_ERR_USAGE,
          "(HTTP 400: instances of three numbers are needed); check its name and input.tensors");
  http_server_stop(server);
}

static void keys_that_cannot_be_are_refused(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  struct sp_rpc_env env = env_of(&conf, "127.0.0.1:1");
  conf.channels = 2;
  refused(&env, SP_ERR_USAGE, "channels: 2; over HTTP/1.1");
  conf = standard;
  conf.link.ca = "/dev/null";
  refused(&env, SP_ERR_USAGE, "rpc.ca needs rpc.tls");
  conf.link = (struct sp_rpc_link_conf){.tls = true, .ca = "/no/such/file"};
  refused(&env, SP_ERR_ENVIRONMENT, "rpc.ca: /no/such/file cannot be read");
  conf.link = (struct sp_rpc_link_conf){.tls = true, .cert = "/dev/null"};
  refused(&env, SP_ERR_USAGE, "give both or neither");
  struct sp_property bad[] = {{"x-a", "1\r\nHost: evil"}};
  conf.link = (struct sp_rpc_link_conf){.metadata = {bad, 1}};
  refused(&env, SP_ERR_USAGE, "x-a holds a control character");
  bad[0] = (struct sp_property){"a b", "1"};
  refused(&env, SP_ERR_USAGE, "\"a b\" is no name of an HTTP header");
  bad[0] = (struct sp_property){"Content-Length", "1"};
  refused(&env, SP_ERR_USAGE, "Content-Length is what the client itself says");
  conf.link = (struct sp_rpc_link_conf){.token = "a\nb"};
  refused(&env, SP_ERR_USAGE, "rpc.token");
  env.address = "nowhere";
  refused(&env, SP_ERR_USAGE, "nowhere");
}

static void tls_against_plain_is_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.link.tls = true;
  conf.connect_timeout_ns = 300 * SP_NS_PER_MS;
  struct http_server *server = http_server_start(NULL, rest_models_answer, NULL);
  struct sp_rpc_env env = env_of(&conf, http_server_address(server));
  refused(&env, SP_ERR_ENVIRONMENT, "speaks plain HTTP; leave rpc.tls out");
  http_server_stop(server);
}

int main(void) {
  lay_proxies_out();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(absent_and_other_servers_are_named),
      cmocka_unit_test(a_grpc_server_is_recognized),
      cmocka_unit_test(models_that_are_not_there_are_named),
      cmocka_unit_test(a_version_is_left_out_where_a_server_knows_none),
      cmocka_unit_test(keys_that_cannot_be_are_refused),
      cmocka_unit_test(tls_against_plain_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
