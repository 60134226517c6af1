// The driver's half of Kafka: events out through a producer, answers in from every output partition through one queue.
//
// Threads: the pacer sends; the collector receives, and reads the producer's delivery reports on its way; librdkafka's own
// threads wake the collector when messages come. Reports wake nobody: where no message comes they wait for REPORTS_NS at most.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/ring.h"
#include "stream/kafka_conf.h"
#include "stream/wire.h"

#define RECEIVE_MAX   256
#define REFUSED_CELLS 4096
#define REPORTS_MAX   1024
#define REPORTS_NS    (50 * SP_NS_PER_MS)
#define FACTS_NS      SP_NS_PER_S

struct refused { // by the producer at once, on its way to the collector
  uint64_t id;
  int64_t sent_ns;
  rd_kafka_resp_err_t err;
};

struct sp_kafka_driver {
  struct sp_kafka_driver_env env;
  uint8_t boot[SP_BOOT_BYTES];
  int64_t origin_ns;
  struct sp_kafka_client producer, consumer;
  rd_kafka_topic_t *input, *output; // of producer, of consumer
  int32_t n_input, n_output;        // partitions; 0: that topic is not used
  int32_t *read;                    // output partitions that are read
  size_t n_read;
  int64_t *input_low, *output_low; // per partition, when this began
  rd_kafka_queue_t *messages;      // of all partitions read
  rd_kafka_queue_t *reports;
  struct sp_gate gate; // the collector waits for messages
  atomic_bool is_closed;
  struct sp_sent sent; // written by the pacer
  size_t sent_bytes;
  struct sp_ring refused;
  // Collector thread only.
  rd_kafka_event_t *report; // being read
  uint8_t *replies;         // RECEIVE_MAX of reply_bytes each, touched as they are used
  size_t reply_bytes;
  int64_t polled_ns;
  int64_t n_acknowledged, n_answered; // n_answered: events with at least one answer
  uint8_t *answered;                  // a bit for each event
  size_t replies_peak, replies_room;
};

// --- Pacer ---

static bool refuse(struct sp_kafka_driver *d, const struct sp_delivery *delivery, rd_kafka_resp_err_t err) {
  struct refused *cell = sp_ring_claim(&d->refused);
  if (!cell) return false;
  *cell = (struct refused){delivery->id, delivery->sent_ns, err};
  sp_ring_commit(cell);
  sp_gate_wake(&d->gate, 1);
  return true;
}

static bool kafka_send(void *impl, const struct sp_delivery *delivery) {
  struct sp_kafka_driver *d = impl;
  uint64_t id = delivery->id;
  uint8_t id_bytes[8];
  SP_ASSERT(id < d->env.n_events && d->input);
  sp_wire_put_id(id, id_bytes);
  int32_t partition = delivery->partition >= 0 ? delivery->partition
                                               : sp_partition_of(delivery->key, id, (uint32_t)d->n_input);
  // librdkafka takes void *, and does not write there.
  void *key = (void *)(uintptr_t)delivery->key.data, *value = (void *)(uintptr_t)delivery->value.data;
  const rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = d->input},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0}, // neither copied nor freed
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key, delivery->key.n}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value, delivery->value.n}},
      {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {SP_HEADER_ID, id_bytes, sizeof id_bytes}},
      {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {SP_HEADER_RUN, d->env.kafka.run, SP_RUN_BYTES}},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)id},
  };
  // Before the call: the answer may come before it returns.
  sp_sent_begin(&d->sent, id, delivery->sent_ns);
  rd_kafka_error_t *failure = rd_kafka_produceva(d->producer.rk, parts, sizeof parts / sizeof *parts);
  // One that a surplus answer was matched to meanwhile is booked: it can no longer be shed.
  bool is_free = sp_sent_end(&d->sent, id, delivery->sent_ns, !failure);
  if (!failure) return true;
  rd_kafka_resp_err_t err = rd_kafka_error_code(failure);
  rd_kafka_error_destroy(failure);
  return ((err != RD_KAFKA_RESP_ERR__QUEUE_FULL || !is_free) && refuse(d, delivery, err)) || !is_free;
}

// --- Collector: messages ---

struct our_headers {
  struct sp_bytes id, run, stages, outcome;
  unsigned n_id, n_run;
};

