// servepath search: the highest rate that each side sustains.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cmd/out_dir.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "decide/search_forms.h"
#include "decide/search_json.h"
#include "decide/search_sides.h"
#include "trial/relays.h"

static const struct sp_option options[] = {
    {"--from", 0, "RATE", "load.rate", "first rate; doubled until one fails, halved where it does"},
    {"--to", 0, "RATE", "none", "highest rate to try"},
    {"--precision", 0, "SHARE", "5%", "of the bracket: the rate that failed is at most so much higher"},
    {"--probe", 0, "DURATION", "10s",
     "length of a trial, at least (20,000 events too, up to 2 min); a shorter one is labelled"},
    {"--history", 0, "FILE", "results/history.jsonl", "gets a line a side; none: no line"},
    {0}};
static const struct sp_cli_verb verb = {
    .name = "search",
    .use = "SCENARIO [OPTIONS]",
    .about = "the highest rate that each side sustains within the scenario's bounds (expect), p99 <= 10ms "
             "without any; "
             "all sides but noop, or each --side. An --out DIR that was begun is gone on with",
    .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT,
    .options = options,
    .next = "servepath compare SCENARIO --rate RATE"};
const struct sp_cli_verb *const sp_cmd_search_verb = &verb;

// --- What was asked for ---

static enum sp_err place(enum sp_err err, const char *flag, struct sp_error *error) {
  if (!err) return SP_OK;
  struct sp_error inner = *error;
  return sp_fail(error, err, "%s: %s", flag, inner.text);
}

static enum sp_err read_rate(const struct sp_cli *cli, const char *flag, double *per_s,
                             struct sp_error *error) {
  const char *text = sp_cli_value(cli, flag);
  struct sp_rate rate;
  if (!text) return SP_OK;
  enum sp_err err = sp_units_parse_rate(text, &rate, error);
  if (!err) *per_s = sp_rate_per_s(&rate);
  if (!err && *per_s <= 0) err = sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is no rate to search at", text);
  return place(err, flag, error);
}

static enum sp_err read_precision(const struct sp_cli *cli, double *precision, struct sp_error *error) {
  const char *text = sp_cli_value(cli, "--precision");
  *precision = SP_SEARCH_PRECISION;
  if (!text) return SP_OK;
  enum sp_err err = sp_units_parse_share(text, precision, error);
  if (!err && (*precision < 0.001 || *precision > 0.5))
    err = sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is out of 0.1%% to 50%%", text);
  return place(err, "--precision", error);
}

static enum sp_err read_probe(const struct sp_cli *cli, int64_t *probe_ns, struct sp_error *error) {
  const char *text = sp_cli_value(cli, "--probe");
  if (!text) return SP_OK;
  enum sp_err err = sp_units_parse_duration(text, probe_ns, error);
  if (!err && (*probe_ns < SP_NS_PER_S || *probe_ns > 3600 * SP_NS_PER_S))
    err = sp_fail(error, SP_ERR_USAGE, "\"%.40s\" is out of 1s to 1h", text);
  return place(err, "--probe", error);
}

// Flags of other verbs that would have no effect here.
static enum sp_err refuse_settings(const struct sp_cli *cli, struct sp_error *error) {
  for (size_t i = 0; i < cli->n_settings; i++) {
    if (strcmp(cli->settings[i].key, "load.duration") == 0)
      return sp_fail(error, SP_ERR_USAGE, "%s: how long a trial of a search lasts is said by --probe",
                     cli->settings[i].origin);
  }
  return SP_OK;
}

static enum sp_err read_options(const struct sp_cli *cli, struct sp_search_options *read,
                                struct sp_error *error) {
  enum sp_err err = refuse_settings(cli, error);
  if (!err) err = read_rate(cli, "--from", &read->from_per_s, error);
  if (!err) err = read_rate(cli, "--to", &read->to_per_s, error);
  if (!err) err = read_precision(cli, &read->precision, error);
  if (!err) err = read_probe(cli, &read->probe_ns, error);
  return err;
}

static enum sp_err choose_sides(struct sp_searches_plan *plan, struct sp_error *error) {
  const struct sp_scenario *scenario = plan->scenario;
  const struct sp_cli *cli = plan->cli;
  size_t n = cli->n_sides ? cli->n_sides : scenario->sides.n;
  for (size_t i = 0; i < n; i++) {
    const struct sp_side *side = &((const struct sp_side *)scenario->sides.items)[i];
    if (cli->n_sides) side = sp_scenario_side(scenario, cli->sides[i].name);
    if (!cli->n_sides && strcmp(side->path.path, "noop") == 0) continue;
    if (plan->n_sides == SP_SEARCH_SIDES_MAX)
      return sp_fail(error, SP_ERR_USAGE, "more than %d sides", SP_SEARCH_SIDES_MAX);
    plan->sides[plan->n_sides++] = side;
  }
  if (plan->n_sides) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "no side answers anything; name one with --side NAME,path=embedded");
}

