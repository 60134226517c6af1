// tap -> redactor -> time order -> recording.
#include "import/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/printable.h"
#include "import/sort.h"
#include "recording/recording.h"
#include "stream/wire.h"

#define WAIT_NS (100 * SP_NS_PER_MS) // how soon a stop is seen while nothing comes

struct recorder {
  const struct sp_record_conf *conf;
  struct sp_record_report *report;
  struct sp_error *error;
  struct sp_tap *tap;
  struct sp_redactor *redactor;
  struct sp_sorter *sorter;
  int64_t *last_ns; // per partition; INT64_MIN: none yet
  size_t n_last;
  struct sp_header_field *headers;
  char **names; // made printable for the message at hand
  size_t headers_room, n_names;
  struct sp_recording_writer *writer;
};

// --- One message ---

static int64_t unix_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * SP_NS_PER_S + now.tv_nsec;
}

static int64_t *last_of(struct recorder *recorder, int32_t partition) {
  size_t i = (size_t)partition;
  if (i >= recorder->n_last) {
    recorder->last_ns = sp_realloc(recorder->last_ns, (i + 1) * sizeof *recorder->last_ns);
    while (recorder->n_last <= i) recorder->last_ns[recorder->n_last++] = INT64_MIN;
  }
  return &recorder->last_ns[i];
}

// Times of one partition never decrease, so that sorting by time keeps its order.
static int64_t time_of(struct recorder *recorder, const struct sp_tap_message *message) {
  int64_t *last_ns = last_of(recorder, message->partition), time_ns;
  if (*last_ns == INT64_MIN) recorder->report->n_partitions++;
  if (message->timestamp_ms < 0 || message->timestamp_ms > INT64_MAX / SP_NS_PER_MS) {
    recorder->report->n_untimed++;
    time_ns = unix_now_ns();
  } else {
    time_ns = message->timestamp_ms * SP_NS_PER_MS;
  }
  if (time_ns < *last_ns) {
    recorder->report->n_clamped++;
    time_ns = *last_ns;
  }
  return *last_ns = time_ns;
}

static bool is_ours(const char *name) {
  static const char *const ours[] = {SP_HEADER_ID, SP_HEADER_RUN, SP_HEADER_STAGES, SP_HEADER_OUTCOME};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    if (strcmp(name, ours[i]) == 0) return true;
  }
  return false;
}

// Names of headers are UTF-8 in a recording; Kafka does not look.
static const char *name_of(struct recorder *recorder, const char *name) {
  const char *at = name;
  while ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f) at++;
  if (!*at) return name;
  return recorder->names[recorder->n_names++] = sp_printable_text(name);
}

static void free_names(struct recorder *recorder) {
  while (recorder->n_names) free(recorder->names[--recorder->n_names]);
}

static void take_headers(struct recorder *recorder, const struct sp_tap_message *message,
                         struct sp_event *event) {
  free_names(recorder);
  if (message->n_headers > recorder->headers_room) {
    recorder->headers_room = message->n_headers;
    recorder->headers = sp_realloc(recorder->headers, message->n_headers * sizeof *recorder->headers);
    recorder->names = sp_realloc(recorder->names, message->n_headers * sizeof *recorder->names);
  }
  event->headers = recorder->headers;
  for (size_t i = 0; i < message->n_headers; i++) {
    if (is_ours(message->headers[i].name)) {
      recorder->report->n_own_headers++;
      continue;
    }
    recorder->headers[event->n_headers++] =
        (struct sp_header_field){name_of(recorder, message->headers[i].name), message->headers[i].value};
  }
}

static enum sp_err take(struct recorder *recorder, const struct sp_tap_message *message) {
  struct sp_event event = {.key = message->key};
  char pseudonym[SP_PSEUDONYM_TEXT_BYTES];
  if (!sp_redactor_value(recorder->redactor, message->value, &event.value)) {
    recorder->report->n_unreadable++;
    return SP_OK;
  }
  if (recorder->conf->hashes_key && event.key.data) {
    sp_redactor_pseudonym(recorder->redactor, event.key, pseudonym);
    event.key = sp_bytes_of(pseudonym, SP_PSEUDONYM_TEXT_BYTES - 1);
  }
  take_headers(recorder, message, &event);
  recorder->report->n_events++;
  recorder->report->n_bytes += message->key.n + message->value.n;
  return sp_sorter_add(recorder->sorter, time_of(recorder, message), &event, recorder->error);
}

// --- All of them ---

static bool starts_at_end(const struct sp_tap_start *start) {
  return !start->from_beginning && !start->has_offset && !start->time_ms;
}

