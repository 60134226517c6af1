// NAME:PARTITIONS.
#include "cmd/topic_arg.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define PARTITIONS_MAX 10000

enum sp_err sp_topic_arg_add(const char *flag, const char *value, struct sp_topic_arg *topics, size_t *n,
                             struct sp_error *error) {
  if (*n == SP_TOPIC_ARGS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "%s: more than %d topics", flag, SP_TOPIC_ARGS_MAX);
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t n_name = strspn(value, letters);
  uint64_t partitions = 0;
  if (value[n_name] == ':' && sp_units_parse_count(value + n_name + 1, &partitions, NULL)) partitions = 0;
  if (!n_name || n_name >= sizeof topics->name || !partitions || partitions > PARTITIONS_MAX)
    return sp_fail(
        error, SP_ERR_USAGE,
        "%s \"%.260s\": write NAME:PARTITIONS, 1 to %d of them, the name in letters, digits, . _ -", flag,
        value, PARTITIONS_MAX);
  struct sp_topic_arg *topic = &topics[(*n)++];
  snprintf(topic->name, sizeof topic->name, "%.*s", (int)n_name, value);
  topic->partitions = (uint32_t)partitions;
  return SP_OK;
}
