// Documents made from the tables of keys: what is checked in as proto/scenario.schema.json and docs/reference.md.
#ifndef SP_SCENARIO_REFERENCE_H
#define SP_SCENARIO_REFERENCE_H

#include <stdio.h>

// JSON Schema (2020-12) of a scenario, with a final line end; free with free().
char *sp_reference_schema(void);
// Every key and flag as Markdown.
void sp_reference_markdown(FILE *to);

#endif
