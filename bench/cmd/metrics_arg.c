#include "cmd/metrics_arg.h"

#include <stdlib.h>
#include <string.h>

static enum sp_err add(const char *name, const char *verb, size_t most, const struct sp_metric **family,
                       size_t *n, struct sp_error *error) {
  const struct sp_metric *metric = sp_metric_find(name);
  const char *nearest = metric ? NULL : sp_metric_nearest(name);
  if (!metric && nearest)
    return sp_fail(error, SP_ERR_USAGE, "--metrics: no metric %.60s; did you mean %s", name, nearest);
  if (!metric)
    return sp_fail(error, SP_ERR_USAGE, "--metrics: no metric %.60s; see servepath %s --help", name, verb);
  for (size_t i = 0; i < *n; i++) {
    if (family[i] == metric)
      return sp_fail(error, SP_ERR_USAGE, "--metrics: %s stands there twice", metric->name);
  }
  if (*n == most)
    return sp_fail(error, SP_ERR_USAGE, "--metrics: at most %zu; more could not be told apart from chance",
                   most);
  family[(*n)++] = metric;
  return SP_OK;
}

enum sp_err sp_metrics_arg_read(const char *list, const char *verb, size_t most,
                                const struct sp_metric **family, size_t *n, struct sp_error *error) {
  if (!list) return SP_OK;
  char *own = sp_copy_text(list), *rest = own, *name;
  enum sp_err err = SP_OK;
  while (!err && (name = strsep(&rest, ","))) err = add(name, verb, most, family, n, error);
  free(own);
  return err;
}
