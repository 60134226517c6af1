// Children for real: this program starts itself and foreign commands, ends them in every way, and looks who is left.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "os/cpu.h"
#include "os/files.h"
#include "os/process.h"
#include "os/procfs.h"
#include "os/shared.h"

#define MS      SP_NS_PER_MS
#define LONG_NS (20 * SP_NS_PER_S) // "it never happens"; nothing waits so long when all is well

#define COUNTERS_BYTES (1 << 20) // the kernel counts pages per processor and sums them now and then

static struct sp_supervisor supervisor;
static char folder[] = "/tmp/sp-test-os-XXXXXX";

static void start(struct sp_child *child, struct sp_child_options options) {
  struct sp_error error = {0};
  if (!options.name) options.name = "part";
  if (sp_child_start(child, &options, &error) != SP_OK) fail_msg("%s", error.text);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SELF(...) ARGV(sp_process_self(), __VA_ARGS__)

static const char *ready(struct sp_child *child) {
  struct sp_error error = {0};
  const char *line;
  if (sp_child_wait_ready(child, &supervisor, LONG_NS, &line, &error) != SP_OK) fail_msg("%s", error.text);
  return line;
}

static const char *await_line(struct sp_child *child) {
  const char *line;
  while (!(line = sp_child_next_line(child)) && child->out_fd >= 0)
    sp_supervisor_wait(&supervisor, &child, 1, sp_now_ns() + LONG_NS);
  return line ? line : sp_child_next_line(child);
}

static void await_end(struct sp_child *child) {
  while (!sp_child_poll(child)) sp_supervisor_wait(&supervisor, &child, 1, sp_now_ns() + LONG_NS);
}

static bool is_alive(pid_t pid) {
  struct sp_procfs_stat stat;
  return sp_procfs_stat(pid, &stat) && stat.state != 'Z' && stat.state != 'X';
}

static void await_gone(pid_t pid) {
  int64_t until_ns = sp_now_ns() + LONG_NS;
  while (is_alive(pid)) {
    assert_true(sp_now_ns() < until_ns);
    usleep(1000);
  }
}

static void test_ready_line_and_lines_after(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){
                    .argv = ARGV("sh", "-c", "echo '{\"ready\":true}'; echo; printf 'two\\nlast'; exit 7"),
                    .reads_stdout = true});
  assert_string_equal(ready(&child), "{\"ready\":true}");
  assert_string_equal(await_line(&child), "");
  assert_string_equal(await_line(&child), "two");
  assert_string_equal(await_line(&child), "last");
  assert_null(await_line(&child));
  await_end(&child);
  char text[64];
  assert_string_equal(sp_child_status_text(&child, text, sizeof text), "exited with code 7");
  assert_int_equal(sp_child_exit_code(&child), 7);
  sp_child_free(&child);
}

static void expect_not_ready(const char *script, int64_t timeout_ns, const char *message) {
  struct sp_child child;
  struct sp_error error = {0};
  const char *line;
  char *log = sp_format("%s/log", folder);
  start(&child, (struct sp_child_options){.name = "the server",
                                          .argv = ARGV("sh", "-c", script),
                                          .reads_stdout = true,
                                          .stderr_file = log});
  assert_int_equal(sp_child_wait_ready(&child, &supervisor, timeout_ns, &line, &error), SP_ERR_ENVIRONMENT);
  assert_null(line);
  assert_string_equal(error.text, message);
  sp_child_free(&child);
  unlink(log);
  free(log);
}

static void test_a_part_that_is_never_ready(void **state) {
  (void)state;
  expect_not_ready("echo first >&2; echo 'port taken' >&2; exit 3", LONG_NS,
                   "the server exited with code 3 before it was ready: port taken");
  expect_not_ready("kill -9 $$", LONG_NS, "the server killed by signal 9 (Killed) before it was ready");
  expect_not_ready("sleep 1000", 20 * MS, "the server said nothing for 0.02 s before it was ready");
  expect_not_ready("printf '%0100000d'; sleep 1000", LONG_NS,
                   "the server wrote more than 64 KiB without a line end before it was ready");
}

