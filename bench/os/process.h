// Child processes of a single-threaded supervisor: started apart (own process group, own processors, ended
// with their parent), watched by descriptors, ended with a grace period, and accounted for until they are
// reaped.
//
// Started by _Fork + execve, not posix_spawn: like posix_spawn it runs no atfork handler (gRPC registers
// some), and unlike it the child can ask to be ended with its parent (PR_SET_PDEATHSIG) and take its
// processors before the new program's first instruction, so both hold for foreign commands and before any
// library starts a thread. Between the two only async-signal-safe calls are made.
#ifndef SP_OS_PROCESS_H
#define SP_OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/affinity.h"

// --- What the supervisor waits for ---

// One per process; single-threaded. Blocks SIGINT, SIGTERM, SIGHUP (they arrive by signalfd), ignores
// SIGPIPE, and adopts orphans of its children, so that a grandchild that left its group is found too.
struct sp_supervisor {
  bool is_started;
  int signal_fd;
  bool is_from_terminal; // the last one: the terminal sent it, to all of its foreground group
  int signal;            // the first SIGINT, SIGTERM or SIGHUP seen; 0: none. Exit code then: 128 + signal
  int last_signal;       // the last one
  unsigned n_signals;    // how many: the second means "now"
};
// Before any thread exists. SP_ERR_ENVIRONMENT if descriptors ran out.
enum sp_err sp_supervisor_init(struct sp_supervisor *supervisor, struct sp_error *error);
// After every sp_child_free: kills and reaps what is still ours, children and adopted orphans that carry our
// mark (see sp_process_mark); lets the signals through again. Zeroed is allowed.
void sp_supervisor_done(struct sp_supervisor *supervisor);

// --- A child ---

struct sp_child_options {
  const char *name;        // for messages: "model server"
  const char *const *argv; // argv[0] without a slash is looked up in PATH; ends with NULL
  const char *const *env;  // "NAME=value" laid over this process's environment, ends with NULL; NULL: nothing
  const char *folder;      // working directory; NULL: inherited
  const struct sp_cpus *cpus; // NULL or empty: inherited
  const int *fds;             // descriptors that the child keeps under their numbers (see os/shared.h)
  size_t n_fds;
  bool reads_stdout; // a pipe, for sp_child_wait_ready and sp_child_next_line; else stdout goes to our stderr
  // Appended to, and its last line quoted when the child fails; NULL: our stderr. sp_supervisor_wait cuts it
  // down to its end whenever it has more than 16 MiB, so that a flood of it does not fill the disk.
  const char *stderr_file;
  // A user's own command: stdin, stdout, stderr and every other descriptor that we were given are its own too,
  // and where there is a controlling terminal it stays in our process group, so that it may read from there and
  // Ctrl-C reaches it. What it leaves running in our group is found by its mark (sp_supervisor_done).
  // reads_stdout and stderr_file are not for it.
  bool has_terminal;
  int end_with_parent; // signal that the child gets when this process ends; 0: SIGKILL
};

struct sp_child {
  char *name;
  pid_t pid;            // also its process group, if it has one; 0: not started or already freed
  bool shares_group;    // ours: has_terminal, and there is one
  int pid_fd;           // readable once it has ended
  int out_fd;           // its stdout, -1: not read or at its end
  uint64_t start_ticks; // of /proc/PID/stat: with pid, names this process for ever (see os/files.h)
  bool has_ended;
  int status; // of waitpid, once ended
  // Once ended: its largest resident set, within about 0.2 MiB (the kernel's counters). Where it ended before
  // sp_child_stop, by rusage, which is never less than our own size when it was started.
  int64_t peak_bytes;
  char *stderr_file;
  char *line; // bytes of stdout not yet taken
  size_t n_line;
  size_t n_taken;
  size_t n_read; // since the last sp_supervisor_wait
};

// Zeroes and fills *child. SP_ERR_ENVIRONMENT naming the command and the step that failed (not found, not
// executable, …); then nothing was started and *child needs no free.
enum sp_err sp_child_start(struct sp_child *child, const struct sp_child_options *options,
                           struct sp_error *error);

