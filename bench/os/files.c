// Folders, whole-file writes and reads, removal.
#include "os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

size_t sp_files_free_bytes(const char *path) {
  char *folder = sp_copy_text(path);
  struct statvfs facts;
  size_t n = SIZE_MAX;
  for (;;) { // up to the nearest folder that is there
    if (statvfs(*folder ? folder : ".", &facts) == 0) {
      n = (size_t)facts.f_bavail * facts.f_frsize;
      break;
    }
    char *slash = strrchr(folder, '/');
    if (!*folder) break;
    if (slash && slash != folder) {
      *slash = '\0';
    } else {
      folder[slash ? strcmp(folder, "/") != 0 : 0] = '\0';
    }
  }
  free(folder);
  return n;
}

enum sp_err sp_files_fail_write(const char *path, int error_number, struct sp_error *error) {
  if (error_number == ENOSPC || error_number == EDQUOT)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot write %s: the disk is full (%s, %zu bytes free); make room, or name another place",
                   path, strerror(error_number), sp_files_free_bytes(path));
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); name another place", path,
                 strerror(error_number));
}

static enum sp_err make_one(const char *path, struct sp_error *error) {
  struct stat facts;
  if (mkdir(path, 0777) == 0) return SP_OK;
  int why = errno;
  if (why == EEXIST && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) return SP_OK;
  if (why == EEXIST)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot make the folder %s: a file has that name; choose another", path);
  return sp_files_fail_write(path, why, error);
}

enum sp_err sp_files_make_dirs(const char *path, struct sp_error *error) {
  char *copy = sp_copy_text(path);
  enum sp_err err = SP_OK;
  for (char *slash = strchr(copy + (*copy == '/'), '/'); slash && err == SP_OK;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    err = make_one(copy, error);
    *slash = '/';
  }
  if (err == SP_OK) err = make_one(copy, error);
  free(copy);
  return err;
}

enum sp_err sp_files_make_parent(const char *path, struct sp_error *error) {
  const char *slash = strrchr(path, '/');
  if (!slash || slash == path) return SP_OK;
  char *folder = sp_format("%.*s", (int)(slash - path), path);
  enum sp_err err = sp_files_make_dirs(folder, error);
  free(folder);
  return err;
}

enum sp_err sp_files_claim(const char *folder, int *claim, struct sp_error *error) {
  *claim = -1;
  enum sp_err err = sp_files_make_dirs(folder, error);
  if (err) return err;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
    *claim = fd;
    return SP_OK;
  }
  bool is_held = fd >= 0 && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  if (!is_held) return SP_OK;
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "%s is being written by another servepath; wait for it to end, or name another folder with --out",
      folder);
}

void sp_files_release(int claim) {
  if (claim >= 0) close(claim);
}

// 0, or an errno.
static int write_all(int fd, struct sp_bytes bytes) {
  size_t n = 0;
  while (n < bytes.n) {
    ssize_t wrote = write(fd, bytes.data + n, bytes.n - n);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    n += (size_t)wrote;
  }
  return fsync(fd) != 0 && errno != EINVAL && errno != EROFS ? errno
                                                             : 0; // EINVAL: a file that cannot be synced
}

// 0, or an errno.
static int write_to(const char *path, struct sp_bytes bytes) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int why = fd < 0 ? errno : write_all(fd, bytes);
  if (fd >= 0 && close(fd) != 0 && !why) why = errno;
  return why;
}

// A device, a pipe or a link (/dev/stdout): root's rename would put a file in its place.
static bool is_special(const char *path) {
  struct stat facts;
  return lstat(path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode);
}

enum sp_err sp_files_write(const char *path, struct sp_bytes bytes, struct sp_error *error) {
  if (is_special(path)) {
    int why = write_to(path, bytes);
    return why ? sp_files_fail_write(path, why, error) : SP_OK;
  }
  char *temporary = sp_format("%s.%d.tmp", path, (int)getpid());
  int why = write_to(temporary, bytes);
  if (!why && rename(temporary, path) != 0) why = errno;
  if (why) unlink(temporary);
  free(temporary);
  return why ? sp_files_fail_write(path, why, error) : SP_OK;
}

enum sp_err sp_files_read(const char *path, size_t max_bytes, char **text, size_t *n_bytes,
                          struct sp_error *error) {
  *text = NULL;
  *n_bytes = 0;
  FILE *file = fopen(path, "re");
  int why = file ? 0 : errno;
  size_t capacity = 0;
  while (!why) {
    if (capacity - *n_bytes < 2) *text = sp_realloc(*text, capacity = capacity ? capacity * 2 : 4096);
    size_t n = fread(*text + *n_bytes, 1, capacity - *n_bytes - 1, file);
    *n_bytes += n;
    if (*n_bytes > max_bytes) why = EFBIG;
    if (n == 0) break;
  }
  if (file && ferror(file)) why = errno; // a folder opens, but does not read
  if (file) fclose(file);
  if (!why) {
    (*text)[*n_bytes] = '\0';
    return SP_OK;
  }
  free(*text);
  *text = NULL;
  *n_bytes = 0;
  if (why == EFBIG)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s is longer than the %zu bytes allowed; is it the right file?", path, max_bytes);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); check the path", path, strerror(why));
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
  (void)facts;
  (void)kind;
  (void)place;
  return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

bool sp_files_holds(const char *folder, const char *name) {
  char *path = sp_format("%s/%s", folder, name);
  bool is_there = access(path, F_OK) == 0;
  free(path);
  return is_there;
}

bool sp_files_remove(const char *path) {
  struct stat facts;
  if (lstat(path, &facts) != 0) return errno == ENOENT;
  return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0;
}
