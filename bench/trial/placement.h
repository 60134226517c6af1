// Which processors each role of a trial runs on (DESIGN §3.9): the same for every path.
#ifndef SP_TRIAL_PLACEMENT_H
#define SP_TRIAL_PLACEMENT_H

#include "base/err.h"
#include "os/affinity.h"
#include "trial/conf.h"

struct sp_placement {
  struct sp_cpus driver; // pacer, collector, control
  struct sp_cpus app;    // workers
  struct sp_cpus server; // model server
  struct sp_cpus broker; // with the driver, unless it is placed elsewhere
  char text[128];    // "driver=0,app=1,server=1" (and the broker where it is not with the driver), or "none"
  char allowed[128]; // "0-3": what the process could use before it placed itself
};

// The scenario's cpus, or the standard: the first allowed processor for driver, every other one for application and server;
// with only one processor everything is left to the kernel. SP_ERR_USAGE for an unknown role or processor.
enum sp_err sp_placement_resolve(const struct sp_trial_conf *conf, struct sp_placement *placement,
                                 struct sp_error *error);

#endif
