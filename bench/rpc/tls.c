// PEM files into gRPC's credentials.
#include "rpc/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_BYTES_MAX ((size_t)4 << 20) // the trusted certificates of a whole system are 200 KB

struct pems {
  char *ca, *cert, *key;
};

static void pems_done(struct pems *pems) {
  free(pems->ca);
  free(pems->cert);
  free(pems->key);
}

static enum sp_err read_pem(const char *key, const char *path, char **text, struct sp_error *error) {
  if (!path) return SP_OK;
  FILE *file = fopen(path, "re");
  if (!file) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: %s cannot be read (%s)", key, path, strerror(errno));
  }
  *text = sp_alloc(PEM_BYTES_MAX + 1);
  errno = 0;
  size_t n = fread(*text, 1, PEM_BYTES_MAX, file);
  int error_number = ferror(file) ? errno : 0;
  fclose(file);
  if (error_number) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: %s cannot be read (%s)", key, path,
                   strerror(error_number));
  }
  *text = sp_realloc(*text, n + 1);
  if (strstr(*text, "-----BEGIN ")) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: %s holds no PEM (\"-----BEGIN …\")", key, path);
}

static enum sp_err check_client(const struct sp_rpc_link_conf *conf, struct sp_error *error) {
  const struct {
    const char *key, *value;
  } only_tls[] = {{"rpc.ca", conf->ca},
                  {"rpc.cert", conf->cert},
                  {"rpc.key", conf->key},
                  {"rpc.server_name", conf->server_name}};
  for (size_t i = 0; !conf->tls && i < sizeof only_tls / sizeof only_tls[0]; i++) {
    if (!only_tls[i].value) continue;
    return sp_fail(error, SP_ERR_USAGE, "%s needs rpc.tls; add --rpc-tls, or leave it out", only_tls[i].key);
  }
  if (!conf->cert == !conf->key) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "rpc.cert and rpc.key go together; give both or neither");
}

enum sp_err sp_tls_client(const struct sp_rpc_link_conf *conf, grpc_channel_credentials **credentials,
                          struct sp_error *error) {
  enum sp_err err = check_client(conf, error);
  if (err) return err;
  if (!conf->tls) {
    *credentials = grpc_insecure_credentials_create();
    return SP_OK;
  }
  struct pems pems = {0};
  err = read_pem("rpc.ca", conf->ca, &pems.ca, error);
  if (!err) err = read_pem("rpc.cert", conf->cert, &pems.cert, error);
  if (!err) err = read_pem("rpc.key", conf->key, &pems.key, error);
  if (!err) {
    grpc_ssl_pem_key_cert_pair pair = {pems.key, pems.cert};
    *credentials = grpc_ssl_credentials_create_ex(pems.ca, pems.cert ? &pair : NULL, NULL, NULL);
  }
  pems_done(&pems);
  return err;
}

static enum sp_err check_server(const struct sp_listener_security *security, struct sp_error *error) {
  if (!security->cert != !security->key)
    return sp_fail(error, SP_ERR_USAGE, "tls_cert and tls_key go together; give both or neither");
  if (security->client_ca && !security->cert)
    return sp_fail(error, SP_ERR_USAGE, "tls_client_ca needs tls_cert and tls_key; give them too");
  return SP_OK;
}

enum sp_err sp_tls_server(const struct sp_listener_security *security, grpc_server_credentials **credentials,
                          struct sp_error *error) {
  enum sp_err err = security ? check_server(security, error) : SP_OK;
  if (err) return err;
  if (!security || !security->cert) {
    *credentials = grpc_insecure_server_credentials_create();
    return SP_OK;
  }
  struct pems pems = {0};
  err = read_pem("tls_client_ca", security->client_ca, &pems.ca, error);
  if (!err) err = read_pem("tls_cert", security->cert, &pems.cert, error);
  if (!err) err = read_pem("tls_key", security->key, &pems.key, error);
  if (!err) {
    grpc_ssl_pem_key_cert_pair pair = {pems.key, pems.cert};
    *credentials = grpc_ssl_server_credentials_create_ex(
        pems.ca, &pair, 1,
        pems.ca ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        NULL);
  }
  pems_done(&pems);
  return err;
}
