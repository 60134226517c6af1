// How HTTP reaches a server: its address, TLS and headers as libcurl wants them, and single blocking requests for what is not
// measured. libcurl's types appear here: only rest_*.c include this.
#ifndef SP_RPC_REST_LINK_H
#define SP_RPC_REST_LINK_H

#include <curl/curl.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rpc/rpc.h"

struct sp_rest_link;

// Nothing is connected yet. SP_ERR_USAGE: an address, a header or a combination that cannot be; SP_ERR_ENVIRONMENT: a
// certificate or key that cannot be read.
enum sp_err sp_rest_link_new(const struct sp_rpc_env *env, struct sp_rest_link **link,
                             struct sp_error *error);
void sp_rest_link_free(struct sp_rest_link *link); // after every handle made with it; NULL is allowed

// A handle that asks for `path` ("/v1/models/fraud:predict") with all that the link says: no proxy, HTTP/1.1, no Expect, no
// signals. Free with curl_easy_cleanup.
CURL *sp_rest_handle_new(const struct sp_rest_link *link, const char *path);

#define SP_REST_ANSWER_BYTES_MAX ((size_t)16 << 20)
struct sp_rest_answer {
  CURLcode ended; // how the transfer went
  int status;     // of HTTP; 0: none came
  char text[160]; // what went wrong with the transfer, or the server's words where status is not 2xx
  uint8_t *body;  // free(); never NULL
  size_t n_body;  // bytes beyond SP_REST_ANSWER_BYTES_MAX end the transfer
  struct sp_rpc_server_facts server; // from headers sp-server, sp-stub, sp-model-digest
};
// One request, on a connection of its own: GET, or POST of body where its data is not NULL. Blocks until its end, at most
// timeout_ns.
void sp_rest_ask(const struct sp_rest_link *link, const char *path, struct sp_bytes body, int64_t timeout_ns,
                 struct sp_rest_answer *answer);
// GETs until the server answers anything at all but 503, at most conf->connect_timeout_ns. SP_ERR_ENVIRONMENT `cannot reach
// model server HOST:PORT (…)` with the cause: absent, silent, not HTTP (gRPC), TLS on one end only, a certificate refused.
enum sp_err sp_rest_reach(const struct sp_rest_link *link, const char *path, struct sp_rest_answer *answer,
                          struct sp_error *error);

// "NAME" of a path's part, percent-encoded, from malloc.
char *sp_rest_escape(const char *name);
// Of the library in use: "libcurl 7.88.1"; any time.
const char *sp_rest_library(void);

#endif
