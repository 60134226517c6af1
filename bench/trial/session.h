// Everything that one trial holds while it runs in the driver process. Filled by driver.c; read by accounting and verdict.
#ifndef SP_TRIAL_SESSION_H
#define SP_TRIAL_SESSION_H

#include "app/app.h"
#include "app/side.h"
#include "meter/meter.h"
#include "os/cpu.h"
#include "os/shared.h"
#include "os/thread.h"
#include "recording/expected.h"
#include "recording/recording.h"
#include "replay/collector.h"
#include "replay/pacer.h"
#include "replay/share.h"
#include "result/raw.h"
#include "result/result.h"
#include "stream/direct.h"
#include "stream/kafka.h"
#include "trial/answers.h"
#include "trial/driver.h"
#include "trial/placement.h"
#include "trial/probe.h"

// One reading of every clock and counter, at t0 and at the end of the drain.
struct sp_reading {
  int64_t at_ns;
  int64_t process_ns, control_ns, pacer_ns, collector_ns, workers_ns;
  int64_t server_ns, apps_ns, broker_ns, relay_ns; // of processes of ours; -1: none
  int64_t n_completed;
  int64_t clock_offset_ns;
  struct sp_cpu_reading machine;
};

struct sp_trial_session {
  const struct sp_driver_plan *plan;
  struct sp_clock clock;
  struct sp_placement placement;
  struct sp_recording *recording;
  struct sp_expected *expected;
  char expected_file[4096];
  char *version_dir; // NULL: noop
  uint64_t model_version;
  char model_file[128]; // in version_dir: what an engine of ours loads, model.onnx for a server
  char model_digest[SP_DIGEST_TEXT_BYTES]; // of that file; empty: it is not there
  struct sp_schedule *schedule;
  struct sp_shared shared;
  struct sp_tally *tally;
  struct sp_app_side side;                  // direct: the application in this process
  struct sp_probe probe;                    // Kafka: what it is made of
  const char *library;                      // that predicts
  const struct sp_rpc_server_facts *server; // what the model server says of itself; NULL: there is none
  const struct sp_encoder *encoder;         // reads answers; NULL: noop
  struct sp_encoder *own_encoder;           // Kafka; NULL: it is the application's
  struct sp_direct *direct;
  struct sp_kafka_driver *kafka;
  bool is_mock;                     // the broker is librdkafka's mock cluster, ours or not
  char *kafka_properties;           // as JSON
  struct sp_answer_match *matching; // Kafka: how answers find their events
  struct sp_share share;
  struct sp_stream stream;
  struct sp_stream_facts stream_facts; // once the collector has ended
  int64_t *apps_cpu_ns;   // of each application process, as last seen: one that was killed has used it
  char **app_marks;       // per application of others: what its daemons are known by; NULL: nothing
  int64_t apps_looked_ns; // when
  struct sp_event_states states;
  struct sp_key_order order;
  struct sp_answers answers;
  struct sp_checker checker;
  struct sp_meter *meter;
  struct sp_hlog *hlog;
  struct sp_raw *raw; // NULL unless events are kept
  struct sp_gate done_gate;
  struct sp_pacer pacer;
  struct sp_collector collector;
  struct sp_thread pacer_thread, collector_thread;
  struct sp_result *result;
  struct sp_reading at_t0, at_end;
  struct sp_cpu_reading machine_at_t1; // an idle drain says nothing about the window
  bool has_t0;
  int64_t backlog_at_t0, backlog_at_t1;
  int64_t sending_end_ns, drain_end_ns;
  int64_t n_progress, progress_ns; // sends and outcomes so far, and when the last one was seen
  int64_t progress_looked_ns;      // when it was looked for
  int signal;                      // that ended it early; 0: none
};

#endif
