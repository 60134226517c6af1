// Waiting for a broker and its topics, and saying why it was in vain.
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "stream/kafka_conf.h"

#define REFUSED_GRACE_NS SP_NS_PER_S // another broker of the list may still let us in
#define UNKNOWN_GRACE_NS                                                                                     \
  (2 * SP_NS_PER_S) // a topic that was just made needs this long to be known everywhere
// Of the first metadata request; each gets twice the time of the one before, for a slow broker, but the hopeless is seen soon.
#define SLICE_MS      250
#define SLICE_MOST_MS 4000
#define PAUSE_NS      (20 * SP_NS_PER_MS)

static bool has(const char *text, const char *part) {
  return strcasestr(text, part) != NULL;
}

static const char *remedy_of(const char *trouble) {
  if (!trouble[0])
    return "whoever listens there does not answer as Kafka does, or a firewall drops packets: look at host "
           "and port";
  if (has(trouble, "refused")) return "start one with scripts/kafka start (or servepath broker: a mock)";
  if (has(trouble, "resolve")) return "look at the broker's name";
  if (has(trouble, "response size") || has(trouble, "protocol parse"))
    return "whoever listens there does not speak Kafka, or wants security.protocol=ssl";
  if (has(trouble, "certificate") || has(trouble, "ssl.ca"))
    return "name the authority with -X ssl.ca.location=FILE";
  if (has(trouble, "SSL handshake") || has(trouble, "SSL routines"))
    return "leave out security.protocol=ssl if that listener is plain";
  if (has(trouble, "ApiVersion") || has(trouble, "Disconnected"))
    return "if that listener wants TLS or a login set -X security.protocol=ssl, sasl_plaintext or sasl_ssl";
  // Before 2.6.1 it sends a nonce twice, which Kafka 4 refuses as RFC 5802 wants: https://github.com/confluentinc/librdkafka/pull/4895
  if (has(trouble, "SCRAM") && rd_kafka_version() < 0x020601ff)
    return "this librdkafka is older than 2.6.1, which Kafka 4 needs for SCRAM: use sasl.mechanism=PLAIN "
           "over TLS there; "
           "otherwise look at sasl.username and sasl.password";
  if (has(trouble, "uthentication") || has(trouble, "SASL"))
    return "look at sasl.mechanism, sasl.username and sasl.password";
  return "look at host, port and security.protocol";
}

static int64_t look_at_trouble(struct sp_kafka_client *client, char trouble[400]) {
  pthread_mutex_lock(&client->lock);
  memcpy(trouble, client->trouble, sizeof client->trouble);
  int64_t refused_ns = client->refused_ns;
  pthread_mutex_unlock(&client->lock);
  return refused_ns;
}

static enum sp_err fail_reach(struct sp_kafka_client *client, int64_t begun_ns, struct sp_error *error) {
  char trouble[400], tried[SP_UNITS_TEXT_BYTES];
  look_at_trouble(client, trouble);
  sp_units_print_duration(sp_now_ns() - begun_ns, tried, sizeof tried);
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot reach broker %s (%s, tried for %s); %s", client->brokers,
                 trouble[0] ? trouble : "no answer", tried, remedy_of(trouble));
}

enum sp_err sp_kafka_client_fail(struct sp_kafka_client *client, const char *what, rd_kafka_resp_err_t err,
                                 struct sp_error *error) {
  char trouble[400];
  look_at_trouble(client, trouble);
  bool is_transport = err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                      err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  const char *remedy = err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                               err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                               err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
                               err == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                           ? "; the broker's access lists must allow it"
                           : "";
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot %s at broker %s (%s%s%s)%s", what, client->brokers,
                 rd_kafka_err2str(err), is_transport && trouble[0] ? ": " : "", is_transport ? trouble : "",
                 remedy);
}

int sp_kafka_ms_until(int64_t deadline_ns, int most_ms) {
  int64_t left_ms = (deadline_ns - sp_now_ns() + SP_NS_PER_MS - 1) / SP_NS_PER_MS;
  return left_ms <= 0 ? 0 : left_ms < most_ms ? (int)left_ms : most_ms;
}

