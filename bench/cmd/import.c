// servepath import: CSV, JSON lines or kcat output to a recording.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"
#include "cmd/data.h"
#include "cmd/verbs.h"
#include "import/import.h"

static const struct sp_option options[] = {
    {"--format", 'f', "FORMAT", "by the file's name", "csv, jsonl or kcat (the lines of kcat -C -J)"},
    {"--output", 'o', "FILE", NULL, "the recording to write, e.g. taxi.sprec"},
    {"--header", 0, NULL, NULL, "csv: the first row names the columns; this is the default"},
    {"--no-header", 0, NULL, NULL, "csv: the first row is an event; columns have numbers, from 1"},
    {"--key", 0, "COLUMN|POINTER", "no key; kcat: /key",
     "the event's key: a column, or a JSON pointer such as /user/id"},
    {"--time", 0, "COLUMN|POINTER", "none; kcat: /ts", "the event's instant"},
    {"--time-unit", 0, "UNIT", "s", "s, ms, us, ns (numbers) or iso8601"},
    {"--columns", 0, "A,B,C", "the whole row",
     "csv: the columns that make the value, in this order, as they stand"},
    {"--value", 0, "POINTER", "the whole line; kcat: /payload",
     "jsonl, kcat: the part of the document that is the value"},
    {"--rate", 0, "RATE", "1000/s",
     "without --time: events spaced evenly; the recording says that times are not real"},
    {"--sort", 0, NULL, NULL, "put rows in time order; takes about the input's size on the output's disk"},
    {"--skip-bad", 0, NULL, NULL,
     "leave out rows that have no such column, no time or no JSON, and count them"},
    {"--limit", 0, "N", "all", "so many events at most: the first, or with --sort the earliest"},
    {"--name", 0, "TEXT", "the output's name", "of the stream"},
    {"--source", 0, "TEXT", "the input's name", "where the events come from"},
    {"--licence", 0, "TEXT", NULL, "of the events, and whom to attribute"},
    {"--note", 0, "TEXT", NULL, "what a reader must know"},
    {"--content-type", 0, "TYPE", "by format", "of the values"},
    {"--json", 0, NULL, NULL, "print what was done as JSON"},
    {0}};
const struct sp_option *const sp_cmd_import_options = options;

struct job {
  struct sp_import_conf conf;
  bool has_format, is_json;
};

static enum sp_err choose(const char *flag, const char *words, const char *value, int *choice,
                          struct sp_error *error) {
  char suggestion[256];
  *choice = sp_words_index(words, value);
  if (*choice >= 0) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s %s is unknown; %s", flag, value,
                 sp_words_suggest(words, value, suggestion, sizeof suggestion));
}

// Texts that are taken as they are.
static bool set_text(struct sp_import_conf *conf, const char *flag, const char *value) {
  const struct {
    const char *flag, **to;
  } texts[] = {{"--output", &conf->output}, {"--key", &conf->key},
               {"--time", &conf->time},     {"--columns", &conf->columns},
               {"--value", &conf->value},   {"--name", &conf->name},
               {"--source", &conf->source}, {"--licence", &conf->licence},
               {"--note", &conf->note},     {"--content-type", &conf->content_type}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (strcmp(texts[i].flag, flag) != 0) continue;
    *texts[i].to = value;
    return true;
  }
  return false;
}

static enum sp_err set_rate(struct sp_import_conf *conf, const char *value, struct sp_error *error) {
  enum sp_err err = sp_units_parse_rate(value, &conf->rate, error);
  if (!err && conf->rate.n == 0)
    return sp_fail(error, SP_ERR_USAGE, "\"%s\" spaces nothing; write 1000/s", value);
  return err;
}

static enum sp_err set_option(void *context, const char *flag, const char *value, struct sp_error *error) {
  struct job *job = context;
  struct sp_import_conf *conf = &job->conf;
  int choice = 0;
  enum sp_err err = SP_OK;
  if (set_text(conf, flag, value)) return SP_OK;
  if (strcmp(flag, "--header") == 0)
    conf->has_header_row = true;
  else if (strcmp(flag, "--no-header") == 0)
    conf->has_header_row = false;
  else if (strcmp(flag, "--sort") == 0)
    conf->sort = true;
  else if (strcmp(flag, "--skip-bad") == 0)
    conf->skip_bad = true;
  else if (strcmp(flag, "--json") == 0)
    job->is_json = true;
  else if (strcmp(flag, "--limit") == 0)
    err = sp_units_parse_count(value, &conf->limit, error);
  else if (strcmp(flag, "--rate") == 0)
    err = set_rate(conf, value, error);
  else if (strcmp(flag, "--format") == 0) {
    err = choose(flag, SP_IMPORT_FORMATS, value, &choice, error);
    conf->format = (enum sp_import_format)choice;
    job->has_format = true;
  } else if (strcmp(flag, "--time-unit") == 0) {
    err = choose(flag, SP_WHEN_UNITS, value, &choice, error);
    conf->time_unit = (enum sp_when_unit)choice;
  }
  if (err && error->text[0] == '"') {
    struct sp_error inner = *error;
    sp_fail(error, SP_ERR_USAGE, "%s: %.900s", flag, inner.text);
  }
  return err;
}

