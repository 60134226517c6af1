// The page of --help, from the tables.
#include <stdlib.h>
#include <string.h>

#include "scenario/flags.h"

// "time in front (load.warmup, default 2s)"; choices are listed.
static void print_key(FILE *to, const struct sp_option *option, const struct sp_key *key, const char *path) {
  char left[64];
  snprintf(left, sizeof left, "%s%s%s", option->flag, option->value ? " " : "",
           option->value ? option->value : "");
  fprintf(to, "  %-26s %s (%s", left, option->help, path);
  if (key->kind == SP_KIND_CHOICE) fprintf(to, ": %s", key->choices);
  if (key->standard) fprintf(to, "; default %s", key->standard);
  fputs(")\n", to);
}

static void print_group(FILE *to, const char *key) {
  if (strncmp(key, "sides.*.server.", 15) == 0)
    fprintf(to, "The model server of each side:\n");
  else if (strncmp(key, "sides.", 6) == 0)
    fprintf(to, "Every side (for one: --side NAME,key=value):\n");
  else
    fprintf(to, "%.*s:\n", (int)strcspn(key, "."), key);
}

static size_t group_length(const char *key) {
  return strncmp(key, "sides.*.server.", 15) == 0 ? 15 : strcspn(key, ".");
}

int sp_cli_help(FILE *to, const struct sp_cli_verb *verb) {
  struct sp_flags flags;
  sp_flags_init(&flags, verb);
  fprintf(to, "servepath %s %s: %s\n", verb->name, verb->use, verb->about);
  fprintf(to, "SCENARIO is a folder that holds scenario.yaml, or a YAML file. Quantities carry units: 250us "
              "10ms 30s, "
              "2000/s, 0.1%%.\n");
  struct sp_option end = flags.options[flags.n_before_keys];
  flags.options[flags.n_before_keys] = (struct sp_option){0};
  fprintf(to, "Options:\n");
  sp_args_print_options(to, flags.options);
  flags.options[flags.n_before_keys] = end;
  const char *group = "";
  for (size_t i = flags.n_before_keys; i < flags.n; i++) {
    size_t n = group_length(flags.keys[i]);
    if (n != group_length(group) || strncmp(group, flags.keys[i], n) != 0) print_group(to, flags.keys[i]);
    group = flags.keys[i];
    print_key(to, &flags.options[i], flags.declared[i], flags.keys[i]);
  }
  if (verb->next) fprintf(to, "next: %s\n", verb->next);
  sp_flags_done(&flags);
  return 0;
}

int sp_cli_report(const struct sp_cli_verb *verb, const struct sp_error *error) {
  fprintf(stderr, "servepath %s: %s\n", verb->name, error->text);
  return sp_exit_code(error->code);
}
