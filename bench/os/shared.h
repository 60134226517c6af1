// Memory shared with a child and surviving its death: the driver's books live here, so that they sum even
// after kill -9.
#ifndef SP_OS_SHARED_H
#define SP_OS_SHARED_H

#include <stddef.h>

#include "base/err.h"

// Zeroed pages of an anonymous file. What lies in them must hold no pointers: every process maps them
// elsewhere.
struct sp_shared {
  void *data;
  size_t n_bytes;
  int fd;
};

// Makes and maps it; every page is touched, so that memory does not grow (or run out) during a trial. The
// descriptor is close-on-exec: name it in sp_child_options.fds to pass it on. SP_ERR_ENVIRONMENT if there is
// not enough memory.
enum sp_err sp_shared_new(struct sp_shared *shared, const char *name, size_t n_bytes, struct sp_error *error);
// Maps the one that the parent passed as descriptor `fd`, which this takes over; its size is the file's.
enum sp_err sp_shared_open(struct sp_shared *shared, int fd, struct sp_error *error);
// Unmaps, closes. Zeroed is allowed.
void sp_shared_free(struct sp_shared *shared);

#endif