static void expect_no_start(const char *const *argv, const char *in_folder, const char *part) {
  struct sp_child child;
  struct sp_error error = {0};
  struct sp_child_options options = {.name = "the app", .argv = argv, .folder = in_folder};
  assert_int_equal(sp_child_start(&child, &options, &error), SP_ERR_ENVIRONMENT);
  if (!strstr(error.text, part)) fail_msg("%s", error.text);
  assert_int_equal(child.pid, 0);
  sp_child_free(&child);
}

static void test_a_command_that_cannot_start(void **state) {
  (void)state;
  expect_no_start(ARGV("no-such-command-anywhere"), NULL,
                  "cannot start the app: no-such-command-anywhere is not in PATH; ");
  expect_no_start(ARGV("/no/such/file"), NULL, "running /no/such/file: No such file");
  expect_no_start(ARGV("/etc/passwd"), NULL, "running /etc/passwd: Permission denied");
  expect_no_start(ARGV("true"), "/no/such/folder", "entering the folder of true: No such file");
}

static void test_environment_folder_and_descriptors(void **state) {
  (void)state;
  struct sp_shared shared;
  assert_int_equal(sp_shared_new(&shared, "test", 8192, NULL), SP_OK);
  ((char *)shared.data)[8191] = 'x';
  char fd_text[16];
  snprintf(fd_text, sizeof fd_text, "%d", shared.fd);
  setenv("SP_TEST", "ours", 1);
  struct sp_child child;
  start(&child, (struct sp_child_options){.argv = SELF("describe", fd_text),
                                          .env = ARGV("SP_TEST=theirs"),
                                          .folder = "/",
                                          .fds = &shared.fd,
                                          .n_fds = 1,
                                          .reads_stdout = true});
  assert_string_equal(ready(&child), "{theirs in / reads x");
  char group[32];
  snprintf(group, sizeof group, "group %d", (int)child.pid);
  assert_string_equal(await_line(&child), group);
  assert_string_equal(await_line(&child), "no other descriptor");
  assert_string_equal(await_line(&child), "no signal blocked or ignored");
  assert_string_equal(await_line(&child), "sees y");
  assert_int_equal(((volatile char *)shared.data)[0], 'y'); // written before it ended
  await_end(&child);
  sp_child_free(&child);
  sp_shared_free(&shared);
}

// A user's own command has every descriptor that we have, and our group only where there is a terminal to read from.
static void test_a_command_with_our_descriptors(void **state) {
  (void)state;
  struct sp_child child;
  int in[2] = {-1, -1}, out[2] = {-1, -1}, saved = dup(STDIN_FILENO),
      tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  char script[64];
  assert_true(pipe(in) == 0 && pipe(out) == 0);
  assert_int_equal(write(in[1], "ab", 2), 2);
  dup2(in[0], STDIN_FILENO);
  snprintf(script, sizeof script, "x=$(head -c 2); echo \"$x\" >&%d; exec sleep 1000", out[1]);
  start(&child, (struct sp_child_options){.argv = ARGV("sh", "-c", script), .has_terminal = true});
  dup2(saved, STDIN_FILENO);
  char said[4] = "";
  for (size_t n = 0; n < 3;) {
    ssize_t got = read(out[0], said + n, 3 - n);
    assert_true(got > 0);
    n += (size_t)got;
  }
  assert_string_equal(said, "ab\n");
  assert_int_equal(child.shares_group, tty >= 0);
  assert_int_equal(getpgid(child.pid), tty >= 0 ? getpgrp() : child.pid);
  assert_true(sp_child_signal_group(&child, SIGTERM));
  await_end(&child);
  assert_int_equal(sp_child_exit_code(&child), 128 + SIGTERM);
  assert_false(sp_child_signal_group(&child, SIGTERM));
  sp_child_free(&child);
  for (int i = 0; i < 2; i++) {
    close(in[i]);
    close(out[i]);
  }
  close(saved);
  if (tty >= 0) close(tty);
}

