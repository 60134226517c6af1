// servepath merge: the shards of one load as one result.
#include <stdlib.h>

#include "base/args.h"
#include "cmd/verbs.h"
#include "report/report.h"
#include "result/merge.h"
#include "trial/trial.h"

static const struct sp_option options[] = {
    {"--out", 0, "DIR", NULL, "folder of the merged result; needed"},
    {"--json", 0, NULL, NULL, "print JSON instead of the table"},
    {0},
};
const struct sp_option *const sp_cmd_merge_options = options;

struct request {
  const char *out_dir;
  bool is_json;
  const char **folders;
  size_t n_folders;
};

static void print_use(FILE *to) {
  fputs("servepath merge DIR DIR... --out DIR: what `run --shard I/N` wrote, as one result\n", to);
  sp_args_print_options(to, options);
  fputs("next: servepath report OUT\n", to);
}

static enum sp_err read_arguments(struct sp_args *args, struct request *request, struct sp_error *error) {
  const struct sp_option *option;
  const char *value;
  for (;;) {
    switch (sp_args_next(args, &option, &value, error)) {
    case SP_ARG_END:
      if (!request->n_folders || !request->out_dir)
        return sp_fail(
            error, SP_ERR_USAGE,
            "merge: the shards' folders and --out are needed; try: servepath merge s1 s2 --out all");
      return SP_OK;
    case SP_ARG_HELP: print_use(stdout); exit(0);
    case SP_ARG_ERROR: return error->code;
    case SP_ARG_OPERAND:
      request->folders = sp_realloc(request->folders, (request->n_folders + 1) * sizeof *request->folders);
      request->folders[request->n_folders++] = value;
      break;
    case SP_ARG_OPTION:
      if (option == &options[0]) request->out_dir = value;
      if (option == &options[1]) request->is_json = true;
      break;
    }
  }
}

static enum sp_err print(const struct request *request, struct sp_error *error) {
  struct sp_report report = {0};
  enum sp_err err = sp_report_add(&report, request->out_dir, error);
  if (!err) {
    sp_report_group(&report);
    char *json = request->is_json ? sp_report_json(&report) : NULL;
    if (json)
      fputs(json, stdout);
    else
      sp_report_print(&report, stdout);
    free(json);
  }
  sp_report_done(&report);
  return err;
}

int sp_cmd_merge(int argc, char **argv) {
  struct sp_error error;
  struct request request = {0};
  struct sp_result *merged = NULL;
  struct sp_args args = sp_args_of("merge", argc, argv, options);
  enum sp_err err = read_arguments(&args, &request, &error);
  if (!err)
    err = sp_result_merge(request.folders, request.n_folders, request.out_dir, argc, argv, &merged, &error);
  if (!err) err = print(&request, &error);
  int code = err ? sp_exit_code(err) : sp_trial_exit_code(merged, 0);
  if (err)
    fprintf(stderr, "servepath merge: %s\n", error.text);
  else
    fprintf(stderr, "wrote %s; next: servepath report %s --export-markdown report.md\n", request.out_dir,
            request.out_dir);
  sp_result_free(merged);
  free(request.folders);
  return code;
}
