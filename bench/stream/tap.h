// Reads a live topic from outside of any group, for `servepath record`.
#ifndef SP_STREAM_TAP_H
#define SP_STREAM_TAP_H

#include "stream/kafka.h"

struct sp_tap;
struct sp_tap_start { // where to begin in every partition; all zero: at the end, what comes from now on
  bool from_beginning;
  bool has_offset;
  int64_t offset;  // in each partition
  int64_t time_ms; // first message at or after this time (ms since 1970); 0: not by time
};
struct sp_tap_header {
  const char *name;
  struct sp_bytes value; // data NULL: a null value
};
struct sp_tap_message { // valid until the next call
  int32_t partition;
  int64_t offset;
  int64_t timestamp_ms;       // -1: the message has none
  struct sp_bytes key, value; // data NULL: none, tombstone
  const struct sp_tap_header *headers;
  size_t n_headers;
};
// Reads kafka.input. Errors as sp_kafka_driver_new.
enum sp_err sp_tap_new(const struct sp_kafka_env *env, const struct sp_tap_start *start, struct sp_tap **tap,
                       struct sp_error *error);
// Waits until deadline_ns (CLOCK_MONOTONIC). *message NULL: none came. *at_end: every partition was read to what was its end
// when the tap was made; where that becomes true without a message the call returns at once. SP_ERR_ENVIRONMENT: the topic went away, authorization lost.
enum sp_err sp_tap_next(struct sp_tap *tap, int64_t deadline_ns, const struct sp_tap_message **message,
                        bool *at_end, struct sp_error *error);
void sp_tap_free(struct sp_tap *tap);

#endif
