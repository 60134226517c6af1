// servepath topics: what the supervisor, which never starts librdkafka, and scripts ask of a broker: is it there, make topics,
// remove them, list them.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/property_arg.h"
#include "cmd/topic_arg.h"
#include "cmd/verbs.h"
#include "stream/admin.h"
#include "stream/groups.h"

#define VERB "topics"

static const struct sp_option options[] = {
    {"--wait", 0, "TIME", "10s", "how long the broker may take to answer"},
    {"--create", 0, "NAME:PARTITIONS", NULL, "make a topic; may be given several times"},
    {"--reuse", 0, NULL, NULL, "a topic to make may exist, with as many partitions"},
    {"--delete", 0, "NAME", NULL, "remove a topic; may be given several times"},
    {"--skip", 0, "GROUP:TOPIC", NULL, "a consumer group without members begins at the topic's end"},
    {"--held", 0, "TOPIC", NULL, "wait until the members of a consumer group hold all of its partitions"},
    {"--members", 0, "N", "1", "with --held: of so many members at least"},
    {"--json", 0, NULL, NULL, "list the topics as JSON"},
    {"--property", 'X', "NAME=VALUE", NULL, "a librdkafka property; a secret as @FILE or $NAME"},
    {0},
};
const struct sp_option *const sp_cmd_topics_options = options;

struct arguments {
  const char *address;
  int64_t wait_ns;
  struct sp_topic_arg made[SP_TOPIC_ARGS_MAX];
  size_t n_made;
  const char *removed[SP_TOPIC_ARGS_MAX];
  size_t n_removed;
  const char *skips; // "GROUP:TOPIC"
  const char *held;
  uint64_t n_members;
  bool reuses, prints_json, wants_help;
  struct sp_property items[SP_PROPERTY_ARGS_MAX];
  struct sp_properties properties; // in `items`
};

static enum sp_err read_option(struct arguments *arguments, const char *flag, const char *value,
                               struct sp_error *error) {
  if (strcmp(flag, "--create") == 0)
    return sp_topic_arg_add(flag, value, arguments->made, &arguments->n_made, error);
  if (strcmp(flag, "--property") == 0) {
    return sp_property_arg_add(value, &arguments->properties, error);
  }
  if (strcmp(flag, "--reuse") == 0) arguments->reuses = true;
  if (strcmp(flag, "--skip") == 0) {
    const char *colon = strchr(value, ':');
    if (!colon || colon == value || !colon[1])
      return sp_fail(error, SP_ERR_USAGE, "--skip: \"%.100s\" is no GROUP:TOPIC", value);
    arguments->skips = value;
  }
  if (strcmp(flag, "--json") == 0) arguments->prints_json = true;
  if (strcmp(flag, "--held") == 0) arguments->held = value;
  if (strcmp(flag, "--delete") == 0) {
    if (arguments->n_removed == SP_TOPIC_ARGS_MAX)
      return sp_fail(error, SP_ERR_USAGE, "--delete: more than %d topics", SP_TOPIC_ARGS_MAX);
    arguments->removed[arguments->n_removed++] = value;
  }
  struct sp_error why;
  if (strcmp(flag, "--members") == 0 && sp_units_parse_count(value, &arguments->n_members, &why))
    return sp_fail(error, SP_ERR_USAGE, "--members: %s", why.text);
  if (strcmp(flag, "--wait") != 0) return SP_OK;
  enum sp_err err = sp_units_parse_duration(value, &arguments->wait_ns, &why);
  return err ? sp_fail(error, err, "--wait: %s", why.text) : SP_OK;
}

static enum sp_err read_arguments(int argc, char **argv, struct arguments *arguments,
                                  struct sp_error *error) {
  struct sp_args args = sp_args_of(VERB, argc, argv, options);
  enum sp_err err = SP_OK;
  while (!err) {
    const struct sp_option *option;
    const char *value;
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END:
      return arguments->address
                 ? SP_OK
                 : sp_fail(error, SP_ERR_USAGE, "no broker named; write servepath topics HOST:PORT");
    case SP_ARG_HELP: arguments->wants_help = true; return SP_OK;
    case SP_ARG_OPTION: err = read_option(arguments, option->flag, value, error); break;
    case SP_ARG_OPERAND:
      if (arguments->address)
        return sp_fail(error, SP_ERR_USAGE, "\"%.100s\": a second broker; separate addresses by commas",
                       value);
      arguments->address = value;
      break;
    case SP_ARG_ERROR: return error->code;
    }
  }
  return err;
}

