// Credentials and metadata of a client.
#include "rpc/link.h"

#include <grpc/slice.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/tls.h"

// --- Metadata ---

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static bool is_binary(const char *key) {
  size_t n = strlen(key);
  return n > 4 && strcmp(key + n - 4, "-bin") == 0;
}

static int base64_of(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

// Padded or not. False where it is no base64; `to` has room for as many bytes as text.
static bool decode_base64(const char *text, uint8_t *to, size_t *n) {
  size_t length = strlen(text);
  if (length && length % 4 == 0 && text[length - 1] == '=') length -= text[length - 2] == '=' ? 2 : 1;
  uint32_t bits = 0;
  *n = 0;
  for (size_t i = 0; i < length; i++) {
    int digit = base64_of(text[i]);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t)digit;
    if (i % 4 > 0) to[(*n)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  return length % 4 != 1;
}

static void add(struct sp_link *link, const char *key, const void *value, size_t n_value) {
  link->metadata[link->n_metadata++] =
      (grpc_metadata){.key = grpc_slice_from_copied_string(key),
                      .value = grpc_slice_from_copied_buffer((const char *)value, n_value)};
}

static bool is_legal_value(const char *value) {
  grpc_slice slice = grpc_slice_from_static_string(value);
  return grpc_header_nonbin_value_is_legal(slice);
}

static enum sp_err check_key(const char *key, bool has_token, struct sp_error *error) {
  if (!grpc_header_key_is_legal(grpc_slice_from_static_string(key)) || key[0] == ':') {
    return sp_fail(error, SP_ERR_USAGE,
                   "rpc.metadata: \"%s\" is no key of gRPC's; use a-z, 0-9, \"-\", \"_\" and \".\"", key);
  }
  if (begins(key, "sp-") || begins(key, "grpc-"))
    return sp_fail(error, SP_ERR_USAGE,
                   "rpc.metadata: %s: keys with sp- and grpc- are reserved; choose another", key);
  static const char *const ours[] = {"content-type", "te", "user-agent", "host"};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    if (strcmp(key, ours[i]) == 0)
      return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: %s is what gRPC itself says; leave it out", key);
  }
  if (has_token && strcmp(key, "authorization") == 0) {
    return sp_fail(error, SP_ERR_USAGE,
                   "rpc.metadata: authorization is what rpc.token says; give one of the two");
  }
  return SP_OK;
}

// The value is never printed: it may be a secret.
static enum sp_err add_entry(struct sp_link *link, const char *key, const char *value,
                             struct sp_error *error) {
  if (!is_binary(key)) {
    if (!is_legal_value(value)) {
      return sp_fail(
          error, SP_ERR_USAGE,
          "rpc.metadata: the value of %s holds more than printable ASCII; use a key that ends with "
          "-bin and base64",
          key);
    }
    add(link, key, value, strlen(value));
    return SP_OK;
  }
  uint8_t *bytes = sp_alloc(strlen(value) + 1);
  size_t n;
  bool is_decoded = decode_base64(value, bytes, &n);
  if (is_decoded) add(link, key, bytes, n);
  free(bytes);
  if (is_decoded) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: the value of %s is no base64, as keys with -bin want it",
                 key);
}

static enum sp_err add_token(struct sp_link *link, const char *token, struct sp_error *error) {
  if (!token) return SP_OK;
  if (!*token || !is_legal_value(token)) {
    return sp_fail(error, SP_ERR_USAGE,
                   "rpc.token: is empty or holds more than printable ASCII; is it the right file?");
  }
  char *value = sp_format("Bearer %s", token);
  add(link, "authorization", value, strlen(value));
  free(value);
  return SP_OK;
}

static enum sp_err add_metadata(struct sp_link *link, const struct sp_rpc_link_conf *conf,
                                struct sp_error *error) {
  if (conf->metadata.n > SP_LINK_METADATA_MAX) {
    return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: %zu keys; a call carries %d at most", conf->metadata.n,
                   SP_LINK_METADATA_MAX);
  }
  enum sp_err err = add_token(link, conf->token, error);
  for (size_t i = 0; i < conf->metadata.n && !err; i++) {
    const char *key = conf->metadata.items[i].name;
    err = check_key(key, conf->token, error);
    if (!err) err = add_entry(link, key, conf->metadata.items[i].value, error);
  }
  return err;
}

// --- All of it ---

enum sp_err sp_link_init(struct sp_link *link, const struct sp_rpc_link_conf *conf, struct sp_error *error) {
  memset(link, 0, sizeof *link);
  link->has_tls = conf->tls;
  link->has_client_cert = conf->cert != NULL;
  link->server_name = sp_copy_text(conf->server_name);
  enum sp_err err = sp_tls_client(conf, &link->credentials, error);
  return err ? err : add_metadata(link, conf, error);
}

void sp_link_done(struct sp_link *link) {
  for (size_t i = 0; i < link->n_metadata; i++) {
    grpc_slice_unref(link->metadata[i].key);
    grpc_slice_unref(link->metadata[i].value);
  }
  if (link->credentials) grpc_channel_credentials_release(link->credentials);
  free(link->server_name);
}
