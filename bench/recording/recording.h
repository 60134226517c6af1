// The recording format of proto/recording.proto: streaming writer and reader, and a whole recording in memory for replay.
#ifndef SP_RECORDING_RECORDING_H
#define SP_RECORDING_RECORDING_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"

struct sp_recording_header {
  char *name, *source, *licence, *note, *content_type; // never NULL after reading
  bool times_are_real;
  int64_t start_unix_ns;
};
struct sp_header_field {
  const char *name;
  struct sp_bytes value;
};
struct sp_event {
  uint64_t offset_ns;    // from the recording's start, never decreasing
  struct sp_bytes key;   // data NULL: no key
  struct sp_bytes value; // data NULL: a tombstone
  const struct sp_header_field *headers;
  size_t n_headers;
};

// Writing, one event at a time; the file appears under its name only when finished (a temporary beside it until then).
struct sp_recording_writer;
enum sp_err sp_recording_writer_new(const char *path, const struct sp_recording_header *header,
                                    struct sp_recording_writer **writer, struct sp_error *error);
// SP_ERR_USAGE if offsets decrease, a header's name is not UTF-8, or the event is too large (64 MiB, 4,096 headers);
// SP_ERR_ENVIRONMENT if the disk is full: after that only _abandon.
enum sp_err sp_recording_writer_add(struct sp_recording_writer *writer, const struct sp_event *event,
                                    struct sp_error *error);
enum sp_err sp_recording_writer_finish(struct sp_recording_writer *writer, struct sp_error *error); // frees
void sp_recording_writer_abandon(struct sp_recording_writer *writer); // frees, removes

// Reading, one event at a time; memory bounded by the longest event (refused above 64 MiB) and the window of the Zstandard
// stream (refused above 128 MiB; what we write has 4 MiB).
struct sp_recording_reader;
enum sp_err sp_recording_reader_new(const char *path, struct sp_recording_reader **reader,
                                    struct sp_error *error);
const struct sp_recording_header *sp_recording_reader_header(const struct sp_recording_reader *reader);
// *event is valid until the next call. *end: the trailer was read and agrees. A truncated or corrupt file is refused
// (SP_ERR_ENVIRONMENT) with the event's number and the byte offset (of the uncompressed stream, and of the file); after
// that only _free.
enum sp_err sp_recording_reader_next(struct sp_recording_reader *reader, struct sp_event *event, bool *end,
                                     struct sp_error *error);
void sp_recording_reader_free(struct sp_recording_reader *reader);

// A whole recording in memory, verified to its trailer before anything is replayed; at least one event. Refused above half
// of the machine's memory.
struct sp_recording {
  struct sp_recording_header header;
  char digest[SP_DIGEST_TEXT_BYTES]; // of the file
  size_t n_events;
  struct sp_event *events;
};
// Blocks while the file is read. *recording owns all that it points to; threads may share it, for nothing changes it. Errors
// as sp_recording_reader_next.
enum sp_err sp_recording_load(const char *path, struct sp_recording **recording, struct sp_error *error);
void sp_recording_free(struct sp_recording *recording); // NULL is allowed

#endif
