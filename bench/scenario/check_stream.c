// Checks of what carries events: which broker, topics, and what each transport can do. A key that would have no effect is
// refused: somebody who wrote it expects one.
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "scenario/check.h"

static bool is_kafka(const struct sp_check_context *check) {
  return check->scenario->stream.transport == SP_TRANSPORT_KAFKA;
}
static bool is_broker(const struct sp_check_context *check, const char *name) {
  return check->scenario->stream.broker && strcmp(check->scenario->stream.broker, name) == 0;
}
// Whether any side that will run is over Kafka, by the scenario's word or its own.
static bool uses_kafka(const struct sp_check_context *check) {
  const struct sp_list *sides = &check->scenario->sides;
  for (size_t i = 0; i < sides->n; i++) {
    const struct sp_side *side = (const struct sp_side *)sides->items + i;
    if (sp_check_is_measured(check, side->name) &&
        sp_scenario_of_side(check->scenario, side).stream.transport == SP_TRANSPORT_KAFKA)
      return true;
  }
  return false;
}
// Started for the trial, so that nobody else can be there.
static bool is_own_broker(const struct sp_check_context *check) {
  return is_broker(check, "mock") || is_broker(check, "kafka");
}

static enum sp_err fail_broker(const struct sp_check_context *check, const char *key) {
  return sp_check_fail(check, SP_ERR_USAGE, key, "\"%.80s\" is no broker; write mock, kafka or HOST:PORT",
                       check->scenario->stream.broker);
}

static enum sp_err check_broker(const struct sp_check_context *check) {
  const char *broker = check->scenario->stream.broker;
  if (!is_kafka(check) && broker) {
    return sp_check_fail(check, SP_ERR_USAGE, "stream.broker",
                         "transport direct has no broker; write --transport kafka, or take the broker away: "
                         "--set stream.broker=null");
  }
  if (!is_kafka(check) || is_own_broker(check) || strchr(broker, ':')) return SP_OK;
  return fail_broker(check, "stream.broker");
}

// Letters that Kafka allows.
static enum sp_err check_topic(const struct sp_check_context *check, const char *key, const char *name) {
  if (!name) {
    return sp_check_fail(check, SP_ERR_USAGE, key,
                         "missing; --reuse-topics uses topics under the names that the scenario gives");
  }
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
  if (n > 0 && n <= 200 && name[n] == '\0' && name[0] != '.') return SP_OK;
  return sp_check_fail(check, SP_ERR_USAGE, key,
                       "\"%.60s\" is no name of a topic; write at most 200 letters, digits, ., - and _",
                       name);
}

// Where only some sides are over Kafka, the topics are theirs.
static enum sp_err check_topics(const struct sp_check_context *check) {
  const struct sp_topics_conf *topics = &check->scenario->topics;
  bool is_used = uses_kafka(check);
  if (!is_used && topics->reuse) {
    return sp_check_fail(check, SP_ERR_USAGE, "topics.reuse",
                         "transport direct has no topics; write --transport kafka --broker HOST:PORT");
  }
  if (!is_used) return SP_OK;
  enum sp_err err = SP_OK;
  if (topics->input || topics->reuse) err = check_topic(check, "topics.input", topics->input);
  if (!err && (topics->output || topics->reuse)) err = check_topic(check, "topics.output", topics->output);
  if (!err && topics->input && topics->output && strcmp(topics->input, topics->output) == 0)
    err = sp_check_fail(check, SP_ERR_USAGE, "topics.output", "is the input topic; name another");
  return err;
}

// Parts of one load, or of one driver, in several processes: all must meet at a broker that none of them started.
static enum sp_err check_meeting(const struct sp_check_context *check, const char *key, const char *what) {
  if (!is_kafka(check)) {
    return sp_check_fail(check, SP_ERR_USAGE, key,
                         "%s needs Kafka; write --broker HOST:PORT --reuse-topics, or leave it out", what);
  }
  if (!is_own_broker(check) && check->scenario->topics.reuse) return SP_OK;
  return sp_check_fail(check, SP_ERR_USAGE, key,
                       "%s meets the others at a broker that runs and on topics that they know; write "
                       "--broker HOST:PORT --reuse-topics",
                       what);
}

static enum sp_err check_sharing(const struct sp_check_context *check) {
  const struct sp_load_conf *load = &check->scenario->load;
  struct sp_shard shard;
  struct sp_error what;
  int64_t at_ns;
  enum sp_err err = SP_OK;
  if (load->only != SP_ONLY_BOTH) err = check_meeting(check, "load.only", "half a driver");
  if (!err && load->only != SP_ONLY_BOTH && load->arrival == SP_ARRIVAL_CLOSED)
    err = sp_check_fail(check, SP_ERR_USAGE, "load.only",
                        "a closed loop sends as answers come; it needs both halves");
  if (!err && load->shard) {
    if (sp_shard_parse(load->shard, &shard, &what))
      return sp_check_fail(check, SP_ERR_USAGE, "load.shard", "%s", what.text);
    err = check_meeting(check, "load.shard", "a share of the load");
    if (!err && load->arrival == SP_ARRIVAL_CLOSED)
      err = sp_check_fail(check, SP_ERR_USAGE, "load.shard", "a closed loop has no schedule to share");
    if (!err && load->only != SP_ONLY_BOTH)
      err = sp_check_fail(check, SP_ERR_USAGE, "load.shard",
                          "half a driver takes no share; leave only or shard out");
    if (!err && shard.of > check->scenario->topics.partitions)
      err =
          sp_check_fail(check, SP_ERR_USAGE, "load.shard",
                        "%u shares of %llu partitions: some would have none; write fewer, or more partitions",
                        shard.of, (unsigned long long)check->scenario->topics.partitions);
    if (!err && !load->start_at)
      err = sp_check_fail(check, SP_ERR_USAGE, "load.shard",
                          "shares must begin together; write --start-at TIME, the same for each");
  }
  if (err || !load->start_at) return err;
  if (sp_start_at_parse(load->start_at, &at_ns, &what))
    return sp_check_fail(check, SP_ERR_USAGE, "load.start_at", "%s", what.text);
  return is_kafka(check)
             ? SP_OK
             : sp_check_fail(check, SP_ERR_USAGE, "load.start_at",
                             "is for drivers that share a broker; leave it out with transport direct");
}