// Waits for the line that says a part is ready: the first line of its stdout that starts with '{'; lines
// before it go to our stderr. *line belongs to the child, valid until the next call on it. SP_ERR_ENVIRONMENT
// if it ends first (with how, and the last line of its stderr_file), is silent for timeout_ns, or writes more
// than 64 KiB without a line end. On SIGINT or SIGTERM: SP_ERR_ENVIRONMENT with supervisor->signal set.
enum sp_err sp_child_wait_ready(struct sp_child *child, struct sp_supervisor *supervisor, int64_t timeout_ns,
                                const char **line, struct sp_error *error);

// The next complete line of its stdout without line end, NULL if there is none now. Never blocks. Valid until
// the next call on this child. Lines above 1 MiB are cut into pieces. Reads at most 1 MiB between two calls of
// sp_supervisor_wait, so that a child that never stops writing keeps nobody from looking at anything else.
const char *sp_child_next_line(struct sp_child *child);

// Why sp_supervisor_wait returned; several may hold at once.
enum sp_wake {
  SP_WAKE_TIMEOUT = 0,
  SP_WAKE_SIGNAL = 1, // supervisor->signal, n_signals
  SP_WAKE_ENDED = 2,  // some child's has_ended turned true
  SP_WAKE_OUTPUT = 4, // some child has output: take it with sp_child_next_line until NULL
};
// Blocks until a signal, the end or output of a child, or until_ns (sp_now_ns; negative: for ever). Returns
// flags of enum sp_wake. Looks at the logs of the children in between. Children that were never started or have ended are allowed in the list.
unsigned sp_supervisor_wait(struct sp_supervisor *supervisor, struct sp_child *const *children,
                            size_t n_children, int64_t until_ns);

// Reaps it if it has ended, and kills what is left of its process group; does not block. Returns has_ended.
bool sp_child_poll(struct sp_child *child);
// Signal to the child alone (SIGSTOP, SIGTERM, …); false if it has ended.
bool sp_child_signal(struct sp_child *child, int signal);
// Signal to all of its process group; to the child alone where it shares ours.
bool sp_child_signal_group(struct sp_child *child, int signal);
// Whether anything of its process group lives; the child alone where it shares ours. A child that has ended and
// was not yet seen to (sp_child_poll) may have left some.
bool sp_child_group_lives(const struct sp_child *child);
// Ends it and its process group: SIGTERM (and SIGCONT), up to grace_ns for all of the group, then SIGKILL;
// reaps it. Blocks; its output meanwhile is dropped. Nothing if it has ended or was never started. Returns
// true if SIGTERM was enough.
bool sp_child_stop(struct sp_child *child, int64_t grace_ns);
// sp_child_stop with no grace if it runs, then closes and frees what *child holds (not the struct). Zeroed is
// allowed.
void sp_child_free(struct sp_child *child);

// "exited with code 3", "killed by signal 9 (Killed)", "is running" into text; returns text.
char *sp_child_status_text(const struct sp_child *child, char *text, size_t n);
// Its exit code as a shell gives it (128 + signal), -1 while it runs.
int sp_child_exit_code(const struct sp_child *child);
// The last non-empty line of stderr_file (printable, cut) into text, "" if none; returns text.
char *sp_child_last_words(const struct sp_child *child, char *text, size_t n);

// Cuts its stderr_file down to its end where it has grown too large.
void sp_child_trim_log(const struct sp_child *child);

// --- In a child of ours ---

// This program's own file, for argv[0] of children that are verbs of it. Static memory.
const char *sp_process_self(void);
// Asks for `signal` when `parent` ends; ends this process at once if it has already. For parts that something
// other than sp_child_start started.
void sp_process_end_with_parent(pid_t parent, int signal);
// "SERVEPATH_OWNER=…": in the environment of every process that this one starts, and of theirs; no other
// process of this machine has or had the same. Static memory.
const char *sp_process_mark(void);
// Start time of a process in ticks since boot (field 22 of /proc/PID/stat), 0 if there is none.
uint64_t sp_process_start_ticks(pid_t pid);

#endif
