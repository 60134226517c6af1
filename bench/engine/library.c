// Loading the libraries of engines at run time, so that a machine without one runs the others.
#include "engine/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *load(const char *path, char *why, size_t n_why) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) snprintf(why, n_why, "%s", dlerror());
  return handle;
}

// False if there is none.
static bool path_beside(const char *beside, char *path, size_t n) {
  char exe[4096];
  ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (length <= 0) return false;
  exe[length] = 0;
  char *slash = strrchr(exe, '/');
  if (!slash) return false;
  *slash = 0;
  int written = snprintf(path, n, "%s/%s", exe, beside);
  return written > 0 && (size_t)written < n && access(path, R_OK) == 0;
}

enum sp_err sp_engine_library_load(const struct sp_engine_library *library, void **handle,
                                   struct sp_error *error) {
  char why[512] = "", path[8192];
  const char *named = getenv(library->variable);
  if (named && *named) {
    *handle = load(named, why, sizeof why);
    if (*handle) return SP_OK;
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "cannot load %s from %s=%s (%s); correct it, or unset it and run %s", library->title,
                   library->variable, named, why, library->setup);
  }
  *handle = load(path_beside(library->beside, path, sizeof path) ? path : library->name, why, sizeof why);
  if (*handle) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot load %s (%s); run %s, or name a copy in %s",
                 library->title, why, library->setup, library->variable);
}
