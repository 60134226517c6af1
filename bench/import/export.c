// A recording back to rows.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/csv.h"
#include "import/csv_type.h"
#include "import/import.h"
#include "import/json.h"
#include "import/kcat.h"
#include "recording/recording.h"

#define PROGRESS_EVERY UINT64_C(1024)

struct exporting {
  const struct sp_export_conf *conf;
  struct sp_error *error;
  struct sp_recording_reader *reader;
  struct sp_csv_type csv;
  FILE *to;
  const char *to_name;
  char *part_path; // NULL: standard output
  uint64_t n_events, n_bytes;
};

static enum sp_err fail_write(const struct exporting *exporting) {
  return sp_fail(exporting->error, SP_ERR_ENVIRONMENT,
                 "cannot write %s (%s); check the folder and its free space", exporting->to_name,
                 strerror(errno));
}

static enum sp_err refuse(const struct exporting *exporting, const char *what) {
  return sp_fail(exporting->error, SP_ERR_ENVIRONMENT,
                 "%s: event %llu: %s; take --format kcat, which keeps everything", exporting->conf->input,
                 (unsigned long long)exporting->n_events, what);
}

// Only what would be read back as it is: one row, not empty, whose end is its end.
static enum sp_err check_csv(const struct exporting *exporting, struct sp_bytes value) {
  enum sp_csv_state state = SP_CSV_START;
  if (!value.data) return refuse(exporting, "a tombstone has no form in CSV");
  if (value.n == 0) return refuse(exporting, "an empty value has no form in CSV");
  if (sp_csv_find_end(&state, value.data, value.n) < value.n)
    return refuse(exporting, "a line end outside quotes");
  return state == SP_CSV_IN_QUOTES ? refuse(exporting, "a quote without a partner") : SP_OK;
}

static enum sp_err check_jsonl(const struct exporting *exporting, struct sp_bytes value) {
  struct sp_span json;
  size_t error_at;
  if (!value.data) return refuse(exporting, "a tombstone has no form in JSON lines");
  if (!sp_span_read(value, &json, &error_at)) return refuse(exporting, "not JSON");
  bool has_line_end = memchr(value.data, '\n', value.n) || value.data[value.n - 1] == '\r';
  return has_line_end ? refuse(exporting, "a document of more than one line") : SP_OK;
}

static enum sp_err put_event(struct exporting *exporting, const struct sp_event *event) {
  FILE *to = exporting->to;
  enum sp_err err = SP_OK;
  switch (exporting->conf->format) {
  case SP_IMPORT_CSV: err = check_csv(exporting, event->value); break;
  case SP_IMPORT_JSONL: err = check_jsonl(exporting, event->value); break;
  case SP_IMPORT_KCAT:
    sp_kcat_put(to, sp_recording_reader_header(exporting->reader), event, exporting->n_events);
    break;
  }
  if (err) return err;
  if (exporting->conf->format != SP_IMPORT_KCAT) {
    fwrite(event->value.data, 1, event->value.n, to);
    fputs(exporting->csv.ends_in_crlf ? "\r\n" : "\n", to);
  }
  exporting->n_events++;
  exporting->n_bytes += event->value.n;
  return ferror(to) ? fail_write(exporting) : SP_OK;
}

static enum sp_err put_csv_header(struct exporting *exporting) {
  const struct sp_recording_header *header = sp_recording_reader_header(exporting->reader);
  if (exporting->conf->format != SP_IMPORT_CSV || !sp_csv_type_read(header->content_type, &exporting->csv))
    return SP_OK;
  if (exporting->csv.has_mark) fputs("\xef\xbb\xbf", exporting->to);
  if (exporting->csv.has_header) {
    fwrite(exporting->csv.header.data, 1, exporting->csv.header.n, exporting->to);
    fputs(exporting->csv.ends_in_crlf ? "\r\n" : "\n", exporting->to);
  }
  return ferror(exporting->to) ? fail_write(exporting) : SP_OK;
}

static void say_progress(const struct exporting *exporting) {
  const struct sp_export_conf *conf = exporting->conf;
  if (conf->progress) conf->progress(conf->progress_context, exporting->n_bytes, 0, exporting->n_events);
}

static enum sp_err put_events(struct exporting *exporting) {
  const struct sp_export_conf *conf = exporting->conf;
  while (conf->limit == 0 || exporting->n_events < conf->limit) {
    struct sp_event event;
    bool end;
    enum sp_err err = sp_recording_reader_next(exporting->reader, &event, &end, exporting->error);
    if (err || end) return err;
    if (conf->stop && *conf->stop) return sp_fail(exporting->error, SP_ERR_ENVIRONMENT, "interrupted");
    err = put_event(exporting, &event);
    if (err) return err;
    if (exporting->n_events % PROGRESS_EVERY == 0) say_progress(exporting);
  }
  return SP_OK;
}

static bool is_same_file(const char *a, const char *b) {
  struct stat facts_a, facts_b;
  if (stat(a, &facts_a) || stat(b, &facts_b)) return false;
  return facts_a.st_dev == facts_b.st_dev && facts_a.st_ino == facts_b.st_ino;
}

// A regular file takes its name when it is whole; devices, pipes and standard output are written as they are.
static enum sp_err open_output(struct exporting *exporting) {
  const struct sp_export_conf *conf = exporting->conf;
  if (!conf->output || strcmp(conf->output, "-") == 0) {
    exporting->to_name = "standard output";
    exporting->to = stdout;
    return SP_OK;
  }
  exporting->to_name = conf->output;
  if (is_same_file(conf->input, conf->output)) {
    return sp_fail(exporting->error, SP_ERR_USAGE, "%s is both input and output; choose another -o",
                   conf->output);
  }
  struct stat facts;
  bool is_special = stat(conf->output, &facts) == 0 && !S_ISREG(facts.st_mode);
  if (!is_special) exporting->part_path = sp_format("%s.%ld.part", conf->output, (long)getpid());
  exporting->to = fopen(is_special ? conf->output : exporting->part_path, "wbe");
  return exporting->to ? SP_OK : fail_write(exporting);
}

static enum sp_err close_output(struct exporting *exporting) {
  FILE *to = exporting->to;
  exporting->to = NULL;
  if (to == stdout) return fflush(to) ? fail_write(exporting) : SP_OK;
  if (fclose(to)) return fail_write(exporting);
  if (!exporting->part_path) return SP_OK;
  if (rename(exporting->part_path, exporting->conf->output)) return fail_write(exporting);
  free(exporting->part_path);
  exporting->part_path = NULL;
  return SP_OK;
}

enum sp_err sp_export(const struct sp_export_conf *conf, uint64_t *n_events, struct sp_error *error) {
  struct exporting exporting = {.conf = conf, .error = error};
  enum sp_err err = sp_recording_reader_new(conf->input, &exporting.reader, error);
  if (!err) err = open_output(&exporting);
  if (!err) err = put_csv_header(&exporting);
  if (!err) err = put_events(&exporting);
  if (!err) say_progress(&exporting);
  if (!err) err = close_output(&exporting);
  *n_events = exporting.n_events;
  if (exporting.to && exporting.to != stdout) fclose(exporting.to);
  if (exporting.part_path) unlink(exporting.part_path);
  free(exporting.part_path);
  free((void *)(uintptr_t)exporting.csv.header.data);
  sp_recording_reader_free(exporting.reader);
  return err;
}
