// The pacer: hands each event over at its planned instant, whatever happened to the ones before. It never predicts, never
// waits for an answer (but in a closed loop), and sheds what the stream has no room for.
#ifndef SP_REPLAY_PACER_H
#define SP_REPLAY_PACER_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/gate.h"
#include "meter/histogram.h"
#include "recording/recording.h"
#include "replay/conf.h"
#include "replay/match.h"
#include "replay/schedule.h"
#include "replay/tally.h"
#include "stream/stream.h"

struct sp_pacer {
  // set by the caller
  const struct sp_clock *clock;
  const struct sp_load_conf *conf;
  const struct sp_schedule *schedule;
  const struct sp_recording *recording;
  const struct sp_stream *stream;
  struct sp_tally *tally;
  struct sp_event_states *states;
  struct sp_gate *done_gate; // closed loop: woken by the collector
  const uint8_t
      *is_own; // per event of the schedule: false is somebody else's, and passed over; NULL: all are own
  enum sp_wait wait;
  int64_t origin_ns;       // CLOCK_MONOTONIC of offset 0
  atomic_bool is_stopped;  // any thread: send no more
  atomic_bool is_finished; // set by the thread: nothing more will be sent
  // the pacer's own
  size_t next_event;
  size_t next_recorded;         // next_event modulo the recording's length
  struct sp_histogram lateness; // of the window's sent events
};

// Allocates the histogram; the fields above are set already.
void sp_pacer_init(struct sp_pacer *pacer);
void sp_pacer_done(struct sp_pacer *pacer);

// Sends everything that is due now. Returns the instant (CLOCK_MONOTONIC) of the next event, INT64_MAX when there is none
// or is_stopped is set.
// Closed loop: sends until `concurrency` are under way; returns 0 while it must wait for the collector.
int64_t sp_pacer_step(struct sp_pacer *pacer);

// The thread: steps until the schedule's end or is_stopped. Between events it sleeps until pacer_spin before the next
// instant and spins the rest (`wait: spin`: spins all of it).
void sp_pacer_run(struct sp_pacer *pacer);

#endif
