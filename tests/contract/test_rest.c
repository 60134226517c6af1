// The clients over HTTP against servers that are absent, odd, hostile, late and gone; both protocols where it matters.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/listener.h"
#include "rpc/rpc.h"
#include "support/http_server.h"
#include "support/rest_models.h"

#define WITHIN_NS (30 * SP_NS_PER_S) // a bound for what is broken, not a measure

static const struct sp_tensor_spec input_spec = {"x", SP_DTYPE_FLOAT32, 2, {1, 3}};
static const struct sp_rpc_conf standard = {
    .protocol = "kserve-rest", .deadline_ns = WITHIN_NS, .channels = 1, .connect_timeout_ns = WITHIN_NS};

static struct sp_rpc_env env_of(const struct sp_rpc_conf *conf, const char *address) {
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

struct told {
  _Atomic int mode;
  _Atomic int status; // SAYS
  _Atomic(const char *) body;
  _Atomic unsigned n_seen;
  char seen[4096], seen_body[4096]; // of the last prediction, for tests with one call at a time
  bool asks_for_all;                // whatever is asked is answered as told
};
enum { GOOD, SAYS, HANGS, CUTS, ENDLESS, CLOSES_BEHIND, RAW };

static void says_too_much(struct http_exchange *exchange) {
  static char spaces[65536];
  memset(spaces, ' ', sizeof spaces);
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
  http_write(exchange, head, sizeof head - 1);
  while (!exchange->closes) http_write(exchange, spaces, sizeof spaces);
}

static void as_told(struct http_exchange *exchange, void *context) {
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

#define N_CALLS 64

struct bed {
  struct told told;
  struct http_server *server;
  struct sp_rpc_conf conf;
  struct sp_rpc_client *client;
  struct sp_tensor_spec output_spec;
  struct one {
    struct bed *bed;
    struct sp_rpc_call *call;
    struct sp_tensor **inputs;
    const struct sp_tensor *output;
    struct sp_rpc_result result; // of the last completion
    size_t n_done;
  } calls[N_CALLS];
  size_t n_done, goes_on_until; // each completion starts its call again, up to so many
};

static void done(void *user, const struct sp_rpc_result *result, void *context) {
  struct one *one = user;
  struct bed *bed = context;
  assert_ptr_equal(one->bed, bed);
  one->result = *result;
  one->n_done++;
  bed->n_done++;
  if (bed->n_done + N_CALLS <= bed->goes_on_until) sp_rpc_call_start(one->call, 1);
}

static void open_client(struct bed *bed, const struct sp_rpc_env *env) {
  struct sp_error error;
  if (sp_rpc_client_new(env, &bed->client, &bed->output_spec, &error)) fail_msg("%s", error.text);
  for (size_t i = 0; i < N_CALLS; i++) {
    struct one *one = &bed->calls[i];
    one->bed = bed;
    one->call = sp_rpc_call_new(bed->client, 0, &one->inputs, &one->output, one);
  }
}

static struct bed *open_bed(const struct sp_rpc_conf *conf) {
  struct bed *bed = calloc(1, sizeof *bed);
  bed->server = http_server_start(NULL, as_told, &bed->told);
  bed->conf = *conf;
  struct sp_rpc_env env = env_of(&bed->conf, http_server_address(bed->server));
  open_client(bed, &env);
  return bed;
}

static void close_bed(struct bed *bed) {
  sp_rpc_client_free(bed->client);
  if (bed->server) http_server_stop(bed->server);
  free(bed);
}

static void complete(struct bed *bed, size_t n) {
  int64_t deadline_ns = sp_now_ns() + WITHIN_NS;
  while (bed->n_done < n) {
    assert_true(sp_now_ns() < deadline_ns);
    sp_rpc_reap(bed->client, 0, deadline_ns, done, bed);
  }
  assert_int_equal(bed->n_done, n);
}

static const struct sp_rpc_result *call_once(struct bed *bed) {
  size_t n = bed->n_done;
  sp_rpc_call_start(bed->calls[0].call, 1);
  complete(bed, n + 1);
  atomic_load(&bed->told.n_seen); // orders what the server has seen before what the test reads of it
  return &bed->calls[0].result;
}

static void ends_as(struct bed *bed, enum sp_outcome outcome, int code, const char *text) {
  const struct sp_rpc_result *result = call_once(bed);
  if (result->outcome != outcome || result->code != code || !strstr(result->text, text)) {
    fail_msg("%s %d \"%s\", not %s %d \"%s\"", sp_outcome_name(result->outcome), result->code, result->text,
             sp_outcome_name(outcome), code, text);
  }
}

static void is_good(struct bed *bed) {
  atomic_store(&bed->told.mode, GOOD);
  ends_as(bed, SP_OUTCOME_NONE, 200, "");
}

// --- What goes well ---

static void answers_come_with_stamps_and_the_servers_own_time(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  assert_string_equal(bed->output_spec.name, "sum");
  assert_int_equal(bed->output_spec.shape[0], 1);
  float *x = bed->calls[0].inputs[0]->data;
  for (int i = 0; i < 3; i++) x[i] = (float)i + 0.5F;
  int64_t before_ns = sp_now_ns();
  const struct sp_rpc_result *result = call_once(bed);
  assert_int_equal(result->outcome, SP_OUTCOME_NONE);
  assert_int_equal(result->code, 200);
  assert_string_equal(result->text, "");
  assert_true(before_ns <= result->issued_ns && result->issued_ns < result->answered_ns &&
              result->answered_ns <= sp_now_ns());
  assert_int_equal(result->server_ns, 1234);
  assert_true(*(const float *)bed->calls[0].output->data == 265.5F);
  assert_string_equal(sp_rpc_client_server(bed->client)->software, "test 1.0");
  assert_string_equal(sp_rpc_client_server(bed->client)->stub, "fixed");
  assert_non_null(strstr(sp_rpc_client_library(bed->client), "libcurl "));
  close_bed(bed);
}

static void bodies_are_what_the_protocols_say(void **state) {
  (void)state;
  static const struct {
    const char *protocol, *start, *body;
  } expected[] = {
      {"kserve-rest", "POST /v2/models/affine/infer HTTP/1.1\r\n",
       "{\"inputs\":[{\"name\":\"x\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[0.1,-2,1e-7,NaN,"
       "Infinity,-Infinity]}],"
       "\"outputs\":[{\"name\":\"sum\"}]}"},
      {"tfs-rest", "POST /v1/models/affine:predict HTTP/1.1\r\n",
       "{\"signature_name\":\"serving_default\",\"instances\":[[0.1,-2,1e-7],[NaN,Infinity,-Infinity]]}"},
  };
  for (size_t i = 0; i < 2; i++) {
    struct sp_rpc_conf conf = standard;
    conf.protocol = (char *)expected[i].protocol;
    struct bed *bed = open_bed(&conf);
    const float values[] = {0.1F, -2, 1e-7F, 0.0F / 0.0F, 1 / 0.0F, -1 / 0.0F};
    memcpy(bed->calls[0].inputs[0]->data, values, sizeof values);
    sp_rpc_call_start(bed->calls[0].call, 2);
    complete(bed, 1);
    assert_int_equal(bed->calls[0].result.outcome, SP_OUTCOME_REJECTED); // the test's server reads no NaN
    assert_int_equal(atomic_load(&bed->told.n_seen), 1);
    assert_string_equal(bed->told.seen_body, expected[i].body);
    assert_memory_equal(bed->told.seen, expected[i].start, strlen(expected[i].start));
    assert_non_null(strstr(bed->told.seen, "\r\nContent-Type: application/json\r\n"));
    assert_null(strcasestr(bed->told.seen, "Expect"));
    close_bed(bed);
  }
}

static void sixty_four_are_in_flight_on_as_many_kept_connections(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  unsigned before = http_server_connections(bed->server);
  for (size_t round = 0; round < 10; round++) {
    for (size_t i = 0; i < N_CALLS; i++) {
      float *x = bed->calls[i].inputs[0]->data;
      for (size_t j = 0; j < 12; j++) x[j] = (float)(round + i + j);
      sp_rpc_call_start(bed->calls[i].call, 1 + (i + round) % 4);
    }
    complete(bed, (round + 1) * N_CALLS);
    for (size_t i = 0; i < N_CALLS; i++) {
      assert_int_equal(bed->calls[i].result.outcome, SP_OUTCOME_NONE);
      assert_int_equal(bed->calls[i].n_done, round + 1);
      const float *sum = bed->calls[i].output->data;
      for (size_t row = 0; row < 1 + (i + round) % 4; row++) {
        float x = (float)(round + i + 3 * row);
        assert_true(sum[row] == x + 10 * (x + 1) + 100 * (x + 2));
      }
    }
  }
  unsigned n = http_server_connections(bed->server) - before;
  assert_true(n > 1 && n <= N_CALLS);
  close_bed(bed);
}

static void calls_may_start_again_inside_done(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  bed->goes_on_until = 2000;
  for (size_t i = 0; i < N_CALLS; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  complete(bed, 2000);
  close_bed(bed);
}

static void per_call_makes_a_connection_for_each(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.link.channel = SP_RPC_CHANNEL_PER_CALL;
  struct bed *bed = open_bed(&conf);
  unsigned before = http_server_connections(bed->server);
  for (int i = 0; i < 5; i++) is_good(bed);
  assert_int_equal(http_server_connections(bed->server) - before, 5);
  close_bed(bed);
}

static void metadata_and_token_are_headers(void **state) {
  (void)state;
  struct sp_property items[] = {{"x-team", "cards, fraud"}, {"X-Empty", ""}};
  struct sp_rpc_conf conf = standard;
  conf.link.metadata = (struct sp_properties){items, 2};
  conf.link.token = "s3cret";
  struct bed *bed = open_bed(&conf);
  is_good(bed);
  assert_non_null(strstr(bed->told.seen, "\r\nx-team: cards, fraud\r\n"));
  assert_non_null(strstr(bed->told.seen, "\r\nX-Empty:"));
  assert_non_null(strstr(bed->told.seen, "\r\nAuthorization: Bearer s3cret\r\n"));
  close_bed(bed);
}

static void versions_and_labels_are_in_the_path(void **state) {
  (void)state;
  static const struct {
    const char *protocol, *label;
    uint64_t version;
    const char *path;
  } expected[] = {{"tfs-rest", NULL, 1, "/v1/models/affine/versions/1:predict "},
                  {"tfs-rest", "stable", 0, "/v1/models/affine/labels/stable:predict "},
                  {"kserve-rest", NULL, 1, "/v2/models/affine/versions/1/infer "}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    struct bed *bed = calloc(1, sizeof *bed);
    bed->server = http_server_start(NULL, as_told, &bed->told);
    bed->conf = standard;
    bed->conf.protocol = (char *)expected[i].protocol;
    struct sp_rpc_env env = env_of(&bed->conf, http_server_address(bed->server));
    env.version_label = expected[i].label;
    env.model_version = expected[i].version;
    open_client(bed, &env);
    is_good(bed);
    assert_non_null(strstr(bed->told.seen, expected[i].path));
    close_bed(bed);
  }
}

static void *wake_soon(void *context) {
  struct bed *bed = context;
  usleep(20000); // most likely inside the reap; the other order must work too
  sp_rpc_wake(bed->client, 0);
  return NULL;
}

static void *start_soon(void *context) {
  struct bed *bed = context;
  usleep(20000);
  sp_rpc_call_start(bed->calls[0].call, 1);
  return NULL;
}

static void a_wake_ends_a_reap_and_a_start_is_seen_by_one(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  pthread_t thread;
  pthread_create(&thread, NULL, wake_soon, bed);
  assert_int_equal(sp_rpc_reap(bed->client, 0, INT64_MAX, done, bed), 0);
  pthread_join(thread, NULL);
  pthread_create(&thread, NULL, start_soon, bed);
  assert_int_equal(sp_rpc_reap(bed->client, 0, INT64_MAX, done, bed), 1);
  pthread_join(thread, NULL);
  close_bed(bed);
}

// --- Answers that are none ---

static void statuses_are_outcomes_with_the_servers_words(void **state) {
  (void)state;
  static const struct {
    int status;
    const char *body;
    enum sp_outcome outcome;
    const char *text;
  } said[] = {
      {400, "{\"error\": \"shape \\\"[1,3]\\\"\\n is wrong\"}", SP_OUTCOME_REJECTED,
       "shape \"[1,3]\" is wrong"},
      {422, "{\"detail\": [{\"msg\": \"field required\"}]}", SP_OUTCOME_REJECTED,
       "[{\"msg\": \"field required\"}]"},
      {429, "slow down\x1b[31m", SP_OUTCOME_REJECTED, "slow down?[31m"},
      {408, "", SP_OUTCOME_DEADLINE, "HTTP 408"},
      {500, "{\"message\": \"boom\"}", SP_OUTCOME_ERROR, "boom"},
      {500, "{\"error\": \"cut off", SP_OUTCOME_ERROR, "{\"error\": \"cut off"},
      {502, "<html>Bad Gateway</html>", SP_OUTCOME_UNAVAILABLE, "<html>Bad Gateway</html>"},
      {503, "{\"error\": \"loading\"}", SP_OUTCOME_UNAVAILABLE, "loading"},
      {504, "{\"error\": \"too late\"}", SP_OUTCOME_DEADLINE, "too late"},
      {301, "", SP_OUTCOME_ERROR, "HTTP 301"},
  };
  struct bed *bed = open_bed(&standard);
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    bed->told.status = said[i].status;
    bed->told.body = said[i].body;
    atomic_store(&bed->told.mode, SAYS);
    ends_as(bed, said[i].outcome, said[i].status, said[i].text);
    assert_int_equal(bed->calls[0].result.server_ns, -1);
  }
  is_good(bed);
  close_bed(bed);
}

#define OUTPUT(shape, datatype, data)                                                                        \
  "{\"outputs\":[{\"name\":\"sum\",\"shape\":" shape ",\"datatype\":" datatype ",\"data\":" data "}]}"

static void replies_that_are_not_answers_are_malformed(void **state) {
  (void)state;
  static const struct {
    const char *protocol, *body, *text;
  } said[] = {
      {"tfs-rest", "", "ends too early"},
      {"tfs-rest", "{\"predictions\": [", "ends too early"},
      {"tfs-rest", "{\"predictions\": [[1]]} x", "more than one JSON value"},
      {"tfs-rest", "{\"predictions\": [[1],]}", "more than 1 predictions"},
      {"tfs-rest", "{\"predictions\": [[01]]}", "broken JSON"},
      {"tfs-rest", "{\"predictions\": [[NaN]]}", "NaN where a number must be"},
      {"tfs-rest", "{\"predictions\": [[null]]}", "null where a number must be"},
      {"tfs-rest", "{\"predictions\": [[-Infinity]]}", "-Infinity where a number must be"},
      {"tfs-rest", "{\"predictions\": [[1e99]]}", "a number that float32 cannot hold"},
      {"tfs-rest", "{\"predictions\": [[\"1\"]]}", "a string where a number must be"},
      {"tfs-rest", "{\"predictions\": [1]}", "not an array"},
      {"tfs-rest", "{\"predictions\": [[1, 2]]}", "more than 1 values"},
      {"tfs-rest", "{\"predictions\": [[]]}", "0 values in an array where 1 must be"},
      {"tfs-rest", "{\"predictions\": [[1], [2]]}", "more than 1 predictions"},
      {"tfs-rest", "{\"predictions\": []}", "0 predictions where 1 must be"},
      {"tfs-rest", "{\"predictions\": [{\"twice\": [1, 2, 3]}]}", "no output sum"},
      {"tfs-rest", "{\"outputs\": {\"sum\": [[1], [2]]}}", "more than 1 values"},
      {"tfs-rest", "{\"predictions\": [[1]], \"predictions\": [[1]]}", "twice"},
      {"tfs-rest", "{\"answer\": 42}", "neither predictions nor outputs"},
      {"tfs-rest", "[1]", "broken JSON"},
      {"kserve-rest", OUTPUT("[1,1]", "\"FP32\"", "[null]"), "null where a number must be"},
      {"kserve-rest", OUTPUT("[1,1]", "\"FP32\"", "[1,2]"), "more than 1 values"},
      {"kserve-rest", OUTPUT("[1,1]", "\"FP32\"", "[]"), "0 values where 1 must be"},
      {"kserve-rest", OUTPUT("[2,1]", "\"FP32\"", "[1,2]"), "not of the shape"},
      {"kserve-rest", OUTPUT("[1]", "\"FP32\"", "[1]"), "not of the shape"},
      {"kserve-rest", OUTPUT("[1,1]", "\"FP64\"", "[1]"), "is not FP32"},
      {"kserve-rest", "{\"outputs\":[{\"name\":\"sum\",\"shape\":[1,1],\"datatype\":\"FP32\"}]}",
       "has no data"},
      {"kserve-rest", "{\"outputs\":[]}", "no output sum"},
      {"kserve-rest", "{\"outputs\":[{\"name\":\"sum\",\"shape\":[1,1]", "ends too early"},
      {"kserve-rest", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "broken JSON"},
      {"kserve-rest", "{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested too deeply"},
  };
  for (size_t protocol = 0; protocol < 2; protocol++) {
    struct sp_rpc_conf conf = standard;
    conf.protocol = protocol ? "kserve-rest" : "tfs-rest";
    struct bed *bed = open_bed(&conf);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
      if (strcmp(said[i].protocol, conf.protocol) != 0) continue;
      bed->told.status = 200;
      bed->told.body = said[i].body;
      atomic_store(&bed->told.mode, SAYS);
      ends_as(bed, SP_OUTCOME_MALFORMED, 200, said[i].text);
    }
    is_good(bed);
    close_bed(bed);
  }
}

static void odd_but_right_replies_are_read(void **state) {
  (void)state;
  static const char *const bodies[] = {
      " { \"x\" : {\"a\":[true,null,\"\\u00e9\\\"\"]}, \"predictions\" : [ [ 1.5e0 ] ] } ",
      "{\"predictions\": [{\"other\": \"text\", \"s\\u0075m\": [1.5]}]}",
      "{\"outputs\": [[1.5]]}",
      "{\"outputs\": {\"twice\": [[1, 2, 3]], \"sum\": [[1.5]]}}",
  };
  struct sp_rpc_conf conf = standard;
  conf.protocol = "tfs-rest";
  struct bed *bed = open_bed(&conf);
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    bed->told.status = 200;
    bed->told.body = bodies[i];
    atomic_store(&bed->told.mode, SAYS);
    ends_as(bed, SP_OUTCOME_NONE, 200, "");
    assert_true(*(const float *)bed->calls[0].output->data == 1.5F);
  }
  close_bed(bed);
}

