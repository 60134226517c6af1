// One loop over the arguments of a verb.
#include "base/args.h"

#include <string.h>

#include "base/names.h"

#define OPTIONS_MAX 128

struct sp_args sp_args_of(const char *verb, int argc, char **argv, const struct sp_option *options) {
  return (struct sp_args){verb, argc, argv, options, 1, false};
}

static enum sp_arg unknown(const struct sp_args *args, const char *arg, struct sp_error *error) {
  const char *names[OPTIONS_MAX];
  char flag[64];
  size_t n = 0;
  snprintf(flag, sizeof flag, "%.*s", (int)strcspn(arg, "="), arg);
  for (const struct sp_option *option = args->options; option->flag && n < OPTIONS_MAX - 1; option++)
    names[n++] = option->flag;
  names[n++] = "--help";
  const char *nearest = sp_names_nearest(flag, names, n);
  if (nearest)
    sp_fail(error, SP_ERR_USAGE, "unknown option %s; did you mean %s?", flag, nearest);
  else
    sp_fail(error, SP_ERR_USAGE, "unknown option %s; servepath %s --help lists them", flag, args->verb);
  return SP_ARG_ERROR;
}

static const struct sp_option *find_flag(const struct sp_option *options, const char *flag, size_t n_flag) {
  for (; options->flag; options++) {
    if (strlen(options->flag) == n_flag && memcmp(options->flag, flag, n_flag) == 0) return options;
  }
  return NULL;
}

static const struct sp_option *find_letter(const struct sp_option *options, char letter) {
  for (; options->flag; options++) {
    if (options->letter && options->letter == letter) return options;
  }
  return NULL;
}

// `inside` is the value written with the flag itself, NULL if there is none.
static enum sp_arg take_value(struct sp_args *args, const struct sp_option *option, const char *inside,
                              const char **value, struct sp_error *error) {
  if (!option->value) {
    *value = "";
    if (!inside) return SP_ARG_OPTION;
    sp_fail(error, SP_ERR_USAGE, "%s takes no value; leave out \"%.60s\"", option->flag, inside);
    return SP_ARG_ERROR;
  }
  if (!inside && args->next_i < args->argc && strncmp(args->argv[args->next_i], "--", 2) != 0)
    inside = args->argv[args->next_i++];
  if (inside && !*inside) { // a variable of a script that is not set
    sp_fail(error, SP_ERR_USAGE, "%s is empty; write %s %s, or leave it out", option->flag, option->flag,
            option->value);
    return SP_ARG_ERROR;
  }
  if (inside) {
    *value = inside;
    return SP_ARG_OPTION;
  }
  sp_fail(error, SP_ERR_USAGE, "%s needs a value; write %s %s", option->flag, option->flag, option->value);
  return SP_ARG_ERROR;
}

enum sp_arg sp_args_next(struct sp_args *args, const struct sp_option **option, const char **value,
                         struct sp_error *error) {
  *option = NULL;
  *value = NULL;
  if (args->next_i >= args->argc) return SP_ARG_END;
  const char *arg = args->argv[args->next_i++];
  if (!args->operands_only && strcmp(arg, "--") == 0) {
    args->operands_only = true;
    return sp_args_next(args, option, value, error);
  }
  if (args->operands_only || arg[0] != '-' || arg[1] == '\0') {
    *value = arg;
    return SP_ARG_OPERAND;
  }
  if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) return SP_ARG_HELP;
  const char *inside;
  if (arg[1] == '-') {
    size_t n_flag = strcspn(arg, "=");
    *option = find_flag(args->options, arg, n_flag);
    inside = arg[n_flag] ? arg + n_flag + 1 : NULL;
  } else {
    *option = find_letter(args->options, arg[1]);
    inside = arg[2] ? arg + 2 : NULL;
  }
  return *option ? take_value(args, *option, inside, value, error) : unknown(args, arg, error);
}

void sp_args_print_options(FILE *to, const struct sp_option *options) {
  for (; options->flag; options++) {
    char left[64], letter[8] = "";
    if (options->letter) snprintf(letter, sizeof letter, "-%c, ", options->letter);
    snprintf(left, sizeof left, "%s%s%s%s", letter, options->flag, options->value ? " " : "",
             options->value ? options->value : "");
    fprintf(to, "  %-26s %s", left, options->help);
    if (options->standard) fprintf(to, " (default %s)", options->standard);
    fputc('\n', to);
  }
}
