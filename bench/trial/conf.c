// The keys of placement and their defaults.
#include "trial/conf.h"

// A row is a key.
// clang-format off

static const struct sp_key trial_keys[] = {
    {"cpus", SP_KIND_TEXT, offsetof(struct sp_trial_conf, cpus), NULL, NULL, NULL, "--cpus",
     "processors of each role, e.g. driver=0,app=1,server=1,broker=0; none: left to the kernel"},
    {0},
};
const struct sp_table sp_trial_table = {"placement", trial_keys, sizeof(struct sp_trial_conf), NULL};