static void a_reply_without_end_is_cut(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  atomic_store(&bed->told.mode, ENDLESS);
  ends_as(bed, SP_OUTCOME_MALFORMED, 200, "reply: more than 1048576 bytes");
  is_good(bed);
  close_bed(bed);
}

// --- Servers that are late, break off, go ---

static void a_deadline_is_kept(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.deadline_ns = 50 * SP_NS_PER_MS;
  struct bed *bed = open_bed(&conf);
  atomic_store(&bed->told.mode, HANGS);
  ends_as(bed, SP_OUTCOME_DEADLINE, 0, "Timeout");
  const struct sp_rpc_result *result = &bed->calls[0].result;
  assert_true(result->answered_ns - result->issued_ns >= conf.deadline_ns);
  atomic_store(&bed->told.mode, GOOD);
  close_bed(bed);
}

static void connections_that_break_are_unavailable(void **state) {
  (void)state;
  static const char *const parts[] = {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"outputs\":["};
  struct bed *bed = open_bed(&standard);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    is_good(bed); // so that the connection is a kept one
    unsigned before = atomic_load(&bed->told.n_seen);
    bed->told.body = parts[i];
    atomic_store(&bed->told.mode, CUTS);
    const struct sp_rpc_result *result = call_once(bed);
    assert_int_equal(result->outcome, SP_OUTCOME_UNAVAILABLE);
    assert_string_not_equal(result->text, "");
    assert_int_equal(atomic_load(&bed->told.n_seen) - before, 1); // never sent again behind our back
  }
  is_good(bed);
  close_bed(bed);
}