static void read_headers(rd_kafka_message_t *message, struct our_headers *ours) {
  rd_kafka_headers_t *headers;
  *ours = (struct our_headers){0};
  if (rd_kafka_message_headers(message, &headers)) return; // none
  const char *name;
  const void *value;
  size_t n;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &n) == 0; i++) {
    if (strncmp(name, "sp-", 3) != 0) continue;
    struct sp_bytes bytes = sp_bytes_of(value, n);
    if (strcmp(name, SP_HEADER_ID) == 0) ours->id = bytes, ours->n_id++;
    if (strcmp(name, SP_HEADER_RUN) == 0) ours->run = bytes, ours->n_run++;
    if (strcmp(name, SP_HEADER_STAGES) == 0) ours->stages = bytes;
    if (strcmp(name, SP_HEADER_OUTCOME) == 0) ours->outcome = bytes;
  }
}

static bool is_of_this_run(const struct sp_kafka_driver *d, const struct our_headers *ours) {
  return ours->n_run == 1 && sp_bytes_equal(ours->run, sp_bytes_of(d->env.kafka.run, SP_RUN_BYTES));
}

static uint64_t find_by_header(const struct sp_kafka_driver *d, const struct our_headers *ours) {
  uint64_t id;
  if (ours->n_id != 1 || !is_of_this_run(d, ours)) return SP_REPLY_ALIEN;
  if (!sp_wire_get_id(ours->id, &id) || id >= d->env.n_events) return SP_REPLY_ALIEN;
  return !d->env.sends || sp_sent_at(&d->sent, id) ? id : SP_REPLY_ALIEN;
}

static uint64_t find_event(struct sp_kafka_driver *d, const rd_kafka_message_t *message,
                           const struct our_headers *ours) {
  if (!d->env.matcher) return find_by_header(d, ours);
  if (ours->n_run && !is_of_this_run(d, ours))
    return SP_REPLY_ALIEN; // what an application had left from earlier
  const struct sp_matcher_answer answer = {message->partition, sp_bytes_of(message->key, message->key_len),
                                           sp_bytes_of(message->payload, message->len)};
  return sp_matcher_find(d->env.matcher, &d->sent, &answer);
}

static void start_reply(const struct sp_kafka_driver *d, struct sp_reply *reply, uint64_t id) {
  *reply = (struct sp_reply){.id = id, .server_ns = -1};
  if (id == SP_REPLY_ALIEN) return;
  reply->sent_ns = d->env.sends ? sp_sent_at(&d->sent, id) : 0;
  reply->intended_ns = d->env.intended_ns ? d->origin_ns + d->env.intended_ns[id] : reply->sent_ns;
  if (!d->env.sends) reply->sent_ns = reply->intended_ns;
}

// The last instant that it tells; how long after it held the event, where its clock is another machine's.
static int64_t last_told_ns(const struct sp_reply *told) {
  const int64_t stamps[] = {told->held_ns, told->taken_ns, told->dispatched_ns, told->answered_ns,
                            told->encoded_ns};
  int64_t last_ns = 0;
  for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
    last_ns = stamps[i] > last_ns ? stamps[i] : last_ns;
  return last_ns;
}

// Stages that cannot be true are worse than none. On another machine's clock they are durations from 0, which together last no
// longer than the event was away.
static void read_stages(const struct sp_kafka_driver *d, struct sp_bytes header, struct sp_reply *reply) {
  struct sp_reply told = {0};
  if (!sp_wire_get_stages(header, d->boot, &told)) return;
  if (told.held_ns && told.held_ns < reply->sent_ns) return;
  bool has_sent =
      told.held_ns || d->env.sends; // one that only collects knows no instant of another machine's
  if (has_sent && last_told_ns(&told) > sp_now_ns() - (told.held_ns ? 0 : reply->sent_ns)) return;
  reply->held_ns = told.held_ns;
  reply->taken_ns = told.taken_ns;
  reply->dispatched_ns = told.dispatched_ns;
  reply->answered_ns = told.answered_ns;
  reply->encoded_ns = told.encoded_ns;
  reply->server_ns = told.server_ns;
}

