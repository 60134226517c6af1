// servepath compare: pairs of trials of two or more sides, and what they say
// about each other.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "cmd/inconclusive.h"
#include "cmd/metrics_arg.h"
#include "cmd/out_dir.h"
#include "cmd/pairs_arg.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "decide/compare.h"
#include "decide/forms.h"
#include "decide/sweep.h"
#include "report/comparison.h"
#include "report/crossover.h"
#include "result/history.h"
#include "trial/relays.h"

#define METRICS_MOST 24

static const struct sp_option options[] = {
    {"--reference", 0, "SIDE", NULL, "what the others are divided by (default the first side)"},
    {"--delta", 0, "SHARE", "5%", "two sides within this of each other are no different"},
    {"--metrics", 0, "LIST", "response_p50,response_p99,cpu_per_event",
     "what verdicts are made of; corrected for how many they are, so name few"},
    {"--mean-of", 0, "N", "1", SP_PAIRS_ARG_HELP},
    {"--broker-warmup", 0, "TIME", "20s",
     "with --broker kafka, which is started once for all trials: load before "
     "the first one, for Java's compiler"},
    {"--sweep", 0, "KEY=VALUES", NULL,
     "compare at each of these, as in rate=500/s..8000/s:x2, batch=1,8,32 or rpc_delay=0us..1ms:+200us, and "
     "map which "
     "side wins where; up to six times, for a grid"},
    {"--history", 0, "FILE", "results/history.jsonl", "a line a side is added there; none: not"},
    {"--inconclusive", 0, "pass|fail", NULL,
     "exit with 0 or 1 in place of 4, where no metric comes to a verdict; a 2 stays"},
    {0}};
static const struct sp_cli_verb verb = {.name = "compare",
                                        .use = "SCENARIO [--side NAME[,KEY=VALUE...]]... [OPTIONS]",
                                        .about =
                                            "run two or more sides in pairs of trials (12; looks at 12, 18 "
                                            "and 24 with --pairs 24) and judge the "
                                            "differences. The same command with the same --out goes on where "
                                            "it was broken off",
                                        .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT | SP_CLI_PAIRS,
                                        .options = options,
                                        .next = "servepath report DIR"};
const struct sp_cli_verb *const sp_cmd_compare_verb = &verb;

struct job {
  const struct sp_cli *cli;
  const struct sp_scenario *scenario;
  struct sp_supervisor supervisor;
  const struct sp_side *sides[SP_COMPARISON_SIDES];
  const struct sp_metric *family[METRICS_MOST];
  struct sp_compare_plan plan;
  char *dir;
  struct sp_comparison *comparison; // NULL: a sweep
  int sweep_code;
};

// --- What was asked for ---

static enum sp_err add_side(struct job *job, const char *name, struct sp_error *error) {
  if (job->plan.n_sides == SP_COMPARISON_SIDES)
    return sp_fail(error, SP_ERR_USAGE, "more than %d sides; name those to compare with --side",
                   SP_COMPARISON_SIDES);
  job->sides[job->plan.n_sides++] = sp_scenario_side(job->scenario, name);
  return SP_OK;
}

// In the order named; the scenario's own but noop, which no deployment is.
static enum sp_err choose_sides(struct job *job, struct sp_error *error) {
  const struct sp_cli *cli = job->cli;
  const struct sp_side *all = job->scenario->sides.items;
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < cli->n_sides && !err; i++) err = add_side(job, cli->sides[i].name, error);
  for (size_t i = 0; i < job->scenario->sides.n && !err && !cli->n_sides; i++) {
    if (strcmp(all[i].path.path, "noop") != 0) err = add_side(job, all[i].name, error);
  }
  return err;
}

static enum sp_err choose_reference(struct job *job, struct sp_error *error) {
  const char *name = sp_cli_value(job->cli, "--reference"), *names[SP_COMPARISON_SIDES];
  char suggestion[256];
  for (size_t i = 0; i < job->plan.n_sides; i++) {
    names[i] = job->sides[i]->name;
    if (!name || strcmp(name, names[i]) != 0) continue;
    job->plan.reference_i = i;
    return SP_OK;
  }
  if (!name) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--reference: %.60s is none of the sides compared; %s", name,
                 sp_names_suggest(name, names, job->plan.n_sides, suggestion, sizeof suggestion));
}

