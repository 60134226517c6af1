// Time in nanoseconds, and the one place where production code may be given a clock that a test steps.
#ifndef SP_BASE_CLOCK_H
#define SP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define SP_NS_PER_US INT64_C(1000)
#define SP_NS_PER_MS INT64_C(1000000)
#define SP_NS_PER_S  INT64_C(1000000000)

// CLOCK_MONOTONIC; any thread; about 25 ns.
static inline int64_t sp_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SP_NS_PER_S + t.tv_nsec;
}

// What the pacer, the workers and the collector read. virtual_ns == NULL: CLOCK_MONOTONIC. Otherwise a test's own time,
// stepped by the test between calls on one thread.
struct sp_clock {
  const int64_t *virtual_ns;
};

static inline int64_t sp_clock_now(const struct sp_clock *clock) {
  return __builtin_expect(clock->virtual_ns != 0, 0) ? *clock->virtual_ns : sp_now_ns();
}

#endif
