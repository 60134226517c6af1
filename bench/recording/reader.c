// Reads a recording: file -> zstd -> records, one at a time, trusting no length before its bytes are there.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proto/recording.pb-c.h"
#include "recording/arena.h"
#include "recording/header.h"
#include "recording/recording.h"
#include "recording/wire.h"

#define CHUNK_BYTES ((size_t)128 << 10)

typedef Servepath__Recording__V1__Record pb_record;

struct sp_recording_reader {
  char *path;
  int file;
  ZSTD_DStream *zstd;
  uint8_t *packed;       // a chunk of the file
  ZSTD_inBuffer in;      // what of it zstd has not taken
  uint64_t n_file_bytes; // read so far
  bool file_ended, frame_ended;
  uint8_t *plain; // uncompressed bytes; those in [start, end) are not consumed
  size_t capacity, start, end;
  uint64_t n_plain_bytes; // before the record at hand: the place that messages name
  size_t record_bytes;    // of the record at hand, with its length
  XXH64_state_t *hash;
  struct sp_arena arena; // the unpacked record
  struct sp_recording_header header;
  bool header_read, ended;
  uint64_t n_events, last_offset_ns;
};

static enum sp_err refuse(const struct sp_recording_reader *reader, struct sp_error *error,
                          const char *what) {
  char place[48] = "its header";
  if (reader->header_read) snprintf(place, sizeof place, "event %llu", (unsigned long long)reader->n_events);
  uint64_t file_byte = reader->n_file_bytes - (reader->in.size - reader->in.pos);
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "%s: %s (byte %llu of the uncompressed stream, about byte %llu of the file): %s; "
                 "copy or import it again",
                 reader->path, place, (unsigned long long)reader->n_plain_bytes,
                 (unsigned long long)file_byte, what);
}

static enum sp_err refuse_zstd(const struct sp_recording_reader *reader, struct sp_error *error,
                               size_t code) {
  ZSTD_ErrorCode kind = ZSTD_getErrorCode(code);
  if (kind == ZSTD_error_prefix_unknown && !reader->header_read && reader->end == 0) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s is not a recording: it does not start a Zstandard stream; make one with "
                   "servepath import",
                   reader->path);
  }
  if (kind == ZSTD_error_frameParameter_windowTooLarge) {
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s: compressed with a window above %d MiB; compress it again without --long",
                   reader->path, 1 << (SP_RECORDING_WINDOW_LOG_MAX - 20));
  }
  if (kind == ZSTD_error_memory_allocation) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: no memory to uncompress it; end other programs",
                   reader->path);
  }
  char text[128];
  snprintf(text, sizeof text, "corrupt (%s)", ZSTD_getErrorName(code));
  return refuse(reader, error, text);
}