static bool ends_in(const char *text, const char *end) {
  size_t n = strlen(text), n_end = strlen(end);
  return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static enum sp_err check(void *context, const char *input, struct sp_error *error) {
  struct job *job = context;
  struct sp_import_conf *conf = &job->conf;
  if (!conf->output) return sp_fail(error, SP_ERR_USAGE, "say where the recording goes: -o NAME.sprec");
  if (job->has_format) return SP_OK;
  if (ends_in(input, ".csv"))
    conf->format = SP_IMPORT_CSV;
  else if (ends_in(input, ".jsonl") || ends_in(input, ".ndjson"))
    conf->format = SP_IMPORT_JSONL;
  else
    return sp_fail(error, SP_ERR_USAGE,
                   "%s: its name does not say what it is; add --format csv, jsonl or kcat", input);
  return SP_OK;
}

static const struct sp_data_verb verb = {
    .name = "import",
    .use = "FILE|- [--format csv|jsonl|kcat] -o OUT.sprec [OPTIONS]",
    .about = "Makes a recording of a CSV file, JSON lines or kcat output; - reads standard input. Values are "
             "the rows' own\n"
             "bytes, without line ends. Memory stays below 64 MiB for a file of any size.",
    .notes = "Numbers of --time from the year 2000 on count as Unix time. A row ends the import with "
             "FILE:LINE where it cannot\n"
             "be mapped. Exit: 0 done, 3 file unreadable, broken or out of order, 64 usage.",
    .options = options,
    .operand = "file",
    .take = set_option,
    .check = check};

static void print_json(const struct job *job, const struct sp_import_report *report) {
  char format[16];
  printf("{\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"blank_lines\":%" PRIu64 ",\"skipped_rows\":%" PRIu64
         ",\"duration_ns\":%" PRId64 ",\"times_are_real\":%s,\"format\":\"%s\"}\n",
         report->n_events, report->n_bytes, report->n_blank, report->n_skipped, report->duration_ns,
         report->times_are_real ? "true" : "false",
         sp_words_nth(SP_IMPORT_FORMATS, (size_t)job->conf.format, format, sizeof format));
}

static void print_text(const struct job *job, const struct sp_import_report *report) {
  char events[SP_UNITS_TEXT_BYTES], duration[SP_UNITS_TEXT_BYTES], size[SP_UNITS_TEXT_BYTES];
  const struct sp_import_conf *conf = &job->conf;
  fprintf(stderr, "%s: %s events over %s, times %s, from %s\n", conf->output,
          sp_units_print_count(report->n_events, events, sizeof events),
          sp_units_print_duration(report->duration_ns, duration, sizeof duration),
          report->times_are_real ? "real" : "made up",
          sp_units_print_size(report->n_bytes, size, sizeof size));
  if (report->n_blank) fprintf(stderr, "left out: %" PRIu64 " blank lines\n", report->n_blank);
  if (report->n_skipped) {
    fprintf(stderr, "left out: %" PRIu64 " bad rows, the first %s\n", report->n_skipped,
            report->first_skipped);
  }
  fprintf(stderr, "next: servepath inspect %s\n", conf->output);
}

int sp_cmd_import(int argc, char **argv) {
  struct job job = {.conf = {.has_header_row = true}};
  struct sp_error error = {0};
  int code;
  if (!sp_data_read_args(&verb, argc, argv, &job, &job.conf.input, &code)) return code;
  struct sp_data_progress progress;
  sp_data_progress_init(&progress, verb.name);
  job.conf.progress = sp_data_show_progress;
  job.conf.progress_context = &progress;
  job.conf.stop = sp_data_catch_signals();
  struct sp_import_report report;
  enum sp_err err = sp_import(&job.conf, &report, &error);
  sp_live_clear(&progress.live);
  if (err) return sp_data_failed(&verb, &error);
  if (job.is_json) print_json(&job, &report);
  print_text(&job, &report);
  return 0;
}
