// Which path a side takes.
#ifndef SP_PATH_CONF_H
#define SP_PATH_CONF_H

#include "base/conf.h"

struct sp_path_conf {
  char *path; // "embedded", "rpc", "noop"
};
extern const struct sp_table sp_path_table; // struct sp_path_conf

#endif
