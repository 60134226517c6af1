// From start to end of an application process.
#include "app/service.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/side.h"
#include "os/files.h"
#include "os/thread.h"
#include "stream/kafka_app.h"

#define LOOK_NS (100 * SP_NS_PER_MS) // how soon it is seen that the group is gone

struct service {
  const struct sp_app_service *asked;
  struct sp_clock clock;
  struct sp_app_side side;
  struct sp_kafka_app *kafka;
  struct sp_stream stream;
  pthread_mutex_t lock; // of the lines on stdout, and of the partitions that are ours now
  bool is_ready;
  int32_t *partitions;
  size_t n_partitions;
  struct sp_thread drainer;
  bool was_drained;
  atomic_bool has_drained;
};

// --- What it says ---

static void say(const char *line) {
  fputs(line, stdout);
  fputc('\n', stdout);
  fflush(stdout);
}

static char *list_of(const int32_t *partitions, size_t n) {
  char *list = sp_copy_text("[");
  for (size_t i = 0; i < n; i++) {
    char *longer = sp_format("%s%s%d", list, i ? "," : "", (int)partitions[i]);
    free(list);
    list = longer;
  }
  char *closed = sp_format("%s]", list);
  free(list);
  return closed;
}

static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void add(struct service *s, const int32_t *partitions, size_t n) {
  s->partitions = sp_realloc(s->partitions, (s->n_partitions + n + 1) * sizeof *s->partitions);
  for (size_t i = 0; i < n; i++) s->partitions[s->n_partitions++] = partitions[i];
  qsort(s->partitions, s->n_partitions, sizeof *s->partitions, by_number);
}

static void take_away(struct service *s, const int32_t *partitions, size_t n) {
  size_t n_left = 0;
  for (size_t i = 0; i < s->n_partitions; i++) {
    bool goes = false;
    for (size_t k = 0; k < n; k++) goes |= partitions[k] == s->partitions[i];
    if (!goes) s->partitions[n_left++] = s->partitions[i];
  }
  s->n_partitions = n_left;
}

// The poller's thread.
static void on_assignment(void *context, bool is_given, const int32_t *partitions, size_t n) {
  struct service *s = context;
  pthread_mutex_lock(&s->lock);
  if (is_given)
    add(s, partitions, n);
  else
    take_away(s, partitions, n);
  if (s->is_ready) { // before, the ready line will say it
    char *list = list_of(partitions, n);
    char *line = sp_format("{\"event\":\"%s\",\"partitions\":%s}", is_given ? "assigned" : "revoked", list);
    say(line);
    free(line);
    free(list);
  }
  pthread_mutex_unlock(&s->lock);
}

static enum sp_err say_ready(struct service *s, struct sp_error *error) {
  pthread_mutex_lock(&s->lock);
  char *list = list_of(s->partitions, s->n_partitions);
  char *line = sp_format("{\"ready\":true,\"part\":\"app\",\"partitions\":%s,\"library\":\"%s\"}", list,
                         sp_app_library(s->side.app));
  enum sp_err err = SP_OK;
  if (s->asked->ready_file) {
    char *whole = sp_format("%s\n", line);
    err = sp_files_write(s->asked->ready_file, sp_bytes_of_text(whole), error);
    free(whole);
  }
  if (!err) say(line);
  s->is_ready = !err;
  free(line);
  free(list);
  pthread_mutex_unlock(&s->lock);
  return err;
}

static void say_end(struct service *s) {
  struct sp_kafka_app_counts c;
  sp_kafka_app_counts(s->kafka, &c);
  char *line =
      sp_format("{\"event\":\"end\",\"received\":%" PRIu64 ",\"answered\":%" PRIu64
                ",\"acknowledged\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"commits\":%" PRIu64
                ",\"aborts\":%" PRIu64 ",\"rebalances\":%" PRIu64 ",\"dropped_at_rebalance\":%" PRIu64 "}",
                c.n_received, c.n_answered, c.n_acknowledged, c.n_refused, c.n_commits, c.n_aborts,
                c.n_rebalances, c.n_dropped_at_rebalance);
  pthread_mutex_lock(&s->lock);
  say(line);
  pthread_mutex_unlock(&s->lock);
  free(line);
}

// --- Start ---

