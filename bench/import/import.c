// Rows -> mapper -> time order -> recording.
#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "import/csv_type.h"
#include "import/mapper.h"
#include "import/rows.h"
#include "import/sort.h"
#include "recording/recording.h"

#define PROGRESS_EVERY UINT64_C(1024) // events

// Numbers from here on are taken as Unix time: offset 0 then stands for a known instant.
#define UNIX_TIME_FROM_NS (INT64_C(946684800) * SP_NS_PER_S) // the year 2000

struct importing {
  const struct sp_import_conf *conf;
  struct sp_import_report *report;
  struct sp_error *error;
  struct sp_rows *rows;
  struct sp_mapper *mapper;
  struct sp_sorter *sorter;           // NULL: rows come in order
  struct sp_recording_writer *writer; // opened with the first event, whose time the header needs
  struct sp_rate rate;
  int64_t first_ns, last_ns;
  uint64_t n_taken; // rows mapped
};

// What stands before the last dot behind the last slash.
static char *stem_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *stem = sp_copy_text(slash ? slash + 1 : path);
  char *dot = strrchr(stem, '.');
  if (dot && dot > stem) *dot = '\0';
  return stem;
}

static char *content_type_of(const struct importing *importing) {
  const struct sp_import_conf *conf = importing->conf;
  if (conf->content_type) return sp_copy_text(conf->content_type);
  if (conf->format == SP_IMPORT_KCAT) return sp_copy_text("application/octet-stream");
  if (conf->format == SP_IMPORT_JSONL) return sp_copy_text(conf->value ? "text/plain" : "application/json");
  struct sp_csv_type type = {
      .header = sp_mapper_header_row(importing->mapper),
      .ends_in_crlf = sp_rows_end_in_crlf(importing->rows),
      .has_mark = sp_rows_had_mark(importing->rows),
  };
  type.has_header = type.header.data != NULL;
  return sp_csv_type_write(&type);
}

static char *note_of(const struct importing *importing) {
  const char *note = importing->conf->note;
  if (sp_mapper_has_times(importing->mapper)) return sp_copy_text(note ? note : "");
  return sp_format("%s%sTimes are made up: the events are spaced evenly.", note ? note : "", note ? " " : "");
}

static enum sp_err open_writer(struct importing *importing, int64_t first_ns) {
  const struct sp_import_conf *conf = importing->conf;
  const char *slash = strrchr(conf->input, '/');
  const char *file = strcmp(conf->input, "-") == 0 ? "standard input" : slash ? slash + 1 : conf->input;
  bool has_times = sp_mapper_has_times(importing->mapper);
  bool is_unix = conf->time_unit == SP_WHEN_ISO8601 || first_ns >= UNIX_TIME_FROM_NS;
  char *name = conf->name ? sp_copy_text(conf->name) : stem_of(conf->output);
  char *note = note_of(importing), *content_type = content_type_of(importing);
  struct sp_recording_header header = {
      .name = name,
      .source = (char *)(uintptr_t)(conf->source ? conf->source : file), // only read
      .licence = (char *)(uintptr_t)(conf->licence ? conf->licence : ""),
      .note = note,
      .content_type = content_type,
      .times_are_real = has_times,
      .start_unix_ns = has_times && is_unix ? first_ns : 0,
  };
  enum sp_err err = sp_recording_writer_new(conf->output, &header, &importing->writer, importing->error);
  free(name);
  free(note);
  free(content_type);
  return err;
}

static enum sp_err write_event(struct importing *importing, int64_t time_ns, struct sp_event *event) {
  if (!importing->writer) {
    enum sp_err err = open_writer(importing, time_ns);
    if (err) return err;
    importing->first_ns = time_ns;
  }
  event->offset_ns = (uint64_t)time_ns - (uint64_t)importing->first_ns;
  enum sp_err err = sp_recording_writer_add(importing->writer, event, importing->error);
  if (err) return err;
  importing->report->n_events++;
  importing->report->duration_ns = (int64_t)event->offset_ns;
  return SP_OK;
}

// k / rate, exactly; SP_ERR_USAGE beyond int64.
static enum sp_err even_time(const struct importing *importing, uint64_t k, int64_t *time_ns) {
  __extension__ unsigned __int128 ns = (unsigned __int128)k * importing->rate.per_ns / importing->rate.n;
  if (ns > INT64_MAX) {
    return sp_fail(importing->error, SP_ERR_USAGE,
                   "--rate: event %llu would lie beyond 292 years; give a higher rate",
                   (unsigned long long)k);
  }
  *time_ns = (int64_t)ns;
  return SP_OK;
}

static enum sp_err bad_row(const struct importing *importing, struct sp_row row, const char *why) {
  struct sp_import_report *report = importing->report;
  if (!importing->conf->skip_bad) {
    return sp_fail(importing->error, SP_ERR_ENVIRONMENT,
                   "%s:%llu: %s; mend the row, or leave such rows out with --skip-bad",
                   sp_rows_name(importing->rows), (unsigned long long)row.line_number, why);
  }
  if (report->n_skipped++ == 0) {
    struct sp_error printable;
    sp_fail(&printable, SP_OK, "line %llu: %s", (unsigned long long)row.line_number, why);
    snprintf(report->first_skipped, sizeof report->first_skipped, "%.*s",
             (int)sizeof report->first_skipped - 1, printable.text);
  }
  return SP_OK;
}

