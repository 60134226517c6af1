// The key that names a side's path.
#include "path/conf.h"

// A row is a key.
// clang-format off

static const struct sp_key path_keys[] = {
    {"path", SP_KIND_TEXT, offsetof(struct sp_path_conf, path), "embedded", NULL, NULL, "--path", "embedded, rpc or noop"},
    {0},
};
const struct sp_table sp_path_table = {"path", path_keys, sizeof(struct sp_path_conf), NULL};