static enum sp_err join_group(struct service *s, struct sp_error *error) {
  const struct sp_app_service *asked = s->asked;
  const struct sp_app_conf *conf = &asked->side->app;
  char *client_id = sp_format("servepath-app-%" PRIu64, asked->member);
  char *transactional_id = sp_format("%s-%" PRIu64, asked->group, asked->member);
  struct sp_kafka_app_env env = {
      .kafka = {.brokers = asked->broker,
                .producer = &asked->scenario->kafka.producer,
                .consumer = &asked->scenario->kafka.consumer,
                .input = asked->input_topic,
                .output = asked->output_topic,
                .connect_timeout_ns = asked->connect_timeout_ns},
      .group = asked->group,
      .client_id = client_id,
      .exactly_once = conf->delivery == SP_DELIVERY_EXACTLY_ONCE,
      .transactional_id = transactional_id,
      .commit_interval_ns = conf->commit_interval_ns,
      .fifo_events = asked->scenario->stream.fifo_events,
      .value_bound = sp_app_value_bound(s->side.app),
      .wait = (enum sp_wait)conf->wait,
      .on_assignment = on_assignment,
      .context = s,
  };
  enum sp_err err = sp_kafka_app_new(&env, &s->kafka, &s->stream, error);
  free(client_id);
  free(transactional_id);
  if (err) return err;
  sp_app_set_stream(s->side.app, &s->stream);
  err = sp_app_start(s->side.app, NULL, error);
  return err ? err : sp_kafka_app_wait_assigned(s->kafka, asked->connect_timeout_ns, error);
}

static enum sp_err start(struct service *s, struct sp_error *error) {
  const struct sp_app_service *asked = s->asked;
  enum sp_err err =
      sp_app_side_open(&s->side, asked->scenario, asked->side, asked->server_address, &s->clock, error);
  if (!err) err = join_group(s, error);
  return err ? err : say_ready(s, error);
}

// --- Until the end ---

static int signal_within(const sigset_t *signals, int64_t ns) {
  struct timespec t = {ns / SP_NS_PER_S, ns % SP_NS_PER_S};
  int signal = sigtimedwait(signals, NULL, &t);
  return signal > 0 ? signal : 0;
}

static enum sp_err await_signal(struct service *s, const sigset_t *signals, struct sp_error *error) {
  for (;;) {
    if (signal_within(signals, LOOK_NS)) return SP_OK;
    enum sp_err err = sp_kafka_app_state(s->kafka, error);
    if (err) return err;
  }
}

static void drain(void *context) {
  struct service *s = context;
  s->was_drained = sp_kafka_app_drain(s->kafka, s->asked->grace_ns);
  atomic_store_explicit(&s->has_drained, true, memory_order_release);
}

// Beside this thread, which listens for the second signal.
static enum sp_err drain_or_die(struct service *s, const sigset_t *signals, struct sp_error *error) {
  enum sp_err err = sp_thread_start(&s->drainer, "sp-drainer", NULL, drain, s, error);
  if (err) return err;
  while (!atomic_load_explicit(&s->has_drained, memory_order_acquire)) {
    int signal = signal_within(signals, LOOK_NS / 10);
    if (signal) _exit(128 + signal);
  }
  sp_thread_join(&s->drainer);
  if (!s->was_drained)
    fprintf(stderr, "servepath: app: not everything was answered and committed in time; the rest will be "
                    "delivered again\n");
  return SP_OK;
}

static void stop(struct service *s) {
  // Also where it could not go on: the end is the last line that it says.
  if (s->kafka && !s->has_drained) sp_kafka_app_drain(s->kafka, 0);
  if (s->kafka) sp_stream_close(&s->stream);
  if (s->side.app) sp_app_stop(s->side.app);
  if (s->is_ready) say_end(s);
  sp_kafka_app_free(s->kafka);
  sp_app_side_close(&s->side);
  if (s->is_ready && s->asked->ready_file) unlink(s->asked->ready_file);
}

enum sp_err sp_app_serve(const struct sp_app_service *asked, const sigset_t *signals,
                         struct sp_error *error) {
  struct service *s = sp_alloc(sizeof *s);
  s->asked = asked;
  pthread_mutex_init(&s->lock, NULL);
  enum sp_err err = start(s, error);
  if (!err) err = await_signal(s, signals, error);
  if (!err) err = drain_or_die(s, signals, error);
  stop(s);
  pthread_mutex_destroy(&s->lock);
  free(s->partitions);
  free(s);
  return err;
}
