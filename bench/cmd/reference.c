// servepath reference: schema, reference page and help text, from the tables of keys and of the verbs' options.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "cmd/verbs.h"
#include "scenario/cli.h"
#include "scenario/reference.h"

static const struct sp_option options[] = {
    {"--schema", 0, NULL, NULL, "JSON Schema of scenarios (proto/scenario.schema.json)"},
    {"--markdown", 0, NULL, NULL, "every key, and every verb's options (docs/reference.md)"},
    {"--help-text", 0, NULL, NULL, "the options of a verb that takes a scenario"},
    {"--resolve", 0, "SCENARIO", NULL, "a scenario with all its defaults, as results hold it"},
    {0},
};

static int print_help(FILE *to) {
  fprintf(to, "servepath reference OPTION: pages made from the tables of keys\n");
  sp_args_print_options(to, options);
  return to == stdout ? 0 : 64;
}

static int fail(const struct sp_error *error) {
  fprintf(stderr, "servepath reference: %s\n", error->text);
  return sp_exit_code(error->code);
}

static int print_resolved(const char *path) {
  struct sp_scenario *scenario;
  struct sp_error error;
  if (sp_scenario_load(path, NULL, 0, NULL, 0, &scenario, &error)) return fail(&error);
  puts(scenario->resolved_json);
  sp_scenario_free(scenario);
  return 0;
}

// Every verb that servepath --help lists, with what its own --help is made of (tests/cli/reference.sh).
static void print_markdown(void) {
  const struct sp_reference_verb verbs[] = {
      {"compare", NULL, sp_cmd_compare_verb},
      {"search", NULL, sp_cmd_search_verb},
      {"gate", NULL, sp_cmd_gate_verb},
      {"report", sp_cmd_report_options, NULL},
      {"verify", NULL, sp_cmd_verify_verb},
      {"with", NULL, sp_cmd_with_verb},
      {"run", NULL, sp_cmd_run_verb},
      {"merge", sp_cmd_merge_options, NULL},
      {"new", sp_cmd_new_options, NULL},
      {"import", sp_cmd_import_options, NULL},
      {"export", sp_cmd_export_options, NULL},
      {"record", sp_cmd_record_options, NULL},
      {"inspect", sp_cmd_inspect_options, NULL},
      {"app", NULL, sp_cmd_app_verb},
      {"model-server", sp_cmd_model_server_options(), NULL},
      {"broker", sp_cmd_broker_options, NULL},
      {"topics", sp_cmd_topics_options, NULL},
      {"doctor", sp_cmd_doctor_options, NULL},
      {0},
  };
  sp_reference_markdown(stdout, verbs);
}

static int print_page(const char *flag) {
  static const struct sp_cli_verb any = {
      "VERB", "SCENARIO [OPTIONS]", "options of verbs that take a scenario", SP_CLI_TAKEN, NULL, NULL};
  if (strcmp(flag, "--help-text") == 0) return sp_cli_help(stdout, &any);
  if (strcmp(flag, "--markdown") == 0) {
    print_markdown();
    return 0;
  }
  char *schema = sp_reference_schema();
  fputs(schema, stdout);
  free(schema);
  return 0;
}

int sp_cmd_reference(int argc, char **argv) {
  struct sp_args args = sp_args_of("reference", argc, argv, options);
  const struct sp_option *option;
  const char *value;
  struct sp_error error;
  switch (sp_args_next(&args, &option, &value, &error)) {
  case SP_ARG_OPTION: return option->value ? print_resolved(value) : print_page(option->flag);
  case SP_ARG_HELP: return print_help(stdout);
  case SP_ARG_ERROR: return fail(&error);
  default: return print_help(stderr);
  }
}
