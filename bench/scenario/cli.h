// The command line of every verb that takes a SCENARIO. Each flag of the conf tables is a scenario key; the few options that
// are no keys (--out, --json, ...) are listed here once.
//
//   static const struct sp_cli_verb verb = {"run", "SCENARIO [OPTIONS]", "replay ...", SP_CLI_SIDE | SP_CLI_OUT, NULL, NULL};
//   struct sp_cli *cli;
//   if (sp_cli_parse(&verb, argc, argv, &cli, &error)) return sp_cli_report(&verb, &error);
//   if (cli->help) return sp_cli_help(stdout, &verb);
//   if (sp_cli_load(cli, &scenario, &error)) ...
#ifndef SP_SCENARIO_CLI_H
#define SP_SCENARIO_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/args.h"
#include "scenario/scenario.h"

enum sp_cli_takes { // what a verb accepts beside the scenario's keys, --overlay, --set, -X, --quiet and --help
  SP_CLI_SIDE = 1,  // --side NAME[,key=value...], as often as wanted
  SP_CLI_OUT = 2,   // --out DIR, --tag NAME=VALUE
  SP_CLI_EXPORT = 4,   // --json, --export-json FILE, --export-markdown FILE
  SP_CLI_RAW = 8,      // --raw
  SP_CLI_PAIRS = 16,   // --pairs N
  SP_CLI_COMMAND = 32, // operands after --
};
// What some verb takes: the reference lists no other.
#define SP_CLI_TAKEN (SP_CLI_SIDE | SP_CLI_OUT | SP_CLI_EXPORT | SP_CLI_RAW | SP_CLI_PAIRS)

struct sp_cli_verb {
  const char *name;                // "run"
  const char *use;                 // "SCENARIO [OPTIONS]"
  const char *about;               // one line
  unsigned takes;                  // of enum sp_cli_takes
  const struct sp_option *options; // the verb's own; NULL: none. Read with sp_cli_value
  const char *next;                // the next useful command, last line of --help; NULL: none
};

// One --side: its name, and its keys as settings ("sides.NAME.threads").
struct sp_cli_side {
  char *name;
  struct sp_setting *keys;
  size_t n_keys;
};

// What was asked for. Texts point into argv or belong to the struct; keep argv.
struct sp_cli {
  const struct sp_cli_verb *verb;
  const char *scenario; // NULL only with help
  const char **overlays;
  size_t n_overlays;
  struct sp_setting *settings; // flags, --set and -X, in the order given
  size_t n_settings;
  struct sp_cli_side *sides; // in the order given, each name once
  size_t n_sides;
  const char *out_dir; // NULL: not given
  struct sp_properties tags;
  bool json, raw, quiet, help;
  const char *export_json;        // NULL: not given
  const char *export_markdown;    // NULL: not given
  uint64_t pairs;                 // 0: not given
  char **command;                 // after --, ends with NULL; NULL: not given
  const struct sp_option **given; // the verb's own options that were given, in order
  const char **given_values;
  size_t n_given;
};

// SP_ERR_USAGE: unknown flag (with the nearest one), missing value, no SCENARIO, two of them. Units and values of scenario
// keys are checked by sp_cli_load. *cli is allocated; NULL after an error.
enum sp_err sp_cli_parse(const struct sp_cli_verb *verb, int argc, char **argv, struct sp_cli **cli,
                         struct sp_error *error);
void sp_cli_free(struct sp_cli *cli); // NULL is allowed

// Loads the scenario with overlays, flags (a side's flag holds for every side) and then the keys of --side, which win. A
// --side that the scenario lacks is a new one, made of the defaults and its keys; it must name its path
// (`--side fast,path=noop`), so that a slip of the pen is no side. Errors as sp_scenario_load.
enum sp_err sp_cli_load(const struct sp_cli *cli, struct sp_scenario **scenario, struct sp_error *error);

// The last value given for one of the verb's own options ("" where it takes none), NULL if it was not given.
const char *sp_cli_value(const struct sp_cli *cli, const char *flag);

// Prints the page of --help: the verb's options, then every flag with its key, unit and default. Returns 0.
int sp_cli_help(FILE *to, const struct sp_cli_verb *verb);

// Prints `servepath VERB: what failed` to stderr; returns the exit code of DESIGN §4.
int sp_cli_report(const struct sp_cli_verb *verb, const struct sp_error *error);

#endif
