// servepath gate: whether a candidate is worse than a base by more than a margin.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "cmd/inconclusive.h"
#include "cmd/metrics_arg.h"
#include "cmd/out_dir.h"
#include "cmd/pairs_arg.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "decide/forms.h"
#include "decide/gate.h"
#include "decide/gate_calibrate.h"
#include "decide/history.h"
#include "report/comparison.h"

static const struct sp_option options[] = {
    {"--base-cmd", 0, "CMD", NULL,
     "the servepath program of the base: pairs are run now, base and candidate in turns"},
    {"--candidate-cmd", 0, "CMD", "this program", "the servepath program of the candidate"},
    {"--base", 0, "DIR", NULL, "stored trials of the base; none there: verdict no-baseline"},
    {"--candidate", 0, "DIR", NULL, "stored trials of the candidate; then no SCENARIO"},
    {"--save-baseline", 0, "DIR", NULL,
     "keep the candidate's trials there as the next base, in place of an older one: not if it failed; if "
     "inconclusive, only where none is"},
    {"--margin", 0, "SHARE", "calibrated, else 5%", "how much worse passes"},
    {"--metrics", 0, "NAMES", "response_p50,response_p99,cpu_per_event", "what must not get worse"},
    {"--mean-of", 0, "N", "1", SP_PAIRS_ARG_HELP},
    {"--inconclusive", 0, "pass|fail", NULL,
     "exit with 0 or 1 in place of 4; a 2 stays. fail: open metrics are failures in JUnit too"},
    {"--calibrate", 0, NULL, NULL,
     "measure the margins: a program against itself, 60 pairs (or means) or more"},
    {"--calibration", 0, "FILE", "results/calibration-CASE.SIDE-FINGERPRINT[-meanN].json",
     "the margins that --calibrate measured"},
    {"--blocks", 0, "N", "4", "--calibrate: blocks of pairs that lie apart in time, 2 or more"},
    {"--pause", 0, "TIME", "60s", "--calibrate: between two blocks; 0s parts them by nothing"},
    {"--across-machines", 0, NULL, NULL, "stored trials: compare what was measured on different machines"},
    {"--history", 0, "FILE", "results/history.jsonl", "a line is added there; none: not"},
    {"--junit", 0, "FILE", NULL, "JUnit XML of the verdict: a case for each metric and bound"},
    {0}};
#define N_OPTIONS (sizeof options / sizeof options[0] - 1)

static const struct sp_cli_verb verb = {
    .name = "gate",
    .use = "SCENARIO --base-cmd CMD [OPTIONS], or: servepath gate --base DIR --candidate DIR [OPTIONS]",
    .about =
        "whether a candidate is worse than a base: PASS (exit 0), FAIL (1) or INCONCLUSIVE (4; 2 where the "
        "trials bear no verdict, as with more than a tenth of them invalid: do what the verdict's line says "
        "and gate again into a new --out)",
    .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT | SP_CLI_PAIRS,
    .options = options,
    .next = "servepath report DIR, servepath gate SCENARIO --calibrate"};
const struct sp_cli_verb *const sp_cmd_gate_verb = &verb;

// What takes no SCENARIO knows these besides its own.
static const struct sp_option stored_options[] = {
    {"--side", 0, "NAME", NULL, "of which side, where the folders hold several"},
    {"--out", 0, "DIR", NULL, "where the verdict goes"},
    {"--json", 0, NULL, NULL, "print JSON instead of the table"},
    {"--export-json", 0, "FILE", NULL, "write the JSON there"},
    {"--export-markdown", 0, "FILE", NULL, "write Markdown there"},
    {"--quiet", 0, NULL, NULL, "no live line"},
    {0}};
#define N_STORED (sizeof stored_options / sizeof stored_options[0] - 1)

#define BLOCKS_LEAST 2 // one is apart from nothing

struct request {
  struct sp_cli *cli;           // live; NULL: all is stored
  struct sp_scenario *scenario; // live
  const struct sp_option *given[64];
  const char *values[64];
  size_t n_given;
  const struct sp_metric *family[SP_GATE_METRICS];
  char *dir;
  struct sp_gate_plan plan;
  size_t n_blocks;
  int64_t pause_ns;
};

// --- Arguments ---

