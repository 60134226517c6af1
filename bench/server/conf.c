// The keys of the reference model server and their defaults.
#include "server/conf.h"

// A row is a key.
// clang-format off

#define SERVER(field) offsetof(struct sp_server_conf, field)
static const struct sp_key server_keys[] = {
    {"threads", SP_KIND_COUNT, SERVER(threads), "1", NULL, NULL, "--server-threads", "threads that serve and infer"},
    {"engine", SP_KIND_TEXT, SERVER(engine), "onnxruntime", NULL, NULL, "--server-engine",
     "library that runs the model in the server"},
    {"max_batch", SP_KIND_COUNT, SERVER(max_batch), "64", NULL, NULL, "--server-max-batch",
     "rows of one request, or gathered into one run, at most"},
    {"batch_delay", SP_KIND_DURATION, SERVER(batch_delay_ns), "0us", NULL, NULL, "--server-batch-delay",
     "how long a request may wait for others to be run with; 0us: they are not gathered"},
    {"reload", SP_KIND_DURATION, SERVER(reload_ns), "1s", NULL, NULL, "--server-reload",
     "how often the models' folders are looked at for new and gone versions; 0s: never"},
    {"labels", SP_KIND_PROPERTIES, SERVER(labels), NULL, NULL, NULL, NULL, "version labels: name: version"},
    {"tls_cert", SP_KIND_PATH, SERVER(tls_cert), NULL, NULL, NULL, "--server-tls-cert", "certificate (PEM): serve TLS"},
    {"tls_key", SP_KIND_PATH, SERVER(tls_key), NULL, NULL, NULL, "--server-tls-key", "its key (PEM)"},
    {"tls_client_ca", SP_KIND_PATH, SERVER(tls_client_ca), NULL, NULL, NULL, "--server-tls-client-ca",
     "clients must show a certificate that one of these signed (PEM)"},
    {"token", SP_KIND_SECRET, SERVER(token), NULL, NULL, NULL, "--server-token",
     "bearer token that every call must carry, as @FILE or $NAME"},
    {"stub", SP_KIND_CHOICE, SERVER(stub), "none", "none recorded fixed echo", NULL, "--stub",
     "answer without any engine"},
    {"fixed_value", SP_KIND_REAL, SERVER(fixed_value), "0.5", NULL, NULL, "--fixed-value",
     "what stub fixed answers in every element"},
    {"delay", SP_KIND_RAW, SERVER(delay), NULL, NULL, NULL, "--delay",
     "time the server takes for each answer: 5ms, exp:2ms, uniform:1ms..3ms, lognormal:median=1ms,p99=10ms or "
     "file:FILE; serial: before it serves one call at a time on a thread; ;at_event=17:50ms behind it is for one event"},
    {"fail", SP_KIND_RAW, SERVER(fail), NULL, NULL, NULL, "--fail",
     "answers that fail: UNAVAILABLE:1%, UNAVAILABLE:every=100 or UNAVAILABLE:at=17 (calls), UNAVAILABLE:at_event=17,90 or "
     "UNAVAILABLE:every_event=100 (events of the recording; ,once: the first time only), several by ;"},
    {"seed", SP_KIND_COUNT, SERVER(seed), "1", NULL, NULL, "--server-seed", "seed of delays and failures"},
    {"delay_log", SP_KIND_TEXT, SERVER(delay_log), NULL, NULL, NULL, "--delay-log",
     "file that gets every delay as it was, in ns, a line each"},
    {0},
};
const struct sp_table sp_server_table = {"server", server_keys, sizeof(struct sp_server_conf), NULL};
