// servepath with: a user's command between a broker and a model server that are there for it alone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/verbs.h"
#include "trial/fixture.h"

static const struct sp_option options[] = {
    {"--only", 0, "PART,...", "broker,model-server", "the parts that are started: broker, model-server"},
    {0}};
static const struct sp_cli_verb verb = {
    .name = "with",
    .use = "SCENARIO [OPTIONS] -- CMD ARGS...",
    .about = "run a command with broker, topics and model server of a scenario, named in SERVEPATH_BROKER, "
             "SERVEPATH_INPUT_TOPIC, SERVEPATH_OUTPUT_TOPIC and SERVEPATH_SERVER; exits with its code. "
             "Nothing is replayed: "
             "flags of load and of applications are refused",
    .takes = SP_CLI_SIDE | SP_CLI_COMMAND,
    .options = options,
    .next = "servepath with fixtures/fraud -- env"};
const struct sp_cli_verb *const sp_cmd_with_verb = &verb;

// broker,model-server
static enum sp_err read_parts(const char *text, struct sp_fixture_plan *plan, struct sp_error *error) {
  if (!text) text = "broker,model-server";
  char *copy = sp_copy_text(text), *rest = copy;
  enum sp_err err = SP_OK;
  for (const char *part; !err && (part = strsep(&rest, ","));) {
    if (strcmp(part, "broker") == 0)
      plan->has_broker = true;
    else if (strcmp(part, "model-server") == 0)
      plan->has_server = true;
    else
      err = sp_fail(error, SP_ERR_USAGE, "--only: \"%.60s\" is no part; write broker or model-server", part);
  }
  free(copy);
  return err;
}

static bool begins_with(const char *text, const char *const *starts) {
  for (; *starts; starts++) {
    if (strncmp(text, *starts, strlen(*starts)) == 0) return true;
  }
  return false;
}

// Of a side: its server, and how that is spoken to.
static bool has_effect(const char *key) {
  static const char *const of_replays[] = {"load.", "stream.transport", "stream.fifo", NULL};
  static const char *const of_servers[] = {"path",    "server.", "rpc.",   "protocol",
                                           "address", "model.",  "broker", NULL};
  if (strncmp(key, "sides.", 6) != 0) return !begins_with(key, of_replays);
  const char *dot = strchr(key + 6, '.');
  return dot && begins_with(dot + 1, of_servers);
}

// Nothing is replayed here and no application started: such a flag would silently do nothing.
static enum sp_err check_settings(const struct sp_cli *cli, struct sp_error *error) {
  for (size_t i = 0; i < cli->n_settings; i++) {
    const struct sp_setting *setting = &cli->settings[i];
    if (!has_effect(setting->key))
      return sp_fail(error, SP_ERR_USAGE,
                     "%s: %s has no effect here: with replays nothing and starts no application; leave it "
                     "out, or give it to the servepath run or verify in the command",
                     setting->origin, setting->key);
  }
  return SP_OK;
}

static enum sp_err read_plan(const struct sp_cli *cli, struct sp_fixture_plan *plan, struct sp_error *error) {
  if (!cli->command)
    return sp_fail(error, SP_ERR_USAGE,
                   "needs a command after --, as in servepath with fixtures/fraud -- pytest tests");
  if (cli->n_sides > 1) return sp_fail(error, SP_ERR_USAGE, "with takes one --side, whose server it starts");
  plan->cli = cli;
  plan->side = cli->n_sides ? cli->sides[0].name : NULL;
  plan->command = (const char *const *)cli->command;
  plan->is_quiet = cli->quiet;
  enum sp_err err = check_settings(cli, error);
  return err ? err : read_parts(sp_cli_value(cli, "--only"), plan, error);
}

int sp_cmd_with(int argc, char **argv) {
  struct sp_error error;
  struct sp_cli *cli = NULL;
  struct sp_fixture_plan plan = {0};
  struct sp_supervisor supervisor;
  int code = 0;
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (!err && cli->help) return sp_cli_help(stdout, &verb);
  if (!err) err = read_plan(cli, &plan, &error);
  if (!err) err = sp_cli_load(cli, &plan.scenario, &error);
  if (!err) err = sp_supervisor_init(&supervisor, &error);
  if (!err) {
    err = sp_fixture_run(&plan, &supervisor, &code, &error);
    sp_supervisor_done(&supervisor);
  }
  int told = err ? sp_cli_report(&verb, &error) : 0;
  sp_scenario_free(plan.scenario);
  sp_cli_free(cli);
  return code ? code : told;
}
