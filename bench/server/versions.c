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

// One round of splitmix64's finalizer (S. Vigna, https://prng.di.unimi.it/splitmix64.c).
static uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * UINT64_C(0xbf58476d1ce4e5b9);
  return sum ^ sum >> 31;
}

static uint64_t mix_text(uint64_t sum, const char *text) {
  for (; *text; text++) sum = mix(sum, (uint8_t)*text);
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
    struct stat is = {0}; // and so it stays for a link to nothing
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    fstatat(dirfd(folder), entry->d_name, &is, 0);
    uint64_t own = mix(mix(mix_text(seed, entry->d_name), is.st_ino), (uint64_t)is.st_size);
    own = mix(mix(mix(own, (uint64_t)is.st_mtim.tv_sec), (uint64_t)is.st_mtim.tv_nsec), is.st_mode);
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
  return fd < 0 ? 0 : print_of(fd, 1, N_LEVELS_MAX);
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
