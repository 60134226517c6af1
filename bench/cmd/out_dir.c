#include "cmd/out_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "os/files.h"

char *sp_out_dir_new(const char *name, const char *what) {
  char stamp[32];
  time_t now = time(NULL);
  struct tm utc;
  struct sp_error ignored;
  gmtime_r(&now, &utc);
  strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
  sp_files_make_dirs("results", &ignored);
  char *dir = sp_format("results/%s-%s-%s", name, what, stamp);
  for (int i = 2; mkdir(dir, 0777) != 0 && errno == EEXIST; i++) {
    free(dir);
    dir = sp_format("results/%s-%s-%s-%d", name, what, stamp, i);
  }
  return dir;
}
