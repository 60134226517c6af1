// Channels of the gRPC C core: arguments, readiness, blocking calls.
#include "rpc/channel.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/library.h"
#include "rpc/probe.h"

gpr_timespec sp_grpc_time(int64_t monotonic_ns) {
  if (monotonic_ns == INT64_MAX) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return (gpr_timespec){monotonic_ns / SP_NS_PER_S, (int32_t)(monotonic_ns % SP_NS_PER_S),
                        GPR_CLOCK_MONOTONIC};
}

char *sp_slice_text(grpc_slice slice, char *text, size_t n) {
  size_t length = GRPC_SLICE_LENGTH(slice) < n - 1 ? GRPC_SLICE_LENGTH(slice) : n - 1;
  for (size_t i = 0; i < length; i++) {
    uint8_t byte = GRPC_SLICE_START_PTR(slice)[i];
    text[i] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
  }
  text[length] = 0;
  return text;
}

struct sp_bytes sp_message_bytes(grpc_byte_buffer *message, grpc_slice *copy) {
  *copy = grpc_empty_slice();
  grpc_slice_buffer *slices = &message->data.raw.slice_buffer;
  if (message->type == GRPC_BB_RAW && slices->count == 1) {
    return sp_bytes_of(GRPC_SLICE_START_PTR(slices->slices[0]), GRPC_SLICE_LENGTH(slices->slices[0]));
  }
  grpc_byte_buffer_reader reader;
  if (!grpc_byte_buffer_reader_init(&reader, message)) return (struct sp_bytes){0};
  *copy = grpc_byte_buffer_reader_readall(&reader);
  grpc_byte_buffer_reader_destroy(&reader);
  return sp_bytes_of(GRPC_SLICE_START_PTR(*copy), GRPC_SLICE_LENGTH(*copy));
}

#define LOOK_NS (200 * SP_NS_PER_MS) // how long finding out what is wrong may take, each way

#define INTEGER(name, number)                                                                                \
  { .type = GRPC_ARG_INTEGER, .key = name, .value.integer = number }

