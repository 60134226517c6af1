// The keys of an RPC client and their defaults.
#include "rpc/conf.h"

// A row is a key.
// clang-format off

#define LINK(field) offsetof(struct sp_rpc_link_conf, field)
static const struct sp_key link_keys[] = {
    {"channel", SP_KIND_CHOICE, LINK(channel), "shared", "shared per-call", NULL, "--rpc-channel", "per-call: a new connection for every call, as some demos do, to show what it costs"},
    {"sync", SP_KIND_BOOL, LINK(sync), "false", NULL, NULL, "--rpc-sync", "the worker waits for each answer, as some demos do, to show what it costs"},
    {"metadata", SP_KIND_PROPERTIES, LINK(metadata), NULL, NULL, NULL, NULL, "sent with every call; secrets as @FILE or $NAME"},
    {"tls", SP_KIND_BOOL, LINK(tls), "false", NULL, NULL, "--rpc-tls", "speak TLS to the server"},
    {"ca", SP_KIND_PATH, LINK(ca), NULL, NULL, NULL, "--rpc-ca", "trusted certificates (PEM); the system's if absent"},
    {"cert", SP_KIND_PATH, LINK(cert), NULL, NULL, NULL, "--rpc-cert", "the client's certificate (PEM), for mutual TLS"},
    {"key", SP_KIND_PATH, LINK(key), NULL, NULL, NULL, "--rpc-key", "its key (PEM)"},
    {"server_name", SP_KIND_TEXT, LINK(server_name), NULL, NULL, NULL, "--rpc-server-name", "name that the server's certificate must have; that of the address if absent"},
    {"token", SP_KIND_SECRET, LINK(token), NULL, NULL, NULL, "--rpc-token", "bearer token, as @FILE or $NAME"},
    {0},
};
const struct sp_table sp_rpc_link_table = {"rpc", link_keys, sizeof(struct sp_rpc_link_conf), NULL};

#define RPC(field) offsetof(struct sp_rpc_conf, field)
static const struct sp_key rpc_keys[] = {
    {"protocol", SP_KIND_TEXT, RPC(protocol), "tfs", NULL, NULL, "--protocol", "protocol spoken to the model server: tfs or kserve over gRPC, tfs-rest or kserve-rest over HTTP"},
    {"address", SP_KIND_TEXT, RPC(address), "spawn", NULL, NULL, "--server", "spawn (our reference server, for the trial), a name of scripts/servers (started for the trial), HOST:PORT or unix:PATH"},
    {"in_flight", SP_KIND_COUNT, RPC(in_flight), "64", NULL, NULL, "--in-flight", "calls under way at once"},
    {"deadline", SP_KIND_DURATION, RPC(deadline_ns), "5s", NULL, NULL, "--deadline", "deadline of each call"},
    {"channels", SP_KIND_COUNT, RPC(channels), "1", NULL, NULL, "--channels", "connections, used in turn"},
    {"connect_timeout", SP_KIND_DURATION, RPC(connect_timeout_ns), "5s", NULL, NULL, "--connect-timeout", "time until every connection must be ready"},
    {"rpc_delay", SP_KIND_DURATION, RPC(delay_ns), "none", NULL, NULL, "--rpc-delay", "emulated network: added to the round trip of every call, half each way, by a relay before the server, whose own hop (some 0.1 to 0.3 ms) comes on top; 0us: the hop alone, as the first step of a sweep; none: no relay"},
    {"rpc", SP_KIND_TABLE, RPC(link), NULL, NULL, &sp_rpc_link_table, NULL, "how calls are made and secured"},
    {0},
};
const struct sp_table sp_rpc_table = {"calls", rpc_keys, sizeof(struct sp_rpc_conf), NULL};
