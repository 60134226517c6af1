// The folder of a run, and the sweep after runs that were killed. A run lives as long as somebody holds the
// lock on its owner file: the kernel frees it however the owner ends, and numbers of processes that were used
// again cannot fool it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/files.h"
#include "os/procfs.h"

#define RUNTIME_BYTES_MAX 40
#define ID_BYTES_MAX      32

// --- Where ---

// Ours alone: a folder that somebody else made in /tmp could be theirs to change.
static enum sp_err check_parent(const char *path, struct sp_error *error) {
  struct stat facts;
  if (lstat(path, &facts) != 0) return sp_files_fail_write(path, errno, error);
  if (S_ISDIR(facts.st_mode) && facts.st_uid == geteuid() && (facts.st_mode & 022) == 0) return SP_OK;
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "%s is not a folder of this user that only this user may write to; remove it, or set XDG_RUNTIME_DIR",
      path);
}

// From malloc. A path of a unix socket holds 107 bytes: folder, "/servepath/run-", id and a file's name must
// fit.
static char *parent_path(void) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  bool is_usable =
      runtime && runtime[0] == '/' && strlen(runtime) <= RUNTIME_BYTES_MAX && access(runtime, W_OK) == 0;
  if (is_usable) return sp_format("%s/servepath", runtime);
  return sp_format("/tmp/servepath-%u", (unsigned)geteuid());
}

// --- Sweep ---

#define GROUPS_MAX 64

struct search {
  char mark[128];
  struct sp_left_over *sweep;
  pid_t
      groups[GROUPS_MAX]; // killed as a whole and counted as one: their members may take a moment to be gone
  size_t n_groups;
};

static void kill_noted(const char *line, struct search *search) {
  int pid;
  unsigned long long start_ticks;
  if (sscanf(line, "%d %llu", &pid, &start_ticks) != 2 || pid <= 1) return;
  if (sp_process_start_ticks((pid_t)pid) != start_ticks) return;
  // Its group if it leads one, as our children do.
  bool leads = kill((pid_t)-pid, SIGKILL) == 0;
  if (!leads && kill((pid_t)pid, SIGKILL) != 0) return;
  if (search->n_groups < GROUPS_MAX) search->groups[search->n_groups++] = (pid_t)pid;
  search->sweep->n_processes++;
}

static bool is_counted(const struct search *search, const struct sp_procfs_stat *stat) {
  for (size_t i = 0; i < search->n_groups; i++) {
    if (search->groups[i] == stat->group || search->groups[i] == stat->pid) return true;
  }
  return false;
}

static bool kill_marked(const struct sp_procfs_stat *stat, void *context) {
  struct search *search = context;
  if (stat->state == 'Z' || stat->pid == getpid() || !sp_procfs_has_env(stat->pid, search->mark)) return true;
  if (kill(stat->pid, SIGKILL) == 0 && !is_counted(search, stat)) search->sweep->n_processes++;
  return true;
}

static void kill_left_over(const char *folder, struct sp_left_over *sweep) {
  char *children = sp_format("%s/children", folder), *owner = sp_format("%s/owner", folder);
  char line[512];
  struct search search = {.sweep = sweep};
  FILE *file = fopen(children, "re");
  while (file && fgets(line, sizeof line, file)) kill_noted(line, &search);
  if (file) fclose(file);
  if (sp_procfs_read(owner, search.mark, sizeof search.mark) > 0) {
    search.mark[strcspn(search.mark, "\n")] = '\0';
    if (strchr(search.mark, '=')) sp_procfs_each(kill_marked, &search);
  }
  free(children);
  free(owner);
}

