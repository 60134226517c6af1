// Describes a recording.
#include "import/describe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/printable.h"
#include "recording/recording.h"

#define EXACT_SIZES UINT64_C(65536)
#define SUB_BUCKETS UINT64_C(256) // of each power of two above
#define N_SIZES     (EXACT_SIZES + 48 * SUB_BUCKETS)
#define SHOWN_BYTES 100

struct counting {
  struct sp_description *d;
  uint64_t *keys; // hashes of distinct keys, open addressing, 0: free
  size_t n_slots;
  uint64_t *sizes;             // how many values have this size
  uint64_t second_i, second_n; // the second at hand
};

// Two hashes agree for different keys among a million with a chance of 3 in 10^8: FNV-1a, finished by splitmix64's mixer.
static uint64_t hash_of(struct sp_bytes key) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < key.n; i++) hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
  hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
  hash ^= hash >> 31;
  return hash ? hash : 1;
}

// True if it was not there.
static bool insert(uint64_t *slots, size_t n_slots, uint64_t hash) {
  size_t i = hash & (n_slots - 1);
  for (; slots[i]; i = (i + 1) & (n_slots - 1)) {
    if (slots[i] == hash) return false;
  }
  slots[i] = hash;
  return true;
}

static void count_key(struct counting *counting, struct sp_bytes key) {
  struct sp_description *d = counting->d;
  if (!key.data) return;
  d->n_with_key++;
  if (d->n_keys_is_bound) return;
  if (d->n_keys * 2 >= counting->n_slots) {
    size_t n = counting->n_slots ? 2 * counting->n_slots : 1024;
    uint64_t *keys = sp_alloc(n * sizeof *keys);
    for (size_t i = 0; i < counting->n_slots; i++) {
      if (counting->keys[i]) insert(keys, n, counting->keys[i]);
    }
    free(counting->keys);
    counting->keys = keys;
    counting->n_slots = n;
  }
  if (!insert(counting->keys, counting->n_slots, hash_of(key))) return;
  d->n_keys++;
  d->n_keys_is_bound = d->n_keys >= SP_DESCRIBE_KEYS_MAX;
}

static size_t bucket_of(uint64_t size) {
  if (size < EXACT_SIZES) return (size_t)size;
  unsigned power = 63 - (unsigned)__builtin_clzll(size); // 16 and more
  return (size_t)(EXACT_SIZES + (power - 16) * SUB_BUCKETS + ((size >> (power - 8)) & (SUB_BUCKETS - 1)));
}
static uint64_t size_of(size_t bucket) {
  if (bucket < EXACT_SIZES) return bucket;
  uint64_t power = 16 + (bucket - EXACT_SIZES) / SUB_BUCKETS, part = (bucket - EXACT_SIZES) % SUB_BUCKETS;
  return (SUB_BUCKETS + part) << (power - 8);
}

static void count_value(struct counting *counting, struct sp_bytes value) {
  struct sp_description *d = counting->d;
  if (!value.data) {
    d->n_tombstones++;
    return;
  }
  bool is_first = d->n_events == d->n_tombstones;
  d->n_value_bytes += value.n;
  if (is_first || value.n < d->value_bytes_min) d->value_bytes_min = value.n;
  if (is_first || value.n > d->value_bytes_max) d->value_bytes_max = value.n;
  counting->sizes[bucket_of(value.n)]++;
}

static void count_time(struct counting *counting, uint64_t offset_ns) {
  struct sp_description *d = counting->d;
  uint64_t second_i = offset_ns / (uint64_t)SP_NS_PER_S;
  if (second_i != counting->second_i) counting->second_n = 0;
  counting->second_i = second_i;
  if (++counting->second_n > d->busiest_second_n) {
    d->busiest_second_n = counting->second_n;
    d->busiest_second_i = second_i;
  }
  d->duration_ns = offset_ns;
}

static char *printable_or_null(struct sp_bytes bytes) {
  return bytes.data ? sp_printable(bytes.data, bytes.n, SHOWN_BYTES) : NULL;
}

static void count_event(struct counting *counting, const struct sp_event *event, size_t n_first) {
  struct sp_description *d = counting->d;
  if (d->n_described < n_first) {
    d->events[d->n_described++] = (struct sp_described_event){
        .offset_ns = event->offset_ns,
        .key = printable_or_null(event->key),
        .value = printable_or_null(event->value),
        .n_value_bytes = event->value.n,
        .n_headers = event->n_headers,
    };
  }
  count_key(counting, event->key);
  count_value(counting, event->value);
  count_time(counting, event->offset_ns);
  d->n_headers += event->n_headers;
  d->n_events++;
}

static void take_header(struct sp_description *d, const struct sp_recording_header *header) {
  d->name = sp_printable_text(header->name);
  d->source = sp_printable_text(header->source);
  d->licence = sp_printable_text(header->licence);
  d->note = sp_printable_text(header->note);
  d->content_type = sp_printable_text(header->content_type);
  d->times_are_real = header->times_are_real;
  d->start_unix_ns = header->start_unix_ns;
}

static uint64_t median_of(const uint64_t *sizes, uint64_t n) {
  uint64_t n_seen = 0;
  for (size_t i = 0; i < N_SIZES; i++) {
    n_seen += sizes[i];
    if (n_seen * 2 >= n && n_seen > 0) return size_of(i);
  }
  return 0;
}

static enum sp_err count_events(struct sp_recording_reader *reader, struct counting *counting, size_t n_first,
                                const volatile sig_atomic_t *stop, struct sp_error *error) {
  for (;;) {
    struct sp_event event;
    bool end;
    enum sp_err err = sp_recording_reader_next(reader, &event, &end, error);
    if (err || end) return err;
    if (stop && *stop) return sp_fail(error, SP_ERR_ENVIRONMENT, "interrupted");
    count_event(counting, &event, n_first);
  }
}

enum sp_err sp_describe(const char *path, size_t n_first, const volatile sig_atomic_t *stop,
                        struct sp_description **out, struct sp_error *error) {
  *out = NULL;
  SP_ASSERT(n_first <= SP_DESCRIBE_EVENTS_MAX);
  struct sp_recording_reader *reader = NULL;
  enum sp_err err = sp_recording_reader_new(path, &reader, error);
  if (err) return err;
  struct sp_description *d = sp_alloc(sizeof *d);
  struct counting counting = {.d = d, .sizes = sp_alloc(N_SIZES * sizeof(uint64_t))};
  take_header(d, sp_recording_reader_header(reader));
  err = count_events(reader, &counting, n_first, stop, error);
  if (!err) err = sp_digest_file(path, d->digest, error);
  struct stat facts;
  if (stat(path, &facts) == 0) d->n_file_bytes = (uint64_t)facts.st_size;
  d->value_bytes_median = median_of(counting.sizes, d->n_events - d->n_tombstones);
  d->mean_rate_per_s =
      d->duration_ns > 0 ? (double)(d->n_events - 1) * 1e9 / (double)d->duration_ns : (double)NAN;
  free(counting.keys);
  free(counting.sizes);
  sp_recording_reader_free(reader);
  if (err) {
    sp_description_free(d);
    return err;
  }
  *out = d;
  return SP_OK;
}

void sp_description_free(struct sp_description *d) {
  if (!d) return;
  for (size_t i = 0; i < d->n_described; i++) {
    free(d->events[i].key);
    free(d->events[i].value);
  }
  free(d->name);
  free(d->source);
  free(d->licence);
  free(d->note);
  free(d->content_type);
  free(d);
}
