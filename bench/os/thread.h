// Named threads with a processor set, precise timers and a CPU clock that can be read while and after they
// run.
#ifndef SP_OS_THREAD_H
#define SP_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/affinity.h"

// Starting, joining: the owner's thread. Must not move in memory between start and join.
struct sp_thread {
  pthread_t id;
  bool is_started;
  clockid_t cpu_clock;
  pthread_mutex_t lock; // of the two below
  bool has_ended;
  int64_t final_cpu_ns;
  char name[16];
  void (*run)(void *context);
  void *context;
};

// Starts a thread that runs `run(context)` with every signal blocked and timer slack 1 ns (an absolute sleep
// then wakes about 60 us late instead of 200). `name` is cut to 15 bytes; `cpus` NULL or empty: inherited.
// SP_ERR_ENVIRONMENT if the system has no more threads or the processors are not allowed.
enum sp_err sp_thread_start(struct sp_thread *thread, const char *name, const struct sp_cpus *cpus,
                            void (*run)(void *), void *context, struct sp_error *error);

// Blocks until it ends; does nothing if it was never started (zeroed) or is joined already.
void sp_thread_join(struct sp_thread *thread);

// CPU time used so far, and the whole of it once it has ended; 0 if never started. Any thread, but not while
// another joins it. Takes a lock that the thread itself takes only when it ends.
int64_t sp_thread_cpu_ns(struct sp_thread *thread);

// Asks the scheduler for the shortest slice for the calling thread: it gets no more of a processor, but gets it at once where
// threads with longer slices (a broker on the driver's processor) are running. Needs no rights; a kernel before 6.12 ignores it.
void sp_thread_short_slice(void);

#endif