static enum sp_err choose_metrics(struct job *job, struct sp_error *error) {
  const char *list = sp_cli_value(job->cli, "--metrics");
  if (list) job->plan.family = job->family;
  return sp_metrics_arg_read(list, "compare", METRICS_MOST, job->family, &job->plan.n_family, error);
}

static enum sp_err choose_numbers(struct job *job, struct sp_error *error) {
  struct sp_compare_plan *plan = &job->plan;
  const char *delta = sp_cli_value(job->cli, "--delta"), *warmup = sp_cli_value(job->cli, "--broker-warmup");
  struct sp_error what;
  enum sp_err err =
      sp_pairs_arg_read(sp_cli_value(job->cli, "--mean-of"), job->cli->pairs, &plan->mean_of, error);
  if (err) return err;
  plan->n_pairs = job->cli->pairs ? (size_t)job->cli->pairs : SP_COMPARE_PAIRS * plan->mean_of;
  plan->delta = 0.05;
  plan->broker_warmup_ns = SP_COMPARE_BROKER_WARMUP;
  if (plan->n_pairs > 1000)
    return sp_fail(error, SP_ERR_USAGE,
                   "--pairs: at most 1000; the looks are at 12, 18 and 24 (times --mean-of)");
  if (delta && sp_units_parse_share(delta, &plan->delta, &what))
    return sp_fail(error, SP_ERR_USAGE, "--delta: %s", what.text);
  if (warmup && sp_units_parse_duration(warmup, &plan->broker_warmup_ns, &what))
    return sp_fail(error, SP_ERR_USAGE, "--broker-warmup: %s", what.text);
  return sp_inconclusive_check(sp_cli_value(job->cli, "--inconclusive"), error);
}

static enum sp_err choose(struct job *job, int argc, char **argv, struct sp_error *error) {
  job->plan = (struct sp_compare_plan){.cli = job->cli,
                                       .scenario = job->scenario,
                                       .sides = job->sides,
                                       .argc = argc,
                                       .argv = argv,
                                       .is_quiet = job->cli->quiet};
  enum sp_err err = choose_sides(job, error);
  if (!err) err = choose_reference(job, error);
  if (!err) err = choose_metrics(job, error);
  if (!err) err = choose_numbers(job, error);
  if (!err) err = sp_trial_relay_check(job->sides, job->plan.n_sides, error);
  return err ? err : sp_compare_check(&job->plan, error);
}

// --- What comes of it ---

static enum sp_err print(const struct job *job, struct sp_error *error) {
  char *json = sp_comparison_json(job->comparison);
  if (job->cli->json)
    fputs(json, stdout);
  else
    sp_comparison_print(job->comparison, stdout);
  enum sp_err err = sp_printed_export(job->cli->export_json, json, error);
  return err ? err : sp_printed_export(job->cli->export_markdown, sp_forms_markdown(job->comparison), error);
}

static enum sp_err compare(struct job *job, struct sp_error *error) {
  const char *history = sp_cli_value(job->cli, "--history");
  job->plan.history_file = history ? history : SP_HISTORY_FILE;
  job->dir =
      job->cli->out_dir ? sp_copy_text(job->cli->out_dir) : sp_out_dir_new(job->scenario->name, "compare");
  job->plan.dir = job->dir;
  enum sp_err err = sp_compare_run(&job->plan, &job->supervisor, &job->comparison, error);
  if (!err) err = print(job, error);
  if (!err) err = sp_printed(error);
  if (!err && !job->comparison->complete)
    fprintf(stderr,
            "wrote %s, incomplete: %s; next: the same command with --out %s "
            "goes on\n",
            job->dir, job->comparison->incomplete, job->dir);
  else if (!err)
    fprintf(stderr, "wrote %s; next: see %s/report.html\n", job->dir, job->dir);
  return err;
}

// --- At each point of a grid ---

