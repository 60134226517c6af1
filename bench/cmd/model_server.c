// servepath model-server: the reference model server, alone or as a child of a trial.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/names.h"
#include "base/units.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "os/process.h"
#include "scenario/scenario.h"
#include "server/server.h"

#define VERB "model-server"

static const struct sp_option options[] = {
    {"--model", 0, "NAME=DIR", NULL,
     "a model, every version folder in DIR; several times for several models"},
    {"--scenario", 0, "SCENARIO", NULL, "serve its model; a stub takes recording and tensors from it"},
    {"--overlay", 0, "FILE", NULL, "lay another file over the scenario"},
    {"--set", 0, "KEY=VALUE", NULL, "set any key of the scenario"},
    {"--address", 0, "ADDRESS", "127.0.0.1:0", "HOST:PORT (port 0: a free one) or unix:PATH"},
    {"--threads", 0, "N", "1", "threads that serve and infer"},
    {"--engine", 0, "NAME", "onnxruntime", "library that runs the models"},
    {"--max-batch", 0, "N", "64", "rows of one request at most"},
    {"--stub", 0, "recorded|fixed|echo", "none", "answer without any engine"},
    {"--expected", 0, "FILE", NULL, "stub recorded: expected predictions (default: beside the recording)"},
    {"--fixed-value", 0, "X", "0.5", "stub fixed: what every element of every output is"},
    {"--input", 0, "NAME:DTYPE:[1,30]", NULL, "an input of a stub; several times for several"},
    {"--output", 0, "NAME:DTYPE:[1,1]", NULL, "an output of a stub; several times for several"},
    {"--delay", 0, "DELAY", NULL,
     "time for each answer: 5ms, exp:2ms, uniform:1ms..3ms, lognormal:median=1ms,p99=10ms, file:FILE; "
     "serial:DELAY one "
     "call at a time"},
    {"--fail", 0, "RULES", NULL,
     "UNAVAILABLE:1%, UNAVAILABLE:every=100 or UNAVAILABLE:at=17, several by comma"},
    {"--seed", 0, "N", "1", "of delays and failures"},
    {"--delay-log", 0, "FILE", NULL, "gets every delay as it was, in ns, a line each"},
    {"--ready-file", 0, "FILE", NULL, "gets the line of stdout once the server is ready"},
    {"--grace", 0, "TIME", "5s", "on SIGTERM, how long calls under way may take to end"},
    {"--parent", 0, "PID", NULL, "end when this process, the parent, ends"},
    {0},
};

#define N_MODELS_MAX 64
#define N_LAYERS_MAX 64

// The arguments as read; texts point into argv or belong to the struct.
struct arguments {
  struct sp_server_conf conf;
  struct sp_server_env env;
  struct sp_server_model models[N_MODELS_MAX];
  char *names[N_MODELS_MAX]; // of models, freed
  struct sp_tensor_spec inputs[SP_TENSORS_MAX], outputs[SP_TENSORS_MAX];
  const char *scenario, *overlays[N_LAYERS_MAX];
  struct sp_setting settings[N_LAYERS_MAX];
  char *keys[N_LAYERS_MAX]; // of settings, freed
  size_t n_overlays, n_settings;
  const char *ready_file;
  int64_t grace_ns;
  uint64_t parent;
  bool wants_help;
};

static enum sp_err add_model(struct arguments *arguments, const char *value, struct sp_error *error) {
  size_t i = arguments->env.n_models;
  const char *equals = strchr(value, '=');
  if (i == N_MODELS_MAX) return sp_fail(error, SP_ERR_USAGE, "--model: more than %d models", N_MODELS_MAX);
  arguments->names[i] = sp_format("%.*s", (int)(equals ? equals - value : (long)strlen(value)), value);
  arguments->models[i] = (struct sp_server_model){arguments->names[i], equals ? equals + 1 : NULL};
  arguments->env.n_models++;
  return SP_OK;
}

static enum sp_err add_setting(struct arguments *arguments, const char *value, struct sp_error *error) {
  const char *equals = strchr(value, '=');
  size_t i = arguments->n_settings;
  if (!equals) return sp_fail(error, SP_ERR_USAGE, "--set %s: write KEY=VALUE", value);
  if (i == N_LAYERS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "--set: more than %d of them; use --overlay", N_LAYERS_MAX);
  arguments->keys[i] = sp_format("%.*s", (int)(equals - value), value);
  arguments->settings[i] = (struct sp_setting){arguments->keys[i], equals + 1, "--set"};
  arguments->n_settings++;
  return SP_OK;
}