// The last value of a flag; NULL: not given.
static const char *value_of(const struct request *request, const char *flag) {
  const char *value = NULL;
  if (request->cli) return sp_cli_value(request->cli, flag);
  for (size_t i = 0; i < request->n_given; i++) {
    if (strcmp(request->given[i]->flag, flag) == 0) value = request->values[i];
  }
  return value;
}

static enum sp_err parse_stored(int argc, char **argv, struct request *request, struct sp_error *error) {
  static struct sp_option all[N_OPTIONS + N_STORED + 1];
  memcpy(all, options, N_OPTIONS * sizeof *all);
  memcpy(all + N_OPTIONS, stored_options, N_STORED * sizeof *all);
  struct sp_args args = sp_args_of("gate", argc, argv, all);
  const struct sp_option *option;
  const char *value;
  for (;;) {
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END: return SP_OK;
    case SP_ARG_HELP: exit(sp_cli_help(stdout, &verb));
    case SP_ARG_ERROR: return SP_ERR_USAGE;
    case SP_ARG_OPERAND:
      return sp_fail(
          error, SP_ERR_USAGE,
          "--candidate %s is stored, so nothing is run and %.60s is too much; leave one of them out",
          value_of(request, "--candidate") ? value_of(request, "--candidate") : "DIR", value);
    case SP_ARG_OPTION:
      if (request->n_given == sizeof request->values / sizeof request->values[0])
        return sp_fail(error, SP_ERR_USAGE, "too many options");
      request->given[request->n_given] = option;
      request->values[request->n_given++] = value;
      break;
    }
  }
}

static bool is_stored(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--candidate") == 0 || strncmp(argv[i], "--candidate=", 12) == 0) return true;
  }
  return false;
}

static enum sp_err refuse_with(const struct request *request, const char *flag, const char *const *others,
                               const char *why, struct sp_error *error) {
  for (; *others; others++) {
    if (value_of(request, *others))
      return sp_fail(error, SP_ERR_USAGE, "%s and %s exclude each other: %s; leave one out", flag, *others,
                     why);
  }
  return SP_OK;
}

static enum sp_err check_flags(const struct request *request, struct sp_error *error) {
  static const struct {
    const char *flag, *others[9], *why;
  } rules[] = {
      {"--candidate",
       {"--base-cmd", "--candidate-cmd", "--calibrate", "--save-baseline", NULL},
       "stored trials are judged without running anything"},
      {"--calibrate",
       {"--candidate-cmd", "--base", "--save-baseline", "--margin", "--inconclusive", "--junit", "--history",
        NULL},
       "a calibration compares one program with itself and gives margins, no verdict"},
      {"--base-cmd", {"--base", NULL}, "the base is run now, or stored"},
      {"--margin", {"--calibration", NULL}, "the margin is yours, or measured"},
  };
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !err; i++) {
    if (value_of(request, rules[i].flag))
      err = refuse_with(request, rules[i].flag, rules[i].others, rules[i].why, error);
  }
  if (!err && !value_of(request, "--calibrate") &&
      (value_of(request, "--blocks") || value_of(request, "--pause")))
    err = sp_fail(error, SP_ERR_USAGE, "--blocks and --pause are of --calibrate; leave them out");
  if (!err && request->cli && value_of(request, "--across-machines") && !value_of(request, "--base"))
    err = sp_fail(error, SP_ERR_USAGE, "--across-machines is of stored trials (--base); leave it out");
  if (!err && value_of(request, "--candidate") && !value_of(request, "--base"))
    err = sp_fail(error, SP_ERR_USAGE, "--candidate needs a base: --base DIR");
  return err;
}

// The guard is one more.
static enum sp_err read_family(struct request *request, struct sp_error *error) {
  const char *list = value_of(request, "--metrics");
  if (list) request->plan.family = request->family;
  return sp_metrics_arg_read(list, "gate", SP_GATE_METRICS - 1, request->family, &request->plan.n_family,
                             error);
}

static enum sp_err read_margin(struct request *request, struct sp_error *error) {
  const char *text = value_of(request, "--margin");
  struct sp_error what;
  request->plan.margin = NAN;
  if (!text) return SP_OK;
  enum sp_err err = sp_units_parse_share(text, &request->plan.margin, &what);
  if (err) return sp_fail(error, err, "--margin: %s", what.text);
  if (request->plan.margin <= 0 || request->plan.margin > SP_GATE_MARGIN_MOST)
    return sp_fail(error, SP_ERR_USAGE,
                   "--margin: %s is not above 0 and at most 100%%; write for example 5%%", text);
  return SP_OK;
}

