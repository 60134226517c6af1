// A whole recording in memory: read to its trailer, its bytes in one arena.
#include <stdlib.h>
#include <unistd.h>

#include "recording/arena.h"
#include "recording/header.h"
#include "recording/recording.h"

struct loaded {
  struct sp_recording recording; // first: what callers hold
  struct sp_arena arena;         // keys, values, headers
  size_t capacity;
};

void sp_recording_header_done(struct sp_recording_header *header) {
  free(header->name);
  free(header->source);
  free(header->licence);
  free(header->note);
  free(header->content_type);
  *header = (struct sp_recording_header){0};
}

static void copy_header(struct sp_recording_header *to, const struct sp_recording_header *from) {
  *to = *from;
  to->name = sp_copy_text(from->name);
  to->source = sp_copy_text(from->source);
  to->licence = sp_copy_text(from->licence);
  to->note = sp_copy_text(from->note);
  to->content_type = sp_copy_text(from->content_type);
}

// Half of this machine's memory: a small file may uncompress to any size.
static size_t memory_limit(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  SP_ASSERT(pages > 0 && page_bytes > 0);
  return (size_t)pages / 2 * (size_t)page_bytes;
}

static bool keep_bytes(struct sp_arena *arena, struct sp_bytes *bytes) {
  if (!bytes->data) return true;
  uint8_t *copy = sp_arena_take(arena, bytes->n);
  if (copy) memcpy(copy, bytes->data, bytes->n);
  bytes->data = copy;
  return copy != NULL;
}

static bool keep_headers(struct sp_arena *arena, struct sp_event *event) {
  if (event->n_headers == 0) return true;
  struct sp_header_field *fields = sp_arena_take(arena, event->n_headers * sizeof *fields);
  if (!fields) return false;
  for (size_t i = 0; i < event->n_headers; i++) {
    struct sp_bytes name = sp_bytes_of(event->headers[i].name, strlen(event->headers[i].name) + 1);
    struct sp_bytes value = event->headers[i].value;
    if (!keep_bytes(arena, &name) || !keep_bytes(arena, &value)) return false;
    fields[i] = (struct sp_header_field){(const char *)name.data, value};
  }
  event->headers = fields;
  return true;
}

static bool keep_event(struct loaded *loaded, struct sp_event event) {
  struct sp_recording *recording = &loaded->recording;
  if (recording->n_events == loaded->capacity) {
    loaded->capacity = loaded->capacity ? 2 * loaded->capacity : 1024;
    if (loaded->capacity > memory_limit() / sizeof *recording->events) return false;
    recording->events = sp_realloc(recording->events, loaded->capacity * sizeof *recording->events);
  }
  struct sp_arena *arena = &loaded->arena;
  if (!keep_bytes(arena, &event.key) || !keep_bytes(arena, &event.value) || !keep_headers(arena, &event))
    return false;
  recording->events[recording->n_events++] = event;
  return true;
}

static enum sp_err load_events(const char *path, struct sp_recording_reader *reader, struct loaded *loaded,
                               struct sp_error *error) {
  copy_header(&loaded->recording.header, sp_recording_reader_header(reader));
  for (;;) {
    struct sp_event event;
    bool end;
    enum sp_err err = sp_recording_reader_next(reader, &event, &end, error);
    if (err) return err;
    if (end) break;
    if (keep_event(loaded, event)) continue;
    return sp_fail(error, SP_ERR_ENVIRONMENT,
                   "%s: event %zu: the recording takes more than half of this machine's memory "
                   "(%zu MiB); make a shorter one with servepath export and servepath import --limit",
                   path, loaded->recording.n_events, memory_limit() >> 20);
  }
  if (loaded->recording.n_events > 0) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "%s: the recording holds no events, so there is nothing to replay; import some", path);
}

enum sp_err sp_recording_load(const char *path, struct sp_recording **out, struct sp_error *error) {
  *out = NULL;
  struct sp_recording_reader *reader = NULL;
  enum sp_err err = sp_recording_reader_new(path, &reader, error);
  if (err) return err;
  struct loaded *loaded = sp_alloc(sizeof *loaded);
  sp_arena_init(&loaded->arena, memory_limit());
  err = load_events(path, reader, loaded, error);
  if (!err) err = sp_digest_file(path, loaded->recording.digest, error);
  sp_recording_reader_free(reader);
  if (err) {
    sp_recording_free(&loaded->recording);
    return err;
  }
  *out = &loaded->recording;
  return SP_OK;
}

void sp_recording_free(struct sp_recording *recording) {
  if (!recording) return;
  struct loaded *loaded = (struct loaded *)(void *)recording;
  sp_arena_done(&loaded->arena);
  sp_recording_header_done(&recording->header);
  free(recording->events);
  free(loaded);
}