static void what_is_not_http_is_malformed(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  bed->told.body = "SSH-2.0-OpenSSH_9.2\r\n";
  atomic_store(&bed->told.mode, CUTS);
  assert_int_equal(call_once(bed)->outcome, SP_OUTCOME_MALFORMED);
  is_good(bed);
  close_bed(bed);
}

static void a_connection_that_was_closed_meanwhile_is_made_again(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  atomic_store(&bed->told.mode, CLOSES_BEHIND);
  ends_as(bed, SP_OUTCOME_NONE, 200, "");
  unsigned before = http_server_connections(bed->server);
  usleep(20000); // the close arrives
  is_good(bed);
  assert_int_equal(http_server_connections(bed->server) - before, 1);
  close_bed(bed);
}

// Many servers close after 5 s: a request that crosses the close would be lost.
static void a_connection_unused_for_4_s_is_not_used_again(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  is_good(bed);
  unsigned before = http_server_connections(bed->server);
  is_good(bed);
  assert_int_equal(http_server_connections(bed->server) - before, 0);
  nanosleep(&(struct timespec){.tv_sec = 4, .tv_nsec = 50000000}, NULL);
  is_good(bed);
  assert_int_equal(http_server_connections(bed->server) - before, 1);
  close_bed(bed);
}

static void a_server_that_went_is_unavailable_and_its_calls_end(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  atomic_store(&bed->told.mode, HANGS);
  for (size_t i = 0; i < 8; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  while (atomic_load(&bed->told.n_seen) < 8)
    sp_rpc_reap(bed->client, 0, sp_now_ns() + SP_NS_PER_MS, done, bed);
  http_server_stop(bed->server);
  bed->server = NULL;
  complete(bed, 8);
  for (size_t i = 0; i < 8; i++) assert_int_equal(bed->calls[i].result.outcome, SP_OUTCOME_UNAVAILABLE);
  ends_as(bed, SP_OUTCOME_UNAVAILABLE, 0, "connect");
  close_bed(bed);
}

static void a_client_goes_with_calls_under_way(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  atomic_store(&bed->told.mode, HANGS);
  for (size_t i = 0; i < 8; i++) sp_rpc_call_start(bed->calls[i].call, 1);
  sp_rpc_reap(bed->client, 0, 0, done, bed);
  sp_rpc_call_start(bed->calls[9].call, 1); // not even taken
  close_bed(bed);
}

// --- Connecting ---

static void refused(const struct sp_rpc_env *env, enum sp_err code, const char *said) {
  struct sp_rpc_client *client;
  struct sp_tensor_spec output;
  struct sp_error error = {.code = SP_OK};
  int64_t start_ns = sp_now_ns();
  assert_int_equal(sp_rpc_client_new(env, &client, &output, &error), code);
  if (!strstr(error.text, said)) fail_msg("\"%s\" does not say \"%s\"", error.text, said);
  assert_true(sp_now_ns() - start_ns < WITHIN_NS);
}

static void absent_and_other_servers_are_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.connect_timeout_ns = 300 * SP_NS_PER_MS;
  struct http_server *gone = http_server_start(NULL, as_told, NULL);
  char address[64];
  snprintf(address, sizeof address, "%s", http_server_address(gone));
  http_server_stop(gone);
  struct sp_rpc_env env = env_of(&conf, address);
  refused(&env, SP_ERR_ENVIRONMENT, "(connection refused, tried for 0.");
  struct told told = {.asks_for_all = true, .body = "220 mail.example.com ESMTP\r\n"};
  struct http_server *server = http_server_start(NULL, as_told, &told);
  env.address = http_server_address(server);
  atomic_store(&told.mode, HANGS);
  refused(&env, SP_ERR_ENVIRONMENT, "(it does not answer, tried for 0.");
  atomic_store(&told.mode, CUTS);
  refused(&env, SP_ERR_ENVIRONMENT, "does not speak HTTP");
  told.status = 503;
  told.body = "{\"error\": \"still loading\"}";
  atomic_store(&told.mode, SAYS);
  refused(&env, SP_ERR_ENVIRONMENT, "is not ready (HTTP 503: still loading");
  told.status = 401;
  told.body = "{\"error\": \"who are you\"}";
  refused(&env, SP_ERR_ENVIRONMENT, "lets us not in (HTTP 401: who are you); set rpc.token");
  http_server_stop(server);
}

