// What a path is made of, found out in a process that ends again: the driver of a trial over Kafka must know the prediction's
// tensor to read answers, and who predicts, but must hold no engine and no gRPC.
#ifndef SP_TRIAL_PROBE_H
#define SP_TRIAL_PROBE_H

#include "base/tensor.h"
#include "rpc/rpc.h"
#include "scenario/scenario.h"

struct sp_probe {
  char library[128];
  bool has_output;
  struct sp_tensor_spec output; // the prediction's
  bool has_server;
  struct sp_rpc_server_facts server;
};

// Opens the side's path as the application does, in a child that is forked and ends: from a process without threads, before any
// library starts some. server_address NULL for path rpc: the model file is looked at instead. Errors as sp_path_open.
enum sp_err sp_probe_side(const struct sp_scenario *scenario, const struct sp_side *side,
                          const char *server_address, struct sp_probe *probe, struct sp_error *error);

#endif
