// The keys of the application loop and their defaults.
#include "app/conf.h"

// A row is a key.
// clang-format off

#define APP(field) offsetof(struct sp_app_conf, field)
static const struct sp_key app_keys[] = {
    {"threads", SP_KIND_COUNT, APP(threads), "1", NULL, NULL, "--threads", "workers of the application"},
    {"batch", SP_KIND_COUNT, APP(batch), "1", NULL, NULL, "--batch",
     "events predicted together: what waits, at most this many"},
    {"wait", SP_KIND_CHOICE, APP(wait), "park", "park spin hybrid", NULL, "--wait",
     "how waiting threads wait"},
    {0},
};
const struct sp_table sp_app_table = {"application", app_keys, sizeof(struct sp_app_conf), NULL};