static enum sp_err read_chunk(struct sp_recording_reader *reader, struct sp_error *error) {
  ssize_t n;
  do {
    n = read(reader->file, reader->packed, CHUNK_BYTES);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", reader->path, strerror(errno));
  reader->in = (ZSTD_inBuffer){reader->packed, (size_t)n, 0};
  reader->n_file_bytes += (uint64_t)n;
  reader->file_ended = n == 0;
  return SP_OK;
}

// Room for n unconsumed bytes at most: the buffer doubles only as bytes arrive, whatever a length says.
static void make_room(struct sp_recording_reader *reader, size_t n) {
  size_t held = reader->end - reader->start;
  if (reader->start > 0) memmove(reader->plain, reader->plain + reader->start, held);
  reader->start = 0;
  reader->end = held;
  if (held < reader->capacity) return;
  size_t wanted = 2 * reader->capacity;
  reader->capacity = wanted < n ? wanted : n;
  reader->plain = sp_realloc(reader->plain, reader->capacity);
}

// At least n unconsumed bytes, or all there are until the end of the stream.
static enum sp_err fill(struct sp_recording_reader *reader, size_t n, struct sp_error *error) {
  while (reader->end - reader->start < n && !reader->frame_ended) {
    if (reader->start + n > reader->capacity) make_room(reader, n);
    if (reader->in.pos == reader->in.size && !reader->file_ended) {
      enum sp_err err = read_chunk(reader, error);
      if (err) return err;
    }
    ZSTD_outBuffer out = {reader->plain, reader->capacity, reader->end};
    size_t in_before = reader->in.pos;
    size_t left = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
    if (ZSTD_isError(left)) return refuse_zstd(reader, error, left);
    bool stuck = reader->in.pos == in_before && out.pos == reader->end;
    reader->end = out.pos;
    reader->frame_ended = left == 0;
    if (left > 0 && stuck && reader->file_ended) {
      return refuse(reader, error,
                    reader->n_file_bytes ? "truncated: the file ends here" : "the file is empty");
    }
  }
  return SP_OK;
}

// The length of the next record; *n_prefix: how many bytes say it.
static enum sp_err read_length(struct sp_recording_reader *reader, size_t *n_record, size_t *n_prefix,
                               struct sp_error *error) {
  uint64_t length = 0;
  for (size_t i = 0; i < 5; i++) {
    enum sp_err err = fill(reader, i + 1, error);
    if (err) return err;
    if (reader->end - reader->start <= i) return refuse(reader, error, "the stream ends without a trailer");
    uint8_t byte = reader->plain[reader->start + i];
    length |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    if (length > SP_RECORD_BYTES_MAX) break;
    *n_record = (size_t)length;
    *n_prefix = i + 1;
    return SP_OK;
  }
  return refuse(reader, error, "a record longer than 64 MiB: corrupt, or not a recording");
}

static void *take_unpacked(void *arena, size_t n) {
  return sp_arena_take(arena, n);
}
static void keep_unpacked(void *arena, void *piece) {
  (void)arena;
  (void)piece;
}

// The next record, in the arena until the following call. Consumes it, and hashes it unless it is the trailer.
static enum sp_err read_record(struct sp_recording_reader *reader, const pb_record **out,
                               struct sp_error *error) {
  reader->n_plain_bytes += reader->record_bytes;
  reader->record_bytes = 0;
  size_t n = 0, n_prefix = 0;
  enum sp_err err = read_length(reader, &n, &n_prefix, error);
  if (!err) err = fill(reader, n_prefix + n, error);
  if (err) return err;
  if (reader->end - reader->start < n_prefix + n)
    return refuse(reader, error, "the stream ends inside a record");
  const uint8_t *bytes = reader->plain + reader->start;
  sp_arena_reset(&reader->arena);
  reader->arena.limit_bytes = 2 * n + SP_RECORD_UNPACK_BYTES;
  ProtobufCAllocator allocator = {take_unpacked, keep_unpacked, &reader->arena};
  const pb_record *record = servepath__recording__v1__record__unpack(&allocator, n, bytes + n_prefix);
  if (!record) return refuse(reader, error, "not a record of this format: corrupt");
  if (record->record_case != SERVEPATH__RECORDING__V1__RECORD__RECORD_TRAILER) {
    XXH64_update(reader->hash, bytes, n_prefix + n);
  }
  *out = record;
  reader->start += n_prefix + n;
  reader->record_bytes = n_prefix + n;
  return SP_OK;
}

static enum sp_err read_header(struct sp_recording_reader *reader, struct sp_error *error) {
  const pb_record *record = NULL;
  enum sp_err err = read_record(reader, &record, error);
  if (err) return err;
  SP_ASSERT(record);
  if (record->record_case != SERVEPATH__RECORDING__V1__RECORD__RECORD_HEADER) {
    return refuse(reader, error, "the first record is no header");
  }
  const Servepath__Recording__V1__Header *pb = record->header;
  if (pb->version != SP_RECORDING_VERSION) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: format version %u; this servepath reads version %d",
                   reader->path, pb->version, SP_RECORDING_VERSION);
  }
  reader->header = (struct sp_recording_header){
      .name = sp_copy_text(pb->name),
      .source = sp_copy_text(pb->source),
      .licence = sp_copy_text(pb->licence),
      .note = sp_copy_text(pb->note),
      .content_type = sp_copy_text(pb->content_type),
      .times_are_real = pb->times_are_real,
      .start_unix_ns = pb->start_unix_ns,
  };
  reader->header_read = true;
  return SP_OK;
}

void sp_recording_reader_free(struct sp_recording_reader *reader) {
  if (!reader) return;
  if (reader->file >= 0) close(reader->file);
  ZSTD_freeDStream(reader->zstd);
  XXH64_freeState(reader->hash);
  sp_arena_done(&reader->arena);
  sp_recording_header_done(&reader->header);
  free(reader->packed);
  free(reader->plain);
  free(reader->path);
  free(reader);
}

