// Topics by librdkafka's admin calls, which answer on a queue.
#include "stream/admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_conf.h"

#define PAUSE_NS (20 * SP_NS_PER_MS)

// A consumer, since it never creates a topic by asking for it.
static enum sp_err open_admin(const struct sp_kafka_env *env, int64_t deadline_ns,
                              struct sp_kafka_client *client, struct sp_error *error) {
  enum sp_err err = sp_kafka_client_new(client, env, SP_KAFKA_CONSUMER, NULL, 0, NULL, error);
  if (err) return err;
  err = sp_kafka_client_wait(client, NULL, deadline_ns, NULL, error);
  if (err) sp_kafka_client_close(client);
  return err;
}

// *n 0: there is no such topic.
static enum sp_err count_partitions(struct sp_kafka_client *client, const char *topic, int64_t deadline_ns,
                                    int32_t *n, struct sp_error *error) {
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t err =
      rd_kafka_metadata(client->rk, 1, NULL, &metadata, sp_kafka_ms_until(deadline_ns, 60000));
  if (err) return sp_kafka_client_fail(client, "list the topics", err, error);
  *n = 0;
  for (int i = 0; i < metadata->topic_cnt; i++) {
    if (strcmp(metadata->topics[i].topic, topic) == 0) *n = metadata->topics[i].partition_cnt;
  }
  rd_kafka_metadata_destroy(metadata);
  return SP_OK;
}

// One topic's result of an admin event; err: none came.
static rd_kafka_resp_err_t result_of(rd_kafka_event_t *event, char *why, size_t n_why) {
  const rd_kafka_topic_result_t **results = NULL;
  size_t n = 0;
  rd_kafka_resp_err_t err = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (!err && rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
    results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
  else if (!err)
    results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
  const char *text = event && err ? rd_kafka_event_error_string(event) : NULL;
  if (n) {
    err = rd_kafka_topic_result_error(results[0]);
    text = rd_kafka_topic_result_error_string(results[0]);
  }
  snprintf(why, n_why, "%s", text ? text : rd_kafka_err2str(err));
  return err;
}

static rd_kafka_AdminOptions_t *options_of(struct sp_kafka_client *client, rd_kafka_admin_op_t op,
                                           int64_t deadline_ns) {
  char why[128];
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client->rk, op);
  int timeout_ms = sp_kafka_ms_until(deadline_ns, 60000) + 1;
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
  rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why, sizeof why);
  return options;
}

static enum sp_err ask_create(struct sp_kafka_client *client, const char *topic, uint32_t partitions,
                              int64_t deadline_ns, struct sp_error *error) {
  char why[256];
  // -1: as many replicas as the broker gives by default.
  rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic, (int)partitions, -1, why, sizeof why);
  if (!made)
    return sp_fail(error, SP_ERR_USAGE, "topic %.250s with %u partitions: %s", topic, partitions, why);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
  rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline_ns);
  rd_kafka_CreateTopics(client->rk, &made, 1, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, sp_kafka_ms_until(deadline_ns, 60000) + 1000);
  rd_kafka_resp_err_t err = result_of(event, why, sizeof why);
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(made);
  if (!err) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot create topic %s at broker %s (%s)%s", topic,
                 client->brokers, why,
                 err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? "; somebody made it just now" : "");
}

static enum sp_err check_existing(struct sp_kafka_client *client, const char *topic, uint32_t partitions,
                                  bool may_exist, int32_t n, struct sp_error *error) {
  if (!may_exist)
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "topic %s exists at broker %s already; use it with --reuse-topics (servepath topics: "
                   "--reuse), or name another",
                   topic, client->brokers);
  if ((uint32_t)n != partitions)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "topic %s at broker %s has %d partitions, not %u; ask for %d",
                   topic, client->brokers, (int)n, partitions, (int)n);
  return SP_OK;
}

enum sp_err sp_admin_create(const struct sp_kafka_env *env, const char *topic, uint32_t partitions,
                            bool may_exist, int64_t timeout_ns, struct sp_error *error) {
  struct sp_kafka_client client;
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  int32_t n = 0;
  enum sp_err err = open_admin(env, deadline_ns, &client, error);
  if (err) return err;
  err = count_partitions(&client, topic, deadline_ns, &n, error);
  if (!err && n) {
    err = check_existing(&client, topic, partitions, may_exist, n, error);
  } else if (!err && sp_kafka_client_is_mock(&client)) {
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "cannot create topic %s: the mock broker at %s makes topics only when it starts; "
                  "servepath broker --topic %s:%u",
                  topic, client.brokers, topic, partitions);
  } else if (!err) {
    err = ask_create(&client, topic, partitions, deadline_ns, error);
    if (!err) err = sp_kafka_client_wait(&client, topic, deadline_ns, NULL, error);
  }
  sp_kafka_client_close(&client);
  return err;
}

static enum sp_err ask_delete(struct sp_kafka_client *client, const char *topic, int64_t deadline_ns,
                              struct sp_error *error) {
  char why[256];
  rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
  rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_DELETETOPICS, deadline_ns);
  rd_kafka_DeleteTopics(client->rk, &gone, 1, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, sp_kafka_ms_until(deadline_ns, 60000) + 1000);
  rd_kafka_resp_err_t err = result_of(event, why, sizeof why);
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_DeleteTopic_destroy(gone);
  if (!err) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot delete topic %s at broker %s (%s)", topic,
                 client->brokers, why);
}

