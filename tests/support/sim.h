// A discrete-event simulator around the production pacer, application worker, collector, direct transport and meter: they
// read a clock that it steps, and predict on a server of its own, of which everything is known. One thread; no time passes
// but by its events, so what it measures can be compared with closed forms to the nanosecond.
#ifndef SUPPORT_SIM_H
#define SUPPORT_SIM_H

#include <stdbool.h>

#include "app/app.h"
#include "meter/meter.h"
#include "replay/collector.h"
#include "replay/pacer.h"
#include "stream/direct.h"

#define SIM_ORIGIN_NS                                                                                        \
  (1000 * SP_NS_PER_S) // of the schedule, on the virtual clock: a stamp of 0 means "did not happen"

struct sim_span { // offsets from the schedule's origin
  int64_t from_ns, to_ns;
};

enum sim_way { SIM_PASS, SIM_LOSE, SIM_REFUSE }; // lose: taken and never seen again; refuse: no room

// Zero in a field means what stands in brackets.
struct sim_plan {
  struct sp_load_conf load;
  size_t n_recorded;   // events of the recording (1,000): event i holds the number i
  size_t n_keys;       // event i has key i modulo n_keys (no keys)
  size_t fifo_events;  // room in front of the workers (65,536)
  uint64_t in_flight;  // requests over all workers (4,096)
  uint64_t threads;    // workers (1)
  uint64_t batch;      // (1)
  bool is_checked;     // decode, encode and check predictions; otherwise answers are empty and unchecked
  int64_t deadline_ns; // answers after it are flagged late (none)
  // The server: calls are served in order of submission by n_servers at once (by as many as there are calls).
  size_t n_servers;
  int64_t (*service_ns)(void *context, uint64_t call);
  int64_t call_deadline_ns; // calls come back with `deadline` then; the server works on (none)
  struct sim_span stall;    // the server is stopped: nothing starts, what is under way does not progress
  bool reports_server_time;
  // The last word on a prediction before it goes back; the outcome is NONE. May be NULL.
  void (*predicted)(void *context, struct sp_request *request, uint64_t call);
  struct sim_span pacer_pause; // the driver itself does not come to run
  // The ways between driver and application; may be NULL. `arriving` sees the replies of one receive and leaves as many of
  // them as it likes; also called when the clock reaches sim.alarm_ns, then often with none.
  enum sim_way (*leaving)(void *context, const struct sp_delivery *delivery);
  size_t (*arriving)(void *context, struct sp_reply **replies, size_t n, size_t max);
  void *context; // of the functions above
};

struct sim_call {
  int64_t end_ns;
  uint64_t call;
  struct sp_request *request;
  bool is_expired; // comes back by its deadline
};

struct sim {
  struct sp_rpc_conf rpc; // first: how the path finds its simulator
  struct sim_plan plan;
  int64_t now_ns;
  struct sp_clock clock;
  struct sp_recording recording;
  struct sp_expected expected;
  struct sp_expect_conf expect;
  struct sp_schedule *schedule;
  struct sp_app_conf app_conf;
  struct sp_app *app;
  struct sp_direct *direct;
  struct sp_stream transport, stream; // the direct one, and the same with tampering on its ways
  struct sp_event_states states;
  struct sp_key_order order;
  struct sp_checker checker;
  struct sp_meter *meter;
  struct sp_tally tally;
  struct sp_gate done_gate;
  struct sp_pacer pacer;
  struct sp_collector collector;
  // the server
  struct sp_path_env path_env;
  int64_t *free_at_ns; // n_servers of them
  uint64_t n_calls;
  struct sim_call *heap; // earliest end first
  size_t n_heap;
  // time
  int64_t next_send_ns; // 0: when the collector has something; INT64_MAX: never
  int64_t next_flip_ns;
  int64_t second;
  int64_t alarm_ns; // the tampering's own; INT64_MAX: none
  // seen
  int64_t most_under_way;
  int64_t n_timeline_sent, n_timeline_done;
};

struct sim *sim_new(const struct sim_plan *plan);
// From the origin until every event has an outcome, or the cut-off; then books what has none, as the driver does.
void sim_run(struct sim *sim);
void sim_free(struct sim *sim);

struct sim *sim_of_plan(const struct sim_plan *plan); // new and run

// The score that the server gives the recorded event i, and that the checker expects.
double sim_score(size_t i);

struct sp_load_conf sim_load(int arrival, uint64_t rate_per_s, int64_t warmup_ns, int64_t duration_ns);
int64_t sim_intended(const struct sim *sim); // events of the window
int64_t sim_percentile(const struct sim *sim, enum sp_series series,
                       int i); // -1 where unresolved or no answer
// Fails the running test unless the books sum to the events intended.
void sim_assert_books(const struct sim *sim);

#endif
