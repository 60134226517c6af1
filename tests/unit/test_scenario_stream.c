// What a transport cannot do is refused in one line at the place where it was asked for, with the way out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "scenario/scenario.h"

#define SETTINGS_MOST 8

static enum sp_err load(const char *const *settings, struct sp_scenario **scenario, struct sp_error *error) {
  struct sp_setting all[SETTINGS_MOST];
  char *keys[SETTINGS_MOST], *path = sp_format("%s/fixtures/fraud", getenv("SOURCE_DIR"));
  size_t n = 0;
  for (; settings[n]; n++) {
    const char *equals = strchr(settings[n], '=');
    keys[n] = sp_format("%.*s", (int)(equals - settings[n]), settings[n]);
    all[n] = (struct sp_setting){keys[n], equals + 1, "--set"};
  }
  enum sp_err err = sp_scenario_load(path, NULL, 0, all, n, scenario, error);
  for (size_t i = 0; i < n; i++) free(keys[i]);
  free(path);
  return err;
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *const *settings, const char *message) {
  struct sp_scenario *scenario;
  struct sp_error error = {0};
  assert_int_equal(load(settings, &scenario, &error), SP_ERR_USAGE);
  if (!strstr(error.text, message)) fail_msg("\"%s\" is not in: %s", message, error.text);
}

static struct sp_scenario *loaded(const char *const *settings) {
  struct sp_scenario *scenario;
  struct sp_error error = {0};
  if (load(settings, &scenario, &error)) fail_msg("%s", error.text);
  return scenario;
}

static void a_named_broker_means_kafka(void **state) {
  (void)state;
  static const struct {
    const char *settings[3];
    int transport;
    const char *broker;
  } cases[] = {{{NULL}, SP_TRANSPORT_DIRECT, NULL},
               {{"stream.transport=direct"}, SP_TRANSPORT_DIRECT, NULL},
               {{"stream.transport=kafka"}, SP_TRANSPORT_KAFKA, "mock"},
               {{"stream.broker=kafka"}, SP_TRANSPORT_KAFKA, "kafka"},
               {{"stream.broker=h1:9092,h2:9092"}, SP_TRANSPORT_KAFKA, "h1:9092,h2:9092"},
               {{"stream.broker=mock", "stream.broker=null"}, SP_TRANSPORT_DIRECT, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario = loaded(cases[i].settings);
    assert_int_equal(scenario->stream.transport, cases[i].transport);
    if (cases[i].broker)
      assert_string_equal(scenario->stream.broker, cases[i].broker);
    else
      assert_null(scenario->stream.broker);
    sp_scenario_free(scenario);
  }
}

static void direct_refuses_what_only_kafka_has(void **state) {
  (void)state;
  refused(SET("stream.transport=direct", "stream.broker=mock"),
          "--set: stream.broker: transport direct has no broker");
  refused(SET("topics.reuse=true"), "--set: topics.reuse: transport direct has no topics");
  refused(SET("sides.rpc.delivery=exactly-once"),
          "--set: sides.rpc.delivery: exactly-once is a transaction of Kafka");
  refused(SET("sides.rpc.apps=2"), "--set: sides.rpc.apps: transport direct has one application");
  refused(SET("sides.rpc.group=mine"), "--set: sides.rpc.group: transport direct has no consumer groups");
  refused(SET("load.only=send"), "--set: load.only: half a driver needs Kafka");
  refused(SET("load.shard=1/2"), "--set: load.shard: a share of the load needs Kafka");
  refused(SET("load.start_at=1900000000"), "--set: load.start_at: is for drivers that share a broker");
}

static void brokers_and_topics_are_names(void **state) {
  (void)state;
  refused(SET("stream.broker=mok"), "stream.broker: \"mok\" is no broker; write mock, kafka or HOST:PORT");
  refused(SET("stream.broker=mock", "topics.input=a b"), "topics.input: \"a b\" is no name of a topic");
  refused(SET("stream.broker=mock", "topics.input=a", "topics.output=a"),
          "topics.output: is the input topic");
  refused(SET("stream.broker=h:1", "topics.reuse=true", "topics.input=null"),
          "topics.input: missing; --reuse-topics");
}

static void what_the_mock_cannot_hold_is_refused(void **state) {
  (void)state;
  refused(SET("stream.broker=mock", "sides.rpc.delivery=exactly-once"),
          "sides.rpc.delivery: exactly-once does not hold on the mock broker");
  sp_scenario_free(loaded(SET("stream.broker=kafka", "sides.rpc.delivery=exactly-once")));
}

static void drivers_that_share_must_meet(void **state) {
  (void)state;
  static const char *const alone[] = {"stream.broker=mock", "stream.broker=kafka", "stream.broker=h:1"};
  for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) {
    refused(SET(alone[i], "load.only=collect"),
            "load.only: half a driver meets the others at a broker that runs");
    refused(SET(alone[i], "load.shard=1/2"), "load.shard: a share of the load meets the others");
    refused(SET(alone[i], "sides.rpc.apps=0"), "sides.rpc.apps: 0 leaves the application to others");
  }
#define MEET "stream.broker=h:1", "topics.reuse=true"
  refused(SET(MEET, "load.shard=3/2", "load.start_at=1900000000"), "load.shard: \"3/2\" is no share");
  refused(SET(MEET, "load.shard=1/2"), "load.shard: shares must begin together; write --start-at TIME");
  refused(SET(MEET, "load.shard=1/4", "load.start_at=1900000000"), "load.shard: 4 shares of 3 partitions");
  refused(SET(MEET, "load.shard=1/2", "load.start_at=noon"), "load.start_at: \"noon\" is no time");
  refused(SET(MEET, "load.shard=1/2", "load.start_at=1900000000", "load.arrival=closed"),
          "load.shard: a closed loop has no schedule to share");
  refused(SET(MEET, "load.shard=1/2", "load.start_at=1900000000", "load.only=send"),
          "load.shard: half a driver takes no share");
  refused(SET(MEET, "load.only=send", "load.arrival=closed"),
          "load.only: a closed loop sends as answers come");
  sp_scenario_free(loaded(SET(MEET, "load.shard=1/2", "load.start_at=1900000000")));
  sp_scenario_free(loaded(SET(MEET, "load.only=collect")));
  sp_scenario_free(loaded(SET(MEET, "sides.rpc.apps=0")));
}

