// Names of the outcomes, as results print them.
#include "base/outcome.h"

#include "base/err.h"

const char *sp_outcome_name(enum sp_outcome outcome) {
  static const char *const names[SP_OUTCOME_COUNT] = {"none",      "ok",       "unchecked", "mismatch",
                                                      "malformed", "filtered", "deadline",  "unavailable",
                                                      "rejected",  "error",    "lost",      "shed"};
  SP_ASSERT(outcome < SP_OUTCOME_COUNT);
  return names[outcome];
}