static void test_processors_hold_from_the_start(void **state) {
  (void)state;
  struct sp_cpus allowed, one;
  sp_cpus_allowed(&allowed);
  one = sp_cpus_one(sp_cpus_nth(&allowed, sp_cpus_count(&allowed) - 1));
  char expected[64] = "Cpus_allowed_list:\t";
  sp_cpus_text(&one, expected + strlen(expected), sizeof expected - strlen(expected));
  struct sp_child child;
  start(&child, (struct sp_child_options){.argv = ARGV("grep", "Cpus_allowed_list", "/proc/self/status"),
                                          .cpus = &one,
                                          .reads_stdout = true});
  assert_string_equal(await_line(&child), expected);
  sp_child_free(&child);
}

static void test_stop_with_grace_and_without(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){
                    .argv = ARGV("sh", "-c", "trap 'exit 5' TERM; echo '{'; while :; do sleep 0.01; done"),
                    .reads_stdout = true});
  ready(&child);
  assert_true(sp_child_stop(&child, LONG_NS));
  assert_int_equal(sp_child_exit_code(&child), 5);
  sp_child_free(&child);

  start(&child, (struct sp_child_options){
                    .argv = ARGV("sh", "-c", "trap '' TERM; echo '{'; while :; do sleep 0.01; done"),
                    .reads_stdout = true});
  ready(&child);
  assert_false(sp_child_stop(&child, 50 * MS));
  assert_int_equal(sp_child_exit_code(&child), 128 + SIGKILL);
  sp_child_free(&child);

  start(&child, (struct sp_child_options){.argv = ARGV("sleep", "1000")});
  assert_true(sp_child_signal(&child, SIGSTOP)); // a stopped child must be woken to end
  struct sp_procfs_stat stat = {0};
  while (stat.state != 'T') assert_true(sp_procfs_stat(child.pid, &stat));
  int64_t peak_bytes = sp_memory_of(child.pid).peak_bytes;
  assert_true(sp_child_stop(&child, LONG_NS));
  assert_true(llabs(child.peak_bytes - peak_bytes) < COUNTERS_BYTES);
  assert_int_equal(sp_child_exit_code(&child), 128 + SIGTERM);
  assert_false(sp_child_signal(&child, SIGTERM));
  sp_child_free(&child);
}

// A child that fills its pipe while it ends would never end if nobody read.
static void test_stop_reads_the_last_words(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){
                    .argv = ARGV(
                        "sh", "-c",
                        "trap \"printf '%0900000d' 1; exit 0\" TERM; echo '{'; while :; do sleep 0.01; done"),
                    .reads_stdout = true});
  ready(&child);
  assert_true(sp_child_stop(&child, LONG_NS));
  assert_int_equal(sp_child_exit_code(&child), 0);
  sp_child_free(&child);
}

static void test_a_group_ends_with_its_leader(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){.argv = ARGV("sh", "-c", "sleep 1000 & echo \"{$!\"; wait"),
                                          .reads_stdout = true});
  pid_t grandchild = (pid_t)strtol(ready(&child) + 1, NULL, 10);
  assert_true(is_alive(grandchild));
  sp_child_signal(&child, SIGKILL);
  await_end(&child);
  await_gone(grandchild);
  sp_child_free(&child);
}

