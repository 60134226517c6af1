// servepath driver (hidden): a trial's driver process. The supervisor starts it; see trial/children.c for its arguments.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/verbs.h"
#include "scenario/cli.h"
#include "trial/driver.h"

static const struct sp_option options[] = {
    {"--this-side", 0, "NAME", NULL, "the side to drive"},
    {"--run-id", 0, "ID", NULL, "identity of the run"},
    {"--server-address", 0, "ADDRESS", NULL, "where the model server is"},
    {"--relay-pid", 0, "PID", NULL, "process of the relay before it, to account for"},
    {"--behind-relay", 0, "ADDRESS", NULL, "where the server is, if that is a relay"},
    {"--server-pid", 0, "PID", NULL, "its process, to account for"},
    {"--server-is-group", 0, NULL, NULL, "it is a group of processes"},
    {"--server-kind", 0, "NAME", NULL, "what others wrote"},
    {"--server-version", 0, "VERSION", NULL, "of that"},
    {"--broker-address", 0, "ADDRESS", NULL, "where the broker is; none: transport direct"},
    {"--broker-kind", 0, "KIND", NULL, "mock, kafka or external"},
    {"--broker-version", 0, "VERSION", NULL, "of the broker"},
    {"--broker-pid", 0, "PID", NULL, "its process, to account for"},
    {"--input-topic", 0, "TOPIC", NULL, "topic to send to"},
    {"--output-topic", 0, "TOPIC", NULL, "topic to collect from"},
    {"--wire-run", 0, "ID", NULL, "sp-run of its messages"},
    {"--app-group", 0, "GROUP", NULL, "consumer group of the applications"},
    {"--app-pid", 0, "PID", NULL, "an application's process, to account for; may be repeated"},
    {"--apps-are-groups", 0, NULL, NULL, "each is a group of processes"},
    {"--app-library", 0, "TEXT", NULL, "what predicts in applications that others wrote"},
    {"--answers", 0, "FILE", NULL, "gets the first answer to each event"},
    {"--tally-fd", 0, "FD", NULL, "shared memory of the books"},
    {0}};
static const struct sp_cli_verb verb = {.name = "driver",
                                        .use = "SCENARIO [OPTIONS]",
                                        .about = "a trial's driver process; use servepath run",
                                        .takes = SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_RAW,
                                        .options = options};

static int number_of(const struct sp_cli *cli, const char *flag, int standard) {
  const char *text = sp_cli_value(cli, flag);
  return text ? (int)strtol(text, NULL, 10) : standard;
}

// Every --app-pid; from malloc.
static pid_t *app_pids_of(const struct sp_cli *cli, size_t *n) {
  pid_t *pids = sp_alloc((cli->n_given + 1) * sizeof *pids);
  *n = 0;
  for (size_t i = 0; i < cli->n_given; i++) {
    if (strcmp(cli->given[i]->flag, "--app-pid") == 0)
      pids[(*n)++] = (pid_t)strtol(cli->given_values[i], NULL, 10);
  }
  return pids;
}

static enum sp_err drive(const struct sp_cli *cli, const struct sp_scenario *scenario,
                         struct sp_error *error) {
  size_t n_apps;
  pid_t *app_pids = app_pids_of(cli, &n_apps);
  const struct sp_side *side = sp_scenario_side(scenario, sp_cli_value(cli, "--this-side"));
  const struct sp_scenario own = side ? sp_scenario_of_side(scenario, side) : *scenario;
  struct sp_driver_plan plan = {.scenario = &own,
                                .side = side,
                                .out_dir = cli->out_dir,
                                .run_id = sp_cli_value(cli, "--run-id"),
                                .server_address = sp_cli_value(cli, "--server-address"),
                                .behind_relay = sp_cli_value(cli, "--behind-relay"),
                                .relay_pid = number_of(cli, "--relay-pid", 0),
                                .server_pid = number_of(cli, "--server-pid", 0),
                                .server_is_group = sp_cli_value(cli, "--server-is-group") != NULL,
                                .server_kind = sp_cli_value(cli, "--server-kind"),
                                .server_version = sp_cli_value(cli, "--server-version"),
                                .broker_address = sp_cli_value(cli, "--broker-address"),
                                .broker_kind = sp_cli_value(cli, "--broker-kind"),
                                .broker_version = sp_cli_value(cli, "--broker-version"),
                                .broker_pid = number_of(cli, "--broker-pid", 0),
                                .input_topic = sp_cli_value(cli, "--input-topic"),
                                .output_topic = sp_cli_value(cli, "--output-topic"),
                                .wire_run = sp_cli_value(cli, "--wire-run"),
                                .app_group = sp_cli_value(cli, "--app-group"),
                                .app_pids = app_pids,
                                .n_apps = n_apps,
                                .apps_are_groups = sp_cli_value(cli, "--apps-are-groups") != NULL,
                                .app_library = sp_cli_value(cli, "--app-library"),
                                .tally_fd = number_of(cli, "--tally-fd", -1),
                                .answers_file = sp_cli_value(cli, "--answers"),
                                .keep_raw = cli->raw};
  enum sp_err err;
  if (!plan.side || !plan.out_dir)
    err = sp_fail(error, SP_ERR_USAGE, "--this-side and --out are needed; use servepath run");
  else
    err = sp_driver_run(&plan, error);
  free(app_pids);
  return err;
}

int sp_cmd_driver(int argc, char **argv) {
  struct sp_error error;
  struct sp_cli *cli = NULL;
  struct sp_scenario *scenario = NULL;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL); // before any library starts a thread
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (!err && cli->help) return sp_cli_help(stdout, &verb);
  if (!err) err = sp_cli_load(cli, &scenario, &error);
  if (!err) err = drive(cli, scenario, &error);
  sp_scenario_free(scenario);
  sp_cli_free(cli);
  return err ? sp_cli_report(&verb, &error) : 0;
}
