// The keys of the reference model server and their defaults.
#include "server/conf.h"

#define SERVER(field) offsetof(struct sp_server_conf, field)
static const struct sp_key server_keys[] = {
    {"threads", SP_KIND_COUNT, SERVER(threads), "1", NULL, NULL, "--server-threads", "threads that serve and infer"},
    {"engine", SP_KIND_TEXT, SERVER(engine), "onnxruntime", NULL, NULL, "--server-engine", "library that runs the model in the server"},
    {"stub", SP_KIND_CHOICE, SERVER(stub), "none", "none recorded fixed echo", NULL, "--stub", "answer without any engine"},
    {"delay", SP_KIND_RAW, SERVER(delay), NULL, NULL, NULL, "--delay", "time the server takes for each answer: 5ms, exp:2ms, uniform:1ms..3ms, lognormal:median=1ms,p99=10ms"},
    {"fail", SP_KIND_RAW, SERVER(fail), NULL, NULL, NULL, "--fail", "answers that fail: UNAVAILABLE:1% or UNAVAILABLE:every=100"},
    {"delay_log", SP_KIND_TEXT, SERVER(delay_log), NULL, NULL, NULL, "--delay-log", "file that gets every delay as it was"},
    {0},
};
const struct sp_table sp_server_table = {"server", server_keys, sizeof(struct sp_server_conf), NULL};
