// What a side may say about the application loop.
#ifndef SP_APP_CONF_H
#define SP_APP_CONF_H

#include "base/conf.h"

// `wait` is enum sp_wait of base/gate.h.

struct sp_app_conf {
  uint64_t threads; // workers
  uint64_t batch;   // take what waits, at most so many
  int wait;         // enum sp_wait (base/gate.h)
};
extern const struct sp_table sp_app_table; // struct sp_app_conf

#endif