static void *serve(void *listener) {
  sp_listener_serve(listener, 0);
  return NULL;
}

static void a_grpc_server_is_recognized(void **state) {
  (void)state;
  struct sp_listener *listener;
  struct sp_error error;
  pthread_t thread;
  assert_int_equal(sp_listener_new("127.0.0.1:0", 1, NULL, 0, NULL, NULL, &listener, &error), SP_OK);
  pthread_create(&thread, NULL, serve, listener);
  struct sp_rpc_env env = env_of(&standard, sp_listener_address(listener));
  refused(&env, SP_ERR_ENVIRONMENT, "speaks HTTP/2, as gRPC does; use protocol tfs or kserve");
  sp_listener_drain(listener, SP_NS_PER_S);
  sp_listener_cancel(listener);
  sp_listener_end(listener);
  pthread_join(thread, NULL);
  sp_listener_free(listener);
}

// As KServe's own server does.
static void knows_no_versions(struct http_exchange *exchange, void *context) {
  struct told *told = context;
  if (strstr(exchange->path, "/versions/"))
    http_answer(exchange, 501, "", "{\"error\":\"Model versioning not supported yet.\"}");
  else
    as_told(exchange, told);
}

static void a_version_is_left_out_where_a_server_knows_none(void **state) {
  (void)state;
  struct bed *bed = calloc(1, sizeof *bed);
  bed->server = http_server_start(NULL, knows_no_versions, &bed->told);
  bed->conf = standard;
  struct sp_rpc_env env = env_of(&bed->conf, http_server_address(bed->server));
  env.model_version = 1;
  open_client(bed, &env);
  is_good(bed);
  assert_non_null(strstr(bed->told.seen, "/v2/models/affine/infer "));
  assert_int_equal(env.model_version, 1); // the caller's own
  env.version_label = "stable";           // asked for by name, so it is not left out
  refused(&env, SP_ERR_ENVIRONMENT, "HTTP 501: Model versioning not supported yet.");
  close_bed(bed);
}