// --- What is seen ---

static void show_trial(const struct sp_side_search *side) {
  const struct sp_search_probed *probed = &side->probed[side->n_probed - 1];
  char rate[SP_UNITS_TEXT_BYTES], length[SP_UNITS_TEXT_BYTES];
  fprintf(stderr, "%s %s/s, %s: %s, %s (%s%s)\n", side->side->name,
          sp_units_print_rate(probed->rate_per_s, rate, sizeof rate), sp_search_phase_name(probed->phase),
          sp_probe_verdict_name(probed->outcome.verdict), probed->outcome.reason,
          sp_units_write_duration(probed->duration_ns, length, sizeof length),
          probed->was_found ? ", it lay there" : "");
}

static enum sp_err print(const struct sp_searches_plan *plan, const struct sp_searches *searches,
                         struct sp_error *error) {
  char *json = sp_searches_json(plan, searches);
  if (plan->cli->json)
    fputs(json, stdout);
  else
    sp_searches_print(plan, searches, stdout);
  enum sp_err err = sp_printed_export(plan->cli->export_json, json, error);
  if (!err) err = sp_printed_export(plan->cli->export_markdown, sp_searches_markdown(plan, searches), error);
  return err;
}

static void say_next(const struct sp_searches_plan *plan, const struct sp_searches *searches) {
  double low = searches->sides[0].search.low_per_s;
  if (searches->incomplete)
    fprintf(stderr, "wrote %s; next: the same command with --out %s goes on with it\n", plan->out_dir,
            plan->out_dir);
  else if (low > 0)
    fprintf(stderr, "wrote %s; next: servepath compare %s --rate %.10g/s\n", plan->out_dir,
            plan->cli->scenario, sp_search_round(0.7 * low));
  else
    fprintf(stderr, "wrote %s; next: servepath inspect %s/%s\n", plan->out_dir, plan->out_dir,
            searches->sides[0].n_probed ? searches->sides[0].probed[0].dir : "");
}

static enum sp_err search(struct sp_searches_plan *plan, int *code, struct sp_error *error) {
  struct sp_searches searches = {0};
  if (!plan->cli->quiet) plan->probed = show_trial;
  enum sp_err err = sp_searches_run(plan, &searches, error);
  if (!err) err = print(plan, &searches, error);
  if (!err && !searches.incomplete)
    err = sp_searches_note(&searches, plan->cli, sp_cli_value(plan->cli, "--history"), error);
  if (!err) err = sp_printed(error);
  if (!err) say_next(plan, &searches);
  *code = plan->supervisor->signal ? 128 + plan->supervisor->signal : sp_searches_exit_code(&searches);
  sp_searches_done(&searches);
  return err;
}

int sp_cmd_search(int argc, char **argv) {
  struct sp_error error;
  struct sp_cli *cli = NULL;
  struct sp_scenario *scenario = NULL;
  struct sp_supervisor supervisor = {0};
  struct sp_searches_plan plan = {.argc = argc, .argv = argv, .supervisor = &supervisor};
  char *out_dir = NULL;
  int code = 0;
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (!err && cli->help) return sp_cli_help(stdout, &verb);
  if (!err) err = read_options(cli, &plan.options, &error);
  if (!err) err = sp_cli_load(cli, &scenario, &error);
  plan.cli = cli;
  plan.scenario = scenario;
  if (!err) err = choose_sides(&plan, &error);
  if (!err) err = sp_trial_relay_check(plan.sides, plan.n_sides, &error);
  if (!err) err = sp_searches_check(&plan, &error);
  if (!err) err = sp_supervisor_init(&supervisor, &error);
  if (!err) {
    out_dir = cli->out_dir ? sp_copy_text(cli->out_dir) : sp_out_dir_new(scenario->name, "search");
    plan.out_dir = out_dir;
    err = search(&plan, &code, &error);
    sp_supervisor_done(&supervisor);
  }
  sp_scenario_free(scenario);
  sp_cli_free(cli);
  free(out_dir);
  return err ? sp_cli_report(&verb, &error) : code;
}
