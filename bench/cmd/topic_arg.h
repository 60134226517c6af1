// NAME:PARTITIONS on the command lines of broker and topics.
#ifndef SP_CMD_TOPIC_ARG_H
#define SP_CMD_TOPIC_ARG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SP_TOPIC_ARGS_MAX 64

struct sp_topic_arg {
  char name[250];
  uint32_t partitions; // 1 to 10000
};

// Reads `value` into topics[*n] and counts it. SP_ERR_USAGE naming the flag: not of this form, a name that Kafka does not take
// (letters, digits, ".", "_", "-", at most 249), too many of them.
enum sp_err sp_topic_arg_add(const char *flag, const char *value, struct sp_topic_arg *topics, size_t *n,
                             struct sp_error *error);

#endif