static void print_help(void) {
  printf("servepath topics HOST:PORT[,HOST:PORT...] [OPTIONS]: wait for a broker; make, remove or list "
         "topics\n");
  sp_args_print_options(stdout, options);
  printf("next: servepath topics 127.0.0.1:9092 --create events:3\n");
}

static void print_json(const struct sp_topic *topics, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(list,
                          json_pack("{s:s, s:i, s:I, s:I}", "topic", topics[i].name, "partitions",
                                    (int)topics[i].partitions, "messages", (json_int_t)topics[i].n_messages,
                                    "dropped", (json_int_t)topics[i].n_dropped));
  }
  json_t *all = json_pack("{s:o}", "topics", list);
  char *text = json_dumps(all, JSON_COMPACT);
  printf("%s\n", text);
  free(text);
  json_decref(all);
}

static void print_table(const struct sp_topic *topics, size_t n) {
  if (!n) printf("no topics\n");
  if (n) printf("%-40s %10s %12s %12s\n", "topic", "partitions", "messages", "dropped");
  for (size_t i = 0; i < n; i++) {
    printf("%-40s %10d %12lld %12lld\n", topics[i].name, (int)topics[i].partitions,
           (long long)topics[i].n_messages, (long long)topics[i].n_dropped);
  }
}

static enum sp_err list(const struct sp_kafka_env *env, const struct arguments *arguments,
                        struct sp_error *error) {
  struct sp_topic *topics;
  size_t n;
  enum sp_err err = sp_admin_list(env, arguments->wait_ns, &topics, &n, error);
  if (err) return err;
  if (arguments->prints_json)
    print_json(topics, n);
  else
    print_table(topics, n);
  free(topics);
  return SP_OK;
}

static enum sp_err skip(const struct sp_kafka_env *env, const struct arguments *arguments,
                        struct sp_error *error) {
  const char *topic = strchr(arguments->skips, ':') + 1;
  char *group = sp_format("%.*s", (int)(topic - 1 - arguments->skips), arguments->skips);
  enum sp_err err = sp_admin_skip(env, group, topic, arguments->wait_ns, error);
  free(group);
  return err;
}

static enum sp_err run(struct arguments *arguments, struct sp_error *error) {
  const struct sp_kafka_env env = {.brokers = arguments->address,
                                   .producer = &arguments->properties,
                                   .consumer = &arguments->properties,
                                   .connect_timeout_ns = arguments->wait_ns};
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < arguments->n_made && !err; i++) {
    err = sp_admin_create(&env, arguments->made[i].name, arguments->made[i].partitions, arguments->reuses,
                          arguments->wait_ns, error);
  }
  for (size_t i = 0; i < arguments->n_removed && !err; i++)
    err = sp_admin_delete(&env, arguments->removed[i], arguments->wait_ns, error);
  if (!err && arguments->skips) err = skip(&env, arguments, error);
  if (!err && arguments->held)
    err = sp_groups_wait_held(&env, arguments->held, arguments->n_members, arguments->wait_ns, error);
  bool does = arguments->n_made || arguments->n_removed || arguments->skips || arguments->held;
  bool lists = arguments->prints_json || !does;
  return err || !lists ? err : list(&env, arguments, error);
}

int sp_cmd_topics(int argc, char **argv) {
  struct arguments *arguments = sp_alloc(sizeof *arguments);
  struct sp_error error = {0};
  arguments->wait_ns = 10 * SP_NS_PER_S;
  arguments->n_members = 1;
  arguments->properties.items = arguments->items;
  enum sp_err err = read_arguments(argc, argv, arguments, &error);
  if (!err && arguments->wants_help)
    print_help();
  else if (!err)
    err = run(arguments, &error);
  if (err) fprintf(stderr, "servepath: %s: %s\n", VERB, error.text);
  sp_property_args_done(&arguments->properties);
  free(arguments);
  return sp_exit_code(err);
}
