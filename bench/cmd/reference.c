// servepath reference: schema, reference page and help text, from the tables of keys.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "cmd/verbs.h"
#include "scenario/cli.h"
#include "scenario/reference.h"

static const struct sp_option options[] = {
    {"--schema", 0, NULL, NULL, "JSON Schema of scenarios (proto/scenario.schema.json)"},
    {"--markdown", 0, NULL, NULL, "every key and flag (docs/reference.md)"},
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

static int print_page(const char *flag) {
  static const struct sp_cli_verb any = {
      "VERB", "SCENARIO [OPTIONS]", "options of verbs that take a scenario", SP_CLI_TAKEN, NULL, NULL};
  if (strcmp(flag, "--help-text") == 0) return sp_cli_help(stdout, &any);
  if (strcmp(flag, "--markdown") == 0) {
    sp_reference_markdown(stdout);
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
