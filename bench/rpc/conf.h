// What a side may say about its calls to a model server.
#ifndef SP_RPC_CONF_H
#define SP_RPC_CONF_H

#include <string.h>

#include "base/conf.h"

// The second is what some demos do; here to show what it costs.
enum sp_rpc_channel { SP_RPC_CHANNEL_SHARED, SP_RPC_CHANNEL_PER_CALL };

// `rpc:` of a side: how calls are made and secured.
struct sp_rpc_link_conf {
  int channel;                   // enum sp_rpc_channel
  bool sync;                     // the worker waits for each answer before it takes the next event
  struct sp_properties metadata; // sent with every call (HTTP: headers)
  bool tls;
  char *ca;          // file of trusted certificates (PEM); NULL: the system's
  char *cert, *key;  // files (PEM) of the client's own, for mutual TLS; both or neither
  char *server_name; // name that the server's certificate must have; NULL: that of the address
  char *token;       // "authorization: Bearer TOKEN" with every call
};
extern const struct sp_table sp_rpc_link_table; // struct sp_rpc_link_conf

struct sp_rpc_conf {
  char *protocol;             // "tfs", "kserve" (gRPC), "tfs-rest", "kserve-rest"
  char *address;              // "spawn", a name of scripts/servers, "HOST:PORT" or "unix:PATH"
  uint64_t in_flight;         // calls (of one batch each) under way at once, over all workers
  int64_t deadline_ns;        // of each call
  uint64_t channels;          // connections, used in turn
  int64_t connect_timeout_ns; // until every connection is ready
  int64_t delay_ns;           // added by a relay, half each way; 0: the relay alone; -1: no relay
  struct sp_rpc_link_conf link;
};
extern const struct sp_table sp_rpc_table; // struct sp_rpc_conf

// Whether a trial starts the server: "spawn" or a name of scripts/servers, where an address has a colon.
static inline bool sp_rpc_is_started(const char *address) {
  return !strchr(address, ':');
}

#endif
