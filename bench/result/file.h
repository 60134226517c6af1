// Files of a result folder: whole or absent. For result/ alone. One thread.
#ifndef SP_RESULT_FILE_H
#define SP_RESULT_FILE_H

#include <stddef.h>

#include "base/err.h"

// Writes FOLDER/NAME: a temporary file beside it, synced, then renamed; makes the folder and its parents where missing.
// SP_ERR_ENVIRONMENT: not writable, disk full.
enum sp_err sp_result_file_write(const char *folder, const char *name, const char *text,
                                 struct sp_error *error);
// Reads the file `path`, or PATH/NAME where it is a folder. *file: what was read, for messages; *text: ends with a NUL after
// its n_text bytes; both from malloc (*file in any case). SP_ERR_ENVIRONMENT: cannot be read; `what` ("a result") is in the message.
enum sp_err sp_result_file_read(const char *path, const char *name, const char *what, char **file,
                                char **text, size_t *n_text, struct sp_error *error);

#endif
