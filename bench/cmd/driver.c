// servepath driver (hidden): a trial's driver process. The supervisor starts it; see trial/children.c for its arguments.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/verbs.h"
#include "scenario/cli.h"
#include "trial/driver.h"

static const struct sp_option options[] = {
    {"--this-side", 0, "NAME", NULL, "the side to drive"},
    {"--run-id", 0, "ID", NULL, "identity of the run"},
    {"--server-address", 0, "ADDRESS", NULL, "where the model server is"},
    {"--server-pid", 0, "PID", NULL, "its process, to account for"},
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
  if (!err) {
    struct sp_driver_plan plan = {.scenario = scenario,
                                  .side = sp_scenario_side(scenario, sp_cli_value(cli, "--this-side")),
                                  .out_dir = cli->out_dir,
                                  .run_id = sp_cli_value(cli, "--run-id"),
                                  .server_address = sp_cli_value(cli, "--server-address"),
                                  .server_pid = number_of(cli, "--server-pid", 0),
                                  .tally_fd = number_of(cli, "--tally-fd", -1),
                                  .answers_file = sp_cli_value(cli, "--answers"),
                                  .keep_raw = cli->raw};
    if (!plan.side || !plan.out_dir)
      err = sp_fail(&error, SP_ERR_USAGE, "--this-side and --out are needed; use servepath run");
    else
      err = sp_driver_run(&plan, &error);
  }
  sp_scenario_free(scenario);
  sp_cli_free(cli);
  return err ? sp_cli_report(&verb, &error) : 0;
}