static enum sp_err read_calibrate(struct request *request, struct sp_error *error) {
  const char *blocks = value_of(request, "--blocks"), *pause = value_of(request, "--pause");
  SP_ASSERT(request->cli != NULL); // only stored trials go without, and --calibrate refuses those
  uint64_t n_blocks = SP_GATE_CALIBRATE_BLOCKS, n_pairs = request->cli->pairs,
           least = SP_GATE_CALIBRATE_PAIRS * request->plan.mean_of;
  struct sp_error what;
  request->pause_ns = SP_GATE_CALIBRATE_PAUSE;
  if (blocks && sp_units_parse_count(blocks, &n_blocks, &what))
    return sp_fail(error, SP_ERR_USAGE, "--blocks: %s", what.text);
  if (pause && sp_units_parse_duration(pause, &request->pause_ns, &what))
    return sp_fail(error, SP_ERR_USAGE, "--pause: %s", what.text);
  if (n_pairs == 0) n_pairs = least;
  if (n_pairs < least || n_pairs > 10000)
    return sp_fail(error, SP_ERR_USAGE, "--pairs: a calibration%s needs %zu to 10000",
                   request->plan.mean_of > 1 ? " for such means" : "", (size_t)least);
  uint64_t most = n_pairs / request->plan.mean_of;
  if (n_blocks < BLOCKS_LEAST || n_blocks > most)
    return sp_fail(
        error, SP_ERR_USAGE,
        "--blocks: %d to %zu, the number of pairs (or means); margins of one block would not know how the "
        "machine changes from one stretch of time to another",
        BLOCKS_LEAST, (size_t)most);
  request->plan.n_pairs = (size_t)n_pairs;
  request->n_blocks = (size_t)n_blocks;
  return SP_OK;
}

static enum sp_err read_pairs(struct request *request, struct sp_error *error) {
  uint64_t n = request->cli ? request->cli->pairs : 0;
  size_t mean_of = request->plan.mean_of;
  if (n > SP_GATE_PAIRS_MOST * mean_of)
    return sp_fail(
        error, SP_ERR_USAGE,
        "--pairs: at most %zu, of which looks at %zu, %zu and %zu may end it; a longer --duration, or means "
        "of several pairs (--mean-of), tell more",
        SP_GATE_PAIRS_MOST * mean_of, 12 * mean_of, 18 * mean_of, 24 * mean_of);
  request->plan.n_pairs = (size_t)n;
  return SP_OK;
}

static enum sp_err load(struct request *request, struct sp_error *error) {
  struct sp_gate_plan *plan = &request->plan;
  if (request->cli->n_sides > 1)
    return sp_fail(error, SP_ERR_USAGE, "a gate takes one --side; give each its own gate");
  enum sp_err err = sp_cli_load(request->cli, &request->scenario, error);
  if (err) return err;
  plan->cli = request->cli;
  plan->scenario = request->scenario;
  plan->side =
      sp_scenario_side(request->scenario, request->cli->n_sides ? request->cli->sides[0].name : NULL);
  plan->side_name = plan->side->name;
  plan->is_quiet = request->cli->quiet;
  return SP_OK;
}

static enum sp_err read_request(int argc, char **argv, struct request *request, struct sp_error *error) {
  enum sp_err err = check_flags(request, error);
  if (!err) err = sp_inconclusive_check(value_of(request, "--inconclusive"), error);
  if (!err) err = read_family(request, error);
  if (!err) err = read_margin(request, error);
  bool calibrates = value_of(request, "--calibrate") != NULL;
  if (!err)
    err = sp_pairs_arg_read(value_of(request, "--mean-of"), request->cli ? request->cli->pairs : 0,
                            &request->plan.mean_of, error);
  if (!err) err = calibrates ? read_calibrate(request, error) : read_pairs(request, error);
  if (!err && request->cli) err = load(request, error);
  struct sp_gate_plan *plan = &request->plan;
  plan->base_cmd = value_of(request, "--base-cmd");
  plan->candidate_cmd = value_of(request, "--candidate-cmd");
  plan->base_dir = value_of(request, "--base");
  plan->candidate_dir = value_of(request, "--candidate");
  plan->save_dir = value_of(request, "--save-baseline");
  plan->calibration_file = value_of(request, "--calibration");
  const char *inconclusive = value_of(request, "--inconclusive");
  plan->inconclusive_fails = inconclusive && strcmp(inconclusive, "fail") == 0;
  plan->is_across_machines = value_of(request, "--across-machines") != NULL;
  if (!request->cli) plan->side_name = value_of(request, "--side");
  plan->argc = argc;
  plan->argv = argv;
  return err;
}