enum sp_err sp_recording_reader_new(const char *path, struct sp_recording_reader **out,
                                    struct sp_error *error) {
  *out = NULL;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot open recording %s (%s); servepath import makes one",
                   path, strerror(errno));
  struct sp_recording_reader *reader = sp_alloc(sizeof *reader);
  *reader = (struct sp_recording_reader){.path = sp_copy_text(path), .file = file, .capacity = CHUNK_BYTES};
  reader->packed = sp_alloc(CHUNK_BYTES);
  reader->plain = sp_alloc(reader->capacity);
  sp_arena_init(&reader->arena, SP_RECORD_UNPACK_BYTES);
  reader->zstd = ZSTD_createDStream();
  reader->hash = XXH64_createState();
  SP_ASSERT(reader->zstd && reader->hash && XXH64_reset(reader->hash, 0) == XXH_OK);
  ZSTD_DCtx_setParameter(reader->zstd, ZSTD_d_windowLogMax, SP_RECORDING_WINDOW_LOG_MAX);
  enum sp_err err = read_header(reader, error);
  if (err) {
    sp_recording_reader_free(reader);
    return err;
  }
  *out = reader;
  return SP_OK;
}

const struct sp_recording_header *sp_recording_reader_header(const struct sp_recording_reader *reader) {
  return &reader->header;
}

// Nothing may follow the trailer, in the stream or in the file; the end of the stream also checks zstd's own sum.
static enum sp_err read_trailer(struct sp_recording_reader *reader,
                                const Servepath__Recording__V1__Trailer *pb, struct sp_error *error) {
  char text[128];
  if (pb->n_events != reader->n_events) {
    snprintf(text, sizeof text, "corrupt: the trailer counts %llu events", (unsigned long long)pb->n_events);
    return refuse(reader, error, text);
  }
  if (pb->xxh64 != XXH64_digest(reader->hash))
    return refuse(reader, error, "corrupt: the trailer's xxHash differs");
  enum sp_err err = fill(reader, 1, error);
  if (err) return err;
  if (reader->end > reader->start) return refuse(reader, error, "corrupt: bytes follow the trailer");
  if (reader->in.pos == reader->in.size && !reader->file_ended) err = read_chunk(reader, error);
  if (err) return err;
  if (reader->in.pos < reader->in.size)
    return refuse(reader, error, "corrupt: bytes follow the Zstandard stream");
  reader->ended = true;
  return SP_OK;
}

// Empty bytes are present: their pointer must not be NULL.
static struct sp_bytes give_bytes(ProtobufCBinaryData data) {
  return sp_bytes_of(data.len > 0 ? (const void *)data.data : "", data.len);
}

static enum sp_err give_event(struct sp_recording_reader *reader, const Servepath__Recording__V1__Event *pb,
                              struct sp_event *event, struct sp_error *error) {
  if (pb->offset_ns < reader->last_offset_ns)
    return refuse(reader, error, "corrupt: its offset lies before the last one");
  struct sp_header_field *fields = NULL;
  if (pb->n_headers > 0) {
    fields = sp_arena_take(&reader->arena, pb->n_headers * sizeof *fields);
    if (!fields) return refuse(reader, error, "its message headers take too much memory");
  }
  for (size_t i = 0; i < pb->n_headers; i++) {
    const Servepath__Recording__V1__MessageHeader *header = pb->headers[i];
    bool has_value =
        header->value_or_none_case == SERVEPATH__RECORDING__V1__MESSAGE_HEADER__VALUE_OR_NONE_VALUE;
    fields[i].name = header->name;
    fields[i].value = has_value ? give_bytes(header->value) : (struct sp_bytes){0};
  }
  bool has_key = pb->key_or_none_case == SERVEPATH__RECORDING__V1__EVENT__KEY_OR_NONE_KEY;
  bool has_value = pb->value_or_none_case == SERVEPATH__RECORDING__V1__EVENT__VALUE_OR_NONE_VALUE;
  *event = (struct sp_event){
      .offset_ns = pb->offset_ns,
      .key = has_key ? give_bytes(pb->key) : (struct sp_bytes){0},
      .value = has_value ? give_bytes(pb->value) : (struct sp_bytes){0},
      .headers = fields,
      .n_headers = pb->n_headers,
  };
  reader->last_offset_ns = pb->offset_ns;
  reader->n_events++;
  return SP_OK;
}

enum sp_err sp_recording_reader_next(struct sp_recording_reader *reader, struct sp_event *event, bool *end,
                                     struct sp_error *error) {
  *event = (struct sp_event){0};
  *end = reader->ended;
  if (reader->ended) return SP_OK;
  const pb_record *record = NULL;
  enum sp_err err = read_record(reader, &record, error);
  if (err) return err;
  SP_ASSERT(record);
  switch (record->record_case) {
  case SERVEPATH__RECORDING__V1__RECORD__RECORD_EVENT: return give_event(reader, record->event, event, error);
  case SERVEPATH__RECORDING__V1__RECORD__RECORD_TRAILER:
    err = read_trailer(reader, record->trailer, error);
    *end = !err;
    return err;
  default: return refuse(reader, error, "neither an event nor the trailer");
  }
}
