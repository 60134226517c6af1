// Properties of our clients, and what is said when a broker cannot be reached.
#include "stream/kafka_conf.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/names.h"

// --- Defaults: measured to be the best at rates where latency is asked for; printed in every result ---

static const struct sp_kafka_setting common[] = {
    {"client.id", "servepath", false},
    {"socket.nagle.disable", "true", false},
    {"reconnect.backoff.max.ms", "500", false}, // a broker that comes back is found at once; 10 s otherwise
    {"message.max.bytes", "10485760", false},   // the broker's limit counts, not the client's
};
static const struct sp_kafka_setting producer_only[] = {
    {"enable.idempotence", "true", false},
    {"linger.ms", "0", false},
    {"max.in.flight", "1", false}, // more of them with linger 0 saturate the broker at 10k/s
    {"partitioner", "murmur2_random", false},
    {"queue.buffering.max.kbytes", "131072", false},
};
static const struct sp_kafka_setting consumer_only[] = {
    {"queued.min.messages", "1000000", false}, // a full local queue costs a second
    {"queued.max.messages.kbytes", "262144", false}, {"fetch.error.backoff.ms", "50", false},
    {"auto.offset.reset", "earliest", false},        {"allow.auto.create.topics", "false", false},
};
static const struct sp_kafka_setting mock_consumer[] = {{"fetch.wait.max.ms", "1", false}};

// What no user may set: the command line or the scenario has a key for it, or it would break the measurement.
static const char *const reserved[] = {"bootstrap.servers",   "transactional.id",         "group.id",
                                       "enable.auto.commit",  "enable.auto.offset.store", "isolation.level",
                                       "enable.partition.eof"};
#define N_OF(array) (sizeof array / sizeof *array)

static bool is_secret(const char *name) {
  static const char *const parts[] = {"password", "secret", "key.pem", "oauthbearer.config"};
  for (size_t i = 0; i < N_OF(parts); i++) {
    if (strcasestr(name, parts[i])) return true;
  }
  return false;
}

char *sp_kafka_conf_text(const rd_kafka_conf_t *conf, const char *name, char *text, size_t n_text) {
  size_t n = n_text;
  if (rd_kafka_conf_get(conf, name, text, &n) != RD_KAFKA_CONF_OK) text[0] = 0;
  text[n_text - 1] = 0;
  return text;
}

// --- Making a conf ---

static void set_default(rd_kafka_conf_t *conf, const struct sp_kafka_setting *setting) {
  char why[256];
  SP_ASSERT(rd_kafka_conf_set(conf, setting->name, setting->value, why, sizeof why) == RD_KAFKA_CONF_OK);
}

static void set_defaults(rd_kafka_conf_t *conf, const struct sp_kafka_env *env, enum sp_kafka_role role) {
  for (size_t i = 0; i < N_OF(common); i++) set_default(conf, &common[i]);
  if (role == SP_KAFKA_PRODUCER) {
    for (size_t i = 0; i < N_OF(producer_only); i++) set_default(conf, &producer_only[i]);
    return;
  }
  for (size_t i = 0; i < N_OF(consumer_only); i++) set_default(conf, &consumer_only[i]);
  if (env->is_mock) set_default(conf, &mock_consumer[0]);
}

// Names that librdkafka takes too but does not list.
static const char *const aliases[] = {
    "linger.ms",        "acks",    "max.in.flight",      "bootstrap.servers",
    "compression.type", "retries", "delivery.timeout.ms"};

static enum sp_err fail_unknown(rd_kafka_conf_t *conf, const char *role, const char *name,
                                struct sp_error *error) {
  size_t n_global = 0, n_topic = 0;
  const char **global = rd_kafka_conf_dump(conf, &n_global);
  rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
  const char **topic = rd_kafka_topic_conf_dump(topic_conf, &n_topic);
  const char **names = sp_alloc((N_OF(aliases) + n_global + n_topic) * sizeof *names);
  size_t n = N_OF(aliases);
  memcpy(names, aliases, sizeof aliases);
  for (size_t i = 0; i < n_global; i += 2) names[n++] = global[i]; // name, value, name, value, ...
  for (size_t i = 0; i < n_topic; i += 2) names[n++] = topic[i];
  const char *nearest = sp_names_nearest(name, names, n);
  if (nearest)
    sp_fail(error, SP_ERR_USAGE, "kafka.%s.%s: librdkafka has no such property; did you mean %s?", role, name,
            nearest);
  else
    sp_fail(error, SP_ERR_USAGE,
            "kafka.%s.%s: librdkafka has no such property; its CONFIGURATION.md lists them", role, name);
  free(names);
  rd_kafka_conf_dump_free(global, n_global);
  rd_kafka_conf_dump_free(topic, n_topic);
  rd_kafka_topic_conf_destroy(topic_conf);
  return SP_ERR_USAGE;
}