// A way to find an answer's event that cannot work is refused before anything runs, and so is a key without effect.
static void matching_needs_what_it_compares(void **state) {
  (void)state;
#define PAYLOAD "stream.broker=mock", "sides.rpc.match=payload"
  refused(SET("sides.rpc.match=key"), "sides.rpc.match: transport direct loses no event's number");
  refused(SET("stream.broker=mock", "sides.rpc.match_input=V1"),
          "sides.rpc.match_input: is for match payload");
  refused(SET("stream.broker=mock", "sides.rpc.match=key", "sides.rpc.match_output=0"),
          "sides.rpc.match_output: is for match payload");
  refused(SET(PAYLOAD), "sides.rpc.match_input: missing: match payload compares a field");
  refused(SET(PAYLOAD, "sides.rpc.match_input=/V1", "sides.rpc.match_output=0"),
          "sides.rpc.match_input: is no column of input.header");
  refused(SET(PAYLOAD, "sides.rpc.match_input=V1"),
          "sides.rpc.match_output: missing: an answer has no header");
  refused(SET(PAYLOAD, "sides.rpc.match_input=V1", "sides.rpc.match_output=V1"),
          "sides.rpc.match_output: is neither a JSON pointer");
  refused(SET("sides.rpc.match_value=/y"), "sides.rpc.match_value: is for answers that others write");
  refused(SET("stream.broker=mock", "sides.rpc.match_value=y"),
          "sides.rpc.match_value: is neither a JSON pointer");
  refused(SET(MEET, "sides.rpc.match=key", "load.only=send"), "sides.rpc.match: needs one driver that sends");
  refused(SET(MEET, "sides.rpc.match=order", "load.only=collect"), "sides.rpc.match: needs one driver");
  refused(SET(MEET, "load.shard=1/2", "load.start_at=1900000000", "sides.rpc.match=payload",
              "sides.rpc.match_input=V1", "sides.rpc.match_output=0"),
          "sides.rpc.match: payload needs one driver");
  sp_scenario_free(loaded(SET(MEET, "load.shard=1/2", "load.start_at=1900000000", "sides.rpc.match=key")));
  sp_scenario_free(loaded(SET("stream.broker=mock", "sides.rpc.match=order")));
  sp_scenario_free(loaded(SET(PAYLOAD, "sides.rpc.match_input=V1", "sides.rpc.match_output=/id")));
}