// Until the broker lists it no more.
static enum sp_err wait_gone(struct sp_kafka_client *client, const char *topic, int64_t deadline_ns,
                             struct sp_error *error) {
  for (;;) {
    int32_t n = 0;
    enum sp_err err = count_partitions(client, topic, deadline_ns, &n, error);
    if (err || !n) return err;
    if (sp_now_ns() >= deadline_ns)
      return sp_fail(error, SP_ERR_ENVIRONMENT, "topic %s at broker %s is deleted, but still listed", topic,
                     client->brokers);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  }
}

enum sp_err sp_admin_delete(const struct sp_kafka_env *env, const char *topic, int64_t timeout_ns,
                            struct sp_error *error) {
  struct sp_kafka_client client;
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  enum sp_err err = open_admin(env, deadline_ns, &client, error);
  if (err) return err;
  if (sp_kafka_client_is_mock(&client))
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "cannot delete topic %s: the mock broker at %s keeps its topics until it ends", topic,
                  client.brokers);
  if (!err) err = ask_delete(&client, topic, deadline_ns, error);
  if (!err) err = wait_gone(&client, topic, deadline_ns, error);
  sp_kafka_client_close(&client);
  return err;
}

static enum sp_err commit_ends(struct sp_kafka_client *client, const char *group, const char *topic,
                               int64_t deadline_ns, struct sp_error *error) {
  int32_t n = 0;
  int64_t low;
  enum sp_err err = sp_kafka_client_wait(client, topic, deadline_ns, &n, error);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
  for (int32_t i = 0; i < n && !err; i++) {
    int64_t *end = &rd_kafka_topic_partition_list_add(list, topic, i)->offset;
    err = sp_kafka_client_offsets(client, topic, i, deadline_ns, &low, end, error);
  }
  while (!err) {
    rd_kafka_resp_err_t failed = rd_kafka_commit(client->rk, list, 0);
    if (!failed) break;
    bool is_final = failed == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                    failed == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
    char what[300];
    snprintf(what, sizeof what, "set where group %.100s begins", group);
    if (is_final || sp_now_ns() >= deadline_ns) err = sp_kafka_client_fail(client, what, failed, error);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL); // the group's coordinator may still be coming
  }
  rd_kafka_topic_partition_list_destroy(list);
  return err;
}

enum sp_err sp_admin_skip(const struct sp_kafka_env *env, const char *group, const char *topic,
                          int64_t timeout_ns, struct sp_error *error) {
  struct sp_kafka_client client;
  const struct sp_kafka_setting settings[] = {{"group.id", group, true},
                                              {"enable.auto.commit", "false", true}};
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  enum sp_err err = sp_kafka_client_new(&client, env, SP_KAFKA_CONSUMER, settings, 2, NULL, error);
  if (err) return err;
  err = commit_ends(&client, group, topic, deadline_ns, error);
  sp_kafka_client_close(&client);
  return err;
}

static enum sp_err fill_topic(struct sp_kafka_client *client, const rd_kafka_metadata_topic_t *told,
                              int64_t deadline_ns, struct sp_topic *topic, struct sp_error *error) {
  *topic = (struct sp_topic){.partitions = told->partition_cnt};
  snprintf(topic->name, sizeof topic->name, "%s", told->topic);
  for (int32_t i = 0; i < told->partition_cnt; i++) {
    int64_t low, high;
    enum sp_err err = sp_kafka_client_offsets(client, told->topic, i, deadline_ns, &low, &high, error);
    if (err) return err;
    topic->n_messages += high - low;
    topic->n_dropped += low;
  }
  return SP_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct sp_topic *)a)->name, ((const struct sp_topic *)b)->name);
}

enum sp_err sp_admin_list(const struct sp_kafka_env *env, int64_t timeout_ns, struct sp_topic **topics,
                          size_t *n, struct sp_error *error) {
  struct sp_kafka_client client;
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  enum sp_err err = open_admin(env, deadline_ns, &client, error);
  if (err) return err;
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t answer =
      rd_kafka_metadata(client.rk, 1, NULL, &metadata, sp_kafka_ms_until(deadline_ns, 60000));
  if (answer) {
    err = sp_kafka_client_fail(&client, "list the topics", answer, error);
    sp_kafka_client_close(&client);
    return err;
  }
  struct sp_topic *found = sp_alloc((size_t)metadata->topic_cnt * sizeof *found);
  size_t n_found = 0;
  for (int i = 0; i < metadata->topic_cnt && !err; i++) {
    if (strncmp(metadata->topics[i].topic, "__", 2) != 0)
      err = fill_topic(&client, &metadata->topics[i], deadline_ns, &found[n_found++], error);
  }
  rd_kafka_metadata_destroy(metadata);
  sp_kafka_client_close(&client);
  if (err) {
    free(found);
    return err;
  }
  qsort(found, n_found, sizeof *found, by_name);
  *topics = found;
  *n = n_found;
  return SP_OK;
}
