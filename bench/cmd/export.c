// servepath export: a recording to CSV, JSON lines or kcat's form.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"
#include "cmd/data.h"
#include "cmd/verbs.h"
#include "import/import.h"

static const struct sp_option options[] = {
    {"--format", 'f', "FORMAT", NULL,
     "csv or jsonl (the values, a row each), or kcat (also keys, headers and times)"},
    {"--output", 'o', "FILE", "standard output", "where the rows go; a file is replaced when all went well"},
    {"--limit", 0, "N", "all", "the first N events"},
    {0}};
const struct sp_option *const sp_cmd_export_options = options;

struct job {
  struct sp_export_conf conf;
  bool has_format;
};

static enum sp_err set_option(void *context, const char *flag, const char *value, struct sp_error *error) {
  struct job *job = context;
  if (strcmp(flag, "--output") == 0) {
    job->conf.output = value;
    return SP_OK;
  }
  if (strcmp(flag, "--limit") == 0) {
    enum sp_err err = sp_units_parse_count(value, &job->conf.limit, error);
    struct sp_error inner = *error;
    return err ? sp_fail(error, SP_ERR_USAGE, "--limit: %.900s", inner.text) : SP_OK;
  }
  char suggestion[256];
  int choice = sp_words_index(SP_IMPORT_FORMATS, value);
  if (choice < 0) {
    return sp_fail(error, SP_ERR_USAGE, "--format %s is unknown; %s", value,
                   sp_words_suggest(SP_IMPORT_FORMATS, value, suggestion, sizeof suggestion));
  }
  job->conf.format = (enum sp_import_format)choice;
  job->has_format = true;
  return SP_OK;
}

static enum sp_err check(void *context, const char *recording, struct sp_error *error) {
  (void)recording;
  const struct job *job = context;
  if (!job->has_format) return sp_fail(error, SP_ERR_USAGE, "say in what form: --format csv, jsonl or kcat");
  return SP_OK;
}

static const struct sp_data_verb verb = {.name = "export",
                                         .use = "FILE.sprec --format csv|jsonl|kcat [-o OUT]",
                                         .about = "Writes a recording's events as rows. What import made of "
                                                  "a file comes out as that file, header row, line ends and\n"
                                                  "byte order mark included; left out are blank lines.",
                                         .notes = "csv and jsonl refuse a value that would not be read back "
                                                  "as it is (a line end outside quotes, a tombstone).\n"
                                                  "kcat: bytes that are not UTF-8 are written as they are, "
                                                  "as kcat does. Exit: 0 done, 3 file broken or not\n"
                                                  "writable, or a value without a form, 64 usage.",
                                         .options = options,
                                         .operand = "recording",
                                         .take = set_option,
                                         .check = check};

int sp_cmd_export(int argc, char **argv) {
  struct job job = {0};
  struct sp_error error = {0};
  int code;
  if (!sp_data_read_args(&verb, argc, argv, &job, &job.conf.input, &code)) return code;
  struct sp_data_progress progress;
  sp_data_progress_init(&progress, verb.name);
  job.conf.progress = sp_data_show_progress;
  job.conf.progress_context = &progress;
  job.conf.stop = sp_data_catch_signals();
  uint64_t n_events;
  enum sp_err err = sp_export(&job.conf, &n_events, &error);
  sp_live_clear(&progress.live);
  if (err) return sp_data_failed(&verb, &error);
  char events[SP_UNITS_TEXT_BYTES], format[16];
  bool to_file = job.conf.output && strcmp(job.conf.output, "-") != 0;
  fprintf(stderr, "%s: %s events\nnext: servepath import %s --format %s -o NAME.sprec\n",
          to_file ? job.conf.output : "standard output",
          sp_units_print_count(n_events, events, sizeof events), to_file ? job.conf.output : "-",
          sp_words_nth(SP_IMPORT_FORMATS, (size_t)job.conf.format, format, sizeof format));
  return 0;
}
