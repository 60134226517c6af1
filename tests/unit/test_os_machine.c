// Processors, threads and their clocks, machine facts, the live line.
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "os/affinity.h"
#include "os/cpu.h"
#include "os/machine.h"
#include "os/procfs.h"
#include "os/terminal.h"
#include "os/thread.h"

static const char *const roles[] = {"driver", "app", "server"};

static int first_cpu(void) {
  struct sp_cpus allowed;
  sp_cpus_allowed(&allowed);
  return sp_cpus_nth(&allowed, 0);
}

static void test_roles(void **state) {
  (void)state;
  struct sp_cpus allowed, cpus[3];
  struct sp_error error;
  sp_cpus_allowed(&allowed);
  int first = first_cpu(), last = sp_cpus_nth(&allowed, sp_cpus_count(&allowed) - 1);
  char *text = sp_format("driver=%d,server=%d,%d-%d", first, last, first, first);
  assert_int_equal(sp_cpus_parse_roles("--cpus", text, roles, 3, cpus, &error), SP_OK);
  assert_int_equal(sp_cpus_count(&cpus[0]), 1);
  assert_int_equal(sp_cpus_nth(&cpus[0], 0), first);
  assert_true(sp_cpus_is_empty(&cpus[1]));
  assert_int_equal(sp_cpus_count(&cpus[2]), first == last ? 1 : 2);
  assert_true(sp_cpus_overlap(&cpus[0], &cpus[2]));
  assert_false(sp_cpus_overlap(&cpus[0], &cpus[1]));
  free(text);
  assert_int_equal(sp_cpus_parse_roles("--cpus", "none", roles, 3, cpus, &error), SP_OK);
  assert_true(sp_cpus_is_empty(&cpus[0]));
  assert_int_equal(sp_cpus_parse_roles("--cpus", NULL, roles, 3, cpus, &error), SP_OK);
}

static void refuse(const char *text, const char *part) {
  struct sp_cpus cpus[3];
  struct sp_error error;
  assert_int_equal(sp_cpus_parse_roles("--cpus", text, roles, 3, cpus, &error), SP_ERR_USAGE);
  if (!strstr(error.text, part) || strncmp(error.text, "--cpus: ", 8) != 0)
    fail_msg("%s: %s", text, error.text);
}

static void test_roles_refused(void **state) {
  (void)state;
  refuse("sever=0", "\"sever=0\" names no role; roles: driver, app, server");
  refuse("0", "\"0\" names no role");
  refuse("", "\"\" names no role");
  refuse("app=", "\"app=\" is no processor");
  refuse("app=a", "is no processor");
  refuse("app=-1", "is no processor");
  refuse("app=1-0", "is no processor");
  refuse("app=0x1", "is no processor");
  refuse("app=99999999999999999999", "is no processor");
  refuse("app=1023", "may not use processor 1023; allowed: ");
}

static void test_sets_as_text(void **state) {
  (void)state;
  struct sp_cpus cpus = {0};
  char text[32], small[4];
  assert_string_equal(sp_cpus_text(&cpus, text, sizeof text), "");
  static const size_t members[] = {0, 1, 2, 5, 8, 9};
  for (size_t i = 0; i < 6; i++) CPU_SET(members[i], &cpus.set);
  assert_string_equal(sp_cpus_text(&cpus, text, sizeof text), "0-2,5,8-9");
  assert_string_equal(sp_cpus_text(&cpus, small, sizeof small), "0-2");
  assert_int_equal(sp_cpus_nth(&cpus, 3), 5);
  assert_int_equal(sp_cpus_nth(&cpus, 6), -1);
}

struct work {
  char name[32];
  int slack_ns;
  struct sp_cpus cpus;
  bool blocks_signals;
  pthread_barrier_t barrier;
};

static void work(void *context) {
  struct work *w = context;
  pthread_getname_np(pthread_self(), w->name, sizeof w->name);
  w->slack_ns = prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
  sp_cpus_allowed(&w->cpus);
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  w->blocks_signals = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM);
  int64_t until_ns = sp_cpu_thread_ns() + 20 * SP_NS_PER_MS;
  while (sp_cpu_thread_ns() < until_ns) continue;
  pthread_barrier_wait(&w->barrier);
  pthread_barrier_wait(&w->barrier);
}

