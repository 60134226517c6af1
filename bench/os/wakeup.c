// A request to the kernel's power management, which lasts as long as its file is open.
#include "os/wakeup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DEVICE "/dev/cpu_dma_latency"

enum sp_err sp_wakeup_hold(int64_t latency_ns, int *fd, struct sp_error *error) {
  *fd = -1;
  if (latency_ns < 0) return SP_OK;
  int32_t latency_us = (int32_t)((latency_ns + SP_NS_PER_US - 1) / SP_NS_PER_US);
  errno = EIO; // of a short write
  *fd = open(DEVICE, O_WRONLY | O_CLOEXEC);
  if (*fd >= 0 && write(*fd, &latency_us, sizeof latency_us) == (ssize_t)sizeof latency_us) return SP_OK;
  enum sp_err err = sp_fail(error, SP_ERR_ENVIRONMENT,
                            "wake_latency: cannot ask the kernel for it (" DEVICE
                            ": %s); run as root on the machine itself, or leave wake_latency out",
                            strerror(errno));
  sp_wakeup_release(fd);
  return err;
}

void sp_wakeup_release(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}