static void test_several_are_watched_at_once(void **state) {
  (void)state;
  struct sp_child a, b, none = {0};
  start(&a, (struct sp_child_options){.argv = ARGV("cat", "/dev/null")});
  start(&b,
        (struct sp_child_options){.argv = ARGV("sh", "-c", "echo out; sleep 1000"), .reads_stdout = true});
  struct sp_child *children[] = {&a, &none, &b};
  unsigned seen = 0;
  while (seen != (SP_WAKE_ENDED | SP_WAKE_OUTPUT)) {
    unsigned woken = sp_supervisor_wait(&supervisor, children, 3, sp_now_ns() + LONG_NS);
    assert_true(woken != SP_WAKE_TIMEOUT);
    if (woken & SP_WAKE_OUTPUT) assert_string_equal(sp_child_next_line(&b), "out");
    seen |= woken;
  }
  assert_true(a.has_ended && !b.has_ended);
  int64_t until_ns = sp_now_ns() + 3 * MS;
  assert_int_equal(sp_supervisor_wait(&supervisor, children, 3, until_ns), SP_WAKE_TIMEOUT);
  assert_true(sp_now_ns() >= until_ns);
  sp_child_free(&a);
  sp_child_free(&b);
}

static void test_signals_arrive_by_descriptor(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){.argv = ARGV("sleep", "1000"), .reads_stdout = true});
  kill(getpid(), SIGINT);
  struct sp_child *children[] = {&child};
  assert_int_equal(sp_supervisor_wait(&supervisor, children, 1, -1), SP_WAKE_SIGNAL);
  kill(getpid(), SIGTERM);
  assert_int_equal(sp_supervisor_wait(&supervisor, children, 1, -1), SP_WAKE_SIGNAL);
  assert_int_equal(supervisor.signal, SIGINT);
  assert_int_equal(supervisor.n_signals, 2);
  struct sp_error error;
  const char *line;
  assert_int_equal(sp_child_wait_ready(&child, &supervisor, LONG_NS, &line, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "ended by signal 2"));
  supervisor.signal = 0;
  supervisor.n_signals = 0;
  sp_child_free(&child);
}

static void test_cpu_time_of_a_child(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){.argv = SELF("burn"), .reads_stdout = true});
  ready(&child); // by then it has burnt 30 ms by its own clock
  int64_t at_ready_ns = sp_cpu_ns_of(child.pid);
  assert_true(at_ready_ns >= 30 * MS);
  assert_true(sp_cpu_ns_of_group(child.pid, NULL) >= at_ready_ns);
  struct sp_memory memory = sp_memory_of(child.pid);
  assert_true(memory.rss_bytes > 100000 && memory.peak_bytes >= memory.rss_bytes);
  assert_true(sp_memory_of_group(child.pid, NULL).rss_bytes > 100000);
  await_end(&child); // after 30 ms more
  assert_true(child.peak_bytes > memory.peak_bytes - COUNTERS_BYTES);
  assert_int_equal(sp_cpu_ns_of(child.pid), -1);
  assert_int_equal(sp_cpu_ns_of_group(child.pid, NULL), -1);
  sp_child_free(&child);
}

// Polls until the group has burnt 50 of 60 ms; the reading that said so, since the next may be without a process that ends meanwhile.
static int64_t await_burnt(pid_t group, const char *mark) {
  int64_t until_ns = sp_now_ns() + LONG_NS, burnt_ns;
  while ((burnt_ns = sp_cpu_ns_of_group(group, mark)) < 50 * MS && sp_now_ns() < until_ns) usleep(1000);
  assert_true(burnt_ns >= 50 * MS);
  return burnt_ns;
}

static void test_cpu_time_of_a_group(void **state) {
  (void)state;
  struct sp_child child;
  start(&child,
        (struct sp_child_options){.argv = ARGV("sh", "-c", "\"$0\" burn; sleep 1000", sp_process_self()),
                                  .reads_stdout = true});
  ready(&child);
  await_burnt(child.pid, NULL); // the grandchild's, in ticks once it has ended
  assert_true(sp_cpu_ns_of(child.pid) < 30 * MS);
  sp_child_free(&child);
}

