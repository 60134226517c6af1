// Two questions, each on a connection of its own: HTTP/2's preface, and TLS's first message.
#include "rpc/probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define N_SAID 9 // a frame's head in HTTP/2

static int remaining_ms(int64_t deadline_ns) {
  int64_t left_ns = deadline_ns - sp_now_ns();
  return left_ns <= 0 ? 0 : (int)((left_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS);
}

static int connect_within(int family, const struct sockaddr *name, socklen_t length, int64_t deadline_ns) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  int error_number = 0;
  socklen_t n = sizeof error_number;
  if (connect(fd, name, length) == 0) return fd;
  // A unix socket that is not there fails at once, and polls as if it were ready.
  if (errno == EINPROGRESS &&
      (poll(&ready, 1, remaining_ms(deadline_ns)) == 1 &&
       getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &n) == 0 && error_number == 0))
    return fd;
  close(fd);
  return -1;
}

static int connect_unix(const char *path, int64_t deadline_ns) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  return connect_within(AF_UNIX, (struct sockaddr *)&name, sizeof name, deadline_ns);
}

static int connect_to(const char *address, int64_t deadline_ns) {
  if (strncmp(address, "unix:", 5) == 0) return connect_unix(address + 5, deadline_ns);
  char host[256];
  const char *colon = strrchr(address, ':');
  bool has_brackets = address[0] == '[';
  snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * has_brackets, address + has_brackets);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return -1;
  int fd = -1;
  for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
    fd = connect_within(at->ai_family, at->ai_addr, at->ai_addrlen, deadline_ns);
  freeaddrinfo(found);
  return fd;
}

// The first bytes that it answers `question` with; -1 without a connection, 0 where it says nothing.
static ssize_t ask(const char *address, const void *question, size_t n_question, uint8_t said[N_SAID],
                   int64_t timeout_ns) {
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  int fd = connect_to(address, deadline_ns);
  if (fd < 0) return -1;
  ssize_t n = 0;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  if (send(fd, question, n_question, MSG_NOSIGNAL) == (ssize_t)n_question) {
    while (n < N_SAID && poll(&ready, 1, remaining_ms(deadline_ns)) == 1) {
      ssize_t more = recv(fd, said + n, (size_t)(N_SAID - n), 0);
      if (more <= 0) break;
      n += more;
    }
  }
  close(fd);
  return n;
}

// A ClientHello that any server of TLS answers with its own: some end the connection without a word where nothing offered
// suits them. Format: RFC 8446, section 4.1.2.
// clang-format off
static const uint8_t hello[] = {
    0x16, 3, 1, 0, 147, 1, 0, 0, 143, // a record, of one handshake message: ClientHello
    3, 3, [43] = 0,                   // TLS 1.2, 32 bytes that should be random, no session
    0, 14, 0x13, 0x01, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0, 0x9c, 0, 0x9d, // ciphers, with AES
    1, 0, 0, 88,                      // no compression; extensions:
    0, 0x10, 0, 5, 0, 3, 2, 'h', '2', // ALPN
    0, 0x0a, 0, 6, 0, 4, 0, 0x1d, 0, 0x17, // groups: x25519, P-256
    0, 0x0d, 0, 14, 0, 12, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, // signatures: ECDSA, RSA
    0, 0x2b, 0, 5, 4, 3, 4, 3, 3,     // versions 1.3, 1.2
    0, 0x33, 0, 38, 0, 36, 0, 0x1d, 0, 32, 9, [151] = 0, // a share of x25519: its base point
};
// clang-format on

enum sp_probe sp_probe(const char *address, int64_t timeout_ns) {
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0"; // then empty SETTINGS
  uint8_t said[N_SAID] = {0};
  ssize_t n = ask(address, preface, sizeof preface, said, timeout_ns);
  if (n < 0) return SP_PROBE_NOTHING;
  if (n >= 5 && memcmp(said, "HTTP/", 5) == 0) return SP_PROBE_HTTP1;
  if (n == N_SAID && said[3] == 4 && !(said[5] | said[6] | said[7] | said[8])) return SP_PROBE_HTTP2;
  if (n >= 2 && said[0] == 0x15 && said[1] == 3) return SP_PROBE_TLS;
  if (n > 0) return SP_PROBE_OTHER;
  n = ask(address, hello, sizeof hello, said, timeout_ns);
  return n >= 2 && (said[0] == 0x15 || said[0] == 0x16) && said[1] == 3 ? SP_PROBE_TLS : SP_PROBE_SILENT;
}
