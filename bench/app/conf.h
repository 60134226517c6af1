// What a side may say about the application loop.
#ifndef SP_APP_CONF_H
#define SP_APP_CONF_H

#include "base/conf.h"

enum sp_wait { SP_WAIT_PARK, SP_WAIT_SPIN, SP_WAIT_HYBRID };

struct sp_app_conf {
  uint64_t threads; // workers
  uint64_t batch;   // take what waits, at most so many
  int wait;         // enum sp_wait
};
extern const struct sp_table sp_app_table; // struct sp_app_conf

#endif