// What a dead application had taken comes back only when group and broker have noticed.
static void the_drain_outlasts_a_takeover(void **state) {
  (void)state;
  static const struct {
    const char *settings[5];
    int64_t drain_s;
  } cases[] = {{{NULL}, 10},
               {{"stream.broker=kafka"}, 15},
               {{"stream.broker=kafka", "sides.*.delivery=exactly-once"}, 25},
               {{"stream.broker=kafka", "kafka.consumer.session.timeout.ms=30000"}, 35},
               {{"stream.broker=kafka", "sides.*.delivery=exactly-once",
                 "kafka.consumer.session.timeout.ms=6000", "kafka.producer.transaction.timeout.ms=20000"},
                31},
               {{"stream.broker=kafka", "load.drain=11s"}, 11}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario = loaded(cases[i].settings);
    assert_int_equal(scenario->load.drain_ns / 1000000000, cases[i].drain_s);
    sp_scenario_free(scenario);
  }
}

// What a side says of its own holds for its trials; the others have the scenario's.
static void a_side_may_travel_its_own_way(void **state) {
  (void)state;
  static const struct {
    const char *settings[4], *embedded, *rpc;
  } cases[] = {{{NULL}, "direct", "direct"},
               {{"sides.rpc.transport=kafka"}, "direct", "mock"},
               {{"sides.rpc.broker=kafka"}, "direct", "kafka"},
               {{"stream.transport=direct", "sides.rpc.broker=h:1"}, "direct", "h:1"},
               {{"stream.broker=h:1", "sides.rpc.broker=h:2,h:3"}, "h:1", "h:2,h:3"},
               {{"stream.broker=h:1", "sides.rpc.transport=kafka"}, "h:1", "h:1"},
               {{"stream.broker=h:1", "sides.rpc.transport=direct"}, "h:1", "direct"},
               {{"sides.embedded.app=other", "sides.rpc.transport=direct"}, "kafka", "direct"},
               {{"sides.embedded.app=other", "sides.embedded.transport=kafka"}, "kafka", "direct"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario = loaded(cases[i].settings);
    const struct sp_side *embedded = sp_scenario_side(scenario, "embedded"),
                         *rpc = sp_scenario_side(scenario, "rpc");
    const struct sp_scenario own = sp_scenario_of_side(scenario, rpc), again = sp_scenario_of_side(&own, rpc);
    assert_string_equal(sp_scenario_way(scenario, embedded), cases[i].embedded);
    assert_string_equal(sp_scenario_way(scenario, rpc), cases[i].rpc);
    assert_int_equal(own.stream.transport == SP_TRANSPORT_DIRECT, strcmp(cases[i].rpc, "direct") == 0);
    assert_string_equal(sp_scenario_way(&again, rpc), cases[i].rpc);
    sp_scenario_free(scenario);
  }
}

static void what_holds_for_a_transport_holds_for_a_side(void **state) {
  (void)state;
  refused(SET("sides.rpc.transport=direct", "sides.rpc.broker=mock"),
          "sides.rpc.broker: transport direct has no broker");
  refused(SET("sides.rpc.broker=mok"), "sides.rpc.broker: \"mok\" is no broker");
  refused(SET("sides.rpc.transport=kafak"), "sides.rpc.transport: \"kafak\" is unknown");
  refused(SET("stream.broker=kafka", "sides.rpc.transport=direct", "sides.rpc.apps=2"),
          "sides.rpc.apps: transport direct has one application");
  refused(SET("stream.broker=kafka", "sides.rpc.broker=mock", "sides.rpc.delivery=exactly-once"),
          "sides.rpc.delivery: exactly-once does not hold on the mock broker");
  refused(SET("stream.broker=h:1", "topics.reuse=true", "sides.rpc.transport=direct", "load.only=send"),
          "load.only: half a driver needs Kafka");
  sp_scenario_free(loaded(SET("sides.rpc.broker=kafka", "sides.rpc.apps=2")));
  sp_scenario_free(loaded(SET("sides.rpc.broker=h:1", "topics.reuse=true")));
  struct sp_scenario *scenario =
      loaded(SET("sides.rpc.broker=kafka")); // its takeover bounds the common drain
  assert_int_equal(scenario->load.drain_ns / 1000000000, 15);
  sp_scenario_free(scenario);
}

// A folder is another model, with its own name; a number another version of the common one.
static void a_side_may_have_a_model_of_its_own(void **state) {
  (void)state;
  char *tweet = sp_format("sides.rpc.model=%s/fixtures/tweet/models/tweet", getenv("SOURCE_DIR"));
  char *version = sp_format("%s/1/", tweet);
  const char *const folders[] = {tweet, version};
  for (size_t i = 0; i < 2; i++) {
    struct sp_scenario *scenario = loaded(SET(folders[i]));
    const struct sp_side *embedded = sp_scenario_side(scenario, "embedded"),
                         *rpc = sp_scenario_side(scenario, "rpc");
    const struct sp_scenario own = sp_scenario_of_side(scenario, rpc);
    assert_string_equal(own.model.name, "tweet");
    assert_int_equal(own.model.version, i);
    assert_string_equal(strrchr(own.model.dir, '/'), "/tweet");
    assert_string_equal(sp_scenario_of_side(scenario, embedded).model.name, "fraud");
    assert_true(sp_scenario_is_one_model(scenario, rpc, rpc));
    assert_false(sp_scenario_is_one_model(scenario, embedded, rpc));
    sp_scenario_free(scenario);
  }
  struct sp_scenario *scenario = loaded(SET("model.label=stable", "sides.rpc.model.version=1"));
  const struct sp_scenario own = sp_scenario_of_side(scenario, sp_scenario_side(scenario, "rpc"));
  assert_string_equal(own.model.name, "fraud");
  assert_int_equal(own.model.version, 1);
  assert_null(own.model.label); // it stands for another number
  assert_true(sp_scenario_is_one_model(scenario, sp_scenario_side(scenario, "embedded"),
                                       sp_scenario_side(scenario, "rpc")));
  sp_scenario_free(scenario);
  struct sp_error error = {0};
  assert_int_equal(load(SET("sides.rpc.model.version=9"), &scenario, &error), SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "sides.rpc.model.version: "));
  assert_non_null(strstr(error.text, "has no version 9; it holds 1"));
  free(version);
  free(tweet);
}

