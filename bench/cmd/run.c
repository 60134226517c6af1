// servepath run: one trial of one side.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "cmd/out_dir.h"
#include "cmd/printed.h"
#include "cmd/verbs.h"
#include "report/report.h"
#include "trial/relays.h"
#include "trial/trial.h"

static const struct sp_option options[] = {{"--run-id", 0, "ID", NULL,
                                            "Kafka: 32 hexadecimal digits that mark this run's messages; "
                                            "--only collect counts those, or, without, any"},
                                           {0}};
static const struct sp_cli_verb verb = {
    .name = "run",
    .use = "SCENARIO [OPTIONS]",
    .about = "replay a recording through one side of a scenario and write a result folder",
    .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT | SP_CLI_RAW,
    .options = options,
    .next = "servepath report DIR..., servepath inspect DIR"};
const struct sp_cli_verb *const sp_cmd_run_verb = &verb;

static char *markdown_of(const struct sp_report *report) {
  struct sp_text_stream table;
  sp_report_write_markdown(report, sp_text_stream_open(&table));
  return sp_text_stream_close(&table);
}

static enum sp_err print(const struct sp_cli *cli, const char *out_dir, struct sp_error *error) {
  struct sp_report report = {0};
  enum sp_err err = sp_report_add(&report, out_dir, error);
  if (!err) {
    sp_report_group(&report);
    char *json = sp_report_json(&report);
    if (cli->json)
      fputs(json, stdout);
    else
      sp_report_print(&report, stdout);
    err = sp_printed_export(cli->export_json, json, error);
    if (!err) err = sp_printed_export(cli->export_markdown, markdown_of(&report), error);
  }
  sp_report_done(&report);
  return err;
}

static int run_side(struct sp_cli *cli, struct sp_scenario *scenario, struct sp_supervisor *supervisor,
                    int argc, char **argv, struct sp_error *error, enum sp_err *err) {
  const struct sp_side *side = sp_scenario_side(scenario, cli->n_sides ? cli->sides[0].name : NULL);
  char *out_dir = cli->out_dir ? sp_copy_text(cli->out_dir) : sp_out_dir_new(scenario->name, side->name);
  struct sp_trial_plan plan = {.cli = cli,
                               .scenario = scenario,
                               .side = side,
                               .out_dir = out_dir,
                               .wire_run = sp_cli_value(cli, "--run-id"),
                               .argc = argc,
                               .argv = argv,
                               .is_quiet = cli->quiet};
  struct sp_result *result = NULL;
  int code = 0;
  *err = sp_trial_run(&plan, supervisor, &result, error);
  if (!*err) {
    code = sp_trial_exit_code(result, supervisor->signal);
    *err = print(cli, out_dir, error);
    fprintf(stderr, "wrote %s; next: servepath inspect %s\n", out_dir, out_dir);
  }
  sp_result_free(result);
  free(out_dir);
  return code;
}

static enum sp_err check_run_id(const struct sp_cli *cli, const struct sp_scenario *scenario,
                                struct sp_error *error) {
  const char *id = sp_cli_value(cli, "--run-id");
  const struct sp_side *side = sp_scenario_side(scenario, cli->n_sides ? cli->sides[0].name : NULL);
  if (!id) return SP_OK;
  if (sp_scenario_of_side(scenario, side).stream.transport != SP_TRANSPORT_KAFKA)
    return sp_fail(error, SP_ERR_USAGE,
                   "--run-id marks messages in Kafka; leave it out with transport direct");
  if (strspn(id, "0123456789abcdefABCDEF") == 32 && !id[32]) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--run-id: \"%.60s\" is no mark; write 32 hexadecimal digits", id);
}

static enum sp_err check_delay(const struct sp_cli *cli, const struct sp_scenario *scenario,
                               struct sp_error *error) {
  const struct sp_side *side = sp_scenario_side(scenario, cli->n_sides ? cli->sides[0].name : NULL);
  return sp_trial_relay_check(&side, 1, error);
}

int sp_cmd_run(int argc, char **argv) {
  struct sp_error error;
  struct sp_cli *cli = NULL;
  struct sp_scenario *scenario = NULL;
  struct sp_supervisor supervisor;
  int code = 0;
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (!err && cli->help) return sp_cli_help(stdout, &verb);
  if (!err && cli->n_sides > 1)
    err = sp_fail(&error, SP_ERR_USAGE, "run takes one --side; give each its own run");
  if (!err) err = sp_cli_load(cli, &scenario, &error);
  if (!err) err = check_run_id(cli, scenario, &error);
  if (!err) err = check_delay(cli, scenario, &error);
  if (!err) err = sp_supervisor_init(&supervisor, &error);
  if (!err) {
    code = run_side(cli, scenario, &supervisor, argc, argv, &error, &err);
    if (err && supervisor.signal) code = 128 + supervisor.signal;
    sp_supervisor_done(&supervisor);
  }
  sp_scenario_free(scenario);
  sp_cli_free(cli);
  if (!err || code > 128) return code;
  return sp_cli_report(&verb, &error);
}