grpc_channel *sp_channel_new(const char *address, const struct sp_link *link) {
  grpc_arg list[] = {
      // Channels with equal arguments share one connection, unless each has a pool of its own.
      INTEGER(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
      // http_proxy would apply even to loopback.
      INTEGER(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
      // A call that is tried again by itself would hide the first failure, and retries cost time on every call.
      INTEGER(GRPC_ARG_ENABLE_RETRIES, 0),
      // A look-up of a service configuration in DNS could change deadlines and retries.
      INTEGER(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
      // Statistics for a debugging service that is not there.
      INTEGER(GRPC_ARG_ENABLE_CHANNELZ, 0),
      INTEGER(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
      INTEGER(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000),
      // How long one attempt may take, the server's HTTP/2 settings included: 20 s by default.
      INTEGER(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000),
      INTEGER(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, SP_RPC_MESSAGE_BYTES_MAX),
      INTEGER(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, SP_RPC_MESSAGE_BYTES_MAX),
      // Last, and left out where nothing is set.
      {.type = GRPC_ARG_STRING,
       .key = GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
       .value.string = link ? link->server_name : NULL},
  };
  bool has_name = link && link->server_name;
  grpc_channel_args args = {sizeof list / sizeof list[0] - !has_name, list};
  if (link) return grpc_channel_create(address, link->credentials, &args);
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
  grpc_channel *channel = grpc_channel_create(address, credentials, &args);
  grpc_channel_credentials_release(credentials);
  return channel;
}

enum sp_err sp_address_check(const char *key, const char *address, struct sp_error *error) {
  if (strncmp(address, "unix:", 5) == 0) {
    // sun_path holds 108 bytes with its end.
    size_t n = strlen(address + 5);
    if (n > 0 && n < 108) return SP_OK;
    return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\": the path of a unix socket has 1 to 107 bytes", key,
                   address);
  }
  const char *colon = strrchr(address, ':');
  char *end = NULL;
  long port = colon ? strtol(colon + 1, &end, 10) : -1;
  bool is_bare_ipv6 = colon && memchr(address, ':', (size_t)(colon - address)) && address[0] != '[';
  if (colon && colon > address && colon[1] && !*end && port >= 0 && port <= 65535 && !is_bare_ipv6)
    return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s: \"%s\" is no address; write HOST:PORT, [IPV6]:PORT or unix:PATH",
                 key, address);
}

// --- Blocking calls ---

static void shut(grpc_completion_queue *queue) {
  grpc_completion_queue_shutdown(queue);
  while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
         GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(queue);
}

static void take_reply(struct sp_unary *unary, grpc_byte_buffer *reply) {
  grpc_slice copy;
  struct sp_bytes bytes = sp_message_bytes(reply, &copy);
  unary->reply = sp_alloc(bytes.n + 1);
  unary->n_reply = bytes.n;
  if (bytes.n) memcpy(unary->reply, bytes.data, bytes.n);
  grpc_slice_unref(copy);
}

static void take_notes(struct sp_unary *unary, const grpc_metadata_array *trailing) {
  for (size_t i = 0; i < trailing->count && unary->n_notes < SP_UNARY_NOTES_MAX; i++) {
    const grpc_metadata *entry = &trailing->metadata[i];
    if (GRPC_SLICE_LENGTH(entry->key) < 3 || memcmp(GRPC_SLICE_START_PTR(entry->key), "sp-", 3) != 0)
      continue;
    size_t n = unary->n_notes++;
    sp_slice_text(entry->key, unary->notes[n].key, sizeof unary->notes[n].key);
    sp_slice_text(entry->value, unary->notes[n].value, sizeof unary->notes[n].value);
  }
}

const char *sp_unary_note(const struct sp_unary *unary, const char *key) {
  for (size_t i = 0; i < unary->n_notes; i++) {
    if (strcmp(unary->notes[i].key, key) == 0) return unary->notes[i].value;
  }
  return "";
}

void sp_channel_call(grpc_channel *channel, const struct sp_link *link, const char *method,
                     struct sp_bytes request, int64_t timeout_ns, struct sp_unary *unary) {
  memset(unary, 0, sizeof *unary);
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  grpc_slice name = grpc_slice_from_copied_string(method);
  grpc_call *call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, name, NULL,
                                             sp_grpc_time(sp_now_ns() + timeout_ns), NULL);
  grpc_slice slice = grpc_slice_from_copied_buffer((const char *)request.data, request.n);
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1), *reply = NULL;
  grpc_metadata_array initial = {0}, trailing = {0};
  grpc_status_code status = GRPC_STATUS_UNKNOWN;
  grpc_slice details = grpc_empty_slice();
  grpc_op ops[] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA,
       .data.send_initial_metadata = {.count = link ? link->n_metadata : 0,
                                      .metadata = link ? (grpc_metadata *)(uintptr_t)link->metadata : NULL}},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message = {message}},
      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
      {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata = {&initial}},
      {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message = {&reply}},
      {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
       .data.recv_status_on_client = {.trailing_metadata = &trailing,
                                      .status = &status,
                                      .status_details = &details}},
  };
  SP_ASSERT(grpc_call_start_batch(call, ops, sizeof ops / sizeof ops[0], call, NULL) == GRPC_CALL_OK);
  grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  unary->code = (int)status;
  sp_slice_text(details, unary->text, sizeof unary->text);
  take_notes(unary, &trailing);
  if (status == GRPC_STATUS_OK && reply) take_reply(unary, reply);
  if (status == GRPC_STATUS_OK && !reply) {
    unary->code = GRPC_STATUS_INTERNAL;
    snprintf(unary->text, sizeof unary->text, "OK without a reply");
  }
  grpc_byte_buffer_destroy(reply);
  grpc_byte_buffer_destroy(message);
  grpc_slice_unref(slice);
  grpc_slice_unref(details);
  grpc_slice_unref(name);
  grpc_metadata_array_destroy(&initial);
  grpc_metadata_array_destroy(&trailing);
  grpc_call_unref(call);
  shut(queue);
}

// --- Readiness ---

struct cause {
  const char *what, *remedy;
};

