// Documents made from the tables of keys: what is checked in as proto/scenario.schema.json and docs/reference.md.
#ifndef SP_SCENARIO_REFERENCE_H
#define SP_SCENARIO_REFERENCE_H

#include <stdio.h>

#include "scenario/cli.h"

// A verb's section of the page: the tables that its --help prints. One of the two is NULL.
struct sp_reference_verb {
  const char *name;                      // NULL ends a list
  const struct sp_option *options;       // all it has; ends with a zeroed one
  const struct sp_cli_verb *of_scenario; // takes a scenario: options of its own, common ones, flags of keys
};

// JSON Schema (2020-12) of a scenario, with a final line end; free with free().
char *sp_reference_schema(void);
// Every key and flag as Markdown, and the options of each verb.
void sp_reference_markdown(FILE *to, const struct sp_reference_verb *verbs);

#endif
