// The simulator's model server as a path.
#ifndef SUPPORT_SIM_SERVER_H
#define SUPPORT_SIM_SERVER_H

#include "support/sim.h"

extern const struct sp_path_ops sim_server_ops;
int64_t sim_server_next_ns(const struct sim *sim); // when the next call comes back; INT64_MAX: none under way
unsigned sim_server_next_worker(const struct sim *sim);

#endif
