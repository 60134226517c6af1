// Sockets and the least of HTTP.
#include "support/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

#define N_CONNECTIONS_MAX 8192 // in all

struct connection {
  struct http_server *server;
  int socket; // -1: closed; under the server's lock
  pthread_t thread;
};

struct http_server {
  pthread_mutex_t lock;
  http_handler handler;
  void *context;
  int listener, end[2]; // a byte in `end` says that the server stops
  char address[128];
  pthread_t thread;
  _Atomic unsigned n_connections, n_requests;
  struct connection connections[N_CONNECTIONS_MAX];
};

// --- One connection ---

static bool read_more(int socket, char **bytes, size_t *n, size_t *room) {
  if (*room - *n < 4096) *bytes = sp_realloc(*bytes, *room = 2 * *room + 8192);
  ssize_t got = recv(socket, *bytes + *n, *room - *n - 1, 0);
  if (got <= 0) return false;
  *n += (size_t)got;
  (*bytes)[*n] = 0;
  return true;
}

static size_t body_length(const char *head) {
  const char *found = strcasestr(head, "\r\nContent-Length:");
  return found ? strtoul(found + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static void *serve(void *argument) {
  struct connection *connection = argument;
  struct http_exchange exchange = {.server = connection->server, .socket = connection->socket};
  char *bytes = NULL, *body;
  size_t n = 0, room = 0;
  while (!exchange.closes && read_more(exchange.socket, &bytes, &n, &room)) {
    while (!(body = strstr(bytes, "\r\n\r\n"))) {
      if (!read_more(exchange.socket, &bytes, &n, &room)) goto out;
    }
    size_t n_head = (size_t)(body - bytes) + 4, n_body = body_length(bytes);
    while (n < n_head + n_body) {
      if (!read_more(exchange.socket, &bytes, &n, &room)) goto out;
    }
    bytes[n_head - 1] = 0; // the head's last line end
    if (sscanf(bytes, "%7s %511s", exchange.method, exchange.path) != 2) goto out;
    exchange.head = bytes;
    exchange.body = bytes + n_head;
    exchange.n_body = n_body;
    atomic_fetch_add(&connection->server->n_requests, 1);
    connection->server->handler(&exchange, connection->server->context);
    n = 0; // no client here sends a request before the answer to the one before
  }
out:
  free(bytes);
  pthread_mutex_lock(&connection->server->lock);
  close(connection->socket);
  connection->socket = -1;
  pthread_mutex_unlock(&connection->server->lock);
  return NULL;
}

static void *listen_on(void *argument) {
  struct http_server *server = argument;
  for (;;) {
    struct pollfd ready[2] = {{.fd = server->listener, .events = POLLIN},
                              {.fd = server->end[0], .events = POLLIN}};
    poll(ready, 2, -1);
    if (ready[1].revents) return NULL;
    struct sockaddr_storage from;
    socklen_t n_from = sizeof from;
    int socket = accept4(server->listener, (struct sockaddr *)&from, &n_from, SOCK_CLOEXEC);
    if (socket < 0) continue;
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unsigned i = atomic_load(&server->n_connections);
    SP_ASSERT(i < N_CONNECTIONS_MAX);
    server->connections[i] = (struct connection){.server = server, .socket = socket};
    atomic_store(&server->n_connections, i + 1); // before any answer
    pthread_create(&server->connections[i].thread, NULL, serve, &server->connections[i]);
  }
}

// --- The server ---

static void bind_unix(struct http_server *server, const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
  server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SP_ASSERT(bind(server->listener, (struct sockaddr *)&name, sizeof name) == 0);
  snprintf(server->address, sizeof server->address, "unix:%s", path);
}

static void bind_tcp(struct http_server *server) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof name;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SP_ASSERT(bind(server->listener, (struct sockaddr *)&name, sizeof name) == 0);
  getsockname(server->listener, (struct sockaddr *)&name, &n);
  snprintf(server->address, sizeof server->address, "127.0.0.1:%d", (int)ntohs(name.sin_port));
}

struct http_server *http_server_start(const char *unix_path, http_handler handler, void *context) {
  struct http_server *server = sp_alloc(sizeof *server);
  pthread_mutex_init(&server->lock, NULL);
  server->handler = handler;
  server->context = context;
  if (unix_path)
    bind_unix(server, unix_path);
  else
    bind_tcp(server);
  SP_ASSERT(listen(server->listener, 256) == 0 && pipe(server->end) == 0);
  SP_ASSERT(pthread_create(&server->thread, NULL, listen_on, server) == 0);
  return server;
}

void http_server_stop(struct http_server *server) {
  SP_ASSERT(write(server->end[1], "", 1) == 1);
  pthread_join(server->thread, NULL);
  unsigned n = atomic_load(&server->n_connections);
  pthread_mutex_lock(&server->lock);
  for (unsigned i = 0; i < n; i++) {
    if (server->connections[i].socket >= 0) shutdown(server->connections[i].socket, SHUT_RDWR);
  }
  pthread_mutex_unlock(&server->lock);
  for (unsigned i = 0; i < n; i++) pthread_join(server->connections[i].thread, NULL);
  pthread_mutex_destroy(&server->lock);
  close(server->listener);
  close(server->end[0]);
  close(server->end[1]);
  if (strncmp(server->address, "unix:", 5) == 0) unlink(server->address + 5);
  free(server);
}

const char *http_server_address(const struct http_server *server) {
  return server->address;
}
unsigned http_server_connections(const struct http_server *server) {
  return atomic_load(&server->n_connections);
}
unsigned http_server_requests(const struct http_server *server) {
  return atomic_load(&server->n_requests);
}

// --- Answers ---

void http_write(struct http_exchange *exchange, const char *bytes, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t sent = send(exchange->socket, bytes + at, n - at, MSG_NOSIGNAL);
    if (sent <= 0) {
      exchange->closes = true;
      return;
    }
    at += (size_t)sent;
  }
}

void http_answer(struct http_exchange *exchange, int status, const char *extra, const char *body) {
  char *all =
      sp_format("HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
                status, strlen(body), extra, body);
  http_write(exchange, all, strlen(all));
  free(all);
}

void http_wait_for_the_end(struct http_exchange *exchange) {
  struct pollfd ready[2] = {{.fd = exchange->server->end[0], .events = POLLIN}, {.fd = exchange->socket}};
  poll(ready, 2, -1); // the socket: until the client hangs up
  exchange->closes = true;
}
