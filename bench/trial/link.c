// Kafka instead of an application in this process.
#include "trial/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trial/matching.h"

// An answer longer than ours can be is malformed, but one of another application may be written less densely.
#define ANSWER_BYTES_LEAST 4096
#define ANSWER_SLACK       4
#define CONNECT_NS         (10 * SP_NS_PER_S)
// Milliseconds written for seconds, or a wrong year, would look like a run that hangs.
#define AHEAD_MOST_NS (24 * 3600 * SP_NS_PER_S)

bool sp_link_is_kafka(const struct sp_driver_plan *plan) {
  return plan->broker_address != NULL;
}

static bool sends(const struct sp_trial_session *s) {
  return s->plan->scenario->load.only != SP_ONLY_COLLECT;
}
static bool collects(const struct sp_trial_session *s) {
  return s->plan->scenario->load.only != SP_ONLY_SEND;
}

enum sp_err sp_link_probe(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  const struct sp_side *side = s->plan->side;
  bool is_noop = strcmp(side->path.path, "noop") == 0;
  s->library = side->path.path;
  if (is_noop || !collects(s)) return SP_OK;
  enum sp_err err = sp_probe_side(scenario, side, s->plan->server_address, &s->probe, error);
  if (err) return err;
  s->library = s->probe.library;
  if (s->probe.has_server) s->server = &s->probe.server;
  err = sp_encoder_new(&scenario->output, &s->probe.output, &s->own_encoder, error);
  s->encoder = s->own_encoder;
  return err;
}

// "0123…" as bytes; false: not 32 hexadecimal digits.
static bool read_run(const char *text, uint8_t run[SP_RUN_BYTES]) {
  if (strspn(text, "0123456789abcdefABCDEF") != 2 * SP_RUN_BYTES || text[2 * SP_RUN_BYTES]) return false;
  for (int i = 0; i < SP_RUN_BYTES; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
    run[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  return true;
}

static enum sp_err take_share(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  struct sp_shard shard = {1, 1};
  enum sp_err err = scenario->load.shard ? sp_shard_parse(scenario->load.shard, &shard, error) : SP_OK;
  if (!err)
    err = sp_share_init(&s->share, shard, s->schedule, s->recording, (uint32_t)scenario->topics.partitions,
                        error);
  s->pacer.is_own = s->share.is_own;
  return err;
}

static size_t value_bound(const struct sp_trial_session *s) {
  size_t bound = s->encoder ? ANSWER_SLACK * sp_encoder_bound(s->encoder) : 0;
  return bound > ANSWER_BYTES_LEAST ? bound : ANSWER_BYTES_LEAST;
}

// Shares of a load are of the partitions that the scenario gives: another number would give events to nobody.
static enum sp_err check_partitions(const struct sp_trial_session *s, struct sp_error *error) {
  uint64_t wanted = s->plan->scenario->topics.partitions;
  uint32_t found = sp_kafka_driver_partitions(s->kafka);
  if (found == wanted) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "topic %s has %u partitions, the scenario says %llu; write --set "
                 "topics.partitions=%u",
                 sends(s) ? s->plan->input_topic : s->plan->output_topic, found, (unsigned long long)wanted,
                 found);
}

// A mock that somebody started by hand shows only once it is connected to, and needs other properties.
static enum sp_err connect(struct sp_trial_session *s, struct sp_kafka_driver_env *env,
                           struct sp_error *error) {
  enum sp_err err = sp_kafka_driver_new(env, &s->kafka, &s->stream, error);
  if (!err && !env->kafka.is_mock && sp_kafka_driver_is_mock(s->kafka)) {
    sp_kafka_driver_free(s->kafka);
    s->kafka = NULL;
    env->kafka.is_mock = true;
    err = sp_kafka_driver_new(env, &s->kafka, &s->stream, error);
  }
  s->is_mock = env->kafka.is_mock;
  s->kafka_properties = sp_kafka_properties_json(&env->kafka);
  return err;
}

enum sp_err sp_link_open(struct sp_trial_session *s, struct sp_error *error) {
  const struct sp_scenario *scenario = s->plan->scenario;
  const struct sp_side *side = s->plan->side;
  struct sp_kafka_driver_env env = {.kafka = {.brokers = s->plan->broker_address,
                                              .producer = &scenario->kafka.producer,
                                              .consumer = &scenario->kafka.consumer,
                                              .input = s->plan->input_topic,
                                              .output = s->plan->output_topic,
                                              .connect_timeout_ns = CONNECT_NS,
                                              .is_mock = strcmp(s->plan->broker_kind, "mock") == 0},
                                    .n_events = s->schedule->n_events,
                                    .intended_ns = s->schedule->intended_ns,
                                    .value_bound = value_bound(s),
                                    .wait = (enum sp_wait)side->app.wait,
                                    .sends = sends(s),
                                    .collects = collects(s),
                                    .reads_committed = side->app.delivery == SP_DELIVERY_EXACTLY_ONCE};
  if (s->plan->wire_run && !read_run(s->plan->wire_run, env.kafka.run))
    return sp_fail(error, SP_ERR_USAGE, "--run-id: \"%.60s\" is no run; write 32 hexadecimal digits",
                   s->plan->wire_run);
  enum sp_err err = take_share(s, error);
  if (!err) err = sp_matching_open(s, &env, error);
  if (err) return err;
  env.partitions = s->share.partitions;
  env.n_partitions = s->share.n_partitions;
  err = connect(s, &env, error);
  return err ? err : check_partitions(s, error);
}

enum sp_err sp_link_origin(const struct sp_trial_session *s, int64_t lead_ns, int64_t *origin_ns,
                           struct sp_error *error) {
  const char *start_at = s->plan->scenario->load.start_at;
  int64_t at_ns, now_ns = sp_now_ns();
  *origin_ns = now_ns + lead_ns;
  if (!start_at) return SP_OK;
  enum sp_err err = sp_start_at_parse(start_at, &at_ns, error);
  if (err) return err;
  struct timespec real;
  clock_gettime(CLOCK_REALTIME, &real);
  int64_t until_ns = at_ns - (real.tv_sec * SP_NS_PER_S + real.tv_nsec);
  if (until_ns < lead_ns) {
    return sp_fail(
        error, SP_ERR_ENVIRONMENT,
        "load.start_at: %s is %.1f s too early: not everything was ready; choose a later time, the same for "
        "all shards",
        start_at, (double)(lead_ns - until_ns) / 1e9);
  }
  if (until_ns > AHEAD_MOST_NS) {
    return sp_fail(error, SP_ERR_USAGE,
                   "load.start_at: %s is %.0f h ahead, and a run waits a day at most; is the date right?",
                   start_at, (double)until_ns / 3600e9);
  }
  *origin_ns = now_ns + until_ns;
  return SP_OK;
}

void sp_link_free(struct sp_trial_session *s) {
  sp_kafka_driver_free(s->kafka);
  sp_matching_free(s);
  sp_encoder_free(s->own_encoder);
  sp_share_done(&s->share);
  free(s->kafka_properties);
}
