// What goes with every call over gRPC: TLS, a token, metadata; and that each way to get them wrong is named in one line, within
// the time given for connecting.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/listener.h"
#include "rpc/rpc.h"
#include "server/server.h"
#include "support/certificates.h"

#define WITHIN_NS (30 * SP_NS_PER_S) // a bound for what is broken, not a measure

static const struct sp_tensor_spec input_spec = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
static struct certificates certificates;
static struct sp_server *plain, *secure; // secure: TLS, client certificates and a token
static char secure_address[64];          // by the name in its certificate

static struct sp_server *start(struct sp_server_conf conf) {
  static const struct sp_server_model model = {"echo", NULL};
  conf.threads = 1;
  conf.max_batch = 4;
  conf.stub = SP_STUB_ECHO;
  const struct sp_server_env env = {.conf = &conf,
                                    .address = "127.0.0.1:0",
                                    .models = &model,
                                    .n_models = 1,
                                    .inputs = &input_spec,
                                    .n_inputs = 1,
                                    .outputs = &input_spec,
                                    .n_outputs = 1};
  struct sp_server *server = NULL;
  struct sp_error error;
  if (sp_server_start(&env, &server, &error)) fprintf(stderr, "%s\n", error.text);
  return server;
}

static int start_servers(void **state) {
  (void)state;
  if (certificates_make(&certificates)) return -1;
  plain = start((struct sp_server_conf){0});
  secure = start((struct sp_server_conf){.tls_cert = certificates.server_cert,
                                         .tls_key = certificates.server_key,
                                         .tls_client_ca = certificates.ca,
                                         .token = "open sesame"});
  if (!plain || !secure) return -1;
  snprintf(secure_address, sizeof secure_address, "localhost%s", strrchr(sp_server_address(secure), ':'));
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  bool was_graceful = true, both = true;
  struct sp_server *servers[] = {plain, secure};
  for (int i = 0; i < 2; i++) {
    if (servers[i]) sp_server_stop(servers[i], WITHIN_NS, &was_graceful, NULL);
    both = both && was_graceful;
  }
  certificates_remove(&certificates);
  return both ? 0 : -1;
}

// --- A client ---

static struct sp_rpc_link_conf good_link(void) {
  return (struct sp_rpc_link_conf){.tls = true,
                                   .ca = certificates.ca,
                                   .cert = certificates.client_cert,
                                   .key = certificates.client_key,
                                   .token = "open sesame"};
}

static enum sp_err try_open(const char *address, struct sp_rpc_link_conf link, int64_t connect_timeout_ns,
                            struct sp_rpc_client **client, struct sp_error *error) {
  const struct sp_rpc_conf conf = {.protocol = "kserve",
                                   .deadline_ns = WITHIN_NS,
                                   .channels = 1,
                                   .connect_timeout_ns = connect_timeout_ns,
                                   .link = link};
  const struct sp_rpc_env env = {.conf = &conf,
                                 .address = address,
                                 .model_name = "echo",
                                 .inputs = &input_spec,
                                 .n_inputs = 1,
                                 .max_rows = 4,
                                 .n_queues = 1};
  struct sp_tensor_spec output;
  return sp_rpc_client_new(&env, client, &output, error);
}

static void is_refused(const char *address, struct sp_rpc_link_conf link, enum sp_err code,
                       const char *said) {
  struct sp_rpc_client *client = NULL;
  struct sp_error error = {0};
  enum sp_err err = try_open(address, link, 400 * SP_NS_PER_MS, &client, &error);
  if (err != code) fail_msg("%d, not %d: %s", err, code, error.text);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
  assert_null(strchr(error.text, '\n'));
  assert_null(strstr(error.text, "sesame"));
}

static void note_outcome(void *user, const struct sp_rpc_result *result, void *context) {
  (void)context;
  *(enum sp_outcome *)user = result->outcome;
}

static void predicts(const char *address, struct sp_rpc_link_conf link) {
  struct sp_rpc_client *client = NULL;
  struct sp_error error = {0};
  if (try_open(address, link, WITHIN_NS, &client, &error)) fail_msg("%s", error.text);
  struct sp_tensor **inputs;
  const struct sp_tensor *output;
  enum sp_outcome outcome = SP_OUTCOME_LOST;
  struct sp_rpc_call *call = sp_rpc_call_new(client, 0, &inputs, &output, &outcome);
  ((float *)inputs[0]->data)[1] = 7;
  sp_rpc_call_start(call, 1);
  while (!sp_rpc_reap(client, 0, sp_now_ns() + WITHIN_NS, note_outcome, NULL)) continue;
  assert_int_equal(outcome, SP_OUTCOME_NONE);
  assert_true(sp_tensor_get(output, 0, 1) == 7);
  sp_rpc_client_free(client);
}