static void test_threads(void **state) {
  (void)state;
  struct sp_thread thread = {0};
  struct work w = {0};
  struct sp_cpus one = sp_cpus_one(first_cpu());
  sp_thread_join(&thread); // never started
  assert_int_equal(sp_thread_cpu_ns(&thread), 0);
  pthread_barrier_init(&w.barrier, NULL, 2);
  assert_int_equal(sp_thread_start(&thread, "a-name-that-is-too-long", &one, work, &w, NULL), SP_OK);
  pthread_barrier_wait(&w.barrier);
  int64_t while_it_runs_ns = sp_thread_cpu_ns(&thread);
  assert_true(while_it_runs_ns >= 20 * SP_NS_PER_MS);
  pthread_barrier_wait(&w.barrier);
  sp_thread_join(&thread);
  sp_thread_join(&thread);
  assert_true(sp_thread_cpu_ns(&thread) >= while_it_runs_ns);
  assert_true(sp_cpu_process_ns() >= sp_thread_cpu_ns(&thread));
  assert_string_equal(w.name, "a-name-that-is-");
  assert_int_equal(w.slack_ns, 1);
  assert_true(CPU_EQUAL(&w.cpus.set, &one.set));
  assert_true(w.blocks_signals);
  pthread_barrier_destroy(&w.barrier);
}

static void test_threads_refused(void **state) {
  (void)state;
  struct sp_thread thread;
  struct work w = {0};
  struct sp_cpus absent = sp_cpus_one(1023);
  struct sp_error error;
  assert_int_equal(sp_thread_start(&thread, "x", &absent, work, &w, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "thread x on processors 1023"));
  assert_int_equal(sp_cpus_apply(&absent, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "--cpus none"));
  sp_thread_join(&thread);
}

static void test_shares_between_readings(void **state) {
  (void)state;
  static struct sp_cpu_reading a, b;
  assert_int_equal(sp_cpu_reading_take(&a, NULL), SP_OK);
  assert_true(a.all.busy > 0 && a.all.idle > 0);
  int cpu = first_cpu();
  assert_true(a.cpus[cpu].busy > 0);
  assert_true(sp_cpu_busy_share(&a, &a, cpu) == 0);
  a = b = (struct sp_cpu_reading){.all = {100, 1000, 10}, .cpus = {{50, 500, 5}, {50, 500, 5}}};
  b.all = (struct sp_cpu_ticks){190, 1100, 20};
  b.cpus[0] = (struct sp_cpu_ticks){130, 515, 10};
  b.cpus[1] = (struct sp_cpu_ticks){60, 499, 5}; // idle time went back by a tick
  assert_true(sp_cpu_stolen_share(&a, &b) == 0.05);
  assert_true(sp_cpu_busy_share(&a, &b, 0) == 0.8);
  assert_true(sp_cpu_busy_share(&a, &b, 1) == 1);
  assert_true(sp_cpu_busy_share(&a, &b, -1) == 0 && sp_cpu_busy_share(&a, &b, SP_CPU_MAX) == 0);
}

static void test_memory(void **state) {
  (void)state;
  struct sp_memory memory = sp_memory_of(getpid());
  assert_true(memory.rss_bytes > 0 && memory.peak_bytes >= memory.rss_bytes);
  assert_int_equal(sp_memory_of(-1).rss_bytes, -1);
}

static void test_machine_facts(void **state) {
  (void)state;
  static struct sp_machine a, b;
  sp_machine_read(&a);
  sp_machine_read(&b);
  assert_true(a.n_cpus >= 1 && a.n_cpus_allowed >= 1 && a.memory_bytes > 1 << 20);
  assert_true(a.kernel[0] && a.os[0] && a.architecture[0] && a.cpus_allowed[0]);
  assert_int_equal(strlen(a.boot_id), 36);
  assert_memory_equal(a.time_namespace, "time:[", 6);
  assert_true(a.max_open_files > 0);
  assert_memory_equal(a.fingerprint, "xxh128:", 7);
  assert_string_equal(a.fingerprint, b.fingerprint);
}

