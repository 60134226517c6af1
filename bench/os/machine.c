// Machine facts, from /proc, /sys and uname; what a system does not say stays unknown.
#include "os/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/procfs.h"

// First line of a file, without its end.
static void read_line(const char *path, char *text, size_t n) {
  sp_procfs_read(path, text, n);
  text[strcspn(text, "\n")] = '\0';
}

// What follows the first "NAME" and any of `skip` in a file, up to the line's end or a quote.
static void read_value(const char *path, const char *name, const char *skip, char *text, size_t n) {
  char content[8192];
  sp_procfs_read(path, content, sizeof content);
  text[0] = '\0';
  for (char *line = content; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, name, strlen(name)) != 0) continue;
    line += strlen(name);
    line += strspn(line, skip);
    snprintf(text, n, "%.*s", (int)strcspn(line, "\"\n"), line);
    return;
  }
}

static void read_processors(struct sp_machine *machine) {
  const char *cpuinfo = "/proc/cpuinfo";
  read_value(cpuinfo, "model name", " \t:", machine->cpu_model, sizeof machine->cpu_model);
  if (!machine->cpu_model[0]) // ARM gives numbers only
    read_value(cpuinfo, "CPU part", " \t:", machine->cpu_model, sizeof machine->cpu_model);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  machine->n_cpus = online > 0 ? (unsigned)online : 1;
  struct sp_cpus allowed;
  sp_cpus_allowed(&allowed);
  machine->n_cpus_allowed = (unsigned)sp_cpus_count(&allowed);
  sp_cpus_text(&allowed, machine->cpus_allowed, sizeof machine->cpus_allowed);
  read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", machine->governor,
            sizeof machine->governor);
}

static void read_hypervisor(struct sp_machine *machine) {
  char flags[8192];
  read_line("/sys/hypervisor/type", machine->hypervisor, sizeof machine->hypervisor);
  if (machine->hypervisor[0]) return;
  read_value("/proc/cpuinfo", "flags", " \t:", flags, sizeof flags);
  if (strstr(flags, " hypervisor")) {
    read_line("/sys/class/dmi/id/sys_vendor", machine->hypervisor, sizeof machine->hypervisor);
    if (!machine->hypervisor[0]) snprintf(machine->hypervisor, sizeof machine->hypervisor, "unnamed");
  }
}

// "always [madvise] never" -> "madvise"
static void read_chosen(const char *path, char *text, size_t n) {
  char line[256];
  read_line(path, line, sizeof line);
  char *from = strchr(line, '[');
  snprintf(text, n, "%.*s", from ? (int)strcspn(from + 1, "]") : 0, from ? from + 1 : "");
}

