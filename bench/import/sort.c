// External sort of an index into a file of events.
#include "import/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RUN_ENTRIES   ((size_t)256 << 10) // 6 MiB a run
#define BATCH_ENTRIES ((size_t)128)       // read of each run at a time

struct entry {
  int64_t time_ns;
  uint64_t at; // of the event in the file of events: grows as they are added, so it breaks ties
  uint64_t n_bytes;
};

struct run {
  uint64_t next, n_left; // entries still in the file of indexes
  struct entry *batch;
  size_t batch_i, n_batch;
};

struct sp_sorter {
  const char *beside; // borrowed
  FILE *events, *index;
  uint64_t n_event_bytes, n_index_entries;
  struct entry *entries; // the run at hand
  size_t n_entries;
  bool is_merging;
  struct run *runs;                     // while merging: a heap, the earliest first
  size_t n_runs, n_made, runs_capacity; // left to merge; all that there were
  uint8_t *bytes;                       // the event given last
  size_t capacity;
  struct sp_header_field *headers;
  size_t header_capacity;
};

static enum sp_err fail_write(const struct sp_sorter *sorter, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT,
                 "cannot keep rows for sorting beside %s (%s); it takes about the size of the input "
                 "on that disk",
                 sorter->beside, strerror(errno));
}

static FILE *open_unnamed(const char *beside) {
  char *path = sp_format("%s.sort.XXXXXX", beside);
  int file = mkostemp(path, O_CLOEXEC);
  if (file >= 0) unlink(path);
  free(path);
  return file >= 0 ? fdopen(file, "w+b") : NULL;
}

enum sp_err sp_sorter_new(const char *beside, struct sp_sorter **out, struct sp_error *error) {
  struct sp_sorter *sorter = sp_alloc(sizeof *sorter);
  *sorter = (struct sp_sorter){.beside = beside};
  *out = NULL;
  sorter->events = open_unnamed(beside);
  sorter->index = open_unnamed(beside);
  if (!sorter->events || !sorter->index) {
    enum sp_err err = fail_write(sorter, error);
    sp_sorter_free(sorter);
    return err;
  }
  sorter->entries = sp_alloc(RUN_ENTRIES * sizeof *sorter->entries);
  *out = sorter;
  return SP_OK;
}

void sp_sorter_free(struct sp_sorter *sorter) {
  if (!sorter) return;
  if (sorter->events) fclose(sorter->events);
  if (sorter->index) fclose(sorter->index);
  for (size_t i = 0; i < sorter->n_made; i++) free(sorter->runs[i].batch);
  free(sorter->runs);
  free(sorter->entries);
  free(sorter->bytes);
  free(sorter->headers);
  free(sorter);
}

static bool is_before(const struct entry *a, const struct entry *b) {
  return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->at < b->at;
}
static int compare(const void *a, const void *b) {
  return is_before(a, b) ? -1 : is_before(b, a);
}

static void add_run(struct sp_sorter *sorter, struct run run) {
  if (sorter->n_runs == sorter->runs_capacity) {
    sorter->runs_capacity = sorter->runs_capacity ? 2 * sorter->runs_capacity : 16;
    sorter->runs = sp_realloc(sorter->runs, sorter->runs_capacity * sizeof *sorter->runs);
  }
  sorter->runs[sorter->n_runs++] = run;
  sorter->n_made = sorter->n_runs;
}

static enum sp_err end_run(struct sp_sorter *sorter, struct sp_error *error) {
  if (sorter->n_entries == 0) return SP_OK;
  qsort(sorter->entries, sorter->n_entries, sizeof *sorter->entries, compare);
  size_t wrote = fwrite(sorter->entries, sizeof *sorter->entries, sorter->n_entries, sorter->index);
  if (wrote < sorter->n_entries) return fail_write(sorter, error);
  add_run(sorter, (struct run){.next = sorter->n_index_entries, .n_left = sorter->n_entries});
  sorter->n_index_entries += sorter->n_entries;
  sorter->n_entries = 0;
  return SP_OK;
}

// --- An event in the file: length + 1 (0: absent) and bytes of key and value, the number of headers, and for each the
// same of name (with its NUL) and value. ---

static uint64_t put_bytes(struct sp_sorter *sorter, struct sp_bytes bytes) {
  uint64_t length = bytes.data ? bytes.n + 1 : 0;
  fwrite(&length, sizeof length, 1, sorter->events);
  if (bytes.n > 0) fwrite(bytes.data, 1, bytes.n, sorter->events);
  return sizeof length + bytes.n;
}

enum sp_err sp_sorter_add(struct sp_sorter *sorter, int64_t time_ns, const struct sp_event *event,
                          struct sp_error *error) {
  SP_ASSERT(!sorter->is_merging);
  if (sorter->n_entries == RUN_ENTRIES) {
    enum sp_err err = end_run(sorter, error);
    if (err) return err;
  }
  uint64_t n = put_bytes(sorter, event->key);
  n += put_bytes(sorter, event->value);
  uint64_t n_headers = event->n_headers;
  fwrite(&n_headers, sizeof n_headers, 1, sorter->events);
  n += sizeof n_headers;
  for (size_t i = 0; i < event->n_headers; i++) {
    const char *name = event->headers[i].name;
    n += put_bytes(sorter, sp_bytes_of(name, strlen(name) + 1));
    n += put_bytes(sorter, event->headers[i].value);
  }
  if (ferror(sorter->events)) return fail_write(sorter, error);
  sorter->entries[sorter->n_entries++] = (struct entry){time_ns, sorter->n_event_bytes, n};
  sorter->n_event_bytes += n;
  return SP_OK;
}

