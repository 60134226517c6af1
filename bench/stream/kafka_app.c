// The application's half of Kafka: made, drained, freed; what its files share.
#include "stream/kafka_app.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_member.h"

#define REPLY_BUFFERS 64 // answers that are being written at once: more threads wait for each other
#define EVENTS_MIN    64
#define FAREWELL_NS   SP_NS_PER_S // for leaving the group, where no grace was given
#define CLOSE_NS      (5 * SP_NS_PER_S)

// --- What the files share ---

void sp_kafka_app_stop_for(struct sp_kafka_app *app, const char *what, rd_kafka_resp_err_t err,
                           const char *text) {
  pthread_mutex_lock(&app->error_lock);
  if (app->why_stopped.code == SP_OK) {
    sp_kafka_client_fail(&app->consumer, what, err, &app->why_stopped);
    size_t n = strlen(app->why_stopped.text);
    if (text) snprintf(app->why_stopped.text + n, sizeof app->why_stopped.text - n, ": %s", text);
    for (char *c = app->why_stopped.text + n; *c; c++) {
      if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; // as sp_fail: one line
    }
    app->why_stopped.code = SP_ERR_ENVIRONMENT;
  }
  pthread_mutex_unlock(&app->error_lock);
  atomic_store_explicit(&app->has_stopped, true, memory_order_release);
  sp_gate_wake(&app->idle_gate, INT32_MAX);
  sp_gate_wake(&app->room_gate, INT32_MAX);
}

void sp_kafka_app_check_fatal(struct sp_kafka_app *app, struct sp_kafka_client *client) {
  char text[300];
  rd_kafka_resp_err_t err = rd_kafka_fatal_error(client->rk, text, sizeof text);
  if (err)
    sp_kafka_app_stop_for(app, client == &app->consumer ? "go on reading" : "go on writing", err, text);
}

static void release_event(struct sp_kafka_app *app, struct sp_kafka_event *event) {
  if (event->message) rd_kafka_message_destroy(event->message);
  free(event->answer);
  event->message = NULL;
  event->answer = NULL;
  app->held_bytes -= event->bytes;
  event->item.next = app->free_events;
  app->free_events = &event->item;
  app->n_free++;
}

void sp_kafka_app_release_locked(struct sp_kafka_app *app, struct sp_offsets_item *chain) {
  if (!chain) return;
  for (struct sp_offsets_item *next; chain; chain = next) {
    next = chain->next;
    release_event(app, (struct sp_kafka_event *)(void *)chain);
  }
  if (app->n_free == app->n_events) sp_gate_wake(&app->idle_gate, INT32_MAX);
  bool has_room = app->n_free >= app->n_events / 4 && app->held_bytes <= SP_KAFKA_HELD_BYTES / 2;
  if (has_room && atomic_load_explicit(&app->poller_wants, memory_order_seq_cst) == SP_KAFKA_WANTS_ROOM)
    sp_gate_wake(&app->poller_gate, 1);
}

void sp_kafka_app_release(struct sp_kafka_app *app, struct sp_offsets_item *chain) {
  pthread_mutex_lock(&app->lock);
  sp_kafka_app_release_locked(app, chain);
  pthread_mutex_unlock(&app->lock);
}

// --- Clients ---

static enum sp_err open_consumer(struct sp_kafka_app *app, struct sp_error *error) {
  const struct sp_kafka_app_env *env = &app->env;
  const struct sp_kafka_setting settings[] = {
      {"client.id", env->client_id, false},
      {"session.timeout.ms", "10000", false},
      {"heartbeat.interval.ms", "500", false}, // how soon a member hears that another came or went
      // Eager: each rebalance takes everything away, once what is under way is committed. With the cooperative protocol a
      // member commits while it joins, and librdkafka 2.0.2 takes the broker's refusal of the old generation for the loss of
      // all its partitions: what was answered since the last commit would be answered twice.
      {"partition.assignment.strategy", "range,roundrobin", false},
      {"group.id", env->group, true},
      {"enable.auto.commit", "false", true},
      {"enable.auto.offset.store", "false", true},
      {"isolation.level", "read_committed", true},
  };
  rd_kafka_conf_t *conf;
  enum sp_err err = sp_kafka_conf_new(&env->kafka, SP_KAFKA_CONSUMER, settings,
                                      sizeof settings / sizeof *settings, &conf, error);
  if (err) return err;
  rd_kafka_conf_set_events(conf,
                           RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR);
  return sp_kafka_client_open(&app->consumer, &env->kafka, SP_KAFKA_CONSUMER, conf, app, error);
}