// --- TLS ---

static void what_fits_predicts(void **state) {
  (void)state;
  predicts(sp_server_address(plain), (struct sp_rpc_link_conf){0});
  struct sp_rpc_link_conf link = good_link();
  predicts(secure_address, link);
  link.server_name = CERTIFICATE_NAME;
  predicts(sp_server_address(secure), link); // by its number, which the certificate does not have
  link.channel = SP_RPC_CHANNEL_PER_CALL;
  predicts(sp_server_address(secure), link);
}

static void tls_on_one_end_only_is_named(void **state) {
  (void)state;
  is_refused(sp_server_address(plain), good_link(), SP_ERR_ENVIRONMENT,
             "speaks no TLS, tried for 0.4 s); leave rpc.tls out");
  is_refused(secure_address, (struct sp_rpc_link_conf){0}, SP_ERR_ENVIRONMENT,
             "what listens there speaks TLS, tried for 0.4 s); set rpc.tls");
}

static void certificates_that_are_not_trusted_are_named(void **state) {
  (void)state;
  struct sp_rpc_link_conf link = good_link();
  link.ca = certificates.other_ca;
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "signed by none that is trusted");
  link.ca = NULL; // the system's
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "give the certificate of its signer as rpc.ca");
  link = good_link();
  is_refused(sp_server_address(secure), link, SP_ERR_ENVIRONMENT, "its certificate is for another name");
  link.server_name = "other.test";
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "as rpc.server_name");
  link = good_link();
  link.cert = link.key = NULL;
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "give rpc.cert and rpc.key");
  link.cert = certificates.stranger_cert;
  link.key = certificates.stranger_key;
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "is rpc.cert signed by one that it trusts");
}

static void keys_that_cannot_be_are_refused(void **state) {
  (void)state;
  struct sp_rpc_link_conf link = good_link();
  link.key = NULL;
  is_refused("127.0.0.1:1", link, SP_ERR_USAGE, "rpc.cert and rpc.key go together");
  link = good_link();
  link.tls = false;
  is_refused("127.0.0.1:1", link, SP_ERR_USAGE, "rpc.ca needs rpc.tls");
  is_refused("127.0.0.1:1", (struct sp_rpc_link_conf){.server_name = "a"}, SP_ERR_USAGE,
             "rpc.server_name needs rpc.tls");
  link = good_link();
  link.ca = "/nonexistent/ca.pem";
  is_refused("127.0.0.1:1", link, SP_ERR_ENVIRONMENT,
             "rpc.ca: /nonexistent/ca.pem cannot be read (No such file");
  link.ca = certificates.folder;
  is_refused("127.0.0.1:1", link, SP_ERR_ENVIRONMENT, "cannot be read (Is a directory)");
  link.ca = "/dev/null";
  is_refused("127.0.0.1:1", link, SP_ERR_ENVIRONMENT, "rpc.ca: /dev/null holds no PEM");
  link = good_link();
  link.key = certificates.stranger_key; // not that of the certificate
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "rpc.key");
}

// --- Tokens and metadata ---

static void who_does_not_say_who_he_is_is_refused(void **state) {
  (void)state;
  struct sp_rpc_link_conf link = good_link();
  link.token = NULL;
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT,
             "UNAUTHENTICATED: the bearer token is missing, or another one); give rpc.token");
  link.token = "open simsim";
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT,
             "is rpc.token (or what rpc.metadata says) the right one?");
  link.token = "open";
  is_refused(secure_address, link, SP_ERR_ENVIRONMENT, "UNAUTHENTICATED");
  // The same said as metadata, beside others.
  struct sp_property entries[] = {{"x-tenant", "blue"},
                                  {"authorization", "Bearer open sesame"},
                                  {"x-bytes-bin", "AAEC/w=="},
                                  {"x-half-bin", "AAE"}};
  link.token = NULL;
  link.metadata = (struct sp_properties){entries, 4};
  predicts(secure_address, link);
}

