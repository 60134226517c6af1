// The workers' half of the application's Kafka transport: events out of the FIFO, answers to the producer; and the thread that
// takes the broker's word for them.
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_member.h"

#define POLL_MS      100 // how soon a thread of ours sees that it is to end, where nothing wakes it
#define REPORTS_ONCE 512

// --- Take ---

static struct sp_bytes header_of(const rd_kafka_message_t *message, const char *name) {
  rd_kafka_headers_t *headers;
  const void *value = NULL;
  size_t n = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &n) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return (struct sp_bytes){NULL, 0};
  }
  return sp_bytes_of(value, n);
}

static void fill_delivery(struct sp_delivery *delivery, struct sp_kafka_event *event) {
  const rd_kafka_message_t *message = event->message;
  *delivery = (struct sp_delivery){.id = SP_REPLY_ALIEN,
                                   .held_ns = event->held_ns,
                                   .partition = message->partition,
                                   .key = sp_bytes_of(message->key, message->key_len),
                                   .value = sp_bytes_of(message->payload, message->len),
                                   .token = event};
  sp_wire_get_id(header_of(message, SP_HEADER_ID), &delivery->id);
}

static size_t take_waiting(struct sp_kafka_app *app, struct sp_delivery *deliveries, size_t max) {
  size_t n = 0;
  for (struct sp_kafka_event **cell; n < max && (cell = sp_ring_take(&app->events)) != NULL;) {
    struct sp_kafka_event *event = *cell;
    sp_ring_release(&app->events, cell);
    if (sp_offsets_move(&event->item, SP_OFFSETS_WAITING, SP_OFFSETS_TAKEN)) {
      fill_delivery(&deliveries[n++], event);
    } else { // its partition was taken away
      event->item.next = NULL;
      sp_kafka_app_release(app, &event->item);
    }
  }
  return n;
}

static size_t app_take(void *impl, struct sp_delivery *deliveries, size_t max, int64_t deadline_ns) {
  struct sp_kafka_app *app = impl;
  for (;;) {
    uint32_t seen = sp_gate_look(&app->event_gate);
    size_t n = take_waiting(app, deliveries, max);
    if (n || sp_kafka_is(&app->is_closed) || deadline_ns <= 0 || sp_now_ns() >= deadline_ns) return n;
    sp_gate_wait(&app->event_gate, seen, app->env.wait, deadline_ns);
  }
}

// --- Answer ---

static struct sp_reply *app_reply_claim(void *impl) {
  struct sp_kafka_app *app = impl;
  for (;;) {
    uint32_t seen = sp_gate_look(&app->reply_gate);
    struct sp_reply **cell = sp_ring_take(&app->replies);
    if (cell) {
      struct sp_reply *reply = *cell;
      sp_ring_release(&app->replies, cell);
      return reply;
    }
    if (sp_kafka_is(&app->is_closed)) return NULL;
    sp_gate_wait(&app->reply_gate, seen, app->env.wait, INT64_MAX);
  }
}

static void give_back(struct sp_kafka_app *app, struct sp_reply *reply) {
  struct sp_reply **cell = sp_ring_claim(&app->replies);
  SP_ASSERT(cell != NULL); // the ring holds every buffer
  *cell = reply;
  sp_ring_commit(cell);
  sp_gate_wake(&app->reply_gate, 1);
}

// What earlier hops said of themselves does not travel on.
static void set_headers(rd_kafka_headers_t *headers, const struct sp_kafka_answer *answer) {
  rd_kafka_header_remove(headers, SP_HEADER_STAGES);
  rd_kafka_header_remove(headers, SP_HEADER_OUTCOME);
  rd_kafka_header_add(headers, SP_HEADER_STAGES, -1, answer->stages, sizeof answer->stages);
  if (answer->outcome_bytes)
    rd_kafka_header_add(headers, SP_HEADER_OUTCOME, -1, answer->outcome, (ssize_t)answer->outcome_bytes);
}

