// Where scripts are, and which there are.
#include "trial/script.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "os/process.h"

#define NAMES_MAX 64

char *sp_script_path(const char *name) {
  const char *home = getenv("SERVEPATH_HOME");
  if (home && *home) return sp_format("%s/scripts/%s", home, name);
  const char *self = sp_process_self(), *slash = strrchr(self, '/');
  return sp_format("%.*s/../scripts/%s", slash ? (int)(slash - self) : 1, slash ? self : ".", name);
}

bool sp_script_is_name(const char *text) {
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return n > 0 && n < 64 && text[n] == '\0' && text[0] != '-';
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

// Names in a folder that a user may give, at most NAMES_MAX, sorted; each from malloc.
static size_t list(const char *folder, char *names[NAMES_MAX]) {
  size_t n = 0;
  DIR *dir = opendir(folder);
  if (!dir) return 0;
  for (struct dirent *entry; n < NAMES_MAX && (entry = readdir(dir));) {
    if (sp_script_is_name(entry->d_name)) names[n++] = sp_copy_text(entry->d_name);
  }
  closedir(dir);
  qsort(names, n, sizeof *names, by_name);
  return n;
}

static enum sp_err fail_unknown(const char *folder, const char *name, const char *remedy,
                                struct sp_error *error) {
  char *names[NAMES_MAX], *path = sp_script_path(folder), text[300];
  size_t n = list(path, names);
  enum sp_err err;
  if (n == 0)
    err =
        sp_fail(error, SP_ERR_ENVIRONMENT,
                "there is no folder %s; set SERVEPATH_HOME to the folder of servepath, or %s", path, remedy);
  else
    err = sp_fail(error, SP_ERR_USAGE, "\"%s\" is none of scripts/%s; %s; or %s", name, folder,
                  sp_names_suggest(name, (const char *const *)names, n, text, sizeof text), remedy);
  for (size_t i = 0; i < n; i++) free(names[i]);
  free(path);
  return err;
}

enum sp_err sp_script_find(const char *folder, const char *name, const char *run, const char *remedy,
                           char **path, struct sp_error *error) {
  char *relative = sp_format("%s/%s%s%s", folder, name, run ? "/" : "", run ? run : "");
  *path = sp_script_path(relative);
  free(relative);
  if (sp_script_is_name(name) && access(*path, X_OK) == 0) return SP_OK;
  free(*path);
  *path = NULL;
  return fail_unknown(folder, name, remedy, error);
}
