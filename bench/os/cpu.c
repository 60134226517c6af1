// CPU time, memory.
#include "os/cpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/procfs.h"

static int64_t read_clock(clockid_t clock) {
  struct timespec used;
  if (clock_gettime(clock, &used) != 0) return -1;
  return used.tv_sec * SP_NS_PER_S + used.tv_nsec;
}

int64_t sp_cpu_process_ns(void) {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t sp_cpu_thread_ns(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t sp_cpu_ns_of(pid_t pid) {
  clockid_t clock;
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0) return -1;
  return read_clock(clock);
}

// --- Groups ---

struct listing {
  struct sp_procfs_stat *items;
  bool *are_in;
  size_t n, room;
};

static bool list(const struct sp_procfs_stat *stat, void *context) {
  struct listing *all = context;
  if (all->n == all->room) {
    all->room = all->room ? 2 * all->room : 256;
    all->items = sp_realloc(all->items, all->room * sizeof *all->items);
  }
  all->items[all->n++] = *stat;
  return true;
}

static bool has_parent_in(const struct listing *all, size_t i) {
  for (size_t k = 0; k < all->n; k++) {
    if (all->are_in[k] && all->items[k].pid == all->items[i].parent) return true;
  }
  return false;
}

// A daemon's parent has ended, so that it has come to whoever supervises.
static bool is_adopted(const struct sp_procfs_stat *stat, const char *mark) {
  if (!mark || stat->pid == getpid() || (stat->parent != getppid() && stat->parent != getpid())) return false;
  return sp_procfs_has_env(stat->pid, mark);
}

// A command in front (timeout, setsid, a shell with job control) puts what it starts into a group of its own: still theirs.
static void list_group(struct listing *all, pid_t group, const char *mark) {
  sp_procfs_each(list, all);
  all->are_in = sp_alloc((all->n + 1) * sizeof *all->are_in);
  for (size_t i = 0; i < all->n; i++)
    all->are_in[i] = all->items[i].group == group || is_adopted(&all->items[i], mark);
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (size_t i = 0; i < all->n; i++) {
      if (all->are_in[i] || !has_parent_in(all, i)) continue;
      all->are_in[i] = has_grown = true;
    }
  }
}

static void listing_done(struct listing *all) {
  free(all->items);
  free(all->are_in);
}

int64_t sp_cpu_ns_of_group(pid_t group, const char *mark) {
  struct listing all = {0};
  int64_t sum_ns = -1;
  list_group(&all, group, mark);
  for (size_t i = 0; i < all.n; i++) {
    int64_t cpu_ns = all.are_in[i] ? sp_cpu_ns_of(all.items[i].pid) : -1;
    if (cpu_ns < 0) continue; // somebody else's, or reaped since
    if (sum_ns < 0) sum_ns = 0;
    sum_ns += cpu_ns + all.items[i].waited_children_ticks * (SP_NS_PER_S / sysconf(_SC_CLK_TCK));
  }
  listing_done(&all);
  return sum_ns;
}

struct sp_memory sp_memory_of(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  sp_procfs_read(path, text, sizeof text);
  int64_t rss_kib = sp_procfs_field(text, "VmRSS"), peak_kib = sp_procfs_field(text, "VmHWM");
  return (struct sp_memory){rss_kib < 0 ? -1 : rss_kib * 1024, peak_kib < 0 ? -1 : peak_kib * 1024};
}

struct sp_memory sp_memory_of_group(pid_t group, const char *mark) {
  struct sp_memory sum = {-1, -1};
  struct listing all = {0};
  list_group(&all, group, mark);
  for (size_t i = 0; i < all.n; i++) {
    struct sp_memory memory = all.are_in[i] ? sp_memory_of(all.items[i].pid) : (struct sp_memory){-1, -1};
    if (memory.rss_bytes < 0) continue;
    if (sum.rss_bytes < 0) sum = (struct sp_memory){0, 0};
    sum.rss_bytes += memory.rss_bytes;
    sum.peak_bytes += memory.peak_bytes;
  }
  listing_done(&all);
  return sum;
}

// "cpu0 user nice system idle iowait irq softirq steal …": guest time is part of user time already.
static struct sp_cpu_ticks read_ticks(const char *numbers) {
  uint64_t t[8] = {0};
  char *at = (char *)(uintptr_t)numbers;
  for (int i = 0; i < 8; i++) t[i] = strtoull(at, &at, 10);
  return (struct sp_cpu_ticks){t[0] + t[1] + t[2] + t[5] + t[6], t[3] + t[4], t[7]};
}

enum sp_err sp_cpu_reading_take(struct sp_cpu_reading *reading, struct sp_error *error) {
  memset(reading, 0, sizeof *reading);
  reading->at_ns = sp_now_ns();
  FILE *file = fopen("/proc/stat", "re");
  if (!file)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read /proc/stat (%s); mount /proc", strerror(errno));
  char line[512];
  while (fgets(line, sizeof line, file) && strncmp(line, "cpu", 3) == 0) {
    char *numbers;
    if (line[3] == ' ') {
      reading->all = read_ticks(line + 3);
      continue;
    }
    unsigned long cpu = strtoul(line + 3, &numbers, 10);
    if (cpu < SP_CPU_MAX) reading->cpus[cpu] = read_ticks(numbers);
  }
  fclose(file);
  return SP_OK;
}

// Counters of an idle processor may step back by a tick (proc(5)); that is nothing, not 2^64.
static double grown(uint64_t from, uint64_t to) {
  return to > from ? (double)(to - from) : 0;
}

static double share(const struct sp_cpu_ticks *from, const struct sp_cpu_ticks *to, double part) {
  double whole = grown(from->busy, to->busy) + grown(from->idle, to->idle) + grown(from->stolen, to->stolen);
  return whole > 0 ? part / whole : 0;
}

double sp_cpu_stolen_share(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to) {
  return share(&from->all, &to->all, grown(from->all.stolen, to->all.stolen));
}

double sp_cpu_busy_share(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to, int cpu) {
  if (cpu < 0 || cpu >= SP_CPU_MAX) return 0;
  return share(&from->cpus[cpu], &to->cpus[cpu], grown(from->cpus[cpu].busy, to->cpus[cpu].busy));
}
