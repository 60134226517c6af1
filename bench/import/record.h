// A live Kafka topic to a recording: keys, values, headers and times as they stand there. Memory is bounded: messages wait in a
// file without a name beside the output and are put in time order at the end (sort.h). One thread, beside librdkafka's.
#ifndef SP_IMPORT_RECORD_H
#define SP_IMPORT_RECORD_H

#include "import/import.h"
#include "import/redact.h"
#include "stream/tap.h"

// What goes in is borrowed for the call; texts may be NULL where nothing is said.
struct sp_record_conf {
  struct sp_kafka_env kafka; // `input` is the topic
  struct sp_tap_start start;
  const char *output; // the recording; replaces an older one when all went well
  bool follows; // goes on behind what was the topic's end when it began; always so where it starts at the end
  uint64_t limit;      // messages at most, as they come; 0: all
  int64_t duration_ns; // from the moment that it listens; 0: no bound
  const struct sp_redaction *redactions;
  size_t n_redactions;
  bool hashes_key;    // keys become pseudonyms (redact.h): equal ones stay equal
  const char *secret; // of the pseudonyms
  const char *name, *source, *licence, *note, *content_type;
  void (*on_listening)(
      void *context); // it has its place in every partition: nothing written from now on is missed
  void *listening_context;
  sp_import_progress *progress;
  void *progress_context;
  const volatile sig_atomic_t *stop; // not zero: takes no more, and writes what it has
};

struct sp_record_report {
  uint64_t n_events, n_bytes; // bytes of keys and values as they came
  uint64_t n_clamped;         // stamped earlier than the one before in their partition: they have its time
  uint64_t n_untimed;         // without a timestamp: they have the time of their arrival here
  uint64_t n_unreadable;      // left out: no JSON, though fields of it must be dropped or hashed
  uint64_t n_own_headers; // left out: sp-id, sp-run, sp-stages, sp-outcome, which a replay would send twice
  uint32_t n_partitions;  // that messages came from
  int64_t duration_ns;    // from first event to last
};

// Blocks until the end of the topic, the limit, the duration or the stop. Events of one partition keep their order. The
// recording's times are the topic's, to the millisecond; they count as real unless some message had none. SP_ERR_ENVIRONMENT as
// sp_tap_new and sp_tap_next, no message came, or the disk; SP_ERR_USAGE: a redaction. On failure no output is left.
enum sp_err sp_record(const struct sp_record_conf *conf, struct sp_record_report *report,
                      struct sp_error *error);

#endif
