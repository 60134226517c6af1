// A model's version folders as they stand in the file system: which there are, and whether one has changed.
#ifndef SP_SERVER_VERSIONS_H
#define SP_SERVER_VERSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sp_version_seen {
  uint64_t version;
  // Of names, sizes, times of change and inodes of all that lies in it, at any depth: equal where nothing was written, added,
  // taken away or put in another's place between two looks.
  uint64_t print;
};

// The folders of `dir` whose name is a positive number without leading zeros, rising; none is no error. *seen from malloc.
// SP_ERR_ENVIRONMENT: dir cannot be read.
enum sp_err sp_versions_look(const char *dir, struct sp_version_seen **seen, size_t *n,
                             struct sp_error *error);
// Of one of them; 0 where it is gone.
uint64_t sp_versions_print(const char *dir, uint64_t version);

#endif
