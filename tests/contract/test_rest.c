// The clients over HTTP against servers that are odd, hostile, late and gone; both protocols where it matters.
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
#include "rpc/rpc.h"
#include "support/rest_bed.h"
#include "support/rest_models.h"

// --- What goes well ---

static void answers_come_with_stamps_and_the_servers_own_time(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  assert_string_equal(bed->rpc->output_spec.name, "sum");
  assert_int_equal(bed->rpc->output_spec.shape[0], 1);
  float *x = bed->rpc->calls[0].inputs[0]->data;
  for (int i = 0; i < 3; i++) x[i] = (float)i + 0.5F;
  int64_t before_ns = sp_now_ns();
  const struct sp_rpc_result *result = answer_of(bed);
  assert_int_equal(result->outcome, SP_OUTCOME_NONE);
  assert_int_equal(result->code, 200);
  assert_string_equal(result->text, "");
  assert_true(before_ns <= result->issued_ns && result->issued_ns < result->answered_ns &&
              result->answered_ns <= sp_now_ns());
  assert_int_equal(result->server_ns, 1234);
  assert_true(*(const float *)bed->rpc->calls[0].output->data == 265.5F);
  assert_string_equal(sp_rpc_client_server(bed->rpc->client)->software, "test 1.0");
  assert_string_equal(sp_rpc_client_server(bed->rpc->client)->stub, "fixed");
  assert_non_null(strstr(sp_rpc_client_library(bed->rpc->client), "libcurl "));
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
    memcpy(bed->rpc->calls[0].inputs[0]->data, values, sizeof values);
    sp_rpc_call_start(bed->rpc->calls[0].call, 2);
    rpc_bed_complete(bed->rpc, 1);
    assert_int_equal(bed->rpc->calls[0].result.outcome,
                     SP_OUTCOME_REJECTED); // the test's server reads no NaN
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
      float *x = bed->rpc->calls[i].inputs[0]->data;
      for (size_t j = 0; j < 12; j++) x[j] = (float)(round + i + j);
      sp_rpc_call_start(bed->rpc->calls[i].call, 1 + (i + round) % 4);
    }
    rpc_bed_complete(bed->rpc, (round + 1) * N_CALLS);
    for (size_t i = 0; i < N_CALLS; i++) {
      assert_int_equal(bed->rpc->calls[i].result.outcome, SP_OUTCOME_NONE);
      assert_int_equal(bed->rpc->calls[i].n_done, round + 1);
      const float *sum = bed->rpc->calls[i].output->data;
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
  bed->rpc->goes_on_until = 2000;
  for (size_t i = 0; i < N_CALLS; i++) sp_rpc_call_start(bed->rpc->calls[i].call, 1);
  rpc_bed_complete(bed->rpc, 2000);
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
    bed->rpc = rpc_bed_open(&env);
    is_good(bed);
    assert_non_null(strstr(bed->told.seen, expected[i].path));
    close_bed(bed);
  }
}

static void *wake_soon(void *context) {
  struct bed *bed = context;
  usleep(20000); // most likely inside the reap; the other order must work too
  sp_rpc_wake(bed->rpc->client, 0);
  return NULL;
}

static void *start_soon(void *context) {
  struct bed *bed = context;
  usleep(20000);
  sp_rpc_call_start(bed->rpc->calls[0].call, 1);
  return NULL;
}

static void a_wake_ends_a_reap_and_a_start_is_seen_by_one(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  pthread_t thread;
  pthread_create(&thread, NULL, wake_soon, bed);
  assert_int_equal(rpc_bed_reap(bed->rpc, INT64_MAX), 0);
  pthread_join(thread, NULL);
  pthread_create(&thread, NULL, start_soon, bed);
  assert_int_equal(rpc_bed_reap(bed->rpc, INT64_MAX), 1);
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
    assert_int_equal(bed->rpc->calls[0].result.server_ns, -1);
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
    assert_true(*(const float *)bed->rpc->calls[0].output->data == 1.5F);
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
  const struct sp_rpc_result *result = &bed->rpc->calls[0].result;
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
    const struct sp_rpc_result *result = answer_of(bed);
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
  assert_int_equal(answer_of(bed)->outcome, SP_OUTCOME_MALFORMED);
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
  for (size_t i = 0; i < 8; i++) sp_rpc_call_start(bed->rpc->calls[i].call, 1);
  while (atomic_load(&bed->told.n_seen) < 8) rpc_bed_reap(bed->rpc, sp_now_ns() + SP_NS_PER_MS);
  http_server_stop(bed->server);
  bed->server = NULL;
  rpc_bed_complete(bed->rpc, 8);
  for (size_t i = 0; i < 8; i++) assert_int_equal(bed->rpc->calls[i].result.outcome, SP_OUTCOME_UNAVAILABLE);
  ends_as(bed, SP_OUTCOME_UNAVAILABLE, 0, "connect");
  close_bed(bed);
}

static void a_client_goes_with_calls_under_way(void **state) {
  (void)state;
  struct bed *bed = open_bed(&standard);
  atomic_store(&bed->told.mode, HANGS);
  for (size_t i = 0; i < 8; i++) sp_rpc_call_start(bed->rpc->calls[i].call, 1);
  rpc_bed_reap(bed->rpc, 0);
  sp_rpc_call_start(bed->rpc->calls[9].call, 1); // not even taken
  close_bed(bed);
}

int main(void) {
  lay_proxies_out();
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