static rd_kafka_resp_err_t produce_once(struct sp_kafka_app *app, const rd_kafka_message_t *to,
                                        rd_kafka_headers_t *headers, const void *value, size_t n_value,
                                        void *opaque) {
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = app->output},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = to->partition},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {to->key, to->key_len}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, n_value}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
  };
  rd_kafka_error_t *error = rd_kafka_produceva(app->producer.rk, parts, sizeof parts / sizeof *parts);
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_resp_err_t err = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return err;
}

// Waits while the producer's queue is full: answers are not shed, the events behind them wait in the topic.
rd_kafka_resp_err_t sp_kafka_produce(struct sp_kafka_app *app, const rd_kafka_message_t *to,
                                     rd_kafka_headers_t *headers, const struct sp_kafka_answer *answer,
                                     const void *value, void *opaque) {
  set_headers(headers, answer);
  for (;;) {
    uint32_t seen = sp_gate_look(&app->room_gate);
    rd_kafka_resp_err_t err = produce_once(app, to, headers, value, answer->value_bytes, opaque);
    if (!err) return err;
    if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL || sp_kafka_is(&app->is_closed) ||
        sp_kafka_is(&app->has_stopped)) {
      rd_kafka_headers_destroy(headers);
      return err;
    }
    sp_gate_wait(&app->room_gate, seen, SP_WAIT_PARK, sp_now_ns() + SP_NS_PER_S);
  }
}

static void describe(struct sp_kafka_answer *answer, const struct sp_kafka_app *app,
                     const struct sp_reply *reply) {
  sp_wire_put_stages(reply, app->boot, answer->stages);
  bool is_answer = reply->outcome == SP_OUTCOME_NONE;
  answer->outcome_bytes = is_answer ? 0 : sp_wire_put_outcome(reply, answer->outcome);
  answer->value_bytes = is_answer ? reply->value_bytes : 0;
}

