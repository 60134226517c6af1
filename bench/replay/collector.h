// The collector: receives every answer, stamps it, matches it to its event, checks it and books it.
#ifndef SP_REPLAY_COLLECTOR_H
#define SP_REPLAY_COLLECTOR_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/gate.h"
#include "meter/meter.h"
#include "replay/check.h"
#include "replay/match.h"
#include "replay/schedule.h"
#include "replay/tally.h"
#include "result/raw.h"
#include "stream/stream.h"

struct sp_collector {
  // set by the caller
  const struct sp_clock *clock;
  const struct sp_schedule *schedule;
  const struct sp_stream *stream;
  struct sp_tally *tally;
  struct sp_event_states *states;
  struct sp_key_order *order;
  struct sp_checker *checker;
  struct sp_meter *meter;
  struct sp_raw *raw;        // NULL unless every event is kept
  struct sp_gate *done_gate; // closed loop: woken when events are done
  int64_t origin_ns;
  int64_t deadline_ns; // answers later than this after their instant are flagged late; 0: none
  // Where another process sends: nothing is known of when, so that answers have no response time; and answers of whatever
  // run may count, as unchecked.
  bool is_blind, counts_foreign;
  atomic_bool is_stopped;
  // the collector's own
  int64_t max_gap_ns;            // longest time between two receives with answers: the driver's own slowness
  int64_t returned_ns;           // when the last receive with answers returned; 0: none
  char why[SP_REPLY_TEXT_BYTES]; // of the last answer that was not fine
};

// One receive and everything it brought: done is stamped once, when the receive has returned. Returns how many answers.
size_t sp_collector_step(struct sp_collector *collector, int64_t deadline_ns);
void sp_collector_run(
    struct sp_collector *collector); // the thread: until is_stopped and the stream is closed

#endif
