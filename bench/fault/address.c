// Addresses as users write them, to sockets.
#include "fault/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/units.h"

#define UNIX "unix:"

static enum sp_err find_unix(const char *path, struct sp_address *address, struct sp_error *error) {
  struct sockaddr_un *to = (struct sockaddr_un *)&address->socket;
  size_t n = strlen(path);
  if (n == 0 || n >= sizeof to->sun_path) {
    return sp_fail(error, SP_ERR_USAGE, "%s: a unix socket's path has 1 to %zu bytes", address->text,
                   sizeof to->sun_path - 1);
  }
  to->sun_family = AF_UNIX;
  memcpy(to->sun_path, path, n + 1);
  address->n_bytes = sizeof *to;
  return SP_OK;
}

static enum sp_err find_host(const char *host, const char *port, struct sp_address *address,
                             struct sp_error *error) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  struct addrinfo *found = NULL;
  int why = getaddrinfo(host, port, &hints, &found);
  if (why)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: cannot find the host %s (%s)", address->text, host,
                   gai_strerror(why));
  memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
  address->n_bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return SP_OK;
}

enum sp_err sp_address_find(const char *text, struct sp_address *address, struct sp_error *error) {
  *address = (struct sp_address){.text = sp_copy_text(text)};
  if (strncmp(text, UNIX, strlen(UNIX)) == 0) return find_unix(text + strlen(UNIX), address, error);
  const char *colon = strrchr(text, ':');
  uint64_t port;
  if (!colon || colon == text || sp_units_parse_count(colon + 1, &port, NULL) || port > UINT16_MAX)
    return sp_fail(error, SP_ERR_USAGE, "\"%s\" is no address; write HOST:PORT or unix:PATH", text);
  bool is_bracketed = text[0] == '[' && colon[-1] == ']';
  char *host = sp_format("%.*s", (int)(colon - text) - 2 * is_bracketed, text + is_bracketed);
  enum sp_err err = find_host(host, colon + 1, address, error);
  free(host);
  return err;
}

void sp_address_done(struct sp_address *address) {
  free(address->text);
  address->text = NULL;
}

static int new_socket(const struct sp_address *address) {
  return socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static enum sp_err fail_listen(const struct sp_address *address, int fd, struct sp_error *error) {
  int why = errno;
  if (fd >= 0) close(fd);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot listen on %s (%s); %s", address->text, strerror(why),
                 address->socket.ss_family == AF_UNIX ? "remove the file, or take another path"
                                                      : "free it, or use port 0");
}

// Sockets of one port: the one that reserves it, and the one that listens.
static int bind_socket(const struct sp_address *address, int fd) {
  static const int on = 1;
  if (address->socket.ss_family != AF_UNIX &&
      (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0))
    return -1;
  return bind(fd, (const struct sockaddr *)&address->socket, address->n_bytes);
}

static uint16_t *port_of(struct sp_address *address) {
  return address->socket.ss_family == AF_INET ? &((struct sockaddr_in *)&address->socket)->sin_port
                                              : &((struct sockaddr_in6 *)&address->socket)->sin6_port;
}

// Whether somebody listens there: sharing a port with them would go unnoticed.
static bool is_taken(const struct sp_address *address) {
  static const int on = 1;
  int fd = new_socket(address);
  if (fd < 0) return false;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); // not because of connections that have ended
  bool is_free = bind(fd, (const struct sockaddr *)&address->socket, address->n_bytes) == 0;
  int why = errno;
  close(fd);
  errno = why;
  return !is_free && why == EADDRINUSE;
}

enum sp_err sp_address_reserve(struct sp_address *address, int *fd, struct sp_error *error) {
  *fd = -1;
  if (address->socket.ss_family == AF_UNIX) return SP_OK;
  if (*port_of(address) != 0 && is_taken(address)) return fail_listen(address, -1, error);
  char host[INET6_ADDRSTRLEN];
  *fd = new_socket(address);
  if (*fd < 0 || bind_socket(address, *fd) != 0 ||
      getsockname(*fd, (struct sockaddr *)&address->socket, &address->n_bytes) != 0)
    return fail_listen(address, *fd, error);
  uint16_t port = ntohs(*port_of(address));
  getnameinfo((struct sockaddr *)&address->socket, address->n_bytes, host, sizeof host, NULL, 0,
              NI_NUMERICHOST);
  free(address->text);
  address->text = sp_format(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
  return SP_OK;
}

enum sp_err sp_address_listen(const struct sp_address *address, int *fd, struct sp_error *error) {
  *fd = new_socket(address);
  if (*fd < 0 || bind_socket(address, *fd) != 0 || listen(*fd, SOMAXCONN) != 0)
    return fail_listen(address, *fd, error);
  return SP_OK;
}

int sp_address_connect(const struct sp_address *address) {
  static const int on = 1;
  int fd = new_socket(address);
  if (fd < 0) return -1;
  if (address->socket.ss_family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (const struct sockaddr *)&address->socket, address->n_bytes) == 0 || errno == EINPROGRESS)
    return fd;
  int why = errno;
  close(fd);
  errno = why;
  return -1;
}