static void test_clock_offset_is_steady(void **state) {
  (void)state;
  int64_t a_ns = sp_machine_clock_offset_ns(), b_ns = sp_machine_clock_offset_ns();
  assert_true(a_ns > 1700000000 * SP_NS_PER_S - sp_now_ns());
  assert_true(llabs(a_ns - b_ns) < 100 * SP_NS_PER_MS); // any step that matters is longer
}

static void test_proc_fields(void **state) {
  (void)state;
  static const char text[] = "Name:\tVmRSS: 7\nVmRSSx:\t9 kB\nVmRSS:\t 1234 kB\n";
  assert_int_equal(sp_procfs_field(text, "VmRSS"), 1234);
  assert_int_equal(sp_procfs_field(text, "RSS"), -1);
  assert_int_equal(sp_procfs_field("", "VmRSS"), -1);
  struct sp_procfs_stat stat;
  prctl(PR_SET_NAME, "a) b (c", 0UL, 0UL, 0UL); // a name made to fool parsers
  assert_true(sp_procfs_stat(getpid(), &stat));
  assert_int_equal(stat.state, 'R');
  assert_int_equal(stat.parent, getppid());
  assert_int_equal(stat.group, getpgrp());
  assert_true(stat.start_ticks > 0);
  assert_false(sp_procfs_stat(-1, &stat));
}

// Everything written to `fd` so far.
static const char *written(int fd, char *text, size_t n) {
  ssize_t got = read(fd, text, n - 1);
  text[got > 0 ? got : 0] = '\0';
  return text;
}

static void test_plain_lines_elsewhere(void **state) {
  (void)state;
  int ends[2];
  char text[256];
  assert_int_equal(pipe(ends), 0);
  FILE *to = fdopen(ends[1], "w");
  struct sp_live live;
  sp_live_init(&live, to, 5000);
  assert_true(sp_live_is_due(&live, 0));
  sp_live_show(&live, 100, "%d events", 7);
  assert_false(sp_live_is_due(&live, 5099));
  assert_true(sp_live_is_due(&live, 5100));
  sp_live_clear(&live);
  assert_string_equal(written(ends[0], text, sizeof text), "7 events\n");
  assert_false(sp_terminal_is(ends[1]));
  assert_false(sp_terminal_has_color(ends[1]));
  assert_int_equal(sp_terminal_width(ends[1]), 80);
  fclose(to);
  close(ends[0]);
}

static void test_one_line_on_a_terminal(void **state) {
  (void)state;
  char text[256];
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  FILE *to = fopen(ptsname(master), "w");
  assert_non_null(to);
  struct winsize size = {.ws_row = 24, .ws_col = 11};
  assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  assert_true(sp_terminal_has_color(fileno(to)));
  setenv("NO_COLOR", "1", 1);
  assert_false(sp_terminal_has_color(fileno(to)));
  struct sp_live live;
  sp_live_init(&live, to, 5000);
  sp_live_show(&live, 0, "12 µs is wide");
  assert_string_equal(written(master, text, sizeof text), "\r12 µs is w"); // cut to 10 characters
  assert_false(sp_live_is_due(&live, 99 * SP_NS_PER_MS));
  sp_live_show(&live, 0, "short");
  assert_string_equal(written(master, text, sizeof text), "\rshort     \rshort");
  sp_live_clear(&live);
  assert_string_equal(written(master, text, sizeof text), "\r     \r");
  fclose(to);
  close(master);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_roles),
      cmocka_unit_test(test_roles_refused),
      cmocka_unit_test(test_sets_as_text),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_threads_refused),
      cmocka_unit_test(test_shares_between_readings),
      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_machine_facts),
      cmocka_unit_test(test_clock_offset_is_steady),
      cmocka_unit_test(test_proc_fields),
      cmocka_unit_test(test_plain_lines_elsewhere),
      cmocka_unit_test(test_one_line_on_a_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