// What gRPC says of the last attempt, where that is plain.
static void say_as_told(grpc_channel *channel, char *text, size_t n) {
  struct sp_unary told;
  sp_channel_call(channel, NULL, "/grpc.health.v1.Health/Check", (struct sp_bytes){(const uint8_t *)"", 0},
                  LOOK_NS, &told);
  free(told.reply);
  const char *last = strstr(told.text, "last error: ");
  last = last ? last + strlen("last error: ") : told.text;
  snprintf(text, n, "%s", told.code == GRPC_STATUS_DEADLINE_EXCEEDED ? "it does not answer" : last);
}

static struct cause tls_cause(const struct sp_link *link, const char *told) {
  if (strstr(told, "ALPN"))
    return (struct cause){"what listens there speaks HTTPS, not gRPC",
                          "name the gRPC port, or use protocol tfs-rest or kserve-rest"};
  if (strstr(told, "Hostname Verification") || strstr(told, "not in peer certificate")) {
    return (struct cause){"its certificate is for another name",
                          "give the name that it is for as rpc.server_name"};
  }
  if (strcasestr(told, "certificate verify failed") || strcasestr(told, "unknown ca") ||
      strcasestr(told, "self signed") || strcasestr(told, "self-signed")) {
    return (struct cause){"its certificate is signed by none that is trusted",
                          "give the certificate of its signer as rpc.ca"};
  }
  if (!link->has_client_cert)
    return (struct cause){"it ends the TLS handshake",
                          "it may want a certificate: give rpc.cert and rpc.key"};
  return (struct cause){"it ends the TLS handshake",
                        "is rpc.cert signed by one that it trusts, and rpc.key its key?"};
}

static struct cause cause_of(const char *address, const struct sp_link *link, char *told) {
  static const char start[] = "start one with servepath model-server, or use --server spawn";
  bool has_tls = link && link->has_tls;
  switch (sp_probe(address, LOOK_NS)) {
  case SP_PROBE_NOTHING: break;
  case SP_PROBE_SILENT: return (struct cause){"what listens there does not answer", "is that its port?"};
  case SP_PROBE_HTTP1:
    return (struct cause){"what listens there speaks HTTP/1, not gRPC",
                          "name the gRPC port, or use protocol tfs-rest or kserve-rest"};
  case SP_PROBE_HTTP2:
    if (has_tls) return (struct cause){"what listens there speaks no TLS", "leave rpc.tls out"};
    break;
  case SP_PROBE_TLS:
    if (has_tls) return tls_cause(link, told);
    return (struct cause){"what listens there speaks TLS", "set rpc.tls"};
  case SP_PROBE_OTHER: return (struct cause){"what listens there does not speak gRPC", "is that its port?"};
  }
  return (struct cause){strstr(told, "Connection refused") ? "connection refused" : told, start};
}

static enum sp_err wait_ready(grpc_channel *channel, grpc_completion_queue *queue, int64_t deadline_ns) {
  for (;;) {
    grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 1);
    if (state == GRPC_CHANNEL_READY) return SP_OK;
    if (sp_now_ns() >= deadline_ns) return SP_ERR_ENVIRONMENT;
    grpc_channel_watch_connectivity_state(channel, state, sp_grpc_time(deadline_ns), queue, NULL);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  }
}

static enum sp_err fail_connect(grpc_channel *channel, const char *address, const struct sp_link *link,
                                int64_t timeout_ns, struct sp_error *error) {
  char told[sizeof((struct sp_unary *)0)->text];
  say_as_told(channel, told, sizeof told);
  struct cause cause = cause_of(address, link, told);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot reach model server %s (%s, tried for %.3g s); %s",
                 address, cause.what, (double)timeout_ns / 1e9, cause.remedy);
}

enum sp_err sp_channels_connect(grpc_channel *const *channels, size_t n_channels, const char *address,
                                const struct sp_link *link, int64_t timeout_ns, struct sp_error *error) {
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  for (size_t i = 0; i < n_channels; i++)
    grpc_channel_check_connectivity_state(channels[i], 1); // all at once
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < n_channels && err == SP_OK; i++) {
    err = wait_ready(channels[i], queue, deadline_ns);
    if (err) fail_connect(channels[i], address, link, timeout_ns, error);
  }
  shut(queue);
  return err;
}
