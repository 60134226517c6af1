#include "cmd/printed.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/files.h"

static bool has_no_reader(void) {
  struct pollfd pipe_end = {.fd = STDOUT_FILENO};
  return poll(&pipe_end, 1, 0) == 1 && (pipe_end.revents & POLLERR);
}

enum sp_err sp_printed(struct sp_error *error) {
  // A large text goes past the buffer: where it failed, nothing is left that fflush could fail with.
  bool was_cut = ferror(stdout) != 0;
  errno = 0;
  bool is_flushed = fflush(stdout) == 0;
  if ((!was_cut && is_flushed) || has_no_reader()) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot write to stdout (%s); write to a file: --export-json FILE",
                 errno ? strerror(errno) : "not all of it was taken");
}

enum sp_err sp_printed_export(const char *path, char *text, struct sp_error *error) {
  enum sp_err err = path ? sp_files_write(path, sp_bytes_of_text(text), error) : SP_OK;
  free(text);
  return err;
}