// --- What is told ---

static enum sp_err print(const struct request *request, const struct sp_comparison *c,
                         struct sp_error *error) {
  const struct sp_cli *cli = request->cli;
  bool is_json = cli ? cli->json : value_of(request, "--json") != NULL;
  const char *json_file = cli ? cli->export_json : value_of(request, "--export-json");
  const char *markdown_file = cli ? cli->export_markdown : value_of(request, "--export-markdown");
  char *json = sp_comparison_json(c);
  if (is_json)
    fputs(json, stdout);
  else
    sp_comparison_print(c, stdout);
  enum sp_err err = sp_printed_export(json_file, json, error);
  if (!err) err = sp_printed_export(markdown_file, sp_forms_markdown(c), error);
  return err ? err : sp_printed_export(value_of(request, "--junit"), sp_comparison_junit(c), error);
}

static enum sp_err note(const struct request *request, const struct sp_gate_job *job,
                        struct sp_error *error) {
  const struct sp_history_note history = {.file = value_of(request, "--history"),
                                          .verb = "gate",
                                          .comparison = job->comparison,
                                          .trials = job->trials,
                                          .n_trials = job->n_trials};
  return job->comparison->complete && job->is_news ? sp_history_note(&history, error) : SP_OK;
}

static void print_next(const struct request *request, const struct sp_gate_job *job) {
  const struct sp_comparison *c = job->comparison;
  if (job->n_saved)
    fprintf(stderr, "kept %zu trials in %s\n", job->n_saved, request->plan.save_dir);
  else if (request->plan.save_dir && c->complete && c->gate.verdict != SP_GATE_PASS &&
           c->gate.verdict != SP_GATE_NO_BASELINE)
    fprintf(stderr, "kept nothing new in %s (%s)\n", request->plan.save_dir,
            sp_gate_verdict_name(c->gate.verdict));
  if (!c->complete) {
    fprintf(stderr, "wrote %s, incomplete: %s; next: the same command with --out %s goes on\n", request->dir,
            c->incomplete, request->dir);
    return;
  }
  fprintf(stderr, "wrote %s; next: ", request->dir);
  if (c->gate.verdict == SP_GATE_NO_BASELINE && request->plan.candidate_dir)
    fprintf(stderr, "keep %s, and give it to the next gate as --base\n", request->plan.candidate_dir);
  else if (c->gate.verdict == SP_GATE_NO_BASELINE && !request->plan.save_dir)
    fprintf(stderr, "servepath gate with --save-baseline DIR\n");
  else if (c->gate.verdict == SP_GATE_INCONCLUSIVE && !job->has_calibration && request->cli)
    fprintf(stderr, "margins of this machine: the same command with --calibrate, without --candidate-cmd and "
                    "--history\n");
  else
    fprintf(stderr, "servepath report %s\n", request->dir);
}

// --- The verb ---

static enum sp_err gate(struct request *request, struct sp_supervisor *supervisor, int *code,
                        struct sp_error *error) {
  struct sp_gate_job job = {0};
  enum sp_err err = sp_gate_go(&request->plan, supervisor, &job, error);
  if (!err && job.comparison) {
    err = print(request, job.comparison, error);
    if (!err) err = note(request, &job, error);
    if (!err) err = sp_printed(error);
    print_next(request, &job);
    *code = sp_inconclusive_exit_code(value_of(request, "--inconclusive"), job.comparison->exit_code);
  }
  sp_gate_job_done(&job);
  return err;
}

