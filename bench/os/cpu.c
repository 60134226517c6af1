// CPU time, memory, switches.
#include "os/cpu.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

struct group_sum {
  pid_t group;
  int64_t cpu_ns;
  struct sp_memory memory;
};

static bool add_cpu(const struct sp_procfs_stat *stat, void *context) {
  struct group_sum *sum = context;
  if (stat->group != sum->group) return true;
  int64_t cpu_ns = sp_cpu_ns_of(stat->pid);
  if (cpu_ns < 0) return true; // reaped since
  if (sum->cpu_ns < 0) sum->cpu_ns = 0;
  sum->cpu_ns += cpu_ns + stat->waited_children_ticks * (SP_NS_PER_S / sysconf(_SC_CLK_TCK));
  return true;
}

int64_t sp_cpu_ns_of_group(pid_t group) {
  struct group_sum sum = {.group = group, .cpu_ns = -1};
  sp_procfs_each(add_cpu, &sum);
  return sum.cpu_ns;
}

struct sp_memory sp_memory_of(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  sp_procfs_read(path, text, sizeof text);
  int64_t rss_kib = sp_procfs_field(text, "VmRSS"), peak_kib = sp_procfs_field(text, "VmHWM");
  return (struct sp_memory){rss_kib < 0 ? -1 : rss_kib * 1024, peak_kib < 0 ? -1 : peak_kib * 1024};
}

static bool add_memory(const struct sp_procfs_stat *stat, void *context) {
  struct group_sum *sum = context;
  if (stat->group != sum->group) return true;
  struct sp_memory memory = sp_memory_of(stat->pid);
  if (memory.rss_bytes < 0) return true;
  if (sum->memory.rss_bytes < 0) sum->memory = (struct sp_memory){0, 0};
  sum->memory.rss_bytes += memory.rss_bytes;
  sum->memory.peak_bytes += memory.peak_bytes;
  return true;
}

struct sp_memory sp_memory_of_group(pid_t group) {
  struct group_sum sum = {.group = group, .memory = {-1, -1}};
  sp_procfs_each(add_memory, &sum);
  return sum.memory;
}

void sp_usage_read(struct sp_usage *usage) {
  struct rusage r = {0};
  getrusage(RUSAGE_SELF, &r);
  *usage = (struct sp_usage){r.ru_nvcsw, r.ru_nivcsw, r.ru_minflt, r.ru_majflt};
}

static void add_switches(pid_t pid, const char *thread, struct sp_usage *usage) {
  char path[320], text[8192];
  snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, thread);
  if (sp_procfs_read(path, text, sizeof text) <= 0) return;
  int64_t voluntary = sp_procfs_field(text, "voluntary_ctxt_switches");
  int64_t involuntary = sp_procfs_field(text, "nonvoluntary_ctxt_switches");
  if (voluntary > 0) usage->n_voluntary_switches += voluntary;
  if (involuntary > 0) usage->n_involuntary_switches += involuntary;
}

void sp_usage_of(pid_t pid, struct sp_usage *usage) {
  *usage = (struct sp_usage){0};
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  sp_procfs_read(path, text, sizeof text);
  const char *after_name = strrchr(text, ')');
  long long minor, major; // fields 10 and 12 of proc(5)
  if (after_name &&
      sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %lld %*u %lld", &minor, &major) == 2) {
    usage->n_minor_faults = minor;
    usage->n_major_faults = major;
  }
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *folder = opendir(path);
  if (!folder) return;
  struct dirent *entry;
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] != '.') add_switches(pid, entry->d_name, usage);
  }
  closedir(folder);
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

double sp_cpu_stolen_share_of(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to, int cpu) {
  if (cpu < 0 || cpu >= SP_CPU_MAX) return 0;
  return share(&from->cpus[cpu], &to->cpus[cpu], grown(from->cpus[cpu].stolen, to->cpus[cpu].stolen));
}

double sp_cpu_busy_share(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to, int cpu) {
  if (cpu < 0 || cpu >= SP_CPU_MAX) return 0;
  return share(&from->cpus[cpu], &to->cpus[cpu], grown(from->cpus[cpu].busy, to->cpus[cpu].busy));
}
