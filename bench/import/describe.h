// What a recording holds, in one pass and bounded memory. One thread.
#ifndef SP_IMPORT_DESCRIBE_H
#define SP_IMPORT_DESCRIBE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define SP_DESCRIBE_KEYS_MAX   (UINT64_C(1) << 20) // more distinct keys are not told apart
#define SP_DESCRIBE_EVENTS_MAX 20

struct sp_described_event {
  uint64_t offset_ns;
  char *key;   // printable, cut; NULL: none
  char *value; // printable, cut; NULL: a tombstone
  uint64_t n_value_bytes;
  size_t n_headers;
};

struct sp_description {
  char *name, *source, *licence, *note, *content_type; // printable
  bool times_are_real;
  int64_t start_unix_ns; // 0: unknown
  char digest[SP_DIGEST_TEXT_BYTES];
  uint64_t n_file_bytes;
  uint64_t n_events, n_tombstones, n_with_key, n_headers;
  uint64_t duration_ns;      // from first event to last
  double mean_rate_per_s;    // (events - 1) / duration; NAN where duration is 0
  uint64_t busiest_second_n; // events in the fullest of the seconds counted from the start
  uint64_t busiest_second_i; // the first such
  uint64_t n_keys;           // distinct; at least so many where n_keys_is_bound
  bool n_keys_is_bound;
  uint64_t n_value_bytes; // of all values
  // Of one value, tombstones left out; the median is exact below 64 KiB and within 0.4 % above.
  uint64_t value_bytes_min, value_bytes_median, value_bytes_max;
  struct sp_described_event events[SP_DESCRIBE_EVENTS_MAX]; // the first
  size_t n_described;
};

// Reads the whole recording; a broken one is refused as sp_recording_reader_next does. n_first: how many events to describe,
// at most SP_DESCRIBE_EVENTS_MAX. `stop`: as in import.h.
enum sp_err sp_describe(const char *path, size_t n_first, const volatile sig_atomic_t *stop,
                        struct sp_description **description, struct sp_error *error);
void sp_description_free(struct sp_description *description); // NULL is allowed

#endif