static void write_calibration(const struct sp_calibration *calibration, bool is_markdown, FILE *to) {
  fprintf(to, "margins of %s %s, from %lld pairs in %lld blocks", calibration->case_name, calibration->side,
          (long long)calibration->n_pairs, (long long)calibration->n_blocks);
  if (calibration->mean_of > 1) fprintf(to, ", for means of %lld", (long long)calibration->mean_of);
  fputc('\n', to);
  if (is_markdown) fputs("\n| metric | margin |\n| --- | ---: |\n", to);
  for (size_t i = 0; i < sp_n_metrics; i++) {
    double margin = sp_calibration_margin(calibration, &sp_metrics[i]);
    if (!isnan(margin))
      fprintf(to, is_markdown ? "| %s | %.2f %% |\n" : "  %-16s %6.2f %%\n", sp_metrics[i].title,
              100 * margin);
  }
}

static char *calibration_markdown(const struct sp_calibration *calibration) {
  struct sp_text_stream stream;
  write_calibration(calibration, true, sp_text_stream_open(&stream));
  return sp_text_stream_close(&stream);
}

static enum sp_err print_calibration(const struct sp_cli *cli, const struct sp_calibration *calibration,
                                     const char *file, struct sp_error *error) {
  char *json = sp_calibration_json(calibration);
  if (cli->json)
    fputs(json, stdout);
  else
    write_calibration(calibration, false, stdout);
  enum sp_err err = sp_printed_export(cli->export_json, json, error);
  if (!err) err = sp_printed_export(cli->export_markdown, calibration_markdown(calibration), error);
  if (!err) err = sp_printed(error);
  fprintf(stderr,
          "wrote %s; next: the same command without --calibrate, with --base-cmd OLD --candidate-cmd NEW\n",
          file);
  return err;
}

static enum sp_err calibrate(struct request *request, struct sp_supervisor *supervisor,
                             struct sp_error *error) {
  const struct sp_gate_plan *gate_plan = &request->plan;
  const struct sp_calibrate_plan plan = {.cli = gate_plan->cli,
                                         .scenario = gate_plan->scenario,
                                         .side = gate_plan->side,
                                         .base_cmd = gate_plan->base_cmd,
                                         .n_pairs = gate_plan->n_pairs,
                                         .mean_of = gate_plan->mean_of,
                                         .family = gate_plan->family,
                                         .n_family = gate_plan->n_family,
                                         .n_blocks = request->n_blocks,
                                         .pause_ns = request->pause_ns,
                                         .file = gate_plan->calibration_file,
                                         .dir = request->dir,
                                         .is_quiet = gate_plan->is_quiet};
  struct sp_calibration calibration = {0};
  char *file = NULL;
  if (plan.pause_ns == 0)
    fputs("servepath gate: --pause 0s: the blocks are not separated; the margins know one stretch of time "
          "only\n",
          stderr);
  enum sp_err err = sp_gate_calibrate_go(&plan, supervisor, &calibration, &file, error);
  if (!err && file) err = print_calibration(plan.cli, &calibration, file, error);
  sp_calibration_done(&calibration);
  free(file);
  return err;
}

static enum sp_err act(struct request *request, int *code, struct sp_error *error) {
  struct sp_supervisor supervisor;
  bool calibrates = value_of(request, "--calibrate") != NULL;
  const char *out = request->cli ? request->cli->out_dir : value_of(request, "--out");
  const char *name = request->scenario ? request->scenario->name : "stored";
  enum sp_err err = sp_supervisor_init(&supervisor, error);
  if (err) return err;
  request->dir = out ? sp_copy_text(out) : sp_out_dir_new(name, calibrates ? "calibration" : "gate");
  request->plan.dir = request->dir;
  err = calibrates ? calibrate(request, &supervisor, error) : gate(request, &supervisor, code, error);
  if (supervisor.signal) {
    *code = 128 + supervisor.signal;
    err = SP_OK;
  }
  sp_supervisor_done(&supervisor);
  return err;
}

int sp_cmd_gate(int argc, char **argv) {
  struct sp_error error;
  struct request request = {.plan = {.margin = NAN}};
  int code = 0;
  enum sp_err err = is_stored(argc, argv) ? parse_stored(argc, argv, &request, &error)
                                          : sp_cli_parse(&verb, argc, argv, &request.cli, &error);
  if (!err && request.cli && request.cli->help) return sp_cli_help(stdout, &verb);
  if (!err) err = read_request(argc, argv, &request, &error);
  if (!err) err = act(&request, &code, &error);
  sp_scenario_free(request.scenario);
  sp_cli_free(request.cli);
  free(request.dir);
  return err ? sp_cli_report(&verb, &error) : code;
}
