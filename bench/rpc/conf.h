// What a side may say about its calls to a model server.
#ifndef SP_RPC_CONF_H
#define SP_RPC_CONF_H

#include "base/conf.h"

struct sp_rpc_conf {
  char *protocol;             // "tfs"
  char *address;              // "spawn", "HOST:PORT" or "unix:PATH"
  uint64_t in_flight;         // calls (of one batch each) under way at once, over all workers
  int64_t deadline_ns;        // of each call
  uint64_t channels;          // connections, used in turn
  int64_t connect_timeout_ns; // until every connection is ready
};
extern const struct sp_table sp_rpc_table; // struct sp_rpc_conf

#endif
