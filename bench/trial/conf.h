// Where a trial's processes and threads run.
#ifndef SP_TRIAL_CONF_H
#define SP_TRIAL_CONF_H

#include "base/conf.h"

struct sp_trial_conf {
  char *cpus;              // "driver=0,app=1,server=1"; "none": left to the kernel; NULL: DESIGN §3.9
  int64_t wake_latency_ns; // see os/wakeup.h; -1: the machine's own
};
extern const struct sp_table sp_trial_table; // struct sp_trial_conf

#endif
