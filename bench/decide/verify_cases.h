// What verify found in one side, as cases: terminal, JUnit and JSON say the same. Values and keys are shown only where that is
// asked for; without it a line says which event, which number of the answer, and by how much.
#ifndef SP_DECIDE_VERIFY_CASES_H
#define SP_DECIDE_VERIFY_CASES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"
#include "decide/verify.h"
#include "report/junit.h"

#define SP_VERIFY_SHOWN 5 // differing events; of missing ones and copies as many ranges of numbers

struct sp_verify_show {
  const struct sp_scenario *scenario;
  const struct sp_bytes *keys; // of the recording's events; NULL: neither keys nor values are shown
};

// predictions, answered, duplicates, order, application (over Kafka), agreement (with the first side, from the second on); or,
// where the side's trial came to nothing, one that says why. *suite is made; free with sp_suite_done.
void sp_verify_cases(const struct sp_verify *verify, size_t side_i, const struct sp_verify_show *show,
                     struct sp_suite *suite);

// What a side's events came to, for programs: differing [{event, value, kind, difference, text}] and, as numbers, missing and
// duplicated, at most 100 of each, and n_ of all. JSON; free with free().
char *sp_verify_findings_json(const struct sp_verify *verify, size_t side_i,
                              const struct sp_verify_show *show);

// Takes what may be data out of the results in memory (the folder of each keeps it): examples say only that they differ, and
// what stands in quotes in the text of an error is left out.
void sp_verify_hide(struct sp_verify *verify);

#endif