static void metadata_that_cannot_be_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *key, *value, *said;
  } cases[] = {
      {"X-Tenant", "a", "rpc.metadata: \"X-Tenant\" is no key of gRPC's"},
      {"x tenant", "a", "is no key"},
      {":path", "a", "is no key"},
      {"", "a", "is no key"},
      {"sp-id", "a", "rpc.metadata: sp-id: keys with sp- and grpc- are reserved"},
      {"grpc-timeout", "1S", "reserved"},
      {"content-type", "a", "what gRPC itself says"},
      {"authorization", "Bearer a", "give one of the two"},
      {"x-name", "J\xc3\xb6rg sesame", "more than printable ASCII"},
      {"x-name", "two\nlines", "more than printable ASCII"},
      {"x-bin", "not base64!", "no base64"},
      {"x-bin", "AAAAA", "no base64"},
      {"x-bin", "=", "no base64"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_property entry = {(char *)(uintptr_t)cases[i].key, (char *)(uintptr_t)cases[i].value};
    struct sp_rpc_link_conf link = {.metadata = {&entry, 1}, .token = "sesame"};
    is_refused("127.0.0.1:1", link, SP_ERR_USAGE, cases[i].said);
  }
  struct sp_property many[17];
  for (size_t i = 0; i < 17; i++) many[i] = (struct sp_property){"x-many", "a"};
  is_refused("127.0.0.1:1", (struct sp_rpc_link_conf){.metadata = {many, 17}}, SP_ERR_USAGE,
             "17 keys; a call carries 16");
  predicts(sp_server_address(plain), (struct sp_rpc_link_conf){.metadata = {many, 16}});
  is_refused("127.0.0.1:1", (struct sp_rpc_link_conf){.token = "sesame\n"}, SP_ERR_USAGE,
             "is it the right file?");
  is_refused("127.0.0.1:1", (struct sp_rpc_link_conf){.token = ""}, SP_ERR_USAGE, "rpc.token: is empty");
}

static void what_one_protocol_has_no_words_for_is_refused(void **state) {
  (void)state;
  struct sp_rpc_conf conf = {
      .protocol = "kserve", .deadline_ns = WITHIN_NS, .channels = 1, .connect_timeout_ns = SP_NS_PER_S};
  struct sp_rpc_env env = {.conf = &conf,
                           .address = "127.0.0.1:1",
                           .model_name = "echo",
                           .version_label = "stable",
                           .inputs = &input_spec,
                           .n_inputs = 1,
                           .max_rows = 1,
                           .n_queues = 1};
  struct sp_rpc_client *client;
  struct sp_tensor_spec output;
  struct sp_error error;
  assert_int_equal(sp_rpc_client_new(&env, &client, &output, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "model.label: protocol kserve has no version labels"));
  env.version_label = NULL;
  conf.channels = 2;
  conf.link.channel = SP_RPC_CHANNEL_PER_CALL;
  assert_int_equal(sp_rpc_client_new(&env, &client, &output, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "channels: 2 with rpc.channel per-call"));
  conf.channels = 1;
  char name[300];
  memset(name, 'm', sizeof name);
  name[sizeof name - 1] = 0;
  env.model_name = name;
  assert_int_equal(sp_rpc_client_new(&env, &client, &output, &error), SP_ERR_USAGE);
  assert_non_null(strstr(error.text, "model.name"));
}

// --- The listener's half ---

static void listener_is_refused(struct sp_listener_security security, const char *address, enum sp_err code,
                                const char *said) {
  struct sp_listener *listener;
  struct sp_error error = {0};
  assert_int_equal(sp_listener_new(address, 1, NULL, 0, &security, NULL, &listener, &error), code);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
}

static void a_listener_names_what_it_cannot_use(void **state) {
  (void)state;
  const struct certificates *of = &certificates;
  struct sp_listener_security security = {.cert = of->server_cert};
  listener_is_refused(security, "127.0.0.1:0", SP_ERR_USAGE, "tls_cert and tls_key go together");
  listener_is_refused((struct sp_listener_security){.client_ca = of->ca}, "127.0.0.1:0", SP_ERR_USAGE,
                      "tls_client_ca needs tls_cert");
  security.key = "/nonexistent/key";
  listener_is_refused(security, "127.0.0.1:0", SP_ERR_ENVIRONMENT,
                      "tls_key: /nonexistent/key cannot be read");
  security.key = of->client_key;
  listener_is_refused(security, "127.0.0.1:0", SP_ERR_ENVIRONMENT, "are no certificate and its key");
  security.key = of->server_key;
  listener_is_refused(security, sp_server_address(plain), SP_ERR_ENVIRONMENT, "Address already in use");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_fits_predicts),
      cmocka_unit_test(tls_on_one_end_only_is_named),
      cmocka_unit_test(certificates_that_are_not_trusted_are_named),
      cmocka_unit_test(keys_that_cannot_be_are_refused),
      cmocka_unit_test(who_does_not_say_who_he_is_is_refused),
      cmocka_unit_test(metadata_that_cannot_be_is_refused),
      cmocka_unit_test(what_one_protocol_has_no_words_for_is_refused),
      cmocka_unit_test(a_listener_names_what_it_cannot_use),
  };
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
