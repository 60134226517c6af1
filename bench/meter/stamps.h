// The instants of one event's way, CLOCK_MONOTONIC ns of the driver's machine; 0: did not happen.
//
// An application on another clock (another machine) gives only durations: held_ns is 0 then, and taken_ns to encoded_ns count
// from it (sp_stamps_are_elsewhere).
#ifndef SP_METER_STAMPS_H
#define SP_METER_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

struct sp_stamps {
  int64_t intended_ns;   // planned
  int64_t sent_ns;       // just before the send call
  int64_t held_ns;       // the application's poller holds it (direct: = sent_ns)
  int64_t taken_ns;      // a worker takes it
  int64_t dispatched_ns; // decoded; engine called or RPC issued
  int64_t answered_ns;   // prediction there
  int64_t encoded_ns;    // answer bytes written, about to be handed over
  int64_t done_ns;       // the collector's receive call returned
  int64_t server_ns;     // duration inside the model server; -1: unknown
};

enum sp_stage {
  SP_STAGE_LATENESS,  // sent - intended
  SP_STAGE_INBOUND,   // held - sent
  SP_STAGE_QUEUE,     // taken - held
  SP_STAGE_DECODE,    // dispatched - taken
  SP_STAGE_PREDICT,   // answered - dispatched
  SP_STAGE_ENCODE,    // encoded - answered
  SP_STAGE_OUTBOUND,  // done - encoded
  SP_STAGE_TRANSIT,   // on another clock: there and back, in place of INBOUND and OUTBOUND
  SP_STAGE_SERVER,    // inside PREDICT where known, with
  SP_STAGE_RPC_OTHER, // the rest of PREDICT
  SP_STAGE_COUNT,
};
#define SP_STAGE_SUMMED 8 // these first ones add up to done - intended

static inline bool sp_stamps_are_elsewhere(const struct sp_stamps *at) {
  return at->held_ns == 0 && at->encoded_ns != 0;
}

const char *sp_stage_name(enum sp_stage stage); // "lateness", ... "rpc_other"

#endif