static void models_that_are_not_there_are_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  struct http_server *server = http_server_start(NULL, rest_models_answer, NULL);
  struct sp_rpc_env env = env_of(&conf, http_server_address(server));
  env.model_name = "no such/model";
  refused(&env, SP_ERR_ENVIRONMENT, "does not serve model no such/model (HTTP 404: Model is not found)");
  conf.protocol = "tfs-rest";
  refused(&env, SP_ERR_ENVIRONMENT, "(HTTP 404: Could not find any versions of that model)");
  env.model_name = "affine";
  env.output = NULL;
  refused(&env, SP_ERR_USAGE, "has 2 outputs");
  http_server_stop(server);
  struct rest_models silent = {.tells_nothing = true};
  server = http_server_start(NULL, rest_models_answer, &silent);
  const struct sp_tensor_spec wide = {"x", SP_DTYPE_FLOAT32, 2, {1, 4}};
  env = env_of(&conf, http_server_address(server));
  env.inputs = &wide;
  refused(&env, SP_ERR_USAGE,
          "(HTTP 400: instances of three numbers are needed); check its name and input.tensors");
  http_server_stop(server);
}

static void keys_that_cannot_be_are_refused(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  struct sp_rpc_env env = env_of(&conf, "127.0.0.1:1");
  conf.channels = 2;
  refused(&env, SP_ERR_USAGE, "channels: 2; over HTTP/1.1");
  conf = standard;
  conf.link.ca = "/dev/null";
  refused(&env, SP_ERR_USAGE, "rpc.ca needs rpc.tls");
  conf.link = (struct sp_rpc_link_conf){.tls = true, .ca = "/no/such/file"};
  refused(&env, SP_ERR_ENVIRONMENT, "rpc.ca: /no/such/file cannot be read");
  conf.link = (struct sp_rpc_link_conf){.tls = true, .cert = "/dev/null"};
  refused(&env, SP_ERR_USAGE, "give both or neither");
  struct sp_property bad[] = {{"x-a", "1\r\nHost: evil"}};
  conf.link = (struct sp_rpc_link_conf){.metadata = {bad, 1}};
  refused(&env, SP_ERR_USAGE, "x-a holds a control character");
  bad[0] = (struct sp_property){"a b", "1"};
  refused(&env, SP_ERR_USAGE, "\"a b\" is no name of an HTTP header");
  bad[0] = (struct sp_property){"Content-Length", "1"};
  refused(&env, SP_ERR_USAGE, "Content-Length is what the client itself says");
  conf.link = (struct sp_rpc_link_conf){.token = "a\nb"};
  refused(&env, SP_ERR_USAGE, "rpc.token");
  env.address = "nowhere";
  refused(&env, SP_ERR_USAGE, "nowhere");
}