// Removes one folder if its owner is gone.
static void sweep_one(const char *folder, struct sp_left_over *sweep) {
  char *owner = sp_format("%s/owner", folder);
  int fd = open(owner, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  bool is_dead = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0; // held meanwhile, so that one sweep does it
  if (is_dead) {
    kill_left_over(folder, sweep);
    sweep->n_folders += sp_files_remove(folder);
  }
  if (fd >= 0) close(fd);
  free(owner);
}

// A folder that was being made when its owner was killed: it has no lock yet, so it is judged by its age.
static void sweep_unfinished(const char *folder, struct sp_left_over *sweep) {
  struct stat facts;
  if (lstat(folder, &facts) == 0 && time(NULL) - facts.st_mtime > 60)
    sweep->n_folders += sp_files_remove(folder);
}

struct sp_left_over sp_run_dir_sweep(void) {
  struct sp_left_over sweep = {0};
  char *parent = parent_path();
  DIR *folder = check_parent(parent, NULL) == SP_OK ? opendir(parent) : NULL;
  struct dirent *entry;
  while (folder && (entry = readdir(folder))) {
    char *path = sp_format("%s/%s", parent, entry->d_name);
    if (strncmp(entry->d_name, "run-", 4) == 0) sweep_one(path, &sweep);
    if (strncmp(entry->d_name, "new-", 4) == 0) sweep_unfinished(path, &sweep);
    free(path);
  }
  if (folder) closedir(folder);
  free(parent);
  return sweep;
}

// --- The folder ---

// Makes and locks the owner file, which holds the mark of this process. 0, or an errno.
static int make_owner(const char *folder, int *owner_fd) {
  char *path = sp_format("%s/owner", folder);
  *owner_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int why = *owner_fd < 0 ? errno : 0;
  if (!why && flock(*owner_fd, LOCK_EX | LOCK_NB) != 0) why = errno;
  if (!why && dprintf(*owner_fd, "%s\n", sp_process_mark()) < 0) why = errno;
  free(path);
  return why;
}

// Made under another name and renamed once it is locked, or a sweep beside us would take it for a dead one.
static int make_locked(const char *parent, const char *id, const char *path, int *owner_fd) {
  char *unfinished = sp_format("%s/new-%s-%d", parent, id, (int)getpid());
  int why = mkdir(unfinished, 0700) == 0 ? make_owner(unfinished, owner_fd) : errno;
  if (!why && rename(unfinished, path) != 0) why = errno;
  if (why) sp_files_remove(unfinished);
  free(unfinished);
  return why;
}

enum sp_err sp_run_dir_new(struct sp_run_dir *dir, const char *id, struct sp_error *error) {
  *dir = (struct sp_run_dir){.owner_fd = -1};
  if (!*id || strlen(id) > ID_BYTES_MAX ||
      id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")])
    return sp_fail(error, SP_ERR_USAGE, "\"%s\" cannot name a run; use 1 to 32 letters, digits and '-'", id);
  char *parent = parent_path();
  if (mkdir(parent, 0700) != 0 && errno != EEXIST) {
    enum sp_err err = sp_files_fail_write(parent, errno, error);
    free(parent);
    return err;
  }
  enum sp_err err = check_parent(parent, error);
  if (err == SP_OK) {
    sp_run_dir_sweep();
    dir->path = sp_format("%s/run-%s", parent, id);
    int why = make_locked(parent, id, dir->path, &dir->owner_fd);
    if (why == ENOTEMPTY || why == EEXIST)
      err = sp_fail(error, SP_ERR_ENVIRONMENT, "%s is there already: run %s is under way; give another name",
                    dir->path, id);
    else if (why)
      err = sp_files_fail_write(dir->path, why, error);
  }
  free(parent);
  if (err == SP_OK) {
    sp_reaper_start(&dir->reaper, dir->path);
    return SP_OK;
  }
  if (dir->owner_fd >= 0) close(dir->owner_fd);
  free(dir->path);
  *dir = (struct sp_run_dir){.owner_fd = -1};
  return err;
}

enum sp_err sp_run_dir_add_child(struct sp_run_dir *dir, const struct sp_child *child,
                                 struct sp_error *error) {
  char *path = sp_run_dir_file(dir, "children");
  char *line =
      sp_format("%d %llu %s\n", (int)child->pid, (unsigned long long)child->start_ticks, child->name);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ssize_t n = (ssize_t)strlen(line);
  enum sp_err err = SP_OK;
  if (fd < 0 || write(fd, line, (size_t)n) != n) err = sp_files_fail_write(path, errno, error);
  if (fd >= 0) close(fd);
  free(line);
  free(path);
  return err;
}

char *sp_run_dir_file(const struct sp_run_dir *dir, const char *name) {
  return sp_format("%s/%s", dir->path, name);
}

void sp_run_dir_free(struct sp_run_dir *dir) {
  if (!dir->path) return;
  sp_reaper_stop(&dir->reaper);
  sp_files_remove(dir->path);
  close(dir->owner_fd);
  free(dir->path);
  *dir = (struct sp_run_dir){.owner_fd = -1};
}
