// servepath new: a scenario for somebody's own data and model.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cmd/data.h"
#include "cmd/verbs.h"
#include "import/new.h"

static const struct sp_option options[] = {
    {"--from", 0, "FILE", NULL, "CSV with the events, a row each"},
    {"--synthetic", 0, "N", NULL, "instead: N events made from the model's inputs alone"},
    {"--seed", 0, "N", "1", "synthetic: of the random numbers"},
    {"--model", 0, "FILE|DIR", NULL, "model.onnx, model.tflite, or the folder of a SavedModel; it is copied"},
    {"--key", 0, "COLUMN", "guessed", "the event's key: a column by name or number, or none"},
    {"--time", 0, "COLUMN", "guessed", "the event's instant (ISO 8601 or Unix time), or none"},
    {"--target", 0, "COLUMN,...", "guessed", "columns that the model predicts and does not read, or none"},
    {"--header", 0, NULL, NULL, "the first row names the columns, whatever it looks like"},
    {"--no-header", 0, NULL, NULL, "the first row is an event"},
    {"--out", 0, "DIR", "NAME", "the folder to make"},
    {0}};
const struct sp_option *const sp_cmd_new_options = options;

struct job {
  struct sp_new_conf conf;
  bool has_seed;
};

static enum sp_err set_count(const char *flag, const char *value, uint64_t *count, struct sp_error *error) {
  enum sp_err err = sp_units_parse_count(value, count, error);
  if (!err) return SP_OK;
  struct sp_error inner = *error;
  return sp_fail(error, SP_ERR_USAGE, "%s: %.900s", flag, inner.text);
}

static enum sp_err set_option(void *context, const char *flag, const char *value, struct sp_error *error) {
  struct job *job = context;
  struct sp_new_conf *conf = &job->conf;
  const struct {
    const char *flag, **to;
  } texts[] = {{"--from", &conf->from},       {"--model", &conf->model},         {"--key", &conf->hints.key},
               {"--time", &conf->hints.time}, {"--target", &conf->hints.target}, {"--out", &conf->folder}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (strcmp(texts[i].flag, flag) == 0) *texts[i].to = value;
  }
  if (strcmp(flag, "--header") == 0) conf->header = SP_PROFILE_HEADER_THERE;
  if (strcmp(flag, "--no-header") == 0) conf->header = SP_PROFILE_HEADER_NONE;
  job->has_seed |= strcmp(flag, "--seed") == 0;
  if (strcmp(flag, "--seed") == 0) return set_count(flag, value, &conf->seed, error);
  if (strcmp(flag, "--synthetic") != 0) return SP_OK;
  enum sp_err err = set_count(flag, value, &conf->n_synthetic, error);
  if (!err && conf->n_synthetic == 0)
    return sp_fail(error, SP_ERR_USAGE, "--synthetic 0 makes no events; write --synthetic 10000");
  return err;
}

static enum sp_err check(void *context, const char *name, struct sp_error *error) {
  struct job *job = context;
  struct sp_new_conf *conf = &job->conf;
  conf->name = name;
  if (!conf->folder) conf->folder = name;
  if (!conf->model) return sp_fail(error, SP_ERR_USAGE, "say which model: --model model.onnx");
  if (!conf->from == !conf->n_synthetic)
    return sp_fail(error, SP_ERR_USAGE,
                   "say where the events come from: either --from data.csv or --synthetic 10000");
  bool has_hints = conf->hints.key || conf->hints.time || conf->hints.target || conf->header;
  if (!conf->from && has_hints)
    return sp_fail(error, SP_ERR_USAGE,
                   "--key, --time, --target and --header are of rows; give --from data.csv");
  if (conf->from && job->has_seed)
    return sp_fail(error, SP_ERR_USAGE, "--seed is of synthetic events; remove it, or --from");
  if (conf->from && strcmp(conf->from, "-") == 0)
    return sp_fail(error, SP_ERR_USAGE, "--from -: the rows are read twice; give a file");
  return SP_OK;
}

static const struct sp_data_verb verb = {
    .name = "new",
    .use = "NAME --from data.csv|--synthetic N --model FILE|DIR [OPTIONS]",
    .about =
        "Writes a folder NAME with scenario.yaml, NAME.sprec and models/NAME/1 for your own case: the "
        "model's inputs\n"
        "are read from it, which columns feed them is guessed. Each guess is marked `# guessed: why` at its\n"
        "line, and what cannot be guessed `# choose:`.",
    .notes = "Columns feed inputs by name where the names agree, else the columns of numbers in the file's "
             "order, if they are\n"
             "exactly as many as the model takes. Exit: 0 done, 3 a file, the model or the disk, or the "
             "folder is there,\n"
             "4 written, and something is left to choose, 64 usage.",
    .options = options,
    .operand = "name",
    .take = set_option,
    .check = check};

static void print_left_out(const struct sp_new_report *report) {
  if (report->n_odd_rows)
    fprintf(stderr,
            "attention: %" PRIu64 " rows have another number of columns than the first, line %" PRIu64
            " to begin with: their events are malformed\n",
            report->n_odd_rows, report->first_odd_line);
  if (report->n_skipped)
    fprintf(stderr, "left out: %" PRIu64 " rows without a time or a key, the first %s\n", report->n_skipped,
            report->first_skipped);
}

static int print_report(const struct sp_new_conf *conf, const struct sp_new_report *report) {
  char events[SP_UNITS_TEXT_BYTES];
  fprintf(stderr, "%s: %s %sevents, times %s\n", conf->folder,
          sp_units_print_count(report->n_events, events, sizeof events), conf->from ? "" : "synthetic ",
          report->times_are_real ? "real" : "made up");
  print_left_out(report);
  if (report->n_guessed)
    fprintf(stderr,
            "guessed: %u lines of %s/scenario.yaml say so; read them: grep -n guessed: %s/scenario.yaml\n",
            report->n_guessed, conf->folder, conf->folder);
  if (report->choose_line) {
    fprintf(stderr, "choose: %s/scenario.yaml:%u says what; then: servepath verify %s\n", conf->folder,
            report->choose_line, conf->folder);
    return sp_exit_code(SP_ERR_INCONCLUSIVE);
  }
  fprintf(
      stderr,
      "next: servepath verify %s            (the sides agree, and there is nothing to compare with: exit 4)\n"
      "      servepath verify %s --update   (keeps the answers as the expected ones)\n"
      "      servepath run %s --side embedded --out results/%s/embedded\n"
      "      servepath run %s --side rpc --out results/%s/rpc\n"
      "      servepath report results/%s\n",
      conf->folder, conf->folder, conf->folder, conf->name, conf->folder, conf->name, conf->name);
  return 0;
}

int sp_cmd_new(int argc, char **argv) {
  struct job job = {.conf = {.seed = 1}};
  struct sp_error error = {0};
  const char *name;
  int code;
  if (!sp_data_read_args(&verb, argc, argv, &job, &name, &code)) return code;
  struct sp_data_progress progress;
  sp_data_progress_init(&progress, verb.name);
  job.conf.progress = sp_data_show_progress;
  job.conf.progress_context = &progress;
  job.conf.stop = sp_data_catch_signals();
  struct sp_new_report report;
  enum sp_err err = sp_new(&job.conf, &report, &error);
  sp_live_clear(&progress.live);
  if (err) return sp_data_failed(&verb, &error);
  return print_report(&job.conf, &report);
}