// timeout makes a group of its own; what runs behind it belongs to the child all the same.
static void test_cpu_time_of_who_left_the_group(void **state) {
  (void)state;
  struct sp_child child;
  start(&child,
        (struct sp_child_options){
            .argv = ARGV("sh", "-c", "timeout 1000 sh -c '\"$0\" burn; exec sleep 1000' \"$0\"; exit 1",
                         sp_process_self()),
            .reads_stdout = true});
  ready(&child);
  assert_true(await_burnt(child.pid, NULL) < 500 * MS); // each once, and nothing of ours
  int64_t until_ns =
      sp_now_ns() + LONG_NS; // between two programs of one process its memory is that of neither
  while (sp_memory_of_group(child.pid, NULL).rss_bytes <= 2 * sp_memory_of(child.pid).rss_bytes) {
    assert_true(sp_now_ns() < until_ns);
    usleep(1000);
  }
  sp_child_free(&child);
}

// One whose parent has ended is found by what it was started with.
static void test_cpu_time_of_a_daemon(void **state) {
  (void)state;
  struct sp_child child;
  const char *script = "(setsid sh -c '\"$0\" burn; exec sleep 1000' \"$0\" &); exec sleep 1000";
  start(&child, (struct sp_child_options){.argv = ARGV("sh", "-c", script, sp_process_self()),
                                          .env = ARGV("SP_TEST=daemon"),
                                          .reads_stdout = true});
  ready(&child);
  await_burnt(child.pid, "SP_TEST=daemon");
  assert_true(sp_cpu_ns_of_group(child.pid, "SP_TEST=da") < 50 * MS);
  assert_true(sp_cpu_ns_of_group(child.pid, NULL) < 50 * MS);
  char *mark = sp_procfs_env(child.pid, "SP_TEST");
  assert_string_equal(mark, "SP_TEST=daemon");
  assert_null(sp_procfs_env(child.pid, "SP_TES"));
  free(mark);
  sp_child_free(&child);
  sp_supervisor_done(&supervisor);
  assert_int_equal(sp_supervisor_init(&supervisor, NULL), SP_OK);
}

// Starts this program as a supervisor whose child is `script`; returns the child's and grandchild's numbers.
static void start_supervisor(struct sp_child *parent, const char *id, const char *script, pid_t *child,
                             pid_t *grandchild) {
  start(parent, (struct sp_child_options){.argv = SELF("supervise", id, script), .reads_stdout = true});
  int a = 0, b = 0;
  assert_int_equal(sscanf(ready(parent), "{%d %d", &a, &b), 2);
  *child = (pid_t)a;
  *grandchild = (pid_t)b;
  assert_true(is_alive(*child) && is_alive(*grandchild));
}

static void test_a_child_ends_with_its_parent(void **state) {
  (void)state;
  struct sp_child parent;
  pid_t child, grandchild;
  start_supervisor(&parent, "dies", "exec 1>&2; while :; do sleep 1000; done", &child, &grandchild);
  kill(parent.pid, SIGKILL);
  await_gone(child); // nobody but the kernel ends it: it has a group of its own
  await_end(&parent);
  kill(grandchild, SIGKILL);
  sp_child_free(&parent);
}

// Without any other run: what only a sweep can find, and the folder, are gone as soon as the run is.
static void test_a_killed_run_is_swept_at_once(void **state) {
  (void)state;
  struct sp_child parent;
  pid_t child, grandchild;
  start_supervisor(&parent, "watched", "while :; do sleep 1000; done", &child, &grandchild);
  char *left = sp_format("%s/servepath/run-watched", folder);
  assert_int_equal(access(left, F_OK), 0);
  kill(-parent.pid, SIGKILL); // its whole group, as a shell's "kill -9 %1"
  await_end(&parent);
  await_gone(grandchild);
  for (int i = 0; i < 2000 && access(left, F_OK) == 0; i++) usleep(5000);
  assert_int_equal(access(left, F_OK), -1);
  free(left);
  sp_child_free(&parent);
}

