// What the supervisor waits for: signals, ends and outputs, in one poll.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/process.h"
#include "os/procfs.h"

#define LOG_LOOK_MS 100

static void fill_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGHUP);
}

enum sp_err sp_supervisor_init(struct sp_supervisor *supervisor, struct sp_error *error) {
  sigset_t set;
  fill_signals(&set);
  *supervisor = (struct sp_supervisor){.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (supervisor->signal_fd < 0)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot watch signals (%s); look at ulimit -n",
                   strerror(errno));
  supervisor->is_started = true;
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL); // ignored, as some parents leave it, children would reap themselves
  prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
  return SP_OK;
}

static bool kill_marked(const struct sp_procfs_stat *stat, void *context) {
  unsigned *n = context;
  if (stat->parent != getpid() || !sp_procfs_has_env(stat->pid, sp_process_mark())) return true;
  kill(stat->pid, SIGKILL);
  while (waitpid(stat->pid, NULL, 0) < 0 && errno == EINTR) continue;
  ++*n;
  return true;
}

void sp_supervisor_done(struct sp_supervisor *supervisor) {
  if (!supervisor->is_started) return;
  // The orphans of those killed come to us, so once more until none is left.
  unsigned n;
  do {
    n = 0;
    sp_procfs_each(kill_marked, &n);
  } while (n > 0);
  close(supervisor->signal_fd);
  sigset_t set;
  fill_signals(&set);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
  supervisor->is_started = false;
}

static bool take_signals(struct sp_supervisor *supervisor) {
  struct signalfd_siginfo info;
  bool any = false;
  while (read(supervisor->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
    if (!supervisor->signal) supervisor->signal = (int)info.ssi_signo;
    supervisor->last_signal = (int)info.ssi_signo;
    supervisor->is_from_terminal = info.ssi_code == SI_KERNEL;
    supervisor->n_signals++;
    any = true;
  }
  return any;
}

static int milliseconds_until(int64_t until_ns) {
  if (until_ns < 0) return -1;
  int64_t left_ns = until_ns - sp_now_ns();
  if (left_ns <= 0) return 0;
  int64_t left_ms = (left_ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS; // rounded up, or the last one would spin
  return left_ms < 3600000 ? (int)left_ms : 3600000;
}

static int look_milliseconds(struct sp_child *const *children, size_t n_children, int64_t until_ns) {
  int left_ms = milliseconds_until(until_ns);
  for (size_t i = 0; i < n_children; i++) {
    struct sp_child *child = children[i];
    if (!child || child->pid <= 0) continue;
    child->n_read = 0;
    if (!child->stderr_file) continue;
    sp_child_trim_log(child);
    if (left_ms < 0 || left_ms > LOG_LOOK_MS) left_ms = LOG_LOOK_MS;
  }
  return left_ms;
}

// Fills fds: the signals, then two for each child.
static void watch(const struct sp_supervisor *supervisor, struct sp_child *const *children, size_t n_children,
                  struct pollfd *fds) {
  fds[0] = (struct pollfd){.fd = supervisor->signal_fd, .events = POLLIN};
  for (size_t i = 0; i < n_children; i++) {
    const struct sp_child *child = children[i];
    bool is_started = child && child->pid > 0;
    fds[1 + 2 * i] =
        (struct pollfd){.fd = is_started && !child->has_ended ? child->pid_fd : -1, .events = POLLIN};
    fds[2 + 2 * i] = (struct pollfd){.fd = is_started ? child->out_fd : -1, .events = POLLIN};
  }
}

unsigned sp_supervisor_wait(struct sp_supervisor *supervisor, struct sp_child *const *children,
                            size_t n_children, int64_t until_ns) {
  nfds_t n_fds = 1 + 2 * n_children;
  struct pollfd *fds = sp_alloc(n_fds * sizeof *fds);
  unsigned woken = SP_WAKE_TIMEOUT;
  for (;;) {
    watch(supervisor, children, n_children, fds);
    int n = poll(fds, n_fds, look_milliseconds(children, n_children, until_ns));
    if (n < 0 && errno == EINTR) continue;
    if (n > 0 && fds[0].revents && take_signals(supervisor)) woken |= SP_WAKE_SIGNAL;
    for (size_t i = 0; n > 0 && i < n_children; i++) {
      if (fds[1 + 2 * i].revents && sp_child_poll(children[i])) woken |= SP_WAKE_ENDED;
      if (fds[2 + 2 * i].revents) woken |= SP_WAKE_OUTPUT;
    }
    if (woken || (until_ns >= 0 && sp_now_ns() >= until_ns)) break;
  }
  free(fds);
  return woken;
}