static void make_malformed(struct sp_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void make_malformed(struct sp_reply *reply, const char *format, ...) {
  va_list args;
  va_start(args, format);
  reply->outcome = SP_OUTCOME_MALFORMED;
  vsnprintf(reply->text, sizeof reply->text, format, args);
  va_end(args);
}

static bool is_answered(const struct sp_kafka_driver *d, uint64_t id) {
  return d->answered[id / 8] >> id % 8 & 1;
}
// An answer's copies are no answers to other events.
static void note_answered(struct sp_kafka_driver *d, uint64_t id) {
  d->n_answered += !is_answered(d, id);
  d->answered[id / 8] |= (uint8_t)(1U << id % 8);
}

static void read_value(const struct sp_kafka_driver *d, struct sp_bytes value, struct sp_reply *reply) {
  struct sp_bytes taken = value;
  if (d->env.take_value && !d->env.take_value(d->env.take_context, value, &taken)) {
    make_malformed(reply, "answer: nothing stands where match_value says, in %zu bytes", value.n);
  } else if (taken.n > d->env.value_bound) {
    make_malformed(reply, "answer: %zu bytes, longer than the %zu of the longest possible", taken.n,
                   d->env.value_bound);
  } else {
    reply->value_bytes = taken.n;
    memcpy(reply->value, taken.data, taken.n);
  }
}

static void read_message(struct sp_kafka_driver *d, rd_kafka_message_t *message, struct sp_reply *reply) {
  struct our_headers ours;
  read_headers(message, &ours);
  uint64_t id = find_event(d, message, &ours);
  start_reply(d, reply, id);
  if (id == SP_REPLY_ALIEN) return;
  note_answered(d, id);
  read_stages(d, ours.stages, reply);
  if (ours.outcome.data) {
    if (!sp_wire_get_outcome(ours.outcome, reply))
      make_malformed(reply, "answer: sp-outcome cannot be read (%zu bytes)", ours.outcome.n);
  } else if (!message->payload) {
    make_malformed(reply, "answer: a null value (tombstone) without sp-outcome");
  } else {
    read_value(d, sp_bytes_of(message->payload, message->len), reply);
  }
}

static struct sp_reply *reply_at(struct sp_kafka_driver *d, size_t i) {
  return (struct sp_reply *)(void *)(d->replies + i * d->reply_bytes);
}

// Adds replies from the n-th on.
static size_t take_messages(struct sp_kafka_driver *d, struct sp_reply **replies, size_t n, size_t max) {
  rd_kafka_message_t *messages[RECEIVE_MAX];
  if (!d->messages) return n;
  size_t waiting = rd_kafka_queue_length(d->messages);
  if (waiting > d->replies_peak) d->replies_peak = waiting;
  ssize_t n_taken = rd_kafka_consume_batch_queue(d->messages, 0, messages, max - n);
  for (ssize_t i = 0; i < n_taken; i++) {
    if (!messages[i]->err) { // otherwise of the partition, which librdkafka tries again by itself
      replies[n] = reply_at(d, n);
      read_message(d, messages[i], replies[n++]);
    }
    rd_kafka_message_destroy(messages[i]);
  }
  return n;
}

// --- Collector: what the broker says of sends ---

static void make_unavailable(struct sp_kafka_driver *d, struct sp_reply *reply,
                             const struct refused *refused) {
  start_reply(d, reply, refused->id);
  reply->sent_ns = refused->sent_ns;
  if (!d->env.intended_ns) reply->intended_ns = refused->sent_ns;
  rd_kafka_resp_err_t err = refused->err;
  reply->outcome = SP_OUTCOME_UNAVAILABLE;
  reply->code = err;
  snprintf(reply->text, sizeof reply->text, "not confirmed by the broker: %s", rd_kafka_err2str(err));
}

static const rd_kafka_message_t *next_report(struct sp_kafka_driver *d) {
  for (;;) {
    if (!d->report) d->report = rd_kafka_queue_poll(d->reports, 0);
    if (!d->report) return NULL;
    bool is_delivery = rd_kafka_event_type(d->report) == RD_KAFKA_EVENT_DR;
    const rd_kafka_message_t *message = is_delivery ? rd_kafka_event_message_next(d->report) : NULL;
    if (message) return message;
    rd_kafka_event_destroy(d->report);
    d->report = NULL;
  }
}

// Replies for sends that failed, at most `max`, after at most REPORTS_MAX reports: messages that wait meanwhile are not stamped
// late for those. The rest waits where it is.
static size_t take_failures(struct sp_kafka_driver *d, struct sp_reply **replies, size_t max) {
  size_t n = 0;
  if (!d->reports) return 0;
  for (struct refused *cell; n < max && (cell = sp_ring_take(&d->refused)) != NULL; n++) {
    replies[n] = reply_at(d, n);
    make_unavailable(d, replies[n], cell);
    sp_ring_release(&d->refused, cell);
  }
  const rd_kafka_message_t *report;
  for (size_t i = 0; i < REPORTS_MAX && n < max && (report = next_report(d)) != NULL; i++) {
    if (!report->err) {
      d->n_acknowledged++;
      continue;
    }
    uint64_t id = (uint64_t)(uintptr_t)report->_private;
    replies[n] = reply_at(d, n);
    make_unavailable(d, replies[n++], &(struct refused){id, sp_sent_at(&d->sent, id), report->err});
    if (d->env.matcher && !is_answered(d, id))
      sp_matcher_withdraw(d->env.matcher, &d->sent, id,
                          rd_kafka_message_status(report) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
  }
  return n;
}

// --- Collector: waiting ---

// Librdkafka's thread, when the queue of messages is no longer empty.
static void on_messages(rd_kafka_t *rk, void *context) {
  (void)rk;
  struct sp_kafka_driver *d = context;
  sp_gate_wake(&d->gate, 1);
}

static bool is_closed(struct sp_kafka_driver *d) {
  return atomic_load_explicit(&d->is_closed, memory_order_acquire);
}

// Errors of the consumer would pile up otherwise.
static void poll_consumer(struct sp_kafka_driver *d, int64_t now_ns) {
  if (now_ns - d->polled_ns < REPORTS_NS) return;
  rd_kafka_poll(d->consumer.rk, 0);
  d->polled_ns = now_ns;
}

static size_t kafka_receive(void *impl, struct sp_reply **replies, size_t max, int64_t deadline_ns) {
  struct sp_kafka_driver *d = impl;
  if (max > RECEIVE_MAX) max = RECEIVE_MAX;
  for (;;) {
    uint32_t seen = sp_gate_look(&d->gate);
    // Half of the room at most for failures: a flood of them does not hold up the answers.
    size_t n = take_messages(d, replies, take_failures(d, replies, (max + 1) / 2), max);
    if (n || is_closed(d)) return n;
    int64_t now_ns = sp_now_ns();
    poll_consumer(d, now_ns);
    if (now_ns >= deadline_ns) return 0;
    if (d->report) continue; // more of them are waiting
    int64_t until_ns = d->reports && deadline_ns - now_ns > REPORTS_NS ? now_ns + REPORTS_NS : deadline_ns;
    sp_gate_wait(&d->gate, seen, d->env.wait, until_ns);
  }
}

static void kafka_close(void *impl) {
  struct sp_kafka_driver *d = impl;
  atomic_store_explicit(&d->is_closed, true, memory_order_release);
  sp_gate_wake(&d->gate, INT32_MAX);
}

// --- Facts ---

static int64_t count_gone(struct sp_kafka_client *client, const char *topic, const int64_t *low_at_start,
                          int32_t n_partitions, int64_t deadline_ns) {
  int64_t gone = 0, low, high;
  for (int32_t i = 0; i < n_partitions; i++) {
    if (sp_kafka_client_offsets(client, topic, i, deadline_ns, &low, &high, NULL)) continue;
    if (low > low_at_start[i]) gone += low - low_at_start[i];
  }
  return gone;
}

static void kafka_facts(void *impl, struct sp_stream_facts *facts) {
  struct sp_kafka_driver *d = impl;
  struct sp_kafka_client client; // of its own: the consumer's questions wait behind its fetches
  int64_t deadline_ns = sp_now_ns() + FACTS_NS, gone = 0;
  if (!sp_kafka_client_new(&client, &d->env.kafka, SP_KAFKA_CONSUMER, NULL, 0, NULL, NULL)) {
    gone = count_gone(&client, d->env.kafka.input, d->input_low, d->n_input, deadline_ns) +
           count_gone(&client, d->env.kafka.output, d->output_low, d->n_output, deadline_ns);
    sp_kafka_client_close(&client);
  }
  int64_t unanswered = d->n_acknowledged - d->n_answered;
  if (d->env.sends && d->env.collects && gone > unanswered) gone = unanswered > 0 ? unanswered : 0;
  *facts = (struct sp_stream_facts){.replies_peak = d->replies_peak,
                                    .replies_room = d->replies_room,
                                    .n_acknowledged = d->env.sends ? d->n_acknowledged : -1,
                                    .n_dropped = gone};
}

static const struct sp_stream_ops kafka_ops = {
    .name = "kafka",
    .send = kafka_send,
    .receive = kafka_receive,
    .close = kafka_close,
    .facts = kafka_facts,
};

// --- Life ---

static enum sp_err look_up_topics(struct sp_kafka_driver *d, int64_t deadline_ns, struct sp_error *error) {
  const struct sp_kafka_driver_env *env = &d->env;
  enum sp_err err = SP_OK;
  // The consumer asks: it never creates a topic by asking for it.
  if (env->sends) err = sp_kafka_client_wait(&d->consumer, env->kafka.input, deadline_ns, &d->n_input, error);
  if (!err && env->collects)
    err = sp_kafka_client_wait(&d->consumer, env->kafka.output, deadline_ns, &d->n_output, error);
  if (!err && env->matcher && sp_matcher_by(env->matcher) == SP_MATCHER_ORDER && d->n_input != d->n_output)
    err = sp_fail(error, SP_ERR_USAGE,
                  "match order: topic %s has %d partitions and %s has %d, so that answers are not in the "
                  "order of events; give both as many, or use --match key or payload",
                  env->kafka.input, (int)d->n_input, env->kafka.output, (int)d->n_output);
  d->input_low = sp_alloc((size_t)d->n_input * sizeof *d->input_low);
  d->output_low = sp_alloc((size_t)d->n_output * sizeof *d->output_low);
  return err;
}

static enum sp_err open_consumer(struct sp_kafka_driver *d, struct sp_error *error) {
  const struct sp_kafka_setting settings[] = {
      {"enable.auto.commit", "false", true},
      {"enable.auto.offset.store", "false", true},
      {"isolation.level", d->env.reads_committed ? "read_committed" : "read_uncommitted", true},
  };
  rd_kafka_conf_t *conf;
  enum sp_err err = sp_kafka_conf_new(&d->env.kafka, SP_KAFKA_CONSUMER, settings,
                                      sizeof settings / sizeof *settings, &conf, error);
  if (err) return err;
  char text[32];
  d->replies_room =
      (size_t)strtoull(sp_kafka_conf_text(conf, "queued.min.messages", text, sizeof text), NULL, 10);
  return sp_kafka_client_open(&d->consumer, &d->env.kafka, SP_KAFKA_CONSUMER, conf, d, error);
}

static enum sp_err open_producer(struct sp_kafka_driver *d, int64_t deadline_ns, struct sp_error *error) {
  // Shorter than any drain, so that a dead broker ends in outcomes and not in losses.
  const struct sp_kafka_setting settings[] = {{"message.timeout.ms", "8000", false}};
  rd_kafka_conf_t *conf;
  enum sp_err err = sp_kafka_conf_new(&d->env.kafka, SP_KAFKA_PRODUCER, settings, 1, &conf, error);
  if (err) return err;
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
  err = sp_kafka_client_open(&d->producer, &d->env.kafka, SP_KAFKA_PRODUCER, conf, d, error);
  if (err) return err;
  d->reports = rd_kafka_queue_get_main(d->producer.rk);
  d->input = rd_kafka_topic_new(d->producer.rk, d->env.kafka.input, NULL);
  int64_t low, high;
  err = sp_kafka_client_wait(&d->producer, d->env.kafka.input, deadline_ns, NULL, error);
  for (int32_t i = 0; i < d->n_input && !err; i++) {
    // Also opens the connection to the partition's leader.
    err = sp_kafka_client_offsets(&d->producer, d->env.kafka.input, i, deadline_ns, &low, &high, error);
    d->input_low[i] = low;
  }
  return err;
}

static enum sp_err read_partition(struct sp_kafka_driver *d, int32_t partition, const int64_t *end,
                                  struct sp_error *error) {
  if (partition < 0 || partition >= d->n_output)
    return sp_fail(error, SP_ERR_USAGE, "topic %s has %d partitions, there is no partition %d",
                   d->env.kafka.output, (int)d->n_output, (int)partition);
  // From the end by its number: whatever comes from now on is behind it, however long the first fetch takes.
  if (rd_kafka_consume_start_queue(d->output, partition, end[partition], d->messages) != 0)
    return sp_kafka_client_fail(&d->consumer, "read the output topic", rd_kafka_last_error(), error);
  d->read[d->n_read++] = partition;
  return SP_OK;
}

static enum sp_err start_reading(struct sp_kafka_driver *d, int64_t deadline_ns, struct sp_error *error) {
  d->messages = rd_kafka_queue_new(d->consumer.rk);
  rd_kafka_queue_cb_event_enable(d->messages, on_messages, d);
  d->output = rd_kafka_topic_new(d->consumer.rk, d->env.kafka.output, NULL);
  size_t n = d->env.partitions ? d->env.n_partitions : (size_t)d->n_output;
  d->read = sp_alloc(n * sizeof *d->read);
  int64_t *end = sp_alloc((size_t)d->n_output * sizeof *end);
  enum sp_err err = SP_OK;
  // All of them first: behind a fetch that waits at the broker a question on the same connection would wait too.
  for (int32_t i = 0; i < d->n_output && !err; i++) {
    err = sp_kafka_client_offsets(&d->consumer, d->env.kafka.output, i, deadline_ns, &d->output_low[i],
                                  &end[i], error);
  }
  for (size_t i = 0; i < n && !err; i++)
    err = read_partition(d, d->env.partitions ? d->env.partitions[i] : (int32_t)i, end, error);
  free(end);
  return err;
}

static void *map(size_t n_bytes) {
  void *memory =
      mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SP_ASSERT(memory != MAP_FAILED);
  return memory;
}

enum sp_err sp_kafka_driver_new(const struct sp_kafka_driver_env *env, struct sp_kafka_driver **driver,
                                struct sp_stream *stream, struct sp_error *error) {
  SP_ASSERT(env->sends || env->collects);
  SP_ASSERT(!env->matcher || (env->sends && env->collects));
  struct sp_kafka_driver *d = sp_alloc(sizeof *d);
  int64_t deadline_ns = sp_now_ns() + env->kafka.connect_timeout_ns;
  d->env = *env;
  sp_wire_boot(d->boot);
  d->sent_bytes = (env->n_events + 1) * sizeof *d->sent.at_ns;
  d->sent.at_ns = map(d->sent_bytes);
  d->sent.n_events = env->n_events;
  d->answered = map(env->n_events / 8 + 1);
  d->reply_bytes = (sizeof(struct sp_reply) + env->value_bound + 63) / 64 * 64;
  d->replies = map(RECEIVE_MAX * d->reply_bytes);
  sp_ring_init(&d->refused, REFUSED_CELLS, sizeof(struct refused));
  enum sp_err err = open_consumer(d, error);
  if (!err) err = look_up_topics(d, deadline_ns, error);
  if (!err && env->sends) err = open_producer(d, deadline_ns, error);
  if (!err && env->collects) err = start_reading(d, deadline_ns, error);
  if (err) {
    sp_kafka_driver_free(d);
    return err;
  }
  *driver = d;
  *stream = (struct sp_stream){&kafka_ops, d, env->value_bound};
  return SP_OK;
}

void sp_kafka_driver_origin(struct sp_kafka_driver *driver, int64_t origin_ns) {
  driver->origin_ns = origin_ns;
}

bool sp_kafka_driver_is_mock(struct sp_kafka_driver *driver) {
  return sp_kafka_client_is_mock(&driver->consumer);
}

uint32_t sp_kafka_driver_partitions(const struct sp_kafka_driver *driver) {
  return (uint32_t)(driver->env.sends ? driver->n_input : driver->n_output);
}

void sp_kafka_driver_matched(struct sp_kafka_driver *driver, struct sp_matcher_facts *facts) {
  sp_matcher_facts(driver->env.matcher, &driver->sent, facts);
}

void sp_kafka_driver_free(struct sp_kafka_driver *d) {
  if (!d) return;
  for (size_t i = 0; i < d->n_read; i++) rd_kafka_consume_stop(d->output, d->read[i]);
  if (d->messages) rd_kafka_queue_destroy(d->messages);
  if (d->output) rd_kafka_topic_destroy(d->output);
  if (d->report) rd_kafka_event_destroy(d->report);
  if (d->reports) rd_kafka_queue_destroy(d->reports);
  if (d->input) rd_kafka_topic_destroy(d->input);
  sp_kafka_client_close(&d->producer);
  sp_kafka_client_close(&d->consumer);
  sp_ring_done(&d->refused);
  munmap((void *)d->sent.at_ns, d->sent_bytes);
  munmap(d->answered, d->env.n_events / 8 + 1);
  munmap(d->replies, RECEIVE_MAX * d->reply_bytes);
  free(d->read);
  free(d->input_low);
  free(d->output_low);
  free(d);
}
