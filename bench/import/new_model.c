// Copies a model, file by file, and opens the copy.
#include "import/new_model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/files.h"

#define COPY_BYTES ((size_t)1 << 20)
#define DEPTH_MAX  16 // of folders; more is a link that leads back

struct copying {
  const volatile sig_atomic_t *stop;
  uint8_t *buffer;
  struct sp_error *error;
};

static bool is_folder(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool ends_in(const char *text, const char *end) {
  size_t n = strlen(text), n_end = strlen(end);
  return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static enum sp_err pour(const struct copying *copying, int in, const char *from, int out, const char *to) {
  for (;;) {
    if (copying->stop && *copying->stop)
      return sp_fail(copying->error, SP_ERR_ENVIRONMENT, "%s: interrupted", from);
    ssize_t n = read(in, copying->buffer, COPY_BYTES);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return sp_fail(copying->error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", from, strerror(errno));
    if (n == 0) return SP_OK;
    for (ssize_t at = 0; at < n;) {
      ssize_t wrote = write(out, copying->buffer + at, (size_t)(n - at));
      if (wrote < 0 && errno != EINTR) return sp_files_fail_write(to, errno, copying->error);
      if (wrote > 0) at += wrote;
    }
  }
}

static enum sp_err copy_file(const struct copying *copying, const char *from, const char *to) {
  int in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0)
    return sp_fail(copying->error, SP_ERR_ENVIRONMENT, "cannot read %s (%s); check the path", from,
                   strerror(errno));
  int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  enum sp_err err =
      out < 0 ? sp_files_fail_write(to, errno, copying->error) : pour(copying, in, from, out, to);
  close(in);
  if (out >= 0 && close(out) != 0 && !err) err = sp_files_fail_write(to, errno, copying->error);
  return err;
}

// All that a folder holds, hidden files left out as servers do.
static enum sp_err copy_folder(const struct copying *copying, const char *from, const char *to, int depth) {
  enum sp_err err = sp_files_make_dirs(to, copying->error);
  DIR *folder = err ? NULL : opendir(from);
  if (!err && !folder)
    err =
        sp_fail(copying->error, SP_ERR_ENVIRONMENT, "cannot read the folder %s (%s)", from, strerror(errno));
  if (!err && depth == DEPTH_MAX)
    err = sp_fail(copying->error, SP_ERR_ENVIRONMENT, "%s: too deep; does a link in it lead back?", from);
  for (struct dirent *entry; folder && !err && (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    char *source = sp_format("%s/%s", from, entry->d_name), *target = sp_format("%s/%s", to, entry->d_name);
    err = is_folder(source) ? copy_folder(copying, source, target, depth + 1)
                            : copy_file(copying, source, target);
    free(source);
    free(target);
  }
  if (folder) closedir(folder);
  return err;
}

// ONNX keeps large weights in a file beside the model, which names it.
static enum sp_err copy_weights(const struct copying *copying, const char *from, const char *version_dir) {
  static const char *const ends[] = {".data", "_data"};
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < 2 && !err; i++) {
    char *source = sp_format("%s%s", from, ends[i]);
    const char *slash = strrchr(source, '/');
    char *target = sp_format("%s/%s", version_dir, slash ? slash + 1 : source);
    if (access(source, F_OK) == 0) err = copy_file(copying, source, target);
    free(source);
    free(target);
  }
  return err;
}

// Which file of a folder makes it a model; NULL: none.
static const char *model_in(const char *folder) {
  static const char *const names[] = {"model.onnx", "saved_model.pb", "model.tflite"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char *path = sp_format("%s/%s", folder, names[i]);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    if (is_there) return names[i];
  }
  return NULL;
}

static enum sp_err copy_single(const struct copying *copying, const char *from, const char *version_dir) {
  const char *slash = strrchr(from, '/');
  if (strcmp(slash ? slash + 1 : from, "saved_model.pb") == 0) {
    char *folder = slash ? sp_format("%.*s", (int)(slash - from), from) : sp_copy_text(".");
    enum sp_err err = copy_folder(copying, folder, version_dir, 0);
    free(folder);
    return err;
  }
  char *to = sp_format("%s/%s", version_dir, ends_in(from, ".tflite") ? "model.tflite" : "model.onnx");
  enum sp_err err = sp_files_make_dirs(version_dir, copying->error);
  if (!err) err = copy_file(copying, from, to);
  if (!err) err = copy_weights(copying, from, version_dir);
  free(to);
  return err;
}

enum sp_err sp_new_model_copy(const char *from, const char *version_dir, const volatile sig_atomic_t *stop,
                              struct sp_error *error) {
  struct copying copying = {.stop = stop, .buffer = sp_alloc(COPY_BYTES), .error = error};
  enum sp_err err;
  if (!is_folder(from))
    err = copy_single(&copying, from, version_dir);
  else if (model_in(from))
    err = copy_folder(&copying, from, version_dir, 0);
  else
    err =
        sp_fail(error, SP_ERR_ENVIRONMENT,
                "%s holds no model.onnx, saved_model.pb or model.tflite; name the file, or the folder of one "
                "version",
                from);
  free(copying.buffer);
  return err;
}

enum sp_err sp_new_model_open(const char *from, const char *version_dir, struct sp_engine **engine,
                              const char **name, struct sp_error *error) {
  const char *file = model_in(version_dir);
  *name = file && strcmp(file, "model.onnx") == 0 ? "onnxruntime" : "openvino";
  struct sp_engine_conf conf = {.engine = (char *)(uintptr_t)*name, .intra_threads = 1}; // only read
  struct sp_error inner;
  enum sp_err err = sp_engine_open(&conf, version_dir, engine, &inner);
  if (!err) return SP_OK;
  // The copy's path, which is about to be removed, is not the one to look at.
  const char *at = strstr(inner.text, version_dir);
  int n_before = at ? (int)(at - inner.text) : (int)strlen(inner.text);
  const char *rest = at ? at + strlen(version_dir) : "";
  if (at && *rest == '/') rest += 1 + strcspn(rest + 1, " :,;)");
  return sp_fail(error, err, "%.*s%s%s", n_before, inner.text, at ? from : "", rest);
}
