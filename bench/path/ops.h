// The paths that exist, one per file, and one line each here: path(NAME) stands for sp_path_NAME_ops.
#ifndef SP_PATH_OPS_H
#define SP_PATH_OPS_H

#include "path/path.h"

// clang-format off
#define SP_PATHS(path) \
  path(embedded)       \
  path(rpc)            \
  path(noop)
// clang-format on

#define SP_PATH_DECLARE(name) extern const struct sp_path_ops sp_path_##name##_ops;
SP_PATHS(SP_PATH_DECLARE)
#undef SP_PATH_DECLARE

#endif
