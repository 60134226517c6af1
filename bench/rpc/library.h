// gRPC as this process uses it: started once, quiet, and the names of its status codes.
#ifndef SP_RPC_LIBRARY_H
#define SP_RPC_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

// Largest message taken or given, either half.
#define SP_RPC_MESSAGE_BYTES_MAX (64 << 20)

// Counted: each start needs an end. Before the first, no gRPC code runs in the process. gRPC's own log is silenced (its
// lines name C++ files, and what matters comes back as a status) unless GRPC_VERBOSITY is set. Any thread.
void sp_grpc_start(void);
void sp_grpc_end(void); // the last one waits until gRPC's threads are gone

const char *sp_grpc_version(void); // of the library in use, "29.0.0": that of its C core; any time
const char *sp_grpc_library(void); // "grpc core 29.0.0", which is gRPC 1.51; any time

// gRPC's status codes, for those who may not include its headers: the ones that are spoken of by name.
enum sp_status {
  SP_STATUS_OK = 0,
  SP_STATUS_INVALID_ARGUMENT = 3,
  SP_STATUS_NOT_FOUND = 5,
  SP_STATUS_INTERNAL = 13,
  SP_STATUS_UNAVAILABLE = 14,
};
// Their names: "UNAVAILABLE" for 14. NULL beyond 0..16; -1 for an unknown name.
const char *sp_status_name(int code);
int sp_status_of_name(const char *name);
// What a call that ended with that code was (DESIGN §2); SP_OUTCOME_NONE for OK.
enum sp_outcome sp_status_outcome(int code);

#endif
