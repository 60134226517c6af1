// The poller's thread: a member of the group. It never predicts and never waits for a worker while the group wants something.
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_member.h"

#define BATCH_MAX     512
#define IDLE_NS       (100 * SP_NS_PER_MS)
#define POLL_EVERY_NS SP_NS_PER_S // so that the group knows that we live, whatever the workers do
// Partitions that are taken away wait so long for what is under way in them; the group waits for us meanwhile.
#define LET_GO_NS (5 * SP_NS_PER_S)

// --- Arrivals ---

static size_t room_of(struct sp_kafka_app *app, size_t at_least) {
  pthread_mutex_lock(&app->lock);
  size_t n = app->held_bytes < SP_KAFKA_HELD_BYTES && app->n_free >= at_least ? app->n_free : 0;
  pthread_mutex_unlock(&app->lock);
  return n;
}

// Asks to be woken where there is none.
static size_t find_room(struct sp_kafka_app *app) {
  size_t room = room_of(app, 1);
  int wants = room ? SP_KAFKA_WANTS_NOTHING : SP_KAFKA_WANTS_ROOM;
  atomic_store_explicit(&app->poller_wants, wants, memory_order_seq_cst);
  return room ? room : room_of(app, 1);
}

static struct sp_offsets *offsets_of(struct sp_kafka_app *app, int32_t partition) {
  struct sp_offsets *offsets = partition < app->n_partitions ? app->ours[partition] : NULL;
  return offsets && offsets->is_ours ? offsets : NULL;
}

static struct sp_kafka_event *admit(struct sp_kafka_app *app, struct sp_offsets *offsets,
                                    rd_kafka_message_t *message, int64_t held_ns) {
  struct sp_kafka_event *event = (struct sp_kafka_event *)(void *)app->free_events;
  app->free_events = event->item.next;
  app->n_free--;
  event->offsets = offsets;
  event->n_given = offsets->n_given;
  event->message = message;
  event->held_ns = held_ns;
  event->bytes = message->len + message->key_len;
  app->held_bytes += event->bytes;
  sp_offsets_admit(offsets, &event->item, message->offset);
  return event;
}

static bool is_hopeless(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || err == RD_KAFKA_RESP_ERR__FATAL ||
         err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || err == RD_KAFKA_RESP_ERR_INVALID_GROUP_ID ||
         err == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL || err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

static void on_trouble(struct sp_kafka_app *app, rd_kafka_resp_err_t err, const char *text) {
  if (is_hopeless(err)) sp_kafka_app_stop_for(app, "read the input topic", err, text);
  sp_kafka_app_check_fatal(app, &app->consumer);
}

// Gives those that are events of ours to the workers.
static void hand_over(struct sp_kafka_app *app, size_t n, int64_t held_ns) {
  size_t n_events = 0;
  struct sp_kafka_event *events[BATCH_MAX];
  pthread_mutex_lock(&app->lock);
  for (size_t i = 0; i < n; i++) {
    rd_kafka_message_t *message = app->batch[i];
    struct sp_offsets *offsets = message->err ? NULL : offsets_of(app, message->partition);
    if (!offsets) continue; // trouble, or the rest of a partition that is no longer ours
    events[n_events++] = admit(app, offsets, message, held_ns);
    app->batch[i] = NULL;
  }
  pthread_mutex_unlock(&app->lock);
  for (size_t i = 0; i < n_events; i++) {
    struct sp_kafka_event **cell = sp_ring_claim(&app->events);
    SP_ASSERT(cell != NULL); // the ring holds the whole pool
    *cell = events[i];
    sp_ring_commit(cell);
  }
  if (n_events) sp_gate_wake(&app->event_gate, (int)n_events);
  sp_kafka_count(&app->n_received, n_events);
}

static void destroy_rest(struct sp_kafka_app *app, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!app->batch[i]) continue;
    if (app->batch[i]->err) on_trouble(app, app->batch[i]->err, rd_kafka_message_errstr(app->batch[i]));
    rd_kafka_message_destroy(app->batch[i]);
  }
}

