// Reads the arguments of a verb: `--flag value`, `--flag=value`, `-X value`, `-Xvalue`, operands, `--` before operands only.
//
//   static const struct sp_option options[] = {{"--out", 0, "DIR", NULL, "where results go"}, {0}};
//   struct sp_args args = sp_args_of("inspect", argc, argv, options);
//   for (;;) switch (sp_args_next(&args, &option, &value, &error)) { ... }
#ifndef SP_BASE_ARGS_H
#define SP_BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct sp_option {
  const char *flag;     // "--out"; a zeroed option ends a list
  char letter;          // 'X': also -X; 0: none
  const char *value;    // what the value is: "DIR"; NULL: takes none
  const char *standard; // the default, for --help; NULL: none
  const char *help;     // one line, no full stop
};

struct sp_args {
  const char *verb; // for messages
  int argc;
  char **argv;
  const struct sp_option *options;
  int next_i;
  bool operands_only; // after --
};

// argv[0] is the verb itself and is not looked at.
struct sp_args sp_args_of(const char *verb, int argc, char **argv, const struct sp_option *options);

enum sp_arg { SP_ARG_END, SP_ARG_OPTION, SP_ARG_OPERAND, SP_ARG_HELP, SP_ARG_ERROR };

// The next argument. OPTION: *option and *value ("" where it takes none); OPERAND: *value. HELP: --help or -h. ERROR: an
// unknown flag (with the nearest one), a value missing, empty or given to a flag that takes none; *error has SP_ERR_USAGE. Values
// point into argv. A value that starts with "--" must be written --flag=value.
enum sp_arg sp_args_next(struct sp_args *args, const struct sp_option **option, const char **value,
                         struct sp_error *error);

// One aligned line an option: `  --out DIR            where results go (default results)`.
void sp_args_print_options(FILE *to, const struct sp_option *options);

#endif
