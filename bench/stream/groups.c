// Who holds a topic. A member's assignment is what its group's leader wrote: version (16 bits), topics (32), each a name (16 and so
// many bytes) and its partitions (32, 32 each), big endian; Kafka, "Consumer Embedded Protocol".
#include "stream/groups.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/kafka_conf.h"

#define PAUSE_NS (100 * SP_NS_PER_MS)
#define ASK_MS   5000

struct reader {
  const uint8_t *at;
  size_t n;
  bool is_broken;
};

static int32_t take(struct reader *r, size_t n_bytes) {
  uint32_t value = 0;
  if (r->n < n_bytes) r->is_broken = true;
  if (r->is_broken) return 0;
  for (size_t i = 0; i < n_bytes; i++) value = value << 8 | r->at[i];
  r->at += n_bytes;
  r->n -= n_bytes;
  return (int32_t)value;
}

// Adds to holders[p] for each partition of `topic` in it; returns whether there was one.
static bool read_assignment(struct sp_bytes bytes, const char *topic, uint32_t *holders, int32_t n) {
  struct reader r = {bytes.data, bytes.n, false};
  bool has_some = false;
  take(&r, 2);
  int32_t n_topics = take(&r, 4);
  for (int32_t i = 0; i < n_topics && !r.is_broken; i++) {
    size_t n_name = (size_t)take(&r, 2);
    if (r.n < n_name) return has_some;
    bool is_ours = n_name == strlen(topic) && memcmp(r.at, topic, n_name) == 0;
    r.at += n_name;
    r.n -= n_name;
    int32_t n_partitions = take(&r, 4);
    for (int32_t k = 0; k < n_partitions && !r.is_broken; k++) {
      int32_t partition = take(&r, 4);
      if (r.is_broken || !is_ours || partition < 0 || partition >= n) continue;
      holders[partition]++;
      has_some = true;
    }
  }
  return has_some;
}

static bool group_holds(const struct rd_kafka_group_info *group, const char *topic, uint64_t n_members,
                        uint32_t *holders, int32_t n) {
  uint64_t n_holding = 0;
  memset(holders, 0, (size_t)n * sizeof *holders);
  if (!group->state || strcmp(group->state, "Stable") != 0) return false;
  for (int i = 0; i < group->member_cnt; i++) {
    const struct rd_kafka_group_member_info *member = &group->members[i];
    struct sp_bytes assignment =
        sp_bytes_of(member->member_assignment, (size_t)member->member_assignment_size);
    n_holding += read_assignment(assignment, topic, holders, n);
  }
  for (int32_t p = 0; p < n; p++) {
    if (holders[p] != 1) return false;
  }
  uint64_t most = (uint64_t)n; // a member more than partitions holds none
  return n_holding >= (n_members < most ? n_members : most);
}

static bool is_held(struct sp_kafka_client *client, const char *topic, uint64_t n_members, int32_t n) {
  const struct rd_kafka_group_list *groups;
  if (rd_kafka_list_groups(client->rk, NULL, &groups, ASK_MS)) return false; // asked again until the deadline
  uint32_t *holders = sp_alloc((size_t)n * sizeof *holders);
  bool is_so = false;
  for (int i = 0; i < groups->group_cnt; i++)
    is_so |= group_holds(&groups->groups[i], topic, n_members, holders, n);
  free(holders);
  rd_kafka_group_list_destroy(groups);
  return is_so;
}

enum sp_err sp_groups_wait_held(const struct sp_kafka_env *env, const char *topic, uint64_t n_members,
                                int64_t timeout_ns, struct sp_error *error) {
  struct sp_kafka_client client;
  int64_t deadline_ns = sp_now_ns() + timeout_ns;
  int32_t n = 0;
  enum sp_err err = sp_kafka_client_new(&client, env, SP_KAFKA_CONSUMER, NULL, 0, NULL, error);
  if (err) return err;
  err = sp_kafka_client_wait(&client, topic, deadline_ns, &n, error);
  if (!err && sp_kafka_client_is_mock(&client))
    err = sp_fail(error, SP_ERR_ENVIRONMENT, "the mock broker does not say who holds topic %s", topic);
  while (!err && !is_held(&client, topic, n_members, n)) {
    if (sp_now_ns() >= deadline_ns)
      err = sp_fail(error, SP_ERR_ENVIRONMENT,
                    "no consumer group holds all %d partitions of topic %s after %.3g s", (int)n, topic,
                    (double)timeout_ns / 1e9);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  }
  sp_kafka_client_close(&client);
  return err;
}
