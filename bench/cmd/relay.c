// servepath relay (hidden): a TCP relay that breaks what passes, as it is told on its standard input; see fault/relay.h for the
// commands. Each is answered with a line of JSON: {"command":"pause","ok":true}.
#include "fault/relay.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/printable.h"
#include "base/units.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "os/process.h"
#include "os/thread.h"

#define VERB "relay"

static const struct sp_option options[] = {
    {"--listen", 0, "ADDRESS", "127.0.0.1:0", "HOST:PORT (port 0: a free one) or unix:PATH"},
    {"--target", 0, "ADDRESS", NULL, "where connections are passed on to: HOST:PORT or unix:PATH"},
    {"--delay", 0, "TIME", NULL, "each way, from the start"},
    {"--ready-file", 0, "FILE", NULL, "gets the line of stdout once the relay is ready"},
    {"--parent", 0, "PID", NULL, "end when this process, the parent, ends"},
    {0},
};

struct arguments {
  const char *listen, *target, *delay, *ready_file;
  uint64_t parent;
  bool wants_help;
};

struct service {
  struct sp_relay *relay;
  enum sp_err err;
  struct sp_error error;
};

static enum sp_err read_option(struct arguments *arguments, const char *flag, const char *value,
                               struct sp_error *error) {
  struct sp_error why;
  if (strcmp(flag, "--listen") == 0) arguments->listen = value;
  if (strcmp(flag, "--target") == 0) arguments->target = value;
  if (strcmp(flag, "--delay") == 0) arguments->delay = value;
  if (strcmp(flag, "--ready-file") == 0) arguments->ready_file = value;
  if (strcmp(flag, "--parent") == 0 && sp_units_parse_count(value, &arguments->parent, &why))
    return sp_fail(error, SP_ERR_USAGE, "--parent: %s", why.text);
  return SP_OK;
}

static enum sp_err read_arguments(int argc, char **argv, struct arguments *arguments,
                                  struct sp_error *error) {
  struct sp_args args = sp_args_of(VERB, argc, argv, options);
  const struct sp_option *option;
  const char *value;
  for (;;) {
    enum sp_err err = SP_OK;
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END:
      return arguments->target
                 ? SP_OK
                 : sp_fail(error, SP_ERR_USAGE, "--target is missing; name where connections go, HOST:PORT");
    case SP_ARG_HELP: arguments->wants_help = true; return SP_OK;
    case SP_ARG_OPTION: err = read_option(arguments, option->flag, value, error); break;
    case SP_ARG_OPERAND: return sp_fail(error, SP_ERR_USAGE, "\"%s\" is no option; see --help", value);
    case SP_ARG_ERROR: return error->code;
    }
    if (err) return err;
  }
}

static void print_json(json_t *json) {
  char *text = json_dumps(json, JSON_COMPACT);
  if (text) puts(text);
  fflush(stdout);
  free(text);
  json_decref(json);
}

static void answer(void *context, const char *command, const struct sp_error *error) {
  (void)context;
  char *shown = sp_printable_text(command), *why = sp_printable_text(error ? error->text : "");
  json_t *json = json_pack("{s:s,s:b}", "command", shown, "ok", error == NULL);
  if (error) json_object_set_new(json, "error", json_string(why));
  free(shown);
  free(why);
  print_json(json);
}

static enum sp_err say_ready(const struct sp_relay *relay, const char *ready_file, struct sp_error *error) {
  char *line = sp_format("{\"ready\":true,\"part\":\"relay\",\"address\":\"%s\"}\n", sp_relay_address(relay));
  enum sp_err err = ready_file ? sp_files_write(ready_file, sp_bytes_of_text(line), error) : SP_OK;
  if (!err) {
    fputs(line, stdout);
    fflush(stdout);
  }
  free(line);
  return err;
}

static enum sp_err begin_with_delay(struct sp_relay *relay, const char *delay, struct sp_error *error) {
  char *command = sp_format("delay %s", delay);
  enum sp_err err = sp_relay_command(relay, command, error);
  free(command);
  return err;
}

// Ends the process's wait for a signal where serving failed.
static void serve(void *context) {
  struct service *service = context;
  service->err = sp_relay_run(service->relay, STDIN_FILENO, answer, NULL, &service->error);
  if (service->err) kill(getpid(), SIGTERM);
}

static enum sp_err run(const struct arguments *arguments, const sigset_t *signals, int *signal,
                       struct sp_error *error) {
  struct service service = {NULL, SP_OK, {0}};
  struct sp_thread thread = {0};
  enum sp_err err = sp_relay_new(arguments->listen, arguments->target, &service.relay, error);
  if (!err && arguments->delay) err = begin_with_delay(service.relay, arguments->delay, error);
  if (!err) err = say_ready(service.relay, arguments->ready_file, error);
  if (!err) err = sp_thread_start(&thread, "sp-relay", NULL, serve, &service, error);
  if (!err) {
    while (sigwait(signals, signal) != 0) {
    }
    sp_relay_stop(service.relay);
    sp_thread_join(&thread);
    err = service.err;
    if (err) *error = service.error;
  }
  sp_relay_free(service.relay);
  if (arguments->ready_file) unlink(arguments->ready_file);
  return err;
}

int sp_cmd_relay(int argc, char **argv) {
  struct arguments arguments = {.listen = "127.0.0.1:0"};
  struct sp_error error = {0};
  int signal = SIGTERM;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  enum sp_err err = read_arguments(argc, argv, &arguments, &error);
  if (!err && arguments.wants_help) {
    printf("servepath relay --target ADDRESS [OPTIONS]: a TCP relay that breaks what passes, as told on "
           "stdin\n");
    sp_args_print_options(stdout, options);
    printf("commands: pause, resume, delay 5ms, reset, cut, heal, drop-after 1000\n");
    return 0;
  }
  if (!err) {
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (arguments.parent) sp_process_end_with_parent((pid_t)arguments.parent, SIGTERM);
    err = run(&arguments, &signals, &signal, &error);
  }
  if (err) fprintf(stderr, "servepath: %s: %s\n", VERB, error.text);
  return err ? sp_exit_code(err) : signal == SIGTERM ? 0 : 128 + signal;
}
