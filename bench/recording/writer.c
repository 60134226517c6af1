// Writes a recording: records -> hash -> zstd -> a temporary file, which takes the name when it is whole.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "proto/recording.pb-c.h"
#include "recording/recording.h"
#include "recording/wire.h"

// 17 MiB of memory; 12 takes 54 MiB and gains about 2 % of size.
#define LEVEL 9

typedef Servepath__Recording__V1__Record pb_record;
typedef Servepath__Recording__V1__Header pb_header;
typedef Servepath__Recording__V1__Event pb_event;
typedef Servepath__Recording__V1__MessageHeader pb_message_header;
typedef Servepath__Recording__V1__Trailer pb_trailer;

struct sp_recording_writer {
  char *path, *part_path;
  int file;
  ZSTD_CStream *zstd;
  XXH64_state_t *hash;
  uint8_t *record; // the packed record
  size_t record_capacity;
  uint8_t *packed; // what zstd gives
  size_t packed_capacity;
  pb_message_header *headers;
  pb_message_header **header_pointers;
  size_t header_capacity;
  uint64_t n_events, last_offset_ns;
};

static enum sp_err fail_write(const struct sp_recording_writer *writer, struct sp_error *error) {
  const char *remedy = errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                           ? "free some space or write elsewhere"
                           : "check the folder";
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write %s (%s); %s", writer->path, strerror(errno),
                 remedy);
}

static enum sp_err write_all(struct sp_recording_writer *writer, size_t n, struct sp_error *error) {
  for (size_t done = 0; done < n;) {
    ssize_t wrote = write(writer->file, writer->packed + done, n - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_write(writer, error);
    done += (size_t)wrote;
  }
  return SP_OK;
}

static enum sp_err compress(struct sp_recording_writer *writer, const void *data, size_t n,
                            ZSTD_EndDirective mode, struct sp_error *error) {
  ZSTD_inBuffer in = {data, n, 0};
  size_t left;
  do {
    ZSTD_outBuffer out = {writer->packed, writer->packed_capacity, 0};
    left = ZSTD_compressStream2(writer->zstd, &out, &in, mode);
    if (ZSTD_isError(left)) {
      return sp_fail(error, SP_ERR_INTERNAL, "%s: cannot compress (%s)", writer->path,
                     ZSTD_getErrorName(left));
    }
    enum sp_err err = write_all(writer, out.pos, error);
    if (err) return err;
  } while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
  return SP_OK;
}

// Appends one record with its length; a trailer is not part of the hash that it holds.
static enum sp_err put_record(struct sp_recording_writer *writer, const pb_record *record,
                              struct sp_error *error) {
  size_t n = protobuf_c_message_get_packed_size(&record->base);
  if (n > SP_RECORD_BYTES_MAX) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: event %llu: %zu bytes are more than the %zu MiB that a recording may hold",
                   writer->path, (unsigned long long)writer->n_events, n, SP_RECORD_BYTES_MAX >> 20);
  }
  if (n > writer->record_capacity) {
    writer->record_capacity = n + n / 4;
    writer->record = sp_realloc(writer->record, writer->record_capacity);
  }
  protobuf_c_message_pack(&record->base, writer->record);
  uint8_t prefix[SP_VARINT_BYTES_MAX];
  size_t n_prefix = sp_varint_put(prefix, n);
  if (record->record_case != SERVEPATH__RECORDING__V1__RECORD__RECORD_TRAILER) {
    XXH64_update(writer->hash, prefix, n_prefix);
    XXH64_update(writer->hash, writer->record, n);
  }
  enum sp_err err = compress(writer, prefix, n_prefix, ZSTD_e_continue, error);
  return err ? err : compress(writer, writer->record, n, ZSTD_e_continue, error);
}

