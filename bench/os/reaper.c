// Sweeps after this process, should it be killed. Forked, not started as a program of its own: nothing has to be
// loaded, and the parent has one thread.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/files.h"

// The parent's descriptors are let go of: its lock, which says that it lives, and what others wait for the end of.
static void let_go(int keep_fd) {
  int null_fd = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; fd++) dup2(null_fd, fd);
  if (keep_fd > 3) close_range(3, (unsigned)keep_fd - 1, 0);
  close_range((unsigned)keep_fd + 1, ~0U, 0);
}

// The pipe may be closed a moment before the lock is free.
static void sweep_until_gone(const char *folder) {
  struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  for (int i = 0; i < 300 && access(folder, F_OK) == 0; i++) {
    sp_run_dir_sweep();
    nanosleep(&pause, NULL);
  }
}

static _Noreturn void watch_parent(int fd, const char *folder) {
  char stop;
  ssize_t n;
  setsid(); // a signal to the parent's group is not for it
  prctl(PR_SET_NAME, "servepath-reap", 0UL, 0UL, 0UL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  let_go(fd);
  do n = read(fd, &stop, 1);
  while (n < 0 && errno == EINTR);
  if (n == 0) sweep_until_gone(folder);
  _exit(0);
}

void sp_reaper_start(struct sp_reaper *reaper, const char *folder) {
  int ends[2];
  *reaper = (struct sp_reaper){.pipe_fd = -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  if (ends[0] < 3) { // our own standard descriptors are closed: not worth the care
    close(ends[0]);
    close(ends[1]);
    return;
  }
  reaper->pid = _Fork();
  if (reaper->pid == 0) watch_parent(ends[0], folder);
  close(ends[0]);
  if (reaper->pid > 0)
    reaper->pipe_fd = ends[1];
  else
    close(ends[1]);
}

void sp_reaper_stop(struct sp_reaper *reaper) {
  if (reaper->pid <= 0) return;
  (void)!write(reaper->pipe_fd, "", 1);
  close(reaper->pipe_fd);
  while (waitpid(reaper->pid, NULL, 0) < 0 && errno == EINTR) continue;
  *reaper = (struct sp_reaper){.pipe_fd = -1};
}
