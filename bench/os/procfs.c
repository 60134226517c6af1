// Reading /proc: written by the kernel, but by kernels of many ages, so every field is looked for, none
// assumed.
#include "os/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

ssize_t sp_procfs_read(const char *path, char *text, size_t n) {
  SP_ASSERT(n > 0);
  text[0] = '\0';
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t used = 0;
  ssize_t got = 0;
  while (used < n - 1 && (got = read(fd, text + used, n - 1 - used)) > 0) used += (size_t)got;
  close(fd);
  text[used] = '\0';
  return got < 0 && used == 0 ? -1 : (ssize_t)used;
}

int64_t sp_procfs_field(const char *text, const char *name) {
  size_t n = strlen(name);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, name, n) == 0 && line[n] == ':') return strtoll(line + n + 1, NULL, 10);
  }
  return -1;
}

bool sp_procfs_stat(pid_t pid, struct sp_procfs_stat *stat) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (sp_procfs_read(path, text, sizeof text) <= 0) return false;
  char *after_name = strrchr(text, ')'); // the name may hold anything, parentheses too
  if (!after_name) return false;
  int64_t fields[53] = {0}; // numbered as in proc(5); 3 is the state
  *stat = (struct sp_procfs_stat){.pid = pid, .state = after_name[1] ? after_name[2] : '?'};
  char *at = after_name + 3;
  for (int i = 4; i <= 22; i++) fields[i] = strtoll(at, &at, 10);
  stat->parent = (pid_t)fields[4];
  stat->group = (pid_t)fields[5];
  stat->waited_children_ticks = fields[16] + fields[17];
  stat->start_ticks = (uint64_t)fields[22];
  return true;
}

void sp_procfs_each(bool (*visit)(const struct sp_procfs_stat *stat, void *context), void *context) {
  DIR *folder = opendir("/proc");
  if (!folder) return;
  struct dirent *entry;
  struct sp_procfs_stat stat;
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (!sp_procfs_stat((pid_t)strtol(entry->d_name, NULL, 10), &stat)) continue;
    if (!visit(&stat, context)) break;
  }
  closedir(folder);
}

// The first entry of its environment that begins so, from malloc; NULL: none.
static char *find_env(pid_t pid, const char *wanted, size_t n_wanted) {
  char path[64], *found = NULL;
  snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  const size_t n_max = 2u << 20; // the kernel's own bound for one argument list
  char *text = sp_alloc(n_max);
  ssize_t n = sp_procfs_read(path, text, n_max);
  for (ssize_t at = 0; at < n && !found; at += (ssize_t)strlen(text + at) + 1)
    found = strncmp(text + at, wanted, n_wanted) == 0 ? sp_copy_text(text + at) : NULL;
  free(text);
  return found;
}

bool sp_procfs_has_env(pid_t pid, const char *entry) {
  char *found = find_env(pid, entry, strlen(entry) + 1);
  free(found);
  return found != NULL;
}

char *sp_procfs_env(pid_t pid, const char *name) {
  char *start = sp_format("%s=", name), *found = find_env(pid, start, strlen(start));
  free(start);
  return found;
}
