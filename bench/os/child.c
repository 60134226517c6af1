// A child's life after its start: output, end, accounts.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/printable.h"
#include "os/cpu.h"
#include "os/process.h"
#include "os/procfs.h"

#define LINE_BYTES_MAX       ((size_t)1 << 20)
#define READY_LINE_BYTES_MAX ((size_t)64 << 10)
#define READ_BYTES           ((size_t)16 << 10)
#define LOOK_BYTES_MAX       ((size_t)1 << 20)
#define LOG_BYTES_MAX        ((off_t)16 << 20)
#define LOG_BYTES_KEPT       4096

// --- Output ---

// Appends what can be read now; false if nothing can (*out_fd is -1 after its end).
static bool read_more(struct sp_child *child) {
  if (child->out_fd < 0 || child->n_line - child->n_taken >= LINE_BYTES_MAX) return false;
  if (child->n_read >= LOOK_BYTES_MAX) return false;
  memmove(child->line, child->line + child->n_taken, child->n_line - child->n_taken);
  child->n_line -= child->n_taken;
  child->n_taken = 0;
  child->line = sp_realloc(child->line, child->n_line + READ_BYTES + 1);
  ssize_t n = read(child->out_fd, child->line + child->n_line, READ_BYTES);
  if (n > 0) {
    child->n_line += (size_t)n;
    child->n_read += (size_t)n;
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  close(child->out_fd);
  child->out_fd = -1;
  return false;
}

// Takes the first `n` waiting bytes as a line; `n_end` more are its end.
static const char *take(struct sp_child *child, size_t n, size_t n_end) {
  char *line = child->line + child->n_taken;
  child->n_taken += n + n_end;
  line[n] = '\0'; // over the line end, or the byte that read_more keeps free
  return line;
}

const char *sp_child_next_line(struct sp_child *child) {
  size_t n_looked = 0;
  if (!child->line && child->out_fd < 0) return NULL;
  if (!child->line) child->line = sp_alloc(READ_BYTES + 1);
  for (;;) {
    size_t n_waiting = child->n_line - child->n_taken;
    char *waiting = child->line + child->n_taken;
    char *end = n_waiting > n_looked ? memchr(waiting + n_looked, '\n', n_waiting - n_looked) : NULL;
    if (end) return take(child, (size_t)(end - waiting), 1);
    n_looked = n_waiting;
    if (read_more(child)) continue;
    bool is_last = n_waiting > 0 && (child->out_fd < 0 || n_waiting >= LINE_BYTES_MAX);
    return is_last ? take(child, n_waiting, 0) : NULL;
  }
}

static enum sp_err fail_ready(struct sp_child *child, const char *what, struct sp_error *error) {
  char words[512];
  sp_child_last_words(child, words, sizeof words);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "%s %s before it was ready%s%s", child->name, what,
                 words[0] ? ": " : "", words);
}

// The ready line among the lines waiting, NULL if it is not there; the others are for people.
static const char *find_ready_line(struct sp_child *child) {
  const char *line;
  while ((line = sp_child_next_line(child))) {
    if (line[0] == '{') return line;
    if (line[0]) fprintf(stderr, "%s: %s\n", child->name, line);
  }
  return NULL;
}

enum sp_err sp_child_wait_ready(struct sp_child *child, struct sp_supervisor *supervisor, int64_t timeout_ns,
                                const char **line, struct sp_error *error) {
  int64_t until_ns = sp_now_ns() + timeout_ns;
  for (;;) {
    bool has_ended = sp_child_poll(child); // before its last output is read, so that none is missed
    *line = find_ready_line(child);
    if (*line) return SP_OK;
    char text[128];
    if (has_ended) return fail_ready(child, sp_child_status_text(child, text, sizeof text), error);
    if (child->n_line - child->n_taken > READY_LINE_BYTES_MAX)
      return fail_ready(child, "wrote more than 64 KiB without a line end", error);
    if (supervisor->signal)
      return sp_fail(error, SP_ERR_ENVIRONMENT, "ended by signal %d while %s was starting",
                     supervisor->signal, child->name);
    if (sp_now_ns() >= until_ns) {
      snprintf(text, sizeof text, "said nothing for %.3g s", (double)timeout_ns / 1e9);
      return fail_ready(child, text, error);
    }
    sp_supervisor_wait(supervisor, &child, 1, until_ns);
  }
}

char *sp_child_last_words(const struct sp_child *child, char *text, size_t n) {
  SP_ASSERT(n > 0);
  char tail[2048];
  ssize_t got = -1;
  int fd = child->stderr_file ? open(child->stderr_file, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    off_t end = lseek(fd, 0, SEEK_END), room = (off_t)sizeof tail - 1;
    got = pread(fd, tail, sizeof tail - 1, end > room ? end - room : 0);
    close(fd);
  }
  tail[got > 0 ? got : 0] = '\0';
  size_t length = strlen(tail);
  while (length > 0 && (unsigned char)tail[length - 1] <= ' ') tail[--length] = '\0';
  const char *end_before = strrchr(tail, '\n'), *last = end_before ? end_before + 1 : tail;
  // Plain text may hold escapes already, those of a part of ours: they are not escaped again.
  bool is_plain = true;
  for (const char *c = last; *c; c++) is_plain &= *c >= ' ' && *c < 0x7f;
  char *shown = is_plain ? sp_copy_text(last) : sp_printable(last, strlen(last), n > 4 ? n - 4 : 0);
  snprintf(text, n, "%s", shown);
  free(shown);
  return text;
}