// Protobuf strings must be UTF-8, or other languages refuse the file. Overlong forms and surrogates are not.
static bool is_utf8(const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at;) {
    uint32_t code = *at;
    int n = code < 0x80 ? 0 : code < 0xc2 ? -1 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : code < 0xf5 ? 3 : -1;
    if (n < 0) return false;
    if (n > 0) code &= 0x3fU >> n;
    at++;
    for (int i = 0; i < n; i++, at++) {
      if ((*at & 0xc0) != 0x80) return false;
      code = code << 6 | (*at & 0x3fU);
    }
    if ((n == 2 && code < 0x800) || (n == 3 && (code < 0x10000 || code > 0x10ffff))) return false;
    if (code >= 0xd800 && code < 0xe000) return false;
  }
  return true;
}

static enum sp_err put_header(struct sp_recording_writer *writer, const struct sp_recording_header *header,
                              struct sp_error *error) {
  pb_header pb = SERVEPATH__RECORDING__V1__HEADER__INIT;
  pb.version = SP_RECORDING_VERSION;
  pb.times_are_real = header->times_are_real;
  pb.start_unix_ns = header->start_unix_ns;
  const struct {
    const char *name, *text;
    char **to;
  } texts[] = {{"name", header->name, &pb.name},
               {"source", header->source, &pb.source},
               {"licence", header->licence, &pb.licence},
               {"note", header->note, &pb.note},
               {"content type", header->content_type, &pb.content_type}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (!texts[i].text) continue;
    if (!is_utf8(texts[i].text)) {
      return sp_fail(error, SP_ERR_USAGE, "%s: its %s is not UTF-8; write it in UTF-8", writer->path,
                     texts[i].name);
    }
    *texts[i].to = (char *)(uintptr_t)texts[i].text; // only read
  }
  pb_record record = SERVEPATH__RECORDING__V1__RECORD__INIT;
  record.record_case = SERVEPATH__RECORDING__V1__RECORD__RECORD_HEADER;
  record.header = &pb;
  return put_record(writer, &record, error);
}

// A name of its own beside the final one, so that two imports to one name do not mix.
static enum sp_err open_part(struct sp_recording_writer *writer, struct sp_error *error) {
  for (int i = 0; i < 100; i++) {
    free(writer->part_path);
    writer->part_path = sp_format("%s.%ld-%d.part", writer->path, (long)getpid(), i);
    writer->file = open(writer->part_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer->file >= 0 || errno != EEXIST) break;
  }
  if (writer->file >= 0) return SP_OK;
  free(writer->part_path);
  writer->part_path = NULL;
  return fail_write(writer, error);
}

static void writer_free(struct sp_recording_writer *writer) {
  if (writer->file >= 0) close(writer->file);
  if (writer->part_path) unlink(writer->part_path);
  ZSTD_freeCStream(writer->zstd);
  XXH64_freeState(writer->hash);
  free(writer->record);
  free(writer->packed);
  free(writer->headers);
  free(writer->header_pointers);
  free(writer->part_path);
  free(writer->path);
  free(writer);
}

enum sp_err sp_recording_writer_new(const char *path, const struct sp_recording_header *header,
                                    struct sp_recording_writer **out, struct sp_error *error) {
  struct sp_recording_writer *writer = sp_alloc(sizeof *writer);
  *writer = (struct sp_recording_writer){.path = sp_copy_text(path), .file = -1};
  *out = NULL;
  enum sp_err err = open_part(writer, error);
  if (err) goto out;
  writer->zstd = ZSTD_createCStream();
  writer->hash = XXH64_createState();
  SP_ASSERT(writer->zstd && writer->hash && XXH64_reset(writer->hash, 0) == XXH_OK);
  ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
  ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
  writer->packed_capacity = ZSTD_CStreamOutSize();
  writer->packed = sp_alloc(writer->packed_capacity);
  err = put_header(writer, header, error);
  if (err) goto out;
  *out = writer;
  return SP_OK;
out:
  writer_free(writer);
  return err;
}

static void grow_headers(struct sp_recording_writer *writer, size_t n) {
  if (n <= writer->header_capacity) return;
  writer->header_capacity = n;
  writer->headers = sp_realloc(writer->headers, n * sizeof *writer->headers);
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
  writer->header_pointers = sp_realloc(writer->header_pointers, n * sizeof *writer->header_pointers);
}

static ProtobufCBinaryData borrow(struct sp_bytes bytes) {
  return (ProtobufCBinaryData){bytes.n, (uint8_t *)(uintptr_t)bytes.data}; // only read
}