static uint64_t get_number(const uint8_t **at) {
  uint64_t number;
  memcpy(&number, *at, sizeof number);
  *at += sizeof number;
  return number;
}

static struct sp_bytes get_bytes(const uint8_t **at) {
  uint64_t length = get_number(at);
  if (length == 0) return (struct sp_bytes){0};
  struct sp_bytes bytes = sp_bytes_of(*at, length - 1);
  *at += bytes.n;
  return bytes;
}

static void get_headers(struct sp_sorter *sorter, const uint8_t **at, struct sp_event *event) {
  event->n_headers = get_number(at);
  if (event->n_headers > sorter->header_capacity) {
    sorter->header_capacity = event->n_headers;
    sorter->headers = sp_realloc(sorter->headers, event->n_headers * sizeof *sorter->headers);
  }
  for (size_t i = 0; i < event->n_headers; i++) {
    sorter->headers[i].name = (const char *)get_bytes(at).data;
    sorter->headers[i].value = get_bytes(at);
  }
  event->headers = sorter->headers;
}

// Exactly n bytes of what was written and flushed.
static enum sp_err read_at(struct sp_sorter *sorter, FILE *file, void *bytes, size_t n, uint64_t at,
                           struct sp_error *error) {
  for (size_t done = 0; done < n;) {
    ssize_t got = pread(fileno(file), (uint8_t *)bytes + done, n - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;
    if (got <= 0) {
      return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read back the rows kept beside %s (%s)",
                     sorter->beside, strerror(errno));
    }
    done += (size_t)got;
  }
  return SP_OK;
}

static enum sp_err get_event(struct sp_sorter *sorter, struct entry entry, struct sp_event *event,
                             struct sp_error *error) {
  if (entry.n_bytes > sorter->capacity) {
    sorter->capacity = entry.n_bytes + entry.n_bytes / 4;
    sorter->bytes = sp_realloc(sorter->bytes, sorter->capacity);
  }
  enum sp_err err = read_at(sorter, sorter->events, sorter->bytes, entry.n_bytes, entry.at, error);
  if (err) return err;
  const uint8_t *at = sorter->bytes;
  *event = (struct sp_event){0};
  event->key = get_bytes(&at);
  event->value = get_bytes(&at);
  get_headers(sorter, &at, event);
  return SP_OK;
}

// --- Merging ---

static enum sp_err read_batch(struct sp_sorter *sorter, struct run *run, struct sp_error *error) {
  run->n_batch = run->n_left < BATCH_ENTRIES ? run->n_left : BATCH_ENTRIES;
  run->batch_i = 0;
  enum sp_err err = read_at(sorter, sorter->index, run->batch, run->n_batch * sizeof *run->batch,
                            run->next * sizeof *run->batch, error);
  run->next += run->n_batch;
  run->n_left -= run->n_batch;
  return err;
}

static bool run_is_before(const struct run *a, const struct run *b) {
  return is_before(&a->batch[a->batch_i], &b->batch[b->batch_i]);
}

// Restores the heap below runs[i].
static void sink(struct sp_sorter *sorter, size_t i) {
  struct run *runs = sorter->runs;
  for (;;) {
    size_t first = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < sorter->n_runs; child++) {
      if (run_is_before(&runs[child], &runs[first])) first = child;
    }
    if (first == i) return;
    struct run other = runs[i];
    runs[i] = runs[first];
    runs[first] = other;
    i = first;
  }
}

static enum sp_err start_merging(struct sp_sorter *sorter, struct sp_error *error) {
  enum sp_err err = end_run(sorter, error);
  if (err) return err;
  if (fflush(sorter->events) || fflush(sorter->index)) return fail_write(sorter, error);
  sorter->is_merging = true;
  free(sorter->entries);
  sorter->entries = NULL;
  for (size_t i = 0; i < sorter->n_runs && !err; i++) {
    sorter->runs[i].batch = sp_alloc(BATCH_ENTRIES * sizeof(struct entry));
    err = read_batch(sorter, &sorter->runs[i], error);
  }
  for (size_t i = sorter->n_runs / 2; i-- > 0 && !err;) sink(sorter, i);
  return err;
}

enum sp_err sp_sorter_next(struct sp_sorter *sorter, int64_t *time_ns, struct sp_event *event, bool *end,
                           struct sp_error *error) {
  enum sp_err err = sorter->is_merging ? SP_OK : start_merging(sorter, error);
  if (err) return err;
  *end = sorter->n_runs == 0;
  if (*end) return SP_OK;
  struct run *first = &sorter->runs[0];
  SP_ASSERT(first->batch);
  struct entry entry = first->batch[first->batch_i++];
  if (first->batch_i == first->n_batch && first->n_left > 0) {
    err = read_batch(sorter, first, error);
    if (err) return err;
  } else if (first->batch_i == first->n_batch) {
    struct run ended = *first; // kept behind the others, and freed with them
    *first = sorter->runs[--sorter->n_runs];
    sorter->runs[sorter->n_runs] = ended;
  }
  sink(sorter, 0);
  *time_ns = entry.time_ns;
  return get_event(sorter, entry, event, error);
}
