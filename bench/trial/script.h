// The scripts of the installation that a trial starts: brokers, servers and applications that others wrote.
#ifndef SP_TRIAL_SCRIPT_H
#define SP_TRIAL_SCRIPT_H

#include <stdbool.h>

#include "base/err.h"

// scripts/NAME below $SERVEPATH_HOME, or below the folder beside that of this program; from malloc, whether it is there or not.
char *sp_script_path(const char *name);
// A name as those of scripts/servers and scripts/apps are: small letters, digits and dashes.
bool sp_script_is_name(const char *text);
// FOLDER/NAME, or FOLDER/NAME/RUN where `run` is given, as *path from malloc. SP_ERR_USAGE: there is no such script, with the nearest
// or all that there are; SP_ERR_ENVIRONMENT: not even the folder. `remedy` ends the message.
enum sp_err sp_script_find(const char *folder, const char *name, const char *run, const char *remedy,
                           char **path, struct sp_error *error);

#endif
