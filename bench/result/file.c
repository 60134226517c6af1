// Result folders: written whole or not at all, and read back.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "result/custom.h"
#include "result/file.h"

#define READ_BYTES_MAX (256u << 20) // a day of timeline is 10 MB

static enum sp_err fail_write(const char *path, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot write %s (%s); free some space, or choose another folder with --out", path,
                 strerror(errno));
}

static enum sp_err make_folders(const char *folder, struct sp_error *error) {
  char *path = sp_copy_text(folder);
  enum sp_err err = SP_OK;
  for (char *at = path + 1; !err && *path; at++) {
    char end = *at;
    if (end != '/' && end != '\0') continue;
    *at = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) err = fail_write(path, error);
    *at = end;
    if (end == '\0') break;
  }
  free(path);
  return err;
}

// Closes the file in any case.
static enum sp_err sync_and_rename(FILE *file, const char *temporary, const char *path,
                                   struct sp_error *error) {
  // A large write goes past the buffer: where it failed, nothing is left that fflush could fail with.
  bool is_written = !ferror(file) && fflush(file) == 0 && fsync(fileno(file)) == 0;
  int why = errno;
  is_written = fclose(file) == 0 && is_written;
  if (is_written && rename(temporary, path) == 0) return SP_OK;
  if (!is_written && why) errno = why;
  enum sp_err err = fail_write(path, error);
  unlink(temporary);
  return err;
}

// Calls `fill` on a temporary file beside FOLDER/NAME, which then takes that name.
static enum sp_err write_whole(const char *folder, const char *name,
                               void (*fill)(FILE *file, const void *context), const void *context,
                               struct sp_error *error) {
  enum sp_err err = make_folders(folder, error);
  if (err) return err;
  char *path = sp_format("%s/%s", folder, name),
       *temporary = sp_format("%s/.%s.%ld", folder, name, (long)getpid());
  FILE *file = fopen(temporary, "we");
  if (file) {
    fill(file, context);
    err = sync_and_rename(file, temporary, path, error);
  } else {
    err = fail_write(path, error);
  }
  free(path);
  free(temporary);
  return err;
}

static void fill_text(FILE *file, const void *text) {
  fputs(text, file);
}

enum sp_err sp_result_file_write(const char *folder, const char *name, const char *text,
                                 struct sp_error *error) {
  return write_whole(folder, name, fill_text, text, error);
}

struct distribution {
  const struct sp_histogram *histogram;
  int64_t n_above; // without an answer
};

// The format has no place for what ranks above every value: a reader must at least be told.
static void fill_hgrm(FILE *file, const void *distribution) {
  const struct distribution *d = distribution;
  sp_histogram_write_hgrm(d->histogram, file);
  int64_t n_all = d->histogram->n + d->n_above;
  if (d->n_above) {
    fprintf(file,
            "#[Answered events only: %" PRId64 " of %" PRId64 " got no answer and rank above all of these]\n",
            d->n_above, n_all);
  }
}

enum sp_err sp_result_write_distribution(const struct sp_histogram *histogram, int64_t n_above,
                                         const char *folder, struct sp_error *error) {
  struct distribution d = {histogram, n_above};
  return write_whole(folder, "latency.hgrm", fill_hgrm, &d, error);
}

enum sp_err sp_result_write_hgrm(const struct sp_meter *meter, bool closed_loop, const char *folder,
                                 struct sp_error *error) {
  enum sp_series series = closed_loop ? SP_SERIES_SERVICE : SP_SERIES_RESPONSE;
  return sp_result_write_distribution(sp_meter_series(meter, series),
                                      sp_meter_n_above(meter, SP_SERIES_RESPONSE), folder, error);
}

// The whole file from malloc; NULL and errno where it cannot be read.
static char *read_whole(const char *path, size_t *n_bytes) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // no waiting for who writes to a pipe
  struct stat about;
  char *text = NULL;
  *n_bytes = 0;
  if (fd < 0 || fstat(fd, &about) != 0) goto out;
  errno = S_ISREG(about.st_mode) ? about.st_size > READ_BYTES_MAX ? EFBIG : 0 : EINVAL;
  if (errno) goto out;
  text = sp_alloc((size_t)about.st_size + 1);
  for (ssize_t n = 1; n > 0 && *n_bytes < (size_t)about.st_size;) {
    n = read(fd, text + *n_bytes, (size_t)about.st_size - *n_bytes);
    if (n > 0) *n_bytes += (size_t)n;
  }
out:
  if (fd >= 0) close(fd);
  return text;
}

enum sp_err sp_result_file_read(const char *path, const char *name, const char *what, char **file,
                                char **text, size_t *n_text, struct sp_error *error) {
  struct stat about;
  bool is_folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
  size_t n_path = strlen(path);
  while (n_path > 1 && path[n_path - 1] == '/') n_path--;
  *file = is_folder ? sp_format("%.*s/%s", (int)n_path, path, name) : sp_copy_text(path);
  *text = read_whole(*file, n_text);
  if (*text) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); %s is a folder that holds %s", *file,
                 strerror(errno), what, name);
}
