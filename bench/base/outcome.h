// The exclusive outcomes of an event (DESIGN §2). They sum to the events intended.
#ifndef SP_BASE_OUTCOME_H
#define SP_BASE_OUTCOME_H

#include <stdbool.h>

enum sp_outcome {
  SP_OUTCOME_NONE = 0, // still under way
  SP_OUTCOME_OK,
  SP_OUTCOME_UNCHECKED,   // answered, nothing to compare with
  SP_OUTCOME_MISMATCH,    // answered, but not what was expected
  SP_OUTCOME_MALFORMED,   // the event could not be decoded, or its answer could not
  SP_OUTCOME_FILTERED,    // the application left it out on purpose
  SP_OUTCOME_DEADLINE,    // gRPC DEADLINE_EXCEEDED
  SP_OUTCOME_UNAVAILABLE, // gRPC UNAVAILABLE: server absent, gone, restarting
  SP_OUTCOME_REJECTED,    // gRPC RESOURCE_EXHAUSTED: the server refuses more
  SP_OUTCOME_ERROR,       // any other failure of engine, server or application
  SP_OUTCOME_LOST,        // no answer by the cut-off
  SP_OUTCOME_SHED,        // the pacer could not hand it over
  SP_OUTCOME_COUNT,
};

// "ok", "unchecked", ...; never NULL.
const char *sp_outcome_name(enum sp_outcome outcome);

// A prediction was received: ok, unchecked, mismatch.
static inline bool sp_outcome_is_answered(enum sp_outcome outcome) {
  return outcome == SP_OUTCOME_OK || outcome == SP_OUTCOME_UNCHECKED || outcome == SP_OUTCOME_MISMATCH;
}

// Ranks above every answered event in the response histogram (DESIGN §3.3).
static inline bool sp_outcome_is_no_answer(enum sp_outcome outcome) {
  return outcome >= SP_OUTCOME_DEADLINE && outcome <= SP_OUTCOME_SHED;
}

#endif