// What a broker says of one topic.
static rd_kafka_resp_err_t look_at_topic(const rd_kafka_metadata_t *metadata, const char *topic,
                                         int32_t *n_partitions) {
  for (int i = 0; i < metadata->topic_cnt; i++) {
    const rd_kafka_metadata_topic_t *told = &metadata->topics[i];
    if (strcmp(told->topic, topic) != 0) continue;
    if (told->err) return told->err;
    if (!told->partition_cnt) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int k = 0; k < told->partition_cnt; k++) {
      if (told->partitions[k].leader < 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    *n_partitions = told->partition_cnt;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

// One question; topic NULL: is a broker there? The whole list is asked for where is_mock: the mock creates a topic that it is
// asked for by name, whatever the question says.
static rd_kafka_resp_err_t ask(struct sp_kafka_client *client, const char *topic, bool is_mock,
                               int timeout_ms, int32_t *n_partitions) {
  rd_kafka_topic_t *handle = topic && !is_mock ? rd_kafka_topic_new(client->rk, topic, NULL) : NULL;
  if (topic && !is_mock && !handle) return rd_kafka_last_error();
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t err = rd_kafka_metadata(client->rk, topic && is_mock, handle, &metadata, timeout_ms);
  if (handle) rd_kafka_topic_destroy(handle);
  if (err) return err;
  if (topic)
    err = look_at_topic(metadata, topic, n_partitions);
  else if (!metadata->broker_cnt)
    err = RD_KAFKA_RESP_ERR__TRANSPORT;
  rd_kafka_metadata_destroy(metadata);
  return err;
}

static bool is_no_answer(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
         err == RD_KAFKA_RESP_ERR__SSL || err == RD_KAFKA_RESP_ERR__RESOLVE;
}

static enum sp_err fail_topic(struct sp_kafka_client *client, const char *topic, rd_kafka_resp_err_t err,
                              struct sp_error *error) {
  if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "broker %s has no topic %s; create it with servepath topics %s --create %s:PARTITIONS",
                   client->brokers, topic, client->brokers, topic);
  char what[300];
  snprintf(what, sizeof what, "use topic %s", topic);
  return sp_kafka_client_fail(client, what, err, error);
}

// Asks until it is answered well or waiting is in vain.
static enum sp_err keep_asking(struct sp_kafka_client *client, const char *topic, bool is_mock,
                               int64_t deadline_ns, int32_t *n_partitions, struct sp_error *error) {
  int64_t begun_ns = sp_now_ns(), answered_ns = 0;
  rd_kafka_resp_err_t answered = RD_KAFKA_RESP_ERR_NO_ERROR; // the last that a broker said
  for (int slice_ms = SLICE_MS;; slice_ms = slice_ms < SLICE_MOST_MS ? 2 * slice_ms : SLICE_MOST_MS) {
    rd_kafka_resp_err_t err =
        ask(client, topic, is_mock, sp_kafka_ms_until(deadline_ns, slice_ms), n_partitions);
    if (!err) return SP_OK;
    rd_kafka_poll(client->rk, 0); // error_cb
    int64_t now_ns = sp_now_ns();
    if (!is_no_answer(err)) {
      if (!answered_ns) answered_ns = now_ns;
      answered = err;
      bool is_final = err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                      err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION || err == RD_KAFKA_RESP_ERR__INVALID_ARG;
      if (is_final || now_ns >= deadline_ns || now_ns >= answered_ns + UNKNOWN_GRACE_NS)
        return fail_topic(client, topic ? topic : "", err, error);
    } else {
      char trouble[400];
      int64_t refused_ns = look_at_trouble(client, trouble);
      // The last question had too little time left to be answered: what was said before holds.
      if (now_ns >= deadline_ns && answered && !trouble[0])
        return fail_topic(client, topic ? topic : "", answered, error);
      if (now_ns >= deadline_ns || (refused_ns && now_ns >= refused_ns + REFUSED_GRACE_NS))
        return fail_reach(client, begun_ns, error);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  }
}

bool sp_kafka_client_is_mock(struct sp_kafka_client *client) {
  char *id = rd_kafka_clusterid(client->rk, 0);
  bool is_mock = id && strncmp(id, "mockCluster", 11) == 0;
  if (id) rd_kafka_mem_free(client->rk, id);
  return is_mock;
}

enum sp_err sp_kafka_client_wait(struct sp_kafka_client *client, const char *topic, int64_t deadline_ns,
                                 int32_t *n_partitions, struct sp_error *error) {
  int32_t n = 0;
  enum sp_err err = keep_asking(client, NULL, false, deadline_ns, &n, error);
  if (!err && topic)
    err = keep_asking(client, topic, sp_kafka_client_is_mock(client), deadline_ns, &n, error);
  if (n_partitions) *n_partitions = n;
  return err;
}

enum sp_err sp_kafka_client_offsets(struct sp_kafka_client *client, const char *topic, int32_t partition,
                                    int64_t deadline_ns, int64_t *low, int64_t *high,
                                    struct sp_error *error) {
  rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(client->rk, topic, partition, low, high,
                                                             sp_kafka_ms_until(deadline_ns, 60000));
  if (!err) return SP_OK;
  char what[300];
  snprintf(what, sizeof what, "ask for the offsets of partition %d of topic %s", (int)partition, topic);
  return sp_kafka_client_fail(client, what, err, error);
}