// Whoever writes it appends, so that what comes next stands behind the end that was kept.
void sp_child_trim_log(const struct sp_child *child) {
  struct stat facts;
  char kept[LOG_BYTES_KEPT];
  if (!child->stderr_file || stat(child->stderr_file, &facts) != 0) return;
  if (!S_ISREG(facts.st_mode) || facts.st_size <= LOG_BYTES_MAX) return;
  int fd = open(child->stderr_file, O_RDWR | O_APPEND | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = pread(fd, kept, sizeof kept, facts.st_size - (off_t)sizeof kept);
  if (ftruncate(fd, 0) == 0 && n > 0) (void)!write(fd, kept, (size_t)n);
  close(fd);
}

// --- End ---

// Ended, but still there for its accounts to be read.
static bool is_zombie(const struct sp_child *child) {
  siginfo_t info = {0};
  int failed;
  do failed = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  while (failed && errno == EINTR);
  SP_ASSERT(!failed); // nobody else reaps it
  return info.si_pid == child->pid;
}

bool sp_child_poll(struct sp_child *child) {
  if (child->has_ended || child->pid <= 0) return child->has_ended;
  if (!is_zombie(child)) return false;
  if (!child->shares_group)
    kill(-child->pid, SIGKILL); // before reaping: until then nobody else can get this group's number
  struct rusage usage = {0};
  while (wait4(child->pid, &child->status, 0, &usage) < 0 && errno == EINTR) continue;
  if (child->peak_bytes <= 0) child->peak_bytes = usage.ru_maxrss * 1024;
  child->has_ended = true;
  return true;
}

bool sp_child_signal(struct sp_child *child, int signal) {
  if (child->pid <= 0 || child->has_ended) return false;
  return kill(child->pid, signal) == 0; // not reaped, so the number is still its own
}

bool sp_child_signal_group(struct sp_child *child, int signal) {
  if (child->pid <= 0 || child->has_ended) return false;
  return kill(child->shares_group ? child->pid : -child->pid, signal) == 0;
}

static bool find_living(const struct sp_procfs_stat *stat, void *context) {
  pid_t *group = context;
  if (stat->group != *group || stat->state == 'Z' || stat->state == 'X') return true;
  *group = 0;
  return false;
}

static bool group_lives(pid_t group) {
  sp_procfs_each(find_living, &group);
  return group == 0;
}

bool sp_child_group_lives(const struct sp_child *child) {
  if (child->pid <= 0 || child->has_ended) return false;
  return child->shares_group ? !is_zombie(child) : group_lives(child->pid);
}

// Waits for the child's end or output, at most until_ns and 5 ms (the rest of its group has no descriptor to
// wait for).
static void wait_a_little(struct sp_child *child, int64_t until_ns) {
  struct pollfd fds[2] = {{.fd = is_zombie(child) ? -1 : child->pid_fd, .events = POLLIN},
                          {.fd = child->out_fd, .events = POLLIN}};
  int64_t left_ns = until_ns - sp_now_ns();
  if (left_ns <= 0) return;
  poll(fds, 2, left_ns < 5 * SP_NS_PER_MS ? 1 : 5);
  child->n_read = 0;
  while (sp_child_next_line(child)) continue; // a full pipe would keep it from ending
}

bool sp_child_stop(struct sp_child *child, int64_t grace_ns) {
  if (child->pid <= 0 || child->has_ended) return true;
  int64_t until_ns = sp_now_ns() + grace_ns;
  child->peak_bytes = sp_memory_of(child->pid).peak_bytes;
  if (grace_ns > 0) sp_child_signal_group(child, SIGTERM);
  sp_child_signal_group(child, SIGCONT); // a stopped process takes no signal but SIGKILL
  bool lives = sp_child_group_lives(child);
  while (lives && sp_now_ns() < until_ns) {
    wait_a_little(child, until_ns);
    lives = sp_child_group_lives(child);
  }
  sp_child_signal_group(child, SIGKILL);
  struct pollfd end = {.fd = child->pid_fd, .events = POLLIN};
  while (!sp_child_poll(child)) poll(&end, 1, 100);
  return !lives;
}

void sp_child_free(struct sp_child *child) {
  if (child->pid <= 0) return;
  sp_child_stop(child, 0);
  if (child->pid_fd >= 0) close(child->pid_fd);
  if (child->out_fd >= 0) close(child->out_fd);
  free(child->name);
  free(child->stderr_file);
  free(child->line);
  *child = (struct sp_child){.pid_fd = -1, .out_fd = -1};
}

// --- Accounts ---

char *sp_child_status_text(const struct sp_child *child, char *text, size_t n) {
  if (!child->has_ended) {
    snprintf(text, n, child->pid > 0 ? "is running" : "was not started");
  } else if (WIFSIGNALED(child->status)) {
    int signal_number = WTERMSIG(child->status);
    const char *name = sigdescr_np(signal_number);
    snprintf(text, n, "killed by signal %d (%s)", signal_number, name ? name : "unknown");
  } else {
    snprintf(text, n, "exited with code %d", WEXITSTATUS(child->status));
  }
  return text;
}

int sp_child_exit_code(const struct sp_child *child) {
  if (!child->has_ended) return -1;
  return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) : WEXITSTATUS(child->status);
}