// With `only_waiting` what no worker has yet, otherwise all that is left of the partition. The lock is held.
static void forget_one(struct sp_kafka_app *app, struct sp_offsets *offsets, bool only_waiting) {
  bool holds_answers = !app->env.exactly_once;
  if (!offsets) return;
  sp_kafka_app_release_locked(app, only_waiting ? sp_offsets_forget_waiting(offsets, holds_answers)
                                                : sp_offsets_forget(offsets, holds_answers));
  // In a transaction answers are taken off the list by who commits them.
  if (only_waiting && holds_answers) sp_kafka_app_release_locked(app, sp_offsets_advance(offsets));
}

// At the end: what no worker has yet is for others, who get it at once. This thread alone admits events, so that none comes
// behind the gap.
static void forget_waiting(struct sp_kafka_app *app) {
  pthread_mutex_lock(&app->lock);
  for (int32_t i = 0; i < app->n_partitions; i++) forget_one(app, offsets_of(app, i), true);
  for (struct sp_kafka_event **cell; (cell = sp_ring_take(&app->events)) != NULL;) {
    struct sp_kafka_event *event = *cell;
    sp_ring_release(&app->events, cell);
    event->item.next = NULL;
    sp_kafka_app_release_locked(app, &event->item);
  }
  pthread_mutex_unlock(&app->lock);
  app->has_forgotten = true;
}

static size_t fetch(struct sp_kafka_app *app) {
  if (sp_kafka_is(&app->is_draining) && !app->has_forgotten) forget_waiting(app);
  if (sp_kafka_is(&app->is_draining) || sp_kafka_is(&app->has_stopped)) return 0;
  size_t want = rd_kafka_queue_length(app->message_queue);
  size_t room = want ? find_room(app) : 0;
  if (want > room) want = room;
  if (want > BATCH_MAX) want = BATCH_MAX;
  if (!want) return 0;
  // As many as there are: for more it would wait.
  ssize_t n = rd_kafka_consume_batch_queue(app->message_queue, 0, app->batch, want);
  if (n <= 0) return 0;
  hand_over(app, (size_t)n, sp_now_ns());
  destroy_rest(app, (size_t)n);
  return (size_t)n;
}

// --- Commits of offsets (at least once) ---

static rd_kafka_topic_partition_list_t *offsets_to_commit(struct sp_kafka_app *app) {
  rd_kafka_topic_partition_list_t *list = NULL;
  pthread_mutex_lock(&app->lock);
  for (int32_t i = 0; i < app->n_partitions; i++) {
    struct sp_offsets *offsets = offsets_of(app, i);
    if (!offsets || offsets->finished < 0 || offsets->finished == offsets->committed) continue;
    if (!list) list = rd_kafka_topic_partition_list_new(4);
    rd_kafka_topic_partition_list_add(list, app->env.kafka.input, i)->offset = offsets->finished;
    offsets->committed = offsets->finished;
  }
  pthread_mutex_unlock(&app->lock);
  return list;
}

// What failed is committed again with the next.
static void on_commit(struct sp_kafka_app *app, rd_kafka_event_t *event) {
  rd_kafka_resp_err_t err = rd_kafka_event_error(event);
  const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
  bool has_failed = err != RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int i = 0; list && i < list->cnt; i++) {
    if (!err && !list->elems[i].err) continue;
    struct sp_offsets *offsets = offsets_of(app, list->elems[i].partition);
    if (offsets) offsets->committed = -1;
    has_failed = true;
  }
  app->is_committing = false;
  if (!has_failed) sp_kafka_count(&app->n_commits, 1);
  if (is_hopeless(err)) sp_kafka_app_stop_for(app, "commit offsets", err, NULL);
}

static void await_commit(struct sp_kafka_app *app, int64_t until_ns) {
  while (app->is_committing) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(app->commit_queue, sp_kafka_ms_until(until_ns, 1000));
    if (!event && sp_now_ns() >= until_ns) return;
    if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT) on_commit(app, event);
    rd_kafka_event_destroy(event);
  }
}

// One at a time, so that none overtakes another.
static void commit(struct sp_kafka_app *app) {
  await_commit(app, 0);
  if (app->is_committing) return;
  rd_kafka_topic_partition_list_t *list = offsets_to_commit(app);
  if (!list) return;
  app->is_committing = rd_kafka_commit_queue(app->consumer.rk, list, app->commit_queue, NULL, NULL) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int i = 0; i < list->cnt && !app->is_committing; i++)
    app->ours[list->elems[i].partition]->committed = -1;
  rd_kafka_topic_partition_list_destroy(list);
}

