// The half of servepath inspect that describes a result.
#ifndef SP_CMD_INSPECT_RESULT_H
#define SP_CMD_INSPECT_RESULT_H

#include <stdbool.h>

#include "base/err.h"

// Reads FOLDER/result.json, or the file itself, and describes it on stdout; with is_json as it was read.
enum sp_err sp_inspect_result(const char *path, bool is_json, struct sp_error *error);

#endif
