// Clients of librdkafka as all of ours are made: our defaults, the user's properties over them, what servepath itself must
// hold over those; and why a broker cannot be reached, in one line. For the files of this folder alone.
#ifndef SP_STREAM_KAFKA_CONF_H
#define SP_STREAM_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "stream/kafka.h"

enum sp_kafka_role {
  SP_KAFKA_PRODUCER, // env->producer; administration too
  SP_KAFKA_CONSUMER, // env->consumer
};

struct sp_kafka_setting {
  const char *name;
  const char *value;
  bool
      is_fixed; // the user may not say otherwise; false: a default of this client, under the user's properties
};

// A client. librdkafka's opaque of all callbacks; `context` is the maker's own.
struct sp_kafka_client {
  rd_kafka_t *rk; // NULL: not open
  void *context;
  char brokers[256];    // as named, for messages
  bool prints_log;      // the user asked for `debug`
  pthread_mutex_t lock; // of what follows: librdkafka's threads write it
  char trouble[400];    // the last failure of a connection, "" while there was none
  char ignored[400];    // properties that librdkafka does not use in this role, a blank after each
  int64_t refused_ns;   // since when logins or handshakes are refused, which no waiting mends; 0: not
};

// Our defaults, then `settings` that are not fixed, the user's properties, and the fixed settings. The caller may add callbacks
// (not opaque, error_cb and log_cb) and hands *conf to sp_kafka_client_open. SP_ERR_USAGE: a property that librdkafka does not
// know (with the nearest that it does) or refuses, or one that is ours to set. Never blocks, starts nothing.
enum sp_err sp_kafka_conf_new(const struct sp_kafka_env *env, enum sp_kafka_role role,
                              const struct sp_kafka_setting *settings, size_t n_settings,
                              rd_kafka_conf_t **conf, struct sp_error *error);
// Takes conf, whatever it returns. Starts the client's threads; connects in the background. SP_ERR_USAGE: properties that
// contradict each other, or are of the other role. On failure *client needs no close.
enum sp_err sp_kafka_client_open(struct sp_kafka_client *client, const struct sp_kafka_env *env,
                                 enum sp_kafka_role role, rd_kafka_conf_t *conf, void *context,
                                 struct sp_error *error);
// Both in one.
enum sp_err sp_kafka_client_new(struct sp_kafka_client *client, const struct sp_kafka_env *env,
                                enum sp_kafka_role role, const struct sp_kafka_setting *settings,
                                size_t n_settings, void *context, struct sp_error *error);
// After its queues, topics and consumers are gone; messages not yet delivered are dropped. Zeroed or failed to open: nothing.
void sp_kafka_client_close(struct sp_kafka_client *client);

// Waits until the broker answers; with a topic, until it is known and every partition has a leader (*n_partitions, may be
// NULL). Keep a topic object of it for as long as it is used, so that the first produce does not stall. SP_ERR_ENVIRONMENT, one line with
// broker, reason and remedy: at deadline_ns (CLOCK_MONOTONIC), or sooner where waiting cannot help (login refused, TLS against
// plain, 2 s after the broker said that there is no such topic). A consumer never creates the topic; a producer would where the
// broker lets it: ask with a consumer first.
enum sp_err sp_kafka_client_wait(struct sp_kafka_client *client, const char *topic, int64_t deadline_ns,
                                 int32_t *n_partitions, struct sp_error *error);
// Whether the broker is librdkafka's mock cluster; false before sp_kafka_client_wait.
bool sp_kafka_client_is_mock(struct sp_kafka_client *client);
// First offset and the one after the last. SP_ERR_ENVIRONMENT as above.
enum sp_err sp_kafka_client_offsets(struct sp_kafka_client *client, const char *topic, int32_t partition,
                                    int64_t deadline_ns, int64_t *low, int64_t *high, struct sp_error *error);
// SP_ERR_ENVIRONMENT "cannot WHAT ... at broker ... (ERR; last trouble); remedy".
enum sp_err sp_kafka_client_fail(struct sp_kafka_client *client, const char *what, rd_kafka_resp_err_t err,
                                 struct sp_error *error);
// Milliseconds until deadline_ns, for librdkafka's timeouts: rounded up, 0 when it has passed, at most `most_ms`.
int sp_kafka_ms_until(int64_t deadline_ns, int most_ms);
// Value of a property as the client's conf has it; "" if unknown; returns text.
char *sp_kafka_conf_text(const rd_kafka_conf_t *conf, const char *name, char *text, size_t n_text);

#endif