// Path of this process's cgroup for a v1 controller, or of v2 ("0::"), below its mount point.
static void cgroup_path(const char *controller, char *path, size_t n) {
  char text[4096];
  sp_procfs_read("/proc/self/cgroup", text, sizeof text);
  snprintf(path, n, "/");
  for (char *line = text; line && *line; line = strchr(line, '\n'), line += line ? 1 : 0) {
    char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;
    if (!at) return;
    bool is_it = *controller
                     ? memmem(names + 1, (size_t)(at - names - 1), controller, strlen(controller)) != NULL
                     : at == names + 1;
    if (is_it) snprintf(path, n, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
  }
}

// Reads FILE of the cgroup; where the group's own path is not mounted here (a container), the mount's root.
static bool read_cgroup(const char *mount, const char *controller, const char *file, char *text, size_t n) {
  char group[512], path[1024];
  cgroup_path(controller, group, sizeof group);
  snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/%s", mount, group, file);
  if (sp_procfs_read(path, text, n) > 0) return true;
  snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", mount, file);
  return sp_procfs_read(path, text, n) > 0;
}

static void read_cgroup_limits(struct sp_machine *machine) {
  char text[128], period[128];
  machine->cgroup_cpus = -1;
  double quota_us = -1, period_us = 0;
  if (read_cgroup("", "", "cpu.max", text, sizeof text)) {
    char *rest;
    quota_us = strtod(text, &rest); // "max 100000": 0 and nothing read
    period_us = strtod(rest, NULL);
  } else if (read_cgroup("/cpu", "cpu", "cpu.cfs_quota_us", text, sizeof text) &&
             read_cgroup("/cpu", "cpu", "cpu.cfs_period_us", period, sizeof period)) {
    quota_us = strtod(text, NULL);
    period_us = strtod(period, NULL);
  }
  if (quota_us > 0 && period_us > 0) machine->cgroup_cpus = quota_us / period_us;
  if (read_cgroup("", "", "memory.max", text, sizeof text) ||
      read_cgroup("/memory", "memory", "memory.limit_in_bytes", text, sizeof text)) {
    uint64_t bytes = strtoull(text, NULL, 10);
    if (bytes < UINT64_C(1) << 60) machine->cgroup_memory_bytes = bytes; // v1 writes "no limit" as about 2^63
  }
}

static uint64_t soft_limit(int which) {
  struct rlimit limit = {0};
  getrlimit((__rlimit_resource_t)which, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur;
}

static void read_limits(struct sp_machine *machine) {
  machine->max_open_files = soft_limit(RLIMIT_NOFILE);
  machine->max_locked_bytes = soft_limit(RLIMIT_MEMLOCK);
  machine->max_processes = soft_limit(RLIMIT_NPROC);
  read_cgroup_limits(machine);
}

static void set_fingerprint(struct sp_machine *machine) {
  // Whole GiB: what a kernel keeps for itself changes from boot to boot.
  unsigned long long whole_gib = (machine->memory_bytes + (UINT64_C(1) << 29)) >> 30;
  char *text = sp_format("%s|%s|%u|%llu|%s|%s|%s", machine->cpu_model, machine->architecture, machine->n_cpus,
                         whole_gib, machine->kernel, machine->os, machine->hypervisor);
  sp_digest_bytes(sp_bytes_of_text(text), machine->fingerprint);
  free(text);
}

void sp_machine_read(struct sp_machine *machine) {
  *machine = (struct sp_machine){0};
  struct utsname name = {0};
  uname(&name);
  snprintf(machine->kernel, sizeof machine->kernel, "%s", name.release);
  snprintf(machine->architecture, sizeof machine->architecture, "%.31s", name.machine);
  read_value("/etc/os-release", "PRETTY_NAME=", "\"", machine->os, sizeof machine->os);
  read_processors(machine);
  read_hypervisor(machine);
  long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) machine->memory_bytes = (uint64_t)pages * (uint64_t)page_bytes;
  read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", machine->clocksource,
            sizeof machine->clocksource);
  read_chosen("/sys/kernel/mm/transparent_hugepage/enabled", machine->thp, sizeof machine->thp);
  read_line("/proc/sys/kernel/random/boot_id", machine->boot_id, sizeof machine->boot_id);
  ssize_t n = readlink("/proc/self/ns/time", machine->time_namespace, sizeof machine->time_namespace - 1);
  if (n < 0) machine->time_namespace[0] = '\0';
  read_limits(machine);
  if (getloadavg(&machine->load_1min, 1) != 1) machine->load_1min = -1;
  set_fingerprint(machine);
}

static int64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * SP_NS_PER_S + t.tv_nsec;
}

// The closest of some readings: being interrupted between the two clocks would look like a step.
int64_t sp_machine_clock_offset_ns(void) {
  int64_t best_ns = 0, best_gap_ns = INT64_MAX;
  for (int i = 0; i < 5; i++) {
    int64_t before_ns = sp_now_ns();
    int64_t real_ns = read_clock(CLOCK_REALTIME);
    int64_t gap_ns = sp_now_ns() - before_ns;
    if (gap_ns >= best_gap_ns) continue;
    best_gap_ns = gap_ns;
    best_ns = real_ns - before_ns - gap_ns / 2;
  }
  return best_ns;
}
