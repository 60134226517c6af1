// The keys of placement and their defaults.
#include "trial/conf.h"

// A row is a key.
// clang-format off

static const struct sp_key trial_keys[] = {
    {"cpus", SP_KIND_TEXT, offsetof(struct sp_trial_conf, cpus), NULL, NULL, NULL, "--cpus",
     "processors of each role, e.g. driver=0,app=1,server=1,broker=0; none: left to the kernel"},
    {"wake_latency", SP_KIND_DURATION, offsetof(struct sp_trial_conf, wake_latency_ns), "none", NULL, NULL, "--wake-latency",
     "the longest that an idle processor may take to wake up, asked of the kernel during each trial (/dev/cpu_dma_latency; root only); 0us: it "
     "polls instead of sleeping, and the time to wake up is in no figure; none: the machine's own, as in production"},
    {0},
};
const struct sp_table sp_trial_table = {"placement", trial_keys, sizeof(struct sp_trial_conf), NULL};
