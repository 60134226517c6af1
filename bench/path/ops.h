// The paths that exist, one per file; path.c lists them.
#ifndef SP_PATH_OPS_H
#define SP_PATH_OPS_H

#include "path/path.h"

extern const struct sp_path_ops sp_path_embedded_ops;
extern const struct sp_path_ops sp_path_rpc_ops;
extern const struct sp_path_ops sp_path_noop_ops;

#endif
