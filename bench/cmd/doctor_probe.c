// Short measurements of waiting and waking, on threads like those of a trial.
#include "cmd/doctor_probe.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/gate.h"
#include "os/thread.h"

#define PACING_INSTANTS 1000
#define PACING_SPIN_NS  (60 * SP_NS_PER_US)
#define WAKES           300

static int compare_ns(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static void summarize(int64_t *values_ns, size_t n, struct sp_probe *probe) {
  qsort(values_ns, n, sizeof *values_ns, compare_ns);
  *probe = (struct sp_probe){values_ns[n / 2], values_ns[n * 99 / 100], values_ns[n - 1]};
}

// --- Pacing ---

static void pace(void *context) {
  int64_t *late_ns = context, start_ns = sp_now_ns() + SP_NS_PER_MS;
  for (size_t i = 0; i < PACING_INSTANTS; i++) {
    int64_t planned_ns = start_ns + (int64_t)i * SP_NS_PER_MS, wake_ns = planned_ns - PACING_SPIN_NS, now_ns;
    const struct timespec wake = {wake_ns / SP_NS_PER_S, wake_ns % SP_NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
    while ((now_ns = sp_now_ns()) < planned_ns) {
    }
    late_ns[i] = now_ns - planned_ns;
  }
}

enum sp_err sp_probe_pacing(struct sp_probe *probe, struct sp_error *error) {
  static int64_t late_ns[PACING_INSTANTS];
  struct sp_thread thread;
  enum sp_err err = sp_thread_start(&thread, "sp-pacing", NULL, pace, late_ns, error);
  if (err) return err;
  sp_thread_join(&thread);
  summarize(late_ns, PACING_INSTANTS, probe);
  return SP_OK;
}

// --- Waking ---

struct wakes {
  struct sp_gate gate;
  _Atomic int64_t woken_at_ns; // by the main thread, just before the wake; 0: taken
  int64_t taken_ns[WAKES];
};

static void sleep_and_note(void *context) {
  struct wakes *wakes = context;
  for (size_t i = 0; i < WAKES; i++) {
    int64_t at_ns;
    for (;;) {
      uint32_t seen = sp_gate_look(&wakes->gate);
      at_ns = atomic_load(&wakes->woken_at_ns);
      if (at_ns) break;
      sp_gate_wait(&wakes->gate, seen, SP_WAIT_PARK, INT64_MAX);
    }
    wakes->taken_ns[i] = sp_now_ns() - at_ns;
    atomic_store(&wakes->woken_at_ns, 0);
  }
}

enum sp_err sp_probe_wake(struct sp_probe *probe, struct sp_error *error) {
  static struct wakes wakes;
  struct sp_thread thread;
  enum sp_err err = sp_thread_start(&thread, "sp-wake", NULL, sleep_and_note, &wakes, error);
  if (err) return err;
  for (size_t i = 0; i < WAKES; i++) {
    const struct timespec pause = {0, 500 * 1000};
    do nanosleep(&pause, NULL);
    while (!atomic_load(&wakes.gate.n_sleeping) || atomic_load(&wakes.woken_at_ns));
    atomic_store(&wakes.woken_at_ns, sp_now_ns());
    sp_gate_wake(&wakes.gate, 1);
  }
  sp_thread_join(&thread);
  summarize(wakes.taken_ns, WAKES, probe);
  return SP_OK;
}

// --- The clock ---

int64_t sp_probe_clock_ns(void) {
  enum { ROUNDS = 101, READS = 100 };
  int64_t round_ns[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    int64_t from_ns = sp_now_ns();
    for (int j = 0; j < READS; j++) (void)sp_now_ns();
    round_ns[i] = sp_now_ns() - from_ns;
  }
  qsort(round_ns, ROUNDS, sizeof round_ns[0], compare_ns);
  return round_ns[ROUNDS / 2] / READS;
}