static void tls_against_plain_is_named(void **state) {
  (void)state;
  struct sp_rpc_conf conf = standard;
  conf.link.tls = true;
  conf.connect_timeout_ns = 300 * SP_NS_PER_MS;
  struct http_server *server = http_server_start(NULL, rest_models_answer, NULL);
  struct sp_rpc_env env = env_of(&conf, http_server_address(server));
  refused(&env, SP_ERR_ENVIRONMENT, "speaks plain HTTP; leave rpc.tls out");
  http_server_stop(server);
}

int main(void) {
  // Proxies of the environment must not be used, not even looked at.
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("all_proxy", "http://127.0.0.1:1", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_come_with_stamps_and_the_servers_own_time),
      cmocka_unit_test(bodies_are_what_the_protocols_say),
      cmocka_unit_test(sixty_four_are_in_flight_on_as_many_kept_connections),
      cmocka_unit_test(calls_may_start_again_inside_done),
      cmocka_unit_test(per_call_makes_a_connection_for_each),
      cmocka_unit_test(metadata_and_token_are_headers),
      cmocka_unit_test(versions_and_labels_are_in_the_path),
      cmocka_unit_test(a_wake_ends_a_reap_and_a_start_is_seen_by_one),
      cmocka_unit_test(statuses_are_outcomes_with_the_servers_words),
      cmocka_unit_test(replies_that_are_not_answers_are_malformed),
      cmocka_unit_test(odd_but_right_replies_are_read),
      cmocka_unit_test(a_reply_without_end_is_cut),
      cmocka_unit_test(a_deadline_is_kept),
      cmocka_unit_test(connections_that_break_are_unavailable),
      cmocka_unit_test(what_is_not_http_is_malformed),
      cmocka_unit_test(a_connection_that_was_closed_meanwhile_is_made_again),
      cmocka_unit_test(a_connection_unused_for_4_s_is_not_used_again),
      cmocka_unit_test(a_server_that_went_is_unavailable_and_its_calls_end),
      cmocka_unit_test(a_client_goes_with_calls_under_way),
      cmocka_unit_test(absent_and_other_servers_are_named),
      cmocka_unit_test(a_grpc_server_is_recognized),
      cmocka_unit_test(models_that_are_not_there_are_named),
      cmocka_unit_test(a_version_is_left_out_where_a_server_knows_none),
      cmocka_unit_test(keys_that_cannot_be_are_refused),
      cmocka_unit_test(tls_against_plain_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
