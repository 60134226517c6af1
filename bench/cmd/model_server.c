// servepath model-server: the reference model server, alone or as a child of a trial.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/units.h"
#include "cmd/verbs.h"
#include "os/files.h"
#include "os/process.h"
#include "scenario/bind.h"
#include "scenario/flags.h"
#include "scenario/scenario.h"
#include "scenario/setting.h"
#include "server/server.h"

#define VERB "model-server"

// Beside these, every key of the server's table is a flag (server/conf.c).
static const struct sp_option own_options[] = {
    {"--model", 0, "NAME=DIR", NULL,
     "a model, every version folder in DIR; several times for several models"},
    {"--scenario", 0, "SCENARIO", NULL, "serve its model; a stub takes recording and tensors from it"},
    {"--overlay", 0, "FILE", NULL, "lay another file over the scenario"},
    {"--set", 0, "KEY=VALUE", NULL, "set any key of the scenario"},
    {"--address", 0, "ADDRESS", "127.0.0.1:0", "HOST:PORT (port 0: a free one) or unix:PATH"},
    {"--expected", 0, "FILE", NULL, "stub recorded: expected predictions (default: beside the recording)"},
    {"--input", 0, "NAME:DTYPE:[1,30]", NULL, "an input of a stub; several times for several"},
    {"--output", 0, "NAME:DTYPE:[1,1]", NULL, "an output of a stub; several times for several"},
    {"--ready-file", 0, "FILE", NULL, "gets the line of stdout once the server is ready"},
    {"--grace", 0, "TIME", "5s", "on SIGTERM, how long calls under way may take to end"},
    {"--parent", 0, "PID", NULL, "end when this process, the parent, ends"},
    {"--label", 0, "NAME=VERSION", NULL, "a version label; several times for several"},
};
#define N_OWN (sizeof own_options / sizeof own_options[0])

#define N_MODELS_MAX  64
#define N_LAYERS_MAX  64
#define N_OPTIONS_MAX 64