static void test_the_next_run_sweeps_after_a_killed_one(void **state) {
  (void)state;
  struct sp_child parent;
  pid_t child, grandchild;
  start_supervisor(&parent, "killed", "while :; do sleep 1000; done", &child, &grandchild);
  char *left = sp_format("%s/servepath/run-killed/server.sock", folder);
  assert_int_equal(access(left, F_OK), 0);
  struct sp_left_over sweep = sp_run_dir_sweep(); // it lives: nothing may be touched
  assert_int_equal(sweep.n_folders + sweep.n_processes, 0);
  kill(parent.pid, SIGKILL);
  await_end(&parent);
  await_gone(child);
  assert_true(is_alive(grandchild)); // what only the sweep can find
  sweep = sp_run_dir_sweep();
  assert_int_equal(sweep.n_folders, 1);
  assert_int_equal(sweep.n_processes, 1);
  await_gone(grandchild);
  assert_int_equal(access(left, F_OK), -1);
  free(left);
  sp_child_free(&parent);
}

// A noted number that belongs to somebody else by now must not be killed.
static void test_a_sweep_spares_reused_numbers(void **state) {
  (void)state;
  struct sp_child bystander;
  start(&bystander, (struct sp_child_options){.argv = ARGV("sleep", "1000")});
  char *dead = sp_format("%s/servepath/run-dead", folder);
  char *owner = sp_format("%s/owner", dead), *children = sp_format("%s/children", dead);
  assert_int_equal(sp_files_make_dirs(dead, NULL), SP_OK);
  char *note = sp_format("%d %llu other\n1 0 init\n-1 0 all\nnonsense\n", (int)bystander.pid,
                         (unsigned long long)bystander.start_ticks + 1);
  assert_int_equal(sp_files_write(owner, sp_bytes_of_text("SERVEPATH_OWNER=1-1-none\n"), NULL), SP_OK);
  assert_int_equal(sp_files_write(children, sp_bytes_of_text(note), NULL), SP_OK);
  struct sp_left_over sweep = sp_run_dir_sweep();
  assert_int_equal(sweep.n_folders, 1);
  assert_int_equal(sweep.n_processes, 0);
  assert_true(is_alive(bystander.pid));
  free(dead);
  free(owner);
  free(children);
  free(note);
  sp_child_free(&bystander);
}

// A daemon that left its group and session is adopted, and found by its mark.
static void test_adopted_orphans_are_ended(void **state) {
  (void)state;
  struct sp_child child;
  start(&child, (struct sp_child_options){
                    .argv = ARGV("sh", "-c", "setsid sleep 1000 & echo \"{$!\"; exec sleep 1000"),
                    .reads_stdout = true});
  pid_t orphan = (pid_t)strtol(ready(&child) + 1, NULL, 10);
  struct sp_procfs_stat stat;
  while (sp_procfs_stat(orphan, &stat) && stat.group == child.pid) usleep(1000); // until setsid has run
  sp_child_free(&child);
  assert_true(is_alive(orphan));
  sp_supervisor_done(&supervisor);
  assert_false(is_alive(orphan));
  assert_int_equal(sp_supervisor_init(&supervisor, NULL), SP_OK);
}

// --- What this program does as a child ---

static void burn(int64_t cpu_ns) {
  int64_t until_ns = sp_cpu_process_ns() + cpu_ns;
  while (sp_cpu_process_ns() < until_ns) continue;
}

static int run_burn(void) {
  burn(30 * MS);
  printf("{}\n");
  fflush(stdout);
  burn(30 * MS);
  return 0;
}