static enum sp_err set_of_user(rd_kafka_conf_t *conf, const char *role, const struct sp_property *property,
                               struct sp_error *error) {
  char why[512];
  const char *value = property->value ? property->value : "";
  switch (rd_kafka_conf_set(conf, property->name, value, why, sizeof why)) {
  case RD_KAFKA_CONF_OK: return SP_OK;
  case RD_KAFKA_CONF_UNKNOWN: return fail_unknown(conf, role, property->name, error);
  case RD_KAFKA_CONF_INVALID: break;
  }
  why[strcspn(why, "\n")] = '\0';
  // librdkafka's text quotes the value.
  return sp_fail(error, SP_ERR_USAGE, "kafka.%s.%s: librdkafka refuses the value%s%s", role, property->name,
                 is_secret(property->name) ? "" : ": ", is_secret(property->name) ? "" : why);
}

// The user's properties, which may use any of librdkafka's aliases: what they changed is seen by the names that we know.
static enum sp_err set_user(rd_kafka_conf_t *conf, const char *role, const struct sp_properties *user,
                            const char *const *guarded, size_t n_guarded, struct sp_error *error) {
  for (size_t i = 0; user && i < user->n; i++) {
    char before[512], after[512];
    rd_kafka_conf_t *old = rd_kafka_conf_dup(conf);
    enum sp_err err = set_of_user(conf, role, &user->items[i], error);
    for (size_t k = 0; k < n_guarded && !err; k++) {
      sp_kafka_conf_text(old, guarded[k], before, sizeof before);
      sp_kafka_conf_text(conf, guarded[k], after, sizeof after);
      if (strcmp(before, after) != 0)
        err = sp_fail(error, SP_ERR_USAGE, "kafka.%s.%s: servepath sets this itself; leave it out", role,
                      user->items[i].name);
    }
    rd_kafka_conf_destroy(old);
    if (err) return err;
  }
  return SP_OK;
}

// librdkafka takes a port that is none for another number and waits for whoever listens there.
static bool is_address(const char *text, size_t n) {
  const char *colon = memrchr(text, ':', n);
  if (!colon || colon == text) return false;
  const char *end = text + n;
  unsigned long port = 0;
  for (const char *at = colon + 1; at < end; at++) {
    if (*at < '0' || *at > '9' || port > UINT16_MAX) return false;
    port = 10 * port + (unsigned long)(*at - '0');
  }
  return port > 0 && port <= UINT16_MAX && !memchr(text, ' ', n);
}

static enum sp_err check_addresses(const char *brokers, struct sp_error *error) {
  for (const char *at = brokers, *end; at; at = *end ? end + 1 : NULL) {
    end = strchrnul(at, ',');
    if (!is_address(at, (size_t)(end - at)))
      return sp_fail(error, SP_ERR_USAGE, "broker \"%.*s\" is no address; write HOST:PORT, several by comma",
                     (int)(end - at > 100 ? 100 : end - at), at);
  }
  return SP_OK;
}

enum sp_err sp_kafka_conf_new(const struct sp_kafka_env *env, enum sp_kafka_role role,
                              const struct sp_kafka_setting *settings, size_t n_settings,
                              rd_kafka_conf_t **result, struct sp_error *error) {
  const char *role_name = role == SP_KAFKA_PRODUCER ? "producer" : "consumer";
  enum sp_err err = check_addresses(env->brokers, error);
  if (err) return err;
  const char *guarded[N_OF(reserved) + 16];
  size_t n_guarded = N_OF(reserved);
  memcpy(guarded, reserved, sizeof reserved);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set_defaults(conf, env, role);
  for (size_t i = 0; i < n_settings; i++) {
    if (!settings[i].is_fixed) set_default(conf, &settings[i]);
    if (!settings[i].is_fixed) continue;
    SP_ASSERT(n_guarded < N_OF(guarded));
    guarded[n_guarded++] = settings[i].name;
  }
  err = set_user(conf, role_name, role == SP_KAFKA_PRODUCER ? env->producer : env->consumer, guarded,
                 n_guarded, error);
  for (size_t i = 0; i < n_settings && !err; i++) {
    if (settings[i].is_fixed) set_default(conf, &settings[i]);
  }
  char why[256];
  if (!err && rd_kafka_conf_set(conf, "bootstrap.servers", env->brokers, why, sizeof why) != RD_KAFKA_CONF_OK)
    err = sp_fail(error, SP_ERR_USAGE, "broker %s: write HOST:PORT[,HOST:PORT...] (%s)", env->brokers, why);
  if (err) {
    rd_kafka_conf_destroy(conf);
    return err;
  }
  *result = conf;
  return SP_OK;
}

