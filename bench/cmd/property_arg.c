// Properties and secrets from arguments.
#include "cmd/property_arg.h"

#include <stdlib.h>
#include <string.h>

#include "os/files.h"
#include "scenario/bind.h"

#define SECRET_BYTES_MAX 65536

enum sp_err sp_secret_arg_read(const char *what, const char *text, char **value, struct sp_error *error) {
  if (text[0] == '$') {
    const char *found = getenv(text + 1);
    if (!found)
      return sp_fail(error, SP_ERR_USAGE, "%s: the environment has no %.60s; export it", what, text + 1);
    if (!*found)
      return sp_fail(error, SP_ERR_USAGE, "%s: %.60s in the environment is empty; export the secret", what,
                     text + 1);
    *value = sp_copy_text(found);
    return SP_OK;
  }
  if (text[0] != '@')
    return sp_fail(error, SP_ERR_USAGE, "%s: a secret is never written here; write \"@FILE\" or \"$NAME\"",
                   what);
  size_t n;
  enum sp_err err = sp_files_read(text + 1, SECRET_BYTES_MAX, value, &n, error);
  if (!err) (*value)[strcspn(*value, "\r\n")] = 0;
  if (!err && !**value)
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "%s: %.200s has nothing in its first line", what, text + 1);
  return err;
}

enum sp_err sp_property_arg_add(const char *text, struct sp_properties *properties, struct sp_error *error) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text) return sp_fail(error, SP_ERR_USAGE, "-X %.100s: write NAME=VALUE", text);
  if (properties->n == SP_PROPERTY_ARGS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "-X: more than %d properties", SP_PROPERTY_ARGS_MAX);
  struct sp_property *property = &properties->items[properties->n++];
  property->name = sp_format("%.*s", (int)(equals - text), text);
  if (!sp_property_is_secret(property->name)) {
    property->value = sp_copy_text(equals + 1);
    return SP_OK;
  }
  char *what = sp_format("-X %s", property->name);
  enum sp_err err = sp_secret_arg_read(what, equals + 1, &property->value, error);
  free(what);
  return err;
}

void sp_property_args_done(struct sp_properties *properties) {
  for (size_t i = 0; i < properties->n; i++) {
    free(properties->items[i].name);
    free(properties->items[i].value);
  }
}
