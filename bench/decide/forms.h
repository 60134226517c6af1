// A comparison in all its forms, in the folder of its trials.
#ifndef SP_DECIDE_FORMS_H
#define SP_DECIDE_FORMS_H

#include "result/comparison.h"

// Trials by their place in DIR, which is there: "pairs/001/base", so that the folder may be moved; those of a stored side, which lie outside,
// by their way from it ("../base/001"). Once, while they are named as from the current folder.
void sp_forms_relative(struct sp_comparison *c, const char *dir);
// After sp_forms_relative writes DIR/comparison.json, report.md, comparison.csv, junit.xml and report.html, each whole or not at all.
// SP_ERR_ENVIRONMENT: disk full, not writable.
enum sp_err sp_forms_write(struct sp_comparison *c, const char *dir, struct sp_error *error);
// DIR/comparison.json alone, of what was broken off or goes on: marked so, and if it is a gate's inconclusive, since no look was reached at which
// it may decide. The other forms of an earlier call are removed: they tell of less. why and exit_code: of the command, as in the file.
enum sp_err sp_forms_write_incomplete(struct sp_comparison *c, const char *why, int exit_code,
                                      const char *dir, struct sp_error *error);
// The pull request's text; free with free().
char *sp_forms_markdown(const struct sp_comparison *c);

#endif