// NAME:DTYPE:[1,30]; a name may hold colons.
static enum sp_err add_tensor(const char *flag, const char *value, struct sp_tensor_spec *specs, size_t *n,
                              struct sp_error *error) {
  struct sp_tensor_spec spec = {0};
  const char *shape = strstr(value, ":["), *type = NULL;
  for (const char *at = value; shape && at < shape; at++) {
    if (*at == ':') type = at + 1;
  }
  char name[32];
  if (type) snprintf(name, sizeof name, "%.*s", (int)(shape - type), type);
  if (!type || type == value + 1 || (size_t)(type - value) > sizeof spec.name || *n == SP_TENSORS_MAX ||
      (spec.dtype = sp_dtype_of_name(name)) == SP_DTYPE_NONE) {
    return sp_fail(error, SP_ERR_USAGE, "%s %s: write NAME:float32:[1,30], %d of them at most", flag, value,
                   SP_TENSORS_MAX);
  }
  snprintf(spec.name, (size_t)(type - value), "%s", value);
  for (const char *at = shape + 1; *at != ']' || !spec.rank;) {
    char *end;
    long long size =
        spec.rank < SP_TENSOR_RANK_MAX && (*at == '[' || *at == ',') ? strtoll(at + 1, &end, 10) : 0;
    if (!size || (size < 1 && spec.rank) || size > INT32_MAX || (*end != ',' && strcmp(end, "]") != 0)) {
      return sp_fail(error, SP_ERR_USAGE,
                     "%s %s: write the shape as [1,30], the batch first, %d dimensions at most", flag, value,
                     SP_TENSOR_RANK_MAX);
    }
    spec.shape[spec.rank++] = size;
    at = end;
  }
  specs[(*n)++] = spec;
  return SP_OK;
}

static enum sp_err read_stub(const char *value, int *stub, struct sp_error *error) {
  char suggestion[96];
  *stub = sp_words_index("none recorded fixed echo", value);
  if (*stub >= 0) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--stub %s is unknown; %s", value,
                 sp_words_suggest("none recorded fixed echo", value, suggestion, sizeof suggestion));
}

// A number or quantity: where it stands and how it is read.
static enum sp_err read_number(struct arguments *arguments, const char *flag, const char *value, bool *is_one,
                               struct sp_error *error) {
  struct sp_server_conf *conf = &arguments->conf;
  const struct {
    const char *flag;
    uint64_t *count;
  } counts[] = {{"--threads", &conf->threads},
                {"--max-batch", &conf->max_batch},
                {"--seed", &conf->seed},
                {"--parent", &arguments->parent}};
  struct sp_error why;
  enum sp_err err = SP_OK;
  *is_one = true;
  size_t i = 0;
  while (i < sizeof counts / sizeof counts[0] && strcmp(counts[i].flag, flag) != 0) i++;
  if (i < sizeof counts / sizeof counts[0])
    err = sp_units_parse_count(value, counts[i].count, &why);
  else if (strcmp(flag, "--fixed-value") == 0)
    err = sp_units_parse_real(value, &conf->fixed_value, &why);
  else if (strcmp(flag, "--grace") == 0)
    err = sp_units_parse_duration(value, &arguments->grace_ns, &why);
  else
    *is_one = false;
  return err ? sp_fail(error, err, "%s: %s", flag, why.text) : SP_OK;
}

// The conf holds char *, which nobody writes through.
static char *lend(const char *value) {
  return (char *)(uintptr_t)value;
}

static enum sp_err read_option(struct arguments *arguments, const char *flag, const char *value,
                               struct sp_error *error) {
  struct sp_server_conf *conf = &arguments->conf;
  struct sp_server_env *env = &arguments->env;
  bool is_number;
  enum sp_err err = read_number(arguments, flag, value, &is_number, error);
  if (is_number) return err;
  if (strcmp(flag, "--model") == 0) return add_model(arguments, value, error);
  if (strcmp(flag, "--set") == 0) return add_setting(arguments, value, error);
  if (strcmp(flag, "--stub") == 0) return read_stub(value, &conf->stub, error);
  if (strcmp(flag, "--input") == 0) return add_tensor(flag, value, arguments->inputs, &env->n_inputs, error);
  if (strcmp(flag, "--output") == 0)
    return add_tensor(flag, value, arguments->outputs, &env->n_outputs, error);
  if (strcmp(flag, "--overlay") == 0) {
    if (arguments->n_overlays == N_LAYERS_MAX) {
      return sp_fail(error, SP_ERR_USAGE, "--overlay: more than %d of them", N_LAYERS_MAX);
    }
    arguments->overlays[arguments->n_overlays++] = value;
  }
  if (strcmp(flag, "--scenario") == 0) arguments->scenario = value;
  if (strcmp(flag, "--address") == 0) env->address = value;
  if (strcmp(flag, "--engine") == 0) conf->engine = lend(value);
  if (strcmp(flag, "--expected") == 0) env->expected = value;
  if (strcmp(flag, "--delay") == 0) conf->delay = lend(value);
  if (strcmp(flag, "--fail") == 0) conf->fail = lend(value);
  if (strcmp(flag, "--delay-log") == 0) conf->delay_log = lend(value);
  if (strcmp(flag, "--ready-file") == 0) arguments->ready_file = value;
  return SP_OK;
}