static enum sp_err open_producer(struct sp_kafka_app *app, struct sp_error *error) {
  const struct sp_kafka_app_env *env = &app->env;
  const struct sp_kafka_setting settings[] = {
      {"client.id", env->client_id, false},
      {"transaction.timeout.ms", "10000", false},
      {"transactional.id", env->transactional_id, true},
  };
  rd_kafka_conf_t *conf;
  enum sp_err err =
      sp_kafka_conf_new(&env->kafka, SP_KAFKA_PRODUCER, settings,
                        env->exactly_once ? sizeof settings / sizeof *settings : 1, &conf, error);
  if (err) return err;
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  return sp_kafka_client_open(&app->producer, &env->kafka, SP_KAFKA_PRODUCER, conf, app, error);
}

// A consumer asks first: it never makes a topic.
static enum sp_err find_topics(struct sp_kafka_app *app, int64_t deadline_ns, struct sp_error *error) {
  const struct sp_kafka_env *kafka = &app->env.kafka;
  int32_t n_input = 0, n_output = 0;
  enum sp_err err = sp_kafka_client_wait(&app->consumer, kafka->input, deadline_ns, &n_input, error);
  if (!err) err = sp_kafka_client_wait(&app->consumer, kafka->output, deadline_ns, &n_output, error);
  if (!err && n_output < n_input) {
    err =
        sp_fail(error, SP_ERR_ENVIRONMENT,
                "topic %s has %d partitions and %s only %d, but answers go to the partition of their event; "
                "create %s with at least %d",
                kafka->input, (int)n_input, kafka->output, (int)n_output, kafka->output, (int)n_input);
  }
  if (!err) err = sp_kafka_client_wait(&app->producer, kafka->output, deadline_ns, NULL, error);
  if (err) return err;
  app->output = rd_kafka_topic_new(app->producer.rk, kafka->output, NULL);
  if (app->output) return SP_OK;
  return sp_kafka_client_fail(&app->producer, "open the output topic", rd_kafka_last_error(), error);
}

static enum sp_err init_transactions(struct sp_kafka_app *app, int64_t deadline_ns, struct sp_error *error) {
  if (!app->env.exactly_once) return SP_OK;
  rd_kafka_error_t *failed;
  for (;;) {
    failed = rd_kafka_init_transactions(app->producer.rk, sp_kafka_ms_until(deadline_ns, 60000));
    if (!failed || !rd_kafka_error_is_retriable(failed) || sp_now_ns() >= deadline_ns) break;
    rd_kafka_error_destroy(failed);
  }
  if (!failed) return SP_OK;
  enum sp_err err = sp_kafka_client_fail(&app->producer, "use transactions (delivery exactly-once)",
                                         rd_kafka_error_code(failed), error);
  rd_kafka_error_destroy(failed);
  return err;
}

static void wake_poller(rd_kafka_t *rk, void *context) {
  (void)rk;
  sp_gate_wake(&((struct sp_kafka_app *)context)->poller_gate, 1);
}

static void open_queues(struct sp_kafka_app *app) {
  rd_kafka_t *rk = app->consumer.rk;
  rd_kafka_poll_set_consumer(rk);
  app->group_queue = rd_kafka_queue_get_consumer(rk);
  app->commit_queue = rd_kafka_queue_new(rk);
  app->message_queue = rd_kafka_queue_new(rk);
  app->producer_queue = rd_kafka_queue_get_main(app->producer.rk);
  rd_kafka_queue_cb_event_enable(app->group_queue, wake_poller, app);
  rd_kafka_queue_cb_event_enable(app->message_queue, wake_poller, app);
}

