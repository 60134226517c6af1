// Whether what a verb printed reached its reader, and the same text in files.
#ifndef SP_CMD_PRINTED_H
#define SP_CMD_PRINTED_H

#include "base/err.h"

// Once, after all that goes to stdout. SP_ERR_ENVIRONMENT where it was not taken (full disk, closed): a verdict that nobody can read is not
// told by an exit code alone. A reader that went away (`| head`) had what it wanted: SP_OK.
enum sp_err sp_printed(struct sp_error *error);

// Writes the text to the file that a flag named and frees it; path NULL: not asked for, so that it is freed alone. Errors as sp_files_write.
enum sp_err sp_printed_export(const char *path, char *text, struct sp_error *error);

#endif
