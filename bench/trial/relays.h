// The relay between application and model server that emulates a network: a child of its own, so that what it costs is
// neither the application's nor the server's.
#ifndef SP_TRIAL_RELAYS_H
#define SP_TRIAL_RELAYS_H

#include "os/files.h"
#include "os/process.h"
#include "scenario/scenario.h"
#include "trial/placement.h"

// SP_ERR_USAGE where a delay was asked for (--rpc-delay) and none of the sides to be run calls a model server.
enum sp_err sp_trial_relay_check(const struct sp_side *const *sides, size_t n, struct sp_error *error);

// Starts `servepath relay` before `target` (HOST:PORT or unix:PATH) with half of delay_ns (0: passes on at once) each way, and waits until it listens, always
// on TCP of loopback. *address (from malloc) is where calls go now. Its own hop comes on
// top: two wake-ups each way, some 0.1 to 0.3 ms a call, the same for every delay. The child must be freed even after an error.
// SP_ERR_ENVIRONMENT: it did not start; SP_ERR_USAGE: target is no address.
enum sp_err sp_trial_relay_start(const char *target, int64_t delay_ns, const struct sp_cpus *cpus,
                                 struct sp_run_dir *dir, struct sp_supervisor *supervisor,
                                 struct sp_child *relay, char **address, struct sp_error *error);

#endif
