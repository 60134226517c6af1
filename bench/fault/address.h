// Where the relay listens and where it connects to: TCP and unix sockets that never block.
#ifndef SP_FAULT_ADDRESS_H
#define SP_FAULT_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

struct sp_address {
  char *text; // as given, or with the real port; for messages
  struct sockaddr_storage socket;
  socklen_t n_bytes;
};

// "HOST:PORT", "[HOST]:PORT" or "unix:PATH". Looks the host up, which may block. SP_ERR_USAGE: none of these;
// SP_ERR_ENVIRONMENT: nobody knows the host.
enum sp_err sp_address_find(const char *text, struct sp_address *address, struct sp_error *error);
void sp_address_done(struct sp_address *address); // zeroed is allowed

// Keeps a port as ours while nobody listens on it, and finds out the one given for 0: a bound TCP socket, into *fd (-1 for unix).
enum sp_err sp_address_reserve(struct sp_address *address, int *fd, struct sp_error *error);
// A listening socket into *fd; several may share a reserved port.
enum sp_err sp_address_listen(const struct sp_address *address, int *fd, struct sp_error *error);
// A socket that is connected or under way to be; -1 with errno where that fails at once.
int sp_address_connect(const struct sp_address *address);

#endif
