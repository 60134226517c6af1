// The few fields of /proc that process accounting and clean-up need.
#ifndef SP_OS_PROCFS_H
#define SP_OS_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Of /proc/PID/stat (proc(5)); ticks are 1/sysconf(_SC_CLK_TCK) s.
struct sp_procfs_stat {
  pid_t pid;
  char state; // 'Z': ended, not reaped
  pid_t parent;
  pid_t group;
  int64_t waited_children_ticks; // CPU of children that ended and were waited for
  uint64_t start_ticks;          // since boot
};
// False if there is no such process.
bool sp_procfs_stat(pid_t pid, struct sp_procfs_stat *stat);

// Calls `visit` for every process there is, until it returns false.
void sp_procfs_each(bool (*visit)(const struct sp_procfs_stat *stat, void *context), void *context);

// A small file of /proc or /sys into text (always terminated, cut to n - 1 bytes); -1 if unreadable, else the
// bytes read.
ssize_t sp_procfs_read(const char *path, char *text, size_t n);
// The number after "NAME:" in such a text, -1 if it is not there.
int64_t sp_procfs_field(const char *text, const char *name);
// True if the environment that a process was started with holds "NAME=value". Reads what the caller may read.
bool sp_procfs_has_env(pid_t pid, const char *entry);
// "NAME=value" of that environment, from malloc; NULL: it has none, or may not be read.
char *sp_procfs_env(pid_t pid, const char *name);

#endif
