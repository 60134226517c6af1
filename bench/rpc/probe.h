// What listens at an address, found out by speaking to it: gRPC's own words on a failed connection name its symptoms.
#ifndef SP_RPC_PROBE_H
#define SP_RPC_PROBE_H

#include <stdint.h>

enum sp_probe {
  SP_PROBE_NOTHING, // no connection
  SP_PROBE_SILENT,  // it takes connections and says nothing, or ends them
  SP_PROBE_HTTP1,
  SP_PROBE_HTTP2, // as gRPC, in clear
  SP_PROBE_TLS,
  SP_PROBE_OTHER,
};
// address: as sp_address_check allows. Blocks, at most twice timeout_ns beyond what resolving its name takes.
enum sp_probe sp_probe(const char *address, int64_t timeout_ns);

#endif
