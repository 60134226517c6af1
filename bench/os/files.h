// Files that are whole or absent, and the folder of a run: temporary files, sockets and the names of its
// processes, so that the next run can clean up after one that was killed.
#ifndef SP_OS_FILES_H
#define SP_OS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"
#include "os/process.h"

// All folders of a path, mode 0777 less umask. SP_ERR_ENVIRONMENT naming the first that cannot be made.
enum sp_err sp_files_make_dirs(const char *path, struct sp_error *error);
// All folders that a file of that path lies in; none for a bare name.
enum sp_err sp_files_make_parent(const char *path, struct sp_error *error);
// Makes the folder and holds it until sp_files_release, or the end of this process: two that measure into one folder would take each
// other's trials away. SP_ERR_ENVIRONMENT where another process holds it, or it cannot be made; *claim is -1 then, and where the file system
// knows no locks.
enum sp_err sp_files_claim(const char *folder, int *claim, struct sp_error *error);
void sp_files_release(int claim); // -1: nothing
// Writes the whole file beside its name, syncs it, renames it: readers see the old or the new one.
// SP_ERR_ENVIRONMENT (disk full, not writable) leaves the old one. A device, a pipe or a link is written to, never replaced; blocks on a
// pipe until somebody reads.
enum sp_err sp_files_write(const char *path, struct sp_bytes bytes, struct sp_error *error);
// The whole file, with a NUL after its last byte; *text from malloc. SP_ERR_ENVIRONMENT above max_bytes or
// unreadable.
enum sp_err sp_files_read(const char *path, size_t max_bytes, char **text, size_t *n_bytes,
                          struct sp_error *error);
// One line of a failed write to `path` by errno: what, and the remedy (disk full: how much is free, where to
// write instead).
enum sp_err sp_files_fail_write(const char *path, int error_number, struct sp_error *error);
// Bytes free for this user where `path` (or its nearest existing folder) lies; SIZE_MAX if unknown.
size_t sp_files_free_bytes(const char *path);
// Whether the folder holds a file or folder of that name.
bool sp_files_holds(const char *folder, const char *name);
// Removes a file or a folder with all it holds, without following links. False if something is left.
bool sp_files_remove(const char *path);

// --- The folder of a run ---

// A process that sweeps as soon as its parent has been killed: what that had started may have started more, which
// does not end by itself. Nobody else knows until the next run.
struct sp_reaper {
  pid_t pid;
  int pipe_fd; // of the parent: closed by its death
};
// Until `folder`, the run's, is gone. From a process that has no threads yet. Without one, where none can be started, the next run sweeps.
void sp_reaper_start(struct sp_reaper *reaper, const char *folder);
// Ends it without a sweep. Zeroed is allowed.
void sp_reaper_stop(struct sp_reaper *reaper);

// $XDG_RUNTIME_DIR/servepath/run-ID, or /tmp/servepath-UID/run-ID; mode 0700; short enough for unix sockets.
// A lock on its file "owner" says that the owner lives; "children" lists process, start time and name, a line
// each.
struct sp_run_dir {
  char *path;
  int owner_fd;
  struct sp_reaper reaper;
};

// Makes the folder after sweeping those of dead runs, and starts a reaper: no threads yet. `id`: 1 to 32 letters, digits, '-'; it must be new.
// SP_ERR_ENVIRONMENT if the parent belongs to somebody else or others may write there, or the disk is full;
// SP_ERR_USAGE for another id.
enum sp_err sp_run_dir_new(struct sp_run_dir *dir, const char *id, struct sp_error *error);
// Notes a child, so that a later sweep can end it should this process be killed and the child live on.
enum sp_err sp_run_dir_add_child(struct sp_run_dir *dir, const struct sp_child *child,
                                 struct sp_error *error);
// DIR/NAME, from malloc.
char *sp_run_dir_file(const struct sp_run_dir *dir, const char *name);
// Removes the folder and all it holds. Zeroed is allowed.
void sp_run_dir_free(struct sp_run_dir *dir);

struct sp_left_over {
  unsigned n_folders;   // of dead runs, removed
  unsigned n_processes; // of dead runs, killed
};
// Cleans up after runs whose owner is gone (its lock is free): kills the children noted, where process number
// and start time are both as noted, with their groups, and whatever still carries the owner's mark
// (sp_process_mark); removes the folder. Also done by sp_run_dir_new. Never fails: what cannot be removed is
// left for next time.
struct sp_left_over sp_run_dir_sweep(void);

#endif
