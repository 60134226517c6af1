// Threads: start with name, processors and precise timers; CPU clocks that outlive them.
#include "os/thread.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/cpu.h"

#define SHORTEST_SLICE_NS (100 * SP_NS_PER_US) // what the kernel allows

static void make_timers_precise(void) {
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

struct slice_wish { // struct sched_attr of the kernel, whose header cannot stand beside the C library's
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns, deadline_ns, period_ns;
};

void sp_thread_short_slice(void) {
  struct slice_wish attr = {
      .size = sizeof attr, .policy = 0 /* SCHED_OTHER */, .runtime_ns = SHORTEST_SLICE_NS};
  syscall(SYS_sched_setattr, 0, &attr, 0); // a wish: where it is refused, lateness tells
}

static void *thread_main(void *context) {
  struct sp_thread *thread = context;
  pthread_setname_np(pthread_self(), thread->name);
  make_timers_precise();
  thread->run(thread->context);
  pthread_mutex_lock(&thread->lock); // from here on the clock may go any time
  thread->final_cpu_ns = sp_cpu_thread_ns();
  thread->has_ended = true;
  pthread_mutex_unlock(&thread->lock);
  return NULL;
}

// With every signal blocked, so that they reach the thread that waits for them.
static int create(struct sp_thread *thread, const struct sp_cpus *cpus) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (cpus && !sp_cpus_is_empty(cpus)) pthread_attr_setaffinity_np(&attributes, sizeof cpus->set, &cpus->set);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread->id, &attributes, thread_main, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

enum sp_err sp_thread_start(struct sp_thread *thread, const char *name, const struct sp_cpus *cpus,
                            void (*run)(void *), void *context, struct sp_error *error) {
  *thread = (struct sp_thread){.run = run, .context = context};
  snprintf(thread->name, sizeof thread->name, "%s", name);
  pthread_mutex_init(&thread->lock, NULL);
  pthread_mutex_lock(&thread->lock); // it cannot end before its clock is known
  int failed = create(thread, cpus);
  if (failed == 0) {
    SP_ASSERT(pthread_getcpuclockid(thread->id, &thread->cpu_clock) == 0);
    thread->is_started = true;
  }
  pthread_mutex_unlock(&thread->lock);
  if (failed == 0) return SP_OK;
  pthread_mutex_destroy(&thread->lock);
  char text[128] = "any";
  if (cpus && !sp_cpus_is_empty(cpus)) sp_cpus_text(cpus, text, sizeof text);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot start thread %s on processors %s (%s); look at ulimit -u and --cpus", thread->name,
                 text, strerror(failed));
}

void sp_thread_join(struct sp_thread *thread) {
  if (!thread->is_started) return;
  pthread_join(thread->id, NULL);
  thread->is_started = false;
  pthread_mutex_destroy(&thread->lock);
}

int64_t sp_thread_cpu_ns(struct sp_thread *thread) {
  if (!thread->is_started) return thread->final_cpu_ns;
  pthread_mutex_lock(&thread->lock);
  int64_t cpu_ns = thread->final_cpu_ns;
  struct timespec used;
  if (!thread->has_ended && clock_gettime(thread->cpu_clock, &used) == 0)
    cpu_ns = used.tv_sec * SP_NS_PER_S + used.tv_nsec;
  pthread_mutex_unlock(&thread->lock);
  return cpu_ns;
}