// A relay without a delay is another thing than no relay.
static void no_delay_is_not_none(void **state) {
  (void)state;
  static const struct {
    const char *settings[2], *resolved;
    int64_t ns;
  } cases[] = {{{NULL}, "\"rpc_delay\":null", -1},
               {{"sides.rpc.rpc_delay=none"}, "\"rpc_delay\":null", -1},
               {{"sides.rpc.rpc_delay=0us"}, "\"rpc_delay\":\"0s\"", 0},
               {{"sides.rpc.rpc_delay=2ms"}, "\"rpc_delay\":\"2ms\"", 2000000}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sp_scenario *scenario = loaded(cases[i].settings);
    assert_int_equal(sp_scenario_side(scenario, "rpc")->rpc.delay_ns, cases[i].ns);
    if (!strstr(scenario->resolved_json, cases[i].resolved)) fail_msg("no %s", cases[i].resolved);
    sp_scenario_free(scenario);
  }
  refused(SET("sides.rpc.deadline=none"), "sides.rpc.deadline: ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_named_broker_means_kafka),
      cmocka_unit_test(direct_refuses_what_only_kafka_has),
      cmocka_unit_test(brokers_and_topics_are_names),
      cmocka_unit_test(what_the_mock_cannot_hold_is_refused),
      cmocka_unit_test(drivers_that_share_must_meet),
      cmocka_unit_test(matching_needs_what_it_compares),
      cmocka_unit_test(the_drain_outlasts_a_takeover),
      cmocka_unit_test(no_delay_is_not_none),
      cmocka_unit_test(a_side_may_travel_its_own_way),
      cmocka_unit_test(what_holds_for_a_transport_holds_for_a_side),
      cmocka_unit_test(a_side_may_have_a_model_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