// --- A client, and what librdkafka says while it lives ---

static bool has(const char *text, const char *part) {
  return strstr(text, part) != NULL;
}

// "[thrd:N]: HOST:PORT/bootstrap: Connect to ipv4#HOST:PORT failed: Connection refused (after 0ms in state CONNECT)" -> what
// stands between.
static void note_trouble(struct sp_kafka_client *client, const char *text) {
  const char *end_of_thread = text[0] == '[' ? strstr(text, "]: ") : NULL;
  if (end_of_thread) text = end_of_thread + 3;
  const char *colon = strstr(text, ": "), *slash = strchr(text, '/');
  if (colon && slash && slash < colon && !memchr(text, ' ', (size_t)(colon - text))) text = colon + 2;
  const char *after = strstr(text, " (after ");
  int n = after ? (int)(after - text) : (int)strlen(text);
  bool is_refused = has(text, "uthentication") || has(text, "SSL handshake") || has(text, "SASL");
  pthread_mutex_lock(&client->lock);
  snprintf(client->trouble, sizeof client->trouble, "%.*s", n, text);
  if (is_refused && !client->refused_ns) client->refused_ns = sp_now_ns();
  pthread_mutex_unlock(&client->lock);
}

// "[thrd:app]: Configuration property NAME is a producer property and will be ignored by this consumer instance"
static void note_ignored(struct sp_kafka_client *client, const char *text) {
  const char *name = strstr(text, "property "), *end = name ? strchr(name + 9, ' ') : NULL;
  if (!end || !has(text, "will be ignored")) return;
  pthread_mutex_lock(&client->lock);
  size_t n = strlen(client->ignored);
  snprintf(client->ignored + n, sizeof client->ignored - n, "%.*s ", (int)(end - name - 9), name + 9);
  pthread_mutex_unlock(&client->lock);
}

// Any of librdkafka's threads.
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
  struct sp_kafka_client *client = rd_kafka_opaque(rk);
  if (!client) return;
  if (strcmp(facility, "CONFWARN") == 0) {
    note_ignored(client, text);
  } else if ((level <= LOG_ERR || strcmp(facility, "FAIL") == 0) && !has(text, "brokers are down")) {
    note_trouble(client, text); // a broker that just closes the connection is no error by its level
  }
  if (client->prints_log) fprintf(stderr, "servepath: librdkafka: %s: %s\n", facility, text);
}

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque) {
  (void)rk;
  if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) note_trouble(opaque, reason);
}

static bool is_listed(const struct sp_properties *list, const struct sp_property *property) {
  for (size_t i = 0; list && i < list->n; i++) {
    if (strcmp(list->items[i].name, property->name) == 0) return true;
  }
  return false;
}

// Whether the property, under whatever alias, sets what librdkafka calls `name`.
static bool sets(const struct sp_property *property, const char *name) {
  char before[512], after[512], why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  sp_kafka_conf_text(conf, name, before, sizeof before);
  rd_kafka_conf_set(conf, property->name, property->value ? property->value : "", why, sizeof why);
  sp_kafka_conf_text(conf, name, after, sizeof after);
  rd_kafka_conf_destroy(conf);
  return strcmp(before, after) != 0;
}

// A property of the other role in this role's list alone is a slip of the pen. In both lists it was meant for whom it suits:
// -X name=value puts it there.
static enum sp_err check_ignored(struct sp_kafka_client *client, const struct sp_kafka_env *env,
                                 enum sp_kafka_role role, struct sp_error *error) {
  bool is_producer = role == SP_KAFKA_PRODUCER;
  const struct sp_properties *own = is_producer ? env->producer : env->consumer;
  const struct sp_properties *other = is_producer ? env->consumer : env->producer;
  char name[100];
  for (size_t i = 0; sp_words_nth(client->ignored, i, name, sizeof name)[0]; i++) {
    for (size_t k = 0; own && k < own->n; k++) {
      if (!is_listed(other, &own->items[k]) && sets(&own->items[k], name))
        return sp_fail(error, SP_ERR_USAGE, "kafka.%s.%s: a property of %s; write it under kafka.%s",
                       is_producer ? "producer" : "consumer", own->items[k].name,
                       is_producer ? "consumers" : "producers", is_producer ? "consumer" : "producer");
    }
  }
  return SP_OK;
}

