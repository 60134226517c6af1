// servepath app: the streaming application as a deployable member of a consumer group, also what a trial over Kafka measures.
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/service.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/verbs.h"
#include "os/process.h"
#include "scenario/cli.h"

static const struct sp_option options[] = {
    {"--input-topic", 0, "TOPIC", NULL, "topic to read (default: topics.input)"},
    {"--output-topic", 0, "TOPIC", NULL, "topic to write (default: topics.output)"},
    {"--member", 0, "N", NULL,
     "its number among the applications of the group; exactly-once needs one of its own for each, the same "
     "again after a "
     "restart"},
    {"--server-address", 0, "ADDRESS", NULL, "model server of path rpc (default: the side's server)"},
    {"--ready-file", 0, "FILE", NULL, "gets the first line of stdout once partitions are assigned"},
    {"--grace", 0, "TIME", "5s", "on SIGTERM, how long what is under way may take"},
    {"--broker-timeout", 0, "TIME", "10s", "how long broker, topics and group may take at the start"},
    {"--parent", 0, "PID", NULL, "end when this process, the parent, ends"},
    {0}};
static const struct sp_cli_verb verb = {
    .name = "app",
    .use = "SCENARIO --broker HOST:PORT [OPTIONS]",
    .about = "a streaming application between two Kafka topics: consume, predict, produce, until SIGTERM",
    .takes = SP_CLI_SIDE,
    .options = options};
const struct sp_cli_verb *const sp_cmd_app_verb = &verb;

static enum sp_err duration_of(const struct sp_cli *cli, const char *flag, int64_t standard_ns, int64_t *ns,
                               struct sp_error *error) {
  struct sp_error what;
  const char *text = sp_cli_value(cli, flag);
  *ns = standard_ns;
  if (!text || sp_units_parse_duration(text, ns, &what) == SP_OK) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s: %s", flag, what.text);
}

static enum sp_err count_of(const struct sp_cli *cli, const char *flag, uint64_t standard, uint64_t *count,
                            struct sp_error *error) {
  struct sp_error what;
  const char *text = sp_cli_value(cli, flag);
  *count = standard;
  if (!text || sp_units_parse_count(text, count, &what) == SP_OK) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s: %s", flag, what.text);
}

static enum sp_err choose_side(const struct sp_cli *cli, struct sp_app_service *service,
                               struct sp_error *error) {
  if (cli->n_sides > 1)
    return sp_fail(error, SP_ERR_USAGE, "one --side at a time; start servepath app once for each");
  service->side = sp_scenario_side(service->scenario, cli->n_sides ? cli->sides[0].name : NULL);
  if (service->side) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "the scenario has no side; write one, or --side NAME,path=embedded");
}

// Who starts an application says where, whatever the side would say to a trial.
static bool is_told_a_broker(const struct sp_cli *cli) {
  bool is_told = false;
  for (size_t i = 0; i < cli->n_settings; i++) is_told |= strcmp(cli->settings[i].key, "stream.broker") == 0;
  return is_told;
}

static enum sp_err choose_broker(const struct sp_cli *cli, struct sp_app_service *service,
                                 struct sp_error *error) {
  const struct sp_scenario own = sp_scenario_of_side(service->scenario, service->side);
  const struct sp_stream_conf *conf = is_told_a_broker(cli) ? &service->scenario->stream : &own.stream;
  if (conf->transport == SP_TRANSPORT_DIRECT && !conf->broker)
    return sp_fail(error, SP_ERR_USAGE, "needs the broker that it shall join: --broker HOST:PORT");
  service->broker = conf->broker;
  if (conf->broker && strcmp(conf->broker, "mock") != 0 && strcmp(conf->broker, "kafka") != 0) return SP_OK;
  return sp_fail(
      error, SP_ERR_USAGE,
      "--broker %s is started for a trial and ends with it; start one (servepath broker, scripts/kafka "
      "start) and write --broker HOST:PORT",
      conf->broker ? conf->broker : "mock");
}

