#include "support/rest_bed.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/rest_models.h"

static const struct sp_tensor_spec input_spec = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
const struct sp_rpc_conf standard = {
    .protocol = "kserve-rest", .deadline_ns = WITHIN_NS, .channels = 1, .connect_timeout_ns = WITHIN_NS};

struct sp_rpc_env env_of(const struct sp_rpc_conf *conf, const char *address) {
  return (struct sp_rpc_env){.conf = conf,
                             .address = address,
                             .model_name = "affine",
                             .inputs = &input_spec,
                             .n_inputs = 1,
                             .output = "sum",
                             .max_rows = 4,
                             .n_queues = 1};
}

// --- A server that does as it is told with predictions, and well with all else ---

static void says_too_much(struct http_exchange *exchange) {
  static char spaces[65536];
  memset(spaces, ' ', sizeof spaces);
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
  http_write(exchange, head, sizeof head - 1);
  while (!exchange->closes) http_write(exchange, spaces, sizeof spaces);
}

void as_told(struct http_exchange *exchange, void *context) {
  struct told *told = context;
  bool is_prediction = strstr(exchange->path, ":predict") || strstr(exchange->path, "/infer");
  if (is_prediction) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    snprintf(told->seen, sizeof told->seen, "%s", exchange->head);
    snprintf(told->seen_body, sizeof told->seen_body, "%s", exchange->body);
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&told->n_seen, 1);
  }
  int mode = is_prediction || told->asks_for_all ? atomic_load(&told->mode) : GOOD;
  switch (mode) {
  case SAYS: http_answer(exchange, told->status, "", told->body); break;
  case HANGS: http_wait_for_the_end(exchange); break;
  case CUTS:
    http_write(exchange, told->body, strlen(told->body));
    exchange->closes = true;
    break;
  case RAW: http_write(exchange, told->body, strlen(told->body)); break;
  case ENDLESS: says_too_much(exchange); break;
  case CLOSES_BEHIND:
    rest_models_answer(exchange, NULL);
    exchange->closes = true; // without a word about it in the head
    break;
  default: rest_models_answer(exchange, NULL);
  }
}

// --- A client with some calls ---

struct bed *open_bed(const struct sp_rpc_conf *conf) {
  struct bed *bed = calloc(1, sizeof *bed);
  bed->server = http_server_start(NULL, as_told, &bed->told);
  bed->conf = *conf;
  struct sp_rpc_env env = env_of(&bed->conf, http_server_address(bed->server));
  bed->rpc = rpc_bed_open(&env);
  return bed;
}

void close_bed(struct bed *bed) {
  rpc_bed_close(bed->rpc);
  if (bed->server) http_server_stop(bed->server);
  free(bed);
}

const struct sp_rpc_result *answer_of(struct bed *bed) {
  const struct sp_rpc_result *result = rpc_bed_answer(bed->rpc);
  atomic_load(&bed->told.n_seen); // orders what the server has seen before what the test reads of it
  return result;
}

void ends_as(struct bed *bed, enum sp_outcome outcome, int code, const char *text) {
  const struct sp_rpc_result *result = answer_of(bed);
  if (result->outcome != outcome || result->code != code || !strstr(result->text, text)) {
    fail_msg("%s %d \"%s\", not %s %d \"%s\"", sp_outcome_name(result->outcome), result->code, result->text,
             sp_outcome_name(outcome), code, text);
  }
}

void is_good(struct bed *bed) {
  atomic_store(&bed->told.mode, GOOD);
  ends_as(bed, SP_OUTCOME_NONE, 200, "");
}

void lay_proxies_out(void) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("all_proxy", "http://127.0.0.1:1", 1);
}