enum sp_err sp_kafka_client_open(struct sp_kafka_client *client, const struct sp_kafka_env *env,
                                 enum sp_kafka_role role, rd_kafka_conf_t *conf, void *context,
                                 struct sp_error *error) {
  char why[512], debug[64];
  *client = (struct sp_kafka_client){.context = context};
  snprintf(client->brokers, sizeof client->brokers, "%s", env->brokers);
  client->prints_log = sp_kafka_conf_text(conf, "debug", debug, sizeof debug)[0] != 0;
  pthread_mutex_init(&client->lock, NULL);
  rd_kafka_conf_set_opaque(conf, client);
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  client->rk =
      rd_kafka_new(role == SP_KAFKA_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!client->rk) {
    rd_kafka_conf_destroy(conf);
    pthread_mutex_destroy(&client->lock);
    return sp_fail(error, SP_ERR_USAGE, "kafka.%s: librdkafka refuses these properties together: %s%s",
                   role == SP_KAFKA_PRODUCER ? "producer" : "consumer", why,
                   has(why, "idempotence") ? "; lay enable.idempotence=false over them" : "");
  }
  enum sp_err err = check_ignored(client, env, role, error);
  if (err) sp_kafka_client_close(client);
  return err;
}

enum sp_err sp_kafka_client_new(struct sp_kafka_client *client, const struct sp_kafka_env *env,
                                enum sp_kafka_role role, const struct sp_kafka_setting *settings,
                                size_t n_settings, void *context, struct sp_error *error) {
  rd_kafka_conf_t *conf;
  client->rk = NULL;
  enum sp_err err = sp_kafka_conf_new(env, role, settings, n_settings, &conf, error);
  return err ? err : sp_kafka_client_open(client, env, role, conf, context, error);
}

void sp_kafka_client_close(struct sp_kafka_client *client) {
  if (!client->rk) return;
  if (rd_kafka_type(client->rk) == RD_KAFKA_PRODUCER)
    rd_kafka_purge(client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_destroy(client->rk);
  client->rk = NULL;
  pthread_mutex_destroy(&client->lock);
}

// --- For results ---

const char *sp_kafka_library(void) {
  static char text[64];
  if (!text[0]) snprintf(text, sizeof text, "librdkafka %s", rd_kafka_version_str());
  return text;
}

static void add_value(json_t *object, const rd_kafka_conf_t *conf, const char *name) {
  char value[512];
  sp_kafka_conf_text(conf, name, value, sizeof value);
  json_object_set_new(object, name, json_string(is_secret(name) ? "***" : value));
}

static json_t *role_json(const struct sp_kafka_env *env, enum sp_kafka_role role) {
  json_t *object = json_object();
  rd_kafka_conf_t *conf;
  if (sp_kafka_conf_new(env, role, NULL, 0, &conf, NULL)) return object;
  for (size_t i = 0; i < N_OF(common); i++) add_value(object, conf, common[i].name);
  size_t n = role == SP_KAFKA_PRODUCER ? N_OF(producer_only) : N_OF(consumer_only);
  for (size_t i = 0; i < n; i++)
    add_value(object, conf, (role == SP_KAFKA_PRODUCER ? producer_only : consumer_only)[i].name);
  if (role == SP_KAFKA_PRODUCER) add_value(object, conf, "acks");
  if (role == SP_KAFKA_CONSUMER) add_value(object, conf, mock_consumer[0].name);
  const struct sp_properties *user = role == SP_KAFKA_PRODUCER ? env->producer : env->consumer;
  for (size_t i = 0; user && i < user->n; i++) add_value(object, conf, user->items[i].name);
  rd_kafka_conf_destroy(conf);
  return object;
}

char *sp_kafka_properties_json(const struct sp_kafka_env *env) {
  json_t *both = json_pack("{s:o, s:o}", "producer", role_json(env, SP_KAFKA_PRODUCER), "consumer",
                           role_json(env, SP_KAFKA_CONSUMER));
  char *text = json_dumps(both, JSON_COMPACT);
  json_decref(both);
  SP_ASSERT(text != NULL);
  return text;
}