static int run_describe(int fd) {
  struct sp_shared shared;
  if (sp_shared_open(&shared, fd, NULL) != SP_OK || shared.n_bytes != 8192) return 1;
  char *cwd = get_current_dir_name();
  printf("{%s in %s reads %c\ngroup %d\n", getenv("SP_TEST"), cwd, ((char *)shared.data)[8191],
         (int)getpgrp());
  free(cwd);
  bool is_clean = true;
  for (int other = 3; other < 100; other++) is_clean &= other == fd || fcntl(other, F_GETFD) < 0;
  printf("%s\n", is_clean ? "no other descriptor" : "a descriptor leaked");
  char status[4096];
  sp_procfs_read("/proc/self/status", status, sizeof status);
  bool is_reset = strstr(status, "SigBlk:\t0000000000000000") && strstr(status, "SigIgn:\t0000000000000000");
  printf("%s\n", is_reset ? "no signal blocked or ignored" : status);
  ((char *)shared.data)[0] = 'y';
  printf("sees y\n");
  sp_shared_free(&shared);
  return 0;
}

// A run that is killed: its folder, a socket's file, a shell as child, and a process of that shell.
static int run_supervise(const char *id, const char *script) {
  struct sp_supervisor own;
  struct sp_run_dir dir;
  struct sp_child child;
  struct sp_error error;
  char *with_grandchild = sp_format("sleep 1000 & echo \"{$!\"; %s", script);
  struct sp_child_options options = {
      .name = "shell", .argv = ARGV("sh", "-c", with_grandchild), .reads_stdout = true};
  const char *line;
  if (sp_supervisor_init(&own, &error) || sp_run_dir_new(&dir, id, &error) ||
      sp_child_start(&child, &options, &error) || sp_run_dir_add_child(&dir, &child, &error) ||
      sp_child_wait_ready(&child, &own, LONG_NS, &line, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  if (strcmp(id, "killed") == 0) sp_reaper_stop(&dir.reaper); // as if it had been killed too
  char *socket_file = sp_run_dir_file(&dir, "server.sock");
  if (sp_files_write(socket_file, sp_bytes_of_text(""), &error) != SP_OK) return 1;
  printf("{%d %s\n", (int)child.pid, line + 1);
  fflush(stdout);
  for (;;) pause();
}

// --- All ---

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return 1;
  setenv("XDG_RUNTIME_DIR", folder, 1);
  return sp_supervisor_init(&supervisor, NULL) != SP_OK;
}

static int tear_down(void **state) {
  (void)state;
  sp_supervisor_done(&supervisor);
  return !sp_files_remove(folder);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "burn") == 0) return run_burn();
  if (argc == 3 && strcmp(argv[1], "describe") == 0) return run_describe((int)strtol(argv[2], NULL, 10));
  if (argc == 4 && strcmp(argv[1], "supervise") == 0) return run_supervise(argv[2], argv[3]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ready_line_and_lines_after),
      cmocka_unit_test(test_a_part_that_is_never_ready),
      cmocka_unit_test(test_a_command_that_cannot_start),
      cmocka_unit_test(test_environment_folder_and_descriptors),
      cmocka_unit_test(test_a_command_with_our_descriptors),
      cmocka_unit_test(test_processors_hold_from_the_start),
      cmocka_unit_test(test_stop_with_grace_and_without),
      cmocka_unit_test(test_stop_reads_the_last_words),
      cmocka_unit_test(test_a_group_ends_with_its_leader),
      cmocka_unit_test(test_several_are_watched_at_once),
      cmocka_unit_test(test_signals_arrive_by_descriptor),
      cmocka_unit_test(test_cpu_time_of_a_child),
      cmocka_unit_test(test_cpu_time_of_a_group),
      cmocka_unit_test(test_cpu_time_of_who_left_the_group),
      cmocka_unit_test(test_cpu_time_of_a_daemon),
      cmocka_unit_test(test_a_child_ends_with_its_parent),
      cmocka_unit_test(test_a_killed_run_is_swept_at_once),
      cmocka_unit_test(test_the_next_run_sweeps_after_a_killed_one),
      cmocka_unit_test(test_a_sweep_spares_reused_numbers),
      cmocka_unit_test(test_adopted_orphans_are_ended),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