static void commit_and_wait(struct sp_kafka_app *app, int64_t until_ns) {
  await_commit(app, until_ns);
  commit(app);
  await_commit(app, until_ns);
}

static void commit_when_due(struct sp_kafka_app *app, int64_t now_ns) {
  if (app->env.exactly_once || now_ns < app->next_commit_ns) return;
  commit(app);
  app->next_commit_ns = now_ns + app->env.commit_interval_ns;
}

// --- Partitions come and go ---

static struct sp_offsets *offsets_for(struct sp_kafka_app *app, int32_t partition) {
  if (partition >= app->n_partitions) {
    app->ours = sp_realloc(app->ours, ((size_t)partition + 1) * sizeof(struct sp_offsets *));
    while (app->n_partitions <= partition) app->ours[app->n_partitions++] = NULL;
  }
  if (!app->ours[partition]) app->ours[partition] = sp_alloc(sizeof **app->ours);
  return app->ours[partition];
}

// Messages have a queue of their own: the group is heard also while there is no room for them.
static void forward(struct sp_kafka_app *app, int32_t partition) {
  rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(app->consumer.rk, app->env.kafka.input, partition);
  SP_ASSERT(queue != NULL);
  rd_kafka_queue_forward(queue, app->message_queue);
  rd_kafka_queue_destroy(queue);
}

static void take_on(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list) {
  pthread_mutex_lock(&app->lock);
  for (int i = 0; i < list->cnt; i++) sp_offsets_give(offsets_for(app, list->elems[i].partition));
  pthread_mutex_unlock(&app->lock);
  for (int i = 0; i < list->cnt; i++) forward(app, list->elems[i].partition);
}

static bool is_done(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list) {
  bool all = true;
  pthread_mutex_lock(&app->lock);
  for (int i = 0; i < list->cnt && all; i++) {
    const struct sp_offsets *offsets = offsets_of(app, list->elems[i].partition);
    if (offsets) all = app->env.exactly_once ? sp_offsets_all_answered(offsets) : !offsets->first;
  }
  pthread_mutex_unlock(&app->lock);
  return all;
}

static void await_answers(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list,
                          int64_t until_ns) {
  atomic_store_explicit(&app->poller_wants, SP_KAFKA_WANTS_EACH, memory_order_seq_cst);
  for (;;) {
    uint32_t seen = sp_gate_look(&app->poller_gate);
    int64_t now_ns = sp_now_ns();
    if (is_done(app, list) || now_ns >= until_ns || sp_kafka_is(&app->has_stopped)) break;
    sp_gate_wait(&app->poller_gate, seen, SP_WAIT_PARK,
                 until_ns < now_ns + IDLE_NS ? until_ns : now_ns + IDLE_NS);
  }
  atomic_store_explicit(&app->poller_wants, SP_KAFKA_WANTS_NOTHING, memory_order_seq_cst);
}

static bool all_is_committed(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list) {
  bool all = !app->is_committing;
  for (int i = 0; i < list->cnt && all; i++) {
    const struct sp_offsets *offsets = offsets_of(app, list->elems[i].partition);
    all = !offsets || (!offsets->first && !offsets->is_stuck && offsets->finished == offsets->committed);
  }
  return all;
}

static void forget(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list, bool only_waiting) {
  pthread_mutex_lock(&app->lock);
  for (int i = 0; i < list->cnt; i++)
    forget_one(app, offsets_of(app, list->elems[i].partition), only_waiting);
  pthread_mutex_unlock(&app->lock);
}

// Whoever gets the partitions starts at what was committed, so what is under way in them is finished first, for a bounded
// time; whatever is left then comes again, there.
static void let_go(struct sp_kafka_app *app, const rd_kafka_topic_partition_list_t *list, bool are_lost) {
  int64_t until_ns = sp_now_ns() + LET_GO_NS;
  bool is_leaving = sp_kafka_is(&app->is_leaving);
  if (is_leaving && app->leave_by_ns < until_ns) until_ns = app->leave_by_ns;
  if (!are_lost && (!is_leaving || sp_kafka_is(&app->commits_on_leave))) {
    forget(app, list, true);
    await_answers(app, list, until_ns);
    bool is_done = app->env.exactly_once && sp_kafka_transact(app, until_ns);
    if (!app->env.exactly_once) {
      commit_and_wait(app, until_ns);
      is_done = all_is_committed(app, list);
    }
    if (is_leaving && !is_done) app->is_unfinished = true;
  }
  if (app->env.exactly_once) sp_kafka_transaction_give_up(app);
  forget(app, list, false);
}

