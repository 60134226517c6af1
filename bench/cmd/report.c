// servepath report: stored results as one table, one page, and in the forms of other programs.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/args.h"
#include "base/text_stream.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "report/comparison.h"
#include "report/forms.h"
#include "report/history.h"
#include "report/html.h"

enum { JSON, EXPORT_JSON, EXPORT_MARKDOWN, HTML, BY, CSV, JUNIT, HGRM, HISTORY };
static const struct sp_option options[] = {
    [JSON] = {"--json", 0, NULL, NULL, "print JSON instead of the table"},
    [EXPORT_JSON] = {"--export-json", 0, "FILE", NULL, "write the JSON there"},
    [EXPORT_MARKDOWN] = {"--export-markdown", 0, "FILE", NULL,
                         "write a Markdown report there: table, checks, how to repeat"},
    [HTML] = {"--html", 0, "FILE", NULL, "write a page there: verdict, curves, timeline, cost, validity"},
    [BY] = {"--by", 0, "KEY", NULL,
            "tell rows apart by a tag or key too: branch, rate, batch, build.version"},
    [CSV] = {"--csv", 0, "FILE", NULL, "write a line for each row and metric there"},
    [JUNIT] = {"--junit", 0, "FILE", NULL, "write a case for each bound there, a suite for each row"},
    [HGRM] = {"--hgrm", 0, "DIR|FILE.hgrm", NULL, "write the pooled HdrHistogram table of each row there"},
    [HISTORY] = {"--history", 0, NULL, NULL,
                 "show the history of gates: a file *.jsonl among the operands, or " SP_HISTORY_FILE},
    {0},
};
const struct sp_option *const sp_cmd_report_options = options;

struct request {
  bool is_json, has_history;
  const char *json_file, *markdown_file, *html_file, *csv_file, *junit_file, *hgrm;
  const char *by;
  const char *dir;          // the first, for the next command
  const char *history_file; // NULL: where it stands by itself
};

static void print_use(FILE *to) {
  fputs("servepath report DIR... [OPTIONS]: the results in folders (a run's, a comparison's, or folders of "
        "these) as one "
        "table\n"
        "servepath report --history [FILE.jsonl] [DIR...]: how figures changed from run to run\n",
        to);
  sp_args_print_options(to, options);
}

static void take_option(struct request *request, const struct sp_option *option, const char *value) {
  switch (option - options) {
  case JSON: request->is_json = true; break;
  case EXPORT_JSON: request->json_file = value; break;
  case EXPORT_MARKDOWN: request->markdown_file = value; break;
  case HTML: request->html_file = value; break;
  case BY: request->by = value; break;
  case CSV: request->csv_file = value; break;
  case JUNIT: request->junit_file = value; break;
  case HGRM: request->hgrm = value; break;
  case HISTORY: request->has_history = true; break;
  }
}

