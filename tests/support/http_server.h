// A small HTTP/1.1 server in a test's own process: plain sockets of loopback or unix, a thread per connection, connections
// kept. What it answers is the test's.
#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server;

struct http_exchange { // one request and the connection to answer it on
  struct http_server *server;
  int socket;
  char method[8], path[512];
  const char *head; // all of it, NUL-terminated
  const char *body; // NUL-terminated too
  size_t n_body;
  bool closes; // set by a handler: the connection ends behind this answer
};

// Runs on the connection's thread.
typedef void (*http_handler)(struct http_exchange *exchange, void *context);

// unix_path NULL: 127.0.0.1 and a free port. Aborts where it cannot listen.
struct http_server *http_server_start(const char *unix_path, http_handler handler, void *context);
// Connections are cut and handlers that wait are let go.
void http_server_stop(struct http_server *server);
const char *http_server_address(const struct http_server *server);  // "127.0.0.1:41234", "unix:/path"
unsigned http_server_connections(const struct http_server *server); // accepted so far
unsigned http_server_requests(const struct http_server *server);    // read so far

// extra: more header lines, each with its line end, or "".
void http_answer(struct http_exchange *exchange, int status, const char *extra, const char *body);
void http_write(struct http_exchange *exchange, const char *bytes, size_t n); // as they are
void http_wait_for_the_end(struct http_exchange *exchange);                   // until the server stops

#endif
