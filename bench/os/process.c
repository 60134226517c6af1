// Starting a child: all that may fail or allocate is done before _Fork; between it and execve only
// async-signal-safe calls.
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/procfs.h"

uint64_t sp_process_start_ticks(pid_t pid) {
  struct sp_procfs_stat stat;
  return sp_procfs_stat(pid, &stat) ? stat.start_ticks : 0;
}

const char *sp_process_self(void) {
  static char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  // A file that was replaced by a new build no longer has its name, but can still be started.
  if (n <= 0 || access(path, X_OK) != 0) return "/proc/self/exe";
  path[n] = '\0';
  return path;
}

const char *sp_process_mark(void) {
  static char mark[128];
  static pid_t of;
  if (of == getpid()) return mark;
  of = getpid();
  char boot_id[64];
  sp_procfs_read("/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id);
  snprintf(mark, sizeof mark, "SERVEPATH_OWNER=%d-%llu-%.8s", (int)of,
           (unsigned long long)sp_process_start_ticks(of), boot_id);
  return mark;
}

void sp_process_end_with_parent(pid_t parent, int signal) {
  prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
  if (getppid() != parent) _exit(128 + signal);
}

// --- Before the fork ---

struct launch {
  const struct sp_child_options *options;
  char *file; // argv[0] with its folder
  char **env;
  pid_t parent;
  bool shares_group;
  int in_fd, out_fd, err_fd;       // the child's 0, 1, 2
  int read_fd;                     // our end of its stdout
  int failure_read, failure_write; // closed by a successful execve
};

// What the child tells when a step fails.
struct failure {
  int error_number;
  char step[28];
};

static bool is_program(const char *path) {
  struct stat facts;
  return access(path, X_OK) == 0 && stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

// The file that a shell would start, from malloc; NULL if there is none.
static char *find_program(const char *name) {
  if (strchr(name, '/')) return sp_copy_text(name);
  const char *folders = getenv("PATH");
  char *copy = sp_copy_text(folders ? folders : "/usr/local/bin:/usr/bin:/bin"), *rest = copy, *folder,
       *found = NULL;
  while (!found && (folder = strsep(&rest, ":"))) {
    char *path = sp_format("%s/%s", *folder ? folder : ".", name);
    if (is_program(path)) {
      found = path;
    } else {
      free(path);
    }
  }
  free(copy);
  return found;
}

static bool has_name_of(const char *entry, const char *other) {
  size_t n = strcspn(other, "=");
  return strncmp(entry, other, n) == 0 && entry[n] == '=';
}

// Our environment without what `added` names, then `added`, then the mark. The texts are borrowed.
static char **make_env(const char *const *added) {
  size_t n_ours = 0, n_added = 0, n = 0;
  while (environ[n_ours]) n_ours++;
  while (added && added[n_added]) n_added++;
  char **env = sp_alloc((n_ours + n_added + 2) * sizeof *env);
  for (size_t i = 0; i < n_ours; i++) {
    bool is_replaced = has_name_of(environ[i], sp_process_mark());
    for (size_t j = 0; j < n_added && !is_replaced; j++) is_replaced = has_name_of(environ[i], added[j]);
    if (!is_replaced) env[n++] = environ[i];
  }
  for (size_t j = 0; j < n_added; j++) env[n++] = (char *)(uintptr_t)added[j];
  env[n] = (char *)(uintptr_t)sp_process_mark();
  return env;
}

static void close_open(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void launch_done(struct launch *launch) {
  free(launch->file);
  free(launch->env);
  close_open(&launch->in_fd);
  close_open(&launch->out_fd);
  close_open(&launch->err_fd);
  close_open(&launch->read_fd);
  close_open(&launch->failure_read);
  close_open(&launch->failure_write);
}

static enum sp_err fail_start(const struct launch *launch, const char *step, int error_number,
                              struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot start %s: %s %s: %s", launch->options->name, step,
                 launch->options->argv[0], strerror(error_number));
}

static enum sp_err open_failure(struct launch *launch, struct sp_error *error) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_start(launch, "making a pipe for", errno, error);
  launch->failure_read = ends[0];
  launch->failure_write = ends[1];
  return SP_OK;
}

static enum sp_err open_ends(struct launch *launch, struct sp_error *error) {
  const struct sp_child_options *options = launch->options;
  int ends[2];
  if (options->has_terminal) return open_failure(launch, error);
  launch->in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (launch->in_fd < 0) return fail_start(launch, "opening /dev/null for", errno, error);
  if (options->stderr_file) {
    launch->err_fd = open(options->stderr_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (launch->err_fd < 0)
      return sp_fail(error, SP_ERR_ENVIRONMENT,
                     "cannot start %s: cannot write %s (%s); choose another folder", options->name,
                     options->stderr_file, strerror(errno));
  } else {
    launch->err_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  }
  if (options->reads_stdout) {
    if (pipe2(ends, O_CLOEXEC) != 0) return fail_start(launch, "making a pipe for", errno, error);
    launch->read_fd = ends[0];
    launch->out_fd = ends[1];
    fcntl(launch->read_fd, F_SETFL, O_NONBLOCK);
  }
  return open_failure(launch, error);
}

// Whether this process belongs to a session that has one, in the foreground or not: a shell may change that at any time.
static bool has_terminal(void) {
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static enum sp_err launch_init(struct launch *launch, const struct sp_child_options *options,
                               struct sp_error *error) {
  *launch = (struct launch){.options = options,
                            .parent = getpid(),
                            .shares_group = options->has_terminal && has_terminal(),
                            .in_fd = -1,
                            .out_fd = -1,
                            .err_fd = -1,
                            .read_fd = -1,
                            .failure_read = -1,
                            .failure_write = -1};
  launch->file = find_program(options->argv[0]);
  if (!launch->file)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot start %s: %s is not in PATH; install it, or give its path", options->name,
                   options->argv[0]);
  launch->env = make_env(options->env);
  return open_ends(launch, error);
}

// --- In the child ---

static _Noreturn void give_up(const struct launch *launch, const char *step) {
  struct failure failure = {.error_number = errno};
  memcpy(failure.step, step, strnlen(step, sizeof failure.step - 1));
  (void)!write(launch->failure_write, &failure, sizeof failure);
  _exit(127);
}

static void reset_signals(void) {
  for (int signal_number = 1; signal_number < NSIG; signal_number++) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal_number, &standard,
              NULL); // SIGKILL and SIGSTOP refuse, and have their standard way anyway
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_descriptors(const struct launch *launch) {
  const struct sp_child_options *options = launch->options;
  if (options->has_terminal) return;                                 // what is ours closes by itself
  int err_fd = launch->err_fd >= 0 ? launch->err_fd : launch->in_fd; // we may have no stderr ourselves
  if (dup2(launch->in_fd, STDIN_FILENO) < 0 || dup2(err_fd, STDERR_FILENO) < 0 ||
      dup2(launch->out_fd >= 0 ? launch->out_fd : err_fd, STDOUT_FILENO) < 0)
    give_up(launch, "connecting");
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // whatever a library of ours left open
  for (size_t i = 0; i < options->n_fds; i++) {
    if (fcntl(options->fds[i], F_SETFD, 0) < 0) give_up(launch, "passing a descriptor to");
  }
}

static _Noreturn void become(const struct launch *launch) {
  const struct sp_child_options *options = launch->options;
  if (!launch->shares_group) setpgid(0, 0);
  int end_signal = options->end_with_parent ? options->end_with_parent : SIGKILL;
  prctl(PR_SET_PDEATHSIG, (unsigned long)end_signal, 0UL, 0UL, 0UL);
  if (getppid() != launch->parent) _exit(127); // it ended before we asked
  if (options->cpus && CPU_COUNT(&options->cpus->set) > 0 &&
      sched_setaffinity(0, sizeof options->cpus->set, &options->cpus->set) != 0)
    give_up(launch, "setting processors of");
  if (options->folder && chdir(options->folder) != 0) give_up(launch, "entering the folder of");
  set_descriptors(launch);
  reset_signals();
  execve(launch->file, (char *const *)(uintptr_t)options->argv, launch->env);
  give_up(launch, "running");
}

// --- In the parent ---

// With all signals blocked around it: none of our handlers may run in the child.
static pid_t fork_child(const struct launch *launch) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t pid = _Fork();
  if (pid == 0) become(launch);
  int why = errno;
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = why;
  return pid;
}

// Blocks until the child has become the program, or has said why not.
static enum sp_err await_program(struct launch *launch, pid_t pid, struct sp_error *error) {
  struct failure failure;
  ssize_t n;
  close_open(&launch->failure_write);
  do n = read(launch->failure_read, &failure, sizeof failure);
  while (n < 0 && errno == EINTR);
  if (n != (ssize_t)sizeof failure) return SP_OK;
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return fail_start(launch, failure.step, failure.error_number, error);
}

static void fill(struct sp_child *child, struct launch *launch, pid_t pid) {
  const struct sp_child_options *options = launch->options;
  *child = (struct sp_child){.name = sp_copy_text(options->name),
                             .pid = pid,
                             .shares_group = launch->shares_group,
                             .pid_fd = pidfd_open(pid, 0), // close-on-exec by itself
                             .out_fd = launch->read_fd,
                             .start_ticks = sp_process_start_ticks(pid),
                             .stderr_file = sp_copy_text(options->stderr_file)};
  launch->read_fd = -1;
}

enum sp_err sp_child_start(struct sp_child *child, const struct sp_child_options *options,
                           struct sp_error *error) {
  *child = (struct sp_child){.pid_fd = -1, .out_fd = -1};
  struct launch launch;
  enum sp_err err = launch_init(&launch, options, error);
  pid_t pid = -1;
  if (err == SP_OK) {
    pid = fork_child(&launch);
    if (pid < 0) err = fail_start(&launch, "making a process for", errno, error);
  }
  if (err == SP_OK) err = await_program(&launch, pid, error);
  if (err == SP_OK) fill(child, &launch, pid);
  launch_done(&launch);
  if (err == SP_OK && child->pid_fd < 0) {
    sp_child_free(child);
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "cannot watch %s (%s); Linux 5.3 or later is needed",
                  options->name, strerror(errno));
  }
  return err;
}