static enum sp_err choose_topics(const struct sp_cli *cli, struct sp_app_service *service,
                                 struct sp_error *error) {
  const struct sp_topics_conf *conf = &service->scenario->topics;
  service->input_topic = sp_cli_value(cli, "--input-topic");
  service->output_topic = sp_cli_value(cli, "--output-topic");
  if (!service->input_topic) service->input_topic = conf->input;
  if (!service->output_topic) service->output_topic = conf->output;
  if (!service->input_topic || !service->output_topic)
    return sp_fail(error, SP_ERR_USAGE, "needs two topics: --input-topic TOPIC --output-topic TOPIC");
  if (strcmp(service->input_topic, service->output_topic) != 0) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--output-topic: %.200s is the input topic too; name another",
                 service->output_topic);
}

static enum sp_err choose_server(const struct sp_cli *cli, struct sp_app_service *service,
                                 struct sp_error *error) {
  const char *given = sp_cli_value(cli, "--server-address");
  if (strcmp(service->side->path.path, "rpc") != 0) {
    if (!given) return SP_OK;
    return sp_fail(error, SP_ERR_USAGE,
                   "--server-address: side %s takes path %s, which asks no server; leave it out",
                   service->side->name, service->side->path.path);
  }
  service->server_address = given ? given : service->side->rpc.address;
  if (service->server_address && !sp_rpc_is_started(service->server_address)) return SP_OK;
  return sp_fail(
      error, SP_ERR_USAGE,
      "side %s wants a model server started, which only a trial does; start servepath model-server and write "
      "--server-address HOST:PORT",
      service->side->name);
}

static enum sp_err choose_group(const struct sp_cli *cli, struct sp_app_service *service, char **own,
                                struct sp_error *error) {
  const struct sp_app_conf *conf = &service->side->app;
  if (conf->delivery == SP_DELIVERY_EXACTLY_ONCE && !sp_cli_value(cli, "--member"))
    return sp_fail(
        error, SP_ERR_USAGE,
        "exactly-once needs --member N: a number for each application of the group, the same again after a "
        "restart, so that the one before is fenced off and no other is");
  *own = conf->group ? NULL : sp_format("servepath-%s-%s", service->scenario->name, service->side->name);
  service->group = conf->group ? conf->group : *own;
  return count_of(cli, "--member", 1, &service->member, error);
}

static enum sp_err fill(const struct sp_cli *cli, struct sp_app_service *service, char **own,
                        struct sp_error *error) {
  service->ready_file = sp_cli_value(cli, "--ready-file");
  enum sp_err err = choose_side(cli, service, error);
  if (err) return err;
  SP_ASSERT(service->side != NULL);
  err = choose_broker(cli, service, error);
  if (!err) err = choose_topics(cli, service, error);
  if (!err) err = choose_server(cli, service, error);
  if (!err) err = choose_group(cli, service, own, error);
  if (!err) err = duration_of(cli, "--grace", 5 * SP_NS_PER_S, &service->grace_ns, error);
  if (!err) err = duration_of(cli, "--broker-timeout", 10 * SP_NS_PER_S, &service->connect_timeout_ns, error);
  return err;
}

static enum sp_err run(const struct sp_cli *cli, const sigset_t *signals, struct sp_error *error) {
  struct sp_scenario *scenario = NULL;
  char *group = NULL;
  uint64_t parent = 0;
  enum sp_err err = count_of(cli, "--parent", 0, &parent, error);
  if (parent) sp_process_end_with_parent((pid_t)parent, SIGTERM);
  if (!err) err = sp_cli_load(cli, &scenario, error);
  struct sp_app_service service = {.scenario = scenario};
  if (!err) err = fill(cli, &service, &group, error);
  struct sp_scenario own = {0};
  if (!err) own = sp_scenario_of_side(scenario, service.side);
  service.scenario = &own;
  if (!err) err = sp_app_serve(&service, signals, error);
  free(group);
  sp_scenario_free(scenario);
  return err;
}

int sp_cmd_app(int argc, char **argv) {
  struct sp_error error;
  struct sp_cli *cli = NULL;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, NULL); // before any library starts a thread
  signal(SIGPIPE, SIG_IGN);
  // What one thread allocates another frees, message by message: of one arena it comes back warm. With an arena for each thread
  // an event costs two thirds more.
  mallopt(M_ARENA_MAX, 1);
  enum sp_err err = sp_cli_parse(&verb, argc, argv, &cli, &error);
  if (!err && cli->help) {
    sp_cli_free(cli);
    return sp_cli_help(stdout, &verb);
  }
  if (!err) err = run(cli, &signals, &error);
  sp_cli_free(cli);
  return err ? sp_cli_report(&verb, &error) : 0;
}