static void tell(struct sp_kafka_app *app, bool is_given, const rd_kafka_topic_partition_list_t *list) {
  if (!app->env.on_assignment) return;
  int32_t *partitions = sp_alloc(((size_t)list->cnt + 1) * sizeof *partitions);
  for (int i = 0; i < list->cnt; i++) partitions[i] = list->elems[i].partition;
  app->env.on_assignment(app->env.context, is_given, partitions, (size_t)list->cnt);
  free(partitions);
}

// The cooperative protocol takes away only what moves, the eager one everything each time; which one is agreed upon in the
// group.
static void assign(struct sp_kafka_app *app, bool is_given, const rd_kafka_topic_partition_list_t *list) {
  rd_kafka_t *rk = app->consumer.rk;
  const char *protocol = rd_kafka_rebalance_protocol(rk);
  rd_kafka_error_t *error = NULL;
  rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (protocol && strcmp(protocol, "COOPERATIVE") == 0)
    error = is_given ? rd_kafka_incremental_assign(rk, list) : rd_kafka_incremental_unassign(rk, list);
  else
    err = rd_kafka_assign(rk, is_given ? list : NULL);
  if (error) err = rd_kafka_error_code(error);
  if (err) on_trouble(app, err, error ? rd_kafka_error_string(error) : NULL);
  if (error) rd_kafka_error_destroy(error);
}

static void on_rebalance(struct sp_kafka_app *app, rd_kafka_event_t *event) {
  const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
  bool is_given = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  sp_kafka_count(&app->n_rebalances, 1);
  if (is_given)
    take_on(app, list);
  else
    let_go(app, list, rd_kafka_assignment_lost(app->consumer.rk));
  assign(app, is_given, list);
  if (is_given) atomic_store_explicit(&app->has_assignment, true, memory_order_release);
  tell(app, is_given, list);
  sp_gate_wake(&app->idle_gate, INT32_MAX);
}

static void on_group_event(struct sp_kafka_app *app, rd_kafka_event_t *event) {
  switch (rd_kafka_event_type(event)) {
  case RD_KAFKA_EVENT_REBALANCE: on_rebalance(app, event); break;
  case RD_KAFKA_EVENT_ERROR:
    on_trouble(app, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
    break;
  default: break;
  }
  rd_kafka_event_destroy(event);
}

static void serve_group(struct sp_kafka_app *app, int64_t now_ns) {
  if (now_ns < app->next_poll_ns && !rd_kafka_queue_length(app->group_queue)) return;
  for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(app->group_queue, 0)) != NULL;)
    on_group_event(app, event);
  sp_kafka_app_check_fatal(app, &app->consumer);
  app->next_poll_ns = now_ns + POLL_EVERY_NS;
}

// --- The thread ---

static void leave(struct sp_kafka_app *app) {
  int64_t until_ns = app->leave_by_ns + SP_NS_PER_S; // for the farewell itself
  rd_kafka_queue_t *queue = rd_kafka_queue_new(app->consumer.rk);
  rd_kafka_error_t *error = rd_kafka_consumer_close_queue(app->consumer.rk, queue);
  if (error) rd_kafka_error_destroy(error); // closed already
  while (!error && !rd_kafka_consumer_closed(app->consumer.rk) && sp_now_ns() < until_ns) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, sp_kafka_ms_until(until_ns, 20));
    if (event) on_group_event(app, event);
  }
  rd_kafka_queue_destroy(queue);
}

void *sp_kafka_poll(void *context) {
  struct sp_kafka_app *app = context;
  app->batch = sp_alloc(BATCH_MAX * sizeof(rd_kafka_message_t *));
  while (!sp_kafka_is(&app->is_leaving)) {
    uint32_t seen = sp_gate_look(&app->poller_gate);
    int64_t now_ns = sp_now_ns();
    serve_group(app, now_ns);
    size_t n = fetch(app);
    commit_when_due(app, now_ns);
    if (!n) sp_gate_wait(&app->poller_gate, seen, app->env.wait, now_ns + IDLE_NS);
  }
  leave(app);
  free(app->batch);
  return NULL;
}