static enum sp_err set_headers(struct sp_recording_writer *writer, const struct sp_event *event, pb_event *pb,
                               struct sp_error *error) {
  if (event->n_headers > SP_RECORD_HEADERS_MAX) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: event %llu: %zu headers are more than the %d that a recording may hold", writer->path,
                   (unsigned long long)writer->n_events, event->n_headers, SP_RECORD_HEADERS_MAX);
  }
  static const pb_message_header empty = SERVEPATH__RECORDING__V1__MESSAGE_HEADER__INIT;
  grow_headers(writer, event->n_headers);
  for (size_t i = 0; i < event->n_headers; i++) {
    const struct sp_header_field *field = &event->headers[i];
    if (!is_utf8(field->name)) {
      return sp_fail(error, SP_ERR_USAGE, "%s: event %llu: the name of header %zu is not UTF-8", writer->path,
                     (unsigned long long)writer->n_events, i);
    }
    pb_message_header *header = &writer->headers[i];
    *header = empty;
    header->name = (char *)(uintptr_t)field->name; // only read
    if (field->value.data) {
      header->value_or_none_case = SERVEPATH__RECORDING__V1__MESSAGE_HEADER__VALUE_OR_NONE_VALUE;
      header->value = borrow(field->value);
    }
    writer->header_pointers[i] = header;
  }
  pb->n_headers = event->n_headers;
  pb->headers = writer->header_pointers;
  return SP_OK;
}

enum sp_err sp_recording_writer_add(struct sp_recording_writer *writer, const struct sp_event *event,
                                    struct sp_error *error) {
  if (event->offset_ns < writer->last_offset_ns) {
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: event %llu: its offset, %llu ns, lies before that of the event before it, %llu ns; "
                   "write events in time order",
                   writer->path, (unsigned long long)writer->n_events, (unsigned long long)event->offset_ns,
                   (unsigned long long)writer->last_offset_ns);
  }
  pb_event pb = SERVEPATH__RECORDING__V1__EVENT__INIT;
  pb.offset_ns = event->offset_ns;
  if (event->key.data) {
    pb.key_or_none_case = SERVEPATH__RECORDING__V1__EVENT__KEY_OR_NONE_KEY;
    pb.key = borrow(event->key);
  }
  if (event->value.data) {
    pb.value_or_none_case = SERVEPATH__RECORDING__V1__EVENT__VALUE_OR_NONE_VALUE;
    pb.value = borrow(event->value);
  }
  enum sp_err err = set_headers(writer, event, &pb, error);
  if (err) return err;
  pb_record record = SERVEPATH__RECORDING__V1__RECORD__INIT;
  record.record_case = SERVEPATH__RECORDING__V1__RECORD__RECORD_EVENT;
  record.event = &pb;
  err = put_record(writer, &record, error);
  if (err) return err;
  writer->n_events++;
  writer->last_offset_ns = event->offset_ns;
  return SP_OK;
}

enum sp_err sp_recording_writer_finish(struct sp_recording_writer *writer, struct sp_error *error) {
  pb_trailer pb = SERVEPATH__RECORDING__V1__TRAILER__INIT;
  pb.n_events = writer->n_events;
  pb.xxh64 = XXH64_digest(writer->hash);
  pb_record record = SERVEPATH__RECORDING__V1__RECORD__INIT;
  record.record_case = SERVEPATH__RECORDING__V1__RECORD__RECORD_TRAILER;
  record.trailer = &pb;
  enum sp_err err = put_record(writer, &record, error);
  if (!err) err = compress(writer, NULL, 0, ZSTD_e_end, error);
  if (!err) {
    // Some file systems report a full disk only here.
    int failed = close(writer->file);
    writer->file = -1;
    if (failed || rename(writer->part_path, writer->path)) {
      err = fail_write(writer, error);
    } else {
      free(writer->part_path);
      writer->part_path = NULL;
    }
  }
  writer_free(writer);
  return err;
}

void sp_recording_writer_abandon(struct sp_recording_writer *writer) {
  if (writer) writer_free(writer);
}