static enum sp_err take_row(struct importing *importing, struct sp_row row) {
  struct sp_event event;
  int64_t time_ns = 0;
  char why[SP_MAPPER_WHY_BYTES];
  if (!sp_mapper_map(importing->mapper, row, &event, &time_ns, why)) return bad_row(importing, row, why);
  if (!sp_mapper_has_times(importing->mapper)) {
    enum sp_err err = even_time(importing, importing->n_taken, &time_ns);
    if (err) return err;
  }
  if (importing->sorter) {
    importing->n_taken++;
    return sp_sorter_add(importing->sorter, time_ns, &event, importing->error);
  }
  if (importing->n_taken > 0 && time_ns < importing->last_ns) {
    return sp_fail(importing->error, SP_ERR_ENVIRONMENT,
                   "%s:%llu: event %llu lies %.9g s before the one in front of it; add --sort",
                   sp_rows_name(importing->rows), (unsigned long long)row.line_number,
                   (unsigned long long)importing->n_taken,
                   ((double)importing->last_ns - (double)time_ns) / (double)SP_NS_PER_S);
  }
  importing->last_ns = time_ns;
  importing->n_taken++;
  return write_event(importing, time_ns, &event);
}

static void say_progress(const struct importing *importing) {
  if (!importing->conf->progress) return;
  importing->conf->progress(importing->conf->progress_context, sp_rows_n_bytes(importing->rows),
                            sp_rows_file_bytes(importing->rows), importing->n_taken);
}

static enum sp_err take_rows(struct importing *importing) {
  uint64_t limit = importing->conf->limit;
  // A limit on sorted events means the earliest ones, so that all rows must be seen.
  while (limit == 0 || importing->sorter || importing->n_taken < limit) {
    struct sp_row row;
    bool end;
    enum sp_err err = sp_rows_next(importing->rows, &row, &end, importing->error);
    if (err || end) return err;
    err = take_row(importing, row);
    if (err) return err;
    if (importing->n_taken % PROGRESS_EVERY == 0) say_progress(importing);
  }
  return SP_OK;
}

static enum sp_err write_sorted(struct importing *importing) {
  uint64_t limit = importing->conf->limit;
  const volatile sig_atomic_t *stop = importing->conf->stop;
  while (limit == 0 || importing->report->n_events < limit) {
    int64_t time_ns;
    struct sp_event event;
    bool end;
    enum sp_err err = sp_sorter_next(importing->sorter, &time_ns, &event, &end, importing->error);
    if (err || end) return err;
    if (stop && *stop) return sp_fail(importing->error, SP_ERR_ENVIRONMENT, "interrupted while sorting");
    err = write_event(importing, time_ns, &event);
    if (err) return err;
    if (importing->report->n_events % PROGRESS_EVERY == 0) say_progress(importing);
  }
  return SP_OK;
}

static enum sp_err finish(struct importing *importing) {
  say_progress(importing);
  if (!importing->writer) {
    return sp_fail(importing->error, SP_ERR_ENVIRONMENT, "%s holds no events%s; nothing was written",
                   sp_rows_name(importing->rows), importing->report->n_skipped ? " that can be mapped" : "");
  }
  struct sp_recording_writer *writer = importing->writer;
  importing->writer = NULL;
  return sp_recording_writer_finish(writer, importing->error);
}

// A rename would put the recording in the place of what it is made of.
static enum sp_err check_output(const struct sp_import_conf *conf, struct sp_error *error) {
  struct stat in, out;
  if (strcmp(conf->input, "-") == 0 || stat(conf->input, &in) || stat(conf->output, &out)) return SP_OK;
  if (S_ISDIR(out.st_mode))
    return sp_fail(error, SP_ERR_USAGE, "%s is a folder; write %s/NAME.sprec", conf->output, conf->output);
  if (in.st_dev != out.st_dev || in.st_ino != out.st_ino) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s is both input and output; choose another -o", conf->output);
}

enum sp_err sp_import(const struct sp_import_conf *conf, struct sp_import_report *report,
                      struct sp_error *error) {
  *report = (struct sp_import_report){0};
  struct importing importing = {.conf = conf, .report = report, .error = error};
  importing.rate = conf->rate.n > 0 ? conf->rate : (struct sp_rate){1000, SP_NS_PER_S};
  enum sp_row_kind kind = conf->format == SP_IMPORT_CSV ? SP_ROWS_CSV : SP_ROWS_LINES;
  enum sp_err err = check_output(conf, error);
  if (!err) err = sp_rows_new(conf->input, kind, conf->stop, &importing.rows, error);
  if (!err) err = sp_mapper_new(conf, importing.rows, &importing.mapper, error);
  if (!err) report->times_are_real = sp_mapper_has_times(importing.mapper);
  if (!err && conf->sort && report->times_are_real)
    err = sp_sorter_new(conf->output, &importing.sorter, error);
  if (!err) err = take_rows(&importing);
  if (!err && importing.sorter) err = write_sorted(&importing);
  if (!err) {
    report->n_bytes = sp_rows_n_bytes(importing.rows);
    report->n_blank = sp_rows_n_blank(importing.rows);
    err = finish(&importing);
  }
  sp_recording_writer_abandon(importing.writer);
  sp_sorter_free(importing.sorter);
  sp_mapper_free(importing.mapper);
  sp_rows_free(importing.rows);
  return err;
}