// --- Sides ---

static enum sp_err fail_side(const struct sp_check_context *check, const struct sp_side *side,
                             const char *key, const char *what) {
  char *whole = sp_format("sides.%s.%s", side->name, key);
  enum sp_err err = sp_check_fail(check, SP_ERR_USAGE, whole, "%s", what);
  free(whole);
  return err;
}

static enum sp_err check_direct_side(const struct sp_check_context *check, const struct sp_side *side) {
  if (side->app.delivery == SP_DELIVERY_EXACTLY_ONCE)
    return fail_side(
        check, side, "delivery",
        "exactly-once is a transaction of Kafka; write --broker kafka, or --delivery at-least-once");
  if (side->app.apps != 1)
    return fail_side(
        check, side, "apps",
        "transport direct has one application, in the driver's process; write --broker kafka, or "
        "more --threads");
  if (side->app.command)
    return fail_side(check, side, "app",
                     "an application of its own reads from Kafka; write --transport kafka, or leave it out");
  if (side->app.group)
    return fail_side(check, side, "group", "transport direct has no consumer groups; leave it out");
  return SP_OK;
}

static enum sp_err check_foreign_app(const struct sp_check_context *check, const struct sp_side *side) {
  const char *ready = side->app.ready;
  int64_t wait_ns;
  if (!side->app.command) return SP_OK;
  if (side->app.command[0] == '\0') return fail_side(check, side, "app", "is empty; name a command");
  if (side->app.order != SP_ORDER_NONE)
    return fail_side(check, side, "order",
                     "is kept by servepath app; what other applications do is theirs: leave it out");
  if (side->app.apps == 0)
    return fail_side(check, side, "app", "is not started with --apps 0; write --apps 1, or leave app out");
  if (strcmp(ready, "auto") == 0 || strcmp(ready, "line") == 0) return SP_OK;
  if (!sp_units_parse_duration(ready, &wait_ns, NULL) && wait_ns >= 0) return SP_OK;
  return fail_side(check, side, "app_ready", "must be auto, line, or a duration such as 10s");
}

static enum sp_err check_kafka_side(const struct sp_check_context *check, const struct sp_side *side) {
  if (side->app.delivery == SP_DELIVERY_EXACTLY_ONCE && is_broker(check, "mock"))
    return fail_side(check, side, "delivery",
                     "exactly-once does not hold on the mock broker, which hands out aborted messages; write "
                     "--broker kafka");
  if (side->app.apps == 0 && (is_own_broker(check) || !check->scenario->topics.reuse))
    return fail_side(check, side, "apps",
                     "0 leaves the application to others, who must find topics and broker; write --broker "
                     "HOST:PORT --reuse-topics");
  return SP_OK;
}

static enum sp_err check_own_broker(const struct sp_check_context *check, const struct sp_side *side) {
  const char *broker = side->stream.broker;
  if (side->stream.transport == SP_TRANSPORT_DIRECT && broker)
    return fail_side(check, side, "broker",
                     "transport direct has no broker; leave the broker out, or write transport=kafka");
  if (!broker || is_own_broker(check) || strchr(broker, ':')) return SP_OK;
  char *key = sp_format("sides.%s.broker", side->name);
  enum sp_err err = fail_broker(check, key);
  free(key);
  return err;
}

// As its trials have the scenario.
static enum sp_err check_side(const struct sp_check_context *all, const struct sp_side *side) {
  const struct sp_scenario own = sp_scenario_of_side(all->scenario, side);
  struct sp_check_context check = *all;
  check.scenario = &own;
  enum sp_err err = check_own_broker(&check, side);
  if (!err) err = check_sharing(&check);
  if (!err) err = is_kafka(&check) ? check_kafka_side(&check, side) : check_direct_side(&check, side);
  if (!err) err = sp_check_match(&check, side);
  return err ? err : check_foreign_app(&check, side);
}

enum sp_err sp_check_stream(const struct sp_check_context *check) {
  const struct sp_list *sides = &check->scenario->sides;
  enum sp_err err = check_broker(check);
  if (!err) err = check_topics(check);
  for (size_t i = 0; i < sides->n && !err; i++) {
    const struct sp_side *side = (const struct sp_side *)sides->items + i;
    if (sp_check_is_measured(check, side->name)) err = check_side(check, side);
  }
  return err;
}
