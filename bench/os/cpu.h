// CPU time and memory: of processes by their CPU clocks (ns, not the 10 ms ticks of /proc), of the machine by /proc/stat.
#ifndef SP_OS_CPU_H
#define SP_OS_CPU_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// CPU time of this process and of the calling thread. Any thread.
int64_t sp_cpu_process_ns(void);
int64_t sp_cpu_thread_ns(void);

// CPU time of another process (all its threads, living and ended). -1 once it has been reaped.
int64_t sp_cpu_ns_of(pid_t pid);
// CPU time of every living process of a process group, of those that they started and that have left it (`timeout`, `setsid`),
// each once, and of their children that ended and were waited for (these by ticks of 10 ms). One that has left the
// group and whose parent has ended was adopted by this process or by its parent, if that is a supervisor, and is known by `mark`,
// "NAME=value" in its environment; NULL: it is left out. -1 if there is none. Reads all of /proc: about 20 us a process, and not
// in one instant: of one that ends meanwhile neither its clock nor its parent's ticks may be in the sum.
int64_t sp_cpu_ns_of_group(pid_t group, const char *mark);

// Resident memory now and its peak; of a group, as above: the sum (shared pages count in each). -1 if it is gone.
struct sp_memory {
  int64_t rss_bytes;
  int64_t peak_bytes;
};
struct sp_memory sp_memory_of(pid_t pid);
struct sp_memory sp_memory_of_group(pid_t group, const char *mark);

// One reading of /proc/stat. Shares are of the time between two readings, 0..1; resolution 10 ms per
// processor.
struct sp_cpu_ticks {
  uint64_t busy, idle, stolen; // busy: everything but idle, waiting for a disk, and stolen
};
#define SP_CPU_MAX 256
struct sp_cpu_reading {
  int64_t at_ns;
  struct sp_cpu_ticks all;
  struct sp_cpu_ticks cpus[SP_CPU_MAX]; // by number; zeros where offline
};
enum sp_err sp_cpu_reading_take(struct sp_cpu_reading *reading, struct sp_error *error);
// Stolen by the hypervisor, of the whole machine (DESIGN §3.7: above 2 % the trial is invalid).
double sp_cpu_stolen_share(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to);
// Busy share of one processor (DESIGN §3.9: `driver-limited` above 80 %).
double sp_cpu_busy_share(const struct sp_cpu_reading *from, const struct sp_cpu_reading *to, int cpu);

#endif