// The arguments as read; texts point into argv or belong to the struct.
struct arguments {
  const struct sp_option *options;
  struct sp_origin origins[N_OPTIONS_MAX]; // of what each option sets; name and folder as the tree wants them
  struct sp_node *told;                    // keys of the server, as given
  struct sp_server_conf conf;
  struct sp_server_env env;
  struct sp_server_counts counts;
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

// --- The keys of the server as flags: max_batch is --max-batch ---

static char *flag_of(const struct sp_key *key) {
  char *flag = sp_format("--%s", key->name);
  for (char *at = flag; *at; at++) {
    if (*at == '_') *at = '-';
  }
  return flag;
}

static char *form_of(const struct sp_key *key) {
  char *form = sp_copy_text(key->choices ? key->choices : sp_kind_form(key->kind));
  for (char *at = form; *at; at++) {
    if (*at == ' ') *at = '|';
  }
  return form;
}

const struct sp_option *sp_cmd_model_server_options(void) {
  static struct sp_option options[N_OPTIONS_MAX];
  if (options[0].flag) return options;
  size_t n = N_OWN;
  memcpy(options, own_options, sizeof own_options);
  for (const struct sp_key *key = sp_server_table.keys; key->name; key++) {
    if (key->kind == SP_KIND_PROPERTIES) continue; // --label
    SP_ASSERT(n + 1 < N_OPTIONS_MAX);
    options[n++] = (struct sp_option){flag_of(key), 0, form_of(key), key->standard, key->help};
  }
  return options;
}

static void add_options(struct arguments *arguments) {
  arguments->options = sp_cmd_model_server_options();
  for (size_t i = 0; arguments->options[i].flag; i++) {
    arguments->origins[i] =
        (struct sp_origin){(char *)(uintptr_t)arguments->options[i].flag, (char *)(uintptr_t) ""};
  }
}

// The key that a flag sets; NULL: none.
static const struct sp_key *key_of(const char *flag) {
  for (const struct sp_key *key = sp_server_table.keys; key->name; key++) {
    char *own = flag_of(key);
    bool is_it = strcmp(own, flag) == 0;
    free(own);
    if (is_it) return key;
  }
  return NULL;
}

static enum sp_err set_key(struct arguments *arguments, const struct sp_option *option, const char *key,
                           const char *value, struct sp_error *error) {
  const struct sp_setting setting = {key, value, option->flag};
  const struct sp_origin *origin = &arguments->origins[option - arguments->options];
  return sp_setting_apply(arguments->told, &sp_server_table, origin, &setting, error);
}

static enum sp_err add_label(struct arguments *arguments, const struct sp_option *option, const char *value,
                             struct sp_error *error) {
  const char *equals = strchr(value, '=');
  if (!equals || equals == value)
    return sp_fail(error, SP_ERR_USAGE, "--label %s: write NAME=VERSION", value);
  char *key = sp_format("labels.%.*s", (int)(equals - value), value);
  enum sp_err err = set_key(arguments, option, key, equals + 1, error);
  free(key);
  return err;
}

// --- The others ---

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

static enum sp_err add_overlay(struct arguments *arguments, const char *value, struct sp_error *error) {
  if (arguments->n_overlays == N_LAYERS_MAX)
    return sp_fail(error, SP_ERR_USAGE, "--overlay: more than %d of them", N_LAYERS_MAX);
  arguments->overlays[arguments->n_overlays++] = value;
  return SP_OK;
}

static enum sp_err read_quantity(const char *flag, const char *value, int64_t *ns, uint64_t *count,
                                 struct sp_error *error) {
  struct sp_error why;
  enum sp_err err = ns ? sp_units_parse_duration(value, ns, &why) : sp_units_parse_count(value, count, &why);
  return err ? sp_fail(error, err, "%s: %s", flag, why.text) : SP_OK;
}

static enum sp_err read_option(struct arguments *arguments, const struct sp_option *option, const char *value,
                               struct sp_error *error) {
  struct sp_server_env *env = &arguments->env;
  const char *flag = option->flag;
  const struct sp_key *key = key_of(flag);
  if (key) return set_key(arguments, option, key->name, value, error);
  if (strcmp(flag, "--label") == 0) return add_label(arguments, option, value, error);
  if (strcmp(flag, "--model") == 0) return add_model(arguments, value, error);
  if (strcmp(flag, "--set") == 0) return add_setting(arguments, value, error);
  if (strcmp(flag, "--overlay") == 0) return add_overlay(arguments, value, error);
  if (strcmp(flag, "--input") == 0) return add_tensor(flag, value, arguments->inputs, &env->n_inputs, error);
  if (strcmp(flag, "--output") == 0)
    return add_tensor(flag, value, arguments->outputs, &env->n_outputs, error);
  if (strcmp(flag, "--grace") == 0) return read_quantity(flag, value, &arguments->grace_ns, NULL, error);
  if (strcmp(flag, "--parent") == 0) return read_quantity(flag, value, NULL, &arguments->parent, error);
  if (strcmp(flag, "--scenario") == 0) arguments->scenario = value;
  if (strcmp(flag, "--address") == 0) env->address = value;
  if (strcmp(flag, "--expected") == 0) env->expected = value;
  if (strcmp(flag, "--ready-file") == 0) arguments->ready_file = value;
  return SP_OK;
}

static void arguments_init(struct arguments *arguments) {
  static const struct sp_origin origin = {(char *)(uintptr_t)VERB, (char *)(uintptr_t) ""};
  add_options(arguments);
  arguments->told = sp_node_new(SP_NODE_MAPPING, &origin, 0, 0);
  arguments->env = (struct sp_server_env){.conf = &arguments->conf,
                                          .address = "127.0.0.1:0",
                                          .models = arguments->models,
                                          .inputs = arguments->inputs,
                                          .outputs = arguments->outputs,
                                          .counts = &arguments->counts};
  arguments->grace_ns = INT64_C(5000000000);
}

static enum sp_err read_arguments(int argc, char **argv, struct arguments *arguments,
                                  struct sp_error *error) {
  struct sp_args args = sp_args_of(VERB, argc, argv, arguments->options);
  enum sp_err err = SP_OK;
  while (!err) {
    const struct sp_option *option;
    const char *value;
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END: return sp_bind(&sp_server_table, arguments->told, &arguments->conf, error);
    case SP_ARG_HELP: arguments->wants_help = true; return SP_OK;
    case SP_ARG_OPTION: err = read_option(arguments, option, value, error); break;
    case SP_ARG_OPERAND:
      return sp_fail(error, SP_ERR_USAGE, "\"%s\" is no option; a model is given as --model NAME=DIR", value);
    case SP_ARG_ERROR: return error->code;
    }
  }
  return err;
}

static void arguments_done(struct arguments *arguments) {
  for (size_t i = 0; i < arguments->env.n_models; i++) free(arguments->names[i]);
  for (size_t i = 0; i < arguments->n_settings; i++) free(arguments->keys[i]);
  sp_node_free(arguments->told);
  sp_bind_free(&sp_server_table, &arguments->conf);
  free(arguments);
}

// --- The verb ---

static void print_help(const struct sp_option *options) {
  printf("servepath model-server [OPTIONS]: the reference model server (TensorFlow Serving's protocol and "
         "KServe v2, over gRPC)\n");
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

// What it did, for whoever counts how often an event was asked about.
static void say_end(const struct sp_server_counts *counts) {
  printf("{\"event\":\"end\",\"predictions\":%llu,\"requests\":%llu}\n",
         (unsigned long long)counts->n_predictions, (unsigned long long)counts->n_requests);
  fflush(stdout);
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
    if (!err) say_end(&arguments->counts);
  }
  if (scenario) sp_scenario_free(scenario);
  return err;
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
  arguments_init(arguments);
  enum sp_err err = read_arguments(argc, argv, arguments, &error);
  if (!err && arguments->wants_help) {
    print_help(arguments->options);
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