static enum sp_err read_arguments(int argc, char **argv, struct arguments *arguments,
                                  struct sp_error *error) {
  arguments->conf = (struct sp_server_conf){
      .threads = 1, .engine = lend("onnxruntime"), .max_batch = 64, .fixed_value = 0.5, .seed = 1};
  arguments->env = (struct sp_server_env){.conf = &arguments->conf,
                                          .address = "127.0.0.1:0",
                                          .models = arguments->models,
                                          .inputs = arguments->inputs,
                                          .outputs = arguments->outputs};
  arguments->grace_ns = INT64_C(5000000000);
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
      return sp_fail(error, SP_ERR_USAGE, "\"%s\" is no option; a model is given as --model NAME=DIR", value);
    case SP_ARG_ERROR: return error->code;
    }
  }
  return err;
}

static void print_help(void) {
  printf("servepath model-server [OPTIONS]: the reference model server (TensorFlow Serving's protocol over "
         "gRPC)\n");
  sp_args_print_options(stdout, options);
  printf("next: servepath model-server --scenario fixtures/fraud --address 127.0.0.1:8500\n");
}

// One line on stdout and in the ready file, for whoever waits.
static enum sp_err say_ready(const struct sp_server *server, const char *ready_file, struct sp_error *error) {
  char *line =
      sp_format("{\"ready\":true,\"part\":\"model-server\",\"address\":\"%s\"}\n", sp_server_address(server));
  enum sp_err err = ready_file ? sp_files_write(ready_file, sp_bytes_of_text(line), error) : SP_OK;
  if (!err) {
    fputs(line, stdout);
    fflush(stdout);
  }
  free(line);
  return err;
}

// Which of SIGTERM, SIGINT, SIGHUP came. They are blocked from the start, in every thread.
static int wait_for_signal(const sigset_t *signals) {
  int signal;
  while (sigwait(signals, &signal) != 0) {
  }
  return signal;
}

static enum sp_err run(struct arguments *arguments, const sigset_t *signals, int *signal,
                       struct sp_error *error) {
  struct sp_scenario *scenario = NULL;
  enum sp_err err = SP_OK;
  if (arguments->scenario) {
    err = sp_scenario_load(arguments->scenario, arguments->overlays, arguments->n_overlays,
                           arguments->settings, arguments->n_settings, &scenario, error);
  }
  arguments->env.scenario = scenario;
  struct sp_server *server = NULL;
  if (!err) err = sp_server_start(&arguments->env, &server, error);
  if (!err) err = say_ready(server, arguments->ready_file, error);
  if (!err) *signal = wait_for_signal(signals);
  if (server) {
    bool was_graceful;
    enum sp_err stop =
        sp_server_stop(server, err ? 0 : arguments->grace_ns, &was_graceful, err ? NULL : error);
    if (!err) err = stop;
    if (!was_graceful)
      fprintf(stderr, "servepath: model-server: calls were cancelled after the grace period\n");
    if (arguments->ready_file) unlink(arguments->ready_file);
  }
  if (scenario) sp_scenario_free(scenario);
  return err;
}

static void arguments_done(struct arguments *arguments) {
  for (size_t i = 0; i < arguments->env.n_models; i++) free(arguments->names[i]);
  for (size_t i = 0; i < arguments->n_settings; i++) free(arguments->keys[i]);
  free(arguments);
}

int sp_cmd_model_server(int argc, char **argv) {
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
    // Before any library starts a thread.
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (arguments->parent) sp_process_end_with_parent((pid_t)arguments->parent, SIGTERM);
    err = run(arguments, &signals, &signal, &error);
  }
  if (err) fprintf(stderr, "servepath: %s: %s\n", VERB, error.text);
  arguments_done(arguments);
  return err ? sp_exit_code(err) : signal == SIGTERM ? 0 : 128 + signal;
}
