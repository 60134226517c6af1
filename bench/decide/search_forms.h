// Searches as text and Markdown, in the files of their folder, and in the history. No control characters, whatever stands in names.
// One thread.
#ifndef SP_DECIDE_SEARCH_FORMS_H
#define SP_DECIDE_SEARCH_FORMS_H

#include <stdio.h>

#include "decide/search_record.h"

void sp_searches_print(const struct sp_searches_plan *plan, const struct sp_searches *searches, FILE *to);
// For a pull request; text never becomes markup. free with free().
char *sp_searches_markdown(const struct sp_searches_plan *plan, const struct sp_searches *searches);
// DIR/search.json and DIR/report.md. SP_ERR_ENVIRONMENT: disk full, not writable.
enum sp_err sp_searches_write(const struct sp_searches_plan *plan, const struct sp_searches *searches,
                              struct sp_error *error);
// A line in the history for each side whose rate has a bracket: that of a driver's limit is no figure of the system. Nothing of a side where an
// earlier call had ended and nothing was measured since. file as sp_history_add.
enum sp_err sp_searches_note(const struct sp_searches *searches, const struct sp_cli *cli, const char *file,
                             struct sp_error *error);

#endif
