// Shared memory by memfd_create: no name in any file system, so nothing is left behind.
#include "os/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum sp_err map(struct sp_shared *shared, struct sp_error *error) {
  shared->data =
      mmap(NULL, shared->n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, shared->fd, 0);
  if (shared->data != MAP_FAILED) return SP_OK;
  int why = errno;
  shared->data = NULL;
  sp_shared_free(shared);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot map shared memory (%s); free some memory", strerror(why));
}

enum sp_err sp_shared_new(struct sp_shared *shared, const char *name, size_t n_bytes,
                          struct sp_error *error) {
  SP_ASSERT(n_bytes > 0);
  *shared = (struct sp_shared){.n_bytes = n_bytes, .fd = memfd_create(name, MFD_CLOEXEC)};
  // Allocated now: a page that could not be had later would be a SIGBUS in the middle of a trial.
  int failed = shared->fd < 0 ? errno : posix_fallocate(shared->fd, 0, (off_t)n_bytes);
  if (failed == 0) return map(shared, error);
  sp_shared_free(shared);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot get %zu bytes of shared memory for %s (%s); free some memory", n_bytes, name,
                 strerror(failed));
}

enum sp_err sp_shared_open(struct sp_shared *shared, int fd, struct sp_error *error) {
  struct stat facts = {0};
  *shared = (struct sp_shared){.fd = fd};
  bool is_open = fstat(fd, &facts) == 0;
  if (!is_open || facts.st_size <= 0) {
    const char *why = is_open ? "it is empty" : strerror(errno);
    shared->fd = -1;
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "descriptor %d is no shared memory (%s); only the supervisor starts this part", fd, why);
  }
  shared->n_bytes = (size_t)facts.st_size;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return map(shared, error);
}

void sp_shared_free(struct sp_shared *shared) {
  if (shared->data) munmap(shared->data, shared->n_bytes);
  if (shared->n_bytes && shared->fd >= 0) close(shared->fd);
  *shared = (struct sp_shared){.fd = -1};
}