static bool is_history_file(const char *path) {
  struct stat about;
  size_t n = strlen(path);
  return n > 6 && strcmp(path + n - 6, ".jsonl") == 0 && stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static enum sp_err take_operand(struct request *request, struct sp_report *report, const char *value,
                                struct sp_error *error) {
  if (is_history_file(value)) {
    if (request->history_file)
      return sp_fail(error, SP_ERR_USAGE, "report: two histories, %s and %s; name one", request->history_file,
                     value);
    request->history_file = value;
    return SP_OK;
  }
  if (!request->dir) request->dir = value;
  return sp_report_add(report, value, error);
}

static enum sp_err check_request(struct request *request, const struct sp_report *report,
                                 struct sp_error *error) {
  if (request->history_file && !request->has_history)
    return sp_fail(error, SP_ERR_USAGE, "report: %s is a history; write report --history %s",
                   request->history_file, request->history_file);
  if (!request->dir && !request->has_history)
    return sp_fail(error, SP_ERR_USAGE, "report: no folder named; try: servepath report results");
  if (!request->history_file) request->history_file = SP_HISTORY_FILE;
  bool has_forms = request->is_json || request->json_file || request->markdown_file || request->csv_file ||
                   request->junit_file || request->hgrm || request->by;
  if (has_forms && report->n_trials == 0)
    return sp_fail(error, SP_ERR_USAGE,
                   "report: only the table and --html show a history alone; name a folder of results too");
  return SP_OK;
}

static enum sp_err read_arguments(struct sp_args *args, struct request *request, struct sp_report *report,
                                  struct sp_error *error) {
  const struct sp_option *option;
  const char *value;
  enum sp_err err = SP_OK;
  while (!err) {
    switch (sp_args_next(args, &option, &value, error)) {
    case SP_ARG_END: return check_request(request, report, error);
    case SP_ARG_HELP: print_use(stdout); exit(0);
    case SP_ARG_ERROR: return error->code;
    case SP_ARG_OPERAND: err = take_operand(request, report, value, error); break;
    case SP_ARG_OPTION: take_option(request, option, value); break;
    }
  }
  return err;
}

// Writes what `fill` prints. SP_OK where no file is wanted.
static enum sp_err write_text(const char *file, void (*fill)(const struct sp_report *report, FILE *to),
                              const struct sp_report *report, struct sp_error *error) {
  if (!file) return SP_OK;
  struct sp_text_stream text;
  fill(report, sp_text_stream_open(&text));
  return sp_printed_export(file, sp_text_stream_close(&text), error);
}

static void fill_json(const struct sp_report *report, FILE *to) {
  char *text = sp_report_json(report);
  fputs(text, to);
  free(text);
}

static void fill_junit(const struct sp_report *report, FILE *to) {
  char *text = sp_report_junit(report);
  fputs(text, to);
  free(text);
}

// Verdicts come before the figures.
static void fill_markdown(const struct sp_report *report, FILE *to) {
  for (size_t i = 0; i < report->n_comparisons; i++) {
    sp_comparison_write_markdown(report->comparisons[i].comparison, to);
    fputc('\n', to);
  }
  sp_report_write_markdown(report, to);
}

static enum sp_err write_hgrm(const struct sp_report *report, const char *to, struct sp_error *error) {
  size_t n_to = strlen(to), n_written = 0;
  bool is_file = n_to > 5 && strcmp(to + n_to - 5, ".hgrm") == 0;
  if (is_file && report->n_rows > 1)
    return sp_fail(error, SP_ERR_USAGE, "report: --hgrm %s is one file for %zu rows; name a folder", to,
                   report->n_rows);
  enum sp_err err = is_file ? SP_OK : sp_files_make_dirs(to, error);
  for (size_t i = 0; !err && i < report->n_rows; i++) {
    char *text, *name = sp_report_hgrm_name(report, i),
                *path = is_file ? sp_copy_text(to) : sp_format("%s/%s", to, name);
    err = sp_report_hgrm(report, i, &text, error);
    if (!err && text) err = sp_files_write(path, sp_bytes_of_text(text), error);
    n_written += !err && text;
    free(text);
    free(path);
    free(name);
  }
  if (!err && n_written == 0)
    err = sp_fail(error, SP_ERR_ENVIRONMENT,
                  "report: no row has times to write to %s; time means nothing over the mock broker", to);
  return err;
}

// The title of the page: what was asked for.
static enum sp_err write_page(const struct request *request, const struct sp_report *report,
                              const struct sp_history *history, struct sp_error *error) {
  char *history_json = request->has_history ? sp_report_history_json(history) : NULL;
  char *title =
      report->n_rows ? sp_format("servepath: %s", report->rows[0].name) : sp_copy_text("servepath: history");
  bool is_one_case = true;
  for (size_t i = 1; i < report->n_rows; i++)
    is_one_case &= strcmp(report->rows[i].name, report->rows[0].name) == 0;
  struct sp_html html = {
      .title = is_one_case ? title : "servepath report", .report = report, .history_json = history_json};
  struct sp_text_stream page;
  enum sp_err err = sp_html_write(&html, sp_text_stream_open(&page), error);
  char *text = sp_text_stream_close(&page);
  if (err)
    free(text);
  else
    err = sp_printed_export(request->html_file, text, error);
  free(title);
  free(history_json);
  return err;
}

static enum sp_err write_files(const struct request *request, const struct sp_report *report,
                               const struct sp_history *history, struct sp_error *error) {
  enum sp_err err = write_text(request->json_file, fill_json, report, error);
  if (!err) err = write_text(request->markdown_file, fill_markdown, report, error);
  if (!err) err = write_text(request->csv_file, sp_report_write_csv, report, error);
  if (!err) err = write_text(request->junit_file, fill_junit, report, error);
  if (!err && request->hgrm) err = write_hgrm(report, request->hgrm, error);
  if (!err && request->html_file) err = write_page(request, report, history, error);
  return err;
}

static enum sp_err print(const struct request *request, const struct sp_report *report,
                         const struct sp_history *history, struct sp_error *error) {
  if (request->is_json) {
    fill_json(report, stdout);
  } else {
    for (size_t i = 0; i < report->n_comparisons; i++) {
      sp_comparison_print(report->comparisons[i].comparison, stdout);
      fputc('\n', stdout);
    }
    if (report->n_trials) sp_report_print(report, stdout);
    if (report->n_trials && request->has_history) fputc('\n', stdout);
    if (request->has_history) sp_report_history_print(history, stdout);
  }
  return sp_printed(error);
}

static void print_next(const struct request *request, const struct sp_report *report) {
  if (request->html_file)
    fprintf(stderr, "next: open %s in a browser\n", request->html_file);
  else if (request->dir)
    fprintf(stderr, "next: servepath report %s%s --html report.html\n",
            request->has_history ? "--history " : "", request->dir);
  else if (report->n_trials == 0)
    fprintf(stderr, "next: servepath report --history %s --html history.html\n", request->history_file);
}

int sp_cmd_report(int argc, char **argv) {
  struct request request = {0};
  struct sp_report report = {0};
  struct sp_history history = {0};
  struct sp_error error = {0};
  struct sp_args args = sp_args_of("report", argc, argv, options);
  enum sp_err err = read_arguments(&args, &request, &report, &error);
  if (!err && request.has_history) err = sp_history_read(request.history_file, &history, &error);
  if (!err) {
    report.by = request.by;
    sp_report_group(&report);
    err = write_files(&request, &report, &history, &error);
  }
  if (!err) err = print(&request, &report, &history, &error);
  if (err)
    fprintf(stderr, "servepath: %s\n", error.text);
  else
    print_next(&request, &report);
  sp_history_done(&history);
  sp_report_done(&report);
  return sp_exit_code(err);
}
