// Versions of a model: folders whose names are numbers.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "scenario/scenario.h"

static bool is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// The highest number among the folders of dir, 0 if there is none; their names into `held`.
static enum sp_err read_versions(const char *dir, uint64_t *highest, char *held, size_t n_held,
                                 struct sp_error *error) {
  DIR *entries = opendir(dir);
  if (!entries)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read the model's folder %.300s: %s", dir,
                   strerror(errno));
  held[0] = '\0';
  // cppcheck-suppress readdirCalled ; the stream is this call's own
  for (struct dirent *entry; (entry = readdir(entries));) {
    uint64_t version;
    if (sp_units_parse_count(entry->d_name, &version, NULL) || version == 0 || entry->d_name[0] == '0')
      continue;
    char *path = sp_format("%s/%s", dir, entry->d_name);
    if (is_folder(path)) {
      size_t n = strlen(held);
      snprintf(held + n, n_held - n, "%s%llu", n ? ", " : "", (unsigned long long)version);
      if (version > *highest) *highest = version;
    }
    free(path);
  }
  closedir(entries);
  return SP_OK;
}

enum sp_err sp_model_version_dir(const struct sp_model_conf *model, uint64_t *version, char **version_dir,
                                 struct sp_error *error) {
  uint64_t highest = 0;
  char held[128];
  enum sp_err err = read_versions(model->dir, &highest, held, sizeof held, error);
  if (err) return err;
  if (highest == 0)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%.300s holds no version; put the model into %.300s/1/",
                   model->dir, model->dir);
  *version = model->version ? model->version : highest;
  char *dir = sp_format("%s/%llu", model->dir, (unsigned long long)*version);
  if (!is_folder(dir)) {
    free(dir);
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%.300s has no version %llu; it holds %s", model->dir,
                   (unsigned long long)*version, held);
  }
  *version_dir = dir;
  return SP_OK;
}

void sp_model_settle_version(struct sp_model_conf *model) {
  uint64_t version, highest = 0;
  char held[128];
  size_t n = strlen(model->dir);
  while (n > 1 && model->dir[n - 1] == '/') n--;
  size_t start = n;
  while (start > 0 && model->dir[start - 1] != '/') start--;
  char *last = sp_format("%.*s", (int)(n - start), model->dir + start);
  bool is_version = !model->version && last[0] != '0' && !sp_units_parse_count(last, &version, NULL);
  if (is_version && start > 1 && is_folder(model->dir) &&
      read_versions(model->dir, &highest, held, sizeof held, NULL) == SP_OK && !highest) {
    model->version = version;
    model->dir[start - 1] = '\0';
  }
  free(last);
}