static enum sp_err listen(struct recorder *recorder) {
  const struct sp_record_conf *conf = recorder->conf;
  const struct sp_record_report *report = recorder->report;
  bool ends_at_end = !conf->follows && !starts_at_end(&conf->start), at_end = false;
  int64_t end_ns = conf->duration_ns ? sp_now_ns() + conf->duration_ns : INT64_MAX;
  while (!(conf->stop && *conf->stop) && !(conf->limit && report->n_events == conf->limit)) {
    int64_t now_ns = sp_now_ns();
    if (now_ns >= end_ns) break;
    const struct sp_tap_message *message;
    int64_t until_ns = end_ns - now_ns > WAIT_NS ? now_ns + WAIT_NS : end_ns;
    enum sp_err err = sp_tap_next(recorder->tap, until_ns, &message, &at_end, recorder->error);
    if (!err && message) err = take(recorder, message);
    if (err) return err;
    if (conf->progress) conf->progress(conf->progress_context, report->n_bytes, 0, report->n_events);
    if (at_end && ends_at_end) break;
  }
  return SP_OK;
}

static char *stem_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *stem = sp_copy_text(slash ? slash + 1 : path);
  char *dot = strrchr(stem, '.');
  if (dot && dot > stem) *dot = '\0';
  return stem;
}

static char *note_of(const struct recorder *recorder) {
  const struct sp_record_conf *conf = recorder->conf;
  const char *note = conf->note ? conf->note : "";
  return sp_format(
      "%s%s%s%s%s", note, *note ? " " : "", "Times are the topic's, to the millisecond.",
      conf->n_redactions || conf->hashes_key
          ? " Fields were dropped or replaced by pseudonyms, which is not anonymous."
          : "",
      recorder->report->n_untimed ? " Some messages had no timestamp: theirs is when they were read." : "");
}

static enum sp_err open_writer(struct recorder *recorder, int64_t first_ns) {
  const struct sp_record_conf *conf = recorder->conf;
  bool is_json = conf->n_redactions && conf->redactions[0].field[0] == '/',
       is_csv = conf->n_redactions && !is_json;
  const char *type = is_json ? "application/json" : is_csv ? "text/csv" : "application/octet-stream";
  char *name = conf->name ? sp_copy_text(conf->name) : stem_of(conf->output), *note = note_of(recorder);
  char *source = conf->source ? sp_copy_text(conf->source) : sp_format("Kafka topic %s", conf->kafka.input);
  struct sp_recording_header header = {
      .name = name,
      .source = source,
      .licence = (char *)(uintptr_t)(conf->licence ? conf->licence : ""), // only read
      .note = note,
      .content_type = (char *)(uintptr_t)(conf->content_type ? conf->content_type : type),
      .times_are_real = recorder->report->n_untimed == 0,
      .start_unix_ns = first_ns,
  };
  enum sp_err err = sp_recording_writer_new(conf->output, &header, &recorder->writer, recorder->error);
  free(name);
  free(note);
  free(source);
  return err;
}

static enum sp_err write_sorted(struct recorder *recorder) {
  int64_t first_ns = 0, time_ns;
  struct sp_event event;
  bool end;
  for (;;) {
    enum sp_err err = sp_sorter_next(recorder->sorter, &time_ns, &event, &end, recorder->error);
    if (err || end) return err;
    if (!recorder->writer) {
      first_ns = time_ns;
      err = open_writer(recorder, first_ns);
    }
    event.offset_ns = (uint64_t)(time_ns - first_ns);
    recorder->report->duration_ns = time_ns - first_ns;
    if (!err) err = sp_recording_writer_add(recorder->writer, &event, recorder->error);
    if (err) return err;
  }
}

static enum sp_err finish(struct recorder *recorder) {
  const struct sp_record_report *report = recorder->report;
  if (report->n_events == 0) {
    return sp_fail(
        recorder->error, SP_ERR_ENVIRONMENT,
        "topic %s: no message to record%s; see whether anything is written to it, or start earlier: "
        "--from beginning",
        recorder->conf->kafka.input, report->n_unreadable ? " (some came that are no JSON)" : "");
  }
  enum sp_err err = write_sorted(recorder);
  if (err) return err;
  struct sp_recording_writer *writer = recorder->writer;
  recorder->writer = NULL;
  return sp_recording_writer_finish(writer, recorder->error);
}

enum sp_err sp_record(const struct sp_record_conf *conf, struct sp_record_report *report,
                      struct sp_error *error) {
  *report = (struct sp_record_report){0};
  struct recorder recorder = {.conf = conf, .report = report, .error = error};
  enum sp_err err =
      sp_redactor_new(conf->redactions, conf->n_redactions, conf->secret, &recorder.redactor, error);
  if (!err) err = sp_sorter_new(conf->output, &recorder.sorter, error);
  if (!err) err = sp_tap_new(&conf->kafka, &conf->start, &recorder.tap, error);
  if (!err && conf->on_listening) conf->on_listening(conf->listening_context);
  if (!err) err = listen(&recorder);
  if (!err) err = finish(&recorder);
  sp_recording_writer_abandon(recorder.writer);
  sp_tap_free(recorder.tap);
  sp_sorter_free(recorder.sorter);
  sp_redactor_free(recorder.redactor);
  free_names(&recorder);
  free(recorder.names);
  free(recorder.headers);
  free(recorder.last_ns);
  return err;
}
