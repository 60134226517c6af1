// Exactly-once: answers of finished prefixes and the offsets behind them go out together or not at all. What was begun is
// finished or taken back, and tried again with the same answers, for as long as the broker allows.
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_member.h"

#define RETRY_NS    (50 * SP_NS_PER_MS)
#define CALL_MS     5000               // of each call to the broker; it can be resumed
#define DRAINING_NS (5 * SP_NS_PER_MS) // the interval while the application is coming to its end

// How a call to the broker ended. It takes the error.
enum step { STEP_DONE, STEP_AGAIN, STEP_ABORT, STEP_HOPELESS };

static enum step step_of(struct sp_kafka_app *app, const char *what, rd_kafka_error_t *error) {
  if (!error) return STEP_DONE;
  enum step step = STEP_AGAIN;
  if (rd_kafka_error_txn_requires_abort(error)) {
    step = STEP_ABORT;
  } else if (!rd_kafka_error_is_retriable(error)) {
    step = STEP_HOPELESS;
    sp_kafka_app_stop_for(app, what, rd_kafka_error_code(error), rd_kafka_error_string(error));
  }
  rd_kafka_error_destroy(error);
  return step;
}

static struct sp_kafka_event *event_of(struct sp_offsets_item *item) {
  return (struct sp_kafka_event *)(void *)item;
}

// --- The batch ---

// Everything that is answered before everything that is not, partition by partition in its order.
static void collect(struct sp_kafka_app *app) {
  struct sp_offsets_item **end = &app->transaction.batch;
  pthread_mutex_lock(&app->lock);
  for (int32_t i = 0; i < app->n_partitions; i++) {
    if (!app->ours[i] || !app->ours[i]->is_ours) continue;
    *end = sp_offsets_take(app->ours[i]);
    while (*end) end = &(*end)->next;
  }
  pthread_mutex_unlock(&app->lock);
}

// Events of partitions that were taken away since come again to whoever has these now.
static void drop_foreign(struct sp_kafka_app *app) {
  struct sp_offsets_item **at = &app->transaction.batch;
  pthread_mutex_lock(&app->lock);
  while (*at) {
    struct sp_kafka_event *event = event_of(*at);
    if (event->offsets->is_ours && event->offsets->n_given == event->n_given) {
      at = &(*at)->next;
      continue;
    }
    *at = event->item.next;
    event->item.next = NULL;
    sp_kafka_count(&app->n_dropped, 1);
    sp_kafka_app_release_locked(app, &event->item);
  }
  pthread_mutex_unlock(&app->lock);
}

