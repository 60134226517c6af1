// Preloaded before a server that binds every address and cannot be told otherwise (tensorflow_model_server): what it binds is
// loopback. Nothing stands between client and server, as a relay out of a network namespace would.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>

static int next_bind(int fd, const struct sockaddr *address, socklen_t n_address) {
  static int (*bind_of_libc)(int, const struct sockaddr *, socklen_t);
  if (!bind_of_libc) *(void **)&bind_of_libc = dlsym(RTLD_NEXT, "bind");
  return bind_of_libc(fd, address, n_address);
}

// A socket for IPv6 that takes IPv4 too is bound to IPv4's loopback, where clients look for it.
int bind(int fd, const struct sockaddr *address, socklen_t n_address) {
  if (address->sa_family == AF_INET && n_address >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    if (v4.sin_addr.s_addr == htonl(INADDR_ANY)) v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return next_bind(fd, (const struct sockaddr *)&v4, sizeof v4);
  }
  if (address->sa_family == AF_INET6 && n_address >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 v6;
    int is_v6_only = 0;
    socklen_t n = sizeof is_v6_only;
    memcpy(&v6, address, sizeof v6);
    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, &n);
    if (IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr))
      inet_pton(AF_INET6, is_v6_only ? "::1" : "::ffff:127.0.0.1", &v6.sin6_addr);
    return next_bind(fd, (const struct sockaddr *)&v6, sizeof v6);
  }
  return next_bind(fd, address, n_address);
}
