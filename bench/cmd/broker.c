// servepath broker: librdkafka's mock cluster as a process, until it is told to end.
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/topic_arg.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "os/process.h"
#include "stream/mock.h"

#define VERB "broker"

static const struct sp_option options[] = {
    {"--topic", 0, "NAME:PARTITIONS", NULL, "a topic to make; may be given several times"},
    {"--ready-file", 0, "FILE", NULL, "gets the line of stdout once the broker is ready"},
    {"--parent", 0, "PID", NULL, "end when this process, the parent, ends"},
    {0},
};
const struct sp_option *const sp_cmd_broker_options = options;

struct arguments {
  struct sp_topic_arg topics[SP_TOPIC_ARGS_MAX];
  size_t n_topics;
  const char *ready_file;
  uint64_t parent;
  bool wants_help;
};

static enum sp_err read_option(struct arguments *arguments, const char *flag, const char *value,
                               struct sp_error *error) {
  if (strcmp(flag, "--topic") == 0)
    return sp_topic_arg_add(flag, value, arguments->topics, &arguments->n_topics, error);
  if (strcmp(flag, "--ready-file") == 0) arguments->ready_file = value;
  if (strcmp(flag, "--parent") != 0) return SP_OK;
  struct sp_error why;
  enum sp_err err = sp_units_parse_count(value, &arguments->parent, &why);
  return err ? sp_fail(error, err, "%s: %s", flag, why.text) : SP_OK;
}

static enum sp_err read_arguments(int argc, char **argv, struct arguments *arguments,
                                  struct sp_error *error) {
  struct sp_args args = sp_args_of(VERB, argc, argv, options);
  enum sp_err err = SP_OK;
  while (!err) {
    const struct sp_option *option;
    const char *value;
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END: return SP_OK;
    case SP_ARG_HELP: arguments->wants_help = true; return SP_OK;
    case SP_ARG_OPTION: err = read_option(arguments, option->flag, value, error); break;
    case SP_ARG_OPERAND:
      return sp_fail(error, SP_ERR_USAGE, "\"%s\" is no option; a topic is given as --topic NAME:PARTITIONS",
                     value);
    case SP_ARG_ERROR: return error->code;
    }
  }
  return err;
}

static void print_help(void) {
  printf(
      "servepath broker [OPTIONS]: librdkafka's mock Kafka cluster on a free port of 127.0.0.1\n"
      "Good for counts, correctness and CPU. Its latency is an artefact, it keeps about 5 MB per partition "
      "and drops older messages.\n");
  sp_args_print_options(stdout, options);
  printf("next: servepath broker --topic events:3 --topic answers:3\n");
}

static enum sp_err say_ready(const struct sp_mock *mock, const char *ready_file, struct sp_error *error) {
  char *line = sp_format("{\"ready\":true,\"part\":\"broker\",\"kind\":\"mock\",\"address\":\"%s\"}\n",
                         sp_mock_address(mock));
  enum sp_err err = ready_file ? sp_files_write(ready_file, sp_bytes_of_text(line), error) : SP_OK;
  if (!err) {
    fputs(line, stdout);
    fflush(stdout);
  }
  free(line);
  return err;
}

// A line on stdout each time, for the supervisor, which adds them up; one on stderr for people.
static void on_dropped(void *context, const char *topic, int32_t partition, int64_t n_messages) {
  bool *has_warned = context;
  json_t *event = json_pack("{s:s, s:s, s:i, s:I}", "event", "dropped", "topic", topic, "partition",
                            (int)partition, "messages", (json_int_t)n_messages);
  char *line = json_dumps(event, JSON_COMPACT);
  printf("%s\n", line);
  fflush(stdout);
  free(line);
  json_decref(event);
  if (*has_warned) return;
  *has_warned = true;
  fprintf(stderr,
          "servepath: broker: the mock dropped messages, %lld of topic %s first: it keeps about 5 MB per "
          "partition; send less, or use --broker kafka\n",
          (long long)n_messages, topic);
}

// Until SIGTERM, SIGINT or SIGHUP comes; looks at the limits every second meanwhile.
static enum sp_err serve(struct sp_mock *mock, const sigset_t *signals, int *signal, struct sp_error *error) {
  bool has_warned = false;
  for (;;) {
    *signal = sigtimedwait(signals, NULL, &(struct timespec){.tv_sec = 1});
    if (*signal > 0) return SP_OK;
    if (errno == EINTR) continue;
    enum sp_err err = sp_mock_watch(mock, on_dropped, &has_warned, error);
    if (err) return err;
  }
}

static enum sp_err run(const struct arguments *arguments, const sigset_t *signals, int *signal,
                       struct sp_error *error) {
  struct sp_mock *mock = NULL;
  enum sp_err err = sp_mock_new(&mock, error);
  for (size_t i = 0; i < arguments->n_topics && !err; i++)
    err = sp_mock_topic(mock, arguments->topics[i].name, (int)arguments->topics[i].partitions, error);
  if (!err) err = say_ready(mock, arguments->ready_file, error);
  if (!err) {
    err = serve(mock, signals, signal, error);
    if (arguments->ready_file) unlink(arguments->ready_file);
  }
  sp_mock_free(mock);
  return err;
}

int sp_cmd_broker(int argc, char **argv) {
  struct arguments *arguments = sp_alloc(sizeof *arguments);
  struct sp_error error = {0};
  int signal = SIGTERM;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  enum sp_err err = read_arguments(argc, argv, arguments, &error);
  if (!err && arguments->wants_help) {
    print_help();
  } else if (!err) {
    // Before librdkafka starts threads.
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (arguments->parent) sp_process_end_with_parent((pid_t)arguments->parent, SIGTERM);
    err = run(arguments, &signals, &signal, &error);
  }
  if (err) fprintf(stderr, "servepath: %s: %s\n", VERB, error.text);
  free(arguments);
  return err ? sp_exit_code(err) : signal == SIGHUP ? 128 + SIGHUP : 0;
}