static rd_kafka_headers_t *headers_of(const struct sp_kafka_event *event) {
  rd_kafka_headers_t *headers;
  if (rd_kafka_message_headers(event->message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
    return rd_kafka_headers_copy(headers); // the event keeps its own for another attempt
  return rd_kafka_headers_new(2);
}

static enum step produce_batch(struct sp_kafka_app *app) {
  for (struct sp_offsets_item *item = app->transaction.batch; item; item = item->next) {
    const struct sp_kafka_event *event = event_of(item);
    rd_kafka_resp_err_t err =
        sp_kafka_produce(app, event->message, headers_of(event), event->answer, event->answer->value, NULL);
    if (err == RD_KAFKA_RESP_ERR__STATE || err == RD_KAFKA_RESP_ERR__QUEUE_FULL) return STEP_ABORT;
    if (!err) continue;
    sp_kafka_count(&app->n_refused, 1);
    sp_kafka_app_stop_for(app, "write an answer within a transaction", err, NULL);
    return STEP_HOPELESS;
  }
  return STEP_DONE;
}

static enum step send_offsets(struct sp_kafka_app *app) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
  for (struct sp_offsets_item *item = app->transaction.batch; item; item = item->next) {
    int32_t partition = event_of(item)->message->partition;
    rd_kafka_topic_partition_t *of =
        rd_kafka_topic_partition_list_find(list, app->env.kafka.input, partition);
    if (!of) of = rd_kafka_topic_partition_list_add(list, app->env.kafka.input, partition);
    of->offset = item->offset + 1;
  }
  rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(app->consumer.rk);
  enum step step = STEP_AGAIN;
  if (group) {
    step = step_of(app, "send offsets within a transaction",
                   rd_kafka_send_offsets_to_transaction(app->producer.rk, list, group, CALL_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
  }
  rd_kafka_topic_partition_list_destroy(list);
  return step;
}

// --- One transaction ---

static enum step abort_it(struct sp_kafka_app *app) {
  struct sp_kafka_transaction *t = &app->transaction;
  if (t->phase != SP_KAFKA_IDLE) {
    enum step step =
        step_of(app, "abort a transaction", rd_kafka_abort_transaction(app->producer.rk, CALL_MS));
    if (step != STEP_DONE) return step == STEP_ABORT ? STEP_AGAIN : step;
    sp_kafka_count(&app->n_aborts, 1);
  }
  t->phase = SP_KAFKA_IDLE;
  t->must_abort = false;
  return STEP_DONE;
}

static void committed(struct sp_kafka_app *app) {
  struct sp_kafka_transaction *t = &app->transaction;
  uint64_t n = 0;
  for (const struct sp_offsets_item *item = t->batch; item; item = item->next) n++;
  sp_kafka_count(&app->n_acknowledged, n);
  sp_kafka_count(&app->n_commits, 1);
  sp_kafka_app_release(app, t->batch);
  t->batch = NULL;
  t->phase = SP_KAFKA_IDLE;
}

// The next call on the way to the commit.
static enum step advance(struct sp_kafka_app *app) {
  struct sp_kafka_transaction *t = &app->transaction;
  enum step step = STEP_DONE;
  switch (t->phase) {
  case SP_KAFKA_IDLE:
    step = step_of(app, "begin a transaction", rd_kafka_begin_transaction(app->producer.rk));
    if (step == STEP_DONE) t->phase = SP_KAFKA_BEGUN;
    break;
  case SP_KAFKA_BEGUN:
    step = produce_batch(app);
    if (step == STEP_DONE) t->phase = SP_KAFKA_PRODUCED;
    break;
  case SP_KAFKA_PRODUCED:
    step = send_offsets(app);
    if (step == STEP_DONE) t->phase = SP_KAFKA_OFFSETS_SENT;
    break;
  case SP_KAFKA_OFFSETS_SENT:
    step = step_of(app, "commit a transaction", rd_kafka_commit_transaction(app->producer.rk, CALL_MS));
    if (step == STEP_DONE) committed(app);
    break;
  }
  return step;
}

static bool can_go_on(struct sp_kafka_app *app) {
  return !sp_kafka_is(&app->has_stopped) && !sp_kafka_is(&app->is_ending_transactions);
}

static bool transact(struct sp_kafka_app *app, int64_t deadline_ns) {
  struct sp_kafka_transaction *t = &app->transaction;
  bool has_collected = false;
  while (can_go_on(app)) {
    if (t->phase == SP_KAFKA_IDLE) drop_foreign(app);
    if (!t->batch && has_collected) return true;
    if (!t->batch) {
      collect(app);
      has_collected = true;
      continue;
    }
    enum step step = t->must_abort ? STEP_ABORT : advance(app);
    if (step == STEP_ABORT) {
      t->must_abort = true;
      step = abort_it(app);
    }
    if (step == STEP_DONE) continue;
    if (step == STEP_HOPELESS || sp_now_ns() + RETRY_NS >= deadline_ns) return false;
    nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL); // nothing tells when the broker is back
  }
  return false;
}

bool sp_kafka_transact(struct sp_kafka_app *app, int64_t deadline_ns) {
  pthread_mutex_lock(&app->transaction.lock);
  bool is_done = transact(app, deadline_ns);
  pthread_mutex_unlock(&app->transaction.lock);
  return is_done;
}

// A commit that is under way can only be waited for: its offsets were checked against the group when they were sent.
void sp_kafka_transaction_give_up(struct sp_kafka_app *app) {
  struct sp_kafka_transaction *t = &app->transaction;
  pthread_mutex_lock(&t->lock);
  if (t->phase == SP_KAFKA_BEGUN || t->phase == SP_KAFKA_PRODUCED) t->must_abort = true;
  pthread_mutex_unlock(&t->lock);
}

void *sp_kafka_commit_transactions(void *context) {
  struct sp_kafka_app *app = context;
  int64_t next_ns = sp_now_ns();
  while (can_go_on(app)) {
    uint32_t seen = sp_gate_look(&app->commit_gate);
    int64_t now_ns = sp_now_ns();
    int64_t interval_ns = sp_kafka_is(&app->is_draining) ? DRAINING_NS : app->env.commit_interval_ns;
    if (next_ns > now_ns + interval_ns) next_ns = now_ns + interval_ns;
    if (now_ns < next_ns) {
      sp_gate_wait(&app->commit_gate, seen, SP_WAIT_PARK, next_ns);
      continue;
    }
    sp_kafka_transact(app, now_ns + SP_NS_PER_S);
    next_ns = next_ns + interval_ns > now_ns ? next_ns + interval_ns : now_ns;
  }
  return NULL;
}
