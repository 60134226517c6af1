// -X NAME=VALUE and secrets on the command lines of verbs that have no scenario.
#ifndef SP_CMD_PROPERTY_ARG_H
#define SP_CMD_PROPERTY_ARG_H

#include "base/conf.h"
#include "base/err.h"

#define SP_PROPERTY_ARGS_MAX 64

// "@FILE" (its first line) or "$NAME" into *value, free(): a secret stands in no command line, where every user of the machine
// could read it. `what` is named in messages. SP_ERR_USAGE, SP_ERR_ENVIRONMENT.
enum sp_err sp_secret_arg_read(const char *what, const char *text, char **value, struct sp_error *error);
// "NAME=VALUE" into properties->items, which has room for SP_PROPERTY_ARGS_MAX, and counts it; the value of a secret property
// as above. SP_ERR_USAGE, SP_ERR_ENVIRONMENT.
enum sp_err sp_property_arg_add(const char *text, struct sp_properties *properties, struct sp_error *error);
void sp_property_args_done(struct sp_properties *properties); // frees names and values, not the items

#endif
