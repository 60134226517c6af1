// Looking at version folders.
#include "server/versions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_LEVELS_MAX 8 // a SavedModel has two

static int by_version(const void *a, const void *b) {
  const struct sp_version_seen *x = a, *y = b;
  return x->version < y->version ? -1 : x->version > y->version;
}

// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
static uint64_t hash(uint64_t sum, const void *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
  return sum;
}

// Takes fd. Entries are added up: a folder may list them in any order.
static uint64_t print_of(int fd, uint64_t seed, int n_levels) {
  DIR *folder = fdopendir(fd);
  if (!folder) {
    close(fd);
    return 0;
  }
  uint64_t sum = seed;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    struct stat is;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (fstatat(dirfd(folder), entry->d_name, &is, 0) != 0) memset(&is, 0, sizeof is); // a link to nothing
    const int64_t facts[] = {(int64_t)is.st_ino, is.st_size, is.st_mtim.tv_sec, is.st_mtim.tv_nsec,
                             (int64_t)is.st_mode};
    uint64_t own = hash(hash(seed, entry->d_name, strlen(entry->d_name)), facts, sizeof facts);
    // Not through links: they may lead in circles.
    int below = S_ISDIR(is.st_mode) && n_levels > 1
                    ? openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : -1;
    sum += below < 0 ? own : print_of(below, own, n_levels - 1);
  }
  closedir(folder);
  return sum;
}

// A folder named by a positive number without leading zeros; 0: it is not.
static uint64_t version_of(int dir_fd, const char *name) {
  size_t n_digits = strspn(name, "0123456789");
  struct stat there;
  if (!n_digits || name[n_digits] || n_digits > 18 || name[0] == '0') return 0;
  if (fstatat(dir_fd, name, &there, 0) != 0 || !S_ISDIR(there.st_mode)) return 0;
  return strtoull(name, NULL, 10);
}

static uint64_t print_at(int dir_fd, const char *name) {
  int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? 0 : print_of(fd, UINT64_C(0xcbf29ce484222325), N_LEVELS_MAX);
}

enum sp_err sp_versions_look(const char *dir, struct sp_version_seen **seen, size_t *n,
                             struct sp_error *error) {
  *seen = NULL;
  *n = 0;
  DIR *folder = opendir(dir);
  if (!folder)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read model folder %s (%s)", dir, strerror(errno));
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    uint64_t version = version_of(dirfd(folder), entry->d_name);
    if (!version) continue;
    *seen = sp_realloc(*seen, (*n + 1) * sizeof **seen);
    (*seen)[(*n)++] = (struct sp_version_seen){version, print_at(dirfd(folder), entry->d_name)};
  }
  closedir(folder);
  if (*n) qsort(*seen, *n, sizeof **seen, by_version);
  return SP_OK;
}

uint64_t sp_versions_print(const char *dir, uint64_t version) {
  char *path = sp_format("%s/%llu", dir, (unsigned long long)version);
  uint64_t print = print_at(AT_FDCWD, path);
  free(path);
  return print;
}