static enum sp_err compare_cell(void *context, const struct sp_cli *cli, const struct sp_scenario *scenario,
                                int argc, char **argv, struct sp_comparison **c, struct sp_error *error) {
  struct job *whole = context;
  struct job cell = {.cli = cli, .scenario = scenario};
  enum sp_err err = choose(&cell, argc, argv, error);
  cell.plan.dir = cli->out_dir;
  return err ? err : sp_compare_run(&cell.plan, &whole->supervisor, c, error);
}

static char *map_markdown(const struct sp_sweep *sweep) {
  struct sp_text_stream map;
  sp_crossover_write_markdown(sweep, sp_text_stream_open(&map));
  return sp_text_stream_close(&map);
}

static enum sp_err print_sweep(const struct job *job, const struct sp_sweep *sweep, struct sp_error *error) {
  char *json = sp_sweep_json(sweep);
  if (job->cli->json)
    fputs(json, stdout);
  else
    sp_crossover_print(sweep, stdout);
  fprintf(stderr, "wrote %s%s; next: %s%s\n", job->dir, sweep->complete ? "" : ", incomplete",
          sweep->complete ? "see crossover.md there, and cells/*/report.html"
                          : "the same command goes on with --out ",
          sweep->complete ? "" : job->dir);
  enum sp_err err = sp_printed_export(job->cli->export_json, json, error);
  return err ? err : sp_printed_export(job->cli->export_markdown, map_markdown(sweep), error);
}

static enum sp_err sweep(struct job *job, struct sp_error *error) {
  const char *names[SP_COMPARISON_SIDES];
  struct sp_sweep grid = {0};
  const bool is_own_dir = !job->cli->out_dir;
  for (size_t i = 0; i < job->plan.n_sides; i++) names[i] = job->sides[i]->name;
  job->dir = is_own_dir ? sp_out_dir_new(job->scenario->name, "sweep") : sp_copy_text(job->cli->out_dir);
  const struct sp_sweep_plan plan = {.cli = job->cli,
                                     .argc = job->plan.argc,
                                     .argv = job->plan.argv,
                                     .scenario = job->scenario->name,
                                     .sides = names,
                                     .n_sides = job->plan.n_sides,
                                     .reference_i = job->plan.reference_i,
                                     .n_pairs = job->plan.n_pairs,
                                     .dir = job->dir,
                                     .compare = compare_cell,
                                     .context = job,
                                     .supervisor = &job->supervisor,
                                     .is_quiet = job->cli->quiet};
  enum sp_err err = sp_sweep_run(&plan, &grid, error);
  if (err && is_own_dir) rmdir(job->dir); // where nothing was begun nothing is left
  if (!err) err = print_sweep(job, &grid, error);
  if (!err) err = sp_printed(error);
  job->sweep_code = sp_sweep_exit_code(&grid, 0);
  sp_sweep_done(&grid);
  return err;
}

static int exit_code(const struct job *job, enum sp_err err, const struct sp_error *error) {
  if (err && !job->supervisor.signal) return sp_cli_report(&verb, error);
  if (job->supervisor.signal) return 128 + job->supervisor.signal;
  int code = job->comparison ? job->comparison->exit_code : job->sweep_code;
  return sp_inconclusive_exit_code(sp_cli_value(job->cli, "--inconclusive"), code);
}

int sp_cmd_compare(int argc, char **argv) {
  struct sp_error error;
  struct job job = {0};
  struct sp_cli *cli;
  struct sp_scenario *scenario = NULL;
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (err) return sp_cli_report(&verb, &error);
  if (cli->help) {
    sp_cli_free(cli);
    return sp_cli_help(stdout, &verb);
  }
  job.cli = cli;
  err = sp_cli_load(cli, &scenario, &error);
  job.scenario = scenario;
  if (!err) err = choose(&job, argc, argv, &error);
  if (!err) err = sp_supervisor_init(&job.supervisor, &error);
  if (!err) {
    err = sp_cli_value(job.cli, "--sweep") ? sweep(&job, &error) : compare(&job, &error);
    sp_supervisor_done(&job.supervisor);
  }
  int code = exit_code(&job, err, &error);
  sp_comparison_free(job.comparison);
  sp_scenario_free(scenario);
  sp_cli_free(cli);
  free(job.dir);
  return code;
}