// Nobody needs to say that it is a mock.
static enum sp_err know_broker(struct sp_kafka_app *app, int64_t deadline_ns, struct sp_error *error) {
  enum sp_err err = sp_kafka_client_wait(&app->consumer, NULL, deadline_ns, NULL, error);
  if (err || app->env.kafka.is_mock || !sp_kafka_client_is_mock(&app->consumer)) return err;
  sp_kafka_client_close(&app->consumer);
  app->env.kafka.is_mock = true;
  return open_consumer(app, error);
}

static enum sp_err connect_clients(struct sp_kafka_app *app, struct sp_error *error) {
  int64_t deadline_ns = sp_now_ns() + app->env.kafka.connect_timeout_ns;
  enum sp_err err = open_consumer(app, error);
  if (!err) err = open_producer(app, error);
  if (!err) err = know_broker(app, deadline_ns, error);
  if (!err) err = find_topics(app, deadline_ns, error);
  if (!err) err = init_transactions(app, deadline_ns, error);
  if (!err) open_queues(app);
  return err;
}

static enum sp_err join_group(struct sp_kafka_app *app, struct sp_error *error) {
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, app->env.kafka.input, RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t err = rd_kafka_subscribe(app->consumer.rk, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  return err ? sp_kafka_client_fail(&app->consumer, "join the group", err, error) : SP_OK;
}

// --- Memory ---

static void open_pool(struct sp_kafka_app *app) {
  app->n_events = app->env.fifo_events < EVENTS_MIN ? EVENTS_MIN : app->env.fifo_events;
  app->pool = sp_alloc(app->n_events * sizeof *app->pool);
  sp_ring_init(&app->events, app->n_events, sizeof(struct sp_kafka_event *));
  for (size_t i = app->n_events; i-- > 0;) {
    app->pool[i].item.next = app->free_events;
    app->free_events = &app->pool[i].item;
  }
  app->n_free = app->n_events;
}

static void open_replies(struct sp_kafka_app *app) {
  size_t n_bytes = (sizeof(struct sp_reply) + app->env.value_bound + 63) / 64 * 64;
  app->reply_memory = sp_alloc(REPLY_BUFFERS * n_bytes);
  sp_ring_init(&app->replies, REPLY_BUFFERS, sizeof(struct sp_reply *));
  for (size_t i = 0; i < REPLY_BUFFERS; i++) {
    struct sp_reply **cell = sp_ring_claim(&app->replies);
    *cell = (struct sp_reply *)(void *)(app->reply_memory + i * n_bytes);
    sp_ring_commit(cell);
  }
}

static struct sp_kafka_app *app_alloc(const struct sp_kafka_app_env *env) {
  struct sp_kafka_app *app = aligned_alloc(64, (sizeof *app + 63) / 64 * 64);
  SP_ASSERT(app != NULL);
  memset(app, 0, sizeof *app);
  app->env = *env;
  sp_wire_boot(app->boot);
  pthread_mutex_init(&app->lock, NULL);
  pthread_mutex_init(&app->error_lock, NULL);
  pthread_mutex_init(&app->transaction.lock, NULL);
  open_pool(app);
  open_replies(app);
  return app;
}

// --- Threads ---

static enum sp_err start_thread(pthread_t *thread, bool *has, const char *name, void *(*run)(void *),
                                struct sp_kafka_app *app, struct sp_error *error) {
  int failed = pthread_create(thread, NULL, run, app);
  if (failed)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot start thread %s (%s)", name, strerror(failed));
  pthread_setname_np(*thread, name);
  *has = true;
  return SP_OK;
}

static void join_thread(pthread_t thread, bool *has) {
  if (*has) pthread_join(thread, NULL);
  *has = false;
}

enum sp_err sp_kafka_app_new(const struct sp_kafka_app_env *env, struct sp_kafka_app **result,
                             struct sp_stream *stream, struct sp_error *error) {
  struct sp_kafka_app *app = app_alloc(env);
  enum sp_err err = connect_clients(app, error);
  if (!err) err = join_group(app, error);
  if (!err)
    err = start_thread(&app->confirmer, &app->has_confirmer, "sp-confirmer", sp_kafka_confirm, app, error);
  if (!err && env->exactly_once)
    err = start_thread(&app->committer, &app->has_committer, "sp-committer", sp_kafka_commit_transactions,
                       app, error);
  if (!err) err = start_thread(&app->poller, &app->has_poller, "sp-poller", sp_kafka_poll, app, error);
  if (err) {
    sp_kafka_app_free(app);
    return err;
  }
  *stream = (struct sp_stream){&sp_kafka_app_ops, app, env->value_bound};
  *result = app;
  return SP_OK;
}

enum sp_err sp_kafka_app_wait_assigned(struct sp_kafka_app *app, int64_t timeout_ns, struct sp_error *error) {
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  for (;;) {
    uint32_t seen = sp_gate_look(&app->idle_gate);
    if (sp_kafka_is(&app->has_stopped)) return sp_kafka_app_state(app, error);
    if (sp_kafka_is(&app->has_assignment)) return SP_OK;
    if (sp_now_ns() >= deadline_ns) break;
    sp_gate_wait(&app->idle_gate, seen, SP_WAIT_PARK, deadline_ns);
  }
  char what[300];
  snprintf(what, sizeof what, "get partitions of topic %.100s as a member of group %.100s",
           app->env.kafka.input, app->env.group);
  return sp_kafka_client_fail(&app->consumer, what, RD_KAFKA_RESP_ERR__TIMED_OUT, error);
}

enum sp_err sp_kafka_app_state(struct sp_kafka_app *app, struct sp_error *error) {
  if (!sp_kafka_is(&app->has_stopped)) return SP_OK;
  pthread_mutex_lock(&app->error_lock);
  *error = app->why_stopped;
  pthread_mutex_unlock(&app->error_lock);
  return error->code;
}

// --- The end ---

static bool is_idle(struct sp_kafka_app *app) {
  pthread_mutex_lock(&app->lock);
  bool is = app->n_free == app->n_events;
  pthread_mutex_unlock(&app->lock);
  return is;
}

static bool await_idle(struct sp_kafka_app *app, int64_t deadline_ns) {
  for (;;) {
    uint32_t seen = sp_gate_look(&app->idle_gate);
    if (is_idle(app)) return true;
    if (sp_kafka_is(&app->has_stopped) || sp_now_ns() >= deadline_ns) return false;
    sp_gate_wait(&app->idle_gate, seen, SP_WAIT_PARK, deadline_ns);
  }
}

static void leave_group(struct sp_kafka_app *app, bool commits, int64_t by_ns) {
  atomic_store_explicit(&app->commits_on_leave, commits, memory_order_release);
  atomic_store_explicit(&app->leave_by_ns, by_ns, memory_order_release);
  atomic_store_explicit(&app->is_leaving, true, memory_order_release);
  sp_gate_wake(&app->poller_gate, INT32_MAX);
  join_thread(app->poller, &app->has_poller);
}

bool sp_kafka_app_drain(struct sp_kafka_app *app, int64_t grace_ns) {
  int64_t deadline_ns = sp_now_ns() + grace_ns;
  atomic_store_explicit(&app->is_draining, true, memory_order_release);
  sp_gate_wake(&app->poller_gate, INT32_MAX);
  sp_gate_wake(&app->commit_gate, INT32_MAX);
  bool is_done = await_idle(app, deadline_ns);
  int64_t least_ns = sp_now_ns() + FAREWELL_NS;
  leave_group(app, true, deadline_ns > least_ns ? deadline_ns : least_ns);
  return is_done && !app->is_unfinished;
}

static void abort_transaction(struct sp_kafka_app *app) {
  if (app->transaction.phase == SP_KAFKA_IDLE || !app->has_confirmer) return;
  rd_kafka_error_t *error = rd_kafka_abort_transaction(app->producer.rk, (int)(FAREWELL_NS / SP_NS_PER_MS));
  if (error) rd_kafka_error_destroy(error); // the broker aborts it at its timeout
}

static void end_threads(struct sp_kafka_app *app) {
  if (app->has_poller) leave_group(app, false, sp_now_ns());
  atomic_store_explicit(&app->is_ending_transactions, true, memory_order_release);
  sp_gate_wake(&app->commit_gate, INT32_MAX);
  join_thread(app->committer, &app->has_committer);
  abort_transaction(app);
  atomic_store_explicit(&app->is_ending, true, memory_order_release);
  join_thread(app->confirmer, &app->has_confirmer);
}

static void destroy_queue(rd_kafka_queue_t *queue) {
  if (!queue) return;
  rd_kafka_queue_cb_event_enable(queue, NULL, NULL);
  rd_kafka_queue_destroy(queue);
}

static void *close_consumer(void *context) {
  struct sp_kafka_app *app = context;
  sp_kafka_client_close(&app->consumer);
  atomic_store_explicit(&app->has_closed, true, memory_order_release);
  sp_gate_wake(&app->idle_gate, INT32_MAX);
  return NULL;
}

// librdkafka 2.0.2 waits for ever for the partitions of a topic that went away under its consumer. False: it is left to the
// process's end, with all that it may still call back.
static bool consumer_ends(struct sp_kafka_app *app) {
  pthread_t closer;
  int64_t until_ns = sp_now_ns() + CLOSE_NS;
  if (pthread_create(&closer, NULL, close_consumer, app)) return false;
  while (!sp_kafka_is(&app->has_closed) && sp_now_ns() < until_ns) {
    uint32_t seen = sp_gate_look(&app->idle_gate);
    if (!sp_kafka_is(&app->has_closed)) sp_gate_wait(&app->idle_gate, seen, SP_WAIT_PARK, until_ns);
  }
  if (sp_kafka_is(&app->has_closed)) return pthread_join(closer, NULL) == 0;
  pthread_detach(closer);
  return false;
}

void sp_kafka_app_free(struct sp_kafka_app *app) {
  if (!app) return;
  end_threads(app);
  for (size_t i = 0; i < app->n_events; i++) {
    if (app->pool[i].message) rd_kafka_message_destroy(app->pool[i].message);
    free(app->pool[i].answer);
  }
  destroy_queue(app->group_queue);
  destroy_queue(app->message_queue);
  if (app->commit_queue) rd_kafka_queue_destroy(app->commit_queue);
  if (app->producer_queue) rd_kafka_queue_destroy(app->producer_queue);
  if (app->output) rd_kafka_topic_destroy(app->output);
  sp_kafka_client_close(&app->producer);
  if (!consumer_ends(app)) return;
  for (int32_t i = 0; i < app->n_partitions; i++) free(app->ours[i]);
  free(app->ours);
  free(app->pool);
  free(app->reply_memory);
  sp_ring_done(&app->events);
  sp_ring_done(&app->replies);
  pthread_mutex_destroy(&app->lock);
  pthread_mutex_destroy(&app->error_lock);
  pthread_mutex_destroy(&app->transaction.lock);
  free(app);
}

void sp_kafka_app_counts(struct sp_kafka_app *app, struct sp_kafka_app_counts *counts) {
  *counts = (struct sp_kafka_app_counts){
      .n_received = atomic_load_explicit(&app->n_received, memory_order_relaxed),
      .n_answered = atomic_load_explicit(&app->n_answered, memory_order_relaxed),
      .n_acknowledged = atomic_load_explicit(&app->n_acknowledged, memory_order_relaxed),
      .n_refused = atomic_load_explicit(&app->n_refused, memory_order_relaxed),
      .n_commits = atomic_load_explicit(&app->n_commits, memory_order_relaxed),
      .n_aborts = atomic_load_explicit(&app->n_aborts, memory_order_relaxed),
      .n_rebalances = atomic_load_explicit(&app->n_rebalances, memory_order_relaxed),
      .n_dropped_at_rebalance = atomic_load_explicit(&app->n_dropped, memory_order_relaxed),
  };
}
