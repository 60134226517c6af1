// C11 threads by pthreads, for librdkafka under ThreadSanitizer: it knows pthreads alone, and a thread that it did not see
// start crashes at its first instrumented call. Linked into programs of that build, whose symbols come before libc's. glibc's
// C11 objects are its pthread objects under other names.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is a pthread_cond_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag is a pthread_once_t");

static int result_of(int error_number) {
  switch (error_number) {
  case 0: return thrd_success;
  case EBUSY: return thrd_busy;
  case ENOMEM: return thrd_nomem;
  case ETIMEDOUT: return thrd_timedout;
  default: return thrd_error;
  }
}

struct start {
  thrd_start_t run;
  void *context;
};

static void *run_thread(void *context) {
  struct start start = *(struct start *)context;
  free(context);
  return (void *)(intptr_t)start.run(start.context);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *context) {
  struct start *start = malloc(sizeof *start);
  if (!start) return thrd_nomem;
  *start = (struct start){run, context};
  int result = result_of(pthread_create(thread, NULL, run_thread, start));
  if (result != thrd_success) free(start);
  return result;
}
int thrd_join(thrd_t thread, int *result) {
  void *returned;
  int err = pthread_join(thread, &returned);
  if (!err && result) *result = (int)(intptr_t)returned;
  return result_of(err);
}
thrd_t thrd_current(void) {
  return pthread_self();
}

int mtx_init(mtx_t *mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (type & mtx_recursive) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int result = result_of(pthread_mutex_init((pthread_mutex_t *)mutex, &attributes));
  pthread_mutexattr_destroy(&attributes);
  return result;
}
int mtx_lock(mtx_t *mutex) {
  return result_of(pthread_mutex_lock((pthread_mutex_t *)mutex));
}
int mtx_unlock(mtx_t *mutex) {
  return result_of(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}
void mtx_destroy(mtx_t *mutex) {
  pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition) {
  return result_of(pthread_cond_init((pthread_cond_t *)condition, NULL));
}
int cnd_signal(cnd_t *condition) {
  return result_of(pthread_cond_signal((pthread_cond_t *)condition));
}
int cnd_broadcast(cnd_t *condition) {
  return result_of(pthread_cond_broadcast((pthread_cond_t *)condition));
}
int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return result_of(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
  return result_of(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}
void cnd_destroy(cnd_t *condition) {
  pthread_cond_destroy((pthread_cond_t *)condition);
}

void call_once(once_flag *flag, void (*run)(void)) {
  pthread_once((pthread_once_t *)flag, run);
}
