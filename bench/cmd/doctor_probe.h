// What doctor measures: how late this machine wakes, and how long its clock takes.
#ifndef SP_CMD_DOCTOR_PROBE_H
#define SP_CMD_DOCTOR_PROBE_H

#include <stdint.h>

#include "base/err.h"

struct sp_probe {
  int64_t p50_ns, p99_ns, max_ns;
};

// Lateness at 1,000 instants, one every millisecond: sleep until 60 us before each, then spin, as the pacer does (load.pacer_spin).
// Blocks for 1 s.
enum sp_err sp_probe_pacing(struct sp_probe *probe, struct sp_error *error);
// From a wake on one thread until the other, parked on a futex, runs (`wait: park`). Blocks for about 0.3 s.
enum sp_err sp_probe_wake(struct sp_probe *probe, struct sp_error *error);
// One clock_gettime(CLOCK_MONOTONIC), the median of many.
int64_t sp_probe_clock_ns(void);

#endif
