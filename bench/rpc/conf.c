// The keys of an RPC client and their defaults.
#include "rpc/conf.h"

// A row is a key.
// clang-format off

#define RPC(field) offsetof(struct sp_rpc_conf, field)
static const struct sp_key rpc_keys[] = {
    {"protocol", SP_KIND_TEXT, RPC(protocol), "tfs", NULL, NULL, "--protocol", "protocol spoken to the model server"},
    {"address", SP_KIND_TEXT, RPC(address), "spawn", NULL, NULL, "--server", "spawn (our reference server, for the trial), HOST:PORT or unix:PATH"},
    {"in_flight", SP_KIND_COUNT, RPC(in_flight), "64", NULL, NULL, "--in-flight", "calls under way at once"},
    {"deadline", SP_KIND_DURATION, RPC(deadline_ns), "5s", NULL, NULL, "--deadline", "deadline of each call"},
    {"channels", SP_KIND_COUNT, RPC(channels), "1", NULL, NULL, "--channels", "connections, used in turn"},
    {"connect_timeout", SP_KIND_DURATION, RPC(connect_timeout_ns), "5s", NULL, NULL, "--connect-timeout", "time until every connection must be ready"},
    {0},
};
const struct sp_table sp_rpc_table = {"rpc", rpc_keys, sizeof(struct sp_rpc_conf), NULL};
