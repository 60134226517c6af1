// servepath report: stored results as one table.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "report/report.h"

static const struct sp_option options[] = {
    {"--json", 0, NULL, NULL, "print JSON instead of the table"},
    {"--export-json", 0, "FILE", NULL, "write the JSON there"},
    {"--export-markdown", 0, "FILE", NULL, "write a Markdown report there: table, checks, how to repeat"},
    {0},
};

struct request {
  bool is_json;
  const char *json_file, *markdown_file;
  const char *dir; // the first, for the next command
};

static void print_use(FILE *to) {
  fputs("servepath report DIR... [OPTIONS]: the results in folders (a run's, or folders of runs) as one "
        "table\n",
        to);
  sp_args_print_options(to, options);
}

static enum sp_err read_arguments(struct sp_args *args, struct request *request, struct sp_report *report,
                                  struct sp_error *error) {
  const struct sp_option *option;
  const char *value;
  enum sp_err err = SP_OK;
  while (!err) {
    switch (sp_args_next(args, &option, &value, error)) {
    case SP_ARG_END:
      return request->dir
                 ? SP_OK
                 : sp_fail(error, SP_ERR_USAGE, "report: no folder named; try: servepath report results");
    case SP_ARG_HELP: print_use(stdout); exit(0);
    case SP_ARG_ERROR: return error->code;
    case SP_ARG_OPERAND:
      if (!request->dir) request->dir = value;
      err = sp_report_add(report, value, error);
      break;
    case SP_ARG_OPTION:
      if (option == &options[0]) request->is_json = true;
      if (option == &options[1]) request->json_file = value;
      if (option == &options[2]) request->markdown_file = value;
      break;
    }
  }
  return err;
}

static enum sp_err write_files(const struct request *request, const struct sp_report *report,
                               struct sp_error *error) {
  enum sp_err err = SP_OK;
  if (request->json_file) {
    char *text = sp_report_json(report);
    err = sp_files_write(request->json_file, sp_bytes_of_text(text), error);
    free(text);
  }
  if (!err && request->markdown_file) {
    char *text = NULL;
    size_t n_text = 0;
    FILE *memory = open_memstream(&text, &n_text);
    SP_ASSERT(memory);
    sp_report_write_markdown(report, memory);
    SP_ASSERT(fclose(memory) == 0);
    err = sp_files_write(request->markdown_file, sp_bytes_of(text, n_text), error);
    free(text);
  }
  return err;
}

static enum sp_err print(const struct request *request, const struct sp_report *report,
                         struct sp_error *error) {
  if (request->is_json) {
    char *text = sp_report_json(report);
    fputs(text, stdout);
    free(text);
  } else {
    sp_report_print(report, stdout);
  }
  if (fflush(stdout) == 0) return SP_OK;
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot write to stdout (%s)", strerror(errno));
}

static void print_next(const struct request *request, const struct sp_report *report) {
  if (request->markdown_file)
    fprintf(stderr, "next: servepath inspect %s\n", report->trials[0].dir);
  else
    fprintf(stderr, "next: servepath report %s --export-markdown report.md\n", request->dir);
}

int sp_cmd_report(int argc, char **argv) {
  struct request request = {0};
  struct sp_report report = {0};
  struct sp_error error = {0};
  struct sp_args args = sp_args_of("report", argc, argv, options);
  enum sp_err err = read_arguments(&args, &request, &report, &error);
  if (!err) {
    sp_report_group(&report);
    err = write_files(&request, &report, &error);
  }
  if (!err) err = print(&request, &report, &error);
  if (err)
    fprintf(stderr, "servepath: %s\n", error.text);
  else
    print_next(&request, &report);
  sp_report_done(&report);
  return sp_exit_code(err);
}
