// Bare consume-produce loop: the least code that answers every event of a topic with the same headers, in the same partition,
// as a member of a group that commits ten times a second. With a scenario, the same decode, session run and encode stand
// between consume and produce. Ends on SIGTERM.
//   bare_kafka_loop BROKER INPUT OUTPUT GROUP [SCENARIO]
// Prints {"ready":true} once partitions are assigned, and at its end {"n":…,"refused":…,"malformed":…,"cpu_us_per_event":…}.
#include <time.h>

#include "bare_kafka.h"
#include "codec/codec.h"
#include "engine/engine.h"
#include "scenario/scenario.h"

#define BATCH 1024

struct model {
  struct sp_scenario *scenario;
  struct sp_decoder *decoder;
  struct sp_engine *engine;
  struct sp_session *session;
  struct sp_encoder *encoder;
  struct sp_scratch *scratch;
  struct sp_tensor *inputs[SP_TENSORS_MAX];
  const struct sp_tensor *output;
  uint8_t *answer;
};
struct loop {
  rd_kafka_t *consumer, *producer;
  rd_kafka_topic_t *output;
  struct model *model; // NULL: noop
  long n, n_malformed;
};

static enum sp_err open_model(struct model *m, const char *path, struct sp_error *error) {
  uint64_t version;
  char *dir = NULL;
  struct sp_engine_conf conf = {.engine = "onnxruntime", .intra_threads = 1};
  enum sp_err err = sp_scenario_load(path, NULL, 0, NULL, 0, &m->scenario, error);
  if (!err) err = sp_decoder_new(&m->scenario->input, &m->decoder, error);
  if (!err) err = sp_model_version_dir(&m->scenario->model, &version, &dir, error);
  if (!err) err = sp_engine_open(&conf, dir, &m->engine, error);
  if (!err) err = sp_session_new(m->engine, 1, &m->session, error);
  for (size_t i = 0; !err && i < sp_engine_io(m->engine)->n_outputs; i++) {
    const struct sp_tensor *output = &sp_session_outputs(m->session)[i];
    if (strcmp(output->spec.name, m->scenario->output.tensor) == 0) m->output = output;
  }
  if (!err) err = sp_encoder_new(&m->scenario->output, &m->output->spec, &m->encoder, error);
  if (err) return err;
  m->inputs[0] = sp_session_inputs(m->session);
  m->scratch = sp_scratch_new();
  m->answer = malloc(sp_encoder_bound(m->encoder));
  return SP_OK;
}

static struct sp_bytes answer_of(struct loop *loop, const rd_kafka_message_t *message) {
  struct model *m = loop->model;
  if (!m) return (struct sp_bytes){(const uint8_t *)"", 0}; // as servepath's noop
  struct sp_reason reason;
  struct sp_error error;
  struct sp_bytes value = {message->payload, message->len};
  if (sp_decode(m->decoder, m->scratch, value, m->inputs, 0, &reason) != SP_OUTCOME_NONE) {
    loop->n_malformed++;
    return (struct sp_bytes){NULL, 0};
  }
  if (sp_session_run(m->session, 1, &error)) bare_die("session", error.text);
  return (struct sp_bytes){m->answer, sp_encode(m->encoder, m->output, 0, m->answer)};
}

static void answer(struct loop *loop, const rd_kafka_message_t *message) {
  static const uint8_t stages[SP_STAGES_BYTES] = {1};
  struct sp_bytes value = answer_of(loop, message);
  rd_kafka_headers_t *theirs, *headers;
  rd_kafka_resp_err_t err;
  if (rd_kafka_message_headers(message, &theirs)) bare_die("a message", "has no headers");
  headers = rd_kafka_headers_copy(theirs);
  rd_kafka_header_add(headers, SP_HEADER_STAGES, -1, stages, sizeof stages);
  while ((err = rd_kafka_producev(
              loop->producer, RD_KAFKA_V_RKT(loop->output), RD_KAFKA_V_PARTITION(message->partition),
              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(message->key, message->key_len),
              RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.n), RD_KAFKA_V_HEADERS(headers),
              RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    rd_kafka_poll(loop->producer, 10);
  if (err) bare_die("produce", rd_kafka_err2str(err));
  loop->n++;
}

static void take(struct loop *loop, rd_kafka_message_t *message) {
  if (!message) return;
  if (!message->err) answer(loop, message);
  rd_kafka_message_destroy(message);
}

static bool is_assigned(rd_kafka_t *consumer) {
  rd_kafka_topic_partition_list_t *list = NULL;
  bool is = rd_kafka_assignment(consumer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR && list->cnt > 0;
  if (list) rd_kafka_topic_partition_list_destroy(list);
  return is;
}

static void run(struct loop *loop, rd_kafka_queue_t *queue) {
  static rd_kafka_message_t *messages[BATCH];
  bool is_ready = false;
  while (!atomic_load(&bare_ends)) {
    if (!is_ready && is_assigned(loop->consumer)) {
      puts("{\"ready\":true}");
      fflush(stdout);
      is_ready = true;
    }
    take(loop, rd_kafka_consume_queue(queue, is_ready ? 100 : 10));
    // A batch waits its whole timeout for its last message: only what is there already.
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, messages, BATCH);
    for (ssize_t i = 0; i < n; i++) take(loop, messages[i]);
    rd_kafka_poll(loop->producer, 0);
  }
}

static void subscribe(rd_kafka_t *consumer, const char *topic) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t err = rd_kafka_subscribe(consumer, list);
  if (err) bare_die(topic, rd_kafka_err2str(err));
  rd_kafka_topic_partition_list_destroy(list);
}

int main(int argc, char **argv) {
  if (argc < 5 || argc > 6) return 64;
  signal(SIGTERM, bare_on_signal);
  const struct sp_kafka_setting settings[] = {
      {"group.id", argv[4], true},
      {"session.timeout.ms", "10000", false},
      {"heartbeat.interval.ms", "1000", false},
      {"partition.assignment.strategy", "cooperative-sticky", false},
      {"isolation.level", "read_committed", true},
      {"enable.auto.commit", "true", true},
      {"auto.commit.interval.ms", "100", true},
  };
  struct sp_error error;
  struct model model = {0};
  if (argc == 6 && open_model(&model, argv[5], &error)) bare_die(argv[5], error.text);
  struct loop loop = {
      .consumer = bare_client(argv[1], SP_KAFKA_CONSUMER, settings, sizeof settings / sizeof *settings),
      .producer = bare_client(argv[1], SP_KAFKA_PRODUCER, NULL, 0),
      .model = argc == 6 ? &model : NULL};
  loop.output = bare_topic(loop.producer, argv[3], NULL);
  rd_kafka_poll_set_consumer(loop.consumer);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(loop.consumer);
  subscribe(loop.consumer, argv[2]);
  run(&loop, queue);
  rd_kafka_flush(loop.producer, 10000);
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  printf("{\"n\":%ld,\"refused\":%ld,\"malformed\":%ld,\"cpu_us_per_event\":%.3f}\n", loop.n,
         loop.n - bare_n_delivered, loop.n_malformed,
         loop.n ? ((double)cpu.tv_sec * 1e6 + (double)cpu.tv_nsec / 1e3) / (double)loop.n : 0.0);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(loop.consumer);
  return 0;
}