// The event's own headers, not a copy of them, where the event is not needed again.
static void produce_now(struct sp_kafka_app *app, struct sp_kafka_event *event,
                        const struct sp_reply *reply) {
  struct sp_kafka_answer answer;
  rd_kafka_message_t *message = event->message;
  rd_kafka_headers_t *headers;
  describe(&answer, app, reply);
  if (rd_kafka_message_detach_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    headers = rd_kafka_headers_new(2);
  event->message =
      NULL; // the delivery report may come, and the event be another's, before produce has returned
  rd_kafka_resp_err_t err = sp_kafka_produce(app, message, headers, &answer, reply->value, event);
  rd_kafka_message_destroy(message);
  if (!err) return;
  sp_kafka_count(&app->n_refused, 1);
  pthread_mutex_lock(&app->lock);
  if (sp_offsets_move(&event->item, SP_OFFSETS_ANSWERED, SP_OFFSETS_REFUSED)) {
    sp_kafka_app_release_locked(app, sp_offsets_advance(event->offsets));
  } else {
    event->item.next = NULL;
    sp_kafka_app_release_locked(app, &event->item);
  }
  pthread_mutex_unlock(&app->lock);
}

// Kept until its transaction is committed. False: the event was forgotten meanwhile.
static bool keep_answer(struct sp_kafka_app *app, struct sp_kafka_event *event,
                        const struct sp_reply *reply) {
  size_t n = reply->outcome == SP_OUTCOME_NONE ? reply->value_bytes : 0;
  event->answer = sp_alloc(sizeof *event->answer + n);
  describe(event->answer, app, reply);
  memcpy(event->answer->value, reply->value, n);
  bool is_kept = sp_offsets_move(&event->item, SP_OFFSETS_TAKEN, SP_OFFSETS_ANSWERED);
  if (atomic_load_explicit(&app->poller_wants, memory_order_acquire) == SP_KAFKA_WANTS_EACH)
    sp_gate_wake(&app->poller_gate, 1);
  return is_kept;
}

static void app_reply_commit(void *impl, struct sp_reply *reply) {
  struct sp_kafka_app *app = impl;
  struct sp_kafka_event *event = reply->token;
  bool is_kept = app->env.exactly_once ? keep_answer(app, event, reply)
                                       : sp_offsets_move(&event->item, SP_OFFSETS_TAKEN, SP_OFFSETS_ANSWERED);
  sp_kafka_count(is_kept ? &app->n_answered : &app->n_dropped, 1);
  if (!is_kept) {
    event->item.next = NULL;
    sp_kafka_app_release(app, &event->item);
  } else if (!app->env.exactly_once) {
    produce_now(app, event, reply);
  }
  give_back(app, reply);
}

static void app_close(void *impl) {
  struct sp_kafka_app *app = impl;
  atomic_store_explicit(&app->is_closed, true, memory_order_release);
  sp_gate_wake(&app->event_gate, INT32_MAX);
  sp_gate_wake(&app->reply_gate, INT32_MAX);
  sp_gate_wake(&app->room_gate, INT32_MAX);
}

const struct sp_stream_ops sp_kafka_app_ops = {
    .name = "kafka",
    .take = app_take,
    .reply_claim = app_reply_claim,
    .reply_commit = app_reply_commit,
    .close = app_close,
};

// --- Confirm ---

static void note_refusal(struct sp_kafka_app *app, const rd_kafka_message_t *report) {
  if (report->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || report->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    return;
  if (!app->env.exactly_once) {
    sp_kafka_count(&app->n_refused, 1);
    return;
  }
  // No transaction with this answer will ever be committed, and none may be without it.
  if (report->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
      report->err == RD_KAFKA_RESP_ERR_INVALID_RECORD || report->err == RD_KAFKA_RESP_ERR_INVALID_MSG ||
      report->err == RD_KAFKA_RESP_ERR_POLICY_VIOLATION) {
    sp_kafka_count(&app->n_refused, 1);
    sp_kafka_app_stop_for(app, "write an answer within a transaction", report->err, NULL);
  }
}

// Finished events join *freed once their partition's prefix closes over them.
static void confirm_batch(struct sp_kafka_app *app, const rd_kafka_message_t **reports, size_t n) {
  struct sp_offsets *offsets = NULL;
  uint64_t n_confirmed = 0;
  pthread_mutex_lock(&app->lock);
  for (size_t i = 0; i < n; i++) {
    struct sp_kafka_event *event = reports[i]->_private;
    if (reports[i]->err)
      note_refusal(app, reports[i]);
    else
      n_confirmed++;
    if (!event) continue; // of a transaction
    if (offsets && offsets != event->offsets) sp_kafka_app_release_locked(app, sp_offsets_advance(offsets));
    offsets = event->offsets;
    int state = reports[i]->err ? SP_OFFSETS_REFUSED : SP_OFFSETS_FINISHED;
    if (sp_offsets_move(&event->item, SP_OFFSETS_ANSWERED, state)) continue;
    event->item.next = NULL;
    sp_kafka_app_release_locked(app, &event->item);
  }
  if (offsets) sp_kafka_app_release_locked(app, sp_offsets_advance(offsets));
  pthread_mutex_unlock(&app->lock);
  if (!app->env.exactly_once) sp_kafka_count(&app->n_acknowledged, n_confirmed);
}

void *sp_kafka_confirm(void *context) {
  struct sp_kafka_app *app = context;
  const rd_kafka_message_t **reports = sp_alloc(REPORTS_ONCE * sizeof(void *));
  while (!sp_kafka_is(&app->is_ending)) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(app->producer_queue, POLL_MS);
    if (!event) sp_kafka_app_check_fatal(app, &app->producer);
    if (!event) continue;
    for (size_t n; (n = rd_kafka_event_message_array(event, reports, REPORTS_ONCE)) > 0;)
      confirm_batch(app, reports, n);
    rd_kafka_event_destroy(event);
    sp_gate_wake(&app->room_gate, INT32_MAX);
    if (atomic_load_explicit(&app->poller_wants, memory_order_acquire) == SP_KAFKA_WANTS_EACH)
      sp_gate_wake(&app->poller_gate, 1);
  }
  free(reports);
  return NULL;
}
