// Bare sleep-then-spin loop: what pacing costs with nothing around it. Prints lateness percentiles in ns.
//   bare_pacer RATE_PER_S SECONDS SPIN_NS CPU
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  long x = *(const long *)a, y = *(const long *)b;
  return (x > y) - (x < y);
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  long rate = atol(argv[1]), n = rate * atol(argv[2]), spin_ns = atol(argv[3]);
  long *late_ns = calloc((size_t)n, sizeof *late_ns);
  if (!late_ns || n < 100) return 70;
  pin(atoi(argv[4]));
  prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
  long origin_ns = now_ns() + 50000000L;
  for (long k = 0; k < n; k++) {
    long due_ns = origin_ns + k * 1000000000L / rate, wake_ns = due_ns - spin_ns;
    struct timespec t = {wake_ns / 1000000000L, wake_ns % 1000000000L};
    if (now_ns() < wake_ns) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    long now;
    while ((now = now_ns()) < due_ns) __builtin_ia32_pause();
    late_ns[k] = now - due_ns;
  }
  qsort(late_ns, (size_t)n, sizeof *late_ns, ascending);
  printf("{\"n\":%ld,\"p50_ns\":%ld,\"p99_ns\":%ld,\"p99_9_ns\":%ld,\"max_ns\":%ld}\n", n, late_ns[n / 2],
         late_ns[n * 99 / 100], late_ns[n * 999 / 1000], late_ns[n - 1]);
  free(late_ns);
  return 0;
}
