// The keys of `load:` and `expect:` and their defaults.
#include "replay/conf.h"

// A row is a key.
// clang-format off

#define LOAD(field) offsetof(struct sp_load_conf, field)
static const struct sp_key load_keys[] = {
    {"arrival", SP_KIND_CHOICE, LOAD(arrival), "poisson", "constant poisson trace step ramp burst closed",
     NULL, "--arrival", "how events arrive"},
    {"rate", SP_KIND_RATE, LOAD(rate), "1000/s", NULL, NULL, "--rate", "offered rate (mean rate for trace)"},
    {"rate_to", SP_KIND_RATE, LOAD(rate_to), NULL, NULL, NULL, "--rate-to",
     "last rate of step and ramp, rate inside a burst"},
    {"steps", SP_KIND_COUNT, LOAD(steps), "5", NULL, NULL, "--steps",
     "number of rates that step goes through"},
    {"burst_every", SP_KIND_DURATION, LOAD(burst_every_ns), "1s", NULL, NULL, "--burst-every",
     "start of one burst to start of the next"},
    {"burst_length", SP_KIND_DURATION, LOAD(burst_length_ns), "100ms", NULL, NULL, "--burst-length",
     "length of a burst"},
    {"speed", SP_KIND_REAL, LOAD(speed), "0", NULL, NULL, "--speed",
     "trace: replay this many times faster than recorded; 0 scales to rate"},
    {"concurrency", SP_KIND_COUNT, LOAD(concurrency), "64", NULL, NULL, "--concurrency",
     "closed: events in flight"},
    {"warmup", SP_KIND_DURATION, LOAD(warmup_ns), "2s", NULL, NULL, "--warmup",
     "unmeasured lead-in at the same rate"},
    {"duration", SP_KIND_DURATION, LOAD(duration_ns), "10s", NULL, NULL, "--duration",
     "length of the measured window"},
    {"drain", SP_KIND_DURATION, LOAD(drain_ns), "10s", NULL, NULL, "--drain",
     "how long to wait for answers after the last intended instant"},
    {"seed", SP_KIND_COUNT, LOAD(seed), "1", NULL, NULL, "--seed", "seed of the schedule"},
    {"limit", SP_KIND_COUNT, LOAD(limit), "0", NULL, NULL, "--limit",
     "at most this many events in all; 0: as many as the schedule holds"},
    {"only", SP_KIND_CHOICE, LOAD(only), "both", "both send collect", NULL, "--only",
     "Kafka: be one half of the driver, on fixed topics"},
    {"shard", SP_KIND_RAW, LOAD(shard), NULL, NULL, NULL, "--shard",
     "Kafka: I/N, this driver's share of partitions and schedule; servepath merge joins the results"},
    {"start_at", SP_KIND_RAW, LOAD(start_at), NULL, NULL, NULL, "--start-at",
     "when the schedule begins: RFC 3339, or seconds since 1970; the same for every shard"},
    {"pacer_spin", SP_KIND_DURATION, LOAD(pacer_spin_ns), "60us", NULL, NULL, "--pacer-spin",
     "the pacer spins this long before each instant"},
    {0},
};
const struct sp_table sp_load_table = {"load", load_keys, sizeof(struct sp_load_conf), NULL};

#define EXPECT(field) offsetof(struct sp_expect_conf, field)
static const struct sp_key expect_keys[] = {
    {"abs", SP_KIND_REAL, EXPECT(abs), "1e-5", NULL, NULL, NULL, "absolute tolerance of a score"},
    {"rel", SP_KIND_REAL, EXPECT(rel), "1e-4", NULL, NULL, NULL, "relative tolerance of a score"},
    {"p50", SP_KIND_DURATION, EXPECT(p50_ns), NULL, NULL, NULL, NULL, "bound on the response time's p50"},
    {"p90", SP_KIND_DURATION, EXPECT(p90_ns), NULL, NULL, NULL, NULL, "bound on the response time's p90"},
    {"p95", SP_KIND_DURATION, EXPECT(p95_ns), NULL, NULL, NULL, NULL, "bound on the response time's p95"},
    {"p99", SP_KIND_DURATION, EXPECT(p99_ns), NULL, NULL, NULL, NULL, "bound on the response time's p99"},
    {"p99_9", SP_KIND_DURATION, EXPECT(p99_9_ns), NULL, NULL, NULL, NULL,
     "bound on the response time's p99.9"},
    {"not_ok", SP_KIND_SHARE, EXPECT(not_ok), NULL, NULL, NULL, NULL,
     "bound on the share of events that are not ok"},
    {0},
};
const struct sp_table sp_expect_table = {"expect", expect_keys, sizeof(struct sp_expect_conf), NULL};
